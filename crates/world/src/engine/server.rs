//! The Postgres among the services: which one it is, and how to reach it.

use std::collections::BTreeMap;

use detect::is_postgres;
use plan::{
    Config, Container, DatabaseName, Engine, Exit, Fault, Kind, Outside, RoleName, Secret, Server,
    ServerState, Service, ServiceName, Stack, Workspace, guard, stack, words,
};

use super::Context;
use super::docker::{ask_for, docker};
use super::place;

/// The port that Postgres listens on inside its container, unless the container's environment says otherwise.
const PORT: u16 = 5432;

/// An image that was built here has a name of its own, and the variables of the image it was built from.
fn runs_postgres(container: &Container) -> bool {
    let has = |name: &str| container.environment.contains_key(name);
    is_postgres(&container.image) || has("PG_MAJOR") && has("PGDATA")
}

/// The database's service where a container of it is there.
pub(super) fn service_of<'a>(config: &Config, own: &[&'a Container]) -> Option<&'a ServiceName> {
    let wanted = config.database.service.as_deref();
    let mut services = own.iter().filter(|container| {
        !container.one_off
            && match wanted {
                Some(wanted) => container.service.as_ref().is_some_and(|service| service.as_str() == wanted),
                None => runs_postgres(container),
            }
    });
    services.find_map(|container| container.service.as_ref())
}

/// The one service that runs Postgres, if there is one.
///
/// # Errors
/// Several could be it, or the configured one does not exist.
pub(super) fn service(
    config: &Config,
    services: &[Service],
    own: &[&Container],
) -> Result<Option<ServiceName>, Fault> {
    if let Some(name) = &config.database.service {
        return if services.is_empty() {
            ServiceName::new(name.clone()).map(Some).map_err(|bad| Fault::new(Exit::Usage, bad.to_string()))
        } else {
            guard::service(name, services).map(Some)
        };
    }
    let by_image = services.iter().filter(|service| service.image.as_deref().is_some_and(is_postgres));
    let mut found: Vec<&ServiceName> =
        by_image.clone().filter(|one| one.active).map(|one| &one.name).collect();
    if found.is_empty() {
        found = by_image.map(|service| &service.name).collect();
    }
    if found.is_empty() {
        let running = own.iter().filter(|container| !container.one_off && runs_postgres(container));
        found = running.filter_map(|container| container.service.as_ref()).collect();
        found.sort();
        found.dedup();
    }
    match found.as_slice() {
        [] => Ok(None),
        [one] => Ok(Some((*one).clone())),
        [first, ..] => Err(Fault::new(Exit::Usage, "several services run Postgres")
            .cause(words::list(&found))
            .state("nothing was changed")
            .hint(format!("name the one in cleanslate.toml: [database] service = \"{first}\""))),
    }
}

/// This workspace's container of a service, made by `up`.
pub(super) fn container_of<'a>(
    engine: &'a Engine,
    workspace: &Workspace,
    service: &str,
) -> Option<&'a Container> {
    let is_it = |container: &&Container| {
        !container.one_off
            && container.service.as_ref().is_some_and(|name| name.as_str() == service)
            && stack(container, &engine.compose, &workspace.root) == Stack::Ours
    };
    // A replica that runs can be asked more than one that does not.
    let mut found: Vec<&Container> = engine.containers.iter().filter(is_it).collect();
    found.sort_by_key(|container| !container.running);
    found.into_iter().next()
}

/// The name of the container that Postgres runs in.
pub(crate) fn database_container(engine: &Engine) -> Option<&str> {
    let service = engine.compose.database.as_ref()?;
    let is_it = |container: &&Container| {
        container.running
            && !container.one_off
            && container.service.as_ref() == Some(service)
            && stack(container, &engine.compose, &engine.compose.folder) == Stack::Ours
    };
    engine.containers.iter().find(is_it).map(|container| container.name.as_str())
}

/// Bytes that are free where the database's container keeps its data.
pub(crate) fn room(engine: &Engine) -> Option<u64> {
    let container = database_container(engine)?;
    let asked = docker(["exec", container, "sh", "-c", "df -Pk \"$PGDATA\""]).output().ok()?;
    let kibibytes = asked.stdout.lines().nth(1)?.split_whitespace().nth(3)?.parse::<u64>().ok()?;
    Some(kibibytes.saturating_mul(1024))
}

/// A variable as a service's container has it, else as the files give it.
pub(crate) fn variable(context: &Context<'_>, service: &str, variable: &str) -> Option<Secret> {
    environment(context.engine, context.workspace, service).get(variable).cloned()
}

fn environment(engine: &Engine, workspace: &Workspace, service: &str) -> BTreeMap<String, Secret> {
    let described = || {
        let service = engine.compose.services.iter().find(|described| described.name.as_str() == service)?;
        Some(service.environment.clone())
    };
    let container = container_of(engine, workspace, service).map(|container| container.environment.clone());
    container.or_else(described).unwrap_or_default()
}

