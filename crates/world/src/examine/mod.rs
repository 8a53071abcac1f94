//! What only slate-doctor asks about. Reads only; what can't be read is left out, since the reason for that is a finding
//! of its own.

mod files;
mod server;

use std::time::Duration;

use plan::{Config, Examining, Fault, Wants, World};

use crate::engine;

/// Keeps a fault as a fact, where somebody asks what is wrong.
///
/// # Errors
/// Nobody does.
pub(crate) fn or_kept<T>(
    found: Result<T, Fault>,
    world: &mut World,
    wants: Wants,
) -> Result<Option<T>, Fault> {
    match found {
        Ok(found) => Ok(Some(found)),
        Err(fault) if wants.examine > Examining::Nothing => {
            world.examined.faults.push(fault);
            Ok(None)
        }
        Err(fault) => Err(fault),
    }
}

/// Looks at all that may be wrong.
pub(crate) fn examine(config: &Config, world: &mut World, wants: Wants, timeout: Duration) {
    if wants.examine == Examining::Nothing {
        return;
    }
    world.examined.room = files::room(&world.workspace);
    world.examined.heads = files::heads(config, &world.workspace.root);
    if let Some(found) = &world.engine {
        let context = engine::Context { config, workspace: &world.workspace, engine: found, timeout };
        world.examined.foreign_folder = files::foreign_folder(found, &world.workspace.root);
        engine::examine(&context, world.server.as_ref(), wants.examine, &mut world.examined);
    }
    if let (Some(server), true) = (&world.server, world.live().is_some()) {
        // Half an answer is worth having.
        let _ = server::look(server, timeout, &mut world.examined);
    }
    if wants.examine == Examining::Deep {
        world.examined.models = files::models(config, world, timeout);
    }
}
