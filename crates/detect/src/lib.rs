//! Judges a work tree: its Postgres, its backend, its migrations, and why. Pure: somebody else walks the tree, and reads
//! what is asked for.

mod app;
mod compose;
mod judge;
mod login;
mod migrations;
mod models;
mod postgres;
mod scripts;
mod seeds;
mod tree;
mod variables;
mod yaml;

pub use judge::detect;
pub use login::{Login, login};
pub use postgres::is_postgres;
pub use tree::Tree;
