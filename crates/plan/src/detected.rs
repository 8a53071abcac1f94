//! What the files of a workspace tell about its set-up, with the reason for each value. `slate-init --detect --json` prints
//! it as it is.

use std::collections::BTreeMap;

use serde::Serialize;

/// A set-up as found. What nothing tells is `None`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Detected {
    /// The compose project's name; without compose files the folder's.
    pub project: String,
    /// Relative to the workspace, in their order.
    pub compose_files: Vec<String>,
    /// The Postgres of the compose files.
    pub database: Option<FoundDatabase>,
    pub backend: Option<FoundBackend>,
    /// Services that use the database.
    pub dependents: Vec<String>,
    pub migrations: Option<FoundMigrations>,
    pub seeds: Option<FoundSeeds>,
    /// Dotted key of a value to what was seen that says so.
    pub because: BTreeMap<String, String>,
    /// Files that could not be used, and why.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub unread: Vec<String>,
    /// Traps in the project's own files, which are left as they are.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub noticed: Vec<String>,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct FoundDatabase {
    pub service: String,
    /// Of a service that is built here: what it is built from.
    pub image: Option<String>,
    pub major: Option<u32>,
    pub user: String,
    /// The application's database.
    pub name: String,
    pub container_port: u16,
    pub host_port: Option<u16>,
    pub volume: FoundVolume,
}

/// Where the data lies.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct FoundVolume {
    /// `named`, `bind`, `tmpfs`, `anonymous`, `external`.
    pub kind: &'static str,
    /// As the engine knows it.
    pub name: Option<String>,
    /// What is mounted; of an anonymous one the data directory.
    pub target: String,
}

/// The service that holds the application's code.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct FoundBackend {
    pub service: String,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct FoundMigrations {
    pub tool: String,
    pub dir: String,
    pub command: String,
    /// `host` or `service:NAME`.
    #[serde(rename = "in")]
    pub home: String,
    /// The service that applies them by itself when it starts.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub at_start: Option<String>,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct FoundSeeds {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dir: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub command: Option<String>,
}
