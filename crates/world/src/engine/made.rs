//! Which containers Compose would leave as they are. Asking it takes as long as its whole `up`; instead we remember what
//! description our last `up` had it make the containers from, and look whether it is the same one, from the same images.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use plan::{Config, Container, Engine, Fault, Network, Service, ServiceName, Workspace};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::docker::ask;
use super::inspect::{self, Inspected, PROJECT};
use super::model::Model;
use super::{Context, compose::Choice};
use crate::workspace::{hex, replace_file};

const FILE: &str = "made.json";

/// What our last `up` had Compose make.
#[derive(Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Made {
    described: String,
    /// Ids of each service's containers. Another `up` after an edit gives others.
    services: BTreeMap<ServiceName, BTreeSet<String>>,
    /// Ids of the project's networks.
    networks: BTreeSet<String>,
    /// What the files were read from, and by which Compose.
    #[serde(default)]
    inputs: Option<String>,
    #[serde(default)]
    program: Vec<String>,
    /// Without environments: a password stays where the project keeps it.
    #[serde(default)]
    model: Model,
}

/// One hash for all that Compose reads: its files with every variable and env file resolved, for this Compose.
pub(super) fn description(printed: &str, choice: &Choice) -> String {
    let mut hash = Sha256::new();
    choice.program.iter().for_each(|word| hash.update(format!("{word} ")));
    hash.update(printed);
    hex(&hash.finalize())
}

/// Writes down what is there now as made from the present description.
///
/// # Errors
/// The engine does not answer, or the state folder is full.
pub(super) fn write(context: &Context<'_>) -> Result<(), Fault> {
    let Some(described) = &context.engine.described else { return Ok(()) };
    let filter = format!("label={PROJECT}={}", context.engine.compose.project);
    let now = inspect::containers(std::slice::from_ref(&filter))?;
    let networks =
        ask("the networks were not listed", ["network", "ls", "-q", "--no-trunc", "--filter", &filter])?;
    let made = Made {
        described: described.hash.clone(),
        services: ids(now.iter().map(|one| &one.container)),
        networks: networks.lines().map(str::to_owned).collect(),
        inputs: described.inputs.clone(),
        program: context.engine.compose.program.clone(),
        model: model(context.engine),
    };
    made.save(context.workspace)
}

/// Writes down from what the same description was read this time, where that is not what it was read from before.
///
/// # Errors
/// The state folder is full.
pub(super) fn note(context: &Context<'_>) -> Result<(), Fault> {
    let Some(described) = &context.engine.described else { return Ok(()) };
    let made = Made::of(context.workspace);
    if made.described != described.hash || made.inputs == described.inputs {
        return Ok(());
    }
    let program = context.engine.compose.program.clone();
    let made = Made { inputs: described.inputs.clone(), program, model: model(context.engine), ..made };
    made.save(context.workspace)
}

/// What the files came to when they were read last, with the hash of it: where they are read from the same, by the same
/// Compose, and every container of then is there, which knows its environment.
pub(super) fn recall(
    config: &Config,
    workspace: &Workspace,
    inputs: &str,
    choice: &Choice,
    own: &[&Container],
) -> Option<(Model, String)> {
    let made = Made::of(workspace);
    let is_there = |id: &String| own.iter().any(|one| one.id == *id);
    let runner = config.migrations.home.as_deref().and_then(|home| home.strip_prefix("service:"));
    let knows = |service: &str| made.services.keys().any(|name| name.as_str() == service);
    let same = runner.is_none_or(knows)
        && made.inputs.as_deref() == Some(inputs)
        && made.program == choice.program
        && made.services.values().flatten().all(is_there);
    same.then_some((made.model, made.described))
}

impl Made {
    /// What can't be read was never written: Compose is asked then.
    fn of(workspace: &Workspace) -> Self {
        let text = fs::read(workspace.state.join(FILE)).ok();
        text.and_then(|text| serde_json::from_slice(&text).ok()).unwrap_or_default()
    }

    fn save(&self, workspace: &Workspace) -> Result<(), Fault> {
        replace_file(&workspace.state.join(FILE), &serde_json::to_vec(self).unwrap_or_default())
    }
}

fn model(engine: &Engine) -> Model {
    let bare = |one: &Service| Service { environment: BTreeMap::new(), healthcheck: None, ..one.clone() };
    Model {
        services: engine.compose.services.iter().map(bare).collect(),
        external: engine.compose.external.clone(),
        injects: engine.compose.injects,
        volumes: engine.described.iter().flat_map(|one| one.volumes.clone()).collect(),
    }
}

/// The services whose containers Compose would leave as they are, by what our last `up` wrote down.
///
/// # Errors
/// The engine does not answer.
pub(super) fn read(
    workspace: &Workspace,
    described: &str,
    all: &[Inspected],
    networks: &[Network],
) -> Result<Vec<ServiceName>, Fault> {
    let made = Made::of(workspace);
    let networks: BTreeSet<String> = networks.iter().map(|network| network.id.clone()).collect();
    if made.described != described || !made.networks.is_subset(&networks) {
        return Ok(Vec::new());
    }
    let own: Vec<&Inspected> =
        all.iter().filter(|one| made.services.values().any(|ids| ids.contains(&one.container.id))).collect();
    let images = images(&own)?;
    let there = ids(own
        .iter()
        .filter(|one| images.get(&one.container.image) == Some(&one.image))
        .map(|one| &one.container));
    let same = |(service, ids): &(&ServiceName, &BTreeSet<String>)| there.get(*service) == Some(*ids);
    Ok(made.services.iter().filter(same).map(|(service, _)| service.clone()).collect())
}

fn ids<'a>(containers: impl Iterator<Item = &'a Container>) -> BTreeMap<ServiceName, BTreeSet<String>> {
    let mut ids: BTreeMap<ServiceName, BTreeSet<String>> = BTreeMap::new();
    for one in containers.filter(|one| !one.one_off) {
        if let Some(service) = &one.service {
            ids.entry(service.clone()).or_default().insert(one.id.clone());
        }
    }
    ids
}

/// What each image's name stands for now. One that stands for nothing is left out.
fn images(own: &[&Inspected]) -> Result<BTreeMap<String, String>, Fault> {
    let names: BTreeSet<&str> = own.iter().map(|one| one.container.image.as_str()).collect();
    let words = ["image", "inspect", "--format", "{{.Id}}"];
    if names.is_empty() {
        return Ok(BTreeMap::new());
    }
    let said = super::docker::ask_for(
        "the images were not looked at",
        words.into_iter().chain(names.iter().copied()),
    )?;
    let ids: Vec<String> = said.unwrap_or_default().lines().map(str::to_owned).collect();
    // In the order in which they were asked for, when every one is there.
    let all = ids.len() == names.len();
    Ok(names.into_iter().map(str::to_owned).zip(ids).filter(|_| all).collect())
}
