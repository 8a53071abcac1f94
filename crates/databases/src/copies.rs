//! Bringing back what a clean kept: volumes by their copies, the private cluster by its folder.

use plan::{
    Action, Container, Data, Engine, Exit, Expect, Fault, Kept, KeptPlace, MountKind, Plan, ServerState,
    Stack, Step, Undo as WayBack, Volume, VolumeName, Whose, World, guard, stack, volume, words,
};

/// Plans the return of all that one clean kept; what stands in its place is kept as number `next`.
pub(crate) fn bring_back(plan: &mut Plan, world: &World, kept: &[&Kept], next: u32) -> Result<(), Fault> {
    for kept in kept {
        if let KeptPlace::Cluster { folder } = &kept.place {
            plan.data.push(Data::Cluster);
            plan.steps.extend(cluster(world, folder, kept.n, next));
        }
    }
    if kept.iter().any(|kept| matches!(kept.place, KeptPlace::Volume { .. })) {
        let engine = world.engine.as_ref().ok_or_else(no_engine)?;
        volumes(plan, world, engine, kept, next)?;
    }
    Ok(())
}

fn no_engine() -> Fault {
    Fault::new(Exit::NotReady, "the copy is a volume, and no container engine is in use here")
        .state("nothing was changed")
        .hint("write [database] server = \"compose\" into cleanslate.toml")
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
    let (half, present): (Vec<&Volume>, Vec<&Volume>) = present.into_iter().partition(|one| one.half);
    plan.steps.extend(clear(world, engine, &present, image, next)?);
    for (copy, of, ..) in places.iter().filter(|(_, of, ..)| half.iter().any(|one| one.name == **of)) {
        let remove = Action::RemoveVolume { volume: (*of).clone() };
        plan.steps.push(
            Step::new(remove, "an undo that was interrupted left half of it")
                .expects(Expect::Copied { volume: (*of).clone(), copy: (*copy).clone() })
                .undo(WayBack::Copy { volume: (*copy).clone() }),
        );
    }
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
