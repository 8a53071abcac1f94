//! Checks of what Compose runs: whose it is, its ports, its healthchecks.

use std::collections::BTreeSet;

use plan::{Condition, Config, Container, Engine, Finding, Healthcheck, Service, Stack, World, stack, words};

/// Longer than this a healthcheck keeps others waiting for no reason.
const LONG: u64 = 10;

fn ours<'a>(engine: &'a Engine, world: &'a World) -> impl Iterator<Item = &'a Container> {
    engine
        .containers
        .iter()
        .filter(|one| !one.one_off && stack(one, &engine.compose, &world.workspace.root) == Stack::Ours)
}

/// v1 and v2 make each other's containers anew.
pub(super) fn one_compose(check: &'static str, _: &Config, world: &World) -> Vec<Finding> {
    let Some(engine) = &world.engine else { return Vec::new() };
    let major = |container: &Container| {
        let version = container.compose_version.as_deref()?;
        Some(if version.starts_with("1.") { "v1" } else { "v2" })
    };
    let made: Vec<(&Container, &str)> =
        ours(engine, world).filter_map(|one| Some((one, major(one)?))).collect();
    let by = |version: &str| {
        let names = made.iter().filter(|(_, by)| *by == version).map(|(one, _)| one.name.as_str());
        words::list(names)
    };
    let majors: BTreeSet<&str> = made.iter().map(|(_, by)| *by).collect();
    if majors.len() < 2 {
        return Vec::new();
    }
    let what = format!("two versions of Compose made containers of project `{}`", engine.compose.project);
    let seen = format!("v1 made {}, v2 made {}; each makes the other's anew", by("v1"), by("v2"));
    vec![Finding::new(check, what, seen, world.workspace.command("up"))]
}

/// Two stacks of one name replace each other's containers and share their volumes.
pub(super) fn own_name(check: &'static str, _: &Config, world: &World) -> Vec<Finding> {
    let Some(engine) = &world.engine else { return Vec::new() };
    let project = &engine.compose.project;
    let mut others: BTreeSet<(String, String)> = BTreeSet::new();
    for container in &engine.containers {
        let name = &container.name;
        match stack(container, &engine.compose, &world.workspace.root) {
            Stack::OtherFolder(folder) => others.insert((
                format!("container `{name}` was made from {folder}"),
                "give this workspace a name of its own: [compose] project in cleanslate.toml".to_owned(),
            )),
            Stack::OtherFiles(files) => {
                let program = engine.compose.program.join(" ");
                let files: Vec<String> = files.split(", ").map(words::shell).collect();
                others.insert((
                    format!(
                        "container `{name}` runs from {}, another stack of this folder",
                        files.join(", ")
                    ),
                    format!(
                        "{program} -p {project} -f {} down, and give that stack a name of its own",
                        files.join(" -f ")
                    ),
                ))
            }
            Stack::Ours | Stack::Unrelated => false,
        };
    }
    let what = || format!("project name `{project}` is not this workspace's alone");
    others.into_iter().map(|(seen, mend)| Finding::new(check, what(), seen, mend)).collect()
}

/// Inside a dev container Compose takes the project's name from another folder than on the host.
pub(super) fn dev_container(check: &'static str, _: &Config, world: &World) -> Vec<Finding> {
    let (Some(engine), Some(dev)) = (&world.engine, &world.examined.dev_project) else { return Vec::new() };
    let project = &engine.compose.project;
    if dev == project {
        return Vec::new();
    }
    let what = format!("the dev container runs in project `{dev}`, the host's services in `{project}`");
    let seen = "its container carries that project's label: two databases, two volumes";
    let mend =
        format!("set `name: {project}` in the compose file, or COMPOSE_PROJECT_NAME={project} in its .env");
    vec![Finding::new(check, what, seen, mend)]
}

pub(super) fn port(check: &'static str, _: &Config, world: &World) -> Vec<Finding> {
    let taken = world.examined.taken.iter().map(|taken| {
        let what = format!("port {} of `{}` is taken", taken.port, taken.service);
        let mend = format!("stop {}, or publish another port in the compose file", taken.holder);
        Finding::new(check, what, format!("{} listens there", taken.holder), mend)
    });
    taken.collect()
}

/// The healthcheck of a service: as the files give it.
fn checks(engine: &Engine) -> impl Iterator<Item = (&Service, &Healthcheck)> {
    engine.compose.services.iter().filter_map(|service| Some((service, service.healthcheck.as_ref()?)))
}

