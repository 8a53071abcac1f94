//! What git says of the repository around the workspace: its branches, and when each was checked out.

use std::path::Path;
use std::time::Duration;

use jiff::Timestamp;
use plan::{Git, Move};

use crate::program::Program;

/// `None` where there is no repository, or no git that reads it.
pub(crate) fn read(root: &Path) -> Option<Git> {
    root.ancestors().find(|folder| folder.join(".git").exists())?;
    let ask = |words: &[&str]| {
        let git = Program::new("git").args(words).folder(root).deadline(Duration::from_secs(10));
        git.output().ok().map(|spoken| spoken.stdout)
    };
    let line = |text: String| text.lines().next().map(str::to_owned).filter(|line| !line.is_empty());
    // No answer: a git that does not read this repository.
    let _ = ask(&["rev-parse", "--git-dir"])?;
    let branches = ask(&["for-each-ref", "--format=%(refname:lstrip=2)", "refs/heads"]).unwrap_or_default();
    // Unborn too: the first commit is still to come.
    let branch = ask(&["symbolic-ref", "--quiet", "--short", "HEAD"]).and_then(line);
    let moves = ask(&["reflog", "show", "--date=unix", "--format=%gd %gs", "HEAD"]).unwrap_or_default();
    Some(Git {
        branch,
        branches: branches.lines().map(str::to_owned).collect(),
        moves: moves.lines().filter_map(moved).collect(),
        unknown: Vec::new(),
    })
}

/// The file that git runs after a checkout, wherever its settings say that hooks are.
pub(crate) fn hook(root: &Path) -> Option<String> {
    let words = ["rev-parse", "--git-path", "hooks/post-checkout"];
    let git = Program::new("git").args(words).folder(root).deadline(Duration::from_secs(10));
    let path = git.output().ok()?.stdout.trim_end().to_owned();
    (!path.is_empty()).then_some(path)
}

/// `HEAD@{1700000000} checkout: moving from main to feature`.
fn moved(line: &str) -> Option<Move> {
    let (at, what) = line.strip_prefix("HEAD@{")?.split_once("} ")?;
    let (from, to) = what.strip_prefix("checkout: moving from ")?.split_once(" to ")?;
    let at = Timestamp::from_second(at.parse().ok()?).ok()?;
    Some(Move { at, from: from.to_owned(), to: to.to_owned() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_checkout_is_read_and_other_moves_of_head_are_not() {
        let read = moved("HEAD@{1700000000} checkout: moving from main to ünï/x").unwrap();

        assert_eq!((read.from.as_str(), read.to.as_str()), ("main", "ünï/x"));
        assert_eq!(read.at.as_second(), 1_700_000_000);
        assert_eq!(moved("HEAD@{1700000000} commit: moving from a to b"), None);
    }
}
