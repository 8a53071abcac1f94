//! slate-fork: a database of its own from the template, named or leased for a test.

use std::time::Duration;

use clap::{Parser, ValueEnum};
use plan::{
    Action, Config, Database, DatabaseName, Disclosed, Disclosure, EngineFacts, Exit, Expect, Fact, Fault,
    Form, Holding, KeptAs, Label, LabelKind, Lease, Plan, Reading, Server, Step, UNSEEN, Wants, World, guard,
    words,
};
use shell::{Command, Shared};

use crate::next::Recipe;
use crate::{kept, leases, replace};

/// Longest name of a fork, in characters: a list shows it in one line.
const LONGEST: usize = 80;

/// Makes databases of their own from the baseline and seeds: one for a test, or one with a name
///
/// Each is a fresh clone of the template. A leased one is its holder's alone, and goes once that has ended; a named one
/// stays until it is dropped.
#[derive(Debug, Parser)]
#[command(
    name = "slate-fork",
    version,
    after_help = "\
Examples:
  slate-fork lease                    prints the address; held while the program that asks lives
  slate-fork lease --for 10m          held for a time
  slate-fork release shop__lease_4f   given back; so is what nobody holds any more
  slate-fork create payments          one with a name, until slate-fork drop payments

It never touches the workspace's own database, and drops no lease that holds or that somebody is connected to."
)]
pub struct Fork {
    /// What to do
    #[arg(value_enum, default_value = "list", hide_default_value = true)]
    verb: Verb,
    /// The fork's name; with release a database [default: the one that the environment's address names]
    #[arg(value_name = "NAME")]
    subject: Option<String>,
    /// With lease: hold it for so long, as in 10m
    #[arg(long = "for", value_name = "TIME", value_parser = humantime::parse_duration, conflicts_with = "pid")]
    time: Option<Duration>,
    /// With lease: the process that holds it [default: the one that started this one]
    #[arg(long, value_name = "PID")]
    pid: Option<u32>,
    /// Show the password on a terminal too
    #[arg(long)]
    show_password: bool,
    #[command(flatten)]
    shared: Shared,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Verb {
    /// Every fork, and every lease
    List,
    /// Make one with a name
    Create,
    /// Remove one for good; asks
    Drop,
    /// Make one for a test, and print its address
    Lease,
    /// Give one back
    Release,
}

impl Command for Fork {
    const NAME: &'static str = "slate-fork";

    fn shared(&self) -> &Shared {
        &self.shared
    }

    fn wants(&self) -> Wants {
        let holding = match (self.verb, self.pid, self.time) {
            (Verb::Lease, Some(pid), _) => Some(Holding::Process(pid)),
            (Verb::Lease, None, None) => Some(Holding::Parent),
            _ => None,
        };
        Wants {
            engine: EngineFacts::Server,
            databases: true,
            contents: match self.verb {
                Verb::Drop => Reading::All,
                Verb::List => Reading::Nothing,
                Verb::Lease | Verb::Release | Verb::Create => Reading::Names,
            },
            blueprint: matches!(self.verb, Verb::List | Verb::Lease | Verb::Create),
            // Leases are made side by side; the numbers of named ones are given one after the other.
            lock: matches!(self.verb, Verb::Create | Verb::Drop),
            running: true,
            holding,
            forks: self.verb == Verb::List,
            ..Wants::default()
        }
    }

    fn prepare(&self, config: &Config, world: &World) -> Result<Option<Plan>, Fault> {
        if !matches!(self.verb, Verb::Create | Verb::Lease) {
            return Ok(None);
        }
        let server = guard::writable(world)?;
        let mut plan = Plan::new(Self::NAME, server.name.as_str());
        plan.target = format!("Template of {} on {}", server.name, replace::place(server, world));
        recipe(config, world, server).template(&mut plan)?;
        Ok((!plan.steps.is_empty()).then_some(plan))
    }

    fn plan(&self, config: &Config, world: &World) -> Result<Plan, Fault> {
        let mut plan = Plan::new(Self::NAME, guard::server(world)?.name.as_str());
        if self.verb == Verb::List {
            plan.facts = leases::list(world);
            return Ok(plan);
        }
        let server = guard::writable(world)?;
        let recipe = recipe(config, world, server);
        match self.verb {
            Verb::List => {}
            Verb::Create => self.create(&mut plan, &recipe)?,
            Verb::Drop => drop(&mut plan, world, &self.name()?)?,
            Verb::Lease => self.lease(&mut plan, &recipe)?,
            Verb::Release => self.release(&mut plan, world)?,
        }
        Ok(plan)
    }
}

fn recipe<'a>(config: &'a Config, world: &'a World, server: &'a Server) -> Recipe<'a> {
    Recipe { config, world, server, seeds: config.seeds.usual(), to: None }
}

