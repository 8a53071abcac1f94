//! slate-seed: loads test data, and writes the rows that are there as such.

use clap::Parser;
use plan::{
    Action, Built, Config, Data, Database, DatabaseName, EngineFacts, Exit, Expect, Fact, Fault, KeptAs,
    Label, LabelKind, Plan, Reading, Rows, Seeding, Seeds, Server, Session, Step, Wants, World, guard, words,
};
use shell::{Command, Shared};

use crate::capture;

/// Loads the seeds, or writes the rows that are there as seed files
///
/// SQL and CSV files are loaded in the order of their names, all of them or none, then the configured commands run. A
/// capture writes one CSV file for each table, parents first, and proves them: loaded where only the migrations ran, they
/// give the same rows.
#[derive(Debug, Parser)]
#[command(
    name = "slate-seed",
    version,
    after_help = "\
Examples:
  slate-seed                     where no table holds a row
  slate-seed --set demo          the files in seeds/demo instead
  slate-seed --reload            the seeds in the place of the rows that their tables hold
  slate-seed --capture           every table into the folder of seeds, without masked columns
  slate-seed --capture --set bug users orders

It never changes a row of the database that is there: --reload works on a copy, and the old one is kept. A seed file that \
is there is shown with its changes, and written over only when that is agreed to."
)]
pub struct Seed {
    /// With --capture: these tables alone
    #[arg(value_name = "TABLE", requires = "capture")]
    tables: Vec<String>,
    /// The set of this name: a folder in the folder of seeds, and the commands that name it
    #[arg(long, value_name = "NAME")]
    set: Option<String>,
    /// Put the seeds in the place of the rows that their tables hold
    #[arg(long, conflicts_with = "capture")]
    reload: bool,
    /// Write the rows that are there as seed files
    #[arg(long)]
    capture: bool,
    #[command(flatten)]
    shared: Shared,
}

impl Command for Seed {
    const NAME: &'static str = "slate-seed";

    fn shared(&self) -> &Shared {
        &self.shared
    }

    fn wants(&self) -> Wants {
        Wants {
            engine: EngineFacts::Server,
            databases: true,
            contents: Reading::Rows,
            blueprint: self.capture,
            captured: self.capture,
            lock: true,
            running: true,
            ..Wants::default()
        }
    }

    fn prepare(&self, config: &Config, world: &World) -> Result<Option<Plan>, Fault> {
        if !self.capture {
            return Ok(None);
        }
        let (server, live, seeds) = self.ours(config, world)?;
        let mut plan = Plan::new(Self::NAME, server.name.as_str());
        capture::aside(&mut plan, config, world, (server, live), &seeds, &self.tables)?;
        Ok(Some(plan))
    }

    fn plan(&self, config: &Config, world: &World) -> Result<Plan, Fault> {
        let (server, live, seeds) = self.ours(config, world)?;
        let mut plan = Plan::new(Self::NAME, server.name.as_str());
        let what =
            self.set.as_ref().map_or_else(|| "its seeds".to_owned(), |set| format!("the seeds `{set}`"));
        plan.target = format!("Seed {} ({} server)", server.name, server.kind);
        if self.capture {
            let is_whole = self.set.is_none();
            capture::keep(&mut plan, config, world, server, &seeds, is_whole)?;
        } else if holds_nothing(live) {
            let seed = Action::Seed { database: live.name.clone(), seeds, seeding: Seeding::WhenEmpty };
            let expect = Expect::Database { name: live.name.clone(), oid: live.oid };
            plan.steps.push(Step::new(seed, "no table holds a row").expects(expect).weight(4));
            plan.closing.push(format!("`{}` holds {what}", live.name));
        } else if self.reload {
            self.reload(&mut plan, world, server, live, seeds)?;
            plan.closing.insert(0, format!("`{}` holds {what} again", live.name));
        } else {
            let rows = live.contents.as_ref().map(|contents| contents.rows);
            let rows = rows.map_or_else(|| "rows, or what can't be read".to_owned(), |rows| rows.to_string());
            let reload = world.workspace.command("seed --reload");
            let text = format!("{rows}: {reload} puts {what} in their place");
            plan.target = String::new();
            plan.facts.push(Fact::new("it holds", text));
        }
        Ok(plan)
    }
}

