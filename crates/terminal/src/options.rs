//! How to talk: what the flags say, and what stdin, stdout and stderr are.

use std::io::IsTerminal as _;

use dialoguer::console::{Term, is_dumb};

use crate::paint::Paint;
use crate::sheet::Sheet;

/// What the command line says about talking.
#[derive(Debug, Clone, Copy)]
pub struct Options {
    /// The binary: `slate-reset`.
    pub command: &'static str,
    pub json: Option<Json>,
    /// Only results and errors.
    pub quiet: bool,
    /// Every step, and what its programs say.
    pub verbose: bool,
    pub color: Color,
    /// Whether a person may be asked at all: not in CI, not in a hook.
    pub can_ask: bool,
}

/// How stdout is meant for machines.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Json {
    /// One object, at the end.
    Object,
    /// One event a line.
    Stream,
}

/// When there is colour. `Auto`: on a terminal; who knows of `NO_COLOR` says `Never`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Color {
    Auto,
    Always,
    Never,
}

/// Which of the three are terminals.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Streams {
    pub(crate) stdin: bool,
    pub(crate) stdout: bool,
    pub(crate) stderr: bool,
}

/// Columns of a terminal that does not tell.
const UNKNOWN: usize = 80;

impl Streams {
    pub(crate) fn detect() -> Self {
        Self {
            stdin: std::io::stdin().is_terminal(),
            stdout: std::io::stdout().is_terminal(),
            stderr: std::io::stderr().is_terminal(),
        }
    }

    /// A bar needs a terminal that can go back in its line.
    pub(crate) fn can_draw(self) -> bool {
        self.stderr && !is_dumb()
    }
}

impl Options {
    pub(crate) fn sheet(&self, term: &Term, is_terminal: bool) -> Sheet {
        let width = is_terminal.then(|| term.size_checked().map_or(UNKNOWN, |(_, columns)| columns.into()));
        let on = match self.color {
            Color::Always => true,
            Color::Never => false,
            Color::Auto => is_terminal && !is_dumb(),
        };
        Sheet { width, paint: Paint { on } }
    }
}
