//! What the server holds: reset it, open it, take it back.

mod around;
mod copies;
mod fork;
mod gc;
mod kept;
mod leases;
mod next;
mod psql;
mod rebuild;
mod replace;
mod reset;
#[cfg(test)]
mod sample;
mod snapshot;
mod switch;
mod tidy;
mod undo;

pub use fork::Fork;
pub use psql::Psql;
pub use rebuild::Rebuild;
pub use reset::Reset;
pub use snapshot::Snapshot;
pub use switch::Switch;
pub use undo::Undo;