/// While init fills a new volume, a server without TCP answers on the socket, and then goes away again.
pub(super) fn healthcheck(check: &'static str, _: &Config, world: &World) -> Vec<Finding> {
    let Some(engine) = &world.engine else { return Vec::new() };
    let is_database = |service: &Service| Some(&service.name) == engine.compose.database.as_ref();
    let fooled = checks(engine).filter(|(service, found)| is_database(service) && asks_socket(&found.test));
    let found = fooled.map(|(service, found)| {
        let what = format!("the healthcheck of `{}` passes while init's own server runs", service.name);
        let seen = format!("`{}` asks the socket; only the real server answers over TCP", line(&found.test));
        Finding::new(check, what, seen, "add `-h 127.0.0.1` to it in the compose file")
    });
    found.collect()
}

fn line(test: &[String]) -> String {
    test.iter().skip(1).map(String::as_str).collect::<Vec<_>>().join(" ")
}

/// `pg_isready` or `psql` without a host.
fn asks_socket(test: &[String]) -> bool {
    let line = line(test);
    let words: Vec<&str> = line.split([' ', ';', '&', '|', '\'', '"', '(', ')']).collect();
    let asks = words.iter().any(|word| matches!(word.rsplit('/').next(), Some("pg_isready" | "psql")));
    let names_host = words.iter().any(|word| {
        (word.starts_with("-h") && !word.starts_with("--"))
            || word.starts_with("--host")
            || word.contains("PGHOST=")
    });
    asks && !names_host && !line.contains("://") && !line.contains("host=")
}

/// Docker runs a healthcheck for the first time after one interval, and Compose waits for it.
pub(super) fn interval(check: &'static str, _: &Config, world: &World) -> Vec<Finding> {
    let Some(engine) = &world.engine else { return Vec::new() };
    let waiting = |of: &Service| -> Vec<&str> {
        let waits = |one: &&Service| {
            one.depends.iter().any(|needs| needs.service == of.name && needs.condition == Condition::Healthy)
        };
        engine.compose.services.iter().filter(waits).map(|one| one.name.as_str()).collect()
    };
    let long = checks(engine).filter(|(_, found)| found.interval > LONG);
    let found = long.filter_map(|(service, found)| {
        let waiting = waiting(service);
        let verb = if waiting.len() == 1 { "waits" } else { "wait" };
        let what =
            format!("{} {verb} up to {} s for `{}`", words::list(&waiting), found.interval, service.name);
        let seen = format!(
            "its healthcheck has an interval of {} s, and Docker runs it first after one",
            found.interval
        );
        let mend = format!(
            "set `interval: 2s` for `{}` in the compose file; {} does not wait for it",
            service.name,
            world.workspace.command("up")
        );
        (!waiting.is_empty()).then(|| Finding::new(check, what, seen, mend))
    });
    found.collect()
}

/// `down` leaves them behind, and nothing mounts them again.
pub(super) fn unnamed_volumes(check: &'static str, _: &Config, world: &World) -> Vec<Finding> {
    let Some(engine) = &world.engine else { return Vec::new() };
    let is_mounted =
        |name: &str| engine.containers.iter().flat_map(|one| &one.mounts).any(|mount| mount.source == name);
    let left: Vec<&str> = engine
        .volumes
        .iter()
        .filter(|one| one.anonymous && one.recorded && !is_mounted(one.name.as_str()))
        .map(|one| one.name.as_str())
        .collect();
    if left.is_empty() {
        return Vec::new();
    }
    let what = format!("{} of this project's left behind", words::count(left.len() as u64, "unnamed volume"));
    let seen = "our `up` had them made, and no container mounts them";
    vec![Finding::new(check, what, seen, format!("docker volume rm {}", left.join(" ")))]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_asks_the_socket_is_told_from_what_asks_over_tcp() {
        let asks = |line: &str| asks_socket(&["CMD-SHELL".to_owned(), line.to_owned()]);

        for fooled in [
            "pg_isready -U app",
            "pg_isready",
            "/usr/bin/pg_isready -d x || exit 1",
            "psql -U app -c 'select 1'",
        ] {
            assert!(asks(fooled), "{fooled}");
        }
        for sound in [
            "pg_isready -h 127.0.0.1",
            "pg_isready --host=localhost",
            "pg_isready -hlocalhost -U x",
            "psql postgres://app@localhost/x",
            "PGHOST=db pg_isready",
            "true",
        ] {
            assert!(!asks(sound), "{sound}");
        }
        assert!(asks_socket(&["CMD", "pg_isready", "-U", "app"].map(str::to_owned)));
    }
}
