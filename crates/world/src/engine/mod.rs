//! The container engine and Compose: finds out what they hold for this workspace, and performs actions on it. Hot
//! paths ask `docker`, which answers in a fraction of Compose's time.

mod actions;
mod compose;
mod copy;
mod deaf;
mod docker;
mod examine;
mod failure;
mod inputs;
mod inspect;
mod made;
mod model;
pub(crate) mod place;
mod probe;
mod project;
mod ready;
mod run;
mod seen;
mod server;
mod start;
mod verify;
mod volumes;
mod waves;

#[cfg(test)]
mod real;

use std::collections::BTreeSet;
use std::thread;
use std::time::Duration;

use plan::{
    Compose, Config, Container, Described, Engine, EngineFacts, Exit, Fault, MountKind, Network, Service,
    ServiceName, Wants, Workspace,
};

use self::compose::Choice;
use self::inspect::{Inspected, PROJECT, RawNetwork};
use self::model::Model;
use self::project::Project;
use crate::records::Records;

pub(crate) use self::actions::perform;
pub(crate) use self::examine::examine;
pub(crate) use self::ready::{await_service, lives};
pub(crate) use self::run::in_service;
pub(crate) use self::seen::cross_check;
pub(crate) use self::server::{database_container, room, server, unreachable, variable};
pub(crate) use self::verify::{look, verify};

/// What every action on the engine needs to know.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Context<'a> {
    pub config: &'a Config,
    pub workspace: &'a Workspace,
    pub engine: &'a Engine,
    pub timeout: Duration,
}

/// Whether somebody, or detection, says which service of which compose files is the database.
pub(crate) fn is_told(config: &Config) -> bool {
    config.database.service.is_some() || !config.compose.files.is_empty()
}

/// The compose files that are configured, or that Compose would read.
///
/// # Errors
/// There is none.
pub(crate) fn compose_files(
    config: &Config,
    root: &std::path::Path,
) -> Result<Vec<std::path::PathBuf>, Fault> {
    Project::find(config, root).map(|project| project.files)
}

/// Finds out what the engine holds for this workspace, as far as it is wanted.
///
/// # Errors
/// No engine, no Compose, no compose file, files that Compose does not accept, or several services that could be the
/// database.
pub(crate) fn discover(
    config: &Config,
    workspace: &Workspace,
    wants: Wants,
    timeout: Duration,
) -> Result<Engine, Fault> {
    let project = Project::find(config, &workspace.root)?;
    let own = [format!("label={PROJECT}={}", project.name)];
    let more = wants.engine > EngineFacts::Server;
    // Of any project: one that mounts a volume of ours, or is in our network, decides what may be removed.
    let (all, labelled) = together(
        || inspect::containers(if more { &[] } else { &own }),
        || if more { labelled(&project.name) } else { Ok((Vec::new(), Vec::new())) },
    );
    let all = volumes::without_abandoned(all?);
    let (volumes, networks) = labelled?;
    let networks = networks.into_iter().map(|raw| network(raw, &project.name, &all)).collect::<Vec<_>>();
    let own: Vec<&Container> = all
        .iter()
        .map(|one| &one.container)
        .filter(|one| one.project.as_ref() == Some(&project.name))
        .collect();
    let choices = compose::choices(config, &own);
    let there = server::service_of(config, &own);
    // Where the containers tell all that is wanted, Compose's 100 ms are saved.
    let reads = wants.engine >= EngineFacts::Files || there.is_none();
    let recalls = wants.engine == EngineFacts::Made;
    let read = reads.then(|| read(config, workspace, &project, &choices, &own, recalls, timeout));
    let (choice, model, described) = match read.transpose()? {
        Some((choice, model, described)) => (Some(choice), model, Some(described)),
        None => (choices.into_iter().next(), Model::default(), None),
    };
    let choice = choice.ok_or_else(|| docker::no_compose("compose.command is empty"))?;
    let database = server::service(config, &model.services, &own)?;
    let compose = Compose {
        program: choice.program,
        version: choice.version,
        project: project.name,
        files: project.files,
        folder: project.folder,
        services: model.services,
        database,
        external: model.external,
        injects: model.injects,
    };
    let mut engine = Engine {
        compose,
        containers: Vec::new(),
        volumes: Vec::new(),
        networks,
        copier: None,
        free: None,
        described,
        made: Vec::new(),
    };
    let hash = engine.described.as_ref().filter(|_| wants.engine == EngineFacts::Made);
    let (hash, networks) = (hash.map(|now| now.hash.clone()), engine.networks.clone());
    let names = volumes.into_iter().chain(model.volumes.iter().map(ToString::to_string)).collect();
    let (made, added) = together(
        || hash.map_or(Ok(Vec::new()), |hash| made::read(workspace, &hash, &all, &networks)),
        || if more { add_volumes(&mut engine, names, &all, wants.sizes, workspace) } else { Ok(()) },
    );
    added?;
    engine.made = made?;
    engine.containers = concerned(&engine, all);
    Ok(engine)
}

