//! slate-up: the services run, and the database is there, at its baseline, seeded.

use std::collections::BTreeSet;

use clap::Parser;
use plan::{
    Action, Config, Engine, EngineFacts, Exit, Fact, Fault, Kind, MountKind, Plan, Seeding, Server,
    ServerState, ServiceName, Step, Volume, Wants, Whose, World, guard, volume, words,
};
use shell::{Command, Shared};

use crate::{external, order};

/// Starts the services, waits until they answer, and makes sure the database is there
///
/// Services start in the order of their dependencies and are asked themselves whether they answer. The database is
/// created where it is missing, migrated where it is empty, and seeded where it holds no row. Run again, it changes
/// nothing.
#[derive(Debug, Parser)]
#[command(
    name = "slate-up",
    version,
    after_help = "\
Examples:
  slate-up                    every service
  slate-up api                the database, api, and what api needs
  slate-up --adopt            take over a data volume that was here before

It never asks, and never changes a row that is there: no migration runs on a database that holds tables. It refuses a \
project name that containers of another folder have, and a data volume of unknown origin unless --adopt is given."
)]
pub struct Up {
    /// Services to start, with what they need [default: all]
    #[arg(value_name = "SERVICE")]
    services: Vec<String>,
    /// The data volume that is here is this workspace's, although nothing proves it
    #[arg(long)]
    adopt: bool,
    #[command(flatten)]
    shared: Shared,
}

impl Command for Up {
    const NAME: &'static str = "slate-up";

    fn shared(&self) -> &Shared {
        &self.shared
    }

    fn wants(&self) -> Wants {
        Wants { engine: EngineFacts::Made, blueprint: true, lock: true, ..Wants::default() }
    }

    fn plan(&self, config: &Config, world: &World) -> Result<Plan, Fault> {
        guard::engine(world, Self::NAME)?;
        let server = guard::own_server(world)?;
        let mut plan = Plan::new(Self::NAME, server.name.as_str());
        match (server.kind, &world.engine) {
            (Kind::Compose, Some(engine)) => {
                let wanted = requested(&self.services, engine)?;
                plan.steps.extend(self.adoptions(engine, world)?);
                plan.steps.extend(start(config, world, engine, server, &wanted));
                remind(&mut plan, engine, world);
            }
            _ if !self.services.is_empty() => return Err(no_services(server)),
            _ if server.kind == Kind::External => plan.steps.extend(external::up(config, world, server)?),
            _ => plan.steps.extend(start_cluster(config, world, server)),
        }
        let (status, psql) = (world.workspace.command("status"), world.workspace.command("psql"));
        plan.closing.push(format!("Next: {psql} opens it, {status} shows what is stale"));
        Ok(plan)
    }
}

fn no_services(server: &Server) -> Fault {
    let what = match server.kind {
        Kind::External => "somebody else runs Postgres",
        _ => "Postgres runs on this machine",
    };
    Fault::new(Exit::Usage, format!("a server of kind {} has no services", server.kind))
        .cause(format!("cleanslate.toml or what was found says that {what}"))
        .state("nothing was changed")
        .hint("slate-up")
}

/// The services by the names that were given; every active one without a name.
fn requested(given: &[String], engine: &Engine) -> Result<Vec<ServiceName>, Fault> {
    let services = &engine.compose.services;
    if given.is_empty() {
        return Ok(services.iter().filter(|one| one.active).map(|one| one.name.clone()).collect());
    }
    given.iter().map(|name| guard::service(name, services)).collect()
}

