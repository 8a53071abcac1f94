//! The pipeline of every binary: config → discover → plan → confirm → execute → report. No stage calls back.

mod help;
mod pipeline;
mod shared;

use plan::{Config, Fault, Plan, Wants, World};

pub use pipeline::main;
pub use shared::{Color, Json, Shared};

/// What nothing tells, and a person may know.
#[derive(Debug, Clone)]
pub struct Unknown {
    pub question: String,
    /// Puts the answer to what was found.
    pub learn: fn(&mut World, String),
}

/// A command: its arguments, what it wants to know, and what it would do.
pub trait Command: clap::Parser {
    /// The binary.
    const NAME: &'static str;

    fn shared(&self) -> &Shared;

    /// What has to be found out before it can plan.
    fn wants(&self) -> Wants;

    /// Nobody is there: it asks no question, whatever the terminal looks like.
    fn is_hook(&self) -> bool {
        false
    }

    /// A failure is told, and the exit code is 0 all the same.
    fn forgives(&self) -> bool {
        false
    }

    /// What is asked before the plan is made, where somebody is there to answer. Pure.
    fn unknown(&self, _world: &World) -> Vec<Unknown> {
        Vec::new()
    }

    /// What has to be made beside everything that is there before it can be told what this command would do. It destroys
    /// nothing, asks nothing, and is taken back when the plan that follows is not agreed to. A command that holds no lock of
    /// its own makes it under the lock all the same, and leaves it: others use it by then.
    ///
    /// # Errors
    /// As [`Command::plan`].
    fn prepare(&self, _config: &Config, _world: &World) -> Result<Option<Plan>, Fault> {
        Ok(None)
    }

    /// What it would do. Pure.
    ///
    /// # Errors
    /// A guard refuses, or the arguments do not fit what was found.
    fn plan(&self, config: &Config, world: &World) -> Result<Plan, Fault>;
}
