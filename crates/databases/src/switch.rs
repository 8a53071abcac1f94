//! slate-switch: a database for each git branch, parked and taken by its name.

use clap::Parser;
use plan::{
    Action, Config, Database, EngineFacts, Exit, Expect, Fact, Fault, Label, LabelKind, Plan, Reading,
    Server, Step, Wants, World, guard,
};
use shell::{Command, Shared};

use crate::around::Around;
use crate::kept;
use crate::next::Recipe;
use crate::replace::{self, Swap};
use crate::reset::is_stale;

/// Parks the database for its git branch, and takes the one of another branch
///
/// A branch that has none yet gets a fresh one: its baseline and seeds. Both change names in one transaction, as in a
/// reset; no row is copied, and what is parked stays as long as its branch.
#[derive(Debug, Parser)]
#[command(
    name = "slate-switch",
    version,
    after_help = "\
Examples:
  slate-switch                          the one of the branch that is checked out
  slate-switch main                     this branch's, whatever is checked out
  slate-switch --list                   which branch has which database

It touches this workspace's own databases alone, and nothing of git. Another worktree is another workspace: its databases \
stay as they are."
)]
pub struct Switch {
    /// The branch [default: the one that is checked out]
    branch: Option<String>,
    /// Which branch has which database, and stop
    #[arg(long)]
    list: bool,
    /// Only say whether another database belongs to the branch: for the hook of slate-init --hook
    #[arg(long, conflicts_with = "list")]
    remind: bool,
    /// The branch that the present database belongs to, where neither a switch nor git's log tells
    #[arg(long, value_name = "BRANCH")]
    from: Option<String>,
    #[command(flatten)]
    shared: Shared,
}

impl Command for Switch {
    const NAME: &'static str = "slate-switch";

    fn shared(&self) -> &Shared {
        &self.shared
    }

    fn wants(&self) -> Wants {
        Wants {
            engine: EngineFacts::Server,
            databases: true,
            contents: if self.looks() { Reading::Nothing } else { Reading::Rows },
            blueprint: !self.remind,
            lock: !self.looks(),
            running: !self.remind,
            git: true,
            ..Wants::default()
        }
    }

    fn plan(&self, config: &Config, world: &World) -> Result<Plan, Fault> {
        let mut plan = Plan::new(Self::NAME, guard::server(world)?.name.as_str());
        if self.list {
            plan.facts = list(world);
            return Ok(plan);
        }
        if self.remind {
            plan.closing.extend(reminder(world, &self.target(world)?));
            return Ok(plan);
        }
        if self.shared.no_undo {
            return Err(replace::always_kept("switch"));
        }
        let server = guard::writable(world)?;
        let to = self.target(world)?;
        plan.target = format!("Switch {} on {}", server.name, replace::place(server, world));
        plan.question = format!("Switch to {to}?");
        let seeds = config.seeds.usual();
        let recipe = Recipe { config, world, server, seeds, to: None };
        match world.live() {
            Some(live) => self.switch(&mut plan, &recipe, live, &to)?,
            None => take(&mut plan, &recipe, server, &to)?,
        }
        Ok(plan)
    }
}

impl Switch {
    /// Whether it only looks.
    fn looks(&self) -> bool {
        self.list || self.remind
    }

    fn target(&self, world: &World) -> Result<String, Fault> {
        let checked_out = || world.git.as_ref().and_then(|git| git.branch.clone());
        let told =
            self.branch.clone().filter(|branch| !branch.is_empty() && !branch.contains(char::is_control));
        told.or_else(checked_out).ok_or_else(|| {
            Fault::new(Exit::Usage, "which branch?")
                .cause("no branch is checked out here, as far as git tells")
                .state("nothing was changed")
                .hint(world.workspace.command("switch BRANCH"))
        })
    }

