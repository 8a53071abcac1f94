//! The binaries on a real engine, with projects of random names beside things of others.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test fails by panicking")]

mod bad_input;
mod cycle;
mod detection;
mod doctor;
mod gone;
mod trial;
mod waves;
mod whose;
