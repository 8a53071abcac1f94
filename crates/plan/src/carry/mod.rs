//! Rows that go from one database into another one of the same project, whose tables may be others by now: what fits,
//! what does not, and why. Pure; `world` reads the two shapes, copies, and writes down what came of it.

mod fit;
mod near;
mod shape;

use serde::{Deserialize, Serialize};

use crate::words;

pub use fit::{Fit, Pair, fits};
pub use shape::{Column, Shape, Table, TableName};

/// Which rows are carried, and what is called otherwise by now.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rules {
    /// Tables, by their names in the old database; empty for all.
    pub keep: Vec<String>,
    /// From the old name to the new one, of a table or of `table.column`.
    pub rename: std::collections::BTreeMap<String, String>,
}

/// When rows are copied.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Stage {
    /// All of them, out of one snapshot, while the old database serves on.
    First,
    /// What was written since; the sessions stay for the last time.
    Again,
    /// What was written since, now that nobody else is connected. Then no session of ours is left.
    Last,
}

/// What a first copy came to, table by table.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Carried {
    pub tables: Vec<Told>,
}

/// What became of one table of the old database.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Told {
    pub table: TableName,
    /// Its name in the new database, where it has one.
    pub to: Option<TableName>,
    /// `None` where they could not be counted.
    pub rows: Option<u64>,
    pub fate: Fate,
    /// What a person should know of it: renamed and left columns, values that changed, rows of the migrations.
    pub notes: Vec<String>,
}

/// Where a table's rows are now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Fate {
    /// In the new database, all of them.
    Carried,
    /// Nobody wanted them: they are not among those to keep.
    Unwanted,
    /// In the old database alone, and why.
    Left(String),
}

impl Carried {
    /// Tables with rows that are in the new database, as a person reads them: `users 1 · orders 31`.
    ///
    /// ```
    /// use plan::carry::{Carried, Fate, TableName, Told};
    /// let told = |name: &str, rows, fate| Told {
    ///     table: TableName::new("public", name), to: None, rows: Some(rows), fate, notes: Vec::new() };
    /// let carried = Carried { tables: vec![told("users", 1, Fate::Carried), told("tags", 0, Fate::Carried),
    ///     told("old", 5, Fate::Left("there is no such table any more".into()))] };
    /// assert_eq!(carried.kept(), "users 1");
    /// assert_eq!(carried.left(), ["old 5: there is no such table any more"]);
    /// ```
    #[must_use]
    pub fn kept(&self) -> String {
        let kept = self.tables.iter().filter(|told| told.fate == Fate::Carried);
        brief(kept.filter(|told| told.holds_rows()))
    }

    /// Tables whose rows nobody asked to keep, likewise.
    #[must_use]
    pub fn unwanted(&self) -> String {
        let unwanted = self.tables.iter().filter(|told| told.fate == Fate::Unwanted);
        brief(unwanted.filter(|told| told.holds_rows()))
    }

    /// Tables whose rows stay behind against anybody's wish, each with the reason.
    #[must_use]
    pub fn left(&self) -> Vec<String> {
        let left = self.tables.iter().filter(|told| told.holds_rows()).filter_map(|told| match &told.fate {
            Fate::Left(why) => Some(format!("{}: {why}", told.brief())),
            _ => None,
        });
        left.collect()
    }

    /// What else there is to know, with the table it is about.
    #[must_use]
    pub fn notes(&self) -> Vec<String> {
        let of = |told: &Told| -> Vec<String> {
            told.notes.iter().map(|note| format!("{}: {note}", told.table)).collect()
        };
        self.tables.iter().filter(|told| told.fate == Fate::Carried).flat_map(of).collect()
    }

    /// Rows that are in the new database.
    #[must_use]
    pub fn rows(&self) -> u64 {
        self.tables.iter().filter(|told| told.fate == Fate::Carried).filter_map(|told| told.rows).sum()
    }
}

impl Told {
    /// What could not be counted counts as worth keeping.
    fn holds_rows(&self) -> bool {
        self.rows != Some(0)
    }

    fn brief(&self) -> String {
        match self.rows {
            Some(rows) => format!("{} {}", self.table, words::thousands(rows)),
            None => self.table.to_string(),
        }
    }
}

fn brief<'a>(tables: impl Iterator<Item = &'a Told>) -> String {
    tables.map(Told::brief).collect::<Vec<_>>().join(" · ")
}
