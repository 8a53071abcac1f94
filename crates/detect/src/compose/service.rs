//! A service, as far as detection asks about it.

use std::collections::BTreeMap;

use serde_json::Value;

use super::merge::scalar;

/// One service of a stack, variables replaced.
#[derive(Debug, Clone, Default)]
pub(crate) struct Service {
    pub name: String,
    pub image: Option<String>,
    /// The context's folder and the Dockerfile, from the root; `None` where nothing is built.
    pub build: Option<Build>,
    pub command: Option<String>,
    pub entrypoint: Option<String>,
    /// Values of its own, those of its env files under them.
    pub environment: BTreeMap<String, String>,
    pub depends: Vec<String>,
    pub ports: Vec<Port>,
    pub mounts: Vec<Mount>,
    pub profiles: Vec<String>,
    /// What other containers may call it beside its name.
    pub aliases: Vec<String>,
    /// Other services extend it.
    pub is_base: bool,
    pub host_network: bool,
    /// The service whose network it lives in: `network_mode: service:db`.
    pub joins: Option<String>,
    pub healthcheck: Value,
}

#[derive(Debug, Clone, Default)]
pub(crate) struct Build {
    pub context: String,
    pub dockerfile: Option<String>,
    pub target: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Port {
    pub target: u16,
    pub published: Option<u16>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Mount {
    pub kind: Kind,
    /// A volume's key or a path; empty where nothing is named.
    pub source: String,
    pub target: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Volume,
    Bind,
    Tmpfs,
}

impl Service {
    pub fn read(name: &str, value: &Value) -> Self {
        let list = |key: &str| value.get(key).and_then(Value::as_array).cloned().unwrap_or_default();
        let keys = |key: &str| -> Vec<String> {
            value
                .get(key)
                .and_then(Value::as_object)
                .into_iter()
                .flatten()
                .map(|(name, _)| name.clone())
                .collect()
        };
        let environment = value.get("environment").and_then(Value::as_object).into_iter().flatten();
        let mut aliases: Vec<String> = ["container_name", "hostname"]
            .iter()
            .filter_map(|key| value.get(*key).and_then(scalar))
            .collect();
        let networks = value.get("networks").and_then(Value::as_object).into_iter().flatten();
        let given = networks.filter_map(|(_, network)| network.get("aliases")?.as_array()).flatten();
        aliases.extend(given.filter_map(scalar));
        let mut mounts: Vec<Mount> = list("volumes").iter().filter_map(mount).collect();
        let tmpfs = match value.get("tmpfs") {
            Some(Value::Array(paths)) => paths.iter().filter_map(scalar).collect(),
            Some(path) => scalar(path).into_iter().collect(),
            None => Vec::new(),
        };
        mounts.extend(tmpfs.iter().map(|path| Mount {
            kind: Kind::Tmpfs,
            source: String::new(),
            target: path.split(':').next().unwrap_or_default().to_owned(),
        }));
        Self {
            name: name.to_owned(),
            image: value.get("image").and_then(scalar).filter(|image| !image.is_empty()),
            build: value.get("build").map(|build| Build {
                context: build.get("context").and_then(scalar).unwrap_or_default(),
                dockerfile: build.get("dockerfile").and_then(scalar),
                target: build.get("target").and_then(scalar),
            }),
            command: value.get("command").and_then(sentence),
            entrypoint: value.get("entrypoint").and_then(sentence),
            environment: environment
                .filter_map(|(name, value)| Some((name.clone(), scalar(value)?)))
                .collect(),
            depends: [keys("depends_on"), list("links").iter().filter_map(link).collect()].concat(),
            ports: list("ports").iter().filter_map(port).collect(),
            mounts,
            profiles: list("profiles").iter().filter_map(scalar).collect(),
            aliases,
            is_base: false,
            host_network: value.get("network_mode").and_then(Value::as_str) == Some("host"),
            joins: value
                .get("network_mode")
                .and_then(Value::as_str)
                .and_then(|mode| mode.strip_prefix("service:"))
                .map(str::to_owned),
            healthcheck: value.get("healthcheck").cloned().unwrap_or_default(),
        }
    }

    /// A variable's value; an empty one counts as none, as the images' own scripts have it.
    pub fn variable(&self, names: &[&str]) -> Option<&str> {
        let value =
            |name: &&str| self.environment.get(*name).map(String::as_str).filter(|value| !value.is_empty());
        names.iter().find_map(value)
    }

    /// Whether something calls itself, or is called, by this service's name.
    pub fn is_called(&self, host: &str) -> bool {
        self.name == host || self.aliases.iter().any(|alias| alias == host)
    }
}

/// `command` and `entrypoint` as one text.
fn sentence(value: &Value) -> Option<String> {
    match value {
        Value::Array(words) => Some(words.iter().filter_map(scalar).collect::<Vec<_>>().join(" ")),
        value => scalar(value),
    }
}

fn link(value: &Value) -> Option<String> {
    scalar(value)?.split(':').next().map(str::to_owned)
}

/// `127.0.0.1:5433:5432/tcp`, `5432`, `{target, published}`; of a range the first.
fn port(value: &Value) -> Option<Port> {
    let first = |text: &str| text.split('-').next()?.trim().parse::<u16>().ok();
    if value.is_object() {
        let target = first(&value.get("target").and_then(scalar)?)?;
        let published = value.get("published").and_then(scalar).and_then(|text| first(&text));
        return Some(Port { target, published });
    }
    let text = scalar(value)?;
    let mut parts = text.split('/').next()?.rsplit(':');
    let target = first(parts.next()?)?;
    Some(Port { target, published: parts.next().and_then(first) })
}

/// `pgdata:/var/lib/postgresql/data:rw`, `/data`, `{type, source, target}`.
fn mount(value: &Value) -> Option<Mount> {
    let trimmed = |target: &str| {
        if target.len() > 1 { target.trim_end_matches('/').to_owned() } else { target.to_owned() }
    };
    if value.is_object() {
        let text = |key: &str| value.get(key).and_then(scalar).unwrap_or_default();
        let kind = match text("type").as_str() {
            "bind" => Kind::Bind,
            "tmpfs" => Kind::Tmpfs,
            _ => Kind::Volume,
        };
        return Some(Mount { kind, source: text("source"), target: trimmed(&text("target")) });
    }
    let text = scalar(value)?;
    let mut parts = text.split(':');
    let first = parts.next()?;
    let Some(target) = parts.next() else {
        return Some(Mount { kind: Kind::Volume, source: String::new(), target: trimmed(first) });
    };
    let kind =
        if first.starts_with(['/', '.', '~']) || first.contains('/') { Kind::Bind } else { Kind::Volume };
    Some(Mount { kind, source: first.to_owned(), target: trimmed(target) })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn ports_and_mounts_are_read_in_every_style() {
        for (given, target, published) in [
            (json!("127.0.0.1:5433:5432/tcp"), 5432, Some(5433)),
            (json!("5432"), 5432, None),
            (json!(5432), 5432, None),
            (json!("[::1]:5433:5432"), 5432, Some(5433)),
            (json!("6000-6001:5432-5433"), 5432, Some(6000)),
            (json!({ "target": 5432, "published": "15432" }), 5432, Some(15432)),
        ] {
            assert_eq!(port(&given), Some(Port { target, published }), "{given}");
        }
        for (given, kind, source, target) in [
            (json!("pg:/d/:rw"), Kind::Volume, "pg", "/d"),
            (json!("./pg:/d"), Kind::Bind, "./pg", "/d"),
            (json!("/d"), Kind::Volume, "", "/d"),
            (json!({ "type": "tmpfs", "target": "/d" }), Kind::Tmpfs, "", "/d"),
        ] {
            let expected = Mount { kind, source: source.to_owned(), target: target.to_owned() };
            assert_eq!(mount(&given), Some(expected), "{given}");
        }
    }
}
