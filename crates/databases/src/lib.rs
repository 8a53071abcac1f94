//! What the server holds: reset it, open it, take it back.

mod gc;
mod psql;
mod reset;
#[cfg(test)]
mod sample;
mod undo;

pub use psql::Psql;
pub use reset::Reset;
pub use undo::Undo;
