//! slate-undo: what a clean took comes back.

use std::collections::{BTreeMap, BTreeSet};

use clap::Parser;
use plan::{
    Action, Config, Container, Data, Engine, EngineFacts, Exit, Expect, Fact, Fault, Kept, KeptPlace,
    MountKind, Plan, ServerState, Stack, Step, Undo as WayBack, Volume, VolumeName, Wants, Whose, World,
    guard, stack, volume, words,
};
use shell::{Command, Shared};

use crate::gc;

/// Brings back what the last clean took: every database, role and row
///
/// What stands in its place now is kept in turn, so that undo is itself undone by another one.
#[derive(Debug, Parser)]
#[command(
    name = "slate-undo",
    version,
    after_help = "\
Examples:
  slate-undo                  the newest that is kept
  slate-undo --list           what is kept, with its numbers
  slate-undo --to 3           number 3
  slate-undo --gc             remove the copies that are older than undo.days, for good

It removes nothing that has no complete, compared copy, and nothing that is not proved to be this workspace's. Unnamed \
volumes keep their copy: Compose could not mount them again."
)]
pub struct Undo {
    /// Show what is kept, and stop
    #[arg(long, conflicts_with = "to")]
    list: bool,
    /// Bring this number back instead of the newest
    #[arg(long, value_name = "N")]
    to: Option<u32>,
    /// Remove old copies for good
    #[arg(long, conflicts_with_all = ["to", "list"])]
    gc: bool,
    /// With --gc: those of at least so many days [default: undo.days]
    #[arg(long, value_name = "DAYS", requires = "gc")]
    older_than: Option<u32>,
    #[command(flatten)]
    shared: Shared,
}

impl Command for Undo {
    const NAME: &'static str = "slate-undo";

    fn shared(&self) -> &Shared {
        &self.shared
    }

    fn wants(&self) -> Wants {
        // A list needs no look into volumes.
        let engine = if self.list || self.gc { EngineFacts::Server } else { EngineFacts::Files };
        Wants { engine, sizes: !self.list && !self.gc, lock: !self.list, ..Wants::default() }
    }

    fn plan(&self, config: &Config, world: &World) -> Result<Plan, Fault> {
        let subject = world.name().map(ToString::to_string).unwrap_or_default();
        let mut plan = Plan::new(Self::NAME, subject);
        if self.list {
            plan.facts = list(world);
            return Ok(plan);
        }
        if self.gc {
            gc::collect(&mut plan, config, world, self.older_than);
            return Ok(plan);
        }
        let n = self.number(world)?;
        let kept: Vec<&Kept> = world.kept.iter().filter(|kept| kept.n == n && is_restorable(kept)).collect();
        plan.facts.extend(kept.iter().map(|kept| Fact::new("Brings back", line(kept, world))));
        let next = world.next_kept();
        for kept in &kept {
            if let KeptPlace::Cluster { folder } = &kept.place {
                plan.data.push(Data::Cluster);
                plan.steps.extend(cluster(world, folder, n, next));
            }
        }
        if kept.iter().any(|kept| matches!(kept.place, KeptPlace::Volume { .. })) {
            let engine = world.engine.as_ref().ok_or_else(no_engine)?;
            volumes(&mut plan, world, engine, &kept, next)?;
        }
        if plan
            .steps
            .iter()
            .any(|step| matches!(step.action, Action::CopyVolume { .. } | Action::KeepCluster { .. }))
        {
            let back = world.workspace.command(&format!("undo --to {next}"));
            plan.closing.push(format!("What stood there is kept: {back}"));
        }
        plan.closing.push(format!("Next: {}", world.workspace.command("up")));
        Ok(plan)
    }
}

