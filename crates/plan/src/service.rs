//! Services as the compose files describe them.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::{Address, Mount, Secret, ServiceName, VolumeName};

/// A service as the compose files describe it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Service {
    pub name: ServiceName,
    pub image: Option<String>,
    /// `up` starts it without being told its name: it has no profile, or one that is switched on.
    pub active: bool,
    pub depends: Vec<Dependency>,
    /// Its environment. Never printed: it holds passwords.
    #[serde(skip)]
    pub environment: BTreeMap<String, Secret>,
    /// Container port to the address it is published at.
    pub ports: BTreeMap<u16, Address>,
    /// Volumes by the name that the engine knows, anonymous ones by an empty one.
    pub mounts: Vec<Mount>,
    /// As the files give it, where they do: the image may bring one of its own.
    pub healthcheck: Option<Healthcheck>,
}

/// A service's own check, as the compose files describe it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Healthcheck {
    /// `["CMD", …]` or `["CMD-SHELL", …]`; empty where the image brings it.
    pub test: Vec<String>,
    /// Seconds between two runs of Docker's, and before the first one.
    pub interval: u64,
}

/// A service that another one needs first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Dependency {
    pub service: ServiceName,
    pub condition: Condition,
    /// Without it the dependent starts too, where no profile switches it on.
    pub required: bool,
}

/// What must be true of a service before another one starts: Compose's own conditions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Condition {
    Started,
    Healthy,
    /// It ended, with 0.
    Completed,
}

/// What Compose makes of its files, as a later run knows it again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Described {
    /// Hash of all that it printed, variables resolved.
    pub hash: String,
    /// Hash of the files that it read and of the variables that they name; `None` where only Compose knows them.
    pub inputs: Option<String>,
    /// Every named volume of the files, external ones too.
    pub volumes: Vec<VolumeName>,
}
