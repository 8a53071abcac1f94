//! slate-status: server, database, services, and where each setting came from, on one screen.

use std::collections::BTreeMap;

use clap::Parser;
use plan::{
    Baseline, Config, Container, Database, EngineFacts, Fact, Fault, Health, Kind, LabelKind, Logged, Plan,
    Reading, Server, ServerState, Source, Stack, Wants, World, guard, stack, words,
};
use shell::{Command, Shared};

use crate::environment::{Env, environment};

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
  slate-status --log
  slate-status --env         the address as variables, for a shell's eval

It changes nothing. The password is masked, but for --env into a program or a file."
)]
pub struct Status {
    /// The last runs that changed something: when, what, by whom
    #[arg(long)]
    log: bool,
    /// Print the address as variables: shell, dotenv or json
    #[arg(
        long,
        value_name = "FORM",
        value_enum,
        num_args = 0..=1,
        require_equals = true,
        default_missing_value = "shell",
        hide_possible_values = true,
        conflicts_with = "log"
    )]
    env: Option<Env>,
    /// With --env: show the password on a terminal too
    #[arg(long, requires = "env")]
    show_password: bool,
    #[command(flatten)]
    shared: Shared,
}

impl Command for Status {
    const NAME: &'static str = "slate-status";

    fn shared(&self) -> &Shared {
        &self.shared
    }

    fn wants(&self) -> Wants {
        if self.env.is_some() {
            // Where the server is, and how its services are told of it: nobody connects.
            return Wants { engine: EngineFacts::Files, ..Wants::default() };
        }
        Wants {
            engine: EngineFacts::Project,
            databases: true,
            contents: Reading::Rows,
            blueprint: true,
            journal: self.log,
            git: !self.log,
            forks: !self.log,
            ..Wants::default()
        }
    }

    fn plan(&self, config: &Config, world: &World) -> Result<Plan, Fault> {
        if self.log {
            let mut plan = Plan::new(Self::NAME, "");
            plan.facts = log(world);
            return Ok(plan);
        }
        let server = guard::server(world)?;
        let mut plan = Plan::new(Self::NAME, server.name.as_str());
        if let Some(form) = self.env {
            plan.discloses = Some(environment(config, world, server, form, self.show_password)?);
            return Ok(plan);
        }
        plan.facts.push(Fact::new("server", server_line(server, world)));
        if server.state == ServerState::Running {
            plan.facts.extend(database_facts(server, world));
        }
        plan.facts.extend(other_stacks(world));
        plan.facts.extend(services(world));
        plan.facts.extend(kept(config, world));
        plan.facts.extend(forks(world));
        plan.facts.extend(world.unfinished.iter().map(|what| Fact::new("unfinished", what)));
        plan.facts.extend(settings(config, server, world));
        Ok(plan)
    }
}

/// One line a run, the newest last, as in any log.
fn log(world: &World) -> Vec<Fact> {
    if world.journal.is_empty() {
        return vec![Fact::new("log", "nothing was changed here yet")];
    }
    let line = |run: &Logged| {
        let end = run.end.as_deref().unwrap_or("did not end: it was killed, or is at work");
        let done = if run.done.is_empty() { String::new() } else { format!(" ({})", run.done.join(", ")) };
        let by = if run.by.is_empty() { String::new() } else { format!("; by {}", run.by) };
        let command = match run.command.split_once(" --tidy") {
            Some((command, _)) => format!("{command}, in the background"),
            None => run.command.clone(),
        };
        Fact::new(run.at.strftime("%F %T").to_string(), format!("{command}: {end}{done}{by}"))
    };
    world.journal.iter().map(line).collect()
}

