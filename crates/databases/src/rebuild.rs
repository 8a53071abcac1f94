//! slate-rebuild: the new baseline around the rows that are there.

use clap::Parser;
use plan::carry::{Carried, Rules, Stage};
use plan::{
    Action, Config, Data, Database, DatabaseName, EngineFacts, Exit, Fact, Fault, Plan, Reading, Server,
    Step, Wants, World, guard, words,
};
use shell::{Command, Shared};

use crate::around::Around;
use crate::next::Recipe;
use crate::replace::{self, Swap};
use crate::reset::is_stale;

/// Builds the new baseline around the rows that you have; undo brings the old database back
///
/// The next database is made beside the present one, which serves on, and every row that still fits is copied into it. What
/// came of that is shown, table by table. Then what was written meanwhile follows, and the two swap names.
#[derive(Debug, Parser)]
#[command(
    name = "slate-rebuild",
    version,
    after_help = "\
Examples:
  slate-rebuild                           every row that fits, and what does not
  slate-rebuild --keep users,oauth_tokens these tables; the others begin with the seeds
  slate-rebuild --dry-run                 what it would build; what fits is known once it is built

A table is carried whole or not at all. The old database stays as it was, under a number: what was left is there.

It touches this workspace's own database alone: no other database, no role, no volume, no other project's container, and \
no row of the old database."
)]
pub struct Rebuild {
    /// Carry these tables alone [default: rebuild.keep, else all]
    #[arg(long, value_name = "TABLE", value_delimiter = ',')]
    keep: Vec<String>,
    #[command(flatten)]
    shared: Shared,
}

impl Command for Rebuild {
    const NAME: &'static str = "slate-rebuild";

    fn shared(&self) -> &Shared {
        &self.shared
    }

    fn wants(&self) -> Wants {
        Wants {
            engine: EngineFacts::Server,
            databases: true,
            contents: Reading::Rows,
            blueprint: true,
            lock: true,
            running: true,
            carried: true,
            ..Wants::default()
        }
    }

    fn prepare(&self, config: &Config, world: &World) -> Result<Option<Plan>, Fault> {
        let (server, live) = self.allowed(world)?;
        let mut plan = Plan::new(Self::NAME, server.name.as_str());
        let rules = self.rules(config);
        let recipe = recipe(config, world, server, &rules);
        plan.target = target(server, world);
        plan.data.push(Data::Database { name: live.name.clone(), oid: live.oid });
        plan.facts.push(Fact::new("fits", "known once the new baseline is built, and asked about then"));
        let next = recipe.open(&mut plan)?;
        let from = live.name.clone();
        let carry = Action::CarryOver { from: from.clone(), to: next.clone() };
        plan.steps.push(Step::new(carry, "rows are read and written under the same settings"));
        let rows = Action::CarryRows { from, to: next, rules, stage: Stage::First };
        plan.steps
            .push(Step::new(rows, "what fits is proved by trying, while the present one serves").weight(8));
        Ok(Some(plan))
    }

    fn plan(&self, config: &Config, world: &World) -> Result<Plan, Fault> {
        let (server, live) = self.allowed(world)?;
        let rules = self.rules(config);
        let recipe = recipe(config, world, server, &rules);
        let Some((next, carried)) = &world.carried else {
            return Err(Fault::new(Exit::Failed, "the rows were carried nowhere")
                .cause("the database that they were carried to is gone")
                .state("nothing was changed")
                .hint("run it again"));
        };
        let mut plan = Plan::new(Self::NAME, server.name.as_str());
        plan.target = target(server, world);
        plan.question = format!("Rebuild {}?", server.name);
        replace::tell(&mut plan, live, world);
        plan.facts.retain(|fact| fact.label != "yours");
        tell(&mut plan, carried);
        if world.workspace.first {
            plan.asks.push("it is the first reset in this workspace".to_owned());
        }
        let around = Around::new(Self::NAME, config, world, is_stale(world, &recipe))?;
        around.before(&mut plan);
        self.swap(&mut plan, world, server, live, next, &rules);
        around.tell(&mut plan);
        around.after(&mut plan);
        around.still(&mut plan);
        plan.steps.push(Step::new(Action::Tidy, "so that the next reset only swaps"));
        plan.closing.insert(0, closing(server, carried));
        Ok(plan)
    }
}

