//! slate-down: everything stops, all data stays.

use clap::Parser;
use plan::{
    Action, Config, EngineFacts, Fact, Fault, Kind, Plan, ServerState, Step, Wants, World, guard, words,
};
use shell::{Command, Shared};

use crate::{others, ours, stop};

/// Stops this workspace's containers, or its local cluster; all data stays
///
/// What writes to the database stops first, the database last.
#[derive(Debug, Parser)]
#[command(
    name = "slate-down",
    version,
    after_help = "\
Examples:
  slate-down
  slate-down --dry-run        what would stop

It removes nothing: containers, networks, volumes and databases stay as they are. Containers of another folder or of \
other compose files are left running, and named."
)]
pub struct Down {
    #[command(flatten)]
    shared: Shared,
}

impl Command for Down {
    const NAME: &'static str = "slate-down";

    fn shared(&self) -> &Shared {
        &self.shared
    }

    fn wants(&self) -> Wants {
        Wants { engine: EngineFacts::Server, lock: true, ..Wants::default() }
    }

    fn plan(&self, config: &Config, world: &World) -> Result<Plan, Fault> {
        guard::engine(world, Self::NAME)?;
        let mut plan = Plan::new(Self::NAME, "");
        if let Some(engine) = &world.engine {
            plan.subject.clone_from(&engine.compose.project);
            plan.steps = stop(&ours(engine, world), engine, config.restart.grace);
            plan.facts = others(engine, world);
        } else {
            let server = guard::server(world)?;
            plan.subject = server.name.to_string();
            if server.kind == Kind::Local && server.state == ServerState::Running {
                let again = Action::StartCluster;
                plan.steps.push(Step::new(Action::StopCluster, "it was asked for").amend(again).weight(10));
            }
        }
        let is_external = world.server.as_ref().is_some_and(|server| server.kind == Kind::External);
        if plan.steps.is_empty() {
            let why = if is_external { "the server is external" } else { "nothing of this workspace's runs" };
            plan.facts.push(Fact::new("Stops", format!("nothing: {why}")));
        }
        let stopped = plan.steps.iter().filter_map(|step| match &step.action {
            Action::StopContainers { containers, .. } => Some(containers.len() as u64),
            _ => None,
        });
        let stopped: u64 = stopped.sum();
        if !plan.steps.is_empty() {
            let what =
                if stopped > 0 { words::count(stopped, "container") } else { "the local cluster".to_owned() };
            plan.closing.push(format!("Stopped {what}; all data is kept"));
        }
        plan.closing.push(format!("Next: {}", world.workspace.command("up")));
        Ok(plan)
    }
}

#[cfg(test)]
mod tests {
    use plan::Effect;

    use super::*;
    use crate::sample;

    fn plan(world: &World) -> Plan {
        Down::parse_from(["slate-down"]).plan(&sample::config(), world).unwrap()
    }

    #[test]
    fn the_database_stops_last() {
        let plan = plan(&sample::world());

        assert_eq!(sample::steps(&plan), ["stop shop-cache-1 and shop-api-1", "stop shop-db-1"]);
        assert!(plan.steps.iter().all(|step| step.action.effect() == Effect::Changes));
    }

    #[test]
    fn another_stack_goes_on() {
        let mut world = sample::world();
        world.engine.as_mut().unwrap().containers[0].config_files = vec!["/shop/compose.test.yml".into()];

        let plan = plan(&world);

        assert_eq!(sample::steps(&plan), ["stop shop-cache-1 and shop-api-1"]);
        assert!(plan.facts[0].text.contains("compose.test.yml"));
    }

    #[test]
    fn a_cluster_stops() {
        assert_eq!(sample::steps(&plan(&sample::local())), ["stop the local cluster"]);
    }

    #[test]
    fn nothing_that_runs_is_nothing_to_do() {
        let mut world = sample::world();
        world.engine.as_mut().unwrap().containers.clear();

        assert!(plan(&world).steps.is_empty());
    }
}
