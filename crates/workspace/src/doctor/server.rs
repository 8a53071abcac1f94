//! Checks of the server: whether it can be reached at all, its data, the room that it has.

use plan::{Config, Finding, Kind, LabelKind, ServerState, Service, UNDO_DAYS, UNSEEN, World, words};

/// Less than this is little: a copy of a small database and a build of its images.
const LITTLE: u64 = 1_000_000_000;

/// From here on the image keeps its data one folder higher.
const MOVED: u32 = 18;

/// No engine, no Compose, several services that could be it, a password that the volume does not know.
pub(super) fn reachable(check: &'static str, _: &Config, world: &World) -> Vec<Finding> {
    let faults = world.examined.faults.iter().map(|fault| Finding::of(check, fault));
    faults.chain(silent(check, world)).collect()
}

/// Nobody here can start an external server.
fn silent(check: &'static str, world: &World) -> Option<Finding> {
    let server = world.server.as_ref()?;
    let is_silent = server.kind == Kind::External && server.state != ServerState::Running;
    let address = server.address.as_ref()?;
    is_silent.then(|| {
        let what = format!("nothing answers at {address}");
        Finding::new(
            check,
            what,
            "its server is external: nobody here starts it",
            "start it, or set another URL",
        )
    })
}

fn service(world: &World) -> Option<&Service> {
    let compose = &world.engine.as_ref()?.compose;
    compose.services.iter().find(|one| Some(&one.name) == compose.database.as_ref())
}

/// The major version that an image's tag tells: `postgres:16-alpine`.
fn major(image: &str) -> Option<u32> {
    let tag = image.split('@').next()?.rsplit('/').next()?.split(':').nth(1)?;
    tag.split(|c: char| !c.is_ascii_digit()).next()?.parse().ok()
}

/// Postgres does not start on the data of another major version.
pub(super) fn data_version(check: &'static str, _: &Config, world: &World) -> Vec<Finding> {
    let (Some(service), Some(data)) = (service(world), world.examined.data_major) else { return Vec::new() };
    let image = service.image.as_deref().unwrap_or_default();
    let Some(major) = major(image).filter(|major| *major != data) else { return Vec::new() };
    let what = format!("the data of `{}` is Postgres {data}'s, its image is Postgres {major}", service.name);
    let seen = format!("PG_VERSION on the volume says {data}, the image is `{image}`");
    let clean = world.workspace.command("clean --only-db --up");
    let mend = format!(
        "dump with {data} and restore with {major}, or {clean} for a new volume (the old one is copied)"
    );
    vec![Finding::new(check, what, seen, mend)]
}

/// Data outside of its mount goes with the container.
pub(super) fn data_mount(check: &'static str, _: &Config, world: &World) -> Vec<Finding> {
    let Some(service) = service(world) else { return Vec::new() };
    let Some(major) = service.image.as_deref().and_then(major).filter(|major| *major >= MOVED) else {
        return Vec::new();
    };
    let old =
        service.mounts.iter().find(|mount| mount.target.trim_end_matches('/') == "/var/lib/postgresql/data");
    if old.is_none() || service.environment.contains_key("PGDATA") {
        return Vec::new();
    }
    let what = format!("the volume of `{}` is mounted where Postgres {major} keeps nothing", service.name);
    let seen = "from 18 on the image keeps its data in /var/lib/postgresql/<major>, beside the mount";
    vec![Finding::new(check, what, seen, "mount it at /var/lib/postgresql in the compose file")]
}

/// The container gave the folder to its own account.
pub(super) fn data_folder(check: &'static str, _: &Config, world: &World) -> Vec<Finding> {
    let Some((folder, owner)) = &world.examined.foreign_folder else { return Vec::new() };
    let shown = words::shell(&folder.display().to_string());
    let what = format!("data folder {shown} belongs to user {owner}");
    let seen = "Postgres' container made it its own: on the host it can't be listed, copied or deleted";
    vec![Finding::new(check, what, seen, "mount a named volume instead of a folder, in the compose file")]
}

