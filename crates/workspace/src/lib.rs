//! The workspace itself: what is there, and what is stale.

mod status;

pub use status::Status;
