//! Who made a database: the marker inside it, and the label on it.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::DatabaseName;

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
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum LabelKind {
    /// Being built: holds nothing of anybody's.
    Building,
    /// Built, and about to take the live name.
    Next,
    /// What a reset replaced.
    Kept,
    /// The maintenance database, where the app's own is called `postgres`.
    Maintenance,
}

const SIGN: &str = "cleanslate ";

impl Label {
    /// As the text of a COMMENT.
    ///
    /// ```
    /// # use plan::*;
    /// let label = Label { workspace: "w".into(), kind: LabelKind::Next, of: DatabaseName::new("shop").unwrap(),
    ///     at: jiff::Timestamp::UNIX_EPOCH, comment: None };
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
