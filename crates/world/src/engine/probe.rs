//! Asks a container whether its service answers. Its own healthcheck is run directly, at short intervals: Docker runs it
//! only once in its interval, and the first time after one.

use std::thread;
use std::time::{Duration, Instant};

use plan::{Container, Fault, words};

use super::docker::{ask_for, docker};
use crate::program::Run;

/// Shortest and longest time between two attempts. In between it is what an attempt takes: starting a service and
/// asking it share the machine.
const PAUSES: (Duration, Duration) = (Duration::from_millis(15), Duration::from_millis(500));
/// So long a container without any check has to run to count as started.
const SETTLED: Duration = Duration::from_millis(500);
/// And so long where it ended and was started again meanwhile.
const SETTLED_AGAIN: Duration = Duration::from_secs(3);
/// One attempt; twice as long after each that hangs.
const ATTEMPT: Duration = Duration::from_secs(5);

/// How a service shows that it answers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Check {
    Url(String),
    /// Its own healthcheck, as `docker` has to run it.
    Command(Vec<String>),
    /// It has no check: that it goes on running is all there is to see.
    Runs,
    /// Others wait for its end.
    Ends,
}

impl Check {
    /// Its URL where one is configured, else its own healthcheck.
    pub fn of(container: &Container, url: Option<&str>) -> Self {
        match url {
            Some(url) => Self::Url(url.to_owned()),
            None if container.healthcheck.is_empty() => Self::Runs,
            None => Self::Command(command(container)),
        }
    }

    /// The same check on another container of the service.
    pub fn on(&self, container: &Container) -> Self {
        match self {
            Self::Command(_) => Self::of(container, None),
            other => other.clone(),
        }
    }

    pub fn is_command(&self) -> bool {
        matches!(self, Self::Command(_))
    }

    pub fn is_completion(&self) -> bool {
        *self == Self::Ends
    }
}

/// A container's own healthcheck in `docker`'s words.
fn command(container: &Container) -> Vec<String> {
    let mut words = vec!["exec".to_owned(), container.id.clone()];
    match container.healthcheck.split_first() {
        Some((kind, rest)) if kind == "CMD-SHELL" => {
            words.extend(["/bin/sh".to_owned(), "-c".to_owned()]);
            words.extend(rest.iter().cloned());
        }
        Some((_, rest)) => words.extend(rest.iter().cloned()),
        None => {}
    }
    words
}

/// A check that is tried again and again.
pub(super) struct Probe {
    check: Check,
    limit: Duration,
    /// Longest wait for all attempts together.
    timeout: Duration,
    begun: Instant,
    took: Duration,
    last: String,
    /// How often Docker had started it again when we first looked, and since.
    restarts: Option<(u64, u64)>,
}

impl Probe {
    pub fn new(check: Check, timeout: Duration) -> Self {
        let (begun, took) = (Instant::now(), Duration::ZERO);
        Self { check, limit: ATTEMPT, timeout, begun, took, last: String::new(), restarts: None }
    }

    /// Whether its end with 0 is as good as an answer.
    pub fn may_end(&self) -> bool {
        matches!(self.check, Check::Runs | Check::Ends)
    }

    /// Whether it answers now.
    pub fn attempt(&mut self, state: &State) -> bool {
        let first = self.restarts.map_or(state.restarts, |(first, _)| first);
        self.restarts = Some((first, state.restarts));
        let begun = Instant::now();
        let answers = match &self.check {
            // What Docker itself saw since the container's start counts as well.
            Check::Command(_) if state.healthy => true,
            Check::Command(words) => self.run(&words.clone()),
            Check::Url(url) => self.get(&url.clone()),
            Check::Runs => {
                let settled = if state.restarts > first { SETTLED_AGAIN } else { SETTLED };
                state.running && state.since > settled
            }
            Check::Ends => false,
        };
        self.took = begun.elapsed();
        answers
    }

