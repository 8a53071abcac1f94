//! Where the engine is: this machine, or the one that `DOCKER_HOST` or a docker context names.

use std::env;
use std::fs;
use std::net::IpAddr;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use sha2::{Digest as _, Sha256};

use crate::workspace::hex;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Settings {
    current_context: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Context {
    endpoints: Endpoints,
}

#[derive(Deserialize)]
struct Endpoints {
    docker: Endpoint,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Endpoint {
    host: String,
}

/// The other machine that the engine is on; `None` when it is this one.
pub(crate) fn remote() -> Option<String> {
    let set = |name: &str| env::var(name).ok().filter(|value| !value.is_empty());
    let folder =
        set("DOCKER_CONFIG").map(PathBuf::from).or_else(|| Some(PathBuf::from(set("HOME")?).join(".docker")));
    let endpoint = set("DOCKER_HOST").or_else(|| endpoint(&folder?, set("DOCKER_CONTEXT")));
    machine(&endpoint?).filter(|host| !is_loopback(host))
}

/// The host that a published address is reached at from here. Nobody here reaches the loopback of another machine, and
/// what answers on ours is not it.
pub(super) fn reachable(published: &str) -> Option<String> {
    seen_from(remote(), published)
}

fn seen_from(remote: Option<String>, published: &str) -> Option<String> {
    match (published, remote) {
        ("" | "0.0.0.0" | "::", remote) => Some(remote.unwrap_or_else(|| "127.0.0.1".to_owned())),
        (host, Some(_)) if is_loopback(host) => None,
        (host, _) => Some(host.to_owned()),
    }
}

fn is_loopback(host: &str) -> bool {
    host == "localhost" || host.parse().is_ok_and(|ip: IpAddr| ip.is_loopback())
}

/// The endpoint of the context in use, from the client's own files: to ask the client takes longer than a reset.
fn endpoint(folder: &Path, named: Option<String>) -> Option<String> {
    let settings = || {
        let text = fs::read(folder.join("config.json")).ok()?;
        serde_json::from_slice::<Settings>(&text).ok()?.current_context
    };
    let name = named.or_else(settings).filter(|name| name != "default")?;
    let id = hex(&Sha256::digest(name));
    let text = fs::read(folder.join("contexts/meta").join(id).join("meta.json")).ok()?;
    Some(serde_json::from_slice::<Context>(&text).ok()?.endpoints.docker.host)
}

/// The machine of `tcp://host:2375` or `ssh://user@host`; `None` for a socket of this one.
fn machine(endpoint: &str) -> Option<String> {
    let (scheme, rest) = endpoint.split_once("://")?;
    let place = rest.split('/').next()?.rsplit('@').next()?;
    let name = match place.strip_prefix('[') {
        Some(six) => six.split(']').next()?,
        None => place.split(':').next()?,
    };
    (matches!(scheme, "tcp" | "ssh" | "http" | "https") && !name.is_empty()).then(|| name.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_loopback_of_another_machine_is_not_ours() {
        let there = || Some("build.example".to_owned());
        for (remote, published, found) in [
            (None, "0.0.0.0", Some("127.0.0.1")),
            (None, "127.0.0.1", Some("127.0.0.1")),
            (there(), "0.0.0.0", Some("build.example")),
            (there(), "::", Some("build.example")),
            (there(), "127.0.0.1", None),
            (there(), "::1", None),
            (there(), "10.0.0.7", Some("10.0.0.7")),
        ] {
            assert_eq!(seen_from(remote, published).as_deref(), found, "{published}");
        }
    }

    #[test]
    fn an_endpoint_names_a_machine_or_a_socket() {
        for (endpoint, found) in [
            ("tcp://10.0.0.7:2375", Some("10.0.0.7")),
            ("ssh://dev@build.example", Some("build.example")),
            ("tcp://[fd00::7]:2376/x", Some("fd00::7")),
            ("unix:///var/run/docker.sock", None),
            ("npipe:////./pipe/docker_engine", None),
        ] {
            assert_eq!(machine(endpoint).as_deref(), found, "{endpoint}");
        }
    }

    #[test]
    fn a_context_is_read_from_the_clients_own_files() {
        let folder = tempfile::tempdir().unwrap();
        // As `docker context create far --docker host=tcp://10.0.0.7:2375` leaves it.
        let meta = folder.path().join("contexts/meta").join(hex(&Sha256::digest("far")));
        fs::create_dir_all(&meta).unwrap();
        let text = r#"{"Name":"far","Metadata":{},"Endpoints":{"docker":{"Host":"tcp://10.0.0.7:2375","SkipTLSVerify":false}}}"#;
        fs::write(meta.join("meta.json"), text).unwrap();

        assert_eq!(endpoint(folder.path(), Some("far".to_owned())).as_deref(), Some("tcp://10.0.0.7:2375"));
        assert_eq!(endpoint(folder.path(), None), None);
        fs::write(folder.path().join("config.json"), r#"{"auths":{},"currentContext":"far"}"#).unwrap();
        assert_eq!(endpoint(folder.path(), None).as_deref(), Some("tcp://10.0.0.7:2375"));
        assert_eq!(endpoint(folder.path(), Some("default".to_owned())), None);
    }
}