impl Up {
    /// A data volume that is there must be ours: `up` would give it to our Postgres, and `clean` would take it later.
    fn adoptions(&self, engine: &Engine, world: &World) -> Result<Vec<Step>, Fault> {
        guard::whole(data_volumes(engine), &world.workspace)?;
        let mut steps = Vec::new();
        for data in data_volumes(engine) {
            let Whose::NotOurs(why) = volume(data, engine, &world.workspace.root) else { continue };
            let is_mounted = engine.containers.iter().any(|one| {
                one.project.as_ref() != Some(&engine.compose.project)
                    && one.mounts.iter().any(|mount| mount.source == data.name.as_str())
            });
            if is_mounted || !self.adopt {
                let fault =
                    Fault::new(Exit::Refused, format!("volume `{}` is not this workspace's", data.name))
                        .cause(why)
                        .state("nothing was changed");
                return Err(if is_mounted {
                    fault.hint(
                        "give this workspace a project name of its own: [compose] project in cleanslate.toml",
                    )
                } else {
                    fault.hint(format!(
                        "{} if what is in it is this workspace's",
                        world.workspace.command("up --adopt")
                    ))
                });
            }
            let adopt = Action::AdoptVolume { volume: data.name.clone() };
            steps.push(Step::new(adopt, "--adopt says that it is this workspace's"));
        }
        Ok(steps)
    }
}

/// Named volumes of the database's service that are there, external ones apart: those the files claim openly.
pub(crate) fn data_volumes(engine: &Engine) -> impl Iterator<Item = &Volume> {
    let database =
        engine.compose.services.iter().find(|one| Some(&one.name) == engine.compose.database.as_ref());
    let mounts = database.map(|one| one.mounts.as_slice()).unwrap_or_default();
    let names: BTreeSet<&str> = mounts
        .iter()
        .filter(|mount| mount.kind == MountKind::Volume && !mount.source.is_empty())
        .map(|mount| mount.source.as_str())
        .collect();
    let is_data = move |one: &&Volume| {
        names.contains(one.name.as_str()) && !engine.compose.external.contains(&one.name)
    };
    engine.volumes.iter().filter(is_data)
}

/// Starts these services, what they need, and the database.
pub(crate) fn start(
    config: &Config,
    world: &World,
    engine: &Engine,
    server: &Server,
    wanted: &[ServiceName],
) -> Vec<Step> {
    let services = &engine.compose.services;
    let Some(database) = &engine.compose.database else { return Vec::new() };
    let stand = order::closure(std::slice::from_ref(database), services);
    let all: BTreeSet<ServiceName> = order::closure(wanted, services).union(&stand).cloned().collect();
    let fills = at_start(config, &all);
    let by_us = config.migrations.at_start.is_none() && config.migrations.tool.is_some();
    // Where we migrate, nothing but what the database needs may start before the tables are there.
    let is_free = |name: &ServiceName| !by_us && order::needs_nothing(name, services);
    let (first, rest): (Vec<_>, Vec<_>) =
        all.iter().cloned().partition(|name| stand.contains(name) || is_free(name));
    let mut steps = Vec::new();
    if all.iter().any(|name| !engine.made.contains(name)) {
        let make = Action::MakeServices { services: all.iter().cloned().collect() };
        steps.push(Step::new(make, "as Compose's own up makes them").weight(10));
    }
    let start = Action::StartServices { services: first, awaited: Vec::new() };
    steps.push(Step::new(start, "they wait for nothing").weight(5));
    steps.extend(self::stand(config, server, by_us));
    let awaited: Vec<ServiceName> = all.iter().filter(|name| *name != database).cloned().collect();
    if !awaited.is_empty() {
        let weight = 10 * awaited.len() as u64;
        let start = Action::StartServices { services: rest, awaited };
        steps.push(Step::new(start, "each as soon as what it needs answers").weight(weight));
    }
    if fills {
        steps.push(baseline(config, server));
    }
    steps.extend(finish(config, world, server, by_us || fills));
    steps
}

/// Whether the service that migrates at its own start is among those that start.
fn at_start(config: &Config, all: &BTreeSet<ServiceName>) -> bool {
    let service = config.migrations.at_start.as_deref();
    service.is_some_and(|service| all.iter().any(|one| one.as_str() == service))
}

