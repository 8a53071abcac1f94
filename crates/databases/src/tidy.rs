//! What a reset leaves to the background: what is kept is weighed, the next spare is cloned, what nothing uses goes.

use plan::{Action, Database, Expect, Label, LabelKind, Plan, Step};

use crate::leases;
use crate::next::Recipe;

/// How many templates stay: a few branches, each with its own baseline.
const TEMPLATES: usize = 4;

/// Plans all of it. Every step is safe to stop at, and the next run does what is left.
pub(crate) fn plan(plan: &mut Plan, recipe: &Recipe<'_>) {
    half_built(plan, recipe);
    leases::sweep(plan, leases::over(recipe.world));
    if let Some(live) = recipe.world.live() {
        let note = Action::NoteSettings { database: live.name.clone() };
        plan.steps.push(Step::new(note, "a change of them is one of the user's"));
    }
    reopen(plan, recipe);
    close_again(plan, recipe);
    if recipe.made(LabelKind::Spare).is_none() {
        spare(plan, recipe);
    }
    unused(plan, recipe);
    // Last, so that one that can't be looked into keeps nothing else from being done.
    weigh(plan, recipe);
}

fn half_built(plan: &mut Plan, recipe: &Recipe<'_>) {
    let left = recipe.world.beside(LabelKind::Building);
    plan.steps.extend(left.map(|(database, _)| discard(database, "an earlier run did not finish it")));
}

/// A run that was killed while it weighed or removed one had closed it.
fn reopen(plan: &mut Plan, recipe: &Recipe<'_>) {
    let lookable =
        [LabelKind::Kept, LabelKind::Parked].into_iter().flat_map(|kind| recipe.world.beside(kind));
    let closed = lookable.filter(|(database, _)| !database.open);
    plan.steps.extend(closed.map(|(database, _)| {
        let open = Action::OpenDatabase { database: database.name.clone() };
        Step::new(open, "what is kept can be looked into").expects(this(database))
    }));
}

/// A run that was killed while it exported one had opened it.
fn close_again(plan: &mut Plan, recipe: &Recipe<'_>) {
    let open = recipe.world.beside(LabelKind::Saved).filter(|(database, _)| database.open);
    for (database, _) in open {
        let name = &database.name;
        let close = Action::CloseDatabase { database: name.clone() };
        plan.steps.push(Step::new(close, "a snapshot stays as it is").expects(this(database)));
        let end = Action::EndSessions { database: name.clone() };
        plan.steps.push(Step::new(end, "a snapshot stays as it is").bound());
    }
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

/// Spares of other contents, what an older system sorted, and the oldest templates.
fn unused(plan: &mut Plan, recipe: &Recipe<'_>) {
    let key = recipe.key();
    let is_current = |label: &Label| label.blueprint().is_some() && label.blueprint() == key;
    let spares = recipe.world.beside(LabelKind::Spare);
    let spares =
        spares.filter(|(database, label)| !is_current(label) || database.open || database.stale_collation);
    let templates = recipe.world.beside(LabelKind::Template);
    let (stale, mut templates): (Vec<_>, Vec<_>) =
        templates.partition(|(database, _)| database.stale_collation);
    templates.sort_by_key(|(_, label)| (!is_current(label), -label.at.as_second()));
    let old = templates.into_iter().skip(TEMPLATES);
    plan.steps.extend(
        spares.chain(stale).chain(old).map(|(database, _)| discard(database, "nothing uses it any more")),
    );
}

fn discard(database: &Database, why: &'static str) -> Step {
    Step::new(Action::DiscardDatabase { database: database.name.clone() }, why).expects(this(database))
}

fn this(database: &Database) -> Expect {
    Expect::Database { name: database.name.clone(), oid: database.oid }
}

#[cfg(test)]
mod tests {
    use plan::{Config, World};

    use super::*;
    use crate::sample::{config, kept_database, labelled, steps, with_databases};

    fn tidied(world: &World) -> Vec<String> {
        let (config, mut plan): (Config, _) = (config(), Plan::new("slate-reset", "shop"));
        let server = world.server.as_ref().unwrap();
        let seeds = config.seeds.usual();
        super::plan(&mut plan, &Recipe { config: &config, world, server, seeds, to: None });
        steps(&plan)
    }

    const SPARED: [&str; 5] = [
        "clone shop__base_new to shop__spare",
        "mark shop__spare as this workspace's",
        "close shop__spare to new sessions",
        "end the sessions on shop__spare",
        "label shop__spare",
    ];

    #[test]
    fn a_spare_is_made_of_the_present_template_and_none_where_there_is_one() {
        let template = labelled("__base_new", 2, LabelKind::Template, "new");
        let spare = labelled("__spare", 3, LabelKind::Spare, "new");

        let told = tidied(&with_databases(std::slice::from_ref(&template)));

        assert_eq!(told, [&["note the settings of shop"], &SPARED[..]].concat());
        assert_eq!(tidied(&with_databases(&[template, spare])), ["note the settings of shop"]);
    }

    #[test]
    fn what_a_reset_kept_is_weighed_once_and_what_an_undo_kept_never() {
        let kept = [
            kept_database(1, "reset", Some("users +1 row")),
            kept_database(2, "reset", None),
            kept_database(3, "undo", None),
        ];

        let told = tidied(&with_databases(&kept));

        assert_eq!(told, ["note the settings of shop", "compare shop__kept_2 with what it was built from"]);
    }

    #[test]
    fn what_killed_runs_left_is_discarded_or_opened_again() {
        let mut kept = kept_database(1, "undo", None);
        kept.open = false;
        let half = labelled("__next", 2, LabelKind::Building, "new");

        let told = tidied(&with_databases(&[kept, half]));

        assert_eq!(told, ["discard shop__next", "note the settings of shop", "open shop__kept_1 again"]);
    }

    #[test]
    fn a_spare_of_another_baseline_and_the_oldest_template_go() {
        let at = |n: i64, mut database: Database| {
            database.label.as_mut().unwrap().at = jiff::Timestamp::from_second(n).unwrap();
            database
        };
        let names = ["__base_a", "__base_b", "__base_c", "__base_d", "__base_e"];
        let templates = (0_u32..)
            .zip(names)
            .map(|(n, name)| at(n.into(), labelled(name, 10 + n, LabelKind::Template, &name[7..])));
        let spare = labelled("__spare", 3, LabelKind::Spare, "a");

        let told = tidied(&with_databases(&templates.chain([spare]).collect::<Vec<_>>()));

        assert_eq!(told, ["note the settings of shop", "discard shop__spare", "discard shop__base_a"]);
    }

    #[test]
    fn a_template_of_an_old_collation_goes_at_once() {
        let mut stale = labelled("__base_a", 2, LabelKind::Template, "a");
        stale.stale_collation = true;

        let told = tidied(&with_databases(&[stale]));

        assert_eq!(told, ["note the settings of shop", "discard shop__base_a"]);
    }

    #[test]
    fn another_workspaces_databases_stay() {
        let mut foreign = labelled("__spare", 3, LabelKind::Building, "a");
        foreign.label.as_mut().unwrap().workspace = "another".to_owned();

        assert_eq!(tidied(&with_databases(&[foreign])), ["note the settings of shop"]);
    }
}