pub(super) fn room(check: &'static str, _: &Config, world: &World) -> Vec<Finding> {
    let little = world.examined.room.iter().filter(|room| room.free < LITTLE).map(|room| {
        let what = format!("{} are free for {}", words::bytes(room.free), room.what);
        let mend = "docker system df shows what takes the room";
        Finding::new(check, what, format!("the file system of {}", room.folder.display()), mend)
    });
    little.collect()
}

/// What undo no longer promises to bring back only takes room.
pub(super) fn kept(check: &'static str, config: &Config, world: &World) -> Vec<Finding> {
    let days = config.undo.days.unwrap_or(UNDO_DAYS);
    let limit = i64::from(days) * 24 * 3600;
    let over = |at: jiff::Timestamp| world.now.as_second() - at.as_second() > limit;
    let labels = world.server.iter().flat_map(|server| &server.databases);
    let databases = labels.filter_map(|one| {
        let label = one.label.as_ref().filter(|label| label.kind == LabelKind::Kept)?;
        over(label.at).then_some((one.name.to_string(), one.bytes))
    });
    let copies =
        world.kept.iter().filter(|kept| over(kept.at)).map(|kept| (format!("copy {}", kept.n), kept.bytes));
    let old: Vec<(String, u64)> = databases.chain(copies).collect();
    let mut findings: Vec<Finding> = too_much(check, config, world).into_iter().collect();
    if old.is_empty() {
        return findings;
    }
    let bytes = old.iter().map(|(_, bytes)| bytes).sum();
    let names = words::list(old.iter().map(|(name, _)| name));
    let what = format!("{names} {} kept longer than {days} days", if old.len() == 1 { "is" } else { "are" });
    let seen = format!("undo.days is {days}; together {}", words::bytes(bytes));
    findings.push(Finding::new(check, what, seen, world.workspace.command("undo --gc")));
    findings
}

/// Kept databases over the size that they may take together.
fn too_much(check: &'static str, config: &Config, world: &World) -> Option<Finding> {
    let labels = world.put_by().map(|(_, label)| label).filter(|label| label.kind == LabelKind::Kept);
    let sizes: Vec<u64> = labels.filter_map(|label| Some(label.kept.as_ref()?.bytes)).collect();
    let (bytes, limit) = (sizes.iter().sum::<u64>(), config.undo.bytes());
    let many = words::count(sizes.len() as u64, "kept database");
    let verb = if sizes.len() == 1 { "takes" } else { "take" };
    let what = format!("{many} {verb} {}", words::bytes(bytes));
    let seen = format!("undo.max_size is {}", words::bytes(limit));
    (bytes > limit).then(|| Finding::new(check, what, seen, world.workspace.command("undo --gc")))
}

/// Leases that nobody took or gave back for long: the next one would have dropped them.
pub(super) fn leases(check: &'static str, _: &Config, world: &World) -> Vec<Finding> {
    let long = |at: jiff::Timestamp| world.now.as_second() - at.as_second() > UNSEEN;
    let over = world.leases(true).filter(|(one, _)| one.label.as_ref().is_some_and(|label| long(label.at)));
    let names: Vec<String> = over.map(|(one, _)| one.name.to_string()).collect();
    if names.is_empty() {
        return Vec::new();
    }
    let what = format!("{} over and still there", words::count(names.len() as u64, "lease"));
    let seen = format!("their holders have ended, or their time: {}", words::list(names));
    vec![Finding::new(check, what, seen, world.workspace.command("fork release"))]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tag_tells_the_major_version() {
        for (image, found) in [
            ("postgres:16-alpine", Some(16)),
            ("reg.io:5000/x/postgis:17-3.5", Some(17)),
            ("postgres", None),
            ("postgres:latest", None),
        ] {
            assert_eq!(major(image), found, "{image}");
        }
    }
}