/// The server answers, and the database is there.
pub(crate) fn stand(config: &Config, server: &Server, migrate: bool) -> Vec<Step> {
    let ensure = Action::EnsureDatabase { database: server.name.clone() };
    let mut steps = vec![
        Step::new(Action::AwaitServer, "a healthcheck passes while init's own server runs").weight(20),
        Step::new(ensure, "the services connect to it"),
    ];
    if migrate {
        steps.push(baseline(config, server));
    }
    steps
}

fn baseline(config: &Config, server: &Server) -> Step {
    let migrations = config.migrations.clone();
    let ensure = Action::EnsureBaseline { database: server.name.clone(), migrations };
    Step::new(ensure, "an empty database serves nobody").weight(4)
}

/// Seeds and the marker, on a database that stands. Without a baseline there is nothing to seed.
pub(crate) fn finish(config: &Config, world: &World, server: &Server, filled: bool) -> Vec<Step> {
    let mut steps = Vec::new();
    let database = server.name.clone();
    if let Some(seeds) = config.seeds.usual().filter(|_| filled) {
        let seed = Action::Seed { database: database.clone(), seeds, seeding: Seeding::WhenEmpty };
        steps.push(Step::new(seed, "only where no table holds a row").weight(4));
    }
    let blueprint = world.blueprint.as_ref();
    let mark = Action::EnsureMarker {
        database,
        blueprint: blueprint.map(|blueprint| blueprint.hash.clone()),
        seeds: blueprint.and_then(|blueprint| blueprint.seeds.clone()),
    };
    steps.push(Step::new(mark, "later commands know whose it is"));
    steps
}

/// The private cluster, from whatever state it is in.
pub(crate) fn start_cluster(config: &Config, world: &World, server: &Server) -> Vec<Step> {
    let mut config = config.clone();
    // No service runs here that could migrate at its start.
    config.migrations.at_start = None;
    let config = &config;
    let mut steps = Vec::new();
    if server.state == ServerState::Absent {
        steps.push(Step::new(Action::CreateCluster, "there is none yet").weight(20));
    }
    if server.state != ServerState::Running {
        steps.push(Step::new(Action::StartCluster, "it does not run").weight(10));
    }
    let by_us = config.migrations.tool.is_some();
    steps.extend(stand(config, server, by_us));
    steps.extend(finish(config, world, server, by_us));
    steps
}

/// After a clean: that there is a copy.
fn remind(plan: &mut Plan, engine: &Engine, world: &World) {
    let Some(last) = world.kept.last().filter(|_| data_volumes(engine).next().is_none()) else { return };
    let text = format!(
        "{} from {}: {}",
        words::bytes(last.bytes),
        words::ago(last.at, world.now),
        world.workspace.command("undo")
    );
    plan.facts.push(Fact::new("Copy", text));
}

#[cfg(test)]
mod tests {
    use plan::{Effect, VolumeName};

    use super::*;
    use crate::sample;

    fn up(words: &[&str]) -> Up {
        Up::parse_from(std::iter::once(&"slate-up").chain(words))
    }

    #[test]
    fn the_database_stands_before_the_rest_starts() {
        let plan = up(&[]).plan(&sample::config(), &sample::world()).unwrap();

        assert_eq!(
            sample::steps(&plan),
            [
                "make api, cache and db",
                "start db",
                "await Postgres",
                "ensure shop",
                "ensure shop",
                "start api and cache",
                "seed shop",
                "mark shop as this workspace's",
            ]
        );
        assert!(plan.steps.iter().all(|step| step.action.effect() != Effect::Destroys));
    }

    #[test]
    fn a_service_that_migrates_at_its_start_is_awaited_before_the_seeds() {
        let mut config = sample::config();
        config.migrations.at_start = Some("api".to_owned());

        let plan = up(&[]).plan(&config, &sample::world()).unwrap();

        assert_eq!(
            sample::steps(&plan),
            [
                "make api, cache and db",
                "start cache and db",
                "await Postgres",
                "ensure shop",
                "start api",
                "ensure shop",
                "seed shop",
                "mark shop as this workspace's",
            ]
        );
    }

