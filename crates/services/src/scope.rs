//! What a clean takes, in which steps, and what it leaves with the reason.

use std::collections::BTreeSet;

use plan::{
    Action, Config, Container, Engine, Exit, Expect, Fault, Mount, MountKind, ServiceName, Step, Undo,
    Volume, VolumeName, Whose, World, guard, network, volume, words,
};

use crate::{end, order, ours, stop, up};

/// What goes, and what stays with the reason.
#[derive(Debug)]
pub(crate) struct Scope<'a> {
    pub containers: Vec<&'a Container>,
    pub volumes: Vec<&'a Volume>,
    pub networks: Vec<&'a str>,
    /// Running containers that stay, and stop meanwhile because they use the database.
    pub paused: Vec<&'a Container>,
    pub stays: Vec<String>,
}

impl<'a> Scope<'a> {
    /// What a clean takes here: all of it, the database alone, or all but some services.
    ///
    /// # Errors
    /// An unknown service, or a data volume that is not proved to be this workspace's.
    pub fn find(world: &World, engine: &'a Engine, only_db: bool, except: &[String]) -> Result<Self, Fault> {
        let services = &engine.compose.services;
        let except: Result<BTreeSet<ServiceName>, Fault> =
            except.iter().map(|name| guard::service(name, services)).collect();
        let except = except?;
        let database = engine.compose.database.as_ref();
        let goes = |one: &&Container| match (&one.service, only_db) {
            (service, true) => service.is_some() && service.as_ref() == database,
            (Some(service), false) => !except.contains(service),
            (None, false) => true,
        };
        let (containers, left): (Vec<&Container>, Vec<&Container>) =
            ours(engine, world).into_iter().partition(goes);
        let mut stays: Vec<String> = except.iter().map(|service| format!("{service}: --except")).collect();
        // What a spared service would mount, also where it has no container now.
        let described = services.iter().filter(|service| except.contains(&service.name));
        let spared: BTreeSet<&str> =
            described.flat_map(|service| &service.mounts).map(|mount| mount.source.as_str()).collect();
        let kept_by = |volume: &Volume| left.iter().find(|one| mounts(one, volume)).copied();
        let mut volumes = Vec::new();
        for one in &engine.volumes {
            let is_mounted = containers.iter().any(|container| mounts(container, one));
            let is_data = up::data_volumes(engine).any(|data| data.name == one.name);
            if only_db && !is_mounted && !is_data {
                continue;
            }
            match (volume(one, engine, &world.workspace.root), kept_by(one)) {
                (Whose::Ours, None) if spared.contains(one.name.as_str()) => {
                    stays.push(format!("{}: --except", called(one)));
                }
                (Whose::Ours, None) => volumes.push(one),
                (Whose::Ours, Some(by)) => {
                    stays.push(format!("{}: {} stays and mounts it", called(one), by.name));
                }
                (Whose::NotOurs(why), _) if is_data && !spared.contains(one.name.as_str()) => {
                    return Err(not_ours(one, why, world));
                }
                (Whose::NotOurs(why), _) => stays.push(format!("{}: {why}", called(one))),
            }
        }
        // The data first: it is what a person looks for.
        volumes
            .sort_by_key(|one| (one.anonymous, !up::data_volumes(engine).any(|data| data.name == one.name)));
        let described = services.iter().filter(|service| !only_db && !except.contains(&service.name));
        stays.extend(binds(
            containers.iter().flat_map(|one| &one.mounts).chain(described.flat_map(|one| &one.mounts)),
        ));
        let networks =
            if only_db || !left.is_empty() { Vec::new() } else { networks(world, engine, &mut stays) };
        let users = database.map(|database| order::dependents(database, services)).unwrap_or_default();
        let connected =
            |one: &&Container| one.running && one.service.as_ref().is_some_and(|name| users.contains(name));
        let paused = left.into_iter().filter(|_| only_db).filter(connected).collect();
        Ok(Self { containers, volumes, networks, paused, stays })
    }

    pub fn is_empty(&self) -> bool {
        self.containers.is_empty() && self.volumes.is_empty() && self.networks.is_empty()
    }

    /// Which service mounts a volume.
    pub fn owner(&self, volume: &Volume) -> Option<&ServiceName> {
        self.containers.iter().find(|one| mounts(one, volume)).and_then(|one| one.service.as_ref())
    }
}

fn networks<'a>(world: &World, engine: &'a Engine, stays: &mut Vec<String>) -> Vec<&'a str> {
    let mut found = Vec::new();
    for one in &engine.networks {
        match network(one, engine, &world.workspace.root) {
            Whose::Ours => found.push(one.name.as_str()),
            Whose::NotOurs(why) => stays.push(format!("network {}: {why}", one.name)),
        }
    }
    found
}

