//! The real world: finds out what is there, and performs actions on it. The only user of processes and connections.

pub mod interrupt;
mod program;

pub use program::{Program, Run, Spoken};
