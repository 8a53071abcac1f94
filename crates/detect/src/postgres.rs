//! The Postgres among the services: by its image, by what it is built from, by what it mounts; and what the image
//! makes of it: user, database, port, data directory.

use crate::compose::service::{Kind, Service};
use crate::compose::stack::Stack;
use crate::tree::{Tree, join, words};

/// What images of Postgres are called, by their last path segment.
const NAMES: [&str; 19] = [
    "postgres",
    "postgresql",
    "postgis",
    "pgvector",
    "pgvecto-rs",
    "vchord-postgres",
    "vchord",
    "timescaledb",
    "timescaledb-ha",
    "citus",
    "paradedb",
    "postgresql-repmgr",
    "spilo",
    "pgautoupgrade",
    "age",
    "cloudnative-pg",
    "pgvectors",
    "pgroonga",
    "edgedb-postgres",
];

/// What goes beside a Postgres and bears its name.
const BESIDE: [&str; 22] = [
    "exporter",
    "backup",
    "backups",
    "operator",
    "client",
    "proxy",
    "admin",
    "bouncer",
    "pgbouncer",
    "dump",
    "restore",
    "init",
    "migrate",
    "migration",
    "migrations",
    "rest",
    "meta",
    "pooler",
    "pgpool",
    "web",
    "mcp",
    "ui",
];

/// Whether an image is a Postgres by its name: the last path segment counts, tag and digest do not.
///
/// ```
/// assert!(detect::is_postgres("localhost:5000/postgis/postgis:16-3.4"));
/// assert!(!detect::is_postgres("prometheuscommunity/postgres-exporter"));
/// ```
#[must_use]
pub fn is_postgres(image: &str) -> bool {
    let path = image.split('@').next().unwrap_or_default();
    let last = path.rsplit('/').next().unwrap_or_default();
    let name = last.split(':').next().unwrap_or_default().to_lowercase();
    if NAMES.contains(&name.as_str()) {
        return true;
    }
    let parts: Vec<String> = words(&name).collect();
    let beside = parts.iter().any(|part| BESIDE.contains(&part.as_str()))
        || BESIDE.iter().take(9).any(|word| name.contains(word));
    let named = parts.iter().any(|part| {
        let part = part.trim_end_matches(|c: char| c.is_ascii_digit());
        ["postgres", "postgresql", "postgis", "pgvector", "timescaledb", "psql"].contains(&part)
    });
    named && !beside
}

/// A service that runs a Postgres, and how that is known.
pub(crate) struct Found {
    pub name: String,
    /// The image; of one that is built here, what it is built from.
    pub image: Option<String>,
    pub because: String,
}

/// The service that is the application's database.
pub(crate) fn choose(tree: &Tree<'_>, stack: &Stack) -> Option<Found> {
    // A database that another application brings along, or one for tests alone, is not the project's.
    let own = stack.services.iter().filter(|service| rank(stack, service) > -30);
    let mut found: Vec<Found> = own.filter_map(|service| found(tree, stack, service)).collect();
    let names: Vec<String> = found.iter().map(|found| found.name.clone()).collect();
    // Of equals the first counts.
    found.reverse();
    let best =
        found.into_iter().max_by_key(|found| stack.service(&found.name).map(|service| rank(stack, service)));
    best.map(|mut best| {
        if names.len() > 1 {
            best.because = format!("{}; of {} the likeliest", best.because, names.join(", "));
        }
        best
    })
}

fn found(tree: &Tree<'_>, stack: &Stack, service: &Service) -> Option<Found> {
    if !serves(service) {
        return None;
    }
    let place = |key: &str| stack.place(&service.name, key);
    let built_from = service.build.as_ref().and_then(|build| {
        let file = build.dockerfile.as_deref().unwrap_or("Dockerfile");
        let path = join(&build.context, file)?;
        from(&tree.text(&path)?, build.target.as_deref()).map(|image| (image, path))
    });
    let named =
        |because: String, image: Option<String>| Some(Found { name: service.name.clone(), image, because });
    if let Some((image, path)) = built_from.filter(|(image, _)| is_postgres(image)) {
        return named(format!("built from {image} in {path}, {}", place("build")), Some(image));
    }
    if let Some(image) = service.image.clone().filter(|image| is_postgres(image)) {
        return named(format!("image {image} in {}", place("image")), Some(image));
    }
    let data = service.mounts.iter().any(|mount| {
        mount.target.starts_with("/var/lib/postgresql") || mount.target.starts_with("/bitnami/postgresql")
    });
    let told = service
        .variable(&["POSTGRES_PASSWORD", "POSTGRES_HOST_AUTH_METHOD", "POSTGRESQL_PASSWORD"])
        .is_some();
    let listens = service.ports.iter().any(|port| port.target == 5432);
    if data && (told || listens || service.variable(&["POSTGRES_DB", "POSTGRES_USER"]).is_some()) {
        return named(
            format!("it mounts a data directory of Postgres in {}", place("volumes")),
            service.image.clone(),
        );
    }
    let calls_itself =
        words(&service.name).any(|word| ["postgres", "postgresql", "pg"].contains(&word.as_str()));
    if calls_itself && told && listens {
        return named(format!("its name, port and variables in {}", place("ports")), service.image.clone());
    }
    None
}

