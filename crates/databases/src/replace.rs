//! The moment in which one database takes another one's name, and what has to be said before it.

use std::collections::BTreeMap;

use plan::{
    Action, Built, Data, Database, DatabaseName, Exit, Expect, Fact, Fault, KeptAs, Kind, Label, LabelKind,
    Plan, Rows, Server, Session, Since, Step, World, words,
};

/// `--no-undo` where what gives its name up is kept all the same.
pub(crate) fn always_kept(what: &str) -> Fault {
    Fault::new(Exit::Usage, format!("a {what} has no `--no-undo`"))
        .cause("what it replaces stays, since it is somebody's")
        .state("nothing was changed")
}

/// What replaces the live database, and what becomes of that.
pub(crate) struct Swap<'a> {
    pub world: &'a World,
    pub server: &'a Server,
    pub live: &'a Database,
    pub next: &'a DatabaseName,
    /// The word in the list of what is kept: `reset`.
    pub by: &'static str,
    /// A new database has nothing beside its contents yet; one that comes back has its own.
    pub carry: bool,
    /// What is done once nobody is on the live one any more, right before it gives its name away.
    pub rest: Option<Action>,
}

impl Swap<'_> {
    /// Plans the swap, and answers with the number and name that the old database is kept under.
    pub fn plan(&self, plan: &mut Plan) -> (u32, DatabaseName) {
        self.replace(plan, LabelKind::Kept, None)
    }

    /// As [`Self::plan`], for a change of branch: the old database is parked as one's, the next one is the other's.
    pub fn park(&self, plan: &mut Plan, from: &str, to: &str) -> (u32, DatabaseName) {
        self.replace(plan, LabelKind::Parked, Some((from, to)))
    }

    fn replace(
        &self,
        plan: &mut Plan,
        kind: LabelKind,
        branches: Option<(&str, &str)>,
    ) -> (u32, DatabaseName) {
        let (live, next) = (self.live, self.next);
        let name = &live.name;
        let stem = if kind == LabelKind::Parked { "__parked_" } else { "__kept_" };
        let (n, kept) = put_by_name(self.world, self.server, stem);
        plan.data.push(Data::Database { name: name.clone(), oid: live.oid });
        let is_live = Expect::Database { name: name.clone(), oid: live.oid };
        if self.carry {
            let carry = Action::CarryOver { from: name.clone(), to: next.clone() };
            plan.steps.push(Step::new(carry, "a new database has none of them"));
        }
        if let Some((_, branch)) = branches {
            let note = Action::NoteBranch { database: next.clone(), branch: branch.to_owned() };
            plan.steps.push(Step::new(note, "the next switch knows whose it is"));
        }
        let close = Action::CloseDatabase { database: name.clone() };
        let open = Action::OpenDatabase { database: name.clone() };
        let end = Action::EndSessions { database: name.clone() };
        let named = branches.map(|(from, _)| from.to_owned());
        let label = Label { kind, name: named, ..self.label(n) };
        let comment = live.comment.clone().filter(|comment| Label::read(comment).is_none());
        let swap =
            Action::Swap { live: name.clone(), kept: kept.clone(), next: next.clone(), label, comment };
        let mut swap =
            Step::new(swap, "the old one stays, under another name").expects(is_live.clone()).bound();
        let discarded = Action::DiscardDatabase { database: next.clone() };
        let is_new = plan.steps.iter().any(|step| step.action == discarded);
        let known = self.server.databases.iter().find(|database| database.name == *next);
        if let Some(known) = known.filter(|_| !is_new) {
            swap = swap.expects(Expect::Database { name: known.name.clone(), oid: known.oid });
        }
        let server = Expect::Server { system_identifier: self.server.system_identifier.clone() };
        plan.steps.extend([
            Step::new(close, "a pool would come back at once").expects(server).expects(is_live).amend(open),
            Step::new(end, "Postgres renames no database that is in use").bound(),
        ]);
        let rest =
            self.rest.clone().map(|rest| Step::new(rest, "nothing that was typed is left out").bound());
        plan.steps.extend(rest);
        plan.steps.push(swap.expects(Expect::NoDatabase { name: kept.clone() }));
        (n, kept)
    }

    fn label(&self, n: u32) -> Label {
        let live = self.live;
        let marker = live.marker.as_ref();
        let built = marker.and_then(|marker| {
            let blueprint = marker.blueprint.clone()?;
            Some(Built { blueprint, fingerprint: marker.fingerprint.clone(), bytes: live.bytes })
        });
        let rows = live.contents.as_ref().map(|contents| contents.rows);
        let kept = KeptAs { n, bytes: live.bytes, rows, by: self.by.to_owned(), why: None };
        let label = Label::new(&self.world.workspace.id, LabelKind::Kept, &live.name, self.world.now);
        let comment = live.comment.clone().filter(|comment| Label::read(comment).is_none());
        Label { built, kept: Some(kept), comment, ..label }
    }
}

