//! slate-ensure: what a Dev Container's hooks call. The database is there, at its baseline, seeded, or it is said why not.

use clap::Parser;
use plan::{
    Action, Config, EngineFacts, Exit, Fact, Fault, Kind, Plan, Seeding, Server, ServerState, Source, Step,
    Wants, World, guard,
};
use shell::{Command, Shared};

/// Makes sure the database is there, at its baseline, seeded: for hooks that nobody watches
///
/// Waits for the server, creates the database where it is missing, migrates it where it holds no table (or waits for the
/// service that does), seeds it where no table holds a row. Run again, it changes nothing.
#[derive(Debug, Parser)]
#[command(
    name = "slate-ensure",
    version,
    after_help = "\
Examples:
  slate-ensure --timeout 2m
  slate-ensure --exit-zero      a failure is told, and the next hook still runs

It never asks, never reads stdin, starts no service, and changes no row that is there. It writes to this workspace's own \
compose server or local cluster, or to an adopted external database: what DATABASE_URL names stays as it is, and so does a database that somebody else \
filled."
)]
pub struct Ensure {
    /// End with exit code 0 whatever happened
    #[arg(long)]
    exit_zero: bool,
    #[command(flatten)]
    shared: Shared,
}

impl Command for Ensure {
    const NAME: &'static str = "slate-ensure";

    fn shared(&self) -> &Shared {
        &self.shared
    }

    fn wants(&self) -> Wants {
        Wants { engine: EngineFacts::Server, blueprint: true, lock: true, ..Wants::default() }
    }

    fn is_hook(&self) -> bool {
        true
    }

    fn forgives(&self) -> bool {
        self.exit_zero
    }

    fn plan(&self, config: &Config, world: &World) -> Result<Plan, Fault> {
        let server = guard::own_server(world)?;
        let mut plan = Plan::new(Self::NAME, server.name.as_str());
        elsewhere(&mut plan, config, world, server)?;
        if server.kind == Kind::External {
            if !server.databases.is_empty() {
                guard::adopted(server, world)?;
            }
        } else if server.kind == Kind::Local {
            plan.steps.extend(cluster(server));
        } else if !world.surroundings.inside && server.state != ServerState::Running {
            return Err(Fault::new(Exit::NotReady, "Postgres is not running (compose server)")
                .cause("a hook starts no service")
                .state("nothing was changed")
                .hint(world.workspace.command("up")));
        }
        plan.steps.extend(fill(config, world, server));
        plan.closing.push(format!("`{}` is ready: {}", server.name, world.workspace.command("psql")));
        Ok(plan)
    }
}

/// What the environment names is somebody else's until it is proved to be the workspace's own server. Where nothing else
/// says where the database is, a new cluster is not what was meant.
fn elsewhere(plan: &mut Plan, config: &Config, world: &World, server: &Server) -> Result<(), Fault> {
    let Some(told) = world.surroundings.elsewhere(server) else { return Ok(()) };
    let (variable, address) = (&told.variable, &told.address);
    let is_guess = server.kind == Kind::Local && config.source("database.server") == Source::Default;
    if is_guess {
        return Err(Fault::new(Exit::Refused, format!("{variable} names {address}, which is left as it is"))
            .cause("nothing proves that server to be this workspace's, and nothing else names one")
            .state("nothing was written")
            .hint("write [database] server = \"local\" into cleanslate.toml for a cluster of its own"));
    }
    let text = format!("{variable} names {address}: not this workspace's server, nothing is written there");
    plan.facts.push(Fact::new("left alone", text));
    Ok(())
}

/// The private cluster runs.
fn cluster(server: &Server) -> Vec<Step> {
    let mut steps = Vec::new();
    if server.state == ServerState::Absent {
        steps.push(Step::new(Action::CreateCluster, "there is none yet").weight(20));
    }
    if server.state != ServerState::Running {
        steps.push(Step::new(Action::StartCluster, "it does not run").weight(10));
    }
    steps
}

/// The database is there, and nobody else's; tables, rows and mark where they are missing.
fn fill(config: &Config, world: &World, server: &Server) -> Vec<Step> {
    let database = || server.name.clone();
    let mut migrations = config.migrations.clone();
    if server.kind != Kind::Compose {
        // No service runs here that could migrate at its start.
        migrations.at_start = None;
    }
    let is_built = migrations.tool.is_some() || migrations.at_start.is_some();
    let mut steps = vec![
        Step::new(Action::AwaitServer, "it may start later than this container").weight(20),
        Step::new(Action::EnsureDatabase { database: database() }, "the services connect to it"),
        Step::new(Action::ProveUnclaimed { database: database() }, "what somebody else filled is left"),
    ];
    if server.kind == Kind::External {
        // Nothing is created where nothing was adopted.
        steps.swap(1, 2);
    }
    if is_built {
        let ensure = Action::EnsureBaseline { database: database(), migrations };
        steps.push(Step::new(ensure, "an empty database serves nobody").weight(4));
    }
    if let Some(seeds) = config.seeds.usual().filter(|_| is_built) {
        let seed = Action::Seed { database: database(), seeds, seeding: Seeding::WhenEmpty };
        steps.push(Step::new(seed, "only where no table holds a row").weight(4));
    }
    let blueprint = world.blueprint.as_ref();
    let mark = Action::EnsureMarker {
        database: database(),
        blueprint: blueprint.map(|blueprint| blueprint.hash.clone()),
        seeds: blueprint.and_then(|blueprint| blueprint.seeds.clone()),
    };
    steps.push(Step::new(mark, "later commands know whose it is"));
    steps
}
