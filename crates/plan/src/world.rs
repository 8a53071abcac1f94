//! What was found: the workspace, its server and databases, its containers and volumes. Facts only, no judgement.

use std::collections::BTreeMap;
use std::path::PathBuf;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::carry::Carried;
use crate::{
    Address, Captured, ContainerName, Contents, DatabaseName, Described, Detected, Draft, Examined, Files,
    Git, Kind, Label, LabelKind, Marker, Outside, Revisions, RoleName, Secret, Service, ServiceName,
    Surroundings, VolumeName,
};

/// All facts that a planner may use. What a command did not ask for is `None` or empty.
#[derive(Debug, Clone, Serialize)]
pub struct World {
    pub now: Timestamp,
    pub workspace: Workspace,
    pub surroundings: Surroundings,
    pub detected: Option<Detected>,
    pub files: Option<Files>,
    pub blueprint: Option<Blueprint>,
    pub server: Option<Server>,
    pub engine: Option<Engine>,
    /// What earlier cleans kept, newest last.
    pub kept: Vec<Kept>,
    /// The highest number that anything was ever kept under, also when it is gone; 0 at first.
    pub last_kept: u32,
    /// The last runs, oldest first.
    pub journal: Vec<Logged>,
    /// Things half done by an earlier run that this workspace's files tell of, in words.
    pub unfinished: Vec<String>,
    pub examined: Examined,
    /// The database that is being built with the live one's rows in it, and what came of them.
    pub carried: Option<(DatabaseName, Carried)>,
    /// What a capture of seeds wrote aside, proved.
    pub captured: Option<Captured>,
    pub git: Option<Git>,
    /// The migration files, and what is released of them, where the blueprint was wanted.
    pub revisions: Option<Revisions>,
    pub draft: Option<Draft>,
}

/// A run of ours, from the journal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Logged {
    pub at: Timestamp,
    /// The command line.
    pub command: String,
    /// The database or project.
    pub subject: String,
    pub by: String,
    /// What came of its steps, in words.
    pub done: Vec<String>,
    /// `None` when it was killed.
    pub end: Option<String>,
}

/// The project's root folder.
#[derive(Debug, Clone, Serialize)]
pub struct Workspace {
    pub root: PathBuf,
    /// Survives `git clean -fdx` and a moved folder.
    pub id: String,
    /// Where our own files about it are: journal, cluster, copies. Outside the work tree.
    pub state: PathBuf,
    /// No reset was done here yet.
    pub first: bool,
    /// How a person calls us: `just db ` in front of a recipe's name, or `slate-` in front of a binary's.
    pub called: String,
    /// Recipes of ours at the top of the justfile, beside the module; all the daily ones where none is named.
    pub on_top: Vec<String>,
}

impl Workspace {
    /// A command of ours as the person who reads it would type it. Recipes that concern the services stand at the top of
    /// the justfile, those about the database in its module.
    #[must_use]
    pub fn command(&self, verb: &str) -> String {
        let verb_alone = verb.split(' ').next().unwrap_or_default();
        // The workspace's daily recipes stand beside the module, where their names were free.
        let daily = ["up", "down", "clean", "restart"].contains(&verb_alone)
            && (self.on_top.is_empty() || self.on_top.iter().any(|name| name == verb_alone));
        match self.called.strip_suffix("db ").or_else(|| self.called.strip_suffix("db-")) {
            Some(called) if daily => format!("{called}{verb}"),
            _ => format!("{}{verb}", self.called),
        }
    }
}

/// What a fresh database holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Blueprint {
    /// Hash of the migrations, the seeds and the tool.
    pub hash: String,
    /// The same without the seeds.
    pub bare: String,
    /// Hash of the seed files alone; `None` without seeds.
    pub seeds: Option<String>,
    /// Hash of the model files; `None` when none are configured.
    pub models: Option<String>,
    /// File names in the order in which they apply.
    pub migrations: Vec<String>,
    pub seed_files: Vec<String>,
}