    fn get(&mut self, url: &str) -> bool {
        match minreq::get(url).with_timeout(ATTEMPT.as_secs().max(1)).send() {
            Ok(answer) if (200..300).contains(&answer.status_code) => return true,
            Ok(answer) => self.last = format!("{url} answers {}", answer.status_code),
            Err(why) => self.last = format!("{url}: {why}"),
        }
        false
    }

    fn run(&mut self, words: &[String]) -> bool {
        let left = self.timeout.saturating_sub(self.begun.elapsed()).max(Duration::from_secs(1));
        match docker(words.iter().map(String::as_str)).deadline(self.limit.min(left)).output() {
            Ok(_) => return true,
            Err(Run::Late { .. }) => {
                self.last =
                    format!("its healthcheck hangs: no end within {}", words::took(self.limit.min(left)));
                // What hangs in the container goes on hanging there.
                self.limit *= 2;
            }
            Err(run) => self.last = run.to_string(),
        }
        false
    }

    /// Waits for the next attempt.
    pub fn pause(&self) {
        let (shortest, longest) = PAUSES;
        thread::park_timeout(self.took.clamp(shortest, longest));
    }

    /// What the attempts saw, the last one last.
    pub fn seen(&self) -> String {
        match self.restarts {
            Some((first, now)) if now > first => {
                let times = words::count(now - first, "time");
                let last = self.last.lines().next_back().unwrap_or_default();
                format!(
                    "it ended and was started again {times}{}{last}",
                    if last.is_empty() { "" } else { ": " }
                )
            }
            _ => self.last.clone(),
        }
    }
}

/// A container's state in this moment.
pub(super) struct State {
    pub running: bool,
    /// It will not start again by itself.
    pub ended: bool,
    pub code: i64,
    /// How long it has run since its last start.
    pub since: Duration,
    /// Docker ran its healthcheck since its start, and it passed.
    pub healthy: bool,
    restarts: u64,
}

impl State {
    pub fn of(container: &Container) -> Result<Self, Fault> {
        let format = "{{.State.Status}} {{.State.ExitCode}} {{.State.StartedAt}} {{.RestartCount}} \
                      {{if .State.Health}}{{.State.Health.Status}}{{end}}";
        let words = ["inspect", "--type", "container", "--format", format, &container.id];
        let said = ask_for("the container was not looked at", words)?.unwrap_or_default();
        Ok(Self::read(&said))
    }

    fn read(said: &str) -> Self {
        let mut parts = said.split_whitespace();
        let status = parts.next().unwrap_or("dead");
        let code = parts.next().and_then(|code| code.parse().ok()).unwrap_or(-1);
        let started = parts.next().and_then(|at| at.parse::<jiff::Timestamp>().ok());
        let since = started.and_then(|at| Duration::try_from(jiff::Timestamp::now().duration_since(at)).ok());
        Self {
            running: status == "running",
            ended: matches!(status, "exited" | "dead" | "removing"),
            code,
            since: since.unwrap_or_default(),
            restarts: parts.next().and_then(|count| count.parse().ok()).unwrap_or(0),
            healthy: status == "running" && parts.next() == Some("healthy"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_state_is_read() {
        let state = State::read("running 0 2026-01-02T03:04:05.678Z 3 healthy\n");

        assert!(state.running && !state.ended && state.healthy);
        assert!(state.restarts == 3 && state.since > Duration::from_secs(1));
        assert!(State::read("exited 1 2026-01-02T03:04:05Z 0").ended);
        assert!(State::read("").ended, "one that is gone does not come back");
    }

    #[test]
    fn what_was_started_again_has_to_run_longer() {
        let mut probe = Probe::new(Check::Runs, Duration::from_secs(9));
        let state = |restarts, since| State { since, restarts, ..State::read("running 0 x 0") };

        assert!(!probe.attempt(&state(0, Duration::from_millis(100))));
        assert!(!probe.attempt(&state(1, Duration::from_secs(1))));
        assert!(probe.attempt(&state(1, Duration::from_secs(4))));
        assert_eq!(probe.seen(), "it ended and was started again 1 time");
    }
}
