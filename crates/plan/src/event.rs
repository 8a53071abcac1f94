//! What happens while a plan runs. One stream feeds every listener: bars, lines, JSON, the journal.

use std::time::Duration;

use serde::Serialize;
use serde_json::{Map, Value};

use crate::check::Finding;
use crate::{Action, Fault, Plan};

/// Something that happened. The plan rides in the first event, so a listener needs nothing else.
#[derive(Debug, Clone, Serialize)]
#[serde(tag = "event", rename_all = "kebab-case")]
pub enum Event<'a> {
    Planned {
        plan: &'a Plan,
    },
    /// The step of this index begins.
    Started {
        step: usize,
    },
    /// So many of so many bytes, files or rows of the present step.
    Progress {
        step: usize,
        done: u64,
        total: u64,
    },
    /// A line that a program of the present step said.
    Said {
        step: usize,
        line: &'a str,
    },
    Finished {
        step: usize,
        outcome: &'a Outcome,
        #[serde(rename = "ms", serialize_with = "milliseconds")]
        took: Duration,
    },
    Failed {
        step: usize,
        fault: &'a Fault,
    },
    /// A step was taken back, because a later one failed.
    Amended {
        action: &'a Action,
    },
    Ended {
        #[serde(rename = "ms", serialize_with = "milliseconds")]
        took: Duration,
    },
}

fn milliseconds<S: serde::Serializer>(time: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_f64((time.as_secs_f64() * 1_000.0 * 10.0).round() / 10.0)
}

/// What came of a step.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Outcome {
    /// A few words after the step's own: `412 rows`, `cut backend (3)`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
    /// There was nothing to do.
    pub idle: bool,
    /// Lines for stdout.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub lines: Vec<String>,
    /// The same for machines.
    #[serde(skip_serializing_if = "Map::is_empty")]
    pub facts: Map<String, Value>,
    /// What a check found, once it has compared.
    #[serde(skip)]
    pub findings: Option<Vec<Finding>>,
    /// The exit code, where it is not 0 although the plan went through.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub code: Option<i32>,
}

impl Outcome {
    /// ```
    /// assert_eq!(plan::Outcome::detail("412 rows").detail.as_deref(), Some("412 rows"));
    /// ```
    #[must_use]
    pub fn detail(text: impl Into<String>) -> Self {
        Self { detail: Some(text.into()), ..Self::default() }
    }

    /// Nothing had to be done.
    #[must_use]
    pub fn idle(text: impl Into<String>) -> Self {
        Self { detail: Some(text.into()), idle: true, ..Self::default() }
    }
}
