//! The compose files as Compose itself reads them: what `compose config` prints, from v1 and v2.

use std::collections::BTreeMap;

use plan::{
    Address, Condition, Dependency, Exit, Fault, Healthcheck, Mount, MountKind, Secret, Service, ServiceName,
    VolumeName,
};
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// What the files describe.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Model {
    pub services: Vec<Service>,
    pub external: Vec<VolumeName>,
    /// A secret or config comes from the environment or from the files' own text, or a service has a hook after its
    /// start.
    pub injects: bool,
    /// Every named volume of the files, external ones too.
    pub volumes: Vec<VolumeName>,
}

#[derive(Deserialize)]
struct Printed {
    #[serde(default)]
    services: BTreeMap<String, Option<PrintedService>>,
    #[serde(default)]
    volumes: BTreeMap<String, Option<PrintedVolume>>,
    #[serde(default)]
    secrets: BTreeMap<String, Value>,
    #[serde(default)]
    configs: BTreeMap<String, Value>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct PrintedService {
    image: Option<String>,
    profiles: Vec<String>,
    depends_on: Value,
    environment: Value,
    ports: Vec<Value>,
    volumes: Vec<Value>,
    post_start: Vec<Value>,
    healthcheck: Value,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct PrintedVolume {
    name: Option<String>,
    external: Value,
}

impl Model {
    /// Reads what `compose config` printed for `project`, with these profiles switched on.
    ///
    /// # Errors
    /// It is not what Compose prints.
    pub fn read(printed: &str, project: &str, profiles: &[String]) -> Result<Self, Fault> {
        let odd = |why: String| {
            Fault::new(Exit::Failed, "what `compose config` prints is not understood").cause(why)
        };
        // By way of one plain value: a YAML reader made anew for each of our types makes a binary larger.
        let value: Value = serde_saphyr::from_str(printed).map_err(|why| odd(why.to_string()))?;
        let printed: Printed = serde_json::from_value(value).map_err(|why| odd(why.to_string()))?;
        let mut names = BTreeMap::new();
        let is_injected =
            |source: &Value| source.get("environment").is_some() || source.get("content").is_some();
        let hooks =
            |service: &Option<PrintedService>| service.as_ref().is_some_and(|one| !one.post_start.is_empty());
        let injects = printed.secrets.values().chain(printed.configs.values()).any(is_injected)
            || printed.services.values().any(hooks);
        let mut model = Self { injects, ..Self::default() };
        for (key, volume) in printed.volumes {
            let volume = volume.unwrap_or_default();
            let external = is_external(&volume.external);
            let own = volume.external.get("name").and_then(Value::as_str).map(str::to_owned).or(volume.name);
            let name = own.unwrap_or_else(|| if external { key.clone() } else { format!("{project}_{key}") });
            if let Ok(name) = VolumeName::new(name) {
                model.volumes.push(name.clone());
                if external {
                    model.external.push(name.clone());
                }
                names.insert(key, name);
            }
        }
        for (name, service) in printed.services {
            let name = ServiceName::new(name).map_err(|bad| Fault::new(Exit::Usage, bad.to_string()))?;
            model.services.push(service.unwrap_or_default().read(name, &names, profiles));
        }
        Ok(model)
    }
}

/// `true`, or v1's older `{name: …}`.
fn is_external(external: &Value) -> bool {
    external.as_bool().unwrap_or(external.is_object())
}

impl PrintedService {
    fn read(self, name: ServiceName, volumes: &BTreeMap<String, VolumeName>, profiles: &[String]) -> Service {
        let active = self.profiles.is_empty()
            || self.profiles.iter().any(|profile| profiles.iter().any(|on| on == profile || on == "*"));
        Service {
            name,
            image: self.image,
            active,
            depends: dependencies(&self.depends_on),
            environment: environment(&self.environment),
            ports: self.ports.iter().filter_map(port).collect(),
            mounts: self.volumes.iter().filter_map(|volume| mount(volume, volumes)).collect(),
            healthcheck: healthcheck(&self.healthcheck),
        }
    }
}

fn dependencies(printed: &Value) -> Vec<Dependency> {
    let dependency = |name: &str, how: &Value| {
        let condition = match how.get("condition").and_then(Value::as_str) {
            Some("service_healthy") => Condition::Healthy,
            Some("service_completed_successfully") => Condition::Completed,
            _ => Condition::Started,
        };
        let required = how.get("required").and_then(Value::as_bool).unwrap_or(true);
        ServiceName::new(name).ok().map(|service| Dependency { service, condition, required })
    };
    match printed {
        Value::Array(names) => {
            names.iter().filter_map(|name| dependency(name.as_str()?, &Value::Null)).collect()
        }
        Value::Object(by_name) => by_name.iter().filter_map(|(name, how)| dependency(name, how)).collect(),
        _ => Vec::new(),
    }
}

/// A test that is no list is a line for the shell. Without an interval it is Docker's own: 30 s.
fn healthcheck(printed: &Value) -> Option<Healthcheck> {
    let off = printed.get("disable").and_then(Value::as_bool) == Some(true);
    let fields = printed.as_object().filter(|_| !off)?;
    let test = match fields.get("test") {
        Some(Value::Array(words)) => words.iter().filter_map(scalar).collect(),
        Some(Value::String(line)) => vec!["CMD-SHELL".to_owned(), line.clone()],
        _ => Vec::new(),
    };
    let interval = fields.get("interval").and_then(Value::as_str).and_then(seconds);
    Some(Healthcheck { test, interval: interval.unwrap_or(30) })
}

/// `1m30s` in seconds, at least one.
fn seconds(text: &str) -> Option<u64> {
    let mut total = 0.0;
    let mut rest = text;
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit() && c != '.')?;
        let (number, after) = rest.split_at(digits);
        let letters = after.find(|c: char| c.is_ascii_digit()).unwrap_or(after.len());
        let (unit, after) = after.split_at(letters);
        let factor = match unit {
            "h" => 3600.0,
            "m" => 60.0,
            "s" => 1.0,
            _ => 0.0,
        };
        total += number.parse::<f64>().ok()? * factor;
        rest = after;
    }
    Some(std::time::Duration::try_from_secs_f64(total).ok()?.as_secs().max(1))
}

