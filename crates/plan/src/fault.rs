//! What a person reads when something is not done, and the exit code that goes with it.

use std::fmt;

use serde::Serialize;

/// Exit codes, the same in every binary.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Exit {
    /// Something was tried and failed.
    Failed = 1,
    /// The command line or the configuration is wrong.
    Usage = 2,
    /// A confirmation is needed, and there is nobody to ask.
    Unconfirmed = 3,
    /// A guard refused: not ours, somebody else's work is open.
    Refused = 4,
    /// The server is not ready, or a needed tool or engine is missing.
    NotReady = 5,
    /// A check found differences.
    Differs = 10,
    /// Declined or interrupted.
    Declined = 130,
}

/// A failure in four lines: what failed, what the machine said, what is true now, one command that helps.
///
/// ```
/// use plan::{Exit, Fault};
/// let fault = Fault::new(Exit::NotReady, "the engine does not answer").hint("systemctl start docker");
/// assert_eq!(fault.to_string(), "error: the engine does not answer\nhint:  systemctl start docker\n");
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Fault {
    pub exit: Exit,
    pub error: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cause: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub state: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hint: Option<String>,
}

impl Fault {
    pub fn new(exit: Exit, error: impl Into<String>) -> Self {
        Self { exit, error: error.into(), cause: None, state: None, hint: None }
    }

    /// What the machine said, kept to one line.
    #[must_use]
    pub fn cause(mut self, cause: impl AsRef<str>) -> Self {
        let line = cause.as_ref().split_whitespace().collect::<Vec<_>>().join(" ");
        self.cause = (!line.is_empty()).then_some(line);
        self
    }

    #[must_use]
    pub fn state(mut self, state: impl Into<String>) -> Self {
        self.state = Some(state.into());
        self
    }

    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// The same fault with a `state:` line, where it has none yet.
    #[must_use]
    pub fn or_state(self, state: impl Into<String>) -> Self {
        if self.state.is_some() { self } else { self.state(state) }
    }

    /// The same fault with a `hint:` line, where it has none yet.
    #[must_use]
    pub fn or_hint(self, hint: impl Into<String>) -> Self {
        if self.hint.is_some() { self } else { self.hint(hint) }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "error: {}", self.error)?;
        let lines = [("cause: ", &self.cause), ("state: ", &self.state), ("hint:  ", &self.hint)];
        lines
            .iter()
            .filter_map(|(label, text)| Some((label, text.as_ref()?)))
            .try_for_each(|(label, text)| writeln!(f, "{label}{text}"))
    }
}

impl std::error::Error for Fault {}
