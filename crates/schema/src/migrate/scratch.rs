//! Databases beside the live one: scratch ones that drafts are made with, and the copy that undo brings back.

use plan::{
    Action, Built, Data, Database, DatabaseName, Expect, Fact, KeptAs, Label, LabelKind, Plan, Server,
    Session, Step, World,
};

/// What begins the name of a database that a draft is made with, behind the live one's.
const STEM: &str = "__draft_";

/// Plans an empty database for one side of a draft.
pub(super) fn create(plan: &mut Plan, world: &World, server: &Server, side: &str) -> DatabaseName {
    let ours = |name: &DatabaseName| {
        let taken = server.databases.iter().find(|database| database.name == *name);
        taken.is_none_or(|database| is_ours(database, world))
    };
    let whole = format!("{STEM}{side}");
    let mut names = (2..100).map(|n| server.name.suffixed(&format!("{whole}_{n}")));
    let first = server.name.suffixed(&whole);
    let name = if ours(&first) { first } else { names.find(ours).unwrap_or(first) };
    let label = Label::new(&world.workspace.id, LabelKind::Building, &server.name, world.now);
    let create = Action::CreateDatabase { database: name.clone(), owner: server.user.clone(), label };
    let step = Step::new(create, "the draft is made with it")
        .expects(Expect::NoDatabase { name: name.clone() })
        .amend(Action::DiscardDatabase { database: name.clone() });
    plan.steps.push(step.weight(2));
    name
}

fn is_ours(database: &Database, world: &World) -> bool {
    let own = |label: &Label| label.kind == LabelKind::Building && label.workspace == world.workspace.id;
    database.label.as_ref().is_some_and(own) && database.name.as_str().contains(STEM)
}

/// Plans the end of those that are there.
pub(super) fn discard(plan: &mut Plan, world: &World, server: &Server) {
    for database in server.databases.iter().filter(|database| is_ours(database, world)) {
        let discard = Action::DiscardDatabase { database: database.name.clone() };
        plan.steps.push(Step::new(discard, "a draft was made with it"));
    }
}

/// Plans a copy of the live database, kept as what a reset replaces is; answers with its name.
pub(super) fn keep(
    plan: &mut Plan,
    world: &World,
    server: &Server,
    live: &Database,
    by: &str,
) -> DatabaseName {
    let is_free = |name: &DatabaseName| server.databases.iter().all(|database| database.name != *name);
    let names = (world.next_kept()..).map(|n| (n, server.name.suffixed(&format!("__kept_{n}"))));
    let first = (world.next_kept(), server.name.suffixed("__kept"));
    let (n, kept) = names.into_iter().find(|(_, name)| is_free(name)).unwrap_or(first);
    disconnects(plan, live);
    plan.data.push(Data::Database { name: live.name.clone(), oid: live.oid });
    let label = Label::new(&world.workspace.id, LabelKind::Building, &server.name, world.now);
    let name = || live.name.clone();
    let clone = Action::CloneDatabase { from: name(), to: kept.clone(), label, bytes: live.bytes };
    let open = Action::OpenDatabase { database: name() };
    plan.steps.extend([
        Step::new(Action::CloseDatabase { database: name() }, "a pool would come back at once")
            .expects(Expect::Server { system_identifier: server.system_identifier.clone() })
            .expects(Expect::Database { name: name(), oid: live.oid })
            .amend(open.clone()),
        Step::new(Action::EndSessions { database: name() }, "Postgres copies no database that is in use")
            .bound(),
        Step::new(clone, "undo brings it back")
            .expects(Expect::NoDatabase { name: kept.clone() })
            .amend(Action::DiscardDatabase { database: kept.clone() })
            .weight(1 + live.bytes / 1_000_000),
        Step::new(open, "it is copied").bound(),
        Step::new(Action::CarryOver { from: name(), to: kept.clone() }, "a copy has none of them"),
        Step::new(Action::CloseDatabase { database: kept.clone() }, "it stays as it is"),
        Step::new(
            Action::Label { database: kept.clone(), label: kept_label(world, live, n, by) },
            "it is listed",
        ),
    ]);
    let back = world.workspace.command("undo");
    plan.facts.push(Fact::new("keeps", format!("a copy as {kept}: {back} brings it back")));
    plan.closing.push(format!("As it was before it is kept: {back}"));
    kept
}

fn kept_label(world: &World, live: &Database, n: u32, by: &str) -> Label {
    let built = live.marker.as_ref().and_then(|marker| {
        let blueprint = marker.blueprint.clone()?;
        Some(Built { blueprint, fingerprint: marker.fingerprint.clone(), bytes: live.bytes })
    });
    let rows = live.contents.as_ref().map(|contents| contents.rows);
    let kept = KeptAs { n, bytes: live.bytes, rows, by: by.to_owned(), why: None };
    let comment = live.comment.clone().filter(|comment| Label::read(comment).is_none());
    let label = Label::new(&world.workspace.id, LabelKind::Kept, &live.name, world.now);
    Label { built, kept: Some(kept), comment, ..label }
}

/// Who is on it, and whose work is open.
fn disconnects(plan: &mut Plan, live: &Database) {
    let mut who: Vec<String> = live.sessions.iter().map(Session::who).collect();
    who.sort();
    who.dedup();
    if !who.is_empty() {
        plan.facts.push(Fact::new("disconnects", who.join(", ")));
    }
    plan.loss.sessions.extend_from_slice(&live.sessions);
    plan.in_the_way.extend(live.sessions.iter().filter_map(Session::open_work));
}
