//! What a run that did not end has left closed is opened again before anybody weighs what is there.

use crate::{Action, Data, Database, Expect, Plan, Step, World, guard};

/// Opens the live database that nobody can connect to; `None` where there is nothing to mend, or it is not ours to.
#[must_use]
pub fn mend(command: &'static str, world: &World) -> Option<Plan> {
    let live = world.live().filter(|live| is_closed(live))?;
    guard::writable(world).ok()?;
    guard::own_database(live, &world.workspace).ok()?;
    let mut plan = Plan::new(command, live.name.as_str());
    plan.data.push(Data::Database { name: live.name.clone(), oid: live.oid });
    let open = Action::OpenDatabase { database: live.name.clone() };
    let expect = Expect::Database { name: live.name.clone(), oid: live.oid };
    plan.steps.push(Step::new(open, "a run that did not end had closed it").expects(expect));
    Some(plan)
}

/// One that is half dropped is not to be opened by anybody.
fn is_closed(live: &Database) -> bool {
    !live.open && !live.broken
}
