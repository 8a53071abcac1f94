//! slate-clean: containers, networks and volumes go, after a copy of each volume.

use clap::Parser;
use plan::{
    Action, Config, Data, Engine, EngineFacts, Exit, Fact, Fault, Kind, LabelKind, Plan, Reading, Server,
    ServerState, ServiceName, Step, VolumeLoss, Wants, World, guard, words,
};
use shell::{Command, Shared};

use crate::scope::{Scope, remove, removes};
use crate::{external, up};

/// Removes this workspace's containers, networks and volumes, after a copy of each volume
///
/// What they hold is shown first, and it always asks. Each volume is copied and compared before anything is removed,
/// so that slate-undo brings every database, role and row back.
#[derive(Debug, Parser)]
#[command(
    name = "slate-clean",
    version,
    after_help = "\
Examples:
  slate-clean                      all of it; asks
  slate-clean --only-db --up       a new database under the services that run
  slate-clean --except cache       leave one service and its volumes
  slate-clean --yes --no-undo      for scripts: no copy, no way back

It leaves external volumes, bind mounts, images, and whatever another folder, another project or other compose files \
use; each is named. A data volume that is not proved to be this workspace's is refused."
)]
pub struct Clean {
    /// The database's container and volume alone
    #[arg(long, conflicts_with = "except")]
    only_db: bool,
    /// Leave this service and what it mounts; may be given again
    #[arg(long, value_name = "SERVICE")]
    except: Vec<String>,
    /// Start everything again afterwards
    #[arg(long)]
    up: bool,
    #[command(flatten)]
    shared: Shared,
}

impl Command for Clean {
    const NAME: &'static str = "slate-clean";

    fn shared(&self) -> &Shared {
        &self.shared
    }

    fn wants(&self) -> Wants {
        Wants {
            engine: EngineFacts::Files,
            databases: true,
            contents: Reading::All,
            blueprint: true,
            sizes: true,
            lock: true,
            running: false,
            ..Wants::default()
        }
    }

    fn plan(&self, config: &Config, world: &World) -> Result<Plan, Fault> {
        guard::engine(world, Self::NAME)?;
        let server = guard::server(world)?;
        match (server.kind, &world.engine) {
            (Kind::Compose, Some(engine)) => self.compose(config, world, server, engine),
            (Kind::External, _) => Err(external::clean(server, world)),
            _ => self.local(config, world, server),
        }
    }
}

impl Clean {
    /// A clean of everything, with these flags.
    pub(crate) fn whole(shared: Shared) -> Self {
        Self { only_db: false, except: Vec::new(), up: false, shared }
    }

    fn compose(
        &self,
        config: &Config,
        world: &World,
        server: &Server,
        engine: &Engine,
    ) -> Result<Plan, Fault> {
        guard::own_stack(engine, &world.workspace)?;
        guard::own_machine(server, world)?;
        guard::whole(engine.volumes.iter(), &world.workspace)?;
        let scope = Scope::find(world, engine, self.only_db, &self.except)?;
        let mut plan = Plan::new(Self::NAME, engine.compose.project.as_str());
        plan.target =
            format!("Clean {} (compose project, {})", engine.compose.project, world.workspace.root.display());
        plan.facts.push(Fact::new("Removes", removes(&scope)));
        plan.facts.extend(scope.stays.iter().map(|text| Fact::new("Stays", text)));
        if !scope.is_empty() {
            let copies = self.copies(engine, &scope, world);
            tell(&mut plan, &scope, world, server, &copies);
            plan.question = format!("Clean {}?", engine.compose.project);
            plan.asks.push("it removes containers and volumes".to_owned());
            plan.steps = remove(config, engine, &scope, &copies);
            plan.closing.push(format!("Removed {}", removes(&scope)));
            if let (Ok(n), false) = (&copies, scope.volumes.is_empty()) {
                plan.closing.push(way_back(config, world, *n));
            }
        }
        let wanted = self.wanted(engine, &scope);
        if wanted.is_empty() {
            plan.closing.push(format!("Next: {}", world.workspace.command("up")));
        } else {
            plan.steps.extend(up::start(config, world, engine, server, &wanted));
        }
        Ok(plan)
    }

