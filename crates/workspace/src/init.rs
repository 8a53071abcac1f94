//! slate-init: finds the set-up of a workspace and writes the files that make cleanslate its own.

use clap::Parser;
use plan::{Config, Detected, EngineFacts, Fact, Fault, Plan, Wants, World};
use shell::{Command, Shared};

/// Finds the set-up and writes cleanslate.toml and the recipes
#[derive(Debug, Parser)]
#[command(name = "slate-init", version)]
pub struct Init {
    /// Only print what was found, with the reason for each value
    #[arg(long)]
    detect: bool,
    #[command(flatten)]
    shared: Shared,
}

impl Command for Init {
    const NAME: &'static str = "slate-init";

    fn shared(&self) -> &Shared {
        &self.shared
    }

    fn wants(&self) -> Wants {
        Wants { engine: EngineFacts::Nothing, detection: true, ..Wants::default() }
    }

    fn plan(&self, _config: &Config, world: &World) -> Result<Plan, Fault> {
        let found = world.detected.clone().unwrap_or_default();
        let mut plan = Plan::new(Self::NAME, found.project.as_str());
        plan.facts = facts(&found);
        plan.answer = serde_json::to_value(&found).ok();
        Ok(plan)
    }
}

/// What was found, for a person.
fn facts(found: &Detected) -> Vec<Fact> {
    let why = |key: &str| found.because.get(key).map(|why| format!("  ({why})")).unwrap_or_default();
    let mut facts = vec![Fact::new("project", format!("{}{}", found.project, why("project")))];
    match &found.database {
        Some(database) => {
            facts.push(Fact::new(
                "compose files",
                format!("{}{}", found.compose_files.join(", "), why("compose_files")),
            ));
            facts.push(Fact::new("postgres", format!("{}{}", database.service, why("database.service"))));
            facts.push(Fact::new("database", format!("{}{}", database.name, why("database.name"))));
            facts.push(Fact::new("user", format!("{}{}", database.user, why("database.user"))));
            let volume = &database.volume;
            let name = volume.name.as_ref().map(|name| format!(" {name}")).unwrap_or_default();
            facts.push(Fact::new("volume", format!("{}{name}{}", volume.kind, why("database.volume"))));
        }
        None => facts.push(Fact::new("postgres", "none in compose files")),
    }
    if let Some(backend) = &found.backend {
        facts.push(Fact::new("backend", format!("{}{}", backend.service, why("backend.service"))));
    }
    if let Some(migrations) = &found.migrations {
        facts.push(Fact::new(
            "migrations",
            format!("{}: {}{}", migrations.tool, migrations.dir, why("migrations.tool")),
        ));
        let place = format!("{} in {}{}", migrations.command, migrations.home, why("migrations.command"));
        facts.push(Fact::new("applied by", place));
    }
    facts.extend(found.unread.iter().map(|what| Fact::new("not read", what)));
    facts.extend(found.noticed.iter().map(|what| Fact::new("left alone", what)));
    facts
}
