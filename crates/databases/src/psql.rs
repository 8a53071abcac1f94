//! slate-psql: psql on the workspace's own database.

use clap::Parser;
use plan::{Action, Config, Fault, Plan, Step, Wants, World, guard};
use shell::{Command, Shared};

/// Opens psql on the workspace's database
///
/// Finds the server, the login and psql itself: the host's, or the one in the database's container. Arguments after the
/// flags are psql's own.
#[derive(Debug, Parser)]
#[command(
    name = "slate-psql",
    version,
    after_help = "\
Examples:
  slate-psql
  slate-psql -c 'SELECT count(*) FROM users'
  slate-psql -f report.sql

What you type into psql is yours: nothing is asked and nothing is kept. The password reaches psql by its environment."
)]
pub struct Psql {
    /// Arguments for psql
    #[arg(value_name = "PSQL ARGUMENT", trailing_var_arg = true, allow_hyphen_values = true)]
    arguments: Vec<String>,
    #[command(flatten)]
    shared: Shared,
}

impl Command for Psql {
    const NAME: &'static str = "slate-psql";

    fn shared(&self) -> &Shared {
        &self.shared
    }

    fn wants(&self) -> Wants {
        Wants { databases: true, running: true, ..Wants::default() }
    }

    fn plan(&self, _config: &Config, world: &World) -> Result<Plan, Fault> {
        let server = guard::server(world)?;
        let database = server.name.clone();
        let mut plan = Plan::new(Self::NAME, database.as_str());
        if world.live().is_some_and(|live| !live.open) && guard::adopted(server, world).is_ok() {
            let open = Action::OpenDatabase { database: database.clone() };
            plan.steps.push(Step::new(open, "a run that did not end had closed it"));
        }
        let action = Action::OpenPsql { database, arguments: self.arguments.clone() };
        plan.steps.push(Step::new(action, "it was asked for"));
        Ok(plan)
    }
}
