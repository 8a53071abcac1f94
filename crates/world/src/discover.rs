//! Finds out what is there. Reads only.

use std::cell::Cell;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use jiff::Timestamp;
use plan::{
    Config, Database, DatabaseName, EngineFacts, Fault, Kind, Label, LabelKind, Reading, ServerState,
    Surroundings, Wants, Workspace, World, guard,
};

use crate::blueprint::blueprint;
use crate::cluster::Cluster;
use crate::engine;
use crate::examine;
use crate::external;
use crate::git;
use crate::inside;
use crate::journal;
use crate::lives;
use crate::postgres::{Postgres, contents, databases, files_written, marker};
use crate::records::Records;
use crate::revisions;
use crate::tree;
use crate::unlabelled;
use crate::workspace::{self, Held};

/// How to look.
#[derive(Debug, Clone)]
pub struct Options {
    pub root: Option<PathBuf>,
    /// Longest wait for one thing.
    pub timeout: Duration,
    /// The binary that looks, for the message that another run gets.
    pub command: &'static str,
}

/// What was found, and the hold on it.
pub struct Found {
    pub config: Config,
    pub world: World,
    /// Kept until the plan is through.
    pub held: Option<Held>,
    /// The connection that was looked through, for whoever goes on with it.
    pub(crate) postgres: Cell<Option<Postgres>>,
}

/// # Errors
/// A broken configuration, a missing tool, a server that does not let us in.
pub fn discover(options: &Options, wants: Wants) -> Result<Found, Fault> {
    // Nothing here changes anything, whatever goes wrong.
    found(options, wants).map_err(|fault| fault.or_state("nothing was changed"))
}

fn found(options: &Options, wants: Wants) -> Result<Found, Fault> {
    let root = workspace::root(options.root.as_deref())?;
    let (mut config, is_configured) = configuration(&root)?;
    let workspace = workspace::workspace(&root, wants.lock)?;
    let held =
        wants.lock.then(|| workspace::hold(&workspace, options.command, options.timeout)).transpose()?;
    let open = config.database.server.is_none() && !engine::is_told(&config);
    let mut detected = is_detected(wants, is_configured && !open).then(|| tree::detected(&root));
    if let Some(detected) = detected.as_mut().filter(|_| wants.detection && !inside::is_inside()) {
        engine::cross_check(detected, &root);
    }
    if let Some(detected) = detected.as_ref().filter(|_| !is_configured) {
        config.complete(detected);
    }
    let aside = wants.captured.then(|| crate::seeds::proved(&workspace, &config.seeds)).flatten();
    let blueprint = if wants.blueprint { blueprint(&config, &root, aside.as_deref())? } else { None };
    let revisions = if wants.blueprint { revisions::read(&config, &root)? } else { None };
    let records = Records::read(&workspace)?;
    let state = workspace.state.clone();
    let wants = narrowed(wants, &records);
    let mut world = World {
        now: Timestamp::now(),
        workspace,
        surroundings: Surroundings {
            holder: wants.holding.and_then(lives::holder),
            fresh: workspace::random_hex(5)?,
            ..inside::surroundings(&config, &root)
        },
        detected,
        files: None,
        blueprint,
        server: None,
        engine: None,
        kept: records.kept().into_iter().filter(is_there).collect(),
        last_kept: records.last_kept(),
        journal: Vec::new(),
        unfinished: Vec::new(),
        examined: plan::Examined::default(),
        carried: None,
        captured: None,
        git: wants.git.then(|| git::read(&root)).flatten(),
        revisions,
        draft: wants.draft.then(|| crate::migrate::draft(&state)).flatten(),
    };
    if wants.captured {
        world.captured = crate::seeds::captured(&world.workspace, &root)?;
    }
    if wants.journal {
        world.journal = journal::read(&world.workspace);
    }
    world.files = wants.files.then(|| crate::files::read(&world.workspace.root)).transpose()?;
    if wants.elsewhere || wants.engine == EngineFacts::Nothing {
        return Ok(Found { config, world, held, postgres: Cell::default() });
    }
    let postgres = look_at_server(&config, &mut world, wants, &records, options.timeout)?;
    Ok(Found { config, world, held, postgres: Cell::new(postgres) })
}