impl Rebuild {
    /// The server, and the database on it that is ours to rebuild.
    fn allowed<'a>(&self, world: &'a World) -> Result<(&'a Server, &'a Database), Fault> {
        let server = guard::writable(world)?;
        guard::unedited(world)?;
        let nothing = |cause: &str, hint: String| {
            Fault::new(Exit::NotReady, format!("there is nothing to rebuild `{}` from", server.name))
                .cause(cause)
                .state("nothing was changed")
                .hint(hint)
        };
        let up = || world.workspace.command("up");
        let live = world.live().ok_or_else(|| nothing("there is no such database", up()))?;
        guard::own_database(live, &world.workspace)?;
        if live.broken {
            let drop = world.workspace.command("reset");
            return Err(nothing("it is half dropped: nothing in it can be trusted", drop));
        }
        if self.shared.no_undo {
            guard::droppable(live)?;
        } else {
            guard::renamable(live)?;
        }
        Ok((server, live))
    }

    fn rules(&self, config: &Config) -> Rules {
        let keep = if self.keep.is_empty() { &config.rebuild.keep } else { &self.keep };
        Rules { keep: keep.clone(), rename: config.rebuild.rename.clone() }
    }

    fn swap(
        &self,
        plan: &mut Plan,
        world: &World,
        server: &Server,
        live: &Database,
        next: &DatabaseName,
        rules: &Rules,
    ) {
        let rows = |stage| Action::CarryRows {
            from: live.name.clone(),
            to: next.clone(),
            rules: rules.clone(),
            stage,
        };
        let again = Step::new(rows(Stage::Again), "the shorter it is closed the better");
        plan.steps.push(again.amend(Action::DiscardDatabase { database: next.clone() }).weight(2));
        let rest = Some(rows(Stage::Last));
        let (n, kept) = Swap { world, server, live, next, by: "rebuild", carry: false, rest }.plan(plan);
        if self.shared.no_undo {
            plan.facts.push(Fact::new("no way back", "--no-undo keeps nothing"));
            let give_up = Action::GiveUpDatabase { database: kept.clone(), n };
            let give_up = Step::new(give_up, "--no-undo keeps nothing");
            let old = plan::Expect::Database { name: kept, oid: live.oid };
            plan.steps.push(give_up.expects(old).weight(2));
        } else {
            let back = world.workspace.command("undo");
            plan.facts
                .push(Fact::new("stays", format!("the old one, whole, as {kept}: {back} brings it back")));
            plan.closing.push(format!("The old one is kept: {back}"));
        }
    }
}

/// All rows: then no seed, which they would meet. Some of them: the others are the seeds'.
fn recipe<'a>(config: &'a Config, world: &'a World, server: &'a Server, rules: &Rules) -> Recipe<'a> {
    let seeds = config.seeds.usual().filter(|_| !rules.keep.is_empty());
    Recipe { config, world, server, seeds, to: None }
}

fn target(server: &Server, world: &World) -> String {
    format!("Rebuild {} on {}", server.name, replace::place(server, world))
}

/// What is carried, what is left, and what else there is to know.
fn tell(plan: &mut Plan, carried: &Carried) {
    let said = |text: String| if text.is_empty() { "no row".to_owned() } else { text };
    plan.facts.push(Fact::new("keeps", said(carried.kept())));
    plan.facts.extend(carried.notes().into_iter().map(|note| Fact::new("mind", note)));
    plan.facts.extend(carried.left().into_iter().map(|left| Fact::new("leaves", left)));
    let unwanted = carried.unwanted();
    if !unwanted.is_empty() {
        plan.facts.push(Fact::new("leaves", format!("{unwanted}: not among those to keep")));
    }
}