    #[test]
    fn what_compose_would_leave_as_it_is_is_not_made() {
        let mut world = sample::world();
        let engine = world.engine.as_mut().unwrap();
        engine.made = ["api", "cache", "db"].map(sample::name).into();

        let all = up(&[]).plan(&sample::config(), &world).unwrap();
        world.engine.as_mut().unwrap().made.pop();
        let one_is_new = up(&[]).plan(&sample::config(), &world).unwrap();

        assert_eq!(sample::steps(&all)[0], "start db");
        assert_eq!(sample::steps(&one_is_new)[0], "make api, cache and db");
    }

    #[test]
    fn what_answers_is_awaited_also_where_it_needs_nothing() {
        let mut config = sample::config();
        config.migrations.at_start = Some("api".to_owned());

        let plan = up(&[]).plan(&config, &sample::world()).unwrap();

        let last = plan.steps.iter().rev().find_map(|step| match &step.action {
            Action::StartServices { awaited, .. } => Some(awaited.clone()),
            _ => None,
        });
        assert_eq!(last.unwrap(), [sample::name("api"), sample::name("cache")]);
    }

    #[test]
    fn a_service_by_name_brings_what_it_needs_and_no_more() {
        let plan = up(&["cache"]).plan(&sample::config(), &sample::world()).unwrap();

        let steps = sample::steps(&plan);
        assert!(
            steps.contains(&"start cache".to_owned()) && !steps.contains(&"start api".to_owned()),
            "{steps:?}"
        );
    }

    #[test]
    fn a_mistyped_service_is_a_usage_error() {
        let fault = up(&["cahce"]).plan(&sample::config(), &sample::world()).unwrap_err();

        assert_eq!((fault.exit, fault.hint.as_deref()), (Exit::Usage, Some("did you mean `cache`?")));
    }

    #[test]
    fn a_data_volume_of_unknown_origin_is_refused_until_adopted() {
        let mut world = sample::world();
        world.engine.as_mut().unwrap().containers.clear();

        let fault = up(&[]).plan(&sample::config(), &world).unwrap_err();
        let adopted = up(&["--adopt"]).plan(&sample::config(), &world).unwrap();

        assert_eq!(fault.exit, Exit::Refused);
        assert!(fault.hint.unwrap().contains("--adopt"));
        let name = VolumeName::new("shop_data").unwrap();
        assert!(matches!(&adopted.steps[0].action, Action::AdoptVolume { volume } if *volume == name));
    }

    #[test]
    fn a_volume_in_somebody_elses_use_is_not_adopted() {
        let mut world = sample::world();
        let engine = world.engine.as_mut().unwrap();
        engine.containers.retain(|one| one.name.as_str() == "shop-db-1");
        engine.containers[0].project = Some("mail".to_owned());

        let fault = up(&["--adopt"]).plan(&sample::config(), &world).unwrap_err();

        assert_eq!(fault.exit, Exit::Refused);
        assert!(fault.cause.unwrap().contains("shop-db-1"));
    }

    #[test]
    fn another_folder_with_our_name_is_refused() {
        let mut world = sample::world();
        world.engine.as_mut().unwrap().containers[2].working_dir = Some("/elsewhere/shop".into());

        let fault = up(&[]).plan(&sample::config(), &world).unwrap_err();

        assert_eq!(fault.exit, Exit::Refused);
        assert!(fault.cause.unwrap().contains("/elsewhere/shop"));
    }

    #[test]
    fn a_cluster_is_made_started_and_filled() {
        let mut world = sample::local();
        world.server.as_mut().unwrap().state = ServerState::Absent;

        let plan = up(&[]).plan(&sample::config(), &world).unwrap();

        assert_eq!(
            sample::steps(&plan),
            [
                "create the local cluster",
                "start the local cluster",
                "await Postgres",
                "ensure shop",
                "ensure shop",
                "seed shop",
                "mark shop as this workspace's",
            ]
        );
    }
}
