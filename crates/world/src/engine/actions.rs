//! Actions on containers, networks and volumes. Each looks afterwards whether it came true: `docker volume rm -f` and
//! `compose down -v` end with 0 when it did not.

use std::sync::mpsc::channel;
use std::thread;

use plan::{Action, ContainerName, Exit, Fault, Outcome, Said, VolumeName, words};

use super::copy::Original;
use super::docker::{ask, ask_for, change, fault, is_missing};
use super::{Context, copy, deaf, ready, start, volumes};
use crate::records::Records;

/// Performs one of the engine's actions.
///
/// # Errors
/// It failed, or what it should have done is not seen afterwards.
pub(crate) fn perform(
    action: &Action,
    context: &Context<'_>,
    said: &mut dyn FnMut(Said<'_>),
) -> Result<Outcome, Fault> {
    match action {
        Action::MakeServices { services } => start::make(context, services, said),
        Action::StartServices { services, awaited } => start::start(context, services, awaited, said),
        Action::AdoptVolume { volume } => adopt(context, volume),
        Action::StartContainers { containers } => start(containers),
        Action::StopContainers { containers, grace } => stop(containers, *grace),
        Action::KeepRunning { containers } => keep_running(containers),
        Action::RestartContainer { container, grace, .. } => {
            let grace = deaf::grace(container.as_str(), *grace).to_string();
            change(["restart", "-t", &grace, container.as_str()])
                .map_err(|run| fault(&run, format!("`{container}` was not restarted")))?;
            Ok(Outcome::default())
        }
        Action::AwaitService { service, url } => {
            ready::service(context, service.as_str(), url.as_deref(), said)
        }
        Action::RemoveContainers { containers } => remove_containers(containers),
        Action::RemoveRest { networks, volumes } => remove_rest(context, networks, volumes, said),
        Action::RemoveVolume { volume } => remove_volume(context, volume),
        Action::CopyVolume { from, to, n, image } => copy::keep(context, from, to, *n, image, said),
        Action::RestoreVolume { from, to, labels, image } => {
            copy::restore(context, from, to, labels, image, said)
        }
        Action::ForgetVolume { copy, .. } => copy::forget(context, copy, Original::MustExist),
        Action::GiveUpCopy { copy, .. } => copy::forget(context, copy, Original::MayBeGone),
        _ => Err(Fault::new(Exit::Failed, "this is no action of the engine's")),
    }
}

fn adopt(context: &Context<'_>, volume: &VolumeName) -> Result<Outcome, Fault> {
    let Some(identity) = identity(context, volume)? else {
        return Err(
            Fault::new(Exit::Failed, format!("volume `{volume}` was not adopted")).cause("it is gone")
        );
    };
    Records::read(context.workspace)?.make([(volume.clone(), identity)])?;
    Ok(Outcome::default())
}

fn names(containers: &[ContainerName]) -> impl Iterator<Item = &str> {
    containers.iter().map(ContainerName::as_str)
}

/// Those of the containers that run, by name. One that is gone does not.
fn running(containers: &[ContainerName]) -> Result<Vec<&ContainerName>, Fault> {
    let listed = ask(
        "the running containers were not listed",
        ["ps", "--no-trunc", "--format", "{{.ID}} {{.Names}}"],
    )?;
    let listed: Vec<&str> = listed.split([' ', ',', '\n']).collect();
    Ok(containers.iter().filter(|container| listed.contains(&container.as_str())).collect())
}

fn start(containers: &[ContainerName]) -> Result<Outcome, Fault> {
    let attempt = || format!("{} did not start", words::list(containers));
    change(["start"].into_iter().chain(names(containers))).map_err(|run| fault(&run, attempt()))?;
    let up = running(containers)?;
    let down: Vec<_> = containers.iter().filter(|container| !up.contains(container)).collect();
    match down.first() {
        None => Ok(Outcome::default()),
        Some(first) => Err(Fault::new(Exit::Failed, format!("{} did not stay up", words::list(&down)))
            .hint(format!("docker logs --tail 50 {first}"))),
    }
}

/// Starts those again that ended since they were seen running.
fn keep_running(containers: &[ContainerName]) -> Result<Outcome, Fault> {
    let up = running(containers)?;
    let down: Vec<ContainerName> = containers.iter().filter(|one| !up.contains(one)).cloned().collect();
    if down.is_empty() {
        return Ok(Outcome::idle("all of them"));
    }
    start(&down)?;
    let mut outcome = Outcome::detail(format!("started {} again", words::list(&down)));
    outcome.lines.push(format!("Ended when it was cut off, and was started again: {}", words::list(&down)));
    Ok(outcome)
}

/// All at the same time; who can't hear the signal is not waited for.
fn stop(containers: &[ContainerName], grace: Option<u32>) -> Result<Outcome, Fault> {
    let attempt = || format!("{} did not stop", words::list(containers));
    let hears = |one: &&ContainerName| grace != Some(0) && deaf::grace(one.as_str(), 1) > 0;
    let (hearing, deaf): (Vec<&ContainerName>, Vec<&ContainerName>) = containers.iter().partition(hears);
    if !deaf.is_empty() {
        // What ended by itself meanwhile can't be killed any more: the look below tells.
        let _ = change(["kill"].into_iter().chain(deaf.iter().map(|one| one.as_str())));
    }
    let seconds = grace.map(|grace| grace.to_string());
    let patience = seconds.iter().flat_map(|seconds| ["-t", seconds]);
    let stopped = hearing.iter().map(|one| one.as_str());
    if !hearing.is_empty() {
        match change(["stop"].into_iter().chain(patience).chain(stopped)) {
            Err(run) if !is_missing(&run) => return Err(fault(&run, attempt())),
            _ => {}
        }
    }
    let up = running(containers)?;
    if up.is_empty() {
        return Ok(Outcome::default());
    }
    Err(Fault::new(Exit::Failed, attempt()).cause(format!("{} still runs", words::list(up))))
}

/// All at the same time; looked at afterwards.
fn remove_containers(containers: &[ContainerName]) -> Result<Outcome, Fault> {
    let attempt = |left: &[&ContainerName]| format!("{} was not removed", words::list(left));
    let all: Vec<&ContainerName> = containers.iter().collect();
    let removed = change(["rm"].into_iter().chain(names(containers)));
    let listed = ask(&attempt(&all), ["ps", "-a", "--format", "{{.Names}}"])?;
    let listed: Vec<&str> = listed.split([',', '\n']).collect();
    let left: Vec<&ContainerName> = all.into_iter().filter(|one| listed.contains(&one.as_str())).collect();
    match removed {
        _ if left.is_empty() => Ok(Outcome::default()),
        Err(run) => Err(fault(&run, attempt(&left))),
        Ok(_) => {
            Err(Fault::new(Exit::Failed, attempt(&left)).cause("the engine said it is, and still has it"))
        }
    }
}

/// `docker KIND rm`, looked at afterwards.
fn remove(kind: &str, name: &str) -> Result<Outcome, Fault> {
    let attempt = || format!("{kind} `{name}` was not removed");
    match change([kind, "rm", name]) {
        Err(run) if is_missing(&run) => return Ok(Outcome::idle("was gone")),
        Err(run) => return Err(fault(&run, attempt())),
        Ok(_) => {}
    }
    match ask_for(&attempt(), [kind, "inspect", "--format", "{{.Name}}", name])? {
        None => Ok(Outcome::default()),
        Some(_) => Err(Fault::new(Exit::Failed, attempt()).cause("the engine said it is, and still has it")),
    }
}

/// All at the same time, each told when it is gone. The first fault is told when every one was tried.
fn remove_rest(
    context: &Context<'_>,
    networks: &[String],
    volumes: &[VolumeName],
    said: &mut dyn FnMut(Said<'_>),
) -> Result<Outcome, Fault> {
    let total = (networks.len() + volumes.len()) as u64;
    let (tell, told) = channel();
    let mut gone = Vec::new();
    let mut failed = None;
    thread::scope(|scope| {
        for network in networks {
            let tell = tell.clone();
            scope.spawn(move || drop(tell.send((None, remove("network", network)))));
        }
        for volume in volumes {
            let tell = tell.clone();
            scope.spawn(move || drop(tell.send((Some(volume), remove_unused(volume)))));
        }
        drop(tell);
        let mut done = 0;
        for (volume, removed) in told {
            match removed {
                Ok(_) => {
                    done += 1;
                    gone.extend(volume);
                    said(Said::Progress { done, total });
                }
                Err(fault) => failed = failed.take().or(Some(fault)),
            }
        }
    });
    let mut records = Records::read(context.workspace)?;
    gone.into_iter().try_for_each(|volume| records.unmake(volume))?;
    failed.map_or_else(|| Ok(Outcome::default()), Err)
}

fn remove_volume(context: &Context<'_>, volume: &VolumeName) -> Result<Outcome, Fault> {
    let outcome = remove_unused(volume)?;
    Records::read(context.workspace)?.unmake(volume)?;
    Ok(outcome)
}

fn remove_unused(volume: &VolumeName) -> Result<Outcome, Fault> {
    remove("volume", volume.as_str()).map_err(|fault| match users(volume, true) {
        Ok(users) if !users.is_empty() => fault
            .cause(format!("mounted by {}", words::list(&users)))
            .hint(format!("docker rm {}", users.join(" "))),
        _ => fault,
    })
}

/// Names of the containers that mount a volume; only those that run, unless `all`.
pub(super) fn users(volume: &VolumeName, all: bool) -> Result<Vec<String>, Fault> {
    let filter = format!("volume={volume}");
    let list = if all { "-a" } else { "--no-trunc" };
    let words = ["ps", list, "--filter", &filter, "--format", "{{.Names}}"];
    Ok(ask("the containers were not listed", words)?.lines().map(str::to_owned).collect())
}

/// Images that can look into a volume: those of the containers that we know.
pub(super) fn images(context: &Context<'_>) -> Vec<String> {
    let copier = context.engine.copier.iter().cloned();
    let described = context.engine.compose.services.iter().filter_map(|service| service.image.clone());
    copier
        .chain(context.engine.containers.iter().map(|container| container.image.clone()))
        .chain(described)
        .collect()
}

/// What tells this volume from a later one of its name.
pub(super) fn identity(context: &Context<'_>, volume: &VolumeName) -> Result<Option<String>, Fault> {
    volumes::identity(volume, &images(context))
}
