//! What a reset leaves to the background: what is kept is weighed, the next spare is cloned, what nothing uses goes.

use plan::{Action, Database, Expect, Label, LabelKind, Plan, Step};

use crate::next::Recipe;

/// How many templates stay: a few branches, each with its own baseline.
const TEMPLATES: usize = 4;

/// Plans all of it. Every step is safe to stop at, and the next run does what is left.
pub(crate) fn plan(plan: &mut Plan, recipe: &Recipe<'_>) {
    half_built(plan, recipe);
    if let Some(live) = recipe.world.live() {
        let note = Action::NoteSettings { database: live.name.clone() };
        plan.steps.push(Step::new(note, "a change of them is one of the user's"));
    }
    reopen(plan, recipe);
    weigh(plan, recipe);
    if recipe.made(LabelKind::Spare).is_none() {
        spare(plan, recipe);
    }
    unused(plan, recipe);
}

fn half_built(plan: &mut Plan, recipe: &Recipe<'_>) {
    let left = [LabelKind::Building, LabelKind::Next].into_iter().flat_map(|kind| recipe.world.beside(kind));
    plan.steps.extend(left.map(|(database, _)| discard(database, "an earlier run did not finish it")));
}

/// A run that was killed while it weighed or removed one had closed it.
fn reopen(plan: &mut Plan, recipe: &Recipe<'_>) {
    let closed = recipe.world.beside(LabelKind::Kept).filter(|(database, _)| !database.open);
    plan.steps.extend(closed.map(|(database, _)| {
        let open = Action::OpenDatabase { database: database.name.clone() };
        Step::new(open, "what is kept can be looked into").expects(this(database))
    }));
}

/// What a reset has replaced, and nobody has looked at since its sessions ended.
fn weigh(plan: &mut Plan, recipe: &Recipe<'_>) {
    let kept = recipe.world.beside(LabelKind::Kept);
    let unweighed = kept.filter(|(_, label)| {
        label.kept.as_ref().is_some_and(|kept| kept.by == "reset" && kept.why.is_none())
    });
    plan.steps.extend(unweighed.map(|(database, label)| {
        let weigh = Action::WeighKept { database: database.name.clone(), label: label.clone() };
        Step::new(weigh, "one that nobody changed is kept in the template").expects(this(database))
    }));
}

fn spare(plan: &mut Plan, recipe: &Recipe<'_>) {
    let Some((template, label)) = recipe.made(LabelKind::Template) else { return };
    let built = label.built.clone();
    let bytes = built.as_ref().map_or(0, |built| built.bytes);
    let spare = recipe.clone_of(plan, &template.name, bytes, "__spare");
    let label = Label { built, ..recipe.label(LabelKind::Spare) };
    plan.steps.extend([
        Step::new(Action::CloseDatabase { database: spare.clone() }, "nobody uses it before its time"),
        Step::new(Action::EndSessions { database: spare.clone() }, "our own has said all that it wrote")
            .bound(),
        Step::new(Action::Label { database: spare, label }, "the next reset finds it"),
    ]);
}

/// Spares of other contents, and the oldest templates.
fn unused(plan: &mut Plan, recipe: &Recipe<'_>) {
    let key = recipe.key();
    let is_current = |label: &Label| label.blueprint().is_some() && label.blueprint() == key;
    let spares = recipe.world.beside(LabelKind::Spare);
    let spares =
        spares.filter(|(database, label)| !is_current(label) || database.open || database.stale_collation);
    let mut templates: Vec<(&Database, &Label)> = recipe.world.beside(LabelKind::Template).collect();
    templates.sort_by_key(|(database, label)| {
        (!is_current(label) || database.stale_collation, -label.at.as_second())
    });
    let old = templates.into_iter().skip(TEMPLATES);
    plan.steps.extend(spares.chain(old).map(|(database, _)| discard(database, "nothing uses it any more")));
}

fn discard(database: &Database, why: &'static str) -> Step {
    Step::new(Action::DiscardDatabase { database: database.name.clone() }, why).expects(this(database))
}

fn this(database: &Database) -> Expect {
    Expect::Database { name: database.name.clone(), oid: database.oid }
}
