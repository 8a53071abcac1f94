//! slate-reset: the workspace's database back to its baseline and seeds.

use clap::Parser;
use plan::{
    Action, Baseline, Config, Database, DatabaseName, EngineFacts, Fact, Fault, LabelKind, Plan, Reading,
    Server, Step, Wants, World, guard,
};
use shell::{Command, Shared};

use crate::around::Around;
use crate::next::Recipe;
use crate::replace::{self, Swap};
use crate::tidy;

/// Resets the database to its baseline and seeds; undo brings the old one back
///
/// The next database is made beside the present one, which serves on. Then the two swap names in one transaction, and the
/// old one is kept under a number. Services that hold old code are restarted, the others reconnect.
#[derive(Debug, Parser)]
#[command(
    name = "slate-reset",
    version,
    after_help = "\
Examples:
  slate-reset                             swap, and keep the old one: slate-undo
  slate-reset --dry-run                   what is in it, and what of that is yours
  slate-reset --drop --yes --no-undo      drop and create through psql: nothing is kept

It touches this workspace's own database alone: no other database, no role, no volume, no other project's container. A \
database with another workspace's marker is refused, and so is one that a replication slot or subscription reads."
)]
pub struct Reset {
    /// Drop the present database instead of keeping it: there is no way back
    #[arg(long)]
    drop: bool,
    /// Leave the seeds out
    #[arg(long)]
    no_seed: bool,
    /// Stop at this migration, without seeds
    #[arg(long, value_name = "VERSION")]
    to: Option<String>,
    /// Weigh what is kept and make the next spare: what a reset leaves to the background
    #[arg(long, hide = true, conflicts_with_all = ["drop", "to"])]
    tidy: bool,
    #[command(flatten)]
    shared: Shared,
}

impl Command for Reset {
    const NAME: &'static str = "slate-reset";

    fn shared(&self) -> &Shared {
        &self.shared
    }

    fn wants(&self) -> Wants {
        let contents = match (self.tidy, self.drop) {
            (true, _) => Reading::Nothing,
            (false, true) => Reading::Live,
            (false, false) => Reading::Rows,
        };
        Wants {
            engine: EngineFacts::Server,
            databases: true,
            contents,
            blueprint: true,
            // The run that started it passed its own hold on.
            lock: !self.tidy,
            running: true,
            ..Wants::default()
        }
    }

    fn plan(&self, config: &Config, world: &World) -> Result<Plan, Fault> {
        let server = guard::writable(world)?;
        guard::unedited(world)?;
        let mut plan = Plan::new(Self::NAME, server.name.as_str());
        let recipe = self.recipe(config, world, server);
        if self.tidy {
            tidy::plan(&mut plan, &recipe);
            return Ok(plan);
        }
        plan.target = format!("Reset {} on {}", server.name, replace::place(server, world));
        plan.question = format!("Reset {}?", server.name);
        if let Some(live) = world.live() {
            guard::own_database(live, &world.workspace)?;
            if self.drop || self.shared.no_undo {
                guard::droppable(live)?;
            } else {
                guard::renamable(live)?;
            }
            replace::tell(&mut plan, live, world);
            if let Baseline::ModelsChanged(_) = plan::baseline(live, world) {
                plan.facts.push(Fact::new("models", "changed since this baseline, and no migration did"));
            }
        }
        if world.workspace.first {
            plan.asks.push("it is the first reset in this workspace".to_owned());
        }
        let around = Around::new(Self::NAME, config, world, self.drop || is_stale(world, &recipe))?;
        let next = if self.drop { recipe.direct(&mut plan)? } else { recipe.make(&mut plan)? };
        around.before(&mut plan);
        match world.live() {
            Some(live) if live.broken => replace::drop_broken(&mut plan, server, live, &next),
            Some(live) => self.swap(&mut plan, world, server, live, &next),
            None => replace::take_name(&mut plan, server, &next, None),
        }
        around.tell(&mut plan);
        around.after(&mut plan);
        around.still(&mut plan);
        self.close(&mut plan, world, server, &recipe);
        Ok(plan)
    }
}

