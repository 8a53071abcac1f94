//! What a command has to know before it can plan: nothing else is looked for.

use crate::{Examining, Holding};

/// What a command wants to know before it plans. Less is quicker.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "each is a thing of its own to want")]
pub struct Wants {
    pub engine: EngineFacts,
    /// The server, its databases and who is connected.
    pub databases: bool,
    pub contents: Reading,
    /// The migration and seed files.
    pub blueprint: bool,
    /// Bytes and last write of every volume, and the free space beside them.
    pub sizes: bool,
    /// Hold the workspace while planning and executing, so that a second run waits.
    pub lock: bool,
    /// A server that is not running is an error.
    pub running: bool,
    /// What keeps us from looking is a fact like others.
    pub examine: Examining,
    /// Only addresses that somebody gave: neither server nor engine of the workspace is looked for.
    pub elsewhere: bool,
    /// `engine` and `sizes` only where a clean kept something; else what the server's address needs.
    pub where_copies_are: bool,
    /// The last runs, from the journal.
    pub journal: bool,
    /// What a first copy of rows came to, in the database that is being built.
    pub carried: bool,
    /// What a capture of seeds wrote aside; the blueprint is what it would be with them.
    pub captured: bool,
    /// What the workspace's files tell about its set-up.
    pub detection: bool,
    /// The files that `slate-init` writes, and what `just` says of them.
    pub files: bool,
    /// The branches of the repository that the workspace is in.
    pub git: bool,
    /// The process that is to hold a lease.
    pub holding: Option<Holding>,
    /// How large every fork and every leased database is.
    pub forks: bool,
    /// Which migrations the live database was built with.
    pub revisions: bool,
    /// What an earlier step of this run wrote and put into no folder yet.
    pub draft: bool,
}

/// How much of the engine a command needs. A `local` server has none, whatever is wanted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum EngineFacts {
    /// No server at all: only the workspace's own files.
    Nothing,
    /// Containers only where the server's address needs them.
    #[default]
    Server,
    /// The project's containers, volumes and networks.
    Project,
    /// And what the compose files say, through Compose itself.
    Files,
    /// And which containers Compose would leave as they are.
    Made,
}

/// Whose rows are counted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Reading {
    /// No database is connected to, the workspace's own neither.
    Names,
    #[default]
    Nothing,
    /// The workspace's own database: tables and rows.
    Rows,
    /// And when it was last written, which costs a CHECKPOINT.
    Live,
    /// Every database of the server.
    All,
}
