//! Puts together what the files tell.

use plan::{Detected, FoundBackend, FoundDatabase, FoundMigrations, FoundSeeds, FoundVolume};

use crate::compose::candidates;
use crate::compose::service::Service;
use crate::compose::stack::{Stack, env_files};
use crate::scripts::{self, Line};
use crate::tree::{Tree, folder, join};
use crate::{app, migrations, models, postgres, seeds, variables, yaml};

/// What a work tree's files tell about its set-up. Never fails: what can't be read is told, and counts as not there.
///
/// ```
/// let files = ["compose.yml".to_owned()];
/// let text = "services:\n  db:\n    image: postgres:16\n    ports: ['5433:5432']\n";
/// let tree = detect::Tree::new("shop", files, |_| Ok(text.to_owned()));
/// let found = detect::detect(&tree);
/// assert_eq!(found.database.unwrap().host_port, Some(5433));
/// assert_eq!(found.because["database.service"], "image postgres:16 in compose.yml:3");
/// ```
#[must_use]
pub fn detect(tree: &Tree<'_>) -> Detected {
    let lines = scripts::lines(tree);
    let calls = scripts::compose_calls(tree, &lines);
    let mut found = Detected { project: tree.name.clone(), ..Detected::default() };
    let chosen = candidates::choose(tree, &calls);
    let stack = chosen.as_ref().map(|chosen| &chosen.stack);
    if let Some(chosen) = &chosen {
        found.project.clone_from(&chosen.stack.project);
        found.compose_files.clone_from(&chosen.stack.files);
        because(&mut found, "project", &chosen.stack.project_because);
        because(&mut found, "compose_files", &chosen.because);
        services(tree, &chosen.stack, &mut found);
    }
    let backend = found.backend.as_ref().map(|backend| backend.service.clone());
    let chosen = migrations::choose(tree, stack, backend.as_deref(), &lines);
    let home = chosen.as_ref().map(|chosen| chosen.candidate.home.clone());
    if let Some(chosen) = chosen {
        migrations_of(&mut found, chosen);
        variable_of(stack, &mut found);
    }
    if let Some(stack) = stack {
        application_database(tree, stack, &mut found, home.as_deref());
    }
    let tool = found.migrations.as_ref().map(|migrations| migrations.tool.clone());
    if let Some(seeds) = seeds::find(tree, tool.as_deref(), home.as_deref().unwrap_or_default()) {
        because(&mut found, "seeds", &seeds.because);
        found.seeds = Some(FoundSeeds { dir: seeds.dir, command: seeds.command });
    }
    if let Some((dir, why)) = models::find(tree, tool.as_deref(), home.as_deref().unwrap_or_default()) {
        because(&mut found, "models", &why);
        found.models = Some(dir);
    }
    found.env_files = stack.map(|stack| stack.env_files.clone()).unwrap_or_default();
    found.noticed = noticed(stack, &found, &lines);
    found.unread = tree.unread();
    found
}

fn because(found: &mut Detected, key: &str, why: &str) {
    found.because.insert(key.to_owned(), why.to_owned());
}

/// The database, who uses it, and the backend.
fn services(tree: &Tree<'_>, stack: &Stack, found: &mut Detected) {
    let Some(chosen) = postgres::choose(tree, stack) else { return };
    let Some(service) = stack.service(&chosen.name) else { return };
    let image = chosen.image.clone().unwrap_or_default();
    let login = postgres::login(stack, service, &image);
    let storage = postgres::storage(stack, service, &image);
    let port = service.ports.iter().find(|port| port.target == login.port.0);
    let host_port = match port {
        Some(port) => port.published,
        None if service.host_network => Some(login.port.0),
        None => None,
    };
    because(found, "database.service", &chosen.because);
    because(found, "database.user", &login.user.1);
    because(found, "database.name", &login.name.1);
    because(found, "database.container_port", &login.port.1);
    if host_port.is_some() {
        because(found, "database.host_port", &format!("ports in {}", stack.place(&service.name, "ports")));
    }
    because(found, "database.volume", &storage.because);
    let major = postgres::major(&image);
    if major.is_some() {
        because(found, "database.major", &format!("the tag of {image}"));
    }
    found.database = Some(FoundDatabase {
        service: service.name.clone(),
        image: chosen.image,
        major,
        user: login.user.0,
        name: login.name.0,
        renamed: false,
        container_port: login.port.0,
        host_port,
        volume: FoundVolume { kind: storage.kind, name: storage.name, target: storage.target },
    });
    let users = app::users(stack, service);
    for (user, how) in &users {
        because(
            found,
            &format!("dependents.{}", user.name),
            &format!("{how} in {}", stack.place(&user.name, how)),
        );
    }
    let users: Vec<&Service> = users.into_iter().map(|(user, _)| user).collect();
    found.dependents = users.iter().map(|user| user.name.clone()).collect();
    found.holds_code = app::holders(stack, &users, &tree.name);
    let backend = app::backend(stack, &users, &tree.name);
    if let Some((service, why)) = backend.or_else(|| app::silent_backend(stack, service, &tree.name)) {
        because(found, "backend.service", &why);
        found.backend = Some(FoundBackend { service });
    }
}

fn migrations_of(found: &mut Detected, chosen: migrations::Chosen) {
    because(found, "migrations.tool", &chosen.candidate.because);
    because(found, "migrations.command", &chosen.command_because);
    let home = chosen.service.map_or_else(|| "host".to_owned(), |service| format!("service:{service}"));
    if let Some(service) = &chosen.at_start {
        because(found, "migrations.at_start", &format!("the command of {service}"));
    }
    found.migrations = Some(FoundMigrations {
        tool: chosen.candidate.tool.to_owned(),
        dir: chosen.candidate.dir,
        command: chosen.command,
        home,
        at_start: chosen.at_start,
        variable: None,
    });
}

