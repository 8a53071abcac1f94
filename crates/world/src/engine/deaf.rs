//! Containers that can't hear the signal they are stopped with. The kernel delivers no signal to a first process that has
//! no handler for it, as in `sh -c "migrate && serve"`: to wait then only delays the kill.

use std::fs;

use super::docker::ask;

/// Signals that programs are stopped with, and their numbers on Linux.
const SIGNALS: [(&str, u32); 8] =
    [("HUP", 1), ("INT", 2), ("QUIT", 3), ("USR1", 10), ("USR2", 12), ("TERM", 15), ("WINCH", 28), ("", 15)];

/// Seconds worth waiting for a container to stop by itself: `seconds`, or none where it can't know that it should. Seen
/// only where its processes are this machine's.
pub(super) fn grace(container: &str, seconds: u32) -> u32 {
    let format = "{{.State.Pid}} {{.Config.StopSignal}}";
    let Ok(told) = ask("the container was not looked at", ["inspect", "--format", format, container]) else {
        return seconds;
    };
    let (pid, signal) = told.trim().split_once(' ').unwrap_or((told.trim(), ""));
    let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    if is_deaf(&status, signal) { 0 } else { seconds }
}

fn is_deaf(status: &str, signal: &str) -> bool {
    let signal = signal.trim().trim_start_matches("SIG");
    let Some((_, number)) = SIGNALS.iter().find(|(name, _)| *name == signal) else { return false };
    let field = |name: &str| status.lines().find_map(|line| line.strip_prefix(name)).map(str::trim);
    let is_first = field("NSpid:").is_some_and(|ids| ids.split_whitespace().nth(1) == Some("1"));
    let caught = field("SigCgt:").and_then(|mask| u64::from_str_radix(mask, 16).ok());
    is_first && caught.is_some_and(|mask| mask & (1 << (number - 1)) == 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SHELL: &str = "Name:\tsh\nNSpid:\t16914\t1\nSigCgt:\t0000000000010002\n";
    const SERVER: &str = "Name:\tpython\nNSpid:\t7364\t1\nSigCgt:\t0000000000004002\n";

    #[test]
    fn a_shell_at_the_front_hears_nothing() {
        assert!(is_deaf(SHELL, ""));
        assert!(is_deaf(SHELL, "SIGTERM"));
    }

    #[test]
    fn who_can_hear_gets_its_time() {
        assert!(!is_deaf(SERVER, "SIGTERM"));
        assert!(!is_deaf(SHELL, "SIGINT"));
    }

    #[test]
    fn what_can_not_be_seen_gets_its_time() {
        assert!(!is_deaf("", "SIGTERM"));
        assert!(!is_deaf(SHELL, "SIGRTMIN+3"));
        assert!(!is_deaf("NSpid:\t812\nSigCgt:\t0\n", "SIGTERM"));
    }
}