/// Whether it runs the server, and not a client out of the same image.
fn serves(service: &Service) -> bool {
    let words = [service.entrypoint.as_deref(), service.command.as_deref()];
    let text = words.into_iter().flatten().collect::<Vec<_>>().join(" ");
    let client =
        ["psql", "pg_dump", "pg_basebackup", "createdb", "pg_restore", "sleep", "tail -f", "pg_isready"];
    let server = text.contains("postgres -")
        || text.contains("docker-entrypoint")
        || text.split_whitespace().next() == Some("postgres");
    server || !client.iter().any(|client| text.contains(client))
}

/// What its last stage, or the wanted one, is built from.
fn from(dockerfile: &str, target: Option<&str>) -> Option<String> {
    let arguments = dockerfile.lines().filter_map(|line| line.trim().strip_prefix("ARG ")?.split_once('='));
    let arguments: Vec<(&str, &str)> =
        arguments.map(|(name, value)| (name.trim(), value.trim().trim_matches('"'))).collect();
    let stages: Vec<(Option<String>, String)> = dockerfile
        .lines()
        .filter_map(|line| {
            let mut words = line.split_whitespace();
            words.next().filter(|word| word.eq_ignore_ascii_case("from"))?;
            let image = words.by_ref().find(|word| !word.starts_with("--"))?;
            let value = |name: &str| {
                arguments.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned())
            };
            let image = crate::variables::interpolate(image, &value);
            let name = words.nth(1).map(str::to_lowercase);
            Some((name, image))
        })
        .collect();
    let wanted = |stage: &&(Option<String>, String)| {
        target.is_some_and(|target| stage.0.as_deref() == Some(&target.to_lowercase()))
    };
    let mut image = stages.iter().find(wanted).or(stages.last())?.1.clone();
    for _ in 0..stages.len() {
        let earlier = stages.iter().find(|(name, _)| name.as_deref() == Some(&image.to_lowercase()));
        match earlier {
            Some((_, base)) if *base != image => image.clone_from(base),
            _ => break,
        }
    }
    Some(image)
}

/// How much speaks for a service where several run Postgres.
fn rank(stack: &Stack, service: &Service) -> i32 {
    const TESTS: [&str; 7] = ["test", "tests", "testing", "e2e", "ci", "shadow", "tmp"];
    const COPIES: [&str; 8] =
        ["replica", "standby", "slave", "secondary", "follower", "read", "reader", "replication"];
    /// Applications that bring a database of their own along.
    const OTHERS: [&str; 24] = [
        "keycloak",
        "kong",
        "temporal",
        "airflow",
        "metabase",
        "hydra",
        "kratos",
        "sonar",
        "sonarqube",
        "zitadel",
        "authentik",
        "superset",
        "analytics",
        "warehouse",
        "gitea",
        "grafana",
        "n8n",
        "umami",
        "matrix",
        "synapse",
        "dagster",
        "prefect",
        "logto",
        "audit",
    ];
    let parts: Vec<String> = words(&service.name).collect();
    let is = |list: &[&str]| parts.iter().any(|part| list.contains(&part.as_str()));
    let mut rank = 0;
    if is(&TESTS) {
        rank -= 100;
    }
    if is(&COPIES)
        || service.variable(&["POSTGRESQL_REPLICATION_MODE"]) == Some("slave")
        || service.variable(&["POSTGRES_MASTER_SERVICE_HOST", "POSTGRESQL_MASTER_HOST"]).is_some()
    {
        rank -= 60;
    }
    if is(&OTHERS) {
        rank -= 40;
    }
    if ["db", "database", "postgres", "postgresql", "pg"].contains(&service.name.as_str()) {
        rank += 12;
    }
    if !service.profiles.is_empty() {
        rank -= 3;
    }
    let users = stack
        .services
        .iter()
        .filter(|other| other.build.is_some() && crate::app::uses(other, service).is_some());
    let users = i32::try_from(users.count().min(5)).unwrap_or(0);
    rank + users * 4
}

/// What kind of image it is: they differ in their variables and in where the data lies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Make {
    Official,
    Bitnami,
    TimescaleHa,
}

fn make(image: &str) -> Make {
    if image.contains("bitnami") {
        Make::Bitnami
    } else if image.contains("timescaledb-ha") {
        Make::TimescaleHa
    } else {
        Make::Official
    }
}