impl Seed {
    /// The server, the database on it that is ours to fill, and the set.
    fn ours<'a>(
        &self,
        config: &Config,
        world: &'a World,
    ) -> Result<(&'a Server, &'a Database, Seeds), Fault> {
        let seeds = config.seeds.set(self.set.as_deref())?;
        let server = guard::writable(world)?;
        let live = world.live().filter(|live| !live.broken).ok_or_else(|| {
            Fault::new(Exit::NotReady, format!("there is no `{}` that could be seeded", server.name))
                .state("nothing was changed")
                .hint(world.workspace.command("up"))
        })?;
        guard::own_database(live, &world.workspace)?;
        Ok((server, live, seeds))
    }

    /// On a copy, which then takes the name: whatever fails, the rows are where they were.
    fn reload(
        &self,
        plan: &mut Plan,
        world: &World,
        server: &Server,
        live: &Database,
        seeds: Seeds,
    ) -> Result<(), Fault> {
        if self.shared.no_undo {
            guard::droppable(live)?;
        } else {
            guard::renamable(live)?;
        }
        plan.question = format!("Reload the seeds of {}?", live.name);
        tell(plan, world, live);
        let next = own_name(plan, world, server, "__seeded");
        let (name, n) = (live.name.clone(), world.next_kept());
        let kept = kept_name(server, n);
        plan.data.push(Data::Database { name: name.clone(), oid: live.oid });
        let is_live = Expect::Database { name: name.clone(), oid: live.oid };
        let is_server = Expect::Server { system_identifier: server.system_identifier.clone() };
        let label = Label::new(&world.workspace.id, LabelKind::Building, &server.name, world.now);
        let clone = Action::CloneDatabase { from: name.clone(), to: next.clone(), label, bytes: live.bytes };
        let seed = Action::Seed { database: next.clone(), seeds, seeding: Seeding::Again };
        let comment = live.comment.clone().filter(|comment| Label::read(comment).is_none());
        let label = kept_label(world, live, n);
        let swap =
            Action::Swap { live: name.clone(), kept: kept.clone(), next: next.clone(), label, comment };
        plan.steps.extend([
            Step::new(
                Action::CloseDatabase { database: name.clone() },
                "nothing typed meanwhile is left out",
            )
            .expects(is_server)
            .expects(is_live.clone())
            .amend(Action::OpenDatabase { database: name.clone() }),
            Step::new(
                Action::EndSessions { database: name.clone() },
                "Postgres copies no database that is in use",
            )
            .bound(),
            Step::new(clone, "the seeds are loaded beside the rows that are there")
                .expects(Expect::NoDatabase { name: next.clone() })
                .amend(Action::DiscardDatabase { database: next.clone() })
                .weight(1 + live.bytes / 1_000_000),
            Step::new(seed, "in the place of the rows of the same tables").weight(4),
            Step::new(Action::CarryOver { from: name, to: next }, "a copy has none of them"),
            Step::new(swap, "the old one stays, under another name")
                .expects(is_live)
                .expects(Expect::NoDatabase { name: kept.clone() })
                .bound(),
        ]);
        if self.shared.no_undo {
            plan.facts.push(Fact::new("no way back", "--no-undo keeps nothing"));
            plan.steps.push(give_up(live, n, kept));
        } else {
            let back = world.workspace.command("undo");
            plan.facts
                .push(Fact::new("keeps", format!("the old one, whole, as {kept}: {back} brings it back")));
            plan.closing.push(format!("The old one is kept: {back}"));
        }
        Ok(())
    }
}

/// Read, and without a row.
fn holds_nothing(live: &Database) -> bool {
    live.contents.as_ref().is_some_and(|contents| contents.rows == Rows { count: 0, exact: true })
}

/// What is there, what of it is the user's, and who is cut off.
fn tell(plan: &mut Plan, world: &World, live: &Database) {
    if let Some(contents) = &live.contents {
        plan.facts.push(Fact::new("holds", contents.line(world.now)));
        plan.facts.push(Fact::new("yours", contents.since.line()));
        plan.loss.databases.push(contents.clone());
    } else {
        plan.facts.push(Fact::new("holds", format!("{}, which can't be read", words::bytes(live.bytes))));
        plan.loss.unread.push(live.name.to_string());
    }
    plan.facts
        .push(Fact::new("replaces", "the rows of the tables that the seed files fill; those of others stay"));
    if !live.sessions.is_empty() {
        plan.facts.push(Fact::new("disconnects", words::list(live.sessions.iter().map(Session::who))));
    }
    plan.loss.sessions.extend_from_slice(&live.sessions);
    plan.in_the_way.extend(live.sessions.iter().filter_map(Session::open_work));
}

