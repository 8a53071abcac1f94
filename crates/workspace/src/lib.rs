//! The workspace itself: what is there, what is stale, and what is wrong.

mod adopt;
mod devcontainer;
mod doctor;
mod ensure;
mod environment;
mod init;
mod justfile;
mod status;
mod written;

pub use doctor::Doctor;
pub use ensure::Ensure;
pub use init::Init;
pub use status::Status;
