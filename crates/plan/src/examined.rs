//! Facts that only a thorough examination asks about. Facts only, no judgement.

use std::path::PathBuf;

use serde::Serialize;

use crate::{Fault, ServiceName};

/// How thoroughly to look at what may be wrong.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Examining {
    #[default]
    Nothing,
    /// What can be seen.
    Seen,
    /// And what the project's own tools say when they are started.
    Deep,
}

/// What an examination saw. Empty where nobody asked for one.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Examined {
    /// What kept us from looking further: no engine, no Compose, a server that does not let us in.
    pub faults: Vec<Fault>,
    /// Major version of the data that the database's container mounts.
    pub data_major: Option<u32>,
    /// Ports that services which do not run want, and somebody else has.
    pub taken: Vec<TakenPort>,
    pub room: Vec<Room>,
    /// Whether the workspace's database holds no table of the user's.
    pub empty: Option<bool>,
    pub lagging: Vec<Lagging>,
    pub blocking: Vec<Blocking>,
    /// Revisions that no other one follows, of a tool that wants one only.
    pub heads: Vec<String>,
    /// A data folder of the host whose owner is not the workspace's, with the owner's number.
    pub foreign_folder: Option<(PathBuf, u32)>,
    /// The compose project that a dev container of this workspace runs in.
    pub dev_project: Option<String>,
    /// What the project's own tool says of models that no migration describes.
    pub models: Option<String>,
}

/// A port that is published by a service, and held by somebody else.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct TakenPort {
    pub service: ServiceName,
    pub port: u16,
    pub holder: String,
}

/// Free room of a file system.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Room {
    /// What is kept there.
    pub what: &'static str,
    pub folder: PathBuf,
    pub free: u64,
}

/// A sequence whose next value its column holds already.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Lagging {
    /// `public.users.id`, quoted for SQL.
    pub column: String,
    pub table: String,
    pub sequence: String,
    pub next: i64,
    pub highest: i64,
}

/// A session that others wait for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Blocking {
    pub pid: i32,
    pub who: String,
    pub state: String,
    pub waiting: u64,
    /// Seconds that the longest of them waits.
    pub seconds: u64,
}