/// The next number and name for a database that is put by: a name that nothing has.
pub(crate) fn put_by_name(world: &World, server: &Server, stem: &str) -> (u32, DatabaseName) {
    let first = world.next_kept();
    let names = (first..).map(|n| (n, server.name.suffixed(&format!("{stem}{n}"))));
    let is_free = |name: &DatabaseName| server.databases.iter().all(|database| database.name != *name);
    let free = names.into_iter().find(|(_, name)| is_free(name));
    free.unwrap_or_else(|| (first, server.name.suffixed(stem)))
}

/// The old database goes at once, as `--no-undo` says.
pub(crate) fn give_up(plan: &mut Plan, live: &Database, n: u32, kept: DatabaseName) {
    let give_up = Action::GiveUpDatabase { database: kept.clone(), n };
    let step = Step::new(give_up, "--no-undo keeps nothing");
    let step = step.expects(Expect::Database { name: kept.clone(), oid: live.oid }).weight(2);
    plan.steps.push(agreed(step, kept, live.contents.as_ref().map(|contents| contents.rows)));
}

/// Rows that came since the plan was shown are nobody's to give up. What was estimated can't be held against a count.
pub(crate) fn agreed(step: Step, name: DatabaseName, rows: Option<Rows>) -> Step {
    match rows {
        Some(Rows { count, exact: true }) => step.expects(Expect::NoMoreRows { name, rows: count }),
        _ => step,
    }
}

/// Drops what its server left half dropped: nothing in it can be trusted, and Postgres renames no such database.
pub(crate) fn drop_broken(plan: &mut Plan, server: &Server, live: &Database, next: &DatabaseName) {
    let name = &live.name;
    plan.data.push(Data::Database { name: name.clone(), oid: live.oid });
    let carry = Action::CarryOver { from: name.clone(), to: next.clone() };
    plan.steps.push(Step::new(carry, "a new database has none of them"));
    let drop = drop(name, live, "the new one takes its name");
    plan.steps.push(drop.expects(Expect::Server { system_identifier: server.system_identifier.clone() }));
    let comment = live.comment.clone().filter(|comment| Label::read(comment).is_none());
    rename(plan, server, next, comment);
}

/// Drops the old database, which has this name now, through psql.
pub(crate) fn drop(name: &DatabaseName, live: &Database, why: &'static str) -> Step {
    let step = Step::new(Action::DropDatabase { database: name.clone() }, why)
        .expects(Expect::Database { name: name.clone(), oid: live.oid })
        .bound()
        .weight(2);
    agreed(step, name.clone(), live.contents.as_ref().map(|contents| contents.rows))
}

/// The next database takes a name that nothing has.
pub(crate) fn take_name(plan: &mut Plan, server: &Server, next: &DatabaseName, comment: Option<String>) {
    plan.facts.push(Fact::new("replaces", "nothing: there is no such database now"));
    rename(plan, server, next, comment);
}

