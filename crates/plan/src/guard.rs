//! Guards: what must be proved before anything of a server is changed.

use crate::{
    Database, Engine, Exit, Fault, Kind, Server, Service, ServiceName, Stack, Workspace, World, stack, words,
};

/// The workspace's server, or why there is none.
///
/// # Errors
/// No Postgres was found.
pub fn server(world: &World) -> Result<&Server, Fault> {
    world.server.as_ref().ok_or_else(|| {
        Fault::new(Exit::Usage, "there is no Postgres in this workspace")
            .cause("neither cleanslate.toml nor a compose file describes one")
            .state("nothing was changed")
            .hint("write [database] server = \"local\" into cleanslate.toml")
    })
}

/// The server is proved to be this workspace's: its container by labels, its cluster by its folder.
///
/// # Errors
/// The project's name is used by another folder or by other compose files.
pub fn own_server(world: &World) -> Result<&Server, Fault> {
    let server = server(world)?;
    if ["template0", "template1"].contains(&server.name.as_str()) {
        return Err(Fault::new(Exit::Usage, format!("`{}` can be no workspace's database", server.name))
            .cause("Postgres makes every new database from it")
            .state("nothing was changed")
            .hint("set another database.name"));
    }
    if let (Kind::Compose, Some(engine)) = (server.kind, &world.engine) {
        own_stack(engine, &world.workspace)?;
    }
    Ok(server)
}

/// The engine is at hand: services can be started, stopped and removed.
///
/// # Errors
/// This is inside a container that has none. The hint is what to type outside.
pub fn engine(world: &World, command: &str) -> Result<(), Fault> {
    if !world.surroundings.inside {
        return Ok(());
    }
    Err(Fault::new(Exit::NotReady, format!("`{command}` needs the container engine"))
        .cause("this is inside a container, which has none")
        .state("nothing was changed")
        .hint(on_host(world, command.trim_start_matches("slate-"))))
}

/// A command that has to be typed outside of this container.
#[must_use]
pub fn on_host(world: &World, verb: &str) -> String {
    format!("on the host: {}", world.workspace.command(verb))
}

/// Over a network no label proves anything: the database's own mark has to.
fn marked(server: &Server, world: &World) -> Result<(), Fault> {
    let Some(live) = world.live().filter(|live| world.surroundings.inside && live.open) else {
        return Ok(());
    };
    let own = live.marker.as_ref().is_some_and(|marker| marker.system_identifier == server.system_identifier);
    if own {
        return Ok(());
    }
    Err(refused(format!("`{}` is not proved to be this workspace's", live.name))
        .cause("it has no mark of this server, and inside a container nothing else tells whose it is")
        .hint(on_host(world, "up")))
}

/// As [`own_server`], and it takes changes.
///
/// # Errors
/// As there, a standby, which only reads, and inside a container a database without a mark.
pub fn writable(world: &World) -> Result<&Server, Fault> {
    let server = own_server(world)?;
    marked(server, world)?;
    if server.standby {
        return Err(Fault::new(Exit::Refused, format!("`{}` can't be changed here", server.name))
            .cause("this server is a read-only standby")
            .state("nothing was changed")
            .hint("set the address of the primary"));
    }
    Ok(server)
}

/// No container of the project's name belongs to somebody else.
///
/// # Errors
/// One does: another checkout's, or another stack's from the same folder.
pub fn own_stack(engine: &Engine, workspace: &Workspace) -> Result<(), Fault> {
    let project = &engine.compose.project;
    for container in &engine.containers {
        let name = &container.name;
        let refused = |cause: String| {
            Fault::new(Exit::Refused, format!("project `{project}` is not this workspace's alone"))
                .cause(cause)
                .state("nothing was changed")
        };
        match stack(container, &engine.compose, &workspace.root) {
            Stack::Ours | Stack::Unrelated => {}
            Stack::OtherFolder(folder) => {
                return Err(refused(format!("container `{name}` was made from {folder}"))
                    .hint("give one of the two its own name: COMPOSE_PROJECT_NAME, or compose.project in cleanslate.toml"));
            }
            Stack::OtherFiles(files) => {
                let stop = files
                    .split(", ")
                    .map(|file| format!("-f {}", words::shell(file)))
                    .collect::<Vec<_>>()
                    .join(" ");
                return Err(refused(format!(
                    "container `{name}` runs from {files}, another stack of this folder"
                ))
                .hint(format!(
                    "{} -p {project} {stop} down, then run it again",
                    engine.compose.program.join(" ")
                )));
            }
        }
    }
    Ok(())
}