    /// The number that the copies get, or why there are none.
    fn copies(&self, engine: &Engine, scope: &Scope<'_>, world: &World) -> Result<u32, String> {
        let bytes: Option<u64> = scope.volumes.iter().map(|one| one.bytes).sum();
        match (self.shared.no_undo, &engine.copier, bytes, engine.free) {
            (true, ..) => Err("--no-undo was given".to_owned()),
            _ if scope.volumes.is_empty() => Ok(world.next_kept()),
            (_, Some(_), Some(bytes), Some(free)) if bytes.saturating_add(bytes / 20) < free => {
                Ok(world.next_kept())
            }
            (_, Some(_), Some(bytes), Some(free)) => {
                Err(format!("a copy needs {}, and {} are free", words::bytes(bytes), words::bytes(free)))
            }
            _ => Err("no image here has the tools for a copy".to_owned()),
        }
    }

    /// What starts again afterwards.
    fn wanted(&self, engine: &Engine, scope: &Scope<'_>) -> Vec<ServiceName> {
        let database = engine.compose.database.iter().cloned();
        if self.up && !self.only_db {
            engine.compose.services.iter().filter(|one| one.active).map(|one| one.name.clone()).collect()
        } else if self.up || !scope.paused.is_empty() {
            database.chain(scope.paused.iter().filter_map(|one| one.service.clone())).collect()
        } else {
            Vec::new()
        }
    }

    fn local(&self, config: &Config, world: &World, server: &Server) -> Result<Plan, Fault> {
        if let Some(service) = self.except.first() {
            return Err(Fault::new(Exit::Usage, format!("there is no service `{service}`"))
                .cause("Postgres runs on this machine, not in Compose")
                .state("nothing was changed"));
        }
        let mut plan = Plan::new(Self::NAME, server.name.as_str());
        plan.target = format!("Clean {} (local cluster)", server.name);
        if server.state == ServerState::Absent {
            plan.facts.push(Fact::new("Removes", "nothing: there is no local cluster"));
        } else {
            plan.facts.push(Fact::new("Removes", "the local cluster, with every database and role in it"));
            contents(&mut plan, world, server);
            plan.question = format!("Clean {}?", server.name);
            plan.asks.push("it removes the local cluster".to_owned());
            plan.data.push(Data::Cluster);
            if server.state == ServerState::Running {
                let stop = Step::new(Action::StopCluster, "its files may not change meanwhile");
                plan.steps.push(stop.amend(Action::StartCluster).weight(10));
            }
            if self.shared.no_undo {
                plan.facts.push(Fact::new("No way back", "--no-undo was given"));
                plan.steps.push(Step::new(Action::RemoveCluster, "it was asked for"));
            } else {
                let n = world.next_kept();
                plan.facts.push(Fact::new("Kept", way_back(config, world, n)));
                plan.steps.push(Step::new(Action::KeepCluster { n }, "so that undo brings it back"));
                plan.closing.push(way_back(config, world, n));
            }
        }
        if self.up {
            let absent = Server { state: ServerState::Absent, ..server.clone() };
            plan.steps.extend(up::start_cluster(config, world, &absent));
        } else {
            plan.closing.push(format!("Next: {}", world.workspace.command("up")));
        }
        Ok(plan)
    }
}

/// What is in it, and whether it comes back.
fn tell(plan: &mut Plan, scope: &Scope<'_>, world: &World, server: &Server, copies: &Result<u32, String>) {
    let losses = scope.volumes.iter().map(|one| VolumeLoss {
        volume: one.name.clone(),
        bytes: one.bytes,
        last_write: one.last_write,
    });
    plan.loss.volumes = losses.collect();
    plan.data = scope.volumes.iter().map(|one| Data::Volume { name: one.name.clone() }).collect();
    if scope.volumes.is_empty() {
        return;
    }
    contents(plan, world, server);
    let last = scope.volumes.iter().filter_map(|one| one.last_write).max();
    if let Some(last) = last.filter(|_| plan.loss.databases.is_empty()) {
        plan.facts.push(Fact::new("Last write", words::ago(last, world.now)));
    }
    match copies {
        Ok(_) => {
            let (unnamed, named): (Vec<&plan::Volume>, Vec<&plan::Volume>) =
                scope.volumes.iter().copied().partition(|one| one.anonymous);
            let undo = world.workspace.command("undo");
            if !named.is_empty() {
                let what = words::count(named.len() as u64, "volume");
                let text = format!("{what} first, so that {undo} brings back what is in it");
                plan.facts.push(Fact::new("Copied", text));
            }
            if !unnamed.is_empty() {
                let what = words::count(unnamed.len() as u64, "unnamed volume");
                plan.facts
                    .push(Fact::new("Copied", format!("{what}, which {undo} lists and can't mount again")));
            }
        }
        Err(why) => plan.facts.push(Fact::new("No way back", why)),
    }
}

