//! slate-reset: the workspace's database back to its baseline and seeds.

use std::collections::BTreeMap;

use clap::Parser;
use plan::{
    Action, Config, Container, Data, Database, DatabaseName, EngineFacts, Exit, Expect, Fact, Fault, Kind,
    Label, LabelKind, Marker, Origin, Plan, Reading, Seeding, Server, Session, Stack, Step, Undo, Wants,
    World, guard, stack, words,
};
use shell::{Command, Shared};

/// Seconds after which an open transaction is somebody's work, and no request that is passing through.
const WORK: u64 = 2;

/// Resets the database to its baseline and seeds, through psql's DROP and CREATE
///
/// The new database is built beside the present one. Only when it stands, the present one is closed, its sessions are
/// ended, and it is dropped; the new one takes its name, owner, rights and settings. Then the configured services are
/// restarted.
#[derive(Debug, Parser)]
#[command(
    name = "slate-reset",
    version,
    after_help = "\
Examples:
  slate-reset --drop                      asks for the database's name
  slate-reset --drop --yes --no-undo      for scripts: nothing is asked, nothing is kept
  slate-reset --drop --dry-run            what it would take

It touches this workspace's own database alone: no other database, no role, no volume, no other project's container. A \
database with another workspace's marker is refused, and so is one that a replication slot or subscription reads."
)]
pub struct Reset {
    /// Drop the present database: there is no way back
    #[arg(long, required = true)]
    drop: bool,
    /// Leave the seeds out
    #[arg(long)]
    no_seed: bool,
    #[command(flatten)]
    shared: Shared,
}

impl Command for Reset {
    const NAME: &'static str = "slate-reset";

    fn shared(&self) -> &Shared {
        &self.shared
    }

    fn wants(&self) -> Wants {
        Wants {
            engine: EngineFacts::Server,
            databases: true,
            contents: Reading::Live,
            blueprint: true,
            lock: true,
            running: true,
            ..Wants::default()
        }
    }

    fn plan(&self, config: &Config, world: &World) -> Result<Plan, Fault> {
        let server = guard::own_server(world)?;
        if config.migrations.tool.is_none() {
            return Err(Fault::new(Exit::Usage, "there is nothing to build a new database from")
                .cause("no migrations are configured")
                .state("nothing was changed")
                .hint("set migrations.tool and migrations.dir in cleanslate.toml"));
        }
        let mut plan = Plan::new(Self::NAME, server.name.as_str());
        plan.target = format!("Reset {} on {}", server.name, place(server, world));
        plan.question = format!("Reset {}?", server.name);
        let next = free_name(server, &world.workspace.id, &mut plan.steps);
        self.build(&mut plan, config, world, server, &next);
        match world.live() {
            Some(live) => {
                guard::own_database(live, &world.workspace)?;
                tell_loss(&mut plan, live, world);
                replace(&mut plan, live, server, world, &next);
            }
            None => take_name(&mut plan, server, &next),
        }
        restart(&mut plan, config, world);
        let content = if self.seeds(config).is_some() { "its baseline + seeds" } else { "its baseline" };
        plan.closing.push(format!("`{}` is at {content}", server.name));
        Ok(plan)
    }
}

impl Reset {
    fn seeds(&self, config: &Config) -> Option<String> {
        config.seeds.dir.clone().filter(|_| !self.no_seed)
    }

    /// The new database, complete but for its name.
    fn build(&self, plan: &mut Plan, config: &Config, world: &World, server: &Server, next: &DatabaseName) {
        let owner = world.live().map_or(&server.user, |live| &live.owner).clone();
        let building = label(LabelKind::Building, world, server);
        let create = Action::CreateDatabase { database: next.clone(), owner, label: building };
        let steps = &mut plan.steps;
        steps.push(
            Step::new(create, "the present one serves until the new one stands")
                .expects(Expect::Server { system_identifier: server.system_identifier.clone() })
                .expects(Expect::NoDatabase { name: next.clone() })
                .amend(Action::DiscardDatabase { database: next.clone() })
                .weight(2),
        );
        let migrate = Action::Migrate { database: next.clone(), migrations: config.migrations.clone() };
        steps.push(Step::new(migrate, "the baseline").weight(4));
        if let Some(dir) = self.seeds(config) {
            let seed = Action::Seed { database: next.clone(), dir, seeding: Seeding::Always };
            steps.push(Step::new(seed, "the rows that everybody starts with").weight(4));
        }
        let blueprint = world.blueprint.as_ref();
        let marker = Marker {
            workspace: world.workspace.id.clone(),
            system_identifier: server.system_identifier.clone(),
            origin: Origin::Built,
            blueprint: blueprint.map(|blueprint| blueprint.hash.clone()),
            seeds: blueprint.filter(|_| !self.no_seed).and_then(|blueprint| blueprint.seeds.clone()),
            at: world.now,
        };
        steps.push(Step::new(
            Action::Stamp { database: next.clone(), marker },
            "the next run knows whose it is",
        ));
    }
}

fn label(kind: LabelKind, world: &World, server: &Server) -> Label {
    let comment = world.live().and_then(|live| live.comment.clone());
    Label { workspace: world.workspace.id.clone(), kind, of: server.name.clone(), at: world.now, comment }
}

/// A name for the new database. What an earlier run left half-built under it goes; anything else that has it stays.
fn free_name(server: &Server, workspace: &str, steps: &mut Vec<Step>) -> DatabaseName {
    for n in 1.. {
        let suffix = if n == 1 { "__next".to_owned() } else { format!("__next_{n}") };
        let name = server.name.suffixed(&suffix);
        let Some(taken) = server.databases.iter().find(|database| database.name == name) else { return name };
        let half_built = |label: &Label| {
            label.workspace == workspace && matches!(label.kind, LabelKind::Building | LabelKind::Next)
        };
        if taken.label.as_ref().is_some_and(half_built) {
            let discard = Action::DiscardDatabase { database: name.clone() };
            steps.push(Step::new(discard, "an earlier run did not finish it"));
            return name;
        }
    }
    server.name.suffixed("__next")
}

