//! The flags that every binary has.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, ValueEnum};
use plan::Flags;

/// Flags of every binary. Consent (`--yes --force --no-undo --confirm --adopt`) is read from the command line alone.
#[derive(Debug, Clone, Args)]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of its own")]
#[command(next_help_heading = "Every cleanslate command takes")]
pub struct Shared {
    /// The workspace [default: nearest folder above with cleanslate.toml, else the git top level]
    #[arg(long, value_name = "DIR", env = "SLATE_ROOT", hide_env = true)]
    pub root: Option<PathBuf>,
    /// Do not ask; covers what can be undone
    #[arg(short, long)]
    pub yes: bool,
    /// Go on despite somebody's open transaction
    #[arg(long)]
    pub force: bool,
    /// No way back is wanted: nothing is kept or copied
    #[arg(long)]
    pub no_undo: bool,
    /// Agree to the plan that --dry-run --json printed this token for
    #[arg(long, value_name = "TOKEN")]
    pub confirm: Option<String>,
    /// Show the plan and stop
    #[arg(short = 'n', long)]
    pub dry_run: bool,
    /// One JSON object on stdout; `stream`: one event a line
    #[arg(long, value_name = "HOW", num_args = 0..=1, require_equals = true, default_missing_value = "object", hide_possible_values = true)]
    pub json: Option<Json>,
    /// Only results and errors
    #[arg(short, long)]
    pub quiet: bool,
    /// Every step and what its programs say
    #[arg(short, long)]
    pub verbose: bool,
    /// Longest wait for one thing, as in 90s or 2m
    #[arg(long, value_name = "TIME", default_value = "60s", value_parser = duration, env = "SLATE_TIMEOUT", hide_env = true)]
    pub timeout: Duration,
    /// Colour
    #[arg(
        long,
        value_name = "WHEN",
        default_value = "auto",
        env = "SLATE_COLOR",
        hide_env = true,
        hide_possible_values = true
    )]
    pub color: Color,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Json {
    Object,
    Stream,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Color {
    Auto,
    Always,
    Never,
}

impl Shared {
    /// The consent that these flags give.
    #[must_use]
    pub fn consent(&self) -> Flags {
        Flags { yes: self.yes, force: self.force, no_undo: self.no_undo, confirm: self.confirm.clone() }
    }
}

/// A time as a person writes it: a number and `ms`, `s`, `m` or `h`.
fn duration(text: &str) -> Result<Duration, String> {
    humantime::parse_duration(text).map_err(|error| format!("{error}: write 90s or 2m"))
}