/// A Postgres server.
#[derive(Debug, Clone, Serialize)]
pub struct Server {
    pub kind: Kind,
    pub state: ServerState,
    /// Where it answers, or would answer.
    pub address: Option<Address>,
    pub user: RoleName,
    #[serde(skip)]
    pub password: Secret,
    /// The workspace's own database: the name that is configured or found.
    pub name: DatabaseName,
    /// The database for commands about databases, where locks are taken: never the workspace's own.
    pub maintenance: DatabaseName,
    /// `pg_control_system()`; empty when it is not running.
    pub system_identifier: String,
    /// As the server tells it: `17.2`. Empty when it is not running.
    pub version: String,
    /// It only reads: a standby, or one that is still recovering.
    pub standby: bool,
    /// What is particular to an external one.
    pub outside: Outside,
    /// Every database that is not a template, when it is running.
    pub databases: Vec<Database>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum ServerState {
    Running,
    Stopped,
    /// Not made yet.
    Absent,
}

/// A database on the server.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Database {
    pub name: DatabaseName,
    pub oid: u32,
    pub owner: RoleName,
    pub bytes: u64,
    /// `datallowconn`.
    pub open: bool,
    /// `datconnlimit` −2: a DROP was interrupted, and nothing in it can be trusted.
    pub broken: bool,
    pub comment: Option<String>,
    pub label: Option<Label>,
    /// `None` when it was not connected to.
    pub marker: Option<Marker>,
    pub contents: Option<Contents>,
    pub sessions: Vec<Session>,
    /// Prepared transactions, which block DROP and RENAME.
    pub prepared: u64,
    /// Logical replication slots, active or not: a DROP destroys the inactive ones without a word.
    pub slots: Vec<String>,
    /// Those of them that somebody reads right now, which blocks a RENAME too.
    pub active_slots: Vec<String>,
    /// Its collation's version is not the one that the server has now: Postgres does not clone it.
    pub stale_collation: bool,
    /// Subscriptions, which block DROP.
    pub subscriptions: u64,
    /// The git branch that it was last switched to; `None` before the first switch.
    pub branch: Option<String>,
}

/// Somebody connected to a database.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Session {
    pub pid: i32,
    pub user: String,
    pub application: String,
    /// Empty over a socket.
    pub client: String,
    /// The compose service it comes from, where its address tells.
    pub service: Option<ServiceName>,
    /// Seconds that its transaction is open.
    pub transaction: Option<u64>,
}

impl Session {
    /// What a person would call it.
    ///
    /// ```
    /// # use plan::*;
    /// let session = Session { pid: 4, user: "app".into(), application: "DBeaver 24.1".into(), client: String::new(),
    ///     service: None, transaction: None };
    /// assert_eq!(session.who(), "DBeaver 24.1");
    /// ```
    #[must_use]
    pub fn who(&self) -> String {
        match (&self.service, self.application.is_empty()) {
            (Some(service), _) => service.to_string(),
            (None, false) => self.application.clone(),
            (None, true) if self.client.is_empty() => format!("{} (pid {})", self.user, self.pid),
            (None, true) => format!("{} at {}", self.user, self.client),
        }
    }
}

/// A container engine, and what it holds that concerns this workspace.
#[derive(Debug, Clone, Serialize)]
pub struct Engine {
    pub compose: Compose,
    /// Every container that carries the project's name, ours or not, and every one that mounts a volume of it.
    pub containers: Vec<Container>,
    /// Every volume that carries the project's label, or that one of `containers` mounts, or that the compose files
    /// name.
    pub volumes: Vec<Volume>,
    pub networks: Vec<Network>,
    /// A local image with a shell that can copy a volume.
    pub copier: Option<String>,
    /// Bytes free where the engine keeps its volumes; `None` when it was not asked.
    pub free: Option<u64>,
    /// What Compose makes of its files; `None` when they were not read.
    pub described: Option<Described>,
    /// Services whose containers our last `up` had Compose make from the same description and the same images: Compose
    /// would make none of them anew.
    pub made: Vec<ServiceName>,
}

