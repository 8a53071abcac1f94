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

/// A change of a text as lines that begin with ` `, `-` or `+`. The first and the last line that differ are its ends.
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
    let part = |mark: char, lines: &[&str], from: usize, to: usize| -> Vec<String> {
        lines.get(from..to).unwrap_or_default().iter().map(|line| format!("{mark}{line}")).collect()
    };
    [
        part(' ', &old, start.saturating_sub(AROUND), start),
        part('-', &old, start, old.len() - end),
        part('+', &new, start, new.len() - end),
        part(' ', &old, old.len() - end, (old.len() - end + AROUND).min(old.len())),
    ]
    .concat()
}
