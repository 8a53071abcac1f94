//! What changed in a database since it was built, as far as that can be proved.

use serde::Serialize;

use crate::words;

/// How many changed tables are named before the rest is only counted.
const NAMED: usize = 6;

/// A database now against how it was when it was marked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "since", rename_all = "kebab-case")]
pub enum Since {
    /// Proved: no row, no sequence, no definition, no setting is another.
    Unchanged,
    Changed {
        tables: Vec<TableChange>,
        /// What else is another: `sequences`, `definitions`, `large objects`, `settings`.
        beside: Vec<String>,
    },
    /// It can't be told, and so counts as changed.
    Unknown { why: String },
}

/// Rows of one table since then, those of undone transactions included.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct TableChange {
    pub table: String,
    pub inserted: u64,
    pub updated: u64,
    pub deleted: u64,
}

impl Default for Since {
    fn default() -> Self {
        Self::Unknown { why: "it was not compared".to_owned() }
    }
}

impl Since {
    /// In one line.
    ///
    /// ```
    /// use plan::{Since, TableChange};
    /// let users = TableChange { table: "users".into(), inserted: 1, updated: 2, deleted: 0 };
    /// let since = Since::Changed { tables: vec![users], beside: vec!["sequences".into()] };
    /// assert_eq!(since.line(), "users +1 row, 2 changed; sequences; the rest is as seeded");
    /// assert_eq!(Since::Unchanged.line(), "nothing changed since it was built");
    /// ```
    #[must_use]
    pub fn line(&self) -> String {
        match self {
            Self::Unchanged => "nothing changed since it was built".to_owned(),
            Self::Unknown { why } => format!("not known: {why}"),
            Self::Changed { tables, beside } => {
                let named = tables.iter().take(NAMED).map(TableChange::words).collect::<Vec<_>>().join("; ");
                let more = tables.len().saturating_sub(NAMED) as u64;
                let more = (more > 0).then(|| format!("{} more", words::count(more, "table")));
                let named = Some(named).filter(|named| !named.is_empty());
                let told: Vec<String> = named.into_iter().chain(more).chain(beside.iter().cloned()).collect();
                format!("{}; the rest is as seeded", told.join("; "))
            }
        }
    }
}

impl TableChange {
    fn words(&self) -> String {
        let signed =
            |sign: &str, rows: u64| (rows > 0).then(|| format!("{sign}{}", words::count(rows, "row")));
        let changed = (self.updated > 0).then(|| format!("{} changed", words::thousands(self.updated)));
        let parts = [signed("+", self.inserted), signed("-", self.deleted), changed];
        format!("{} {}", self.table, parts.into_iter().flatten().collect::<Vec<_>>().join(", "))
    }
}
