//! Who uses the database, and which of them is the backend.

use crate::compose::service::{Kind, Mount, Service};
use crate::compose::stack::Stack;
use crate::tree::words;

/// Why a service is known to use the database; `None` where nothing says so.
pub(crate) fn uses(service: &Service, database: &Service) -> Option<&'static str> {
    if service.name == database.name {
        return None;
    }
    if service.depends.contains(&database.name) {
        return Some("depends_on");
    }
    let names = service
        .environment
        .values()
        .any(|value| database.is_called(value) || host(value).is_some_and(|host| database.is_called(host)));
    names.then_some("environment")
}

/// The host of a URL, or of `host:port`.
pub(crate) fn host(value: &str) -> Option<&str> {
    let rest = match value.split_once("://") {
        // A password may hold an @ that nobody encoded.
        Some((_, rest)) => rest.split(['?', '#']).next()?.rsplit('@').next()?,
        None => value,
    };
    let host = rest.split(['/', ':']).next()?;
    (!host.is_empty()).then_some(host)
}

/// The database that a Postgres URL names.
pub(crate) fn database(value: &str) -> Option<&str> {
    let (scheme, rest) = value.split_once("://")?;
    let is_postgres = ["postgres", "postgresql", "postgis", "ecto"]
        .iter()
        .any(|known| scheme.rsplit(':').next().unwrap_or(scheme).starts_with(known));
    let rest = rest.split(['?', '#']).next()?.rsplit('@').next()?;
    let name = rest.split_once('/')?.1.trim_end_matches('/');
    (is_postgres && !name.is_empty() && name.chars().all(|c| c.is_alphanumeric() || "_-".contains(c)))
        .then_some(name)
}

/// Services that do something with a database and are not the application.
const TOOLS: [&str; 46] = [
    "adminer",
    "pgadmin",
    "pgadmin4",
    "pgweb",
    "exporter",
    "backup",
    "backups",
    "pgbouncer",
    "bouncer",
    "pooler",
    "migrate",
    "migrator",
    "migration",
    "migrations",
    "init",
    "seed",
    "seeder",
    "setup",
    "test",
    "tests",
    "e2e",
    "studio",
    "prometheus",
    "grafana",
    "shell",
    "console",
    "metabase",
    "cypress",
    "playwright",
    "psql",
    "create",
    "bootstrap",
    "docs",
    "lint",
    "flower",
    "hasura",
    "postgrest",
    "keycloak",
    "prestart",
    "clickhouse",
    "restore",
    "dump",
    "mailpit",
    "storybook",
    "proxy",
    "nginx",
];

/// Those that work beside the backend.
const WORKERS: [&str; 22] = [
    "worker",
    "workers",
    "celery",
    "celeryworker",
    "beat",
    "celerybeat",
    "scheduler",
    "cron",
    "sidekiq",
    "queue",
    "jobs",
    "job",
    "cable",
    "consumer",
    "frontend",
    "ui",
    "client",
    "vite",
    "css",
    "assets",
    "websocket",
    "webpack",
];

/// The service that holds the application's code, of those that use the database, and why.
pub(crate) fn backend(stack: &Stack, users: &[&Service], root: &str) -> Option<(String, String)> {
    let mut best: Option<(i32, &Service)> = None;
    for service in users {
        let Some(rank) = rank(stack, service, root) else { continue };
        if best.is_none_or(|(most, _)| rank > most) {
            best = Some((rank, service));
        }
    }
    best.map(|(_, service)| {
        let what = if service.build.is_some() { "built here" } else { "the project's own image" };
        (
            service.name.clone(),
            format!("{what} and uses the database, {}", stack.place(&service.name, "build")),
        )
    })
}

