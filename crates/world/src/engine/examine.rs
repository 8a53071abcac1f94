//! What the engine tells of what may be wrong: ports that others hold, data of another major version, a dev container
//! under another project's name.

use std::fs;
use std::path::Path;

use plan::{Examined, Examining, Server, TakenPort};

use super::docker::ask_for;
use super::{Context, failure, server};

/// Looks at what only the engine can tell.
pub(crate) fn examine(
    context: &Context<'_>,
    found: Option<&Server>,
    how: Examining,
    examined: &mut Examined,
) {
    debug_assert!(how > Examining::Nothing, "somebody asks");
    examined.taken = taken(context);
    examined.data_major = match found.map(|server| server.version.as_str()).unwrap_or_default() {
        "" => data_major(context),
        version => version.split('.').next().and_then(|major| major.parse().ok()),
    };
    examined.dev_project = dev_project(context);
}

/// Ports of services that do not run, held by somebody else.
fn taken(context: &Context<'_>) -> Vec<TakenPort> {
    let idle = context.engine.compose.services.iter().filter(|service| {
        let own = server::container_of(context.engine, context.workspace, service.name.as_str());
        service.active && !own.is_some_and(|container| container.running)
    });
    let wanted = idle.flat_map(|service| service.ports.values().map(move |address| (service, address.port)));
    let held = wanted.filter_map(|(service, port)| {
        Some(TakenPort { service: service.name.clone(), port, holder: failure::holder(port)? })
    });
    held.collect()
}

/// The major version of the data in a container that does not run, or does not let us in.
fn data_major(context: &Context<'_>) -> Option<u32> {
    let service = context.engine.compose.database.as_ref()?;
    let container = server::container_of(context.engine, context.workspace, service.as_str())?;
    let folder =
        container.environment.get("PGDATA").map_or("/var/lib/postgresql/data", |folder| folder.reveal());
    let file = format!("{}:{folder}/PG_VERSION", container.id);
    // A tar of one file: a header of 512 bytes, then its text.
    let tar = ask_for("the data's version was not read", ["cp", &file, "-"]).ok()??;
    tar.get(512..)?.lines().next()?.trim_matches('\0').trim().parse().ok()
}

/// The compose project of a dev container of this workspace: the one we are in, else one that was made from here.
fn dev_project(context: &Context<'_>) -> Option<String> {
    let inside = || {
        let name = fs::read_to_string("/proc/sys/kernel/hostname")
            .ok()
            .filter(|_| Path::new("/.dockerenv").exists())?;
        let format = "{{index .Config.Labels \"com.docker.compose.project\"}}";
        ask_for("", ["inspect", "--type", "container", "--format", format, name.trim()]).ok()?
    };
    let outside = || {
        let filter = format!("label=devcontainer.local_folder={}", context.workspace.root.display());
        let format = "{{.Label \"com.docker.compose.project\"}}";
        ask_for("", ["ps", "-a", "--filter", &filter, "--format", format]).ok()?
    };
    let found = inside().filter(|name| !name.trim().is_empty()).or_else(outside)?;
    found.lines().next().map(|name| name.trim().to_owned()).filter(|name| !name.is_empty())
}