fn mounts(container: &Container, volume: &Volume) -> bool {
    let is_it = |mount: &Mount| mount.kind == MountKind::Volume && mount.source == volume.name.as_str();
    container.mounts.iter().any(is_it)
}

/// A volume as a person knows it: an unnamed one by its beginning.
fn called(volume: &Volume) -> String {
    let unnamed = if volume.anonymous { "unnamed " } else { "" };
    format!("{unnamed}volume {}", volume.name.shown())
}

fn not_ours(volume: &Volume, why: String, world: &World) -> Fault {
    Fault::new(Exit::Refused, format!("volume `{}` is not proved to be this workspace's", volume.name))
        .cause(why)
        .state("nothing was changed")
        .hint(format!("{} if what is in it is this workspace's", world.workspace.command("up --adopt")))
}

/// Folders of the host that containers mount, or would.
fn binds<'a>(mounts: impl Iterator<Item = &'a Mount>) -> BTreeSet<String> {
    let folders = mounts.filter(|mount| mount.kind == MountKind::Bind);
    folders.map(|mount| format!("{}: a folder of yours, mounted", mount.source)).collect()
}

/// `3 containers · 1 network · shop_data (84.0 MB) · cache's unnamed volume`
pub(crate) fn removes(scope: &Scope<'_>) -> String {
    let volumes = scope.volumes.iter().map(|one| {
        let name = match scope.owner(one) {
            Some(service) if one.anonymous => format!("{service}'s unnamed volume"),
            _ => one.name.to_string(),
        };
        match one.bytes {
            Some(bytes) => format!("{name} ({})", words::bytes(bytes)),
            None => name,
        }
    });
    let counted = [(scope.containers.len(), "container"), (scope.networks.len(), "network")];
    let counted = counted.into_iter().filter(|(number, _)| *number > 0);
    let counted = counted.map(|(number, noun)| words::count(number as u64, noun));
    let parts: Vec<String> = counted.chain(volumes).collect();
    if parts.is_empty() {
        "nothing: nothing of this workspace's is there".to_owned()
    } else {
        parts.join(" · ")
    }
}

/// What a copy is called. An unnamed volume lends it the name of the service that mounts it.
fn copy_of(engine: &Engine, scope: &Scope<'_>, volume: &Volume, n: u32) -> Option<VolumeName> {
    let base = match scope.owner(volume) {
        Some(service) if volume.anonymous => {
            format!("{}_{service}_{}", engine.compose.project, volume.name.shown())
        }
        _ => volume.name.to_string(),
    };
    VolumeName::new(format!("{base}_kept_{n}")).ok()
}

/// Seconds that a container gets whose end is the next step anyway, where no grace is configured.
const SHORT: u32 = 2;

/// Nothing runs any more. What is copied ends in its own time; what goes for good with all that its container writes to
/// ends at once; the rest gets its signal and a short while.
fn quieten(config: &Config, engine: &Engine, scope: &Scope<'_>, copied: bool) -> Vec<Step> {
    let grace = config.restart.grace;
    let holds = |one: &&Container| scope.volumes.iter().any(|volume| mounts(one, volume));
    let (holders, others): (Vec<&Container>, Vec<&Container>) =
        scope.containers.iter().copied().partition(holds);
    let first = if scope.paused.is_empty() {
        None
    } else {
        end(&scope.paused, grace, "what writes to the database ends first")
    };
    let others = end(&others, Some(grace.unwrap_or(SHORT)), "they hold nothing that stays");
    let mut steps: Vec<Step> = first.into_iter().chain(others).collect();
    if copied {
        steps.extend(stop(&holders, engine, grace));
        return steps;
    }
    let goes = |mount: &Mount| {
        mount.kind == MountKind::Tmpfs
            || scope.volumes.iter().any(|volume| mount.source == volume.name.as_str())
    };
    let (doomed, writers): (Vec<&Container>, Vec<&Container>) =
        holders.iter().copied().partition(|one| one.mounts.iter().all(goes));
    steps.extend(stop(&writers, engine, Some(grace.unwrap_or(SHORT))));
    steps.extend(end(&doomed, Some(0), "all that they write to goes for good"));
    steps
}

