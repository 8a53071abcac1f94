//! Settings about resets and what they keep.

use bytesize::ByteSize;
use serde::{Deserialize, Serialize};

use crate::{Exit, Fault, Home};

/// How many days a kept database or volume stays when nothing else is configured.
pub const UNDO_DAYS: u32 = 14;

/// Bytes of kept databases above which `slate-status` warns when nothing else is configured.
pub const UNDO_SIZE: u64 = 10_000_000_000;

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct UndoSettings {
    /// Days that a kept database or volume stays. Default: 14.
    pub days: Option<u32>,
    /// As in `10 GB`, the default: above it `slate-status` warns.
    pub max_size: Option<ByteSize>,
}

impl UndoSettings {
    /// Days after which a kept thing may go.
    #[must_use]
    pub fn days(&self) -> u32 {
        self.days.unwrap_or(UNDO_DAYS)
    }

    /// Bytes that all kept databases together may take.
    ///
    /// ```
    /// assert_eq!(plan::UndoSettings::default().bytes(), plan::UNDO_SIZE);
    /// ```
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.max_size.map_or(UNDO_SIZE, |size| size.as_u64())
    }
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ModelSettings {
    /// The folder of the model files, relative to the workspace: what a forgotten migration is noticed by.
    pub dir: Option<String>,
    /// The words that create what the models describe in the database whose address they are given, for `slate-check`.
    /// Default: for alembic, through its own env.py.
    pub command: Option<String>,
    /// As `migrations.in`. Default: the same place.
    #[serde(rename = "in")]
    pub home: Option<String>,
    /// As `migrations.variable`. Default: the same one.
    pub variable: Option<String>,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct RebuildSettings {
    /// The tables whose rows a rebuild keeps; the others begin with the seeds. Default: every row of every table.
    pub keep: Vec<String>,
    /// What is called otherwise by now: `"users.mail" = "users.email"`, `"people" = "users"`.
    pub rename: std::collections::BTreeMap<String, String>,
}

/// A command of the user's around a reset.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Hook {
    /// Words for a shell.
    pub command: String,
    /// `host`, or `service:NAME` for a command that runs inside that service's container. Default: host.
    #[serde(rename = "in", default, skip_serializing_if = "Option::is_none")]
    pub home: Option<String>,
}

impl Hook {
    /// # Errors
    /// An `in` that is neither `host` nor `service:NAME`.
    ///
    /// ```
    /// use plan::{Home, Hook};
    /// let hook = Hook { command: "redis-cli flushall".into(), home: Some("service:redis".into()) };
    /// assert_eq!(hook.home().unwrap(), Home::Service("redis".into()));
    /// ```
    pub fn home(&self) -> Result<Home, Fault> {
        if self.command.trim().is_empty() {
            return Err(Fault::new(Exit::Usage, "a hook has no command").state("nothing was changed"));
        }
        Home::read(self.home.as_deref(), "`in` of a hook")
    }
}
