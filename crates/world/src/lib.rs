//! The real world: finds out what is there, and performs actions on it. The only user of processes and connections.

mod blueprint;
mod build;
mod carry;
mod catalog;
mod cluster;
mod databases;
mod discover;
mod dump;
mod engine;
mod examine;
mod files;
mod git;
mod here;
mod holder;
mod inside;
pub mod interrupt;
mod journal;
mod machine;
mod migrate;
mod models;
mod postgres;
mod program;
mod programs;
mod psql;
mod records;
mod revisions;
mod stale;
pub mod surroundings;
mod swap;
mod tree;
mod workspace;

pub use discover::{Found, Options, discover};
pub use journal::Journal;
pub use machine::Real;
pub use program::{Program, Run, Spoken};
pub use workspace::Held;