/// Stop, copy, and only then remove.
pub(crate) fn remove(
    config: &Config,
    engine: &Engine,
    scope: &Scope<'_>,
    copies: &Result<u32, String>,
) -> Vec<Step> {
    let mut steps = quieten(config, engine, scope, copies.is_ok());
    let targets: Vec<Option<VolumeName>> = scope
        .volumes
        .iter()
        .map(|one| copies.as_ref().ok().and_then(|n| copy_of(engine, scope, one, *n)))
        .collect();
    for (volume, copy) in scope.volumes.iter().zip(&targets) {
        let (Some(copy), Ok(n), Some(image)) = (copy, copies, &engine.copier) else { continue };
        let action =
            Action::CopyVolume { from: volume.name.clone(), to: copy.clone(), n: *n, image: image.clone() };
        steps.push(
            Step::new(action, "so that undo brings it back")
                .expects(same(volume))
                .amend(Action::ForgetVolume { copy: copy.clone(), n: *n })
                .weight(10 + volume.bytes.unwrap_or(0) / 1_000_000),
        );
    }
    if !scope.containers.is_empty() {
        let containers = scope.containers.iter().map(|one| one.name.clone()).collect();
        let step =
            Step::new(Action::RemoveContainers { containers }, "they hold their volumes").undo(Undo::Up);
        steps.push(scope.containers.iter().fold(step.weight(5), |step, one| {
            step.expects(Expect::Container { name: one.name.clone(), id: one.id.clone() })
        }));
    }
    steps.extend(rest(engine, scope, targets));
    steps
}

/// Networks and volumes, at the same time: what a copy takes back, and what nothing does.
fn rest(engine: &Engine, scope: &Scope<'_>, targets: Vec<Option<VolumeName>>) -> Vec<Step> {
    // Compose would not mount an unnamed one again, so what it keeps of a database is out of undo's reach.
    let is_lost = |one: &Volume| one.anonymous && scope.owner(one) == engine.compose.database.as_ref();
    let pairs = scope.volumes.iter().copied().zip(targets);
    let (back, lost): (Vec<_>, Vec<_>) = pairs.partition(|(one, copy)| copy.is_some() && !is_lost(one));
    let mut networks: Vec<String> = scope.networks.iter().map(|name| (*name).to_owned()).collect();
    let mut steps = Vec::new();
    let lost = Some(lost).filter(|lost| !lost.is_empty());
    for volumes in lost.into_iter().chain([back]) {
        let names: Vec<VolumeName> = volumes.iter().map(|(one, _)| one.name.clone()).collect();
        let networks = std::mem::take(&mut networks);
        if names.is_empty() && networks.is_empty() {
            continue;
        }
        let action = Action::RemoveRest { networks, volumes: names };
        let step = volumes.iter().fold(Step::new(action, "nobody uses it any more"), |step, (one, copy)| {
            step.expects(match copy {
                Some(copy) => Expect::Copied { volume: one.name.clone(), copy: copy.clone() },
                None => same(one),
            })
        });
        let copies: Vec<VolumeName> = volumes.iter().filter_map(|(_, copy)| copy.clone()).collect();
        steps.push(match copies.as_slice() {
            [] if volumes.is_empty() => step.undo(Undo::Up),
            [] => step,
            _ if volumes.iter().any(|(one, _)| is_lost(one)) => step,
            _ => step.undo(Undo::Copies { volumes: copies }),
        });
    }
    steps
}

fn same(volume: &Volume) -> Expect {
    Expect::Volume { name: volume.name.clone(), created: volume.created.clone() }
}

#[cfg(test)]
mod tests {
    use clap::Parser as _;
    use plan::Plan;
    use shell::Command as _;

    use super::*;
    use crate::{Clean, sample};

    fn planned(words: &[&str], world: &World) -> Plan {
        let clean = Clean::parse_from(std::iter::once(&"slate-clean").chain(words));
        clean.plan(&sample::config(), world).unwrap()
    }

    #[test]
    fn what_goes_for_good_ends_at_once_and_the_rest_after_a_short_while() {
        let mut world = sample::world();
        let graces = |plan: &Plan| {
            let stops = plan.steps.iter().filter_map(|step| match &step.action {
                Action::StopContainers { containers, grace } => Some((words::list(containers), *grace)),
                _ => None,
            });
            stops.collect::<Vec<_>>()
        };
        let both = "`shop-db-1` and `shop-cache-1`".to_owned();

        let copied = graces(&planned(&[], &world));
        let for_good = graces(&planned(&["--no-undo"], &world));
        world.engine.as_mut().unwrap().containers[1].mounts.push(Mount {
            kind: MountKind::Bind,
            source: "/shop/cache".to_owned(),
            target: "/cache".to_owned(),
        });
        let writes_elsewhere = graces(&planned(&["--no-undo"], &world));

        assert_eq!(copied[0], ("`shop-api-1`".to_owned(), Some(2)));
        assert!(copied[1..].iter().all(|(_, grace)| grace.is_none()), "{copied:?}");
        assert_eq!(for_good, [("`shop-api-1`".to_owned(), Some(2)), (both, Some(0))]);
        assert_eq!(
            writes_elsewhere[1..],
            [("`shop-cache-1`".to_owned(), Some(2)), ("`shop-db-1`".to_owned(), Some(0))]
        );
    }
}
