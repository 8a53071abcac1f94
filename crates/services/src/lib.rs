//! What Compose runs: start it, stop it, restart it, clear it away.

mod clean;
mod down;
mod guard;
mod order;
mod restart;
#[cfg(test)]
mod sample;
mod scope;
mod up;

pub use clean::Clean;
pub use down::Down;
pub use guard::Guard;
pub use restart::Restart;
pub use up::Up;

use plan::{Action, Container, Engine, Fact, Stack, Step, World, stack};

/// This workspace's containers, those of `compose run` too.
fn ours<'a>(engine: &'a Engine, world: &World) -> Vec<&'a Container> {
    let is_ours = |one: &&Container| stack(one, &engine.compose, &world.workspace.root) == Stack::Ours;
    engine.containers.iter().filter(is_ours).collect()
}

/// Stops containers, the database's last: what writes to it ends first.
fn stop(containers: &[&Container], engine: &Engine, grace: Option<u32>) -> Vec<Step> {
    let is_database = |one: &&Container| one.service.is_some() && one.service == engine.compose.database;
    let running: Vec<&Container> = containers.iter().copied().filter(|one| one.running).collect();
    let (database, dependents): (Vec<&Container>, Vec<&Container>) =
        running.iter().partition(|one| is_database(one));
    let groups =
        [(dependents, "what writes to the database ends first"), (database, "it ends with nobody connected")];
    let groups = groups.into_iter().filter(|(containers, _)| !containers.is_empty());
    groups
        .map(|(containers, why)| {
            let names: Vec<_> = containers.iter().map(|one| one.name.clone()).collect();
            let again = Action::StartContainers { containers: names.clone() };
            let stop = Action::StopContainers { containers: names, grace: grace.unwrap_or(10) };
            Step::new(stop, why).amend(again).weight(10)
        })
        .collect()
}

/// Containers of the project's name that are another stack's: named, and left alone.
fn others(engine: &Engine, world: &World) -> Vec<Fact> {
    let told = engine.containers.iter().filter_map(|one| {
        let whose = match stack(one, &engine.compose, &world.workspace.root) {
            Stack::OtherFolder(folder) => format!("made from {folder}"),
            Stack::OtherFiles(files) => format!("runs from {files}"),
            Stack::Ours | Stack::Unrelated => return None,
        };
        Some(Fact::new("Stays", format!("container {}: {whose}", one.name)))
    });
    told.collect()
}