    fn switch(&self, plan: &mut Plan, recipe: &Recipe<'_>, live: &Database, to: &str) -> Result<(), Fault> {
        let (world, server) = (recipe.world, recipe.server);
        guard::own_database(live, &world.workspace)?;
        guard::renamable(live)?;
        let from =
            self.from.as_deref().or_else(|| world.branch_of(live)).ok_or_else(|| whose(live, world))?;
        if from == to {
            stay(plan, live, to);
            return Ok(());
        }
        replace::tell_as(plan, live, world, "parks");
        plan.facts.push(Fact::new("", format!("as the database of `{from}`")));
        let parked = parked(world, to);
        let stale = match parked {
            Some((_, label)) => {
                let built = live.marker.as_ref().and_then(|marker| marker.blueprint.as_deref());
                built.is_none() || built != label.blueprint()
            }
            None => is_stale(world, recipe),
        };
        let around = Around::new(Self::NAME, recipe.config, world, stale)?;
        let next = if let Some((database, label)) = parked {
            guard::renamable(database)?;
            plan.facts.push(Fact::new("takes", kept::line(database, label, world)));
            replace::looked_into(plan, database);
            plan.steps.extend(replace::alone(database));
            database.name.clone()
        } else {
            plan.facts.push(Fact::new("takes", fresh(world, to)));
            recipe.make(plan)?
        };
        around.before(plan);
        Swap { world, server, live, next: &next, by: "switch", carry: parked.is_none(), rest: None }
            .park(plan, from, to);
        around.tell(plan);
        around.after(plan);
        around.still(plan);
        if parked.is_none() {
            plan.steps.push(Step::new(Action::Tidy, "so that the next one only swaps"));
        }
        plan.closing.push(format!("`{}` is the one of `{to}`", server.name));
        let back = world.workspace.command(&format!("switch {}", plan::words::shell(from)));
        plan.closing.push(format!("That of `{from}` is parked: {back}"));
        Ok(())
    }
}

fn whose(live: &Database, world: &World) -> Fault {
    let fault = Fault::new(Exit::NotReady, format!("whose is `{}`?", live.name)).state("nothing was changed");
    if live.open {
        let why = "neither a switch nor git's log tells the branch that it belongs to";
        return fault.cause(why).hint(world.workspace.command("switch --from BRANCH"));
    }
    fault.cause("a run that did not end has closed it").hint(world.workspace.command("up"))
}

/// Nothing to switch; from here on the database is noted as this branch's.
fn stay(plan: &mut Plan, live: &Database, branch: &str) {
    if live.branch.as_deref() != Some(branch) {
        let note = Action::NoteBranch { database: live.name.clone(), branch: branch.to_owned() };
        let expect = Expect::Database { name: live.name.clone(), oid: live.oid };
        plan.steps.push(Step::new(note, "the next switch knows whose it is").expects(expect));
    }
    plan.closing.push(format!("`{}` is the one of `{branch}`", live.name));
}

/// Nothing has the name now.
fn take(plan: &mut Plan, recipe: &Recipe<'_>, server: &Server, to: &str) -> Result<(), Fault> {
    let (next, comment) = match parked(recipe.world, to) {
        Some((database, label)) => {
            replace::looked_into(plan, database);
            plan.steps.extend(replace::alone(database));
            (database.name.clone(), label.comment.clone())
        }
        None => (recipe.make(plan)?, None),
    };
    let note = Action::NoteBranch { database: next.clone(), branch: to.to_owned() };
    plan.steps.push(Step::new(note, "the next switch knows whose it is"));
    replace::take_name(plan, server, &next, comment);
    plan.closing.push(format!("`{}` is the one of `{to}`", server.name));
    Ok(())
}

/// The database of a branch; the newest, should there be two.
fn parked<'a>(world: &'a World, branch: &str) -> Option<(&'a Database, &'a Label)> {
    let of = world.beside(LabelKind::Parked).filter(|(_, label)| label.name.as_deref() == Some(branch));
    of.max_by_key(|(_, label)| label.at)
}

fn fresh(world: &World, branch: &str) -> String {
    let checked_out = world.git.as_ref().and_then(|git| git.branch.as_deref());
    match checked_out.filter(|present| *present != branch) {
        Some(present) => format!("a fresh one, from the files of `{present}`, which is checked out"),
        None => "a fresh one: its baseline + seeds".to_owned(),
    }
}

/// What a switch would do, in a line; nothing where the database is the branch's own.
fn reminder(world: &World, to: &str) -> Option<String> {
    let live = world.live()?;
    let from = world.branch_of(live).filter(|from| *from != to)?;
    let has = if parked(world, to).is_some() { "has one of its own" } else { "has none yet" };
    let switch = world.workspace.command("switch");
    Some(format!("database `{}` is the one of `{from}`; `{to}` {has}: {switch}", live.name))
}

/// The present one first, then every parked one.
fn list(world: &World) -> Vec<Fact> {
    let present = world.live().map(|live| {
        let branch = world.branch_of(live).unwrap_or("(no branch)");
        Fact::new(branch, format!("{}, present", live.name))
    });
    let parked = world.beside(LabelKind::Parked).map(|(database, label)| {
        Fact::new(label.name.clone().unwrap_or_default(), kept::line(database, label, world))
    });
    present.into_iter().chain(parked).collect()
}
