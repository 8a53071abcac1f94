//! Lays what runs over what the files tell: containers that were made from the very files that detection found.

use std::path::{Path, PathBuf};

use plan::{Container, Detected, FoundDatabase, MountKind, VolumeName};

use super::inspect;

/// What a container of the same files has wins. Without an engine, or without such a container, nothing changes.
pub(crate) fn cross_check(found: &mut Detected, root: &Path) {
    let files: Vec<PathBuf> =
        found.compose_files.iter().filter_map(|file| root.join(file).canonicalize().ok()).collect();
    let Some(folder) = files.first().and_then(|file| file.parent()) else { return };
    let filter = format!("label=com.docker.compose.project.working_dir={}", folder.display());
    let Ok(all) = inspect::containers(&[filter]) else { return };
    let own = all.into_iter().map(|one| one.container).filter(|one| !one.one_off && is_of(one, &files));
    // A container that runs tells more than one that was left.
    if let Some(container) = own.filter(|one| is_database(one, found)).max_by_key(|one| one.running) {
        lay(found, &container);
    }
}

/// Whether these files made it. An override that came later is missing from the label of what needed not be made anew.
fn is_of(container: &Container, files: &[PathBuf]) -> bool {
    let Some(folder) = &container.working_dir else { return false };
    let made: Vec<PathBuf> = container.config_files.iter().map(|file| folder.join(file)).collect();
    made.first() == files.first() && made.iter().all(|file| files.contains(file))
}

fn is_database(container: &Container, found: &Detected) -> bool {
    let service = container.service.as_ref();
    found
        .database
        .as_ref()
        .is_some_and(|database| service.is_some_and(|name| name.as_str() == database.service))
}

fn lay(found: &mut Detected, container: &Container) {
    let Some(mut database) = found.database.take() else { return };
    let mut told: Vec<&str> = Vec::new();
    let mut tell = |key: &'static str, differs: bool| {
        if differs {
            told.push(key);
        }
    };
    if let Some(project) = container.project.clone() {
        tell("project", project != found.project);
        found.project = project;
    }
    let value = |names: [&str; 2]| {
        let set = names.iter().find_map(|name| container.environment.get(*name));
        set.map(|value| value.reveal().to_owned()).filter(|value| !value.is_empty())
    };
    let old = database.clone();
    database.user = value(["POSTGRES_USER", "POSTGRESQL_USERNAME"]).unwrap_or(database.user);
    if !database.renamed {
        // The image names the database after the user.
        let made = value(["POSTGRES_DB", "POSTGRESQL_DATABASE"]);
        database.name = made
            .unwrap_or_else(|| if old.name == old.user { database.user.clone() } else { old.name.clone() });
    }
    database.major = value(["PG_MAJOR", "PG_MAJOR"]).and_then(|major| major.parse().ok()).or(database.major);
    if container.running {
        database.host_port = container.ports.get(&database.container_port).map(|address| address.port);
    }
    mount(&mut database, container);
    tell("database.user", database.user != old.user);
    tell("database.name", database.name != old.name);
    tell("database.major", database.major != old.major);
    tell("database.host_port", database.host_port != old.host_port);
    tell("database.volume", database.volume != old.volume);
    for key in told {
        found
            .because
            .insert(key.to_owned(), format!("container {}, made from these files", container.name.as_str()));
    }
    found.database = Some(database);
}

/// What the container has mounted where the data lies.
fn mount(database: &mut FoundDatabase, container: &Container) {
    let volume = &mut database.volume;
    let Some(mount) = container.mounts.iter().find(|mount| mount.target == volume.target) else { return };
    let is_made_up = VolumeName::new(mount.source.clone()).is_ok_and(|name| name.is_made_up());
    (volume.kind, volume.name) = match mount.kind {
        MountKind::Bind => ("bind", None),
        MountKind::Tmpfs => ("tmpfs", None),
        MountKind::Volume if is_made_up => ("anonymous", None),
        MountKind::Volume if volume.kind == "external" => ("external", Some(mount.source.clone())),
        MountKind::Volume => ("named", Some(mount.source.clone())),
    };
}
