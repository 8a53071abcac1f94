//! What a capture wrote aside, against the files that are there.

use serde::{Deserialize, Serialize};

/// A capture that was loaded again and proved to give the same rows.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Captured {
    pub tables: u64,
    pub rows: u64,
    /// The masked columns that the files leave out or make up.
    pub masked: Vec<String>,
    pub changes: Vec<SeedChange>,
}

/// A file that would be written, written over or removed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SeedChange {
    /// Its name in the folder.
    pub file: String,
    /// Hash of what is there; `None` for a new file.
    pub before: Option<String>,
    /// Hash of what would be; `None` for one that goes.
    pub after: Option<String>,
    /// Bytes that would be.
    pub bytes: u64,
    /// The lines that differ, of a file that is there.
    pub difference: Vec<String>,
}
