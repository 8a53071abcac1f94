//! The tables of a database as far as rows that come or go are concerned.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::name::identifier;

/// A table in its schema.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct TableName {
    pub schema: String,
    pub name: String,
}

impl TableName {
    pub fn new(schema: impl Into<String>, name: impl Into<String>) -> Self {
        Self { schema: schema.into(), name: name.into() }
    }

    /// As SQL reads it.
    ///
    /// ```
    /// use plan::carry::TableName;
    /// assert_eq!(TableName::new("public", "we\"ird").quoted(), r#""public"."we""ird""#);
    /// ```
    #[must_use]
    pub fn quoted(&self) -> String {
        format!("{}.{}", identifier(&self.schema), identifier(&self.name))
    }

    /// Whether somebody who wrote this meant it; `public` goes without saying.
    pub(super) fn is_called(&self, name: &str) -> bool {
        name == self.to_string() || name.split_once('.') == Some((&self.schema, &self.name))
    }
}

/// As a person reads it: `public` goes without saying.
impl fmt::Display for TableName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.schema == "public" {
            f.write_str(&self.name)
        } else {
            write!(f, "{}.{}", self.schema, self.name)
        }
    }
}

/// What a database's catalog says of its tables.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Shape {
    pub tables: Vec<Table>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Table {
    #[serde(flatten)]
    pub name: TableName,
    /// It holds no row itself, its partitions do.
    pub partitioned: bool,
    /// The table at the root, of a partition.
    pub root: Option<TableName>,
    pub columns: Vec<Column>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[expect(clippy::struct_excessive_bools, reason = "each is one thing that a column is or is not")]
pub struct Column {
    pub name: String,
    /// With its length or precision: `character varying(20)`.
    #[serde(rename = "type")]
    pub kind: String,
    /// Without.
    pub base: String,
    /// Of a type that every Postgres has.
    pub builtin: bool,
    /// One of the types that hold text.
    pub text: bool,
    pub not_null: bool,
    /// It gets a value where none is given.
    pub default: bool,
    /// That value is made up each time: by a sequence, a clock, at random.
    pub made_up: bool,
    /// Computed from other columns.
    pub generated: bool,
    /// Of an enum, its labels.
    pub labels: Option<Vec<String>>,
}

impl Column {
    /// As an SQL identifier.
    #[must_use]
    pub fn quoted(&self) -> String {
        identifier(&self.name)
    }

    /// A row without a value for it is refused.
    pub(super) fn is_demanding(&self) -> bool {
        self.not_null && !self.default && !self.generated
    }
}

impl Shape {
    /// Tables that rows are read from and written to: a partition's go through its root.
    pub(super) fn whole(&self) -> impl Iterator<Item = &Table> {
        self.tables.iter().filter(|table| table.root.is_none())
    }

    #[must_use]
    pub fn table(&self, name: &TableName) -> Option<&Table> {
        self.tables.iter().find(|table| table.name == *name)
    }
}
