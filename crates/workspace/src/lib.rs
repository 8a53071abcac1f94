//! The workspace itself: what is there, and what is stale.

mod init;
mod status;

pub use init::Init;
pub use status::Status;