/// The template of the present files, which [`Fork::prepare`] made sure of.
fn template<'a>(recipe: &'a Recipe<'_>) -> Result<(&'a Database, &'a Label), Fault> {
    recipe.made(LabelKind::Template).ok_or_else(|| {
        Fault::new(Exit::Failed, "the template is gone")
            .cause("the files changed, or another run removed it")
            .state("nothing was changed")
            .hint("run it again")
    })
}

impl Fork {
    fn lease(&self, plan: &mut Plan, recipe: &Recipe<'_>) -> Result<(), Fault> {
        let (world, server) = (recipe.world, recipe.server);
        let lease = self.term(world)?;
        let (template, sealed) = template(recipe)?;
        let name = server.name.suffixed(&format!("__lease_{}", world.surroundings.fresh));
        plan.target = format!("Lease {name} on {}", replace::place(server, world));
        plan.facts.push(Fact::new("held", leases::held(&lease)));
        let built = sealed.built.clone();
        let lease = Action::LeaseDatabase {
            from: template.name.clone(),
            to: name.clone(),
            like: world.live().map(|live| live.name.clone()),
            bytes: built.as_ref().map_or(0, |built| built.bytes),
            label: Label { built, lease: Some(lease), ..recipe.label(LabelKind::Leased) },
        };
        let is_it = Expect::Database { name: template.name.clone(), oid: template.oid };
        let back = Action::DropLease { database: name.clone() };
        plan.steps.push(Step::new(lease, "nobody else has it").expects(is_it).amend(back));
        leases::sweep(plan, leases::left(world));
        self.disclose(plan, recipe, &name);
        Ok(())
    }

    /// For how long it is to be somebody's.
    fn term(&self, world: &World) -> Result<Lease, Fault> {
        let fault = |error: String| Fault::new(Exit::Usage, error).state("nothing was changed");
        let until = |seconds: i64| {
            let until = world.now.as_second().saturating_add(seconds);
            let endless = || fault("nobody can hold a lease for that long".to_owned());
            jiff::Timestamp::from_second(until).map_err(|_| endless())
        };
        if let Some(time) = self.time {
            let until = until(i64::try_from(time.as_secs().max(1)).unwrap_or(i64::MAX))?;
            return Ok(Lease { holder: None, until, over: false });
        }
        let hint = world.workspace.command("fork lease --for 10m");
        if self.pid.is_none() && world.workspace.called.starts_with("just") {
            // just and its shell end as soon as the address is printed.
            return Err(fault("who is to hold the lease?".to_owned())
                .cause("a recipe has ended before its address is used")
                .hint(hint));
        }
        let holder = world.surroundings.holder.clone().ok_or_else(|| {
            let who = self.pid.map_or_else(|| "the caller".to_owned(), |pid| format!("process {pid}"));
            fault(format!("{who} can't hold a lease"))
                .cause("it has ended, or this machine does not tell")
                .hint(hint)
        })?;
        Ok(Lease { holder: Some(holder), until: until(UNSEEN)?, over: false })
    }

    fn disclose(&self, plan: &mut Plan, recipe: &Recipe<'_>, name: &DatabaseName) {
        let scheme = plan::own_scheme(recipe.config, recipe.world);
        let url = Disclosed {
            name: "url".to_owned(),
            value: recipe.server.url_in(&scheme, name),
            masked: recipe.server.masked_url_in(&scheme, name),
        };
        let values = vec![url, Disclosed::plain("database", name.as_str())];
        plan.discloses = Some(Disclosure { values, form: Form::Value, shown: self.show_password });
    }

    fn release(&self, plan: &mut Plan, world: &World) -> Result<(), Fault> {
        let told = || world.surroundings.told.as_ref()?.database.clone();
        let wanted = self.subject.clone().or_else(told);
        let leases = || world.leases(true).chain(world.leases(false)).map(|(database, _)| database);
        let found = leases().find(|one| Some(one.name.as_str()) == wanted.as_deref());
        if let (None, Some(name)) = (found, &self.subject) {
            return Err(Fault::new(Exit::Usage, format!("there is no lease `{name}`"))
                .cause("it was given back, is over, or never was one")
                .state("nothing was changed")
                .hint(world.workspace.command("fork list")));
        }
        if let Some(database) = found {
            let back = Action::DropLease { database: database.name.clone() };
            plan.steps.push(Step::new(back, "it was given back"));
        }
        let left = leases::left(world);
        leases::sweep(plan, left.filter(|one| found.is_none_or(|found| found.oid != one.oid)));
        if plan.steps.is_empty() {
            plan.facts.push(Fact::new("Releases", "nothing: every lease holds"));
        }
        Ok(())
    }