/// The server, what it holds, and what is wrong with it. The connections are those that plans go on with.
fn look_at_server(
    config: &Config,
    world: &mut World,
    wants: Wants,
    records: &Records,
    timeout: Duration,
) -> Result<Option<Postgres>, Fault> {
    find_server(config, world, wants, timeout)?;
    if wants.running {
        // Whose it is says more than that it does not run.
        guard::own_server(world)?;
    }
    let mut postgres = None;
    let outside = world.server.as_ref().is_some_and(|server| server.kind == Kind::External);
    // Whose an external database is stands in it: whoever changes something looks first.
    let wants = Wants { databases: wants.databases || (outside && wants.lock), ..wants };
    if wants.databases {
        let read = read_databases(config, world, wants, records, timeout);
        postgres = examine::or_kept(read, world, wants)?.flatten();
    }
    examine::examine(config, world, wants, timeout);
    Ok(postgres)
}

/// Whether the work tree is walked: nobody needs it for addresses that somebody gave.
fn is_detected(wants: Wants, is_told: bool) -> bool {
    wants.detection || !(is_told || wants.elsewhere)
}

/// The server, and the engine where it is a service of one that we can speak to.
fn find_server(config: &Config, world: &mut World, wants: Wants, timeout: Duration) -> Result<(), Fault> {
    match kind(config, world.detected.as_ref()) {
        Kind::Local => world.server = Some(Cluster::of(config, &world.workspace)?.server()),
        Kind::External => {
            let server = external::server(config, &world.workspace.root, timeout);
            world.server = examine::or_kept(server, world, wants)?;
        }
        Kind::Compose if inside::is_inside() => {
            world.surroundings.inside = true;
            let server = inside::server(config, &world.workspace.root, &mut world.surroundings);
            world.server = examine::or_kept(server, world, wants)?;
        }
        Kind::Compose => {
            let engine = engine::discover(config, &world.workspace, wants, timeout);
            if let Some(engine) = examine::or_kept(engine, world, wants)? {
                let server = engine::server(config, &world.workspace, &engine);
                world.server = examine::or_kept(server, world, wants)?.flatten();
                world.engine = Some(engine);
            }
        }
    }
    Ok(())
}

/// Where nothing of the engine's is kept, nobody needs to look for where it was.
fn narrowed(wants: Wants, records: &Records) -> Wants {
    if wants.where_copies_are && records.kept().is_empty() {
        Wants { engine: EngineFacts::Server, sizes: false, ..wants }
    } else {
        wants
    }
}

/// A run that was killed may have written down a move that it did not make.
fn is_there(kept: &plan::Kept) -> bool {
    !matches!(&kept.place, plan::KeptPlace::Cluster { folder } if !folder.exists())
}

/// The configuration, and whether there is a file of it.
fn configuration(root: &Path) -> Result<(Config, bool), Fault> {
    let (text, is_configured) = match fs::read_to_string(root.join("cleanslate.toml")) {
        Ok(text) => (text, true),
        Err(why) if why.kind() == std::io::ErrorKind::NotFound => (String::new(), false),
        Err(why) => {
            return Err(Fault::new(plan::Exit::Usage, "cleanslate.toml can't be read").cause(why.to_string()));
        }
    };
    let variables = plan::variables().filter_map(|name| Some((name.clone(), std::env::var(&name).ok()?)));
    Ok((Config::read(&text, variables)?, is_configured))
}

/// Where the server is: configured, else external where there is a URL for us, else compose where compose files describe
/// a Postgres, else local.
fn kind(config: &Config, detected: Option<&plan::Detected>) -> Kind {
    // One that can't be read may describe a Postgres: Compose tells what is wrong with it, and no second server is made.
    let is_compose = |line: &String| {
        let name = line.split(':').next().unwrap_or_default();
        ["compose.", "docker-compose."].iter().any(|start| name.starts_with(start)) && !name.contains('/')
    };
    let described =
        || detected.is_some_and(|found| found.database.is_some() || found.unread.iter().any(is_compose));
    match config.database.server {
        Some(kind) => kind,
        None if config.database.url.is_some() => Kind::External,
        None if engine::is_told(config) || described() => Kind::Compose,
        None => Kind::Local,
    }
}