/// The compose project as it is configured.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Compose {
    /// `["docker", "compose"]` or `["docker-compose"]`.
    pub program: Vec<String>,
    pub version: String,
    pub project: String,
    /// Absolute paths, links resolved.
    pub files: Vec<PathBuf>,
    /// The folder Compose works in: the first file's.
    pub folder: PathBuf,
    /// The services that the files describe; empty when they were not read.
    pub services: Vec<Service>,
    /// The service that runs Postgres.
    pub database: Option<ServiceName>,
    /// Volume names marked external in the files.
    pub external: Vec<VolumeName>,
    /// Some secret or config has no file: Compose writes it into the container when it starts it.
    pub injects: bool,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Container {
    pub id: String,
    pub name: ContainerName,
    pub service: Option<ServiceName>,
    pub project: Option<String>,
    pub working_dir: Option<PathBuf>,
    /// As labelled: absolute from v2, relative to `working_dir` from v1.
    pub config_files: Vec<PathBuf>,
    /// The Compose that made it: `2.26.1`.
    pub compose_version: Option<String>,
    /// Made by `compose run`.
    pub one_off: bool,
    pub image: String,
    pub running: bool,
    pub health: Health,
    pub exit_code: i64,
    pub mounts: Vec<Mount>,
    /// Container port to the address it is published at.
    pub ports: BTreeMap<u16, Address>,
    /// Its addresses on its networks.
    pub addresses: Vec<String>,
    /// Its environment. Never printed: it holds passwords.
    #[serde(skip)]
    pub environment: BTreeMap<String, Secret>,
    /// Its healthcheck as a command: `["CMD", …]` or `["CMD-SHELL", …]`.
    pub healthcheck: Vec<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Health {
    None,
    Starting,
    Healthy,
    Unhealthy,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mount {
    pub kind: MountKind,
    /// A volume's name or a host path; empty for tmpfs.
    pub source: String,
    pub target: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum MountKind {
    Volume,
    Bind,
    Tmpfs,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Volume {
    pub name: VolumeName,
    /// Tells this volume from a later one of the same name: when it was made, or its inode with an engine older than
    /// 23, which tells the time of the last change there instead.
    pub created: String,
    pub labels: BTreeMap<String, String>,
    pub driver: String,
    /// Bytes; `None` when it was not measured.
    pub bytes: Option<u64>,
    pub last_write: Option<Timestamp>,
    /// Our own `up` recorded making it: same name, same creation time.
    pub recorded: bool,
    /// What an interrupted undo left of it: it holds nothing that is not in its copy.
    pub half: bool,
    /// The engine named it, nobody else did.
    pub anonymous: bool,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Network {
    pub name: String,
    pub id: String,
    pub labels: BTreeMap<String, String>,
    /// Names of the containers in it, running or not, that are none of the project's.
    pub strangers: Vec<String>,
}

/// A volume or cluster that a clean kept before it removed the original.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Kept {
    pub n: u32,
    pub at: Timestamp,
    pub bytes: u64,
    pub place: KeptPlace,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum KeptPlace {
    /// The copy, the volume it was made from, and that volume's labels.
    Volume { copy: VolumeName, of: VolumeName, labels: BTreeMap<String, String> },
    /// The folder the private cluster was moved to.
    Cluster { folder: PathBuf },
}

impl World {
    /// The workspace's own database, when it is there.
    #[must_use]
    pub fn live(&self) -> Option<&Database> {
        self.server.as_ref()?.databases.iter().find(|database| Some(&database.name) == self.name())
    }

    /// This workspace's own databases beside the live one: what carries its label, by kind.
    pub fn beside(&self, kind: LabelKind) -> impl Iterator<Item = (&Database, &Label)> {
        let databases = self.server.iter().flat_map(|server| &server.databases);
        databases.filter_map(move |database| {
            let label = database.label.as_ref()?;
            let ours = label.workspace == self.workspace.id && Some(&label.of) == self.name();
            (ours && label.kind == kind && !database.broken).then_some((database, label))
        })
    }

    /// As [`Self::beside`], what holds rows that somebody may want again: kept, parked and saved ones, and forks.
    pub fn put_by(&self) -> impl Iterator<Item = (&Database, &Label)> {
        LabelKind::PUT_BY.into_iter().flat_map(|kind| self.beside(kind))
    }

    /// The name of the workspace's own database.
    #[must_use]
    pub fn name(&self) -> Option<&DatabaseName> {
        self.server.as_ref().map(|server| &server.name)
    }

    /// The number for the next kept thing: never one that was used before.
    #[must_use]
    pub fn next_kept(&self) -> u32 {
        let databases = self.server.iter().flat_map(|server| &server.databases);
        let numbers =
            databases.filter_map(|database| database.label.as_ref()?.kept.as_ref()).map(|kept| kept.n);
        self.kept.iter().map(|kept| kept.n).chain(numbers).fold(self.last_kept, u32::max) + 1
    }
}