/// `config` writes a dollar as two.
fn environment(printed: &Value) -> BTreeMap<String, Secret> {
    let value = |text: String| Secret::new(text.replace("$$", "$"));
    match printed {
        Value::Object(pairs) => {
            pairs.iter().filter_map(|(name, printed)| Some((name.clone(), value(scalar(printed)?)))).collect()
        }
        Value::Array(pairs) => pairs
            .iter()
            .filter_map(|pair| pair.as_str()?.split_once('='))
            .map(|(name, text)| (name.to_owned(), value(text.to_owned())))
            .collect(),
        _ => BTreeMap::new(),
    }
}

fn scalar(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(truth) => Some(truth.to_string()),
        _ => None,
    }
}

/// v2's `{target, published, host_ip}`; v1's `127.0.0.1:15999:5432/tcp`.
fn port(printed: &Value) -> Option<(u16, Address)> {
    let (target, published, host) = match printed {
        Value::Object(parts) => {
            let number = |key: &str| scalar(parts.get(key)?)?.parse::<u16>().ok();
            (
                number("target")?,
                number("published")?,
                parts.get("host_ip").and_then(scalar).unwrap_or_default(),
            )
        }
        printed => {
            let text = scalar(printed)?;
            let text = text.split('/').next()?.to_owned();
            let (before, target) = text.rsplit_once(':')?;
            let (host, published) = before.rsplit_once(':').unwrap_or(("", before));
            (target.parse().ok()?, published.parse().ok()?, host.to_owned())
        }
    };
    Some((target, Address { host: super::place::reachable(&host)?, port: published }))
}