fn read_databases(
    config: &Config,
    world: &mut World,
    wants: Wants,
    records: &Records,
    timeout: Duration,
) -> Result<Option<Postgres>, Fault> {
    if world.server.as_ref().is_none_or(|server| server.state != ServerState::Running) {
        return if world.server.is_some() && wants.running { Err(not_running(world)) } else { Ok(None) };
    }
    let Some(server) = world.server.as_mut() else { return Ok(None) };
    if let (None, Some(engine)) = (&server.address, &world.engine) {
        return if wants.running { Err(engine::unreachable(engine)) } else { Ok(None) };
    }
    let mut postgres = Postgres::new(server, timeout)?;
    if !identify(&mut postgres, server, records, wants)? {
        return Ok(None);
    }
    let attempt = |error: sqlx::Error| crate::databases::fault("the databases were not listed", &error);
    let major = server.version.split('.').next().and_then(|major| major.parse().ok()).unwrap_or(0);
    let sized = sized(wants, &server.name);
    server.databases = databases(&mut postgres, &server.maintenance, major, &sized).map_err(attempt)?;
    let left = unlabelled::left(&world.workspace.state);
    // Inside a container, and on a server that is nobody's, the mark alone proves whose the database is.
    let by_mark = world.surroundings.inside || server.kind == Kind::External;
    let looks = wants.contents > Reading::Names || by_mark;
    for database in &mut server.databases {
        recognise(database, &left, &server.name, &world.workspace, world.now);
        let is_live = database.name == server.name && looks;
        if !is_read(database, is_live, wants.contents) {
            continue;
        }
        // What can't be read counts as worth keeping: the planner sees `None`.
        if is_live {
            database.marker = marker(&mut postgres, &database.name).ok().flatten();
            let (git, known) = (world.git.as_mut(), world.revisions.as_mut().filter(|_| wants.revisions));
            built_with(&mut postgres, config, &world.workspace.root, &database.name, git, known);
        }
        if wants.contents == Reading::All || (is_live && wants.contents >= Reading::Rows) {
            let settings = records.settings(database.oid).map(String::as_str);
            // A checkpoint is work that somebody else's server is not given for a look.
            let written = wants.contents >= Reading::Live;
            let external = server.kind == Kind::External;
            database.contents = contents(&mut postgres, database, settings, written && !external).ok();
            if let Some(contents) = database.contents.as_mut().filter(|_| written && external) {
                contents.last_write = files_written(&mut postgres, &database.name);
            }
        }
        name_services(database, world.engine.as_ref());
    }
    if wants.carried {
        let building = world.beside(LabelKind::Building).filter(|(database, _)| database.open);
        let building: Vec<DatabaseName> = building.map(|(database, _)| database.name.clone()).collect();
        world.carried = building.into_iter().find_map(|database| {
            let carried = crate::carry::record(&mut postgres, &database);
            // A session on it would be in the way of its rename.
            postgres.leave(&database);
            Some((database, carried?))
        });
    }
    Ok(Some(postgres))
}

/// Has the server say which one it is; `false` where it is starting, and that is no error.
fn identify(
    postgres: &mut Postgres,
    server: &mut plan::Server,
    records: &Records,
    wants: Wants,
) -> Result<bool, Fault> {
    let asked = postgres.identity(&server.maintenance).or_else(|error| {
        // Ours is made when it is needed; until then the app's own has to do.
        if server.kind == Kind::External
            || crate::postgres::code(&error).as_deref() == Some(crate::postgres::state::NO_DATABASE)
        {
            server.maintenance.clone_from(&server.name);
            return postgres.identity(&server.maintenance);
        }
        Err(error)
    });
    let identity = match asked {
        Ok(identity) => identity,
        // Somebody else's server does not start because of us: what it says is the answer.
        Err(error)
            if !wants.running && server.kind != Kind::External && crate::postgres::is_starting(&error) =>
        {
            return Ok(false);
        }
        Err(error) => return Err(postgres.not_let_in(&server.maintenance, &error)),
    };
    server.system_identifier = identity.system_identifier;
    server.version = identity.version;
    server.standby = identity.standby;
    if server.kind == Kind::External {
        external::look(postgres, server, records, wants.lock)?;
    }
    Ok(true)
}