fn server_line(server: &Server, world: &World) -> String {
    let what = match (server.kind, &world.engine) {
        (Kind::Compose, Some(engine)) => format!("compose project {}", engine.compose.project),
        (Kind::Compose, None) => "compose service, seen from inside a container".to_owned(),
        (Kind::External, _) => "external server".to_owned(),
        _ => "local cluster".to_owned(),
    };
    match server.state {
        ServerState::Stopped if world.surroundings.inside => {
            format!("{what}: it does not answer; {}", guard::on_host(world, "up"))
        }
        _ if server.kind == Kind::External && server.state != ServerState::Running => {
            format!("{what} at {}: it does not answer", server.masked_url())
        }
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
    facts.extend(unknown(live, world));
    if !live.sessions.is_empty() {
        facts.push(Fact::new("sessions", sessions(live)));
    }
    if let Some(contents) = &live.contents {
        facts.push(Fact::new("yours", contents.since.line()));
    }
    facts.extend(world.beside(LabelKind::Building).map(|(database, _)| {
        let what = "half built by a run that did not end; the next reset removes it";
        Fact::new("", format!("{}: {what}", database.name))
    }));
    facts
}

/// The files against what the database was built from.
fn baseline(live: &Database, world: &World) -> Fact {
    let reset = world.workspace.command("reset");
    let ago = |at| words::ago(at, world.now);
    let text = match plan::baseline(live, world) {
        Baseline::Unmarked if world.server.as_ref().is_some_and(|server| server.kind == Kind::External) => {
            "not adopted, so it is only read: slate-init --adopt".to_owned()
        }
        Baseline::Unmarked => "unknown: the database was not made by cleanslate".to_owned(),
        Baseline::Foreign(workspace) => format!("another workspace's ({workspace}): it is left alone"),
        Baseline::Adopted(at) => format!("unknown: the database was there {}", ago(at)),
        Baseline::NoFiles => "no migrations are configured".to_owned(),
        Baseline::Current(at) => format!("current, built {}", ago(at)),
        Baseline::ModelsChanged(at) => {
            format!("current, built {}; the models changed since, and no migration did", ago(at))
        }
        Baseline::Stale(at) => match other_branch(live, world) {
            Some(branch) => {
                let switch = world.workspace.command("switch");
                format!("of branch `{branch}`, built {}, and another one is checked out: {switch}", ago(at))
            }
            None => format!("stale: the files changed since it was built {}: {reset}", ago(at)),
        },
    };
    Fact::new("baseline", text)
}

/// Migrations of another branch that were run on this database.
fn unknown(live: &Database, world: &World) -> Option<Fact> {
    let unknown = &world.git.as_ref()?.unknown;
    let last = unknown.last()?;
    let many = match unknown.len() {
        1 => format!("revision `{last}` that no file here has"),
        many => format!("{many} revisions that no file here has, the last is `{last}`"),
    };
    let switch = if other_branch(live, world).is_some() { "switch" } else { "switch --from BRANCH" };
    let command = world.workspace.command(switch);
    Some(Fact::new("", format!("it was built with {many}: another branch's: {command}")))
}

/// The branch that the database belongs to, where that is not the one whose files are here.
fn other_branch<'a>(live: &'a Database, world: &'a World) -> Option<&'a str> {
    let present = world.git.as_ref()?.branch.as_deref()?;
    world.branch_of(live).filter(|branch| *branch != present)
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

/// What undo could bring back, and whether it is too much or too old by now.
fn kept(config: &Config, world: &World) -> Vec<Fact> {
    let databases: Vec<_> = world.put_by().map(|(_, label)| label).collect();
    let many_of = |kind: LabelKind| databases.iter().filter(|label| label.kind == kind).count() as u64;
    let of_databases: u64 = databases.iter().filter_map(|label| Some(label.kept.as_ref()?.bytes)).sum();
    let bytes = of_databases + world.kept.iter().map(|kept| kept.bytes).sum::<u64>();
    // What is parked stays with its branch, and what is saved until it is deleted: neither grows old.
    let passing = databases.iter().filter(|label| label.kind == LabelKind::Kept);
    let times = world.kept.iter().map(|kept| kept.at).chain(databases.iter().map(|label| label.at));
    let Some(newest) = times.clone().max() else { return Vec::new() };
    let counts = [("database", many_of(LabelKind::Kept)), ("copy", world.kept.len() as u64)];
    let many = counts.into_iter().filter(|(_, many)| *many > 0).map(|(what, many)| words::count(many, what));
    let others = [LabelKind::Parked, LabelKind::Saved, LabelKind::Forked].map(many_of);
    let others = ["parked", "saved", "forked"].into_iter().zip(others);
    let others = others.filter(|(_, many)| *many > 0).map(|(what, many)| format!("{many} {what}"));
    let many = many.chain(others).collect::<Vec<_>>().join(", ");
    let (undo, newest) = (world.workspace.command("undo --list"), words::ago(newest, world.now));
    let mut facts =
        vec![Fact::new("kept", format!("{many}, {}, the newest from {newest}: {undo}", words::bytes(bytes)))];
    let limit = i64::from(config.undo.days()) * 86_400;
    let of_kept: u64 = passing.clone().filter_map(|label| Some(label.kept.as_ref()?.bytes)).sum();
    let ages = world.kept.iter().map(|kept| kept.at).chain(passing.map(|label| label.at));
    let old = ages.filter(|at| world.now.as_second() - at.as_second() >= limit).count() as u64;
    let gc = world.workspace.command("undo --gc");
    if of_kept > config.undo.bytes() {
        let limit = words::bytes(config.undo.bytes());
        facts.push(Fact::new("", format!("more than undo.max_size, {limit}: {gc} removes the oldest")));
    }
    if old > 0 {
        let days = words::count(config.undo.days().into(), "day");
        facts.push(Fact::new("", format!("{old} older than undo.days, {days}: {gc} removes them")));
    }
    facts
}

/// What forks and leases take, and who holds how many.
fn forks(world: &World) -> Vec<Fact> {
    let named: Vec<&Database> = world.beside(LabelKind::Forked).map(|(one, _)| one).collect();
    let [held, over] = [false, true].map(|over| world.leases(over).map(|(one, _)| one).collect::<Vec<_>>());
    let bytes = |all: &[&Database]| words::bytes(all.iter().map(|one| one.bytes).sum());
    let list = world.workspace.command("fork list");
    let mut facts = Vec::new();
    if !named.is_empty() {
        let many = words::count(named.len() as u64, "fork");
        facts.push(Fact::new("forks", format!("{many}, {}: {list}", bytes(&named))));
    }
    if !held.is_empty() {
        let many = words::count(held.len() as u64, "lease");
        facts.push(Fact::new("leases", format!("{many} held, {}: {list}", bytes(&held))));
    }
    if !over.is_empty() {
        let (many, release) =
            (words::count(over.len() as u64, "lease"), world.workspace.command("fork release"));
        facts.push(Fact::new("leases", format!("{many} over, {}: {release} drops them", bytes(&over))));
    }
    facts
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
        Kind::External => "the URL",
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
