//! What the files say a database should hold, and whether it does.

mod check;

pub use check::Check;