/// What the compose files come to: as our last `up` knew it, where nothing that they are read from has changed and the
/// caller takes it; else as Compose reads them now.
fn read(
    config: &Config,
    workspace: &Workspace,
    project: &Project,
    choices: &[Choice],
    own: &[&Container],
    recalls: bool,
    timeout: Duration,
) -> Result<(Choice, Model, Described), Fault> {
    // Before Compose reads them: what is edited meanwhile is seen by the next run.
    let inputs = choices.first().and_then(|choice| inputs::hash(project, choice));
    let known = choices.first().zip(inputs.as_deref()).filter(|_| recalls);
    let known = known.and_then(|(choice, inputs)| {
        made::recall(config, workspace, inputs, choice, own).map(|known| (choice.clone(), known))
    });
    let (choice, model, hash) = if let Some((choice, (model, hash))) = known {
        (choice, model, hash)
    } else {
        let found = compose::describe(config, project, choices, timeout)?;
        let hash = made::description(&found.text, &found.choice);
        (found.choice, found.model, hash)
    };
    let described = Described { hash, inputs, volumes: model.volumes.clone() };
    Ok((choice, model, described))
}

/// Keeps what an earlier look read from the compose files, where this one did not read them.
pub(crate) fn remember(engine: &mut Engine, earlier: &Engine) {
    if engine.compose.services.is_empty() {
        engine.compose = Compose { program: engine.compose.program.clone(), ..earlier.compose.clone() };
    }
    engine.copier = engine.copier.take().or_else(|| earlier.copier.clone());
    engine.described = engine.described.take().or_else(|| earlier.described.clone());
}

/// Two questions to the engine, side by side.
fn together<A, B: Send>(
    one: impl FnOnce() -> A,
    other: impl FnOnce() -> Result<B, Fault> + Send,
) -> (A, Result<B, Fault>) {
    thread::scope(|scope| {
        let other = scope.spawn(other);
        let one = one();
        let broken = || Err(Fault::new(Exit::Failed, "the engine was not asked"));
        (one, other.join().unwrap_or_else(|_| broken()))
    })
}

/// Names of the volumes, and the networks, that carry the project's label.
fn labelled(project: &str) -> Result<(Vec<String>, Vec<RawNetwork>), Fault> {
    let filter = format!("label={PROJECT}={project}");
    let lines = |text: String| text.lines().map(str::to_owned).collect::<Vec<_>>();
    let (volumes, networks) = together(
        || docker::ask("the volumes were not listed", ["volume", "ls", "-q", "--filter", &filter]),
        || {
            let ids = ["network", "ls", "-q", "--no-trunc", "--filter", &filter];
            inspect::networks(lines(docker::ask("the networks were not listed", ids)?))
        },
    );
    Ok((lines(volumes?), networks?))
}

/// With the containers of others that are in it.
fn network(raw: RawNetwork, project: &str, all: &[Inspected]) -> Network {
    let is_in = |one: &&Inspected| one.networks.contains(&raw.name);
    let strange = |one: &&Inspected| one.container.project.as_deref() != Some(project);
    let strangers = all.iter().filter(is_in).filter(strange).map(|one| one.container.name.to_string());
    let strangers = strangers.collect();
    Network { name: raw.name, id: raw.id, labels: raw.labels.unwrap_or_default(), strangers }
}

fn add_volumes(
    engine: &mut Engine,
    mut names: BTreeSet<String>,
    all: &[Inspected],
    sizes: bool,
    workspace: &Workspace,
) -> Result<(), Fault> {
    let own = all.iter().filter(|one| one.container.project.as_ref() == Some(&engine.compose.project));
    let mounts = own.flat_map(|one| &one.container.mounts).filter(|mount| mount.kind == MountKind::Volume);
    let mounted: BTreeSet<&str> = mounts.map(|mount| mount.source.as_str()).collect();
    names.extend(mounted.iter().map(ToString::to_string));
    let records = Records::read(workspace)?;
    names.extend(records.unnamed(volumes::UNNAMED).map(ToString::to_string));
    engine.volumes = inspect::volumes(names.into_iter().collect())?;
    let images = images(&engine.compose, all);
    let measured = volumes::complete(&mut engine.volumes, &mounted, &images, sizes, &records)?;
    engine.copier = measured.copier;
    engine.free = measured.free;
    Ok(())
}

/// Images that are probably there and can look into a volume, the database's own first.
fn images(compose: &Compose, all: &[Inspected]) -> Vec<String> {
    let own = || all.iter().filter(|one| one.container.project.as_ref() == Some(&compose.project));
    let is_database =
        |service: Option<&ServiceName>| service.is_some() && service == compose.database.as_ref();
    let database = own().filter(|one| is_database(one.container.service.as_ref()));
    let digests = database.chain(own()).map(|one| one.image.clone());
    let described = |first: bool| {
        let of = move |service: &&Service| is_database(Some(&service.name)) == first;
        compose.services.iter().filter(of).filter_map(|service| service.image.clone())
    };
    let mut seen = BTreeSet::new();
    digests
        .chain(described(true))
        .chain(described(false))
        .filter(|image| seen.insert(image.clone()))
        .collect()
}

/// The project's containers, and those that mount one of its volumes.
fn concerned(engine: &Engine, all: Vec<Inspected>) -> Vec<Container> {
    let volumes: BTreeSet<&str> = engine.volumes.iter().map(|volume| volume.name.as_str()).collect();
    let mounts = |container: &Container| {
        let of =
            |mount: &plan::Mount| mount.kind == MountKind::Volume && volumes.contains(mount.source.as_str());
        container.mounts.iter().any(of)
    };
    let is_own = |container: &Container| container.project.as_ref() == Some(&engine.compose.project);
    all.into_iter().map(|one| one.container).filter(|one| is_own(one) || mounts(one)).collect()
}
