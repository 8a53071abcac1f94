//! What a check found: one finding for one cause.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

/// How much a difference matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// No statement of the application's could tell: names of constraints, comments, owners, the order of columns.
    Notice,
    /// Slower, less safe, or with other rights.
    Warning,
    /// A statement can fail, or give something else.
    Error,
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Notice => "notice",
            Self::Warning => "warning",
            Self::Error => "error",
        })
    }
}

/// What is compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Side {
    Models,
    Migrations,
    Live,
    /// The two addresses of `--between`.
    First,
    Second,
}

impl fmt::Display for Side {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Models => "models",
            Self::Migrations => "migrations",
            Self::Live => "live",
            Self::First => "first",
            Self::Second => "second",
        })
    }
}

/// One difference, with everything that it brings along.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    pub severity: Severity,
    /// `table`, `column`, `foreign key`.
    pub kind: String,
    /// `orders.total`; the schema in front where it is not `public`.
    pub object: String,
    /// What of it differs: `type`, `default`; `missing` where a side does not have it, `name` where it has another.
    pub aspect: String,
    /// What each side has; `null` where it has nothing.
    pub sides: BTreeMap<Side, Option<String>>,
    /// The one side that the others disagree with.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub alone: Option<Side>,
    /// What follows from it, and needs no finding of its own.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub with: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hint: Option<String>,
    /// What brings the second side, or live, to the first or to the migrations: statements, and remarks where none is safe.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub sql: Vec<String>,
}

impl Finding {
    /// The worst of them, when there is one.
    #[must_use]
    pub fn worst(findings: &[Self]) -> Option<Severity> {
        findings.iter().map(|finding| finding.severity).max()
    }
}