fn replace(plan: &mut Plan, live: &Database, server: &Server, world: &World, next: &DatabaseName) {
    let name = &live.name;
    plan.data.push(Data::Database { name: name.clone(), oid: live.oid });
    let is_live = Expect::Database { name: name.clone(), oid: live.oid };
    let carry = Action::CarryOver { from: name.clone(), to: next.clone() };
    let ready = Action::Label { database: next.clone(), label: label(LabelKind::Next, world, server) };
    let drop = Step::new(Action::DropDatabase { database: name.clone() }, "the new one takes its name")
        .expects(is_live.clone())
        .expects(Expect::Server { system_identifier: server.system_identifier.clone() })
        .bound()
        .weight(2);
    plan.steps.extend([
        Step::new(carry, "a new database has none of them"),
        Step::new(ready, "a crash from here on leaves a whole database under a known name"),
    ]);
    // Postgres changes nothing of a half-dropped one, and lets nobody in.
    if !live.broken {
        let close = Action::CloseDatabase { database: name.clone() };
        let open = Action::OpenDatabase { database: name.clone() };
        plan.steps.push(Step::new(close, "a pool would come back at once").expects(is_live).amend(open));
    }
    plan.steps.extend([
        Step::new(
            Action::EndSessions { database: name.clone() },
            "Postgres drops no database that is in use",
        )
        .bound(),
        // Nothing to lose, so nothing for good: the rows that come back are the baseline's own.
        if plan.loss.is_nothing() { drop.undo(Undo::Elsewhere { name: next.to_string() }) } else { drop },
    ]);
    let comment = live.comment.clone().filter(|comment| Label::read(comment).is_none());
    let rename = Action::RenameDatabase { from: next.clone(), to: name.clone(), comment };
    plan.steps.push(Step::new(rename, "the new one is the workspace's from here on").bound());
}

fn take_name(plan: &mut Plan, server: &Server, next: &DatabaseName) {
    plan.facts.push(Fact::new("replaces", "nothing: there is no such database now"));
    let rename = Action::RenameDatabase { from: next.clone(), to: server.name.clone(), comment: None };
    let step = Step::new(rename, "the new one is the workspace's from here on");
    plan.steps.push(step.expects(Expect::NoDatabase { name: server.name.clone() }));
}

fn tell_loss(plan: &mut Plan, live: &Database, world: &World) {
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
    plan.facts.push(Fact::new("replaces", replaced));
    if !live.sessions.is_empty() {
        plan.facts.push(Fact::new("disconnects", who(&live.sessions)));
    }
    plan.loss.sessions.clone_from(&live.sessions);
    let at_work = |session: &&Session| {
        session.service.is_none() && session.transaction.is_some_and(|open| open >= WORK)
    };
    plan.in_the_way.extend(live.sessions.iter().filter(at_work).map(|session| {
        format!("{} has a transaction open since {} s", session.who(), session.transaction.unwrap_or(0))
    }));
    if world.workspace.first {
        plan.asks.push("it is the first reset in this workspace".to_owned());
    }
    plan.facts.push(Fact::new("no way back", "--drop keeps nothing"));
}

/// Sessions by who they are, each once with its number.
fn who(sessions: &[Session]) -> String {
    let mut by_name: BTreeMap<String, u64> = BTreeMap::new();
    for session in sessions {
        *by_name.entry(session.who()).or_default() += 1;
    }
    by_name.iter().map(|(name, count)| format!("{name} ({count})")).collect::<Vec<_>>().join(", ")
}

/// Restarts the configured services that run: they hold connections and code for the database that was.
fn restart(plan: &mut Plan, config: &Config, world: &World) {
    let Some(engine) = &world.engine else { return };
    let ours = |container: &&Container| {
        container.running
            && !container.one_off
            && stack(container, &engine.compose, &world.workspace.root) == Stack::Ours
    };
    let mut restarted = Vec::new();
    let mut waits = Vec::new();
    for container in engine.containers.iter().filter(ours) {
        let Some(service) = container
            .service
            .clone()
            .filter(|service| config.restart.services.iter().any(|name| name == service.as_str()))
        else {
            continue;
        };
        let grace = config.restart.grace.unwrap_or(10);
        let again =
            Action::RestartContainer { container: container.name.clone(), service: service.clone(), grace };
        plan.steps.push(Step::new(again, "it holds connections to the database that was").weight(10));
        let url = config.ready.get(service.as_str()).cloned();
        waits.push(
            Step::new(Action::AwaitService { service: service.clone(), url }, "done means that it answers")
                .weight(10),
        );
        restarted.push(service);
    }
    plan.steps.extend(waits);
    if !restarted.is_empty() {
        let names: Vec<String> = restarted.iter().map(ToString::to_string).collect();
        plan.facts.insert(plan.facts.len().saturating_sub(1), Fact::new("restarts", names.join(", ")));
    }
}

/// Where it is, as a person would tell it.
fn place(server: &Server, world: &World) -> String {
    let address = server.address.as_ref().map(ToString::to_string).unwrap_or_default();
    let what = match (server.kind, &world.engine) {
        (Kind::Compose, Some(engine)) => format!("compose project {}", engine.compose.project),
        _ => "local cluster".to_owned(),
    };
    format!("{address} ({what}, Postgres {})", server.version)
}
