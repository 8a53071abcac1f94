//! slate-check: do models, migrations and the live database agree?

use clap::{Parser, ValueEnum};
use plan::check::{Comparison, Form, Place, Side};
use plan::{
    Action, Config, DatabaseName, Exit, Expect, Fault, Label, LabelKind, Plan, Secret, Server, Step, Tool,
    Wants, World, guard,
};
use shell::{Command, Shared};

/// Compares models, migrations and the live database
///
/// The migrations are applied to one scratch database and the models are created in another, on the workspace's server;
/// both are removed at the end. Then every catalog is read once, and what differs is told: once for each cause, with what
/// to do. Exits with 10 when something is an error or a warning.
#[derive(Debug, Parser)]
#[command(
    name = "slate-check",
    version,
    after_help = "\
Examples:
  slate-check
  slate-check --only models,migrations --format github     for CI
  slate-check --between postgres://app@db1/shop postgres://app@db2/shop
  slate-check --only migrations,live --sql | just db psql
  slate-check --accept 'the old names stay until March'

It only reads the live database. It creates and removes databases of its own, and touches no other."
)]
pub struct Check {
    /// Compare two databases, of any servers
    #[arg(long, num_args = 2, value_names = ["URL", "URL"], conflicts_with_all = ["only", "accept"])]
    between: Option<Vec<String>>,
    /// Compare these sides alone: models, migrations, live
    #[arg(long, value_name = "SIDES", value_delimiter = ',', hide_possible_values = true)]
    only: Vec<Which>,
    /// Write what is found into the file of accepted differences, with this reason
    #[arg(long, value_name = "REASON")]
    accept: Option<String>,
    /// `github`: annotations instead of a table
    #[arg(long, value_name = "FORM", default_value = "table", hide_possible_values = true)]
    format: How,
    /// Print statements that bring live to the migrations, where one is safe to write
    #[arg(long, conflicts_with = "format")]
    sql: bool,
    /// Insert, read and update each mapped model, in a transaction that is rolled back
    #[arg(long, conflicts_with = "between")]
    crud: bool,
    /// Exit with 0 whatever is found
    #[arg(long)]
    exit_zero: bool,
    #[command(flatten)]
    shared: Shared,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Which {
    Models,
    Migrations,
    Live,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum How {
    Table,
    Github,
}

impl Command for Check {
    const NAME: &'static str = "slate-check";

    fn shared(&self) -> &Shared {
        &self.shared
    }

    fn wants(&self) -> Wants {
        if self.between.is_some() {
            return Wants { elsewhere: true, ..Wants::default() };
        }
        Wants { databases: true, lock: true, running: true, ..Wants::default() }
    }

    fn plan(&self, config: &Config, world: &World) -> Result<Plan, Fault> {
        if let Some(urls) = &self.between {
            let places = urls.iter().map(|url| Place::Url { url: Secret::new(url) });
            let mut plan = Plan::new(Self::NAME, "two databases");
            plan.steps.push(self.compare([Side::First, Side::Second].into_iter().zip(places).collect()));
            return Ok(plan);
        }
        let server = guard::own_server(world)?;
        let mut plan = Plan::new(Self::NAME, server.name.as_str());
        self.sides(&mut plan, config, world, server)?;
        Ok(plan)
    }
}

impl Check {
    fn sides(&self, plan: &mut Plan, config: &Config, world: &World, server: &Server) -> Result<(), Fault> {
        let wanted = |which: Which| self.only.is_empty() || self.only.contains(&which);
        let mut sides = Vec::new();
        let mut scratch = Vec::new();
        discard_old(plan, world, server);
        if wanted(Which::Migrations) && config.migrations.tool.is_some() {
            let database = scratch_name(server, world, "migrations");
            create(plan, world, server, &database);
            let build =
                Action::BuildMigrations { database: database.clone(), migrations: config.migrations.clone() };
            plan.steps.push(Step::new(build, "what the files build").weight(4));
            sides.push((Side::Migrations, Place::Database { database: database.clone() }));
            scratch.push(database);
        }
        if wanted(Which::Models)
            && (config.models.command.is_some() || config.migrations.tool == Some(Tool::Alembic))
        {
            let after = scratch.first().cloned();
            let database = scratch_name(server, world, "models");
            create(plan, world, server, &database);
            let build = Action::BuildModels { database: database.clone(), after };
            plan.steps.push(Step::new(build, "what the models describe").weight(4));
            sides.push((Side::Models, Place::Database { database: database.clone() }));
            scratch.push(database);
        }
        if self.crud {
            let Some((_, Place::Database { database })) =
                sides.iter().find(|(side, _)| *side == Side::Migrations).cloned()
            else {
                return Err(Fault::new(Exit::Usage, "the models have no tables to be tried in")
                    .cause("--crud tries them in what the migrations make, and these are not compared")
                    .state("nothing was changed"));
            };
            plan.steps.push(Step::new(Action::TryModels { database }, "it was asked for").weight(4));
        }
        if wanted(Which::Live) && world.live().is_some_and(|live| live.open) {
            sides.push((Side::Live, Place::Database { database: server.name.clone() }));
        }
        if sides.len() < 2 {
            return Err(too_few(&sides, config));
        }
        plan.steps.push(self.compare(sides));
        for database in scratch {
            let discard = Action::DiscardDatabase { database };
            plan.steps.push(Step::new(discard, "it was made for the comparison"));
        }
        if let Some(reason) = &self.accept {
            let accept = Action::Accept { reason: reason.clone() };
            plan.steps.push(Step::new(accept, "it was asked for"));
        }
        Ok(())
    }

    fn compare(&self, sides: Vec<(Side, Place)>) -> Step {
        let form = match self.format {
            _ if self.sql => Form::Sql,
            How::Table => Form::Table,
            How::Github => Form::Github,
        };
        let lenient = self.exit_zero || self.accept.is_some();
        Step::new(Action::Compare(Comparison { sides, form, lenient }), "it was asked for")
    }
}

fn too_few(sides: &[(Side, Place)], config: &Config) -> Fault {
    let there: Vec<String> = sides.iter().map(|(side, _)| side.to_string()).collect();
    let cause = if there.is_empty() {
        "none of them is there".to_owned()
    } else {
        format!("there are only: {}", there.join(", "))
    };
    let fault = Fault::new(Exit::Usage, "there are no two sides to compare")
        .cause(cause)
        .state("nothing was changed");
    if config.migrations.tool.is_none() {
        return fault.hint("set migrations.tool and migrations.dir in cleanslate.toml");
    }
    fault.hint("set models.command in cleanslate.toml, or make the database with slate-up")
}

/// A name for a scratch database that nothing of somebody else's has.
fn scratch_name(server: &Server, world: &World, side: &str) -> DatabaseName {
    let ours = |name: &DatabaseName| {
        let taken = server.databases.iter().find(|database| database.name == *name);
        taken.is_none_or(|database| is_scratch(database, world))
    };
    let suffixes =
        std::iter::once(format!("__check_{side}")).chain((2..100).map(|n| format!("__check_{side}_{n}")));
    let mut names = suffixes.map(|suffix| server.name.suffixed(&suffix));
    names.find(ours).unwrap_or_else(|| server.name.suffixed("__check"))
}

fn is_scratch(database: &plan::Database, world: &World) -> bool {
    let own = |label: &Label| label.kind == LabelKind::Building && label.workspace == world.workspace.id;
    database.label.as_ref().is_some_and(own) && database.name.as_str().contains("__check_")
}

/// What a run that was killed left behind.
fn discard_old(plan: &mut Plan, world: &World, server: &Server) {
    for database in server.databases.iter().filter(|database| is_scratch(database, world)) {
        let discard = Action::DiscardDatabase { database: database.name.clone() };
        plan.steps.push(Step::new(discard, "a check that did not end left it behind"));
    }
}

fn create(plan: &mut Plan, world: &World, server: &Server, database: &DatabaseName) {
    let label = Label::new(&world.workspace.id, LabelKind::Building, &server.name, world.now);
    let create = Action::CreateDatabase { database: database.clone(), owner: server.user.clone(), label };
    let step = Step::new(create, "one side of the comparison")
        .expects(Expect::NoDatabase { name: database.clone() })
        .amend(Action::DiscardDatabase { database: database.clone() });
    plan.steps.push(step.weight(2));
}
