//! The hand-over to production: a revision that is released is not edited any more.

use plan::{Action, Fact, Fault, Plan, RELEASED, Revisions, Step, World, guard};
use shell::Command as _;

use super::{Migrate, found, one_head, usage};

/// Writes down that a revision, and all before it, are released.
pub(super) fn freeze(world: &World, chain: &Revisions, what: Option<&str>) -> Result<Plan, Fault> {
    guard::unedited(world)?;
    one_head(chain, world)?;
    let last = match what {
        Some(name) => found(chain, name)?,
        None => chain.files.last().ok_or_else(|| usage("there is no migration to release"))?,
    };
    let mut plan = Plan::new(Migrate::NAME, last.id.as_str());
    if last.released {
        plan.facts.push(Fact::new("released", format!("{} was, already", last.path)));
        return Ok(plan);
    }
    let write = Action::WriteFile {
        path: RELEASED.to_owned(),
        before: chain.released.clone(),
        after: Some(chain.frozen(last)),
        recipes: None,
    };
    plan.steps.push(Step::new(write, "from here on an edit of it is an error"));
    let next = world.workspace.command("migrate new NAME");
    plan.closing.push(format!("{} is released: commit {RELEASED}; the next change is {next}", last.path));
    Ok(plan)
}
