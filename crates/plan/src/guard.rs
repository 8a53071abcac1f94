//! Guards: what must be proved before anything of a server is changed.

use crate::{
    Database, Engine, Exit, Fault, Kind, RELEASED, Server, Service, ServiceName, Stack, Volume, Workspace,
    World, stack, words,
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

/// No data volume is what an interrupted undo left.
///
/// # Errors
/// One is.
pub fn whole<'a>(mut volumes: impl Iterator<Item = &'a Volume>, workspace: &Workspace) -> Result<(), Fault> {
    let Some(half) = volumes.find(|one| one.half) else { return Ok(()) };
    Err(Fault::new(Exit::Refused, format!("volume `{}` is only half there", half.name))
        .cause("an undo that was to bring it back was interrupted")
        .state("nothing was changed; its copy is whole")
        .hint(workspace.command("undo")))
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

/// An external server proves nothing by itself: the database's own mark has to, which only an adoption writes. Where
/// there is no such database now, or nobody is let in, our note about the adoption has to do.
///
/// # Errors
/// It was not adopted, a pooler stands before it, our role lacks a right: each with what helps.
pub fn adopted(server: &Server, world: &World) -> Result<(), Fault> {
    if server.kind != Kind::External {
        return Ok(());
    }
    if let Some(why) = &server.outside.pooled {
        return Err(refused(format!("`{}` can't be changed through a pooler", server.name))
            .cause(why)
            .hint("SLATE_DATABASE_URL or database.url: the address of the server itself"));
    }
    let is_ours = match world.live() {
        Some(live) if live.open => {
            own_database(live, &world.workspace)?;
            let marker = live.marker.as_ref();
            marker.is_some_and(|marker| marker.system_identifier == server.system_identifier)
        }
        _ => server.outside.adopted,
    };
    if !is_ours {
        return Err(unadopted(server));
    }
    match server.outside.lacks.first() {
        None => Ok(()),
        Some(lack) => Err(refused(format!("`{}` can't be changed with this role", server.name))
            .cause(&lack.what)
            .hint(format!("as a superuser: {}", lack.grant))),
    }
}

/// The refusal of a database that nobody made this workspace's.
#[must_use]
pub fn unadopted(server: &Server) -> Fault {
    let address = server.address.as_ref().map(ToString::to_string).unwrap_or_default();
    refused(format!("`{}` at {address} is not adopted", server.name))
        .cause("the server is external: nothing proves that it is this workspace's to change")
        .hint("slate-init --adopt")
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
    adopted(server, world)?;
    marked(server, world)?;
    if server.standby {
        return Err(Fault::new(Exit::Refused, format!("`{}` can't be changed here", server.name))
            .cause("this server is a read-only standby")
            .state("nothing was changed")
            .hint("set the address of the primary"));
    }
    Ok(server)
}

/// What is released is as it was when it was released.
///
/// # Errors
/// A released migration was edited, or is gone.
pub fn unedited(world: &World) -> Result<(), Fault> {
    let broken = world.revisions.as_ref().and_then(|revisions| revisions.broken.first());
    let Some(broken) = broken else { return Ok(()) };
    Err(Fault::new(Exit::Refused, format!("{broken} is released, and was edited since"))
        .cause(format!("{RELEASED} has another hash of it"))
        .state("nothing was changed")
        .hint(format!("git checkout {broken}, then {}", world.workspace.command("migrate new NAME"))))
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

/// A label tells a folder, not the machine that it is on: where the engine is on another one, two machines with the same
/// folder can't be told apart by it, and the database's own mark has to.
///
/// # Errors
/// The database in the container is another workspace's.
pub fn own_machine(server: &Server, world: &World) -> Result<(), Fault> {
    let far = server.address.as_ref().is_some_and(|address| !address.is_loopback());
    match world.live() {
        Some(live) if far && server.kind == Kind::Compose => own_database(live, &world.workspace),
        _ => Ok(()),
    }
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
