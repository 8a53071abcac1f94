//! The files of a workspace that cleanslate writes, and how a change of one is shown.

use std::collections::BTreeMap;

use serde::Serialize;

/// What is there, of what `slate-init` would write.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Files {
    /// Path from the workspace to text; a file that is not there has none.
    pub texts: BTreeMap<String, String>,
    /// The justfile's own name, where there is one.
    pub justfile: Option<String>,
    pub just: Just,
    /// Where git looks for what to run after a checkout; `None` without git.
    pub hook: Option<String>,
}

/// What `just` itself says.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Just {
    /// `None` where there is no `just`.
    pub version: Option<(u32, u32)>,
    /// Recipes, aliases and modules of the justfile: names that are taken.
    pub names: Vec<String>,
    /// Why it does not accept the justfile.
    pub fault: Option<String>,
}

/// Lines around a change that are shown with it.
const AROUND: usize = 2;

/// More pairs of lines than this are not compared one by one: the texts then differ from their first to their last change.
const MOST: usize = 4_000_000;

/// A change of a text as lines that begin with ` `, `-` or `+`; `…` stands for what stays.
///
/// ```
/// assert_eq!(plan::difference("a\nb\nc\n", "a\nx\nc\n"), [" a", "-b", "+x", " c"]);
/// assert_eq!(plan::difference("", "a\n"), ["+a"]);
/// ```
#[must_use]
pub fn difference(before: &str, after: &str) -> Vec<String> {
    let (old, new): (Vec<&str>, Vec<&str>) = (before.lines().collect(), after.lines().collect());
    let start = old.iter().zip(&new).take_while(|(old, new)| old == new).count();
    let most = old.len().min(new.len()) - start;
    let end = old.iter().rev().zip(new.iter().rev()).take(most).take_while(|(old, new)| old == new).count();
    let middle = |lines: &[&'_ str]| {
        lines
            .get(start..lines.len() - end)
            .unwrap_or_default()
            .iter()
            .map(ToString::to_string)
            .collect::<Vec<_>>()
    };
    let (gone, come) = (middle(&old), middle(&new));
    let same = |lines: &[&str]| lines.iter().map(|line| (' ', (*line).to_owned())).collect::<Vec<_>>();
    let mut all = same(old.get(..start).unwrap_or_default());
    all.extend(marked(&gone, &come));
    all.extend(same(old.get(old.len() - end..).unwrap_or_default()));
    around(&all)
}

/// The lines of two texts, each with its mark: by the longest row of lines that both have.
fn marked(old: &[String], new: &[String]) -> Vec<(char, String)> {
    let (rows, columns) = (old.len(), new.len());
    if rows.saturating_mul(columns) > MOST {
        let gone = old.iter().map(|line| ('-', line.clone()));
        return gone.chain(new.iter().map(|line| ('+', line.clone()))).collect();
    }
    let mut longest = vec![vec![0_u32; columns + 1]; rows + 1];
    let at = |table: &[Vec<u32>], row: usize, column: usize| {
        table.get(row).and_then(|row| row.get(column)).copied().unwrap_or(0)
    };
    for (row, gone) in old.iter().enumerate().rev() {
        for (column, come) in new.iter().enumerate().rev() {
            let best = if gone == come {
                at(&longest, row + 1, column + 1) + 1
            } else {
                at(&longest, row + 1, column).max(at(&longest, row, column + 1))
            };
            if let Some(cell) = longest.get_mut(row).and_then(|cells| cells.get_mut(column)) {
                *cell = best;
            }
        }
    }
    let (mut row, mut column) = (0, 0);
    let mut out = Vec::new();
    loop {
        match (old.get(row), new.get(column)) {
            (Some(gone), Some(come)) if gone == come => {
                out.push((' ', gone.clone()));
                (row, column) = (row + 1, column + 1);
            }
            (Some(gone), come)
                if come.is_none() || at(&longest, row + 1, column) >= at(&longest, row, column + 1) =>
            {
                out.push(('-', gone.clone()));
                row += 1;
            }
            (_, Some(come)) => {
                out.push(('+', come.clone()));
                column += 1;
            }
            _ => return out,
        }
    }
}

/// The changed lines and a few around them.
fn around(all: &[(char, String)]) -> Vec<String> {
    let near = |at: usize| {
        let from = at.saturating_sub(AROUND);
        all.get(from..(at + AROUND + 1).min(all.len()))
            .unwrap_or_default()
            .iter()
            .any(|(mark, _)| *mark != ' ')
    };
    let mut out: Vec<String> = Vec::new();
    let mut left_out = false;
    for (at, (mark, line)) in all.iter().enumerate() {
        if near(at) {
            if left_out && !out.is_empty() {
                out.push("…".to_owned());
            }
            left_out = false;
            out.push(format!("{mark}{line}"));
        } else {
            left_out = true;
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_changes_far_from_each_other_are_shown_apart() {
        let before = "a\nb\n1\n2\n3\n4\n5\n6\nc\n";
        let after = "a\nB\n1\n2\n3\n4\n5\n6\nc\nd\n";

        assert_eq!(difference(before, after), [" a", "-b", "+B", " 1", " 2", "…", " 6", " c", "+d"]);
    }
}