/// The migrations that the live database was built with, against the files. What can't be read is not told.
fn built_with(
    postgres: &mut Postgres,
    config: &Config,
    root: &Path,
    live: &DatabaseName,
    git: Option<&mut plan::Git>,
    known: Option<&mut plan::Revisions>,
) {
    if let Some(git) = git {
        git.unknown = revisions::unknown(postgres, config, root, live);
    }
    if let Some(known) = known {
        let _ = revisions::mark(postgres, config.migrations.tool, live, known);
    }
}

/// Whether it is connected to. What a test has put into a leased one is nobody's, and our session would be in its way.
fn is_read(database: &Database, is_live: bool, contents: Reading) -> bool {
    let is_leased = database.label.as_ref().is_some_and(|label| label.lease.is_some());
    database.open && !database.broken && (is_live || contents == Reading::All && !is_leased)
}

/// Which databases are measured, as a condition in SQL: each costs a look at all its files.
fn sized(wants: Wants, live: &DatabaseName) -> String {
    let live = format!("d.datname = {}", live.literal());
    match (wants.contents, wants.forks) {
        (Reading::All, _) => "true".to_owned(),
        (Reading::Names, _) => "false".to_owned(),
        (_, true) => {
            let comment = "shobj_description(d.oid, 'pg_database')";
            format!("({live} OR {comment} ~ '^cleanslate .*\"kind\":\"(forked|leased)\"')")
        }
        (_, false) => live,
    }
}

/// A crash between CREATE DATABASE and its label leaves a database that only our note knows. And whether a lease is over
/// only this machine can tell.
fn recognise(
    database: &mut Database,
    left: &[String],
    of: &DatabaseName,
    workspace: &Workspace,
    now: Timestamp,
) {
    if database.comment.is_none() && left.iter().any(|name| name == database.name.as_str()) {
        // Of the live one: that is whose clone or next it was to be.
        database.label = Some(Label::new(&workspace.id, LabelKind::Building, of, now));
    }
    if let Some(lease) = database.label.as_mut().and_then(|label| label.lease.as_mut()) {
        // Whoever is connected uses it, whatever became of the process that took it.
        let lives = lease.holder.as_ref().and_then(lives::lives);
        lease.over = database.sessions.is_empty() && lease.is_over(lives, now);
    }
}

fn name_services(database: &mut Database, engine: Option<&plan::Engine>) {
    let Some(engine) = engine else { return };
    for session in &mut database.sessions {
        let from = engine.containers.iter().find(|container| container.addresses.contains(&session.client));
        session.service = from.and_then(|container| container.service.clone());
    }
}

fn not_running(world: &World) -> Fault {
    let (what, hint) = match world.server.as_ref().map(|server| server.state) {
        _ if world.surroundings.inside => {
            ("does not answer in this container's network", guard::on_host(world, "up"))
        }
        Some(ServerState::Absent) => ("was not made yet", world.workspace.command("up")),
        _ => ("is stopped", world.workspace.command("up")),
    };
    if let Some(server) = world.server.as_ref().filter(|server| server.kind == Kind::External) {
        return external::silent(server);
    }
    let kind = world.server.as_ref().map_or(Kind::Local, |server| server.kind);
    Fault::new(plan::Exit::NotReady, format!("Postgres is not running ({kind} server)"))
        .cause(format!("it {what}"))
        .state("nothing was changed")
        .hint(hint)
}

/// The facts of an engine that a plan's machine looks at again.
pub(crate) const AFRESH: Wants = Wants {
    engine: EngineFacts::Server,
    databases: false,
    contents: Reading::Nothing,
    blueprint: false,
    sizes: false,
    lock: false,
    running: false,
    examine: plan::Examining::Nothing,
    elsewhere: false,
    where_copies_are: false,
    journal: false,
    carried: false,
    captured: false,
    detection: false,
    files: false,
    git: false,
    holding: None,
    forks: false,
    revisions: false,
    draft: false,
};
