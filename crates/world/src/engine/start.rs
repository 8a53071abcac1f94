//! Starts services through Compose, and writes down which volumes that made.

use std::collections::BTreeSet;

use plan::{Container, Engine, Exit, Fault, MountKind, Outcome, Said, ServiceName, Stack, VolumeName, stack};

use super::docker::{ask, docker, fault};
use super::inspect::{self, PROJECT};
use super::{Context, compose, failure, volumes};
use crate::program::Run;
use crate::records::Records;

/// Makes the containers as `compose up` makes them, so that a later `up` finds nothing to change, and starts those of
/// the named services alone. Compose itself would first wait for a healthcheck that Docker asks only once in its
/// interval; the plan starts them in order and asks by itself. (v2 after `up --no-deps` makes
/// them all anew.)
pub(super) fn services(
    context: &Context<'_>,
    services: &[ServiceName],
    said: &mut dyn FnMut(Said<'_>),
) -> Result<Outcome, Fault> {
    let project = &context.engine.compose;
    let before: BTreeSet<String> = all_volumes()?;
    // What Compose writes into a container when it starts it, only its own start brings.
    let by_compose = services.is_empty() || project.injects;
    let how: &[&str] = if by_compose {
        &["-d"]
    } else if compose::is_v1(context.config, project) {
        // v1 waits for what a service needs before it makes it; told not to, it makes it all the same.
        &["--no-start", "--no-deps"]
    } else {
        &["--no-start"]
    };
    let up = compose::on(context.config, project).arg("up").args(how.iter().copied());
    let up = up.args(services.iter().map(ServiceName::as_str));
    let mut run = up.lines(&mut |line| said(Said::Line(line.trim())));
    if run.is_ok() && !by_compose {
        let made = made(context, services)?;
        if !made.is_empty() {
            let start = docker(["start"].into_iter().chain(made.iter().map(String::as_str)));
            run = start.lines(&mut |_| ());
        }
    }
    // Also when it failed: what it made so far is ours.
    let recorded = record(context, &before);
    match run {
        Ok(()) => recorded.map(|()| Outcome::default()),
        Err(Run::Failed { said: words, .. }) => Err(failure::of_up(context, services, &words, said)),
        Err(run) => Err(fault(&run, "the services were not started")),
    }
}

/// Our containers of these services that do not run.
fn made(context: &Context<'_>, services: &[ServiceName]) -> Result<Vec<String>, Fault> {
    let compose = &context.engine.compose;
    let is_it = |one: &Container| {
        let is_named = one.service.as_ref().is_some_and(|service| services.contains(service));
        is_named
            && !one.running
            && !one.one_off
            && stack(one, compose, &context.workspace.root) == Stack::Ours
    };
    let now = inspect::containers(&[format!("label={PROJECT}={}", compose.project)])?;
    Ok(now.into_iter().map(|one| one.container).filter(is_it).map(|one| one.name.to_string()).collect())
}

fn all_volumes() -> Result<BTreeSet<String>, Fault> {
    Ok(ask("the volumes were not listed", ["volume", "ls", "-q"])?.lines().map(str::to_owned).collect())
}

fn mounted(containers: &[Container], engine: &Engine, context: &Context<'_>) -> BTreeSet<String> {
    let ours =
        containers.iter().filter(|one| stack(one, &engine.compose, &context.workspace.root) == Stack::Ours);
    let mounts = ours.flat_map(|one| &one.mounts).filter(|mount| mount.kind == MountKind::Volume);
    mounts.map(|mount| mount.source.clone()).collect()
}

/// Records the volumes that were not there before, and those that containers of ours mounted before.
fn record(context: &Context<'_>, before: &BTreeSet<String>) -> Result<(), Fault> {
    let compose = &context.engine.compose;
    let now = inspect::containers(&[format!("label={PROJECT}={}", compose.project)])?;
    let images: Vec<String> = now.iter().map(|one| one.image.clone()).collect();
    let now: Vec<Container> = now.into_iter().map(|one| one.container).collect();
    let had = mounted(&context.engine.containers, context.engine, context);
    let mut records = Records::read(context.workspace)?;
    let is_known = |name: &str| VolumeName::new(name).is_ok_and(|name| records.has_made(&name));
    let names = mounted(&now, context.engine, context);
    let new =
        names.into_iter().filter(|name| !before.contains(name) || (had.contains(name) && !is_known(name)));
    let made = inspect::volumes(new.collect())?;
    let made = made.into_iter().filter(|volume| volume.labels.get(PROJECT) == Some(&compose.project));
    let mut identified = Vec::new();
    for volume in made {
        match volumes::identity(&volume.name, &images)? {
            Some(identity) => identified.push((volume.name, identity)),
            None => return Err(Fault::new(Exit::Failed, format!("volume `{}` is gone again", volume.name))),
        }
    }
    records.make(identified)
}