impl Undo {
    /// The number to bring back.
    fn number(&self, world: &World) -> Result<u32, Fault> {
        let numbers: BTreeSet<u32> =
            world.kept.iter().filter(|kept| is_restorable(kept)).map(|kept| kept.n).collect();
        match self.to {
            Some(n) if numbers.contains(&n) => Ok(n),
            Some(n) => Err(Fault::new(Exit::Usage, format!("nothing is kept under number {n}"))
                .cause(format!("there is {}", words::list(&numbers)))
                .state("nothing was changed")
                .hint(world.workspace.command("undo --list"))),
            None => numbers.last().copied().ok_or_else(|| {
                Fault::new(Exit::Usage, "there is nothing to undo")
                    .cause("nothing is kept of this workspace")
                    .state("nothing was changed")
            }),
        }
    }
}

fn no_engine() -> Fault {
    Fault::new(Exit::NotReady, "the copy is a volume, and no container engine is in use here")
        .state("nothing was changed")
        .hint("write [database] server = \"compose\" into cleanslate.toml")
}

/// A volume that nobody named stays as its copy: a new container gets a new one, whatever lies under the old name.
fn is_restorable(kept: &Kept) -> bool {
    match &kept.place {
        KeptPlace::Volume { of, .. } => !of.is_made_up(),
        KeptPlace::Cluster { .. } => true,
    }
}

fn line(kept: &Kept, world: &World) -> String {
    let what = match &kept.place {
        KeptPlace::Volume { of, copy, .. } if of.is_made_up() => {
            format!("an unnamed volume, as volume {copy}")
        }
        KeptPlace::Volume { of, .. } => format!("volume {of}"),
        KeptPlace::Cluster { .. } => "the local cluster".to_owned(),
    };
    format!("{what}, {}, kept {}", words::bytes(kept.bytes), words::ago(kept.at, world.now))
}

/// By number, the newest first.
fn list(world: &World) -> Vec<Fact> {
    let mut by_number: BTreeMap<u32, Vec<&Kept>> = BTreeMap::new();
    for kept in &world.kept {
        by_number.entry(kept.n).or_default().push(kept);
    }
    if by_number.is_empty() {
        return vec![Fact::new("Kept", "nothing")];
    }
    let lines = by_number.iter().rev().flat_map(|(n, kept)| {
        let labels = std::iter::once(n.to_string()).chain(std::iter::repeat(String::new()));
        kept.iter().zip(labels).map(|(kept, label)| Fact::new(label, line(kept, world)))
    });
    lines.collect()
}

fn cluster(world: &World, folder: &std::path::Path, n: u32, next: u32) -> Vec<Step> {
    let state = world.server.as_ref().map_or(ServerState::Absent, |server| server.state);
    let mut steps = Vec::new();
    if state == ServerState::Running {
        let stop = Step::new(Action::StopCluster, "its files may not change meanwhile");
        steps.push(stop.amend(Action::StartCluster).weight(10));
    }
    if state != ServerState::Absent {
        steps.push(Step::new(Action::KeepCluster { n: next }, "what stands there now is kept in turn"));
    }
    let restore = Action::RestoreCluster { folder: folder.to_owned(), n };
    steps.push(Step::new(restore, "it was asked for"));
    steps
}

/// All volumes of one clean, together: copy what stands there, remove it, restore.
fn volumes(plan: &mut Plan, world: &World, engine: &Engine, kept: &[&Kept], next: u32) -> Result<(), Fault> {
    guard::own_stack(engine, &world.workspace)?;
    let image = engine.copier.as_ref().ok_or_else(|| {
        Fault::new(Exit::NotReady, "no image here has the tools to bring a volume back")
            .cause("the images of this project's services were removed")
            .state("nothing was changed")
            .hint(format!("{} pull", engine.compose.program.join(" ")))
    })?;
    let needed: u64 = kept.iter().map(|kept| kept.bytes).sum::<u64>().saturating_mul(2);
    if let Some(free) = engine.free.filter(|free| *free < needed) {
        return Err(Fault::new(Exit::Failed, "there is too little room to bring it back")
            .cause(format!("it may need {}, and {} are free", words::bytes(needed), words::bytes(free)))
            .state("nothing was changed")
            .hint("docker system df shows what takes the room"));
    }
    let places = kept.iter().filter_map(|kept| match &kept.place {
        KeptPlace::Volume { copy, of, labels } => Some((copy, of, labels, kept)),
        KeptPlace::Cluster { .. } => None,
    });
    let places: Vec<_> = places.collect();
    let present: Vec<&Volume> =
        places.iter().filter_map(|(_, of, ..)| engine.volumes.iter().find(|one| one.name == **of)).collect();
    plan.steps.extend(clear(world, engine, &present, image, next)?);
    for (copy, of, labels, kept) in places {
        plan.data.push(Data::Volume { name: of.clone() });
        let restore = Action::RestoreVolume {
            from: copy.clone(),
            to: of.clone(),
            labels: labels.clone(),
            image: image.clone(),
        };
        plan.steps.push(
            Step::new(restore, "it was asked for")
                .expects(Expect::Copied { volume: of.clone(), copy: copy.clone() })
                .expects(Expect::NoVolume { name: of.clone() })
                .weight(10 + kept.bytes / 1_000_000),
        );
        let forget = Action::ForgetVolume { copy: copy.clone(), n: kept.n };
        let elsewhere = WayBack::Elsewhere { name: of.to_string() };
        plan.steps.push(Step::new(forget, "its original is back").undo(elsewhere));
    }
    Ok(())
}