/// A service by the name that somebody gave.
///
/// # Errors
/// The compose files describe none of that name.
pub fn service(name: &str, services: &[Service]) -> Result<ServiceName, Fault> {
    let found = services.iter().find(|service| service.name.as_str() == name);
    found.map(|service| service.name.clone()).ok_or_else(|| {
        let names = || services.iter().map(|service| service.name.as_str());
        let fault = Fault::new(Exit::Usage, format!("there is no service `{name}`"))
            .cause(format!("the compose files describe {}", words::list(names())))
            .state("nothing was changed");
        match words::nearest(name, names()) {
            Some(near) => fault.hint(format!("did you mean `{near}`?")),
            None => fault,
        }
    })
}

/// The database is proved to be this workspace's: by its marker, or where it has none by its server.
///
/// # Errors
/// Its label or marker names another workspace.
pub fn own_database(database: &Database, workspace: &Workspace) -> Result<(), Fault> {
    let name = &database.name;
    if let Some(label) = database.label.as_ref().filter(|label| label.workspace != workspace.id) {
        return Err(refused(format!("`{name}` is another workspace's"))
            .cause(format!("its label names workspace {}", label.workspace)));
    }
    if let Some(marker) = database.marker.as_ref().filter(|marker| marker.workspace != workspace.id) {
        return Err(refused(format!("`{name}` is another workspace's"))
            .cause(format!("its marker names workspace {}", marker.workspace))
            .hint("set database.name to a database of its own"));
    }
    Ok(())
}

fn refused(error: String) -> Fault {
    Fault::new(Exit::Refused, error).state("nothing was changed")
}

/// Nothing holds the database that a RENAME would break or wait for.
///
/// # Errors
/// A prepared transaction, a slot that is being read, a subscription, whose worker comes back at once.
pub fn renamable(database: &Database) -> Result<(), Fault> {
    let name = &database.name;
    if database.prepared > 0 {
        return Err(refused(format!(
            "`{name}` holds {}",
            words::count(database.prepared, "prepared transaction")
        ))
        .cause("Postgres neither drops nor renames such a database")
        .hint("SELECT gid FROM pg_prepared_xacts, then COMMIT PREPARED or ROLLBACK PREPARED each"));
    }
    if !database.active_slots.is_empty() {
        return Err(refused(format!("`{name}` feeds {}", words::list(&database.active_slots)))
            .cause("somebody reads that replication slot now, and Postgres renames no such database")
            .hint("stop the reader first"));
    }
    if database.subscriptions > 0 {
        return Err(refused(format!(
            "`{name}` holds {}",
            words::count(database.subscriptions, "subscription")
        ))
        .cause("its worker comes back at once, and Postgres drops no such database")
        .hint("DROP SUBSCRIPTION in it first; a new database never has one"));
    }
    Ok(())
}

/// As [`renamable`], and nothing would be destroyed beside the rows.
///
/// # Errors
/// As there, and a replication slot that nobody reads: a DROP destroys it without a word.
pub fn droppable(database: &Database) -> Result<(), Fault> {
    if !database.slots.is_empty() {
        return Err(refused(format!("`{}` feeds {}", database.name, words::list(&database.slots)))
            .cause("a replication slot reads it, and would be destroyed with it")
            .hint("SELECT pg_drop_replication_slot('NAME') if nobody needs it"));
    }
    renamable(database)
}