/// Somebody may look into what is put by, and Postgres renames no database that is in use.
pub(crate) fn alone(database: &Database) -> [Step; 2] {
    let name = &database.name;
    let close = Action::CloseDatabase { database: name.clone() };
    let open = Action::OpenDatabase { database: name.clone() };
    let end = Action::EndSessions { database: name.clone() };
    let this = Expect::Database { name: name.clone(), oid: database.oid };
    [
        Step::new(close, "nobody comes back to it meanwhile").expects(this).amend(open),
        Step::new(end, "Postgres renames no database that is in use").bound(),
    ]
}

fn rename(plan: &mut Plan, server: &Server, next: &DatabaseName, comment: Option<String>) {
    let rename = Action::RenameDatabase { from: next.clone(), to: server.name.clone(), comment };
    let step = Step::new(rename, "the new one is the workspace's from here on");
    plan.steps.push(step.expects(Expect::NoDatabase { name: server.name.clone() }));
}

/// What is in the live database, what of it is the user's, and who is on it.
pub(crate) fn tell(plan: &mut Plan, live: &Database, world: &World) {
    tell_as(plan, live, world, "replaces");
}

/// As [`tell`], in another word for what becomes of it.
pub(crate) fn tell_as(plan: &mut Plan, live: &Database, world: &World, verb: &str) {
    let replaced = if let Some(contents) = &live.contents {
        plan.loss.databases.push(contents.clone());
        contents.line(world.now)
    } else if live.broken {
        plan.loss.unread.push(live.name.to_string());
        format!("{}, half dropped: its server stopped in the middle", words::bytes(live.bytes))
    } else {
        plan.loss.unread.push(live.name.to_string());
        format!("{}, which can't be read", words::bytes(live.bytes))
    };
    plan.facts.push(Fact::new(verb, replaced));
    if let Some(contents) = &live.contents {
        plan.facts.push(Fact::new("yours", contents.since.line()));
    }
    disconnects(plan, live);
}

/// Who is on it, and whose work is open.
pub(crate) fn disconnects(plan: &mut Plan, live: &Database) {
    cut(plan, &live.sessions, "");
}

/// As [`disconnects`], for one that is put by and comes back: somebody may look into it.
pub(crate) fn looked_into(plan: &mut Plan, database: &Database) {
    cut(plan, &database.sessions, &format!(", on {}", database.name));
}

fn cut(plan: &mut Plan, sessions: &[Session], place: &str) {
    if !sessions.is_empty() {
        plan.facts.push(Fact::new("disconnects", who(sessions) + place));
    }
    plan.loss.sessions.extend_from_slice(sessions);
    plan.in_the_way.extend(sessions.iter().filter_map(Session::open_work));
}

/// Whether it is proved that the live database holds nothing of anybody's.
pub(crate) fn is_unchanged(live: &Database) -> bool {
    live.contents.as_ref().is_some_and(|contents| contents.since == Since::Unchanged)
}

/// Sessions by who they are, each once with its number.
fn who(sessions: &[Session]) -> String {
    let mut by_name: BTreeMap<String, u64> = BTreeMap::new();
    for session in sessions {
        *by_name.entry(session.who()).or_default() += 1;
    }
    by_name.iter().map(|(name, count)| format!("{name} ({count})")).collect::<Vec<_>>().join(", ")
}

/// Where it is, as a person would tell it.
pub(crate) fn place(server: &Server, world: &World) -> String {
    let address = server.address.as_ref().map(ToString::to_string).unwrap_or_default();
    let what = match (server.kind, &world.engine) {
        (Kind::Compose, Some(engine)) => format!("compose project {}", engine.compose.project),
        (Kind::Compose, None) => "compose service, from inside a container".to_owned(),
        (Kind::External, _) => "external server".to_owned(),
        _ => "local cluster".to_owned(),
    };
    format!("{address} ({what}, Postgres {})", server.version)
}

