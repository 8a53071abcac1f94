//! What the files say a database should hold, and whether it does.

mod capture;
mod check;
mod migrate;
mod seed;

pub use check::Check;
pub use migrate::Migrate;
pub use seed::Seed;
