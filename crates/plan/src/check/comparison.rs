//! What a check compares, and how it tells what it found.

use serde::Serialize;

use super::finding::{Finding, Side};
use super::written::{annotations, script, table};
use crate::{DatabaseName, Secret};

/// The file of accepted differences, at the workspace's root.
pub const ACCEPTED: &str = "cleanslate-accepted.toml";

/// A comparison to be made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Comparison {
    pub sides: Vec<(Side, Place)>,
    pub form: Form,
    /// Differences are no reason to exit with 10.
    pub lenient: bool,
}

/// Where a side's catalog is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum Place {
    /// On the workspace's server.
    Database {
        database: DatabaseName,
    },
    Url {
        url: Secret,
    },
}

/// How findings are told to people.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Form {
    Table,
    Github,
    /// Statements that bring one side to the other.
    Sql,
}

impl Comparison {
    /// Its sides in a sentence.
    #[must_use]
    pub fn named(&self) -> String {
        self.sides.iter().map(|(side, _)| side.to_string()).collect::<Vec<_>>().join(", ")
    }
}

impl Form {
    /// The findings as lines.
    #[must_use]
    pub fn lines(self, findings: &[Finding]) -> Vec<String> {
        match self {
            Self::Table => table(findings),
            Self::Github => annotations(findings),
            Self::Sql => script(findings),
        }
    }
}