    fn create(&self, plan: &mut Plan, recipe: &Recipe<'_>) -> Result<(), Fault> {
        let (world, server, name) = (recipe.world, recipe.server, self.name()?);
        if named(world, &name).is_ok() {
            let again = words::shell(&name);
            return Err(usage(format!("there is a fork `{name}` already"))
                .hint(world.workspace.command(&format!("fork drop {again}"))));
        }
        let (template, sealed) = template(recipe)?;
        let built = sealed.built.clone();
        let bytes = built.as_ref().map_or(0, |built| built.bytes);
        let (n, database) = replace::put_by_name(world, server, "__fork_");
        plan.target = format!("Fork {name} on {}", replace::place(server, world));
        let drop = world.workspace.command(&format!("fork drop {}", words::shell(&name)));
        plan.facts.push(Fact::new("stays", format!("as {database}, until {drop}")));
        let kept = KeptAs { n, bytes, rows: None, by: "fork".to_owned(), why: None };
        let label =
            Label { built, kept: Some(kept), name: Some(name.clone()), ..recipe.label(LabelKind::Forked) };
        let is_it = Expect::Database { name: template.name.clone(), oid: template.oid };
        plan.steps.push(recipe.copy(&template.name, &database, bytes, "it was asked for").expects(is_it));
        if let Some(live) = world.live() {
            let carry = Action::CarryOver { from: live.name.clone(), to: database.clone() };
            plan.steps.push(Step::new(carry, "a new database has none of them"));
        }
        let label = Action::Label { database: database.clone(), label };
        plan.steps.push(Step::new(label, "from here on it is listed"));
        self.disclose(plan, recipe, &database);
        Ok(())
    }

    fn name(&self) -> Result<String, Fault> {
        let name = self.subject.clone().ok_or_else(|| {
            usage("which fork?".to_owned()).cause("its name is missing").hint("slate-fork list")
        })?;
        let why = match name.chars().count() {
            0 => "it is empty",
            many if many > LONGEST => "it has more than 80 characters",
            _ if name.chars().any(char::is_control) => "it holds a control character",
            _ => return Ok(name),
        };
        Err(usage("that is no name for a fork".to_owned()).cause(why))
    }
}

/// Removes a fork, which nothing brings back.
fn drop(plan: &mut Plan, world: &World, name: &str) -> Result<(), Fault> {
    let (database, label) = named(world, name)?;
    guard::droppable(database)?;
    plan.facts.push(Fact::new("removes", kept::line(database, label, world)));
    plan.question = format!("Drop {name}?");
    replace::looked_into(plan, database);
    kept::give_up(plan, database, label, "it was asked for");
    plan.closing.push(format!("`{name}` is dropped"));
    Ok(())
}

/// The fork of this name.
fn named<'a>(world: &'a World, name: &str) -> Result<(&'a Database, &'a Label), Fault> {
    let all = || world.beside(LabelKind::Forked).filter_map(|one| Some((one.1.name.as_deref()?, one)));
    all().find(|(known, _)| *known == name).map(|(_, one)| one).ok_or_else(|| {
        let fault = usage(format!("there is no fork `{name}`"));
        match words::nearest(name, all().map(|(known, _)| known)) {
            Some(near) => fault.hint(format!("did you mean `{near}`?")),
            None => fault.hint(world.workspace.command("fork list")),
        }
    })
}