fn kept_name(server: &Server, n: u32) -> DatabaseName {
    let is_free = |name: &DatabaseName| server.databases.iter().all(|database| database.name != *name);
    let mut names = (n..).map(|n| server.name.suffixed(&format!("__kept_{n}")));
    names.find(is_free).unwrap_or_else(|| server.name.suffixed("__kept"))
}

fn kept_label(world: &World, live: &Database, n: u32) -> Label {
    let built = live.marker.as_ref().and_then(|marker| {
        let blueprint = marker.blueprint.clone()?;
        Some(Built { blueprint, fingerprint: marker.fingerprint.clone(), bytes: live.bytes })
    });
    let rows = live.contents.as_ref().map(|contents| contents.rows);
    let kept = KeptAs { n, bytes: live.bytes, rows, by: "seed".to_owned(), why: None };
    let comment = live.comment.clone().filter(|comment| Label::read(comment).is_none());
    let label = Label::new(&world.workspace.id, LabelKind::Kept, &live.name, world.now);
    Label { built, kept: Some(kept), comment, ..label }
}

fn give_up(live: &Database, n: u32, kept: DatabaseName) -> Step {
    let step = Step::new(Action::GiveUpDatabase { database: kept.clone(), n }, "--no-undo keeps nothing");
    let step = step.expects(Expect::Database { name: kept.clone(), oid: live.oid }).weight(2);
    match live.contents.as_ref().map(|contents| contents.rows) {
        Some(Rows { count: rows, exact: true }) => step.expects(Expect::NoMoreRows { name: kept, rows }),
        _ => step,
    }
}

