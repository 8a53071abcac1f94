//! Compose files as Compose reads them, as far as that goes without Compose: found, merged, replaced, and told apart.

pub(crate) mod candidates;
mod load;
mod merge;
pub(crate) mod service;
pub(crate) mod stack;