/// The server in the database's service; `None` where no service runs Postgres. Its version, identifier and databases
/// are for those who connect.
///
/// # Errors
/// A name that Postgres would not take.
pub(crate) fn server(
    config: &Config,
    workspace: &Workspace,
    engine: &Engine,
) -> Result<Option<Server>, Fault> {
    let Some(service) = &engine.compose.database else { return Ok(None) };
    let container = container_of(engine, workspace, service.as_str());
    let environment = environment(engine, workspace, service.as_str());
    let value = |names: [&str; 2]| {
        let direct = names.iter().find_map(|name| environment.get(*name)).filter(|value| !value.is_empty());
        direct.cloned().or_else(|| {
            let file = names.iter().find_map(|name| environment.get(&format!("{name}_FILE")))?;
            in_file(container.filter(|container| container.running)?, file.reveal())
        })
    };
    let bad = |bad: plan::BadName| {
        Fault::new(Exit::Usage, format!("service `{service}` names something that Postgres would not take"))
            .cause(bad.to_string())
            .state("nothing was changed")
            .hint("set it in cleanslate.toml: [database] name, user")
    };
    let user = config.database.user.clone();
    let user =
        user.or_else(|| value(["POSTGRES_USER", "POSTGRESQL_USERNAME"]).map(|user| user.reveal().to_owned()));
    let user = user.unwrap_or_else(|| "postgres".to_owned());
    let name = config.database.name.clone();
    let name =
        name.or_else(|| value(["POSTGRES_DB", "POSTGRESQL_DATABASE"]).map(|name| name.reveal().to_owned()));
    let name = DatabaseName::new(name.unwrap_or_else(|| user.clone())).map_err(bad)?;
    let maintenance = if name.as_str() == "postgres" { "cleanslate" } else { "postgres" };
    let port = value(["PGPORT", "POSTGRESQL_PORT_NUMBER"]).and_then(|port| port.reveal().parse().ok());
    let described = engine.compose.services.iter().find(|described| described.name == *service);
    let ports =
        container.map(|container| &container.ports).or_else(|| described.map(|service| &service.ports));
    Ok(Some(Server {
        kind: Kind::Compose,
        state: match container {
            Some(container) if container.running => ServerState::Running,
            Some(_) => ServerState::Stopped,
            None => ServerState::Absent,
        },
        address: ports.and_then(|ports| ports.get(&port.unwrap_or(PORT)).cloned()),
        user: RoleName::new(user).map_err(bad)?,
        password: value(["POSTGRES_PASSWORD", "POSTGRESQL_PASSWORD"]).unwrap_or_default(),
        name,
        maintenance: DatabaseName::new(maintenance).map_err(bad)?,
        system_identifier: String::new(),
        version: String::new(),
        standby: false,
        outside: Outside::default(),
        databases: Vec::new(),
    }))
}

/// What a file inside a container holds: a secret that Compose mounted.
fn in_file(container: &Container, file: &str) -> Option<Secret> {
    let words = ["exec", container.name.as_str(), "cat", file];
    let text = ask_for("the secret was not read", words).ok().flatten()?;
    Some(Secret::new(text.trim_end_matches(['\r', '\n'])))
}

/// The fault for a database whose port nobody outside its network reaches.
pub(crate) fn unreachable(engine: &Engine) -> Fault {
    let service = engine.compose.database.as_ref().map_or("postgres", |service| service.as_str());
    if let Some(machine) = place::remote() {
        return Fault::new(
            Exit::NotReady,
            format!("service `{service}` publishes no port that is reached from here"),
        )
        .cause(format!("the engine is on {machine}: what it publishes on its own loopback stays there"))
        .hint(format!("publish it to `{service}`'s network in the compose file: ports: [\"5432:5432\"]"));
    }
    Fault::new(Exit::NotReady, format!("service `{service}` publishes no port"))
        .cause("nobody outside its network reaches it")
        .hint(format!("add to `{service}` in the compose file: ports: [\"127.0.0.1:5432:5432\"]"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn images_of_postgres_are_told_from_their_companions() {
        for image in [
            "postgres",
            "postgres:17-alpine",
            "docker.io/library/postgres:16@sha256:aaaa",
            "localhost:5000/postgis/postgis:16-3.4",
            "timescale/timescaledb:latest-pg16",
            "pgvector/pgvector:pg17",
            "bitnami/postgresql:16",
            "supabase/postgres:15.1",
            "ghcr.io/acme/postgres-ext:3",
        ] {
            assert!(is_postgres(image), "{image}");
        }
        for image in [
            "prometheuscommunity/postgres-exporter",
            "dpage/pgadmin4",
            "edoburu/pgbouncer",
            "postgrest/postgrest",
            "prodrigestivill/postgres-backup-local",
            "redis:7",
            "postgres/app:1",
        ] {
            assert!(!is_postgres(image), "{image}");
        }
    }

    fn described(name: &str, image: &str, active: bool) -> Service {
        Service {
            name: ServiceName::new(name).unwrap(),
            image: Some(image.to_owned()),
            active,
            depends: Vec::new(),
            environment: BTreeMap::new(),
            ports: BTreeMap::new(),
            mounts: Vec::new(),
            healthcheck: None,
        }
    }

    #[test]
    fn several_servers_are_named() {
        let services = [described("a", "postgres:16", true), described("b", "postgis/postgis", true)];

        let fault = service(&Config::default(), &services, &[]).unwrap_err();

        assert_eq!(fault.exit, Exit::Usage);
        assert_eq!(fault.cause.as_deref(), Some("`a` and `b`"));
    }

    #[test]
    fn one_that_no_profile_switches_off_wins() {
        let services = [described("test-db", "postgres:16", false), described("db", "postgres:16", true)];

        assert_eq!(service(&Config::default(), &services, &[]).unwrap().unwrap().as_str(), "db");
    }

    #[test]
    fn a_mistyped_service_gets_the_nearest_name() {
        let mut config = Config::default();
        config.database.service = Some("postgers".to_owned());

        let fault = service(&config, &[described("postgres", "postgres:16", true)], &[]).unwrap_err();

        assert_eq!((fault.exit, fault.hint.as_deref()), (Exit::Usage, Some("did you mean `postgres`?")));
    }
}
