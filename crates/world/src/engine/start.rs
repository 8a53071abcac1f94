//! Has Compose make containers, and writes down which volumes and containers that made.

use std::collections::BTreeSet;

use plan::{
    Compose, Condition, Container, Engine, Exit, Fault, MountKind, Outcome, Said, Service, ServiceName,
    Stack, VolumeName, stack,
};

use super::docker::{ask, fault};
use super::inspect::{self, PROJECT};
use super::{Context, compose, failure, made, volumes, waves};
use crate::program::Run;
use crate::records::Records;

/// Makes the containers as `compose up` makes them, so that a later `up` finds nothing to change, and starts none.
/// Compose itself would first wait for a healthcheck that Docker asks only once in its interval. (v2 after
/// `up --no-deps` makes them all anew.)
pub(super) fn make(
    context: &Context<'_>,
    services: &[ServiceName],
    said: &mut dyn FnMut(Said<'_>),
) -> Result<Outcome, Fault> {
    let project = &context.engine.compose;
    if compose::is_v1(context.config, project) {
        // v1 waits for what a service needs before it makes it; told not to, it makes it all the same. Not so where an
        // end is needed: that one is made in a call of its own.
        let (alone, together): (Vec<_>, Vec<_>) =
            services.iter().cloned().partition(|name| needs_an_end(name, &project.services));
        let calls = std::iter::once(together).chain(alone.into_iter().map(|name| vec![name]));
        for services in calls.filter(|services| !services.is_empty()) {
            up(context, &["--no-start", "--no-deps"], &services, said)?;
        }
    } else {
        up(context, &["--no-start"], services, said)?;
    }
    made::write(context)?;
    Ok(Outcome::default())
}

fn needs_an_end(name: &ServiceName, services: &[Service]) -> bool {
    let described = services.iter().find(|service| service.name == *name);
    described.is_some_and(|one| one.depends.iter().any(|needs| needs.condition == Condition::Completed))
}

/// Starts services in waves. Where Compose writes something into a container when it starts it, it has to start them.
pub(super) fn start(
    context: &Context<'_>,
    services: &[ServiceName],
    awaited: &[ServiceName],
    said: &mut dyn FnMut(Said<'_>),
) -> Result<Outcome, Fault> {
    if context.engine.compose.injects && !services.is_empty() {
        up(context, &["-d"], services, said)?;
    }
    made::note(context)?;
    waves::start(context, services, awaited, said)
}

fn up(
    context: &Context<'_>,
    how: &[&str],
    services: &[ServiceName],
    said: &mut dyn FnMut(Said<'_>),
) -> Result<(), Fault> {
    let project: &Compose = &context.engine.compose;
    let before: BTreeSet<String> = all_volumes()?;
    let up = compose::on(context.config, project).arg("up").args(how.iter().copied());
    let up = up.args(services.iter().map(ServiceName::as_str));
    let run = up.lines(&mut |line| said(Said::Line(line.trim())));
    // Also when it failed: what it made so far is ours.
    let recorded = record(context, &before);
    match run {
        Ok(()) => recorded,
        Err(Run::Failed { said: words, .. }) => Err(failure::of_up(context, services, &words, said)),
        Err(run) => Err(fault(&run, "the services were not started")),
    }
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
    let is_ours =
        |volume: &plan::Volume| volume.anonymous || volume.labels.get(PROJECT) == Some(&compose.project);
    let mut identified = Vec::new();
    for volume in made.into_iter().filter(is_ours) {
        if volume.anonymous {
            identified.push((volume.name, volumes::UNNAMED.to_owned()));
            continue;
        }
        match volumes::identity(&volume.name, &images)? {
            Some(identity) => identified.push((volume.name, identity)),
            None => return Err(Fault::new(Exit::Failed, format!("volume `{}` is gone again", volume.name))),
        }
    }
    records.make(identified)
}