impl Reset {
    fn recipe<'a>(&self, config: &'a Config, world: &'a World, server: &'a Server) -> Recipe<'a> {
        let seeds = config.seeds.usual().filter(|_| !self.no_seed && self.to.is_none());
        Recipe { config, world, server, seeds, to: self.to.clone() }
    }

    fn swap(&self, plan: &mut Plan, world: &World, server: &Server, live: &Database, next: &DatabaseName) {
        let swap = Swap { world, server, live, next, by: "reset", carry: true, rest: None };
        let (n, kept) = swap.plan(plan);
        if self.drop {
            plan.steps.push(replace::drop(&kept, live, "--drop keeps nothing"));
        } else if self.shared.no_undo {
            replace::give_up(plan, live, n, kept);
        } else if replace::is_unchanged(live) {
            plan.facts.push(Fact::new("keeps", "nothing, if that still holds once nobody is connected"));
        } else {
            let back = world.workspace.command("undo");
            plan.facts.push(Fact::new("keeps", format!("the old one as {kept}: {back} brings it back")));
            plan.closing.push(format!("The old one is kept: {back}"));
        }
    }

    fn close(&self, plan: &mut Plan, world: &World, server: &Server, recipe: &Recipe<'_>) {
        if world.live().is_some() && (self.drop || self.shared.no_undo) {
            let flag = if self.drop { "--drop" } else { "--no-undo" };
            plan.facts.push(Fact::new("no way back", format!("{flag} keeps nothing")));
        }
        if !self.drop {
            plan.steps.push(Step::new(Action::Tidy, "so that the next one only swaps"));
        }
        let content = match (&self.to, &recipe.seeds) {
            (Some(version), _) => format!("version {version}"),
            (None, Some(_)) => "its baseline + seeds".to_owned(),
            (None, None) => "its baseline".to_owned(),
        };
        plan.closing.insert(0, format!("`{}` is at {content}", server.name));
    }
}

/// Whether the services' code was started for another schema than the next database has, as far as we can tell.
pub(crate) fn is_stale(world: &World, recipe: &Recipe<'_>) -> bool {
    let Some(marker) = world.live().and_then(|live| live.marker.as_ref()) else { return true };
    let Some(blueprint) = world.blueprint.as_ref().filter(|_| recipe.to.is_none()) else { return true };
    if marker.blueprint.as_ref() == Some(&blueprint.hash) {
        return blueprint.models.is_some() && marker.models != blueprint.models;
    }
    let template =
        recipe.made(LabelKind::Template).and_then(|(_, label)| label.built.as_ref()?.fingerprint.clone());
    template.is_none() || template != marker.fingerprint
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample::{config, labelled, steps, with_databases};

    fn planned(words: &[&str], world: &World) -> Plan {
        Reset::parse_from(std::iter::once(&"slate-reset").chain(words)).plan(&config(), world).unwrap()
    }

    fn with_a_spare() -> World {
        with_databases(&[labelled("__spare", 3, LabelKind::Spare, "new")])
    }

    #[test]
    fn with_a_spare_it_is_a_swap() {
        let plan = planned(&[], &with_a_spare());

        let told = steps(&plan);
        assert_eq!(told[0], "give shop__spare the owner, rights and settings of shop");
        assert!(told.contains(&"swap shop, and kept the old as shop__kept_1".to_owned()), "{told:?}");
        assert!(plan.steps.iter().all(|step| step.action.effect() != plan::Effect::Destroys), "{told:?}");
    }

    #[test]
    fn what_is_not_kept_goes_after_the_names_have_changed() {
        for words in [["--drop"], ["--no-undo"]] {
            let told = steps(&planned(&words, &with_a_spare()));

            let swap = told.iter().position(|told| told.starts_with("swap shop")).unwrap();
            let drop = told.iter().position(|told| told.contains("drop") && told.contains("shop__kept_1"));
            assert!(drop.unwrap() > swap, "{words:?}: {told:?}");
        }
    }

    #[test]
    fn what_is_half_dropped_is_dropped_before_its_name_is_taken() {
        let mut world = with_a_spare();
        let live = world.server.iter_mut().flat_map(|server| &mut server.databases).next().unwrap();
        (live.broken, live.open) = (true, false);

        let told = steps(&planned(&[], &world));

        let drop = told.iter().position(|told| told == "drop shop").unwrap();
        assert_eq!(told[drop + 1], "rename shop__spare to shop");
    }

    #[test]
    fn an_external_database_is_reset_only_with_its_mark() {
        let mut world = with_databases(&[]);
        world.server.iter_mut().for_each(|server| {
            server.kind = plan::Kind::External;
            server.system_identifier = "7".to_owned();
        });
        let reset = |world: &World| Reset::parse_from(["slate-reset"]).plan(&config(), world);

        let adopted = reset(&world);
        world.server.iter_mut().for_each(|server| server.databases[0].marker = None);
        let unmarked = reset(&world).unwrap_err();

        assert!(adopted.unwrap().target.contains("external server"));
        assert_eq!(
            (unmarked.exit, unmarked.hint.as_deref()),
            (plan::Exit::Refused, Some("slate-init --adopt"))
        );
    }
}
