//! slate-doctor: what is wrong, how it is known, and the command that mends it.

mod database;
mod server;
mod stack;

use clap::Parser;
use plan::{
    Config, EngineFacts, Examining, Fact, Fault, Finding, Kind, Plan, ServerState, Wants, World, words,
};
use shell::{Command, Shared};

/// Says what is wrong with this workspace's services and database, and what mends it
///
/// Each finding comes with how it is known and the command that mends it. Exit code 10 where anything is wrong.
#[derive(Debug, Parser)]
#[command(
    name = "slate-doctor",
    version,
    after_help = "\
Examples:
  slate-doctor
  slate-doctor --deep         also what the project's own migration tool says of the models
  slate-doctor --json         findings for a script

It changes nothing: it mends, starts and writes to nothing. Only --deep starts a tool of the project's, \
and that one only looks."
)]
pub struct Doctor {
    /// Also start the project's own tools, where they only look
    #[arg(long)]
    deep: bool,
    #[command(flatten)]
    shared: Shared,
}

/// A check: what it is called, and what it finds. Pure.
type Check = (&'static str, fn(&'static str, &Config, &World) -> Vec<Finding>);

/// Every check, the cause before what follows from it.
const CHECKS: [Check; 22] = [
    ("reachable", server::reachable),
    ("one compose", stack::one_compose),
    ("own project name", stack::own_name),
    ("dev container", stack::dev_container),
    ("port", stack::port),
    ("data version", server::data_version),
    ("data mount", server::data_mount),
    ("data folder", server::data_folder),
    ("healthcheck", stack::healthcheck),
    ("interval", stack::interval),
    ("unnamed volumes", stack::unnamed_volumes),
    ("room", server::room),
    ("database", database::there),
    ("migrated", database::migrated),
    ("baseline", database::baseline),
    ("heads", database::heads),
    ("models", database::models),
    ("blocking", database::blocking),
    ("open transaction", database::open_transaction),
    ("sequences", database::sequences),
    ("kept", server::kept),
    ("leases", server::leases),
];

impl Command for Doctor {
    const NAME: &'static str = "slate-doctor";

    fn shared(&self) -> &Shared {
        &self.shared
    }

    fn wants(&self) -> Wants {
        Wants {
            engine: EngineFacts::Files,
            databases: true,
            blueprint: true,
            examine: if self.deep { Examining::Deep } else { Examining::Seen },
            ..Wants::default()
        }
    }

    fn plan(&self, config: &Config, world: &World) -> Result<Plan, Fault> {
        let mut plan = Plan::new(Self::NAME, "");
        plan.findings = CHECKS.iter().flat_map(|(name, check)| check(name, config, world)).collect();
        let server = world.server.as_ref();
        if server.is_some_and(|server| server.state != ServerState::Running) {
            let what = match server.map(|server| server.kind) {
                Some(Kind::External) => "the server does not answer".to_owned(),
                _ => format!("the server does not run ({} starts it)", world.workspace.command("up")),
            };
            let text = format!("what is in the database: {what}");
            plan.facts.push(Fact::new("not seen", text));
        }
        let found = plan.findings.len() as u64;
        plan.closing.push(match found {
            0 => format!("Nothing is wrong, by {}", words::count(CHECKS.len() as u64, "check")),
            1 => "1 thing is wrong".to_owned(),
            _ => format!("{} are wrong", words::count(found, "thing")),
        });
        Ok(plan)
    }
}
