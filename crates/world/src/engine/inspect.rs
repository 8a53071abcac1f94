//! What `docker inspect` tells about containers, volumes and networks.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use plan::{
    Address, Container, ContainerName, Exit, Fault, Health, Mount, MountKind, Secret, ServiceName, Volume,
    VolumeName,
};
use serde::Deserialize;

use super::docker::{ANSWER, docker, fault};
use super::place;
use crate::program::Run;

/// A container, and what else of it the engine code needs.
#[derive(Debug, Clone)]
pub(super) struct Inspected {
    pub container: Container,
    /// The image by its digest: it is there even when its name was given to another one.
    pub image: String,
    /// Names of the networks it is in.
    pub networks: Vec<String>,
    /// One of our own short-lived ones.
    pub helps: bool,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Raw {
    id: String,
    name: String,
    image: String,
    state: RawState,
    config: RawConfig,
    #[serde(default)]
    host_config: RawHost,
    #[serde(default)]
    mounts: Vec<RawMount>,
    #[serde(default)]
    network_settings: RawNetworks,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct RawState {
    running: bool,
    #[serde(default)]
    exit_code: i64,
    health: Option<RawHealth>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct RawHealth {
    status: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct RawConfig {
    image: String,
    env: Option<Vec<String>>,
    labels: Option<BTreeMap<String, String>>,
    healthcheck: Option<RawHealthcheck>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct RawHealthcheck {
    test: Option<Vec<String>>,
}

type Bindings = BTreeMap<String, Option<Vec<RawBinding>>>;

#[derive(Deserialize, Default)]
#[serde(rename_all = "PascalCase", default)]
struct RawHost {
    port_bindings: Option<Bindings>,
    tmpfs: Option<BTreeMap<String, String>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct RawBinding {
    #[serde(default)]
    host_ip: String,
    #[serde(default)]
    host_port: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct RawMount {
    r#type: String,
    #[serde(default)]
    name: String,
    #[serde(default)]
    source: String,
    destination: String,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "PascalCase", default)]
struct RawNetworks {
    ports: Option<Bindings>,
    networks: Option<BTreeMap<String, RawEndpoint>>,
}

#[derive(Deserialize)]
struct RawEndpoint {
    #[serde(rename = "IPAddress", default)]
    address: String,
    #[serde(rename = "GlobalIPv6Address", default)]
    address_v6: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct RawVolume {
    name: String,
    #[serde(default)]
    created_at: String,
    driver: String,
    labels: Option<BTreeMap<String, String>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct RawNetwork {
    pub name: String,
    pub id: String,
    pub labels: Option<BTreeMap<String, String>>,
}

/// Containers that `docker ps` lists with these filters, all states.
///
/// # Errors
/// The engine does not answer.
pub(super) fn containers(filters: &[String]) -> Result<Vec<Inspected>, Fault> {
    let mut words = vec!["ps", "-aq", "--no-trunc"];
    for filter in filters {
        words.extend(["--filter", filter]);
    }
    let listed = super::docker::ask("the containers were not listed", words)?;
    by_id(listed.split_whitespace().map(str::to_owned).collect())
}

/// Containers by id; one that is not there is left out.
///
/// # Errors
/// The engine does not answer.
pub(super) fn by_id(ids: Vec<String>) -> Result<Vec<Inspected>, Fault> {
    let raws: Vec<Raw> = inspect("inspect", ids)?;
    raws.into_iter().map(read).collect()
}

/// Volumes by name; one that is not there is left out.
///
/// # Errors
/// The engine does not answer.
pub(super) fn volumes(names: Vec<String>) -> Result<Vec<Volume>, Fault> {
    let raws: Vec<RawVolume> = inspect("volume inspect", names)?;
    raws.into_iter()
        .map(|raw| {
            let labels = raw.labels.unwrap_or_default();
            let name = VolumeName::new(raw.name).map_err(|bad| odd(&bad))?;
            let made_up = name.is_made_up() && !labels.contains_key(PROJECT);
            Ok(Volume {
                name,
                anonymous: made_up || labels.contains_key("com.docker.volume.anonymous"),
                created: raw.created_at,
                labels,
                driver: raw.driver,
                bytes: None,
                last_write: None,
                recorded: false,
                half: false,
            })
        })
        .collect()
}

/// Networks by id; one that is not there is left out.
///
/// # Errors
/// The engine does not answer.
pub(super) fn networks(ids: Vec<String>) -> Result<Vec<RawNetwork>, Fault> {
    inspect("network inspect", ids)
}

pub(super) const PROJECT: &str = "com.docker.compose.project";

/// What is removed by somebody else between listing and inspecting is left out.
fn inspect<T: for<'a> Deserialize<'a>>(command: &str, mut names: Vec<String>) -> Result<Vec<T>, Fault> {
    while !names.is_empty() {
        let words = command.split(' ').chain(std::iter::once("--")).chain(names.iter().map(String::as_str));
        match docker(words).deadline(ANSWER).output() {
            Ok(spoken) => {
                return serde_json::from_str(&spoken.stdout).map_err(|why| {
                    Fault::new(Exit::Failed, format!("what `docker {command}` prints is not understood"))
                        .cause(why.to_string())
                });
            }
            Err(Run::Failed { said, .. }) if names.iter().any(|name| is_gone(&said, name)) => {
                names.retain(|name| !is_gone(&said, name));
            }
            Err(run) => return Err(fault(&run, format!("`docker {command}` failed"))),
        }
    }
    Ok(Vec::new())
}

/// `No such object: NAME`, `get NAME: no such volume`, `network NAME not found`, in whichever case.
fn is_gone(said: &str, name: &str) -> bool {
    said.lines().any(|line| {
        let lower = line.to_lowercase();
        (lower.contains("no such") || lower.contains("not found"))
            && line.split([' ', ':', '"']).any(|word| word == name)
    })
}

fn read(raw: Raw) -> Result<Inspected, Fault> {
    let labels = raw.config.labels.unwrap_or_default();
    let label = |key: &str| labels.get(&format!("com.docker.compose.{key}")).cloned();
    let working_dir =
        label("project.working_dir").map(PathBuf::from).map(|path| path.canonicalize().unwrap_or(path));
    let config_files = label("project.config_files").unwrap_or_default();
    let ports = raw.network_settings.ports.filter(|_| raw.state.running).or(raw.host_config.port_bindings);
    let networks = raw.network_settings.networks.unwrap_or_default();
    let container = Container {
        id: raw.id,
        name: ContainerName::new(raw.name.trim_start_matches('/')).map_err(|bad| odd(&bad))?,
        service: label("service").and_then(|name| ServiceName::new(name).ok()),
        project: label("project"),
        config_files: resolved(&config_files, working_dir.as_deref()),
        working_dir,
        compose_version: label("version"),
        one_off: label("oneoff").is_some_and(|value| value.eq_ignore_ascii_case("true")),
        image: raw.config.image,
        running: raw.state.running,
        health: raw.state.health.map_or(Health::None, |health| match health.status.as_str() {
            "starting" => Health::Starting,
            "healthy" => Health::Healthy,
            "unhealthy" => Health::Unhealthy,
            _ => Health::None,
        }),
        exit_code: raw.state.exit_code,
        mounts: mounts(raw.mounts, raw.host_config.tmpfs.unwrap_or_default()),
        ports: ports.map(published).unwrap_or_default(),
        addresses: networks
            .values()
            .flat_map(|endpoint| [endpoint.address.clone(), endpoint.address_v6.clone()])
            .filter(|address| !address.is_empty())
            .collect(),
        environment: environment(&raw.config.env.unwrap_or_default()),
        healthcheck: healthcheck(raw.config.healthcheck),
    };
    let helps = labels.contains_key(super::volumes::label::HELPER);
    Ok(Inspected { container, image: raw.image, networks: networks.into_keys().collect(), helps })
}

fn odd(bad: &plan::BadName) -> Fault {
    Fault::new(Exit::Failed, "the engine names something as it can't").cause(bad.to_string())
}

/// The files as labelled, links resolved. v1 labels them relative to the folder it was started in, which no label
/// tells: the first file lies in the project's folder, the others are looked for there and above.
fn resolved(label: &str, working_dir: Option<&Path>) -> Vec<PathBuf> {
    let files = label.split(',').filter(|file| !file.is_empty()).map(Path::new);
    let found = |file: &Path| {
        let folder = working_dir.unwrap_or(Path::new("/"));
        let beside = file.file_name().map(|name| folder.join(name)).filter(|_| file.is_relative());
        let above = folder.ancestors().map(|above| above.join(file));
        let mut candidates = above.chain(beside);
        let there = candidates.find_map(|path| path.canonicalize().ok());
        there.unwrap_or_else(|| folder.join(file))
    };
    let files: Vec<PathBuf> = files.map(found).collect();
    // One that is gone now says nothing: Compose does not label anew what it need not make anew.
    let there: Vec<PathBuf> = files.iter().filter(|file| file.exists()).cloned().collect();
    if files.first().is_some_and(|file| file.exists()) { there } else { files }
}

fn mounts(raw: Vec<RawMount>, tmpfs: BTreeMap<String, String>) -> Vec<Mount> {
    let mounted = raw.into_iter().map(|mount| {
        let (kind, source) = match mount.r#type.as_str() {
            "volume" => (MountKind::Volume, mount.name),
            "tmpfs" => (MountKind::Tmpfs, String::new()),
            _ => (MountKind::Bind, mount.source),
        };
        Mount { kind, source, target: mount.destination }
    });
    let in_memory =
        tmpfs.into_keys().map(|target| Mount { kind: MountKind::Tmpfs, source: String::new(), target });
    mounted.chain(in_memory).collect()
}

fn published(bindings: Bindings) -> BTreeMap<u16, Address> {
    let mut ports = BTreeMap::new();
    for (port, bindings) in bindings {
        let Some(port) = port.strip_suffix("/tcp").and_then(|port| port.parse().ok()) else { continue };
        let address = bindings.unwrap_or_default().into_iter().find_map(|binding| {
            let port = binding.host_port.parse().ok().filter(|port| *port != 0)?;
            Some(Address { host: place::reachable(&binding.host_ip)?, port })
        });
        if let Some(address) = address {
            ports.insert(port, address);
        }
    }
    ports
}

fn environment(pairs: &[String]) -> BTreeMap<String, Secret> {
    pairs
        .iter()
        .filter_map(|pair| pair.split_once('='))
        .map(|(name, value)| (name.to_owned(), Secret::new(value)))
        .collect()
}

fn healthcheck(raw: Option<RawHealthcheck>) -> Vec<String> {
    let test = raw.and_then(|raw| raw.test).unwrap_or_default();
    if test.first().is_some_and(|word| word.starts_with("CMD")) { test } else { Vec::new() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_gone_is_told_apart_from_what_is_there() {
        assert!(is_gone("Error: No such object: abc", "abc"));
        assert!(is_gone("Error: No such volume: shop_data", "shop_data"));
        assert!(is_gone("Error response from daemon: get shop_data: no such volume", "shop_data"));
        assert!(!is_gone("Error: No such object: abcd", "abc"));
    }

    #[test]
    fn v1_files_are_found_from_the_folder_it_was_started_in() {
        let top = tempfile::tempdir().unwrap();
        let top = top.path().canonicalize().unwrap();
        let sub = top.join("sub");
        std::fs::create_dir(&sub).unwrap();
        for file in ["sub/compose.yml", "compose.extra.yml"] {
            std::fs::write(top.join(file), "").unwrap();
        }

        let files = resolved("sub/compose.yml,compose.extra.yml", Some(&sub));

        assert_eq!(files, [sub.join("compose.yml"), top.join("compose.extra.yml")]);
        assert_eq!(resolved("compose.yml", Some(&sub)), [sub.join("compose.yml")]);
    }

    #[test]
    fn an_address_for_everybody_is_reached_here() {
        let bindings = BTreeMap::from([
            (
                "5432/tcp".to_owned(),
                Some(vec![RawBinding { host_ip: "0.0.0.0".into(), host_port: "5433".into() }]),
            ),
            ("53/udp".to_owned(), Some(vec![RawBinding { host_ip: String::new(), host_port: "53".into() }])),
            ("6379/tcp".to_owned(), None),
        ]);

        let ports = published(bindings);

        assert_eq!(ports.len(), 1);
        assert_eq!(ports[&5432].to_string(), "127.0.0.1:5433");
    }
}
