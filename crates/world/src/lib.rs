//! The real world: finds out what is there, and performs actions on it. The only user of processes and connections.

mod engine;
pub mod interrupt;
mod program;
mod records;

pub use program::{Program, Run, Spoken};
