//! slate-status: server, database, services, and where each setting came from, on one screen.

use std::collections::BTreeMap;

use clap::Parser;
use plan::{
    Config, Container, Database, EngineFacts, Fact, Fault, Health, Kind, LabelKind, Marker, Origin, Plan,
    Reading, Server, ServerState, Source, Stack, Wants, World, guard, stack, words,
};
use shell::{Command, Shared};

/// Shows the server, the database, the services, and what is stale
///
/// Reads only, and asks nothing.
#[derive(Debug, Parser)]
#[command(
    name = "slate-status",
    version,
    after_help = "\
Examples:
  slate-status
  slate-status --json

It changes nothing. The password in the address is masked."
)]
pub struct Status {
    #[command(flatten)]
    shared: Shared,
}

impl Command for Status {
    const NAME: &'static str = "slate-status";

    fn shared(&self) -> &Shared {
        &self.shared
    }

    fn wants(&self) -> Wants {
        Wants {
            engine: EngineFacts::Project,
            databases: true,
            contents: Reading::Rows,
            blueprint: true,
            ..Wants::default()
        }
    }

    fn plan(&self, config: &Config, world: &World) -> Result<Plan, Fault> {
        let server = guard::server(world)?;
        let mut plan = Plan::new(Self::NAME, server.name.as_str());
        plan.facts.push(Fact::new("server", server_line(server, world)));
        if server.state == ServerState::Running {
            plan.facts.extend(database_facts(server, world));
        }
        plan.facts.extend(other_stacks(world));
        plan.facts.extend(services(world));
        plan.facts.extend(kept(world));
        plan.facts.extend(world.unfinished.iter().map(|what| Fact::new("unfinished", what)));
        plan.facts.extend(settings(config, server, world));
        Ok(plan)
    }
}

fn server_line(server: &Server, world: &World) -> String {
    let what = match (server.kind, &world.engine) {
        (Kind::Compose, Some(engine)) => format!("compose project {}", engine.compose.project),
        _ => "local cluster".to_owned(),
    };
    match server.state {
        ServerState::Running if server.version.is_empty() => format!("{what}, starting"),
        ServerState::Running => format!("{}  ({what}, Postgres {})", server.masked_url(), server.version),
        ServerState::Stopped => format!("{what}, stopped: {}", world.workspace.command("up")),
        ServerState::Absent => format!("{what}, not made yet: {}", world.workspace.command("up")),
    }
}

fn database_facts(server: &Server, world: &World) -> Vec<Fact> {
    let Some(live) = world.live() else {
        let missing = format!("{} is not there: {}", server.name, world.workspace.command("up"));
        return vec![Fact::new("database", missing)];
    };
    let contents = match &live.contents {
        Some(contents) => contents.line(world.now),
        None if !live.open => {
            format!("closed to connections by a run that did not end: {}", world.workspace.command("up"))
        }
        None => words::bytes(live.bytes),
    };
    let mut facts = vec![Fact::new("database", format!("{}: {contents}", live.name)), baseline(live, world)];
    if !live.sessions.is_empty() {
        facts.push(Fact::new("sessions", sessions(live)));
    }
    let beside = server.databases.iter().filter(|database| database.label.is_some());
    facts.extend(beside.filter_map(|database| {
        let label = database.label.as_ref()?;
        let what = match label.kind {
            LabelKind::Building | LabelKind::Next => {
                "half built by a run that did not end; the next reset removes it"
            }
            LabelKind::Kept => "kept",
            LabelKind::Maintenance => "ours, for commands about databases",
        };
        Some(Fact::new("", format!("{}: {what}, {}", database.name, words::bytes(database.bytes))))
    }));
    facts
}

/// The files against what the database was built from.
fn baseline(live: &Database, world: &World) -> Fact {
    let reset = world.workspace.command("reset --drop");
    let text = match (&live.marker, &world.blueprint) {
        (None, _) => "unknown: the database was not made by cleanslate".to_owned(),
        (Some(marker), _) if marker.workspace != world.workspace.id => {
            format!("another workspace's ({}): it is left alone", marker.workspace)
        }
        (Some(Marker { origin: Origin::Adopted, at, .. }), _) => {
            format!("unknown: the database was there {}", words::ago(*at, world.now))
        }
        (Some(_), None) => "no migrations are configured".to_owned(),
        (Some(marker), Some(blueprint)) if marker.blueprint.as_ref() == Some(&blueprint.hash) => {
            format!("current, built {}", words::ago(marker.at, world.now))
        }
        (Some(marker), Some(_)) => format!(
            "stale: the files changed since it was built {}: {reset}",
            words::ago(marker.at, world.now)
        ),
    };
    Fact::new("baseline", text)
}