/// Every database that could be read, one a line. What a lease holds is nobody's loss, and somebody's work.
fn contents(plan: &mut Plan, world: &World, server: &Server) {
    let mut label = "In it";
    let held = world.leases(false).map(|(one, lease)| format!("lease {} is held: {}", one.name, lease.by()));
    plan.in_the_way.extend(held);
    let kind = |one: &plan::Database| one.label.as_ref().map(|label| label.kind);
    for database in server
        .databases
        .iter()
        .filter(|one| one.name != server.maintenance || one.contents.is_some())
        .filter(|one| kind(one) != Some(LabelKind::Leased))
    {
        let text = if let Some(contents) = &database.contents {
            plan.loss.databases.push(contents.clone());
            if contents.tables == 0 && database.name != server.name {
                continue;
            }
            contents.line(world.now)
        } else {
            plan.loss.unread.push(database.name.to_string());
            format!("{}, which can't be read", words::bytes(database.bytes))
        };
        let fork = database.label.as_ref().filter(|label| label.kind == LabelKind::Forked);
        let fork = fork.and_then(|label| label.name.as_ref()).map(|name| format!(" (fork `{name}`)"));
        let fork = fork.unwrap_or_default();
        plan.facts.push(Fact::new(label, format!("{}{fork}: {text}", database.name)));
        plan.in_the_way.extend(database.sessions.iter().filter_map(plan::Session::open_work));
        label = "";
    }
    if server.state != ServerState::Running {
        plan.loss.unread.push("a server that does not run".to_owned());
        plan.facts.push(Fact::new("In it", "not read: the server does not run"));
    }
}

fn way_back(config: &Config, world: &World, n: u32) -> String {
    let days = config.undo.days.unwrap_or(plan::UNDO_DAYS);
    let undo = world.workspace.command(&format!("undo --to {n}"));
    let gc = world.workspace.command("undo --gc");
    format!("kept: {undo} brings it back, {gc} removes it after {}", words::count(u64::from(days), "day"))
}

#[cfg(test)]
mod tests {
    use plan::{Confirm, MountKind, Need};

    use super::*;
    use crate::sample;

    fn clean(words: &[&str]) -> Clean {
        Clean::parse_from(std::iter::once(&"slate-clean").chain(words))
    }

    fn planned(words: &[&str], world: &World) -> Plan {
        clean(words).plan(&sample::config(), world).unwrap()
    }

    #[test]
    fn everything_is_stopped_copied_and_only_then_removed() {
        let plan = planned(&[], &sample::world());

        assert_eq!(
            sample::steps(&plan),
            [
                "stop shop-api-1",
                "stop shop-cache-1",
                "stop shop-db-1",
                "copy volume shop_data to shop_data_kept_3",
                "copy volume aaaaaaaaaaaa to shop_cache_aaaaaaaaaaaa_kept_3",
                "remove containers shop-db-1, shop-cache-1 and shop-api-1",
                "remove network shop_default, volume shop_data and volume aaaaaaaaaaaa",
            ]
        );
        assert_eq!(
            plan.facts[0].text,
            "3 containers · 1 network · shop_data (84.0 MB) · cache's unnamed volume (1.0 MB)"
        );
        assert_eq!(plan.need(Confirm::Loss), Need::YesNo);
    }

    #[test]
    fn a_database_on_an_unnamed_volume_has_no_way_back() {
        let mut world = sample::world();
        let engine = world.engine.as_mut().unwrap();
        let unnamed = engine.volumes.iter().find(|one| one.anonymous).unwrap().name.to_string();
        engine.volumes.retain(|one| one.anonymous);
        engine.containers[0].mounts[0].source.clone_from(&unnamed);
        engine.containers.iter_mut().skip(1).for_each(|one| one.mounts.clear());

        assert_eq!(planned(&[], &world).need(Confirm::Loss), Need::Name);
    }