/// The variable through which the service that migrates is told its database.
fn variable_of(stack: Option<&Stack>, found: &mut Detected) {
    let (Some(stack), Some(database)) = (stack, &found.database) else { return };
    let Some(migrations) = found.migrations.as_mut() else { return };
    let Some(service) = migrations.home.strip_prefix("service:").and_then(|name| stack.service(name)) else {
        return;
    };
    let Some(database) = stack.service(&database.service) else { return };
    migrations.variable = app::url_variable(service, database).map(str::to_owned);
}

/// The application may use another database than the one that the image makes.
fn application_database(tree: &Tree<'_>, stack: &Stack, found: &mut Detected, home: Option<&str>) {
    let Some(database) = found.database.clone() else { return };
    let Some(service) = stack.service(&database.service) else { return };
    let backend = found.backend.as_ref().and_then(|backend| stack.service(&backend.service));
    let named = backend
        .and_then(|backend| app::named_database(stack, service, &database.name, backend))
        .or_else(|| in_env_files(tree, stack, &database, home))
        .or_else(|| in_rails(tree, found, home));
    if let (Some((name, why)), Some(database)) = (named, found.database.as_mut())
        && name != database.name
    {
        database.name = name;
        database.renamed = true;
        because(found, "database.name", &why);
    }
}

/// A URL for this very server in the env files of an application that runs on the host.
fn in_env_files(
    tree: &Tree<'_>,
    stack: &Stack,
    database: &FoundDatabase,
    home: Option<&str>,
) -> Option<(String, String)> {
    let compose = stack.files.first().map(|file| folder(file)).unwrap_or_default();
    let service = stack.service(&database.service)?;
    let homes = ["", compose, home.unwrap_or_default()];
    for path in homes.iter().flat_map(|home| env_files(tree, home)) {
        let set = variables::env_file(&tree.text(&path)?, &variables::Variables::new());
        for variable in ["DATABASE_URL", "DATABASE_URI", "POSTGRES_URL", "DB_URL", "DATABASE_DSN", "PG_URL"] {
            let Some(value) = set.get(variable) else { continue };
            let host = app::host(value).unwrap_or_default();
            let is_ours = ["localhost", "127.0.0.1"].contains(&host) || service.is_called(host);
            let of_port = ["localhost", "127.0.0.1"].contains(&host)
                && !database.host_port.is_some_and(|port| {
                    value.contains(&format!(":{port}/")) || port == 5432 && !value.contains("localhost:")
                });
            if let Some(name) = app::database(value).filter(|_| is_ours && !of_port) {
                return Some((name.to_owned(), format!("{variable} in {path}")));
            }
        }
    }
    None
}

/// `development: database:` of a Rails application, where it is written out.
fn in_rails(tree: &Tree<'_>, found: &Detected, home: Option<&str>) -> Option<(String, String)> {
    found.migrations.as_ref().filter(|migrations| migrations.tool == "rails")?;
    let path = join(home?, "config/database.yml")?;
    let text = tree.text(&path)?;
    // Ruby between the values is no YAML.
    let plain: String = text.lines().filter(|line| !line.contains("<%")).collect::<Vec<_>>().join("\n");
    let value = yaml::parse(&plain).ok()?;
    let development = value.get("development")?;
    let name =
        development.get("database").or_else(|| development.get("primary")?.get("database"))?.as_str()?;
    Some((name.to_owned(), format!("development in {path}")))
}

/// Traps that are pointed out and left alone.
fn noticed(stack: Option<&Stack>, found: &Detected, lines: &[Line]) -> Vec<String> {
    let mut all = Vec::new();
    if let (Some(stack), Some(database)) = (stack, &found.database) {
        for service in &stack.services {
            let check = service.healthcheck.get("test").map(ToString::to_string).unwrap_or_default();
            let place = || stack.place(&service.name, "healthcheck");
            if service.name == database.service && check.contains("pg_isready") && !check.contains("-h") {
                all.push(format!(
                    "{}: pg_isready without -h also passes while the image still sets itself up",
                    place()
                ));
            }
            let interval =
                service.healthcheck.get("interval").and_then(|value| value.as_str()).unwrap_or_default();
            if is_long(interval) && !check.is_empty() {
                all.push(format!("{}: {} waits {interval} for its first healthcheck", place(), service.name));
            }
        }
        let volume = database.volume.name.as_deref();
        let by_name = |line: &&Line| {
            volume.is_some_and(|volume| line.text.contains("volume rm") && line.text.contains(volume))
        };
        all.extend(
            lines.iter().filter(by_name).map(|line| format!("{}: removes the volume by name", line.place)),
        );
    }
    let prunes =
        |line: &&Line| ["system prune", "volume prune"].iter().any(|words| line.text.contains(words));
    all.extend(
        lines
            .iter()
            .filter(prunes)
            .map(|line| format!("{}: prunes what belongs to other projects too", line.place)),
    );
    all.dedup();
    all.truncate(20);
    all
}

/// Longer than people wait for gladly.
fn is_long(interval: &str) -> bool {
    match interval.strip_suffix('s') {
        Some(seconds) => seconds.parse::<f64>().is_ok_and(|seconds| seconds >= 20.0),
        None => interval.ends_with('m') && interval.len() > 1,
    }
}