fn sessions(live: &Database) -> String {
    let mut by_name: BTreeMap<String, u64> = BTreeMap::new();
    for session in &live.sessions {
        *by_name.entry(session.who()).or_default() += 1;
    }
    by_name.iter().map(|(name, count)| format!("{name} ({count})")).collect::<Vec<_>>().join(", ")
}

/// Containers of the project's name that are somebody else's.
fn other_stacks(world: &World) -> Vec<Fact> {
    let Some(engine) = &world.engine else { return Vec::new() };
    let told = |container: &Container| match stack(container, &engine.compose, &world.workspace.root) {
        Stack::OtherFiles(files) => {
            Some(Fact::new("other stack", format!("{} runs from {files}: it is left alone", container.name)))
        }
        Stack::OtherFolder(folder) => Some(Fact::new(
            "other stack",
            format!("{} was made from {folder}: it is left alone", container.name),
        )),
        Stack::Ours | Stack::Unrelated => None,
    };
    engine.containers.iter().filter_map(told).collect()
}

fn services(world: &World) -> Vec<Fact> {
    let Some(engine) = &world.engine else { return Vec::new() };
    let ours = |container: &&Container| {
        !container.one_off && stack(container, &engine.compose, &world.workspace.root) == Stack::Ours
    };
    let line = |container: &Container| {
        let service =
            container.service.as_ref().map_or_else(|| container.name.to_string(), ToString::to_string);
        let state = match (container.running, container.health) {
            (true, Health::Healthy) => "healthy".to_owned(),
            (true, Health::Unhealthy) => "unhealthy".to_owned(),
            (true, Health::Starting) => "starting".to_owned(),
            (true, Health::None) => "running".to_owned(),
            (false, _) => format!("exited ({})", container.exit_code),
        };
        format!("{service} {state}")
    };
    let lines: Vec<String> = engine.containers.iter().filter(ours).map(line).collect();
    if lines.is_empty() { Vec::new() } else { vec![Fact::new("services", lines.join(" · "))] }
}

fn kept(world: &World) -> Vec<Fact> {
    let bytes = world.kept.iter().map(|kept| kept.bytes).sum();
    let Some(newest) = world.kept.last() else { return Vec::new() };
    let many = words::count(world.kept.len() as u64, "copy");
    let undo = world.workspace.command("undo");
    let newest = words::ago(newest.at, world.now);
    vec![Fact::new("kept", format!("{many}, {}, the newest from {newest}: {undo}", words::bytes(bytes)))]
}

/// The settings that decide what is touched, each with where it came from.
fn settings(config: &Config, server: &Server, world: &World) -> Vec<Fact> {
    let found = |key: &str, seen: &str| match config.source(key) {
        Source::Default => Source::Found(seen.to_owned()),
        source => source,
    };
    let seen = match server.kind {
        Kind::Compose => "the database service",
        Kind::Local => "the folder's name",
    };
    let mut rows = vec![
        ("database.server", server.kind.to_string(), found("database.server", "the workspace's files")),
        ("database.name", server.name.to_string(), found("database.name", seen)),
        ("database.user", server.user.to_string(), found("database.user", seen)),
    ];
    if let Some(engine) = &world.engine {
        let compose = &engine.compose;
        let files = compose
            .files
            .iter()
            .map(|file| file.strip_prefix(&world.workspace.root).unwrap_or(file).display().to_string());
        rows.push(("compose.project", compose.project.clone(), found("compose.project", "Compose's rules")));
        rows.push((
            "compose.files",
            files.collect::<Vec<_>>().join(", "),
            found("compose.files", "Compose's rules"),
        ));
    }
    let optional = [
        ("migrations.tool", config.migrations.tool.map(|tool| tool.to_string())),
        ("migrations.dir", config.migrations.dir.clone()),
        ("migrations.command", config.migrations.command.clone()),
        ("migrations.at_start", config.migrations.at_start.clone()),
        ("seeds.dir", config.seeds.dir.clone()),
        ("restart.services", Some(config.restart.services.join(", ")).filter(|names| !names.is_empty())),
    ];
    rows.extend(optional.into_iter().filter_map(|(key, value)| Some((key, value?, config.source(key)))));
    rows.into_iter().map(|(key, value, source)| Fact::new(key, format!("{value}  ({source})"))).collect()
}
