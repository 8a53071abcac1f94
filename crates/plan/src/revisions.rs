//! The migrations that the files know, against those that the live database was built with, and those that are released.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::check::{Finding, Side};

/// The file of what is released, at the workspace's root. It is committed.
pub const RELEASED: &str = "cleanslate-released.toml";

/// The chain of migrations.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Revisions {
    /// In the order in which they apply.
    pub files: Vec<Revision>,
    /// What a file follows, and no file is.
    pub missing: Vec<String>,
    /// What the live database was built with, and no file is.
    pub unknown: Vec<String>,
    /// Whether the live database tells which are applied.
    pub told: bool,
    /// Released files that are others by now, or gone.
    pub broken: Vec<String>,
    /// The text of [`RELEASED`], when there is one.
    #[serde(skip)]
    pub released: Option<String>,
}

/// A migration file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Revision {
    /// Alembic's id; the number or the name of a file of SQL.
    pub id: String,
    pub parents: Vec<String>,
    /// From the workspace.
    pub path: String,
    pub title: String,
    #[serde(skip)]
    pub text: String,
    /// Of the text, as it is recorded where it is applied.
    #[serde(skip)]
    pub hash: String,
    pub applied: bool,
    /// It is another text than the one that was applied.
    pub edited: bool,
    pub released: bool,
}

impl Revisions {
    /// Those that no other one follows.
    pub fn heads(&self) -> impl Iterator<Item = &Revision> {
        let followed: BTreeSet<&str> =
            self.files.iter().flat_map(|file| &file.parents).map(String::as_str).collect();
        self.files.iter().filter(move |file| !followed.contains(file.id.as_str()))
    }

    pub fn pending(&self) -> impl Iterator<Item = &Revision> {
        self.files.iter().filter(|file| !file.applied)
    }

    /// The one of this id, file name, or beginning of either, where it is the only one.
    #[must_use]
    pub fn find(&self, name: &str) -> Option<&Revision> {
        let is = |file: &&Revision| file.id == name || file.path == name || file.name() == name;
        let begins = |file: &&Revision| file.id.starts_with(name) || file.name().starts_with(name);
        let mut near = self.files.iter().filter(begins);
        let only = near.next().filter(|_| near.next().is_none());
        self.files.iter().find(is).or(only)
    }

    /// Puts each behind those that it follows; what has no order by that stays as it is.
    pub fn sort(&mut self) {
        let mut rest = std::mem::take(&mut self.files);
        while !rest.is_empty() {
            let waits: BTreeSet<String> = rest.iter().map(|file| file.id.clone()).collect();
            let is_free = |file: &Revision| !file.parents.iter().any(|parent| waits.contains(parent));
            let at = rest.iter().position(is_free).unwrap_or(0);
            self.files.push(rest.remove(at));
        }
    }

    /// Marks what was applied to a database whose tool names these as the last ones.
    pub fn apply(&mut self, heads: &[String]) {
        self.told = true;
        let mut applied: BTreeSet<String> = heads.iter().cloned().collect();
        for file in self.files.iter_mut().rev() {
            if applied.contains(&file.id) {
                file.applied = true;
                applied.extend(file.parents.iter().cloned());
            }
        }
        let known = |id: &&String| self.files.iter().any(|file| file.id == **id);
        self.unknown = heads.iter().filter(|id| !known(id)).cloned().collect();
    }

    /// Marks what is released, and finds what is not as it was.
    ///
    /// # Errors
    /// The text is not understood.
    pub fn release(&mut self, text: Option<&str>) -> Result<(), String> {
        let Some(text) = text else { return Ok(()) };
        let released: Released = toml::from_str(text).map_err(|why| why.message().to_owned())?;
        for (id, hash) in &released.revisions {
            match self.files.iter_mut().find(|file| file.id == *id) {
                Some(file) => {
                    file.released = true;
                    if file.hash != *hash {
                        self.broken.push(file.path.clone());
                    }
                }
                None => self.broken.push(format!("revision {id}")),
            }
        }
        self.released = Some(text.to_owned());
        Ok(())
    }

    /// The text of [`RELEASED`] once this revision and those before it are released.
    #[must_use]
    pub fn frozen(&self, last: &Revision) -> String {
        let mut out: BTreeSet<&str> = BTreeSet::from([last.id.as_str()]);
        for file in self.files.iter().rev() {
            if out.contains(file.id.as_str()) {
                out.extend(file.parents.iter().map(String::as_str));
            }
        }
        let released = self.files.iter().filter(|file| file.released || out.contains(file.id.as_str()));
        let revisions = released.map(|file| (file.id.clone(), file.hash.clone())).collect();
        let text = toml::to_string(&Released { revisions }).unwrap_or_default();
        format!(
            "# Revisions that are released, each with its file's hash: slate-migrate freeze adds to them.\n\n{text}"
        )
    }
}

