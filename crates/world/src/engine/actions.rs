//! Actions on containers, networks and volumes. Each looks afterwards whether it came true: `docker volume rm -f` and
//! `compose down -v` end with 0 when it did not.

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
        Action::StartServices { services } => start::services(context, services, said),
        Action::AdoptVolume { volume } => adopt(context, volume),
        Action::StartContainers { containers } => start(containers),
        Action::StopContainers { containers, .. } => stop(context, containers),
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
        Action::RemoveContainer { container } => remove("container", container.as_str()),
        Action::RemoveNetwork { network } => remove("network", network),
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

/// Without a configured grace each container has its own, which Docker knows.
fn stop(context: &Context<'_>, containers: &[ContainerName]) -> Result<Outcome, Fault> {
    let attempt = || format!("{} did not stop", words::list(containers));
    let grace = context.config.restart.grace.map(|grace| grace.to_string());
    let mut words = vec!["stop"];
    if let Some(grace) = &grace {
        words.extend(["-t", grace]);
    }
    words.extend(names(containers));
    match change(words) {
        Err(run) if !is_missing(&run) => return Err(fault(&run, attempt())),
        _ => {}
    }
    let up = running(containers)?;
    if up.is_empty() {
        return Ok(Outcome::default());
    }
    Err(Fault::new(Exit::Failed, attempt()).cause(format!("{} still runs", words::list(up))))
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

fn remove_volume(context: &Context<'_>, volume: &VolumeName) -> Result<Outcome, Fault> {
    let outcome = remove("volume", volume.as_str()).map_err(|fault| match users(volume, true) {
        Ok(users) if !users.is_empty() => fault
            .cause(format!("mounted by {}", words::list(&users)))
            .hint(format!("docker rm {}", users.join(" "))),
        _ => fault,
    })?;
    Records::read(context.workspace)?.unmake(volume)?;
    Ok(outcome)
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