fn closing(server: &Server, carried: &Carried) -> String {
    let rows = words::count(carried.rows(), "row");
    match carried.left().len() as u64 {
        0 => format!("`{}` is at its baseline, with {rows} of before", server.name),
        left => format!(
            "`{}` is at its baseline, with {rows} of before; {} stayed behind",
            server.name,
            words::count(left, "table")
        ),
    }
}

#[cfg(test)]
mod tests {
    use plan::carry::{Fate, TableName, Told};

    use super::*;
    use crate::sample::{config, labelled, steps, with_databases};

    fn rebuild(words: &[&str]) -> Rebuild {
        Rebuild::parse_from(["slate-rebuild"].iter().chain(words))
    }

    fn carried() -> World {
        let told = |name: &str, rows, fate| Told {
            table: TableName::new("public", name),
            to: None,
            rows: Some(rows),
            fate,
            notes: Vec::new(),
        };
        let left = Fate::Left("there is no such table any more".to_owned());
        let tables = vec![told("users", 4, Fate::Carried), told("log", 9, left)];
        let mut world = with_databases(&[labelled("__next", 3, plan::LabelKind::Building, "new")]);
        world.carried = Some((DatabaseName::new("shop__next").unwrap(), Carried { tables }));
        world
    }

    #[test]
    fn what_is_made_first_only_creates_and_asks_nothing() {
        let first = rebuild(&[]).prepare(&config(), &with_databases(&[])).unwrap().unwrap();

        assert_eq!(
            steps(&first),
            [
                "create shop__base_bare",
                "migrate shop__base_bare",
                "mark shop__base_bare as this workspace's",
                "seal template shop__base_bare",
                "clone shop__base_bare to shop__next",
                "mark shop__next as this workspace's",
                "give shop__next the owner, rights and settings of shop",
                "carry rows of shop to shop__next",
            ]
        );
        assert_eq!(first.need(plan::Confirm::Always), plan::Need::Nothing);
    }

    #[test]
    fn some_tables_are_carried_into_the_seeds() {
        let first =
            rebuild(&["--keep", "users,tags"]).prepare(&config(), &with_databases(&[])).unwrap().unwrap();

        assert!(steps(&first).iter().any(|step| step.starts_with("seed ")), "{first:?}");
        let rules = first.steps.iter().find_map(|step| match &step.action {
            Action::CarryRows { rules, .. } => Some(rules.keep.clone()),
            _ => None,
        });
        assert_eq!(rules.unwrap(), ["users", "tags"]);
    }

    #[test]
    fn what_was_written_meanwhile_comes_before_and_after_the_door_shuts() {
        let plan = rebuild(&[]).plan(&config(), &carried()).unwrap();

        assert_eq!(
            steps(&plan),
            [
                "carry what was written to shop meanwhile",
                "close shop to new sessions",
                "end the sessions on shop",
                "carry what was written to shop meanwhile",
                "swap shop, and kept the old as shop__kept_1",
                "prepare the next reset, in the background",
            ]
        );
        assert!(!plan.is_for_good());
    }

    #[test]
    fn what_stays_behind_is_told_before_anything_happens() {
        let plan = rebuild(&[]).plan(&config(), &carried()).unwrap();

        let facts: Vec<String> =
            plan.facts.iter().map(|fact| format!("{} {}", fact.label, fact.text)).collect();
        assert!(facts.contains(&"keeps users 4".to_owned()), "{facts:?}");
        assert!(facts.contains(&"leaves log 9: there is no such table any more".to_owned()), "{facts:?}");
    }

    #[test]
    fn another_workspaces_database_is_refused_before_anything_is_built() {
        let mut world = with_databases(&[]);
        for live in world.server.iter_mut().flat_map(|server| &mut server.databases) {
            live.marker.iter_mut().for_each(|marker| "another".clone_into(&mut marker.workspace));
        }

        assert_eq!(rebuild(&[]).prepare(&config(), &world).unwrap_err().exit, Exit::Refused);
    }
}
