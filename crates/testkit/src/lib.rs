//! For tests only: a pseudo-terminal to look at, a sandbox with stub tools, programs run under a deadline.
//!
//! Every wait has a condition and a deadline; nothing sleeps and hopes. What fails panics with what was seen.

#![expect(clippy::expect_used, clippy::panic, reason = "a test kit fails by panicking, with what it saw")]

mod fake;
mod gate;
mod guest;
mod launch;
mod picture;
mod sandbox;
mod screen;
mod shop;
mod sources;

pub use fake::{Fake, Held, Trouble};
pub use gate::Gate;
pub use guest::Guest;
pub use launch::{Launch, Output, Stdin, binary, offline};
pub use picture::{THEMES, Theme};
pub use sandbox::{Call, Sandbox};
pub use screen::{Key, Screen};
pub use shop::{Shop, Told, program};
pub use sources::{Source, repository, sources};
