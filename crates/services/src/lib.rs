//! What Compose runs: start it, stop it, restart it, clear it away.

mod clean;
mod down;
mod external;
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
    let (database, dependents): (Vec<&Container>, Vec<&Container>) =
        containers.iter().copied().partition(is_database);
    let dependents = end(&dependents, grace, "what writes to the database ends first");
    dependents.into_iter().chain(end(&database, grace, "it ends with nobody connected")).collect()
}

/// Stops those of these containers that run, all at the same time.
fn end(containers: &[&Container], grace: Option<u32>, why: &'static str) -> Option<Step> {
    let names: Vec<_> = containers.iter().filter(|one| one.running).map(|one| one.name.clone()).collect();
    if names.is_empty() {
        return None;
    }
    let again = Action::StartContainers { containers: names.clone() };
    Some(Step::new(Action::StopContainers { containers: names, grace }, why).amend(again).weight(10))
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
