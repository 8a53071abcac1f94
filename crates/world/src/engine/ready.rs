//! Waits until a service answers. Its own healthcheck is asked directly: Docker asks it only once in its interval,
//! and the first time after one.

use std::thread;
use std::time::{Duration, Instant};

use plan::{Container, Exit, Fault, Outcome, Said, Secret, Stack, guard, masked, stack, words};

use super::Context;
use super::docker::{ask_for, docker, fault};
use super::inspect::{self, PROJECT};
use crate::interrupt;
use crate::program::Run;

/// Between two attempts.
const PAUSE: Duration = Duration::from_millis(15);
/// So long a container without any check has to run to count as started.
const SETTLED: Duration = Duration::from_millis(500);
/// One attempt.
const ATTEMPT: Duration = Duration::from_secs(5);

/// As [`service`], with the URL that is configured.
pub(crate) fn await_service(
    context: &Context<'_>,
    name: &str,
    said: &mut dyn FnMut(Said<'_>),
) -> Result<Outcome, Fault> {
    service(context, name, None, said)
}

/// Waits until the service answers.
///
/// # Errors
/// It has no container, its container ended, or it does not answer in time; with its last words.
pub(super) fn service(
    context: &Context<'_>,
    name: &str,
    url: Option<&str>,
    said: &mut dyn FnMut(Said<'_>),
) -> Result<Outcome, Fault> {
    let begun = Instant::now();
    let container = fresh(context, name)?;
    let url = url.or_else(|| context.config.ready.get(name).map(String::as_str));
    let mut check = match url {
        Some(url) => Check::url(url),
        None if container.healthcheck.is_empty() => Check::Runs,
        None => Check::Command(command(&container)),
    };
    let mut last = String::new();
    loop {
        let state = State::of(&container)?;
        if state.ended {
            return if state.code == 0 && matches!(check, Check::Runs) {
                Ok(Outcome::detail("did its work and ended"))
            } else {
                Err(ended(&container, name, state.code, said))
            };
        }
        match check.attempt(&state) {
            Ok(true) => return Ok(Outcome::detail(format!("after {}", words::took(begun.elapsed())))),
            Ok(false) => {}
            Err(why) => last = why,
        }
        if interrupt::asked() {
            return Err(Fault::new(Exit::Declined, "interrupted"));
        }
        if begun.elapsed() > context.timeout {
            return Err(late(context, &container, name, &last, said));
        }
        thread::park_timeout(PAUSE);
    }
}

/// The service's container as it is now.
fn fresh(context: &Context<'_>, name: &str) -> Result<Container, Fault> {
    let compose = &context.engine.compose;
    let filters = [
        format!("label={PROJECT}={}", compose.project),
        format!("label=com.docker.compose.service={name}"),
        "label=com.docker.compose.oneoff=False".to_owned(),
    ];
    let found = inspect::containers(&filters)?.into_iter().map(|one| one.container);
    let mut ours: Vec<Container> =
        found.filter(|one| stack(one, compose, &context.workspace.root) == Stack::Ours).collect();
    ours.sort_by_key(|container| !container.running);
    ours.into_iter().next().ok_or_else(|| {
        if let Some(fault) =
            (!compose.services.is_empty()).then(|| guard::service(name, &compose.services).err()).flatten()
        {
            return fault;
        }
        Fault::new(Exit::NotReady, format!("`{name}` has no container"))
            .hint(context.workspace.command(&format!("up {name}")))
    })
}

/// How a service shows that it answers.
enum Check {
    Url(String),
    Command(Vec<String>),
    /// It has no check: that it goes on running is all there is to see.
    Runs,
}

impl Check {
    fn url(url: &str) -> Self {
        Self::Url(url.to_owned())
    }

    /// Whether it answers now; what it said where it does not.
    fn attempt(&mut self, state: &State) -> Result<bool, String> {
        match self {
            Self::Url(url) => match minreq::get(url.as_str()).with_timeout(ATTEMPT.as_secs().max(1)).send() {
                Ok(answer) => Ok((200..300).contains(&answer.status_code)),
                Err(why) => Err(format!("{url}: {why}")),
            },
            Self::Command(words) => {
                let run = docker(words.iter().map(String::as_str)).deadline(ATTEMPT).output();
                run.map(|_| true).map_err(|run| run.to_string())
            }
            Self::Runs => Ok(state.running && state.since > SETTLED),
        }
    }
}

/// The container's own healthcheck, as `docker` would have to run it.
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

struct State {
    running: bool,
    /// It will not start again by itself.
    ended: bool,
    code: i64,
    /// How long it has run since its last start.
    since: Duration,
}

impl State {
    fn of(container: &Container) -> Result<Self, Fault> {
        let format = "{{.State.Status}} {{.State.ExitCode}} {{.State.StartedAt}}";
        let words = ["inspect", "--type", "container", "--format", format, &container.id];
        let said = ask_for("the container was not looked at", words)?.unwrap_or_default();
        let mut parts = said.split_whitespace();
        let status = parts.next().unwrap_or("dead");
        let code = parts.next().and_then(|code| code.parse().ok()).unwrap_or(-1);
        let started = parts.next().and_then(|at| at.parse::<jiff::Timestamp>().ok());
        let since = started.and_then(|at| Duration::try_from(jiff::Timestamp::now().duration_since(at)).ok());
        let running = status == "running";
        let ended = matches!(status, "exited" | "dead" | "removing");
        Ok(Self { running, ended, code, since: since.unwrap_or_default() })
    }
}

/// That the database's container lives: what waits for its server need not wait for one that ended.
///
/// # Errors
/// It ended; with its last words.
pub(crate) fn lives(context: &Context<'_>) -> Result<(), Fault> {
    let Some(service) = &context.engine.compose.database else { return Ok(()) };
    let container = fresh(context, service.as_str())?;
    let state = State::of(&container)?;
    if state.ended { Err(ended(&container, service.as_str(), state.code, &mut |_| ())) } else { Ok(()) }
}

/// The fault of a container that ended although it should serve.
pub(super) fn ended(container: &Container, name: &str, code: i64, said: &mut dyn FnMut(Said<'_>)) -> Fault {
    let words = last_words(container, said);
    let words = if words.is_empty() { String::new() } else { format!(": {words}") };
    Fault::new(Exit::Failed, format!("`{name}` ended with {code}"))
        .cause(format!("its container `{}` ended{words}", container.name))
        .hint(format!("docker logs --tail 50 {}", container.name))
}

fn late(
    context: &Context<'_>,
    container: &Container,
    name: &str,
    last: &str,
    said: &mut dyn FnMut(Said<'_>),
) -> Fault {
    let words = last_words(container, said);
    let cause = match (last.is_empty(), words.is_empty()) {
        (false, false) => format!("{}; its log ends: {words}", masked(end_of(last), &secrets(container))),
        (false, true) => masked(end_of(last), &secrets(container)),
        (true, false) => format!("its log ends: {words}"),
        (true, true) => "its container runs and says nothing".to_owned(),
    };
    Fault::new(Exit::NotReady, format!("`{name}` gives no answer within {}", words::took(context.timeout)))
        .cause(cause)
        .hint(format!("docker logs --tail 50 {}", container.name))
}

/// The line that says why: the last one, where a check prints a whole traceback.
fn end_of(said: &str) -> &str {
    said.lines().rev().map(str::trim).find(|line| !line.is_empty()).unwrap_or_default()
}

/// The last lines of its log, secrets masked: all of them for who listens, the end of them for the cause.
fn last_words(container: &Container, said: &mut dyn FnMut(Said<'_>)) -> String {
    let secrets = secrets(container);
    let mut lines: Vec<String> = Vec::new();
    let logs = docker(["logs", "--tail", "20", &container.id]).unstoppable().deadline(ATTEMPT);
    let run = logs.lines(&mut |line| {
        let line = masked(line, &secrets);
        said(Said::Line(&line));
        lines.extend(Some(line).filter(|line| !line.trim().is_empty()));
    });
    match run {
        Err(run @ Run::Failed { .. }) if lines.is_empty() => fault(&run, "").cause.unwrap_or_default(),
        _ => lines.get(lines.len().saturating_sub(3)..).unwrap_or_default().join(" | "),
    }
}

/// What in its environment is a secret by its variable's name.
fn secrets(container: &Container) -> Vec<Secret> {
    let is_secret = |name: &str| {
        let name = name.to_uppercase();
        let words = ["PASS", "PWD", "SECRET", "TOKEN", "KEY", "CREDENTIAL"];
        words.iter().any(|word| name.contains(word)) && !["PWD", "OLDPWD", "GPG_KEY"].contains(&name.as_str())
    };
    container.environment.iter().filter(|(name, _)| is_secret(name)).map(|(_, value)| value.clone()).collect()
}
