//! The workspace itself: what is there, and what is stale.

mod init;
mod justfile;
mod status;
mod written;

pub use init::Init;
pub use status::Status;