fn usage(error: String) -> Fault {
    Fault::new(Exit::Usage, error).state("nothing was changed")
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;
    use plan::{Confirm, Holder, Need};

    use super::*;
    use crate::sample::{config, labelled, steps, with_databases};

    fn fork(words: &[&str], world: &World) -> Result<Plan, Fault> {
        Fork::parse_from(std::iter::once(&"slate-fork").chain(words)).plan(&config(), world)
    }

    fn prepared(words: &[&str], world: &World) -> Option<Plan> {
        Fork::parse_from(std::iter::once(&"slate-fork").chain(words)).prepare(&config(), world).unwrap()
    }

    fn leased(n: u32, over: bool) -> Database {
        let mut database = labelled(&format!("__lease_{n}"), 10 + n, LabelKind::Leased, "new");
        let label = database.label.as_mut().unwrap();
        label.lease = Some(Lease { holder: None, until: Timestamp::UNIX_EPOCH, over });
        database.open = true;
        database
    }

    fn named_fork(rows: Option<u64>) -> Database {
        let mut database = crate::sample::kept_database(5, "fork", None);
        let label = database.label.as_mut().unwrap();
        (label.kind, label.name) = (LabelKind::Forked, Some("payments".to_owned()));
        label.kept.as_mut().unwrap().rows = rows.map(|count| plan::Rows { count, exact: true });
        database
    }

    fn with_a_template(beside: &[Database]) -> World {
        let template = labelled("__base_new", 2, LabelKind::Template, "new");
        let mut world = with_databases(&[&[template], beside].concat());
        world.surroundings.fresh = "4f".to_owned();
        let (name, place) = ("pytest".to_owned(), String::new());
        world.surroundings.holder = Some(Holder { pid: 7, name, started: 1, place });
        world
    }

    #[test]
    fn a_lease_is_a_clone_under_a_name_of_its_own_and_asks_nothing() {
        let plan = fork(&["lease"], &with_a_template(&[])).unwrap();

        assert_eq!(steps(&plan), ["lease shop__lease_4f, a clone of shop__base_new"]);
        assert_eq!(plan.need(Confirm::Always), Need::Nothing);
        let printed = plan.discloses.as_ref().unwrap();
        assert_eq!(printed.text(false), "postgresql://app@/shop__lease_4f\n");
        assert!(!serde_json::to_string(&plan).unwrap().contains("postgresql://"), "the journal has it not");
    }

    #[test]
    fn a_template_is_prepared_once() {
        let built = prepared(&["lease"], &with_databases(&[])).unwrap();

        assert_eq!(steps(&built)[0], "create shop__base_new");
        assert!(steps(&built).last().unwrap().starts_with("seal"), "and nothing is cloned yet");
        assert_eq!(prepared(&["lease"], &with_a_template(&[])), None);
        assert_eq!(prepared(&["release"], &with_databases(&[])), None);
    }

    #[test]
    fn what_is_over_goes_after_the_lease_is_made_and_what_holds_stays() {
        let world = with_a_template(&[leased(1, true), leased(2, false), leased(3, true)]);

        let plan = fork(&["lease"], &world).unwrap();

        assert_eq!(steps(&plan)[1..], ["drop 2 expired leases"]);
        assert_eq!(steps(&fork(&["release"], &world).unwrap()), ["drop 2 expired leases"]);
    }

    #[test]
    fn what_is_given_back_goes_though_it_holds() {
        let world = with_a_template(&[leased(1, true), leased(2, false)]);

        let plan = fork(&["release", "shop__lease_2"], &world).unwrap();

        assert_eq!(steps(&plan), ["drop leased shop__lease_2", "drop 1 expired lease"]);
        for other in ["shop", "shop__base_new", "shop__lease_9"] {
            assert_eq!(fork(&["release", other], &world).unwrap_err().exit, Exit::Usage, "{other}");
        }
    }

    #[test]
    fn a_holder_that_is_gone_and_a_recipe_hold_nothing() {
        let mut gone = with_a_template(&[]);
        gone.surroundings.holder = None;
        let mut recipe = with_a_template(&[]);
        recipe.workspace.called = "just db ".to_owned();

        for world in [&gone, &recipe] {
            let fault = fork(&["lease"], world).unwrap_err();
            assert_eq!(fault.exit, Exit::Usage);
            assert!(fault.hint.unwrap().ends_with("fork lease --for 10m"));
            assert!(fork(&["lease", "--for", "10m"], world).is_ok());
        }
    }

    #[test]
    fn a_fork_is_dropped_for_good_unless_nothing_of_anybodys_is_proved_to_be_in_it() {
        let mut looked_at = named_fork(Some(0));
        looked_at.contents = Some(plan::Contents {
            database: looked_at.name.clone(),
            tables: 1,
            rows: plan::Rows { count: 0, exact: true },
            bytes: 1,
            last_write: None,
            since: plan::Since::Unchanged,
        });
        let mut with_a_large_object = looked_at.clone();
        with_a_large_object.contents.as_mut().unwrap().since =
            plan::Since::Changed { tables: Vec::new(), beside: vec!["large objects".to_owned()] };

        for (rows, database, need) in [
            ("three", named_fork(Some(3)), Need::Name),
            ("unread", named_fork(None), Need::Name),
            ("none, not compared", named_fork(Some(0)), Need::Name),
            ("none, and a large object", with_a_large_object, Need::Name),
            ("none", looked_at, Need::Nothing),
        ] {
            let plan = fork(&["drop", "payments"], &with_a_template(&[database])).unwrap();

            assert_eq!(steps(&plan), ["drop kept shop__kept_5"]);
            assert_eq!(plan.need(Confirm::Loss), need, "{rows:?}");
        }
    }

    #[test]
    fn a_name_is_given_once() {
        let world = with_a_template(&[named_fork(None)]);

        let plan = fork(&["create", "orders"], &world).unwrap();

        assert_eq!(steps(&plan)[0], "clone shop__base_new to shop__fork_6");
        assert!(steps(&plan).last().unwrap().starts_with("label"), "listed once it is whole");
        assert_eq!(fork(&["create", "payments"], &world).unwrap_err().exit, Exit::Usage);
        assert!(fork(&["drop", "payment"], &world).unwrap_err().hint.unwrap().contains("`payments`"));
    }
}
