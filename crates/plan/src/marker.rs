//! Who made a database: the marker inside it, and the label on it.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{DatabaseName, Lease, Rows};

/// A row in `cleanslate.marker` inside a database: whose it is and what it was built from. In a table, since cloning
/// a database drops its comment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Marker {
    pub workspace: String,
    /// `pg_control_system()`: a dump restored into another server does not prove itself there.
    pub system_identifier: String,
    pub origin: Origin,
    /// Hash of what it was built from; `None` for an adopted one.
    pub blueprint: Option<String>,
    /// Hash of the seed files loaded into it, when some were.
    pub seeds: Option<String>,
    pub at: Timestamp,
    /// Of the catalog and the rows that the migrations alone gave: the same after a mere reformatting.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fingerprint: Option<String>,
    /// Hash of the model files when it was built.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub models: Option<String>,
    /// Whether Postgres' counters were noted with it, so that changes since then can be told.
    #[serde(default)]
    pub counted: bool,
    /// Rows in it when it was built.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rows: Option<u64>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Origin {
    /// We made it.
    Built,
    /// It was there: every row is the user's.
    Adopted,
}

/// The comment on a database that we made beside the user's own; readable without connecting to it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Label {
    pub workspace: String,
    pub kind: LabelKind,
    /// The database it was made for, or that it was.
    pub of: DatabaseName,
    pub at: Timestamp,
    /// The comment that the database under the live name has or had, to be put back with the name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub comment: Option<String>,
    /// Of what it was built, where we built it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub built: Option<Built>,
    /// As what it is kept.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kept: Option<KeptAs>,
    /// What a person calls it: a saved one by the snapshot's name, a parked one by its branch, a fork by its own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The Postgres that a snapshot was saved under.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// For how long a leased one is somebody's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lease: Option<Lease>,
}

/// What a template, a spare or a kept database was built from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Built {
    pub blueprint: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fingerprint: Option<String>,
    #[serde(default)]
    pub bytes: u64,
}

/// A kept database as a list shows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeptAs {
    /// Never given twice.
    pub n: u32,
    pub bytes: u64,
    /// `None` when it could not be read.
    pub rows: Option<Rows>,
    /// The command that replaced or saved it: `reset`.
    pub by: String,
    /// Why it stays, in words: `users +1 row`. `None` until that was looked at with every session ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum LabelKind {
    /// Being built: holds nothing of anybody's.
    Building,
    /// Complete, closed to connections, to be cloned and never used itself.
    Template,
    /// A clone of a template, closed to connections, for the next reset.
    Spare,
    /// What a reset replaced.
    Kept,
    /// Another branch's, until that is switched to.
    Parked,
    /// A copy that somebody gave a name, closed to connections.
    Saved,
    /// A clone of a template that somebody gave a name: holds what they put into it.
    Forked,
    /// A clone of a template that one test uses, for as long as its lease holds.
    Leased,
    /// The maintenance database, where the app's own is called `postgres`.
    Maintenance,
}

impl LabelKind {
    /// What holds rows that somebody may want again.
    pub const PUT_BY: [Self; 4] = [Self::Kept, Self::Parked, Self::Saved, Self::Forked];
}

const SIGN: &str = "cleanslate ";

impl Label {
    /// A label that says no more than what it must.
    #[must_use]
    pub fn new(workspace: &str, kind: LabelKind, of: &DatabaseName, at: Timestamp) -> Self {
        let workspace = workspace.to_owned();
        let of = of.clone();
        let (comment, built, kept) = (None, None, None);
        Self { workspace, kind, of, at, comment, built, kept, name: None, version: None, lease: None }
    }

    /// The hash of what it was built from.
    #[must_use]
    pub fn blueprint(&self) -> Option<&str> {
        self.built.as_ref().map(|built| built.blueprint.as_str())
    }

    /// As the text of a COMMENT.
    ///
    /// ```
    /// # use plan::*;
    /// let shop = DatabaseName::new("shop").unwrap();
    /// let label = Label::new("w", LabelKind::Building, &shop, jiff::Timestamp::UNIX_EPOCH);
    /// assert_eq!(Label::read(&label.text()), Some(label));
    /// assert_eq!(Label::read("our shop"), None);
    /// ```
    #[must_use]
    pub fn text(&self) -> String {
        format!("{SIGN}{}", serde_json::to_string(self).unwrap_or_default())
    }

    /// The label that a comment holds, if it is one of ours.
    #[must_use]
    pub fn read(comment: &str) -> Option<Self> {
        serde_json::from_str(comment.strip_prefix(SIGN)?).ok()
    }
}
