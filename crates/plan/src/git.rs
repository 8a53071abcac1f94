//! The git branches around a database: where the repository is now, and where it was when.

use jiff::Timestamp;
use serde::Serialize;

use crate::{Database, World};

/// What git tells of the repository that the workspace is in.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Git {
    /// `None` where HEAD is detached.
    pub branch: Option<String>,
    /// All local branches.
    pub branches: Vec<String>,
    /// Every change of branch that git remembers, the newest first.
    pub moves: Vec<Move>,
    /// Migrations that the workspace's database was built with, by its tool's own table, and that no file here has.
    pub unknown: Vec<String>,
}

/// A checkout of another branch.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Move {
    pub at: Timestamp,
    pub from: String,
    pub to: String,
}

impl Git {
    /// The branch that was checked out at a time, as far as git remembers.
    ///
    /// ```
    /// use jiff::Timestamp;
    /// use plan::{Git, Move};
    /// let at = |second| Timestamp::from_second(second).unwrap();
    /// let moved = |second, from: &str, to: &str| Move { at: at(second), from: from.into(), to: to.into() };
    /// let moves = vec![moved(20, "feature", "main"), moved(10, "main", "feature")];
    /// let git = Git { branch: Some("main".into()), moves, ..Git::default() };
    /// assert_eq!(git.branch_at(at(5)), Some("main"));
    /// assert_eq!(git.branch_at(at(15)), Some("feature"));
    /// assert_eq!(git.branch_at(at(25)), Some("main"));
    /// ```
    #[must_use]
    pub fn branch_at(&self, at: Timestamp) -> Option<&str> {
        let later = self.moves.iter().take_while(|one| one.at > at).last();
        later.map(|one| one.from.as_str()).or(self.branch.as_deref())
    }
}

impl World {
    /// The branch that a database belongs to: the one it was switched to, else the one on which it was made.
    #[must_use]
    pub fn branch_of<'a>(&'a self, database: &'a Database) -> Option<&'a str> {
        let made = || self.git.as_ref()?.branch_at(database.marker.as_ref()?.at);
        database.branch.as_deref().or_else(made)
    }
}