impl Revision {
    /// The file's own name.
    #[must_use]
    pub fn name(&self) -> &str {
        self.path.rsplit('/').next().unwrap_or(&self.path)
    }
}

#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Released {
    revisions: BTreeMap<String, String>,
}

/// A migration that was written, and is in no folder of the project's yet.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Draft {
    /// Where it would be, from the workspace; empty for statements alone.
    pub path: String,
    pub text: String,
    /// The statements that it stands for, where they could be had.
    pub sql: Option<String>,
    /// What the tool's own hooks said when they failed.
    pub said: Option<String>,
    /// Where what it gives differs from what it was made from, in words, worst first; notices are left out.
    pub differs: Vec<String>,
    /// What the present migrations make and this does not, since models do not describe it.
    pub leaves: Vec<String>,
}

impl Draft {
    /// Takes what a comparison found, as far as it matters.
    pub fn judge(&mut self, findings: &[Finding]) {
        let matters = |finding: &&Finding| finding.severity > crate::check::Severity::Notice;
        let line = |finding: &Finding| format!("{} {}: {}", finding.kind, finding.object, finding.aspect);
        self.differs = findings.iter().filter(matters).map(line).collect();
    }

    /// Takes what the present migrations have and models know nothing of: functions, views, rights.
    pub fn miss(&mut self, findings: &[Finding]) {
        let described =
            ["table", "column", "index", "constraint", "key", "enum", "type", "sequence", "unique", "check"];
        let is_described = |finding: &&Finding| described.iter().any(|word| finding.kind.contains(word));
        let gone =
            |finding: &&Finding| finding.sides.get(&Side::Live) == Some(&None) && !is_described(finding);
        let line = |finding: &Finding| format!("{} {}", finding.kind, finding.object);
        self.leaves = findings.iter().filter(gone).map(line).collect();
    }
}

/// A name as it may stand in a file's: `Add the notes` as `add_the_notes`.
///
/// ```
/// assert_eq!(plan::slug("Add the Notes!"), "add_the_notes");
/// ```
#[must_use]
pub fn slug(name: &str) -> String {
    let letters = name.chars().map(|c| if c.is_alphanumeric() { c.to_ascii_lowercase() } else { ' ' });
    letters.collect::<String>().split_whitespace().collect::<Vec<_>>().join("_")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chain() -> Revisions {
        let file = |id: &str, parents: &[&str]| Revision {
            id: id.to_owned(),
            parents: parents.iter().map(ToString::to_string).collect(),
            path: format!("versions/{id}.py"),
            title: String::new(),
            text: String::new(),
            hash: format!("hash of {id}"),
            applied: false,
            edited: false,
            released: false,
        };
        let files = vec![file("c", &["b"]), file("b", &["a"]), file("a", &[])];
        let mut chain = Revisions { files, ..Revisions::default() };
        chain.sort();
        chain
    }

    fn ids<'a>(files: impl Iterator<Item = &'a Revision>) -> String {
        files.map(|file| file.id.as_str()).collect()
    }

    #[test]
    fn each_comes_behind_what_it_follows_and_a_ring_has_an_end() {
        assert_eq!(ids(chain().files.iter()), "abc");
        let mut ring = chain();
        ring.files
            .iter_mut()
            .filter(|file| file.id == "a")
            .for_each(|file| file.parents.push("c".to_owned()));
        ring.sort();
        assert_eq!(ring.files.len(), 3);
    }

    #[test]
    fn what_is_applied_follows_from_the_last_one() {
        let mut chain = chain();

        chain.apply(&["b".to_owned(), "x".to_owned()]);

        assert_eq!((ids(chain.pending()), ids(chain.heads())), ("c".to_owned(), "c".to_owned()));
        assert_eq!(chain.unknown, ["x"]);
    }

    #[test]
    fn what_is_released_holds_all_that_came_before_and_an_edit_is_seen() {
        let chain_now = chain();
        let text = chain_now.frozen(chain_now.find("b").unwrap());
        let mut later = chain();
        later.files.iter_mut().filter(|file| file.id == "a").for_each(|file| file.hash.push('!'));

        later.release(Some(&text)).unwrap();

        assert_eq!(later.files.iter().map(|file| file.released).collect::<Vec<_>>(), [true, true, false]);
        assert_eq!(later.broken, ["versions/a.py"]);
        assert!(later.release(Some("x = 1")).is_err());
    }
}
