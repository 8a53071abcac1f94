//! What the files say a database should hold, and whether it does.

mod check;
mod migrate;

pub use check::Check;
pub use migrate::Migrate;