/// The major of an image's tag: of `16.4-alpine`, `latest-pg16`, `pg17`, `16-3.4`.
pub(crate) fn major(image: &str) -> Option<u32> {
    let last = image.split('@').next()?.rsplit('/').next()?;
    let tag = last.split_once(':').map(|(_, tag)| tag);
    let number = |text: &str| {
        let digits: String = text.chars().take_while(char::is_ascii_digit).collect();
        digits.parse::<u32>().ok().filter(|major| (8..40).contains(major))
    };
    let marked = |text: &str| {
        let mut marks = text
            .match_indices("pg")
            .map(|(at, _)| text.get(at + 2..).unwrap_or_default().trim_start_matches(['-', '_', 'v']));
        marks.find_map(number)
    };
    let tag = tag.unwrap_or_default();
    let name = last.split(':').next().unwrap_or_default();
    // Timescale's own version stands before Postgres'.
    let plain = || {
        if name.contains("timescale") || name.contains("vchord") || name.contains("citus") {
            None
        } else {
            number(tag)
        }
    };
    marked(tag).or_else(plain).or_else(|| marked(name).filter(|_| !name.contains("pgvector")))
}

/// User, database and port as the image takes them from its environment, each with why.
pub(crate) struct Login {
    pub user: (String, String),
    pub name: (String, String),
    pub port: (u16, String),
}

pub(crate) fn login(stack: &Stack, service: &Service, image: &str) -> Login {
    let place = stack.place(&service.name, "environment");
    let set = |names: &[&str]| {
        let name = names.iter().find(|name| service.variable(&[**name]).is_some())?;
        Some((service.variable(&[*name])?.to_owned(), format!("{name}, {place}")))
    };
    let default = |value: &str, why: &str| (value.to_owned(), format!("{why} of the image"));
    let user = set(&["POSTGRES_USER", "POSTGRESQL_USERNAME"])
        .unwrap_or_else(|| default("postgres", "the default user"));
    let name = set(&["POSTGRES_DB", "POSTGRESQL_DATABASE"]).unwrap_or_else(|| match make(image) {
        Make::Bitnami => default("postgres", "the default database"),
        _ => (user.0.clone(), "the image names the database after the user".to_owned()),
    });
    let command = service.command.as_deref().unwrap_or_default();
    let flag = ["-p ", "port="].iter().find_map(|flag| {
        let digits: String = command.split_once(flag)?.1.chars().take_while(char::is_ascii_digit).collect();
        digits.parse::<u16>().ok()
    });
    let port =
        set(&["PGPORT", "POSTGRESQL_PORT_NUMBER"]).and_then(|(port, why)| Some((port.parse().ok()?, why)));
    let port =
        port.or_else(|| flag.map(|port| (port, format!("-p in {}", stack.place(&service.name, "command")))));
    Login { user, name, port: port.unwrap_or((5432, "the default port of the image".to_owned())) }
}

/// Where the data lies: what is mounted there.
pub(crate) struct Storage {
    pub kind: &'static str,
    pub name: Option<String>,
    pub target: String,
    pub because: String,
}

pub(crate) fn storage(stack: &Stack, service: &Service, image: &str) -> Storage {
    let places = data_directories(service, image);
    let covers = |target: &str, place: &str| {
        place == target
            || place.strip_prefix(target).is_some_and(|rest| rest.starts_with('/') || target == "/")
    };
    let mounts =
        || service.mounts.iter().filter(|mount| places.iter().any(|place| covers(&mount.target, place)));
    let Some(mount) = mounts().max_by_key(|mount| mount.target.len()) else {
        let target = places.into_iter().next().unwrap_or_default();
        let because =
            match service.mounts.iter().find(|mount| mount.target.starts_with("/var/lib/postgresql")) {
                Some(mount) => format!(
                    "{} in {} is not where this image keeps its data",
                    mount.target,
                    stack.place(&service.name, "volumes")
                ),
                None => format!("nothing is mounted over {target}"),
            };
        return Storage { kind: "anonymous", name: None, target, because };
    };
    let because = format!("mounted in {}", stack.place(&service.name, "volumes"));
    let (kind, name) = match mount.kind {
        Kind::Bind => ("bind", None),
        Kind::Tmpfs => ("tmpfs", None),
        Kind::Volume if mount.source.is_empty() => ("anonymous", None),
        Kind::Volume => match stack.volumes.get(&mount.source) {
            Some((name, true)) => ("external", Some(name.clone())),
            Some((name, false)) => ("named", Some(name.clone())),
            None => ("named", Some(format!("{}_{}", stack.project, mount.source))),
        },
    };
    Storage { kind, name, target: mount.target.clone(), because }
}

/// Where this image keeps its data; several where its version is not known.
fn data_directories(service: &Service, image: &str) -> Vec<String> {
    if let Some(set) = service.variable(&["PGDATA", "POSTGRESQL_DATA_DIR"]) {
        return vec![set.trim_end_matches('/').to_owned()];
    }
    let old = || "/var/lib/postgresql/data".to_owned();
    match (make(image), major(image)) {
        (Make::Bitnami, _) => vec!["/bitnami/postgresql/data".to_owned()],
        (Make::TimescaleHa, _) => vec!["/home/postgres/pgdata/data".to_owned(), old()],
        (Make::Official, Some(major)) if major >= 18 && !image.contains("supabase") => {
            vec![format!("/var/lib/postgresql/{major}/docker")]
        }
        (Make::Official, Some(_)) => vec![old()],
        (Make::Official, None) => vec![old(), "/var/lib/postgresql/18/docker".to_owned()],
    }
}
