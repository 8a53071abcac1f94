//! The workspace itself: what is there, what is stale, and what is wrong.

mod doctor;
mod status;

pub use doctor::Doctor;
pub use status::Status;
