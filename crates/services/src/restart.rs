//! slate-restart: services start anew, and answer.

use clap::Parser;
use plan::{
    Action, Config, Container, Engine, EngineFacts, Exit, Fact, Fault, Plan, Reload, ServiceName, Step,
    Wants, World, guard, words,
};
use shell::{Command, Shared};

use crate::ours;

/// Restarts services, and waits until each answers
///
/// Without a name: those that `restart.services` in cleanslate.toml lists, since they hold code or connections.
#[derive(Debug, Parser)]
#[command(
    name = "slate-restart",
    version,
    after_help = "\
Examples:
  slate-restart               the configured services
  slate-restart api worker
  slate-restart --timeout 2m  give each two minutes to answer

It touches no volume and no database, and restarts no service that was not named or configured."
)]
pub struct Restart {
    /// Services to restart [default: those configured]
    #[arg(value_name = "SERVICE")]
    services: Vec<String>,
    #[command(flatten)]
    shared: Shared,
}

impl Command for Restart {
    const NAME: &'static str = "slate-restart";

    fn shared(&self) -> &Shared {
        &self.shared
    }

    fn wants(&self) -> Wants {
        Wants { engine: EngineFacts::Files, lock: true, ..Wants::default() }
    }

    fn plan(&self, config: &Config, world: &World) -> Result<Plan, Fault> {
        let names = if self.services.is_empty() { &config.restart.services } else { &self.services };
        let mut plan = Plan::new(Self::NAME, "");
        if world.surroundings.inside {
            return inside(plan, config, world, names);
        }
        let Some(engine) = &world.engine else { return without_engine(plan, &self.services) };
        guard::own_stack(engine, &world.workspace)?;
        plan.subject.clone_from(&engine.compose.project);
        let mut waits = Vec::new();
        for name in names {
            let service = guard::service(name, &engine.compose.services)?;
            for container in containers(engine, world, &service)? {
                let grace = config.restart.grace.unwrap_or(10);
                let again = Action::RestartContainer {
                    container: container.name.clone(),
                    service: service.clone(),
                    grace,
                };
                plan.steps.push(Step::new(again, "it was asked for").weight(10));
            }
            let url = config.ready.get(name).cloned();
            let answers = Action::AwaitService { service, url };
            waits.push(Step::new(answers, "restarted means that it answers").weight(10));
        }
        plan.steps.extend(waits);
        if names.is_empty() {
            plan.facts.push(Fact::new("Restarts", "nothing: cleanslate.toml has no restart.services"));
        }
        let verb = if names.len() == 1 { "answers" } else { "answer" };
        if !names.is_empty() {
            plan.closing.push(format!("{} {verb} again", words::list(names)));
        }
        Ok(plan)
    }
}

/// Inside a container each service needs a way of its own; where one has none, nothing is begun.
fn inside(mut plan: Plan, config: &Config, world: &World, names: &[String]) -> Result<Plan, Fault> {
    let mut ways = Vec::new();
    for name in names {
        match Reload::of(name, config)? {
            Some(way) => ways.push((name, way)),
            None => guard::engine(world, Restart::NAME)
                .map_err(|fault| fault.cause(format!("restart.inside has no way for `{name}`")))?,
        }
    }
    if ways.is_empty() {
        guard::engine(world, Restart::NAME)?;
    }
    plan.facts.extend(ways.iter().map(|(name, way)| way.fact(name)));
    plan.steps.extend(ways.iter().filter_map(|(name, way)| way.step(name, "it was asked for")));
    plan.closing.push("Whether they reload is not seen from inside a container".to_owned());
    Ok(plan)
}

fn without_engine(mut plan: Plan, services: &[String]) -> Result<Plan, Fault> {
    if let Some(service) = services.first() {
        return Err(Fault::new(Exit::Usage, format!("there is no service `{service}`"))
            .cause("Postgres runs on this machine, not in Compose")
            .state("nothing was changed"));
    }
    plan.facts.push(Fact::new("Restarts", "nothing: a local server has no services"));
    Ok(plan)
}

fn containers<'a>(
    engine: &'a Engine,
    world: &World,
    service: &ServiceName,
) -> Result<Vec<&'a Container>, Fault> {
    let is_it = |one: &&Container| one.service.as_ref() == Some(service) && !one.one_off;
    let found: Vec<&Container> = ours(engine, world).into_iter().filter(is_it).collect();
    if found.is_empty() {
        return Err(Fault::new(Exit::NotReady, format!("`{service}` has no container"))
            .cause("it was never started, or taken down")
            .state("nothing was changed")
            .hint(world.workspace.command(&format!("up {service}"))));
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample;

    fn restart(words: &[&str]) -> Restart {
        Restart::parse_from(std::iter::once(&"slate-restart").chain(words))
    }

    #[test]
    fn all_restart_before_any_is_awaited() {
        let plan = restart(&["cache", "api"]).plan(&sample::config(), &sample::world()).unwrap();

        assert_eq!(sample::steps(&plan), ["restart cache", "restart api", "await cache", "await api"]);
    }

    #[test]
    fn without_a_name_the_configured_ones_restart() {
        let mut config = sample::config();
        config.restart.services = vec!["api".to_owned()];

        let plan = restart(&[]).plan(&config, &sample::world()).unwrap();

        assert_eq!(sample::steps(&plan), ["restart api", "await api"]);
    }

    #[test]
    fn a_service_without_container_is_told_apart_from_an_unknown_one() {
        let mut world = sample::world();
        world.engine.as_mut().unwrap().containers.pop();

        let missing = restart(&["api"]).plan(&sample::config(), &world).unwrap_err();
        let unknown = restart(&["apo"]).plan(&sample::config(), &world).unwrap_err();

        assert_eq!((missing.exit, missing.hint.as_deref()), (Exit::NotReady, Some("slate-up api")));
        assert_eq!((unknown.exit, unknown.hint.as_deref()), (Exit::Usage, Some("did you mean `api`?")));
    }

    #[test]
    fn a_local_server_has_nothing_to_restart() {
        let plan = restart(&[]).plan(&sample::config(), &sample::local()).unwrap();

        assert!(plan.steps.is_empty() && plan.facts.len() == 1);
    }

    #[test]
    fn inside_each_service_takes_its_own_way_and_none_begins_where_one_has_none() {
        let mut world = sample::world();
        (world.surroundings.inside, world.engine) = (true, None);
        let text = "[restart]\nservices = [\"api\", \"cache\"]\n\
                    [restart.inside]\napi = { touch = \"main.py\" }\ncache = \"none\"\n";
        let config = Config::read(text, []).unwrap();

        let plan = restart(&[]).plan(&config, &world).unwrap();
        let fault = restart(&["api", "worker"]).plan(&config, &world).unwrap_err();

        assert_eq!(sample::steps(&plan), ["ask api to reload: a new time of main.py"]);
        assert_eq!(plan.facts.len(), 2);
        assert_eq!(
            (fault.exit, fault.cause.as_deref(), fault.hint.as_deref()),
            (
                Exit::NotReady,
                Some("restart.inside has no way for `worker`"),
                Some("on the host: slate-restart")
            )
        );
    }
}