/// v2's `{type, source, target}`; v1's `pgdata:/var/lib/postgresql/data:rw`.
fn mount(printed: &Value, volumes: &BTreeMap<String, VolumeName>) -> Option<Mount> {
    let (kind, source, target) = match printed {
        Value::Object(parts) => {
            let text = |key: &str| parts.get(key).and_then(Value::as_str).unwrap_or_default().to_owned();
            (text("type"), text("source"), text("target"))
        }
        printed => {
            let text = printed.as_str()?;
            let mut parts = text.split(':');
            match (parts.next()?, parts.next()) {
                (target, None) => ("volume".to_owned(), String::new(), target.to_owned()),
                (source, Some(target)) => {
                    let kind = if source.starts_with(['/', '.', '~']) { "bind" } else { "volume" };
                    (kind.to_owned(), source.to_owned(), target.to_owned())
                }
            }
        }
    };
    let kind = match kind.as_str() {
        "volume" => MountKind::Volume,
        "tmpfs" => MountKind::Tmpfs,
        _ => MountKind::Bind,
    };
    let source =
        volumes.get(&source).filter(|_| kind == MountKind::Volume).map_or(source, ToString::to_string);
    Some(Mount { kind, source, target })
}

#[cfg(test)]
mod tests {
    use super::*;

    const V2: &str = r#"
name: shop
services:
  api:
    profiles: [x]
    depends_on: {db: {condition: service_healthy, required: true}}
    environment: {A: b$$c, NOPE: null}
    image: api:1
  db:
    image: postgres:17
    ports:
      - {mode: ingress, host_ip: 127.0.0.1, target: 5432, published: "15999", protocol: tcp}
      - {mode: ingress, target: 9000, protocol: tcp}
    volumes:
      - {type: volume, source: pgdata, target: /var/lib/postgresql/data, volume: {}}
      - {type: bind, source: /tmp/x, target: /b}
      - {type: volume, target: /anon, volume: {}}
volumes:
  ext: {name: evext, external: true}
  pgdata: {name: shop_pgdata}
"#;

    const V1: &str = "
services:
  api:
    depends_on: {db: {condition: service_healthy}}
    environment: {A: b$$c}
    image: api:1
    profiles: [x]
  db:
    image: postgres:17
    ports: ['127.0.0.1:15999:5432/tcp', {target: 9000}]
    volumes: ['pgdata:/var/lib/postgresql/data:rw', '/tmp/x:/b:rw', /anon]
version: '3.9'
volumes:
  ext: {external: true, name: evext}
  pgdata: {}
";

    #[test]
    fn both_composes_say_the_same() {
        let (v2, v1) = (Model::read(V2, "shop", &[]).unwrap(), Model::read(V1, "shop", &[]).unwrap());

        assert_eq!(v1.services, v2.services);
        assert_eq!((&v1.external, &v1.volumes), (&v2.external, &v2.volumes));
    }

    #[test]
    fn a_service_is_read_whole() {
        let model = Model::read(V2, "shop", &[]).unwrap();

        let [api, db] = model.services.as_slice() else { panic!("{model:?}") };
        assert!(!api.active && db.active);
        assert_eq!(api.depends[0].condition, Condition::Healthy);
        assert_eq!(api.environment["A"].reveal(), "b$c");
        assert_eq!(db.ports[&5432].to_string(), "127.0.0.1:15999");
        assert_eq!(db.mounts[0].source, "shop_pgdata");
        assert_eq!((db.mounts[1].kind, db.mounts[2].source.as_str()), (MountKind::Bind, ""));
        assert_eq!(model.external[0].as_str(), "evext");
    }

    #[test]
    fn an_interval_is_read_as_compose_writes_it() {
        for (text, found) in [("30s", 30), ("1m30s", 90), ("2h0m0s", 7200), ("500ms", 1)] {
            assert_eq!(seconds(text), Some(found), "{text}");
        }
        assert_eq!(seconds("soon"), None);
        assert_eq!(healthcheck(&serde_json::json!({"test": "true"})).unwrap().interval, 30);
        assert_eq!(healthcheck(&serde_json::json!({"disable": true})), None);
    }

    #[test]
    fn a_profile_switches_a_service_on() {
        assert!(Model::read(V2, "shop", &["x".to_owned()]).unwrap().services[0].active);
    }
}