/// Makes room under the names: everything of ours stops, what stands there is copied, and only then removed.
fn clear(
    world: &World,
    engine: &Engine,
    present: &[&Volume],
    image: &str,
    next: u32,
) -> Result<Vec<Step>, Fault> {
    let root = &world.workspace.root;
    for one in present {
        if let Whose::NotOurs(why) = volume(one, engine, root) {
            return Err(Fault::new(Exit::Refused, format!("volume `{}` is in the way", one.name))
                .cause(why)
                .state("nothing was changed")
                .hint(format!("docker volume inspect {}", one.name)));
        }
    }
    let ours: Vec<&Container> =
        engine.containers.iter().filter(|one| stack(one, &engine.compose, root) == Stack::Ours).collect();
    let mut steps = Vec::new();
    let running: Vec<_> = ours.iter().filter(|one| one.running).map(|one| one.name.clone()).collect();
    if !running.is_empty() {
        let again = Action::StartContainers { containers: running.clone() };
        let stop = Action::StopContainers { containers: running, grace: None };
        steps.push(Step::new(stop, "nobody may write meanwhile").amend(again).weight(10));
    }
    let copies = present
        .iter()
        .filter_map(|one| Some((one, VolumeName::new(format!("{}_kept_{next}", one.name)).ok()?)));
    let copies: Vec<_> = copies.collect();
    for (one, copy) in &copies {
        let action =
            Action::CopyVolume { from: one.name.clone(), to: copy.clone(), n: next, image: image.to_owned() };
        steps.push(
            Step::new(action, "what stands there now is kept in turn")
                .expects(Expect::Volume { name: one.name.clone(), created: one.created.clone() })
                .amend(Action::ForgetVolume { copy: copy.clone(), n: next })
                .weight(10 + one.bytes.unwrap_or(0) / 1_000_000),
        );
    }
    let mounts = |one: &&&Container| {
        let is_present = |name: &str| present.iter().any(|volume| volume.name.as_str() == name);
        one.mounts.iter().any(|mount| mount.kind == MountKind::Volume && is_present(&mount.source))
    };
    for container in ours.iter().filter(mounts) {
        let expect = Expect::Container { name: container.name.clone(), id: container.id.clone() };
        let action = Action::RemoveContainers { containers: vec![container.name.clone()] };
        steps.push(Step::new(action, "it holds the volume").expects(expect).undo(WayBack::Up));
    }
    for (one, copy) in copies {
        let action = Action::RemoveVolume { volume: one.name.clone() };
        let expect = Expect::Copied { volume: one.name.clone(), copy: copy.clone() };
        steps.push(
            Step::new(action, "the kept one takes its name")
                .expects(expect)
                .undo(WayBack::Copy { volume: copy }),
        );
    }
    Ok(steps)
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use jiff::Timestamp;
    use plan::{Confirm, Effect, Need};

    use super::*;
    use crate::sample::{kept, world};

    fn undo(words: &[&str], world: &World) -> Result<Plan, Fault> {
        Undo::parse_from(std::iter::once(&"slate-undo").chain(words)).plan(&Config::default(), world)
    }

    fn steps(plan: &Plan) -> Vec<String> {
        let told = plan.steps.iter().map(|step| step.action.doing());
        told.map(|(verb, what)| format!("{verb} {}", what.replace('`', ""))).collect()
    }

    #[test]
    fn what_stands_there_is_copied_before_it_goes() {
        let plan = undo(&[], &world(vec![kept(1, "shop_data"), kept(4, "shop_data")])).unwrap();

        assert_eq!(
            steps(&plan),
            [
                "stop shop-db-1",
                "copy volume shop_data to shop_data_kept_5",
                "remove container shop-db-1",
                "remove volume shop_data",
                "restore volume shop_data from shop_data_kept_4",
                "remove copy shop_data_kept_4",
            ]
        );
        assert!(
            plan.steps.iter().all(|step| step.action.effect() != Effect::Destroys || step.undo.is_some())
        );
        assert_eq!(plan.need(Confirm::Loss), Need::Nothing);
    }

    #[test]
    fn after_a_clean_there_is_nothing_to_make_room_for() {
        let mut world = world(vec![kept(1, "shop_data")]);
        let engine = world.engine.as_mut().unwrap();
        engine.containers.clear();
        engine.volumes.clear();

        let plan = undo(&[], &world).unwrap();

        assert_eq!(
            steps(&plan),
            ["restore volume shop_data from shop_data_kept_1", "remove copy shop_data_kept_1"]
        );
    }

    #[test]
    fn a_volume_that_is_not_ours_stays_in_the_way() {
        let mut world = world(vec![kept(1, "shop_data")]);
        let engine = world.engine.as_mut().unwrap();
        engine.containers[0].project = None;

        let fault = undo(&[], &world).unwrap_err();

        assert_eq!(fault.exit, Exit::Refused);
        assert!(fault.error.contains("shop_data"), "{fault}");
    }

    #[test]
    fn without_room_or_tools_nothing_begins() {
        let mut full = world(vec![kept(1, "shop_data")]);
        full.engine.as_mut().unwrap().free = Some(6_000_000);
        let mut bare = world(vec![kept(1, "shop_data")]);
        bare.engine.as_mut().unwrap().copier = None;

        assert!(undo(&[], &full).unwrap_err().cause.unwrap().contains("free"));
        assert_eq!(undo(&[], &bare).unwrap_err().exit, Exit::NotReady);
    }

    #[test]
    fn an_unknown_number_is_a_usage_error() {
        let world = world(vec![kept(1, "shop_data")]);

        assert_eq!(undo(&["--to", "7"], &world).unwrap_err().exit, Exit::Usage);
        assert_eq!(undo(&["--to", "1"], &world).unwrap().steps.len(), 6);
    }

    #[test]
    fn an_unnamed_volume_is_listed_and_stays_a_copy() {
        let unnamed = "a".repeat(64);
        let world = world(vec![kept(1, "shop_data"), kept(2, &unnamed)]);

        let listed = undo(&["--list"], &world).unwrap();
        let plan = undo(&[], &world).unwrap();

        assert_eq!(listed.facts.iter().map(|fact| fact.label.as_str()).collect::<Vec<_>>(), ["2", "1"]);
        assert!(steps(&plan).contains(&"restore volume shop_data from shop_data_kept_1".to_owned()));
    }

    #[test]
    fn a_cluster_that_stands_there_is_kept_in_turn() {
        let place = KeptPlace::Cluster { folder: PathBuf::from("/state/kept-3") };
        let mut world = world(vec![Kept { n: 3, at: Timestamp::UNIX_EPOCH, bytes: 1, place }]);
        world.engine = None;

        let plan = undo(&[], &world).unwrap();

        assert_eq!(
            steps(&plan),
            [
                "stop the local cluster",
                "keep the local cluster, as number 4",
                "restore the local cluster, number 3"
            ]
        );
    }
}