/// How much speaks for a service; `None` where it is none of the project's.
fn rank(stack: &Stack, service: &Service, root: &str) -> Option<i32> {
    const BACKENDS: [&str; 14] = [
        "backend", "api", "server", "web", "app", "django", "rails", "flask", "fastapi", "phoenix",
        "laravel", "webapp", "php", "core",
    ];
    let parts: Vec<String> = words(&service.name).collect();
    let is = |list: &[&str]| parts.iter().any(|part| list.contains(&part.as_str()));
    if is(&TOOLS) || !is_own(stack, service, root) {
        return None;
    }
    let mut rank = 0;
    if let Some(at) = BACKENDS.iter().position(|name| parts.iter().any(|part| part == name)) {
        rank += 20 - i32::try_from(at).unwrap_or(0);
    }
    if is_named_after(&service.name, root) || is_named_after(&service.name, &stack.project) {
        rank += 14;
    }
    if is(&WORKERS) {
        rank -= 30;
    }
    if is(&["prod", "production", "release"]) {
        rank -= 25;
    }
    if is(&["dev", "development"]) {
        rank += 6;
    }
    if service.is_base {
        rank -= 20;
    }
    if !service.ports.is_empty() {
        rank += 5;
    }
    if service.build.is_some() {
        rank += 4;
    }
    Some(rank)
}

/// Built here, run with this tree mounted, or an image that carries the project's name.
fn is_own(stack: &Stack, service: &Service, root: &str) -> bool {
    let is_tree =
        |mount: &Mount| mount.kind == Kind::Bind && matches!(mount.source.trim_end_matches('/'), "." | "..");
    if service.build.is_some() || service.mounts.iter().any(is_tree) {
        return true;
    }
    let Some(image) = &service.image else { return false };
    let path = image.split('@').next().unwrap_or_default();
    let last = path.rsplit('/').next().unwrap_or_default().split(':').next().unwrap_or_default();
    let built =
        stack.services.iter().any(|other| other.build.is_some() && other.image.as_ref() == Some(image));
    built || is_named_after(last, root) || is_named_after(last, &stack.project)
}

/// The backend and its workers: what holds code of the project's and connections.
pub(crate) fn holders(stack: &Stack, users: &[&Service], root: &str) -> Vec<String> {
    let aside = |service: &Service| {
        let words: Vec<String> = words(&service.name).collect();
        words.iter().any(|word| TOOLS.contains(&word.as_str()))
            || service.is_base
            || !service.profiles.is_empty()
    };
    users
        .iter()
        .filter(|user| !aside(user) && is_own(stack, user, root))
        .map(|user| user.name.clone())
        .collect()
}

/// The variable that gives a service the database's URL.
pub(crate) fn url_variable<'s>(service: &'s Service, database: &Service) -> Option<&'s str> {
    let mut named = service.environment.iter().filter(|(_, value)| {
        value.contains("://")
            && self::database(value).is_some()
            && host(value).is_some_and(|host| database.is_called(host))
    });
    let is_plain = |name: &str| name == "DATABASE_URL";
    let all: Vec<&str> = named.by_ref().map(|(name, _)| name.as_str()).collect();
    all.iter().find(|name| is_plain(name)).or(all.first()).copied()
}

/// Whether a name is the project's own, or begins with it.
fn is_named_after(name: &str, project: &str) -> bool {
    let plain = |text: &str| -> String {
        text.chars().filter(char::is_ascii_alphanumeric).collect::<String>().to_lowercase()
    };
    let (name, project) = (plain(name), plain(project));
    project.len() > 2 && name.starts_with(&project)
}

/// The database that the backend's URLs for this server name, where it is another than the image makes.
pub(crate) fn named_database(
    stack: &Stack,
    database: &Service,
    made: &str,
    user: &Service,
) -> Option<(String, String)> {
    let mut named: Vec<(bool, &str, &str)> = Vec::new();
    for (variable, value) in &user.environment {
        if host(value).is_some_and(|host| database.is_called(host))
            && let Some(name) = self::database(value)
        {
            let aside = words(variable)
                .any(|word| ["test", "shadow", "replica", "analytics", "warehouse"].contains(&word.as_str()));
            named.push((aside, variable, name));
        }
    }
    if named.iter().any(|(_, _, name)| *name == made) {
        return None;
    }
    let (_, variable, name) =
        named.into_iter().min_by_key(|(aside, variable, _)| (*aside, *variable != "DATABASE_URL"))?;
    let place = stack.place(&user.name, "environment");
    Some((name.to_owned(), format!("{variable} of {}, {place}", user.name)))
}
