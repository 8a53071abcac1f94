//! Checks of what is in the database, and of the files that say what should be.

use plan::{Baseline, Config, Database, Finding, Server, ServerState, World, words};

/// An open transaction that does nothing for so long is forgotten.
const FORGOTTEN: u64 = 300;

/// The server, where it let us in and listed its databases.
fn server(world: &World) -> Option<&Server> {
    world
        .server
        .as_ref()
        .filter(|server| server.state == ServerState::Running && !server.databases.is_empty())
}

pub(super) fn there(check: &'static str, _: &Config, world: &World) -> Vec<Finding> {
    let Some(server) = server(world).filter(|_| world.live().is_none()) else { return Vec::new() };
    let what = format!("database `{}` is not there", server.name);
    let names = words::list(server.databases.iter().map(|one| one.name.as_str()));
    vec![Finding::new(check, what, format!("the server has {names}"), world.workspace.command("up"))]
}

fn live(world: &World) -> Option<&Database> {
    server(world).and_then(|_| world.live())
}

pub(super) fn migrated(check: &'static str, config: &Config, world: &World) -> Vec<Finding> {
    let Some(live) = live(world).filter(|_| config.migrations.tool.is_some()) else { return Vec::new() };
    if world.examined.empty != Some(true) {
        return Vec::new();
    }
    let what = format!("`{}` is not migrated", live.name);
    vec![Finding::new(check, what, "it holds no table", world.workspace.command("up"))]
}

/// An edited baseline keeps its revision id, so that the migration tool says all is well.
pub(super) fn baseline(check: &'static str, _: &Config, world: &World) -> Vec<Finding> {
    let Some(live) = live(world) else { return Vec::new() };
    let Baseline::Stale(at) = plan::baseline(live, world) else { return Vec::new() };
    let what = format!("migrations or seeds changed since `{}` was built", live.name);
    let seen = format!("it was built {} from files of another hash", words::ago(at, world.now));
    vec![Finding::new(check, what, seen, world.workspace.command("reset"))]
}

pub(super) fn heads(check: &'static str, _: &Config, world: &World) -> Vec<Finding> {
    let heads = &world.examined.heads;
    if heads.len() < 2 {
        return Vec::new();
    }
    let what = "the migrations have several heads";
    let seen = format!("no revision follows {}", words::list(heads));
    vec![Finding::new(check, what, seen, format!("alembic merge -m merge {}", heads.join(" ")))]
}

/// By their files; --deep asks the migration tool.
pub(super) fn models(check: &'static str, config: &Config, world: &World) -> Vec<Finding> {
    let Some(said) = &world.examined.models else { return changed(check, world) };
    let tool = config.migrations.tool.map(|tool| tool.to_string()).unwrap_or_default();
    let mend = "describe it in a migration (alembic revision --autogenerate), or in the baseline";
    vec![Finding::new(
        check,
        "the models are not what the migrations say",
        format!("{tool} check: {said}"),
        mend,
    )]
}

fn changed(check: &'static str, world: &World) -> Vec<Finding> {
    let Some(live) = live(world) else { return Vec::new() };
    let Baseline::ModelsChanged(at) = plan::baseline(live, world) else { return Vec::new() };
    let what = format!("the models changed since `{}` was built, and no migration did", live.name);
    let seen = format!("it was built {} with model files of another hash", words::ago(at, world.now));
    vec![Finding::new(check, what, seen, world.workspace.command("check"))]
}

pub(super) fn blocking(check: &'static str, _: &Config, world: &World) -> Vec<Finding> {
    let found = world.examined.blocking.iter().map(|one| {
        let waiting = words::count(one.waiting, "session");
        let what = format!("{} (pid {}) keeps {waiting} waiting", one.who, one.pid);
        let seen = format!("it is {}, and holds the lock that they want since {} s", one.state, one.seconds);
        let psql = world.workspace.command("psql");
        Finding::new(check, what, seen, format!("{psql} -c 'SELECT pg_terminate_backend({})'", one.pid))
    });
    found.collect()
}

/// It keeps a reset waiting for a person, and old rows from being cleared away.
pub(super) fn open_transaction(check: &'static str, _: &Config, world: &World) -> Vec<Finding> {
    let sessions = live(world).map(|live| live.sessions.as_slice()).unwrap_or_default();
    let forgotten = sessions.iter().filter_map(|session| Some((session, session.transaction?)));
    let found = forgotten.filter(|(_, seconds)| *seconds >= FORGOTTEN).map(|(session, seconds)| {
        let what = format!("{} has a transaction open", session.who());
        let psql = world.workspace.command("psql");
        let mend = format!("{psql} -c 'SELECT pg_terminate_backend({})'", session.pid);
        Finding::new(check, what, format!("pid {}, since {} min", session.pid, seconds / 60), mend)
    });
    found.collect()
}

/// The next INSERT fails with a duplicate key: rows were loaded with their ids.
pub(super) fn sequences(check: &'static str, _: &Config, world: &World) -> Vec<Finding> {
    let found = world.examined.lagging.iter().map(|one| {
        let what = format!("the next id of {} is taken already", one.table);
        let seen =
            format!("{} gives {}, and {} goes up to {}", one.sequence, one.next, one.column, one.highest);
        let name = one.sequence.replace('\'', "''");
        let psql = world.workspace.command("psql");
        let sql = format!("SELECT setval('{name}', {})", one.highest);
        Finding::new(check, what, seen, format!("{psql} -c {}", words::shell(&sql)))
    });
    found.collect()
}
