//! Who listens on a port of this machine, where /proc tells.

use std::fs;
use std::path::Path;

/// The state of a listening socket in `/proc/net/tcp`.
const LISTENS: &str = "0A";

/// `nginx (process 812)`; `None` when it can't be seen: another user's process, or another namespace's.
pub(crate) fn of(port: u16) -> Option<String> {
    let inodes: Vec<String> = ["/proc/net/tcp", "/proc/net/tcp6"]
        .into_iter()
        .flat_map(|table| listeners(&fs::read_to_string(table).unwrap_or_default(), port))
        .map(|inode| format!("socket:[{inode}]"))
        .collect();
    let process = fs::read_dir("/proc")
        .ok()?
        .flatten()
        .map(|entry| entry.path())
        .find(|process| holds(process, &inodes))?;
    let name = fs::read_to_string(process.join("comm")).ok()?;
    Some(format!("{} (process {})", name.trim(), process.file_name()?.to_string_lossy()))
}

/// The inodes of the sockets that listen on a port.
fn listeners(table: &str, port: u16) -> Vec<String> {
    let port = format!(":{port:04X}");
    let lines = table.lines().map(|line| line.split_whitespace().collect::<Vec<_>>());
    let listens = lines.filter(|fields| {
        fields.get(1).is_some_and(|local| local.ends_with(&port)) && fields.get(3) == Some(&LISTENS)
    });
    listens.filter_map(|fields| Some((*fields.get(9)?).to_owned())).collect()
}

fn holds(process: &Path, inodes: &[String]) -> bool {
    let open = fs::read_dir(process.join("fd")).into_iter().flatten().flatten();
    let mut targets = open.filter_map(|entry| fs::read_link(entry.path()).ok());
    targets.any(|target| inodes.iter().any(|inode| target.as_os_str() == inode.as_str()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_listener_is_read_from_the_kernels_table() {
        let table = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n\
                     0: 0100007F:1538 00000000:0000 0A 00000000:00000000 00:00000000 00000000  0  0 4711 1 0\n\
                     1: 0100007F:1538 0100007F:C350 01 00000000:00000000 00:00000000 00000000  0  0 4712 1 0\n";

        assert_eq!(listeners(table, 5432), ["4711"]);
        assert!(listeners(table, 5433).is_empty());
    }
}
