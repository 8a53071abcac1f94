//! Waits until a service answers, and says why where it does not.

use std::time::{Duration, Instant};

use plan::{Container, Exit, Fault, Outcome, Said, Secret, Stack, guard, masked, stack, words};

use super::Context;
use super::docker::{docker, fault};
use super::inspect::{self, PROJECT};
use super::probe::{Check, Probe, State};
use crate::interrupt;
use crate::program::Run;

/// So long its log may take.
const LOG: Duration = Duration::from_secs(5);

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
    let container = fresh(context, name)?;
    let url = url.or_else(|| context.config.ready.get(name).map(String::as_str));
    answers(context, name, &container, Check::of(&container, url), &|| false, said)
}

/// Waits until a container answers by this check, or somebody gives up.
///
/// # Errors
/// As [`service`].
pub(super) fn answers(
    context: &Context<'_>,
    name: &str,
    container: &Container,
    check: Check,
    given_up: &dyn Fn() -> bool,
    said: &mut dyn FnMut(Said<'_>),
) -> Result<Outcome, Fault> {
    let begun = Instant::now();
    let completes = check.is_completion();
    let mut probe = Probe::new(check, context.timeout);
    loop {
        let state = State::of(container)?;
        if state.ended {
            return if state.code == 0 && probe.may_end() {
                Ok(Outcome::detail("did its work and ended"))
            } else {
                Err(ended(container, name, state.code, said))
            };
        }
        if !completes && probe.attempt(&state) {
            return Ok(Outcome::detail(format!("after {}", words::took(begun.elapsed()))));
        }
        if interrupt::asked() || given_up() {
            return Err(Fault::new(Exit::Declined, "interrupted"));
        }
        if begun.elapsed() > context.timeout {
            return Err(late(context, container, name, &probe, said));
        }
        probe.pause();
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
    ours.into_iter().next().ok_or_else(|| absent(context, name))
}

/// The fault of a service without container.
pub(super) fn absent(context: &Context<'_>, name: &str) -> Fault {
    let services = &context.engine.compose.services;
    if let Some(fault) = (!services.is_empty()).then(|| guard::service(name, services).err()).flatten() {
        return fault;
    }
    Fault::new(Exit::NotReady, format!("`{name}` has no container"))
        .hint(context.workspace.command(&format!("up {name}")))
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
    probe: &Probe,
    said: &mut dyn FnMut(Said<'_>),
) -> Fault {
    let words = last_words(container, said);
    let seen = masked(end_of(&probe.seen()), &secrets(container));
    let cause = match (seen.is_empty(), words.is_empty()) {
        (false, false) => format!("{seen}; its log ends: {words}"),
        (false, true) => seen,
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
    let logs = docker(["logs", "--tail", "20", &container.id]).unstoppable().deadline(LOG);
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