    #[test]
    fn without_a_copy_the_name_is_typed() {
        let mut full = sample::world();
        full.engine.as_mut().unwrap().free = Some(85_000_000);
        let mut no_image = sample::world();
        no_image.engine.as_mut().unwrap().copier = None;

        for plan in [planned(&["--no-undo"], &sample::world()), planned(&[], &full), planned(&[], &no_image)]
        {
            assert_eq!(plan.need(Confirm::Loss), Need::Name);
            assert!(plan.facts.iter().any(|fact| fact.label == "No way back"), "{:?}", plan.facts);
            assert!(!sample::steps(&plan).iter().any(|step| step.starts_with("copy")));
        }
    }

    #[test]
    fn only_the_database_goes_and_its_dependents_come_again() {
        let plan = planned(&["--only-db"], &sample::world());

        let steps = sample::steps(&plan);
        assert_eq!(
            steps[..6],
            [
                "stop shop-api-1",
                "stop shop-db-1",
                "copy volume shop_data to shop_data_kept_3",
                "remove container shop-db-1",
                "remove volume shop_data",
                "make api, cache and db",
            ]
        );
        assert!(steps.contains(&"start api and cache".to_owned()), "{steps:?}");
    }

    #[test]
    fn a_service_that_is_left_keeps_its_volume_and_network() {
        let plan = planned(&["--except", "cache"], &sample::world());

        let steps = sample::steps(&plan);
        assert!(
            !steps
                .iter()
                .any(|step| step.contains("aaaa") || step.contains("network") || step.contains("cache"))
        );
        assert!(steps.contains(&"remove volume shop_data".to_owned()), "{steps:?}");
    }

    #[test]
    fn external_volumes_and_folders_stay_and_are_named() {
        let mut world = sample::world();
        let engine = world.engine.as_mut().unwrap();
        let outside = sample::volume("outside", 5);
        engine.compose.external.push(outside.name.clone());
        engine.volumes.push(outside);
        engine.containers[2].mounts.push(plan::Mount {
            kind: MountKind::Bind,
            source: "/shop/src".to_owned(),
            target: "/src".to_owned(),
        });

        let plan = planned(&[], &world);

        let stays: Vec<&str> =
            plan.facts.iter().filter(|fact| fact.label == "Stays").map(|fact| fact.text.as_str()).collect();
        assert_eq!(stays, ["volume outside: it is external", "/shop/src: a folder of yours, mounted"]);
        assert!(!sample::steps(&plan).iter().any(|step| step.contains("outside")));
    }

    #[test]
    fn a_data_volume_of_unknown_origin_is_refused() {
        let mut world = sample::world();
        world.engine.as_mut().unwrap().containers.clear();

        let fault = clean(&[]).plan(&sample::config(), &world).unwrap_err();

        assert_eq!(fault.exit, Exit::Refused);
        assert!(fault.error.contains("shop_data"), "{fault}");
    }

    #[test]
    fn what_down_left_goes_when_our_up_made_it() {
        let mut world = sample::world();
        let engine = world.engine.as_mut().unwrap();
        engine.containers.clear();
        engine.volumes.truncate(1);
        engine.volumes[0].recorded = true;

        let steps = sample::steps(&planned(&[], &world));

        assert_eq!(
            steps,
            ["copy volume shop_data to shop_data_kept_3", "remove network shop_default and volume shop_data"]
        );
    }

    #[test]
    fn nothing_there_is_nothing_to_ask() {
        let mut world = sample::world();
        let engine = world.engine.as_mut().unwrap();
        engine.containers.clear();
        engine.volumes.clear();
        engine.networks.clear();

        let plan = planned(&[], &world);

        assert!(plan.steps.is_empty());
        assert_eq!(plan.need(Confirm::Loss), Need::Nothing);
    }

    #[test]
    fn a_cluster_is_kept_or_removed() {
        assert_eq!(sample::steps(&planned(&[], &sample::local()))[1], "keep the local cluster, as number 3");
        let plan = planned(&["--no-undo"], &sample::local());
        assert_eq!(sample::steps(&plan)[1], "remove the local cluster");
        assert!(plan.is_for_good());
    }

    #[test]
    fn up_comes_after() {
        let steps = sample::steps(&planned(&["--up"], &sample::world()));

        assert_eq!(steps.last().unwrap(), "mark shop as this workspace's");
    }
}