#[cfg(test)]
mod tests {
    use plan::{Effect, Session};

    use super::*;
    use crate::sample::{database, kept_database, labelled, steps, with_databases};

    fn swapped(world: &World, next: &str) -> (Plan, String) {
        let (server, live) = (world.server.as_ref().unwrap(), world.live().unwrap());
        let next = DatabaseName::new(next).unwrap();
        let mut plan = Plan::new("slate-reset", "shop");
        let (_, kept) =
            Swap { world, server, live, next: &next, by: "reset", carry: true, rest: None }.plan(&mut plan);
        (plan, kept.to_string())
    }

    #[test]
    fn the_names_change_after_everything_else_and_nothing_is_destroyed() {
        let (plan, kept) = swapped(&with_databases(&[]), "shop__spare");

        assert_eq!(
            steps(&plan),
            [
                "give shop__spare the owner, rights and settings of shop",
                "close shop to new sessions",
                "end the sessions on shop",
                "swap shop, and kept the old as shop__kept_1"
            ]
        );
        assert!(plan.steps.iter().all(|step| step.action.effect() != Effect::Destroys));
        assert_eq!(kept, "shop__kept_1");
    }

    #[test]
    fn no_number_and_no_name_is_taken_twice() {
        let mut world = with_databases(&[kept_database(4, "reset", None), database("__kept_8", 9)]);
        world.last_kept = 7;

        assert_eq!(swapped(&world, "shop__spare").1, "shop__kept_9");
    }

    #[test]
    fn a_spare_must_still_be_the_same_one() {
        let spare = labelled("__spare", 3, LabelKind::Spare, "new");
        let expected = Expect::Database { name: spare.name.clone(), oid: 3 };

        let (plan, _) = swapped(&with_databases(&[spare]), "shop__spare");

        assert!(plan.steps.last().unwrap().expects.contains(&expected));
    }

    #[test]
    fn the_users_own_comment_goes_with_the_name_and_is_remembered() {
        let mut world = with_databases(&[]);
        world.server.as_mut().unwrap().databases[0].comment = Some("our shop".to_owned());

        let (plan, _) = swapped(&world, "shop__spare");

        let Action::Swap { label, comment, .. } = &plan.steps.last().unwrap().action else {
            panic!("{plan:?}")
        };
        assert_eq!((label.comment.as_deref(), comment.as_deref()), (Some("our shop"), Some("our shop")));
    }

    #[test]
    fn a_name_of_63_bytes_keeps_its_suffixes() {
        let mut world = with_databases(&[]);
        let long = DatabaseName::new("ü".repeat(31)).unwrap();
        world.server.iter_mut().for_each(|server| server.name = long.clone());

        let (_, kept) = put_by_name(&world, world.server.as_ref().unwrap(), "__kept_");

        assert!(kept.as_str().ends_with("__kept_1") && kept.as_str().len() <= 63, "{kept}");
    }

    #[test]
    fn only_work_that_somebody_left_open_is_in_the_way() {
        let session = |application: &str, service: Option<&str>, transaction| Session {
            pid: 4,
            user: "app".to_owned(),
            application: application.to_owned(),
            client: String::new(),
            service: service.map(|name| plan::ServiceName::new(name).unwrap()),
            transaction,
        };
        let mut live = database("", 1);
        live.sessions = vec![
            session("psql", None, Some(90)),
            session("psql", None, None),
            session("pool", None, Some(1)),
            session("", Some("api"), Some(90)),
        ];
        let mut plan = Plan::new("slate-reset", "shop");

        tell(&mut plan, &live, &with_databases(&[]));

        assert_eq!(plan.in_the_way, ["psql has a transaction open since 90 s"]);
        let cut = plan.facts.iter().find(|fact| fact.label == "disconnects").unwrap();
        assert_eq!(cut.text, "api (1), pool (1), psql (2)");
    }
}