/// A name for a database of this run's own. What an earlier run left half-built under it goes.
pub(crate) fn own_name(plan: &mut Plan, world: &World, server: &Server, stem: &str) -> DatabaseName {
    for n in 1.. {
        let suffix = if n == 1 { stem.to_owned() } else { format!("{stem}_{n}") };
        let name = server.name.suffixed(&suffix);
        let taken = server.databases.iter().find(|database| database.name == name);
        let Some(taken) = taken else { return name };
        let ours = |label: &Label| label.workspace == world.workspace.id && label.kind == LabelKind::Building;
        if taken.label.as_ref().is_some_and(ours) {
            let discard = Action::DiscardDatabase { database: name.clone() };
            plan.steps.push(Step::new(discard, "an earlier run did not finish it"));
            return name;
        }
    }
    server.name.suffixed(stem)
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use jiff::Timestamp;
    use plan::{
        Captured, Confirm, Contents, Effect, Kind, Need, RoleName, Secret, SeedChange, ServerState, Since,
        Workspace,
    };

    use super::*;

    fn name(name: &str) -> DatabaseName {
        DatabaseName::new(name).unwrap()
    }

    fn database(name: DatabaseName, rows: u64) -> Database {
        let rows = Rows { count: rows, exact: true };
        let contents = Contents {
            database: name.clone(),
            tables: 2,
            rows,
            bytes: 1,
            last_write: None,
            since: Since::default(),
        };
        Database {
            name,
            oid: 1,
            owner: RoleName::new("app").unwrap(),
            bytes: 1,
            open: true,
            broken: false,
            comment: None,
            label: None,
            marker: None,
            contents: Some(contents),
            sessions: Vec::new(),
            prepared: 0,
            slots: Vec::new(),
            active_slots: Vec::new(),
            stale_collation: false,
            subscriptions: 0,
            branch: None,
        }
    }

    /// A workspace whose database holds so many rows.
    fn world(rows: u64) -> World {
        let server = Server {
            kind: Kind::Local,
            state: ServerState::Running,
            address: None,
            user: RoleName::new("app").unwrap(),
            password: Secret::default(),
            name: name("shop"),
            maintenance: name("postgres"),
            system_identifier: "7".to_owned(),
            version: "17.2".to_owned(),
            standby: false,
            databases: vec![database(name("shop"), rows)],
            outside: plan::Outside::default(),
        };
        let workspace = Workspace {
            root: PathBuf::from("/shop"),
            id: "0123456789abcdef".to_owned(),
            state: PathBuf::from("/state"),
            first: false,
            called: "slate-".to_owned(),
            on_top: Vec::new(),
        };
        World {
            now: Timestamp::UNIX_EPOCH,
            workspace,
            surroundings: plan::Surroundings::default(),
            detected: None,
            files: None,
            blueprint: None,
            server: Some(server),
            engine: None,
            kept: Vec::new(),
            last_kept: 3,
            journal: Vec::new(),
            unfinished: Vec::new(),
            examined: plan::Examined::default(),
            carried: None,
            captured: None,
            git: None,
            revisions: None,
            draft: None,
        }
    }

    fn config() -> Config {
        Config::read("[migrations]\ntool = \"sql\"\ndir = \"migrations\"\n[seeds]\ndir = \"seeds\"\n", [])
            .unwrap()
    }

    fn seed(words: &[&str]) -> Seed {
        Seed::parse_from(["slate-seed"].iter().chain(words))
    }

    fn steps(plan: &Plan) -> Vec<String> {
        let step = |step: &Step| {
            let (verb, what) = step.action.doing();
            format!("{verb} {what}").replace('`', "")
        };
        plan.steps.iter().map(step).collect()
    }

    #[test]
    fn an_empty_database_is_filled_in_place_and_one_with_rows_is_left() {
        let empty = seed(&["--set", "demo"]).plan(&config(), &world(0)).unwrap();
        let full = seed(&[]).plan(&config(), &world(14)).unwrap();

        assert_eq!(steps(&empty), ["seed shop"]);
        assert!(
            full.steps.is_empty() && full.facts[0].text.starts_with("14 rows: slate-seed --reload"),
            "{full:?}"
        );
        let mut unread = world(0);
        unread.server.as_mut().unwrap().databases[0].contents = None;
        assert!(seed(&[]).plan(&config(), &unread).unwrap().steps.is_empty());
    }

    #[test]
    fn a_reload_works_on_a_copy_and_destroys_nothing() {
        let plan = seed(&["--reload"]).plan(&config(), &world(14)).unwrap();

        assert_eq!(
            steps(&plan),
            [
                "close shop to new sessions",
                "end the sessions on shop",
                "clone shop to shop__seeded",
                "seed shop__seeded",
                "give shop__seeded the owner, rights and settings of shop",
                "swap shop, and kept the old as shop__kept_4"
            ]
        );
        assert!(plan.steps.iter().all(|step| step.action.effect() != Effect::Destroys));
        assert_eq!(plan.need(Confirm::Loss), Need::Nothing);
    }

    #[test]
    fn without_a_way_back_a_reload_wants_the_name() {
        let plan = seed(&["--reload", "--no-undo"]).plan(&config(), &world(14)).unwrap();

        assert_eq!(plan.need(Confirm::Loss), Need::Name);
        assert_eq!(steps(&plan).last().unwrap(), "drop kept shop__kept_4");
    }

    #[test]
    fn a_capture_is_tried_aside_and_files_that_are_there_are_asked_about() {
        let capture = seed(&["--capture"]);
        let first = capture.prepare(&config(), &world(14)).unwrap().unwrap();
        let change = |before: Option<&str>| SeedChange {
            file: "010_users.csv".to_owned(),
            before: before.map(str::to_owned),
            after: Some("new".to_owned()),
            bytes: 9,
            difference: Vec::new(),
        };
        let kept = |before| {
            let mut world = world(14);
            let scratch = name("shop__base_captured");
            let label = Label::new("0123456789abcdef", LabelKind::Building, &name("shop"), world.now);
            let scratch = Database { label: Some(label), ..database(scratch, 0) };
            world.server.as_mut().unwrap().databases.push(scratch);
            world.captured = Some(Captured { changes: vec![change(before)], ..Captured::default() });
            capture.plan(&config(), &world).unwrap()
        };

        assert_eq!(
            steps(&first),
            [
                "create shop__base_captured",
                "migrate shop__base_captured",
                "capture rows of shop",
                "prove the captured files in shop__base_captured"
            ]
        );
        assert_eq!(first.need(Confirm::Loss), Need::Nothing);
        assert_eq!(steps(&kept(None)), ["change 1 file in seeds", "discard shop__base_captured"]);
        assert_eq!(kept(None).need(Confirm::Loss), Need::Nothing);
        assert_eq!(kept(Some("old")).need(Confirm::Loss), Need::YesNo);
        assert!(capture.plan(&config(), &world(14)).is_err());
    }
}
