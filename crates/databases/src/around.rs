//! What happens to services and queues around a swap: who stops, whose queue is flushed, who starts again.

use plan::{
    Action, Config, Container, ContainerName, Fact, Fault, Home, Hook, Plan, Reload, ServiceName, Stack,
    Step, World, guard, stack, words,
};

/// The services that a reset concerns.
pub(crate) struct Around<'a> {
    config: &'a Config,
    /// Ours, and running.
    containers: Vec<&'a Container>,
    /// Those of them that hold code or jobs for the database that was.
    held: Vec<(ContainerName, ServiceName)>,
    /// Inside a container: those that take the new code by a way of their own.
    reloads: Vec<(&'a str, &'a Reload)>,
    /// And those that can't be restarted from there, with what to type where they can.
    elsewhere: Option<(Vec<&'a str>, String)>,
    grace: u32,
}

impl<'a> Around<'a> {
    /// `stale`: the next database is another one than the services' code was started for.
    ///
    /// # Errors
    /// A hook that can't be understood, or that runs in a service where there is no engine.
    pub fn new(command: &str, config: &'a Config, world: &'a World, stale: bool) -> Result<Self, Fault> {
        for hook in config.before_reset.iter().chain(&config.after_reset) {
            if hook.home()? != Home::Host {
                guard::engine(world, command)?;
            }
        }
        let engine = world.engine.as_ref();
        let ours = |container: &&Container| {
            let own = |engine: &plan::Engine| {
                stack(container, &engine.compose, &world.workspace.root) == Stack::Ours
            };
            container.running && !container.one_off && engine.is_some_and(own)
        };
        let containers: Vec<&Container> =
            engine.map(|engine| engine.containers.iter().filter(ours).collect()).unwrap_or_default();
        // A service that reconnects by itself needs no restart, unless a queue is flushed under it.
        let wanted = stale || !config.after_reset.is_empty();
        let services = config.restart.services.iter().filter(|_| wanted);
        let held = services.flat_map(|name| {
            let of = containers.iter().filter_map(|container| Some((container, container.service.clone()?)));
            of.filter(move |(_, service)| service.as_str() == name)
        });
        let held = held.map(|(container, service)| (container.name.clone(), service)).collect();
        let (mut reloads, mut wayless) = (Vec::new(), Vec::new());
        for name in config.restart.services.iter().filter(|_| wanted && world.surroundings.inside) {
            match Reload::of(name, config)? {
                Some(way) => reloads.push((name.as_str(), way)),
                None => wayless.push(name.as_str()),
            }
        }
        let elsewhere = (stale && !wayless.is_empty()).then(|| (wayless, guard::on_host(world, "restart")));
        let grace = config.restart.grace.unwrap_or(10);
        Ok(Self { config, containers, held, reloads, elsewhere, grace })
    }

    /// What a person reads of it before anything happens.
    pub fn tell(&self, plan: &mut Plan) {
        if !self.held.is_empty() {
            let names: Vec<&str> = self.held.iter().map(|(_, service)| service.as_str()).collect();
            plan.facts.push(Fact::new("restarts", names.join(", ")));
        }
        plan.facts.extend(self.reloads.iter().map(|(service, way)| way.fact(service)));
        if let Some((names, command)) = &self.elsewhere {
            let names = words::list(names);
            plan.facts.push(Fact::new("restarts", format!("nothing: {names} can't be reached from inside")));
            plan.closing.push(format!("{names} may hold the old code: {command}"));
        }
        let hooks = self.config.before_reset.iter().chain(&self.config.after_reset);
        let commands: Vec<&str> = hooks.map(|hook| hook.command.as_str()).collect();
        if !commands.is_empty() {
            plan.facts.push(Fact::new("runs", commands.join("; ")));
        }
    }

    /// A stale job may not meet the new rows: whoever works on a queue stops before it is flushed.
    pub fn before(&self, plan: &mut Plan) {
        plan.steps.extend(hooks(&self.config.before_reset, "[[before_reset]] says so"));
        if self.stops() {
            let containers = self.names();
            let again = Action::StartContainers { containers: containers.clone() };
            let stop = Action::StopContainers { containers, grace: Some(self.grace) };
            plan.steps.push(Step::new(stop, "its jobs are about rows that go").amend(again).weight(10));
        }
    }

    pub fn after(&self, plan: &mut Plan) {
        plan.steps.extend(hooks(&self.config.after_reset, "[[after_reset]] says so"));
        if self.stops() {
            let start = Action::StartContainers { containers: self.names() };
            plan.steps.push(Step::new(start, "its queue is as new as the database").weight(10));
        } else {
            for (container, service) in &self.held {
                let (container, service) = (container.clone(), service.clone());
                let again = Action::RestartContainer { container, service, grace: self.grace };
                let again = Step::new(again, "it holds connections to the database that was");
                plan.steps.push(again.weight(10));
            }
        }
        let why = "no engine is here to restart it";
        plan.steps.extend(self.reloads.iter().filter_map(|(service, way)| way.step(service, why)));
        for (_, service) in &self.held {
            let url = self.config.ready.get(service.as_str()).cloned();
            let wait = Action::AwaitService { service: service.clone(), url };
            plan.steps.push(Step::new(wait, "done means that it answers").weight(10));
        }
    }

    /// Whoever was only cut off must still run.
    pub fn still(&self, plan: &mut Plan) {
        let containers: Vec<ContainerName> =
            self.containers.iter().map(|container| container.name.clone()).collect();
        if containers.len() > 1 {
            plan.steps.push(Step::new(Action::KeepRunning { containers }, "who was cut off may have ended"));
        }
    }

    fn stops(&self) -> bool {
        !self.config.after_reset.is_empty() && !self.held.is_empty()
    }

    fn names(&self) -> Vec<ContainerName> {
        self.held.iter().map(|(container, _)| container.clone()).collect()
    }
}

fn hooks<'a>(hooks: &'a [Hook], why: &'static str) -> impl Iterator<Item = Step> + 'a {
    hooks.iter().map(move |hook| Step::new(Action::RunHook { hook: hook.clone() }, why).weight(2))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample::{steps, with_databases};

    const WAYS: &str = "[restart]\nservices = [\"api\", \"worker\", \"cache\"]\n[restart.inside]\n\
        api = { touch = \"main.py\" }\ncache = \"none\"\n";

    fn told(inside: bool, stale: bool) -> Plan {
        let mut world = with_databases(&[]);
        world.surroundings.inside = inside;
        let config = Config::read(WAYS, []).unwrap();
        let mut plan = Plan::new("slate-reset", "shop");
        let around = Around::new("slate-reset", &config, &world, stale).unwrap();
        around.tell(&mut plan);
        around.after(&mut plan);
        plan
    }

    #[test]
    fn inside_what_has_a_way_is_asked_to_reload_and_the_rest_is_told() {
        let plan = told(true, true);

        assert_eq!(steps(&plan), ["ask api to reload: a new time of main.py"]);
        assert_eq!(plan.closing, ["`worker` may hold the old code: on the host: slate-restart"]);
        let facts: Vec<&str> = plan.facts.iter().map(|fact| fact.text.as_str()).collect();
        assert_eq!(facts[..2], ["api by a new time of main.py", "cache by itself, says restart.inside"]);
    }

    #[test]
    fn outside_and_where_nothing_is_stale_no_way_is_taken() {
        for plan in [told(false, true), told(true, false)] {
            assert!(plan.steps.is_empty() && plan.closing.is_empty(), "{:?}", plan.closing);
        }
    }
}
