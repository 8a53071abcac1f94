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
    let joined = |one: &Service, other: &Service| one.joins.as_deref() == Some(&other.name);
    if joined(service, database) || joined(database, service) {
        return Some("network_mode");
    }
    let names = service
        .environment
        .values()
        .any(|value| database.is_called(value) || host(value).is_some_and(|host| database.is_called(host)));
    names.then_some("environment")
}

/// Those who use the database, themselves or through a pooler before it, each with how.
pub(crate) fn users<'s>(stack: &'s Stack, database: &Service) -> Vec<(&'s Service, &'static str)> {
    const POOLERS: [&str; 6] = ["pgbouncer", "bouncer", "pooler", "pgpool", "pgcat", "supavisor"];
    let is_pooler = |service: &&Service| {
        let image = service.image.as_deref().unwrap_or_default();
        words(&service.name).chain(words(image)).any(|word| POOLERS.contains(&word.as_str()))
            && uses(service, database).is_some()
    };
    let poolers: Vec<&Service> = stack.services.iter().filter(is_pooler).collect();
    let how = |service: &Service| {
        let through = || {
            poolers.iter().filter(|_| service.name != database.name).find_map(|pooler| uses(service, pooler))
        };
        uses(service, database).or_else(through)
    };
    stack.services.iter().filter_map(|service| Some((service, how(service)?))).collect()
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

/// What applications are called, the likeliest first.
const BACKENDS: [&str; 14] = [
    "backend", "api", "server", "web", "app", "django", "rails", "flask", "fastapi", "phoenix", "laravel",
    "webapp", "php", "core",
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

/// Where no service says that it uses the database: the one that is built here and called as applications are.
pub(crate) fn silent_backend(stack: &Stack, database: &Service, root: &str) -> Option<(String, String)> {
    let built =
        stack.services.iter().filter(|service| service.build.is_some() && service.name != database.name);
    let ranked = built.filter_map(|service| Some((rank(stack, service, root)?, service)));
    let (_, service) = ranked.filter(|(rank, _)| *rank >= CALLED).max_by_key(|(rank, _)| *rank)?;
    let place = stack.place(&service.name, "build");
    Some((
        service.name.clone(),
        format!("built here, and no service says that it uses the database, {place}"),
    ))
}

/// A service of this rank bears an application's name.
const CALLED: i32 = 14;

/// How much speaks for a service; `None` where it is none of the project's.
fn rank(stack: &Stack, service: &Service, root: &str) -> Option<i32> {
    let parts: Vec<String> = words(&service.name).collect();
    let is = |list: &[&str]| parts.iter().any(|part| list.contains(&part.as_str()));
    // Laravel's own tool calls the application so.
    let is_tool = is(&TOOLS) && service.name != "laravel.test";
    if is_tool || !is_own(stack, service, root) {
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
    let path = image.split(['@', '$']).next().unwrap_or_default();
    let last = path.rsplit('/').next().unwrap_or_default().split(':').next().unwrap_or_default();
    let owner = path.rsplit('/').nth(1).unwrap_or_default();
    let built =
        stack.services.iter().any(|other| other.build.is_some() && other.image.as_ref() == Some(image));
    let is_called = |name: &str| is_named_after(name, root) || is_named_after(name, &stack.project);
    // `shellhubio/server` in shellhub is its server; `shellhubio/hub` may be a product beside it.
    let is_owned = is_called(owner) && words(&service.name).any(|word| BACKENDS.contains(&word.as_str()));
    // `netboxcommunity/netbox` in netbox-docker.
    let is_part = last.len() > 3 && is_named_after(root, last) && is_named_after(owner, last);
    built || is_called(last) || is_owned || is_part
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
    // That the backend names the one that the image makes settles it.
    let (_, variable, name) = named
        .into_iter()
        .min_by_key(|(aside, variable, name)| (*name != made, *aside, *variable != "DATABASE_URL"))?;
    let place = stack.place(&user.name, "environment");
    Some((name.to_owned(), format!("{variable} of {}, {place}", user.name)))
}
