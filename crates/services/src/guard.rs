//! slate-guard: stands before a recipe of the user's own that destroys; shows what it would take, asks, copies it, and
//! lets it go on.

use clap::Parser;
use plan::{Action, Config, Fact, Fault, Kind, Plan, Wants, World, guard};
use shell::{Command, Shared};

use crate::Clean;

/// Shows what a recipe of your own is about to destroy, asks, and copies it first
///
/// Called as the first dependency of such a recipe, where slate-init --guard put it. Where there is nothing to lose it
/// says so in one line and lets the recipe go on; declined, the recipe does not begin.
#[derive(Debug, Parser)]
#[command(
    name = "slate-guard",
    version,
    after_help = "\
Examples:
  slate-guard clean-docker
  slate-guard clean-docker --yes

It removes nothing: it stops this workspace's containers and copies their volumes. What other projects own is not looked \
at, and a recipe that removes every volume of the machine removes the copies too."
)]
pub struct Guard {
    /// The recipe that goes on afterwards
    #[arg(value_name = "RECIPE")]
    recipe: String,
    #[command(flatten)]
    shared: Shared,
}

impl Command for Guard {
    const NAME: &'static str = "slate-guard";

    fn shared(&self) -> &Shared {
        &self.shared
    }

    fn wants(&self) -> Wants {
        Clean::whole(self.shared.clone()).wants()
    }

    fn plan(&self, config: &Config, world: &World) -> Result<Plan, Fault> {
        guard::engine(world, Self::NAME)?;
        let server = guard::server(world)?;
        let mut plan = Plan::new(Self::NAME, server.name.as_str());
        if server.kind != Kind::Compose {
            let what = if server.kind == Kind::Local { "the local cluster" } else { "the external server" };
            plan.closing.push(format!("`{}` goes on: {what} is out of its reach", self.recipe));
            return Ok(plan);
        }
        let clean = Clean::whole(self.shared.clone()).plan(config, world)?;
        let is_nothing = clean.loss.is_nothing() && clean.loss.unread.is_empty();
        if is_nothing {
            plan.closing.push(format!("`{}` goes on: there is nothing to lose", self.recipe));
            return Ok(plan);
        }
        plan.target = format!("`{}` is about to run on {}", self.recipe, clean.subject);
        plan.facts = clean
            .facts
            .into_iter()
            .filter(|fact| !["Removes", "Stays"].contains(&fact.label.as_str()))
            .collect();
        plan.facts.push(Fact::new("Then", format!("`{}` does what it says", self.recipe)));
        plan.question = format!("Let `{}` go on?", self.recipe);
        plan.asks.push(format!("what `{}` destroys is not cleanslate's to say", self.recipe));
        plan.loss = clean.loss;
        plan.data = clean.data;
        // Copies alone: what is removed is the recipe's own doing.
        let before = clean.steps.into_iter().take_while(|step| {
            matches!(step.action, Action::StopContainers { .. } | Action::CopyVolume { .. })
        });
        plan.steps = before.collect();
        for step in &mut plan.steps {
            // Nothing of it is removed by us, so each ends in its own time.
            if let Action::StopContainers { grace, .. } = &mut step.action {
                *grace = config.restart.grace;
            }
        }
        plan.closing.push(format!("Copied. After `{}`: {}", self.recipe, world.workspace.command("undo")));
        Ok(plan)
    }
}

#[cfg(test)]
mod tests {
    use plan::{Confirm, Effect, Need};

    use super::*;
    use crate::sample;

    fn planned(world: &World) -> Plan {
        Guard::parse_from(["slate-guard", "clean-docker"]).plan(&sample::config(), world).unwrap()
    }

    #[test]
    fn everything_is_copied_and_nothing_removed() {
        let plan = planned(&sample::world());

        assert_eq!(
            sample::steps(&plan),
            [
                "stop shop-api-1",
                "stop shop-cache-1",
                "stop shop-db-1",
                "copy volume shop_data to shop_data_kept_3",
                "copy volume aaaaaaaaaaaa to shop_cache_aaaaaaaaaaaa_kept_3",
            ]
        );
        assert!(plan.steps.iter().all(|step| step.action.effect() != Effect::Destroys));
        assert_eq!(plan.need(Confirm::Loss), Need::YesNo);
    }

    #[test]
    fn without_a_copy_too_nothing_is_killed() {
        let guard = Guard::parse_from(["slate-guard", "clean-docker", "--no-undo"]);

        let plan = guard.plan(&sample::config(), &sample::world()).unwrap();

        let own = |action: &Action| matches!(action, Action::StopContainers { grace: None, .. });
        assert!(
            !plan.steps.is_empty() && plan.steps.iter().all(|step| own(&step.action)),
            "{:?}",
            plan.steps
        );
    }

    #[test]
    fn a_local_cluster_is_out_of_reach() {
        let plan = planned(&sample::local());

        assert!(plan.steps.is_empty());
        assert_eq!(plan.need(Confirm::Loss), Need::Nothing);
    }

    #[test]
    fn nothing_to_lose_lets_the_recipe_go_on() {
        let mut world = sample::world();
        let engine = world.engine.as_mut().unwrap();
        engine.containers.clear();
        engine.volumes.clear();
        let server = world.server.as_mut().unwrap();
        server.databases.clear();

        assert!(planned(&world).steps.is_empty());
    }
}
