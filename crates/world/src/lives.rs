//! Whether a process lives, and whether it is the same one still: from /proc, where there is one.

use std::fs;
use std::path::Path;

use plan::{Holder, Holding};
use rustix::process::getppid;

/// The process that is to hold a lease; `None` where it is gone, or this machine does not tell.
pub(crate) fn holder(holding: Holding) -> Option<Holder> {
    let pid = match holding {
        Holding::Parent => u32::try_from(getppid()?.as_raw_nonzero().get()).ok()?,
        Holding::Process(pid) => pid,
    };
    let (name, started) = seen(pid)?;
    Some(Holder { pid, name, started, place: place()? })
}

/// Whether it lives; `None` where its number means nothing here.
pub(crate) fn lives(holder: &Holder) -> Option<bool> {
    (place()? == holder.place).then(|| seen(holder.pid).is_some_and(|(_, started)| started == holder.started))
}

/// This start of the machine, and the namespace that our own number is from.
fn place() -> Option<String> {
    let boot = fs::read_to_string("/proc/sys/kernel/random/boot_id").ok()?;
    let space = fs::read_link("/proc/self/ns/pid").ok()?;
    Some(format!("{} {}", boot.trim(), space.display()))
}

/// Name and start of a process that has not ended.
fn seen(pid: u32) -> Option<(String, u64)> {
    stat(&fs::read_to_string(Path::new("/proc").join(pid.to_string()).join("stat")).ok()?)
}

/// Reads `pid (name) state ppid …`, whose 22nd field is the start. The name may hold anything, brackets too.
fn stat(line: &str) -> Option<(String, u64)> {
    let (before, after) = line.rsplit_once(')')?;
    let (_, name) = before.split_once('(')?;
    let mut fields = after.split_whitespace();
    // One that nobody has waited for yet has ended all the same.
    let is_over = matches!(fields.next()?, "Z" | "X");
    let started = fields.nth(18)?.parse().ok()?;
    (!is_over).then(|| (name.to_owned(), started))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_start_is_read_behind_any_name() {
        let line = "4711 (a) b (c) S 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 990 20 21";

        assert_eq!(stat(line), Some(("a) b (c".to_owned(), 990)));
        assert_eq!(stat(&line.replace(" S ", " Z ")), None, "it waits to be waited for");
    }

    #[test]
    fn a_process_of_the_same_number_is_another_one() {
        let here = holder(Holding::Process(std::process::id())).unwrap();

        assert_eq!(lives(&here), Some(true));
        assert_eq!(lives(&Holder { started: here.started + 1, ..here.clone() }), Some(false));
        assert_eq!(lives(&Holder { place: "elsewhere".to_owned(), ..here }), None);
        assert_eq!(holder(Holding::Process(0)), None);
    }
}
