//! Something that is wrong: what, how it is known, and the command that mends it.

use serde::Serialize;

use crate::Fault;

/// One thing that a check found.
///
/// ```
/// use plan::Finding;
/// let found = Finding::new("database not there", "`shop` is not there", "the server lists no such database", "slate-up");
/// assert_eq!(found.mend, "slate-up");
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// The check that found it, by its name in docs/doctor.md.
    pub check: &'static str,
    pub what: String,
    /// How it is known.
    pub because: String,
    /// The command that mends it, or what to write where.
    pub mend: String,
}

impl Finding {
    pub fn new(
        check: &'static str,
        what: impl Into<String>,
        because: impl Into<String>,
        mend: impl Into<String>,
    ) -> Self {
        Self { check, what: what.into(), because: because.into(), mend: mend.into() }
    }

    /// What kept us from looking is wrong itself.
    #[must_use]
    pub fn of(check: &'static str, fault: &Fault) -> Self {
        let Fault { error, cause, hint, .. } = fault;
        Self::new(check, error, cause.clone().unwrap_or_default(), hint.clone().unwrap_or_default())
    }
}
