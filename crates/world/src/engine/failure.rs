//! Why `up` failed: the one container or the one port that is the cause, not the three failures that follow from it.

use std::fs;

use plan::{Container, Exit, Fault, Health, Said, ServiceName, Stack, stack, words};

use super::docker::{ask, fault};
use super::inspect::{self, PROJECT};
use super::{Context, place, ready};
use crate::program::Run;

/// The fault of an `up` that said this.
pub(super) fn of_up(
    context: &Context<'_>,
    services: &[ServiceName],
    words: &str,
    said: &mut dyn FnMut(Said<'_>),
) -> Fault {
    if let Some(port) = taken_port(words) {
        return taken(context, port, words);
    }
    if let Some((container, name)) = culprit(context) {
        return ready::ended(&container, &name, container.exit_code, said);
    }
    let attempt = if services.is_empty() {
        "the services were not started".to_owned()
    } else {
        format!("{} did not start", words::list(services))
    };
    let run = Run::Failed { program: String::new(), code: 1, said: telling(words) };
    fault(&run, attempt)
}

/// The fault of a `docker start` that said this.
pub(super) fn of_start(context: &Context<'_>, service: &ServiceName, words: &str) -> Fault {
    if let Some(port) = taken_port(words) {
        return taken(context, port, words);
    }
    let run = Run::Failed { program: String::new(), code: 1, said: words.to_owned() };
    fault(&run, format!("`{service}` did not start"))
}

/// The lines of Compose's that tell why: not its progress.
fn telling(words: &str) -> String {
    let is_progress = |line: &str| {
        let line = line.trim_start();
        ["Container ", "Network ", "Volume ", "Creating ", "Starting ", "Recreating "]
            .iter()
            .any(|start| line.starts_with(start))
            && !line.contains("rror")
    };
    let left: Vec<&str> =
        words.lines().filter(|line| !line.trim().is_empty() && !is_progress(line)).collect();
    if left.is_empty() { words.to_owned() } else { left.join("\n") }
}

/// A container of ours that ended with an error, or is unhealthy: the one that ended first.
fn culprit(context: &Context<'_>) -> Option<(Container, String)> {
    let compose = &context.engine.compose;
    let now = inspect::containers(&[format!("label={PROJECT}={}", compose.project)]).ok()?;
    let ours = now.into_iter().map(|one| one.container);
    let ours = ours.filter(|one| stack(one, compose, &context.workspace.root) == Stack::Ours);
    let is_bad = |one: &Container| (!one.running && one.exit_code != 0) || one.health == Health::Unhealthy;
    let bad: Vec<Container> = ours.filter(is_bad).collect();
    let depends = |one: &Container| {
        let described = compose.services.iter().find(|service| Some(&service.name) == one.service.as_ref());
        let needs = described.map(|service| service.depends.as_slice()).unwrap_or_default();
        needs.iter().any(|need| bad.iter().any(|other| other.service.as_ref() == Some(&need.service)))
    };
    let root = bad.iter().find(|one| !depends(one)).or(bad.first())?;
    let name = root.service.as_ref().map_or_else(|| root.name.to_string(), ToString::to_string);
    Some((root.clone(), name))
}

/// `Bind for 127.0.0.1:5433 failed: port is already allocated`, `listen tcp4 0.0.0.0:80: bind: address already in use`.
fn taken_port(words: &str) -> Option<u16> {
    let line = words
        .lines()
        .find(|line| line.contains("port is already allocated") || line.contains("address already in use"))?;
    let before = line.split(" failed: port is already").next()?.split(": bind: address already").next()?;
    // docker-proxy's own words: `listen tcp4 0.0.0.0:80`, `Error starting userland proxy: …`.
    before.rsplit(':').next()?.split(|c: char| !c.is_ascii_digit()).next()?.parse().ok()
}

fn taken(context: &Context<'_>, port: u16, words: &str) -> Fault {
    let fault = Fault::new(Exit::Failed, format!("port {port} is taken"));
    let own = |name: &str| format!("change the port in the compose file, or stop {name}");
    if let Some(container) = publishing(port) {
        let _ = context;
        return fault
            .cause(format!("container `{container}` publishes it"))
            .hint(format!("docker stop {container}"));
    }
    match listening(port) {
        Some((pid, program)) => fault
            .cause(format!("`{program}` (process {pid}) listens there"))
            .hint(own(&format!("`{program}`"))),
        None => fault.cause(telling(words)).hint(own("what listens there")),
    }
}

/// Who holds a port, in words.
pub(super) fn holder(port: u16) -> Option<String> {
    let container = publishing(port).map(|name| format!("container `{name}`"));
    // What listens here is in nobody's way on another machine.
    let here = || place::remote().is_none().then(|| listening(port))?;
    container.or_else(|| here().map(|(pid, program)| format!("`{program}` (process {pid})")))
}

fn publishing(port: u16) -> Option<String> {
    let listed = ask("", ["ps", "--format", "{{.Names}}\t{{.Ports}}"]).ok()?;
    let published = format!(":{port}->");
    let line = listed.lines().find(|line| line.contains(&published))?;
    line.split('\t').next().map(str::to_owned)
}

/// The process that listens on a port, as far as Linux lets us see.
fn listening(port: u16) -> Option<(u32, String)> {
    let inode = ["/proc/net/tcp", "/proc/net/tcp6"]
        .iter()
        .find_map(|table| inode(&fs::read_to_string(table).ok()?, port))?;
    let socket = format!("socket:[{inode}]");
    for process in fs::read_dir("/proc").ok()?.flatten() {
        let Some(pid) = process.file_name().to_str().and_then(|name| name.parse::<u32>().ok()) else {
            continue;
        };
        let Ok(open) = fs::read_dir(process.path().join("fd")) else { continue };
        let holds =
            |link: fs::DirEntry| fs::read_link(link.path()).is_ok_and(|to| to.as_os_str() == socket.as_str());
        if open.flatten().any(holds) {
            let program = fs::read_to_string(process.path().join("comm")).unwrap_or_default();
            return Some((pid, program.trim().to_owned()));
        }
    }
    None
}

/// The socket that listens on a port, in the kernel's own table: state 0A.
fn inode(table: &str, port: u16) -> Option<String> {
    let suffix = format!(":{port:04X}");
    table.lines().find_map(|line| {
        let parts: Vec<&str> = line.split_whitespace().collect();
        let listens =
            parts.get(3) == Some(&"0A") && parts.get(1).is_some_and(|local| local.ends_with(&suffix));
        parts.get(9).filter(|_| listens).map(ToString::to_string)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_taken_port_is_found_in_dockers_words() {
        let bind = "Error response from daemon: driver failed programming external connectivity on endpoint x (y): \
                    Bind for 127.0.0.1:5433 failed: port is already allocated";
        let listen =
            "Error starting userland proxy: listen tcp4 127.0.0.1:8001: bind: address already in use";

        assert_eq!(taken_port(bind), Some(5433));
        assert_eq!(taken_port(listen), Some(8001));
        assert_eq!(taken_port("no such image"), None);
    }

    #[test]
    fn a_listening_socket_is_found_in_the_kernels_table() {
        let table = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n   \
                     0: 0100007F:1539 00000000:0000 0A 00000000:00000000 00:00000000 00000000   0        0 4711 1\n";

        assert_eq!(inode(table, 0x1539).as_deref(), Some("4711"));
        assert_eq!(inode(table, 80), None);
    }

    #[test]
    fn progress_is_no_reason() {
        assert_eq!(telling(" Container a  Starting\nno such image: x"), "no such image: x");
    }
}
