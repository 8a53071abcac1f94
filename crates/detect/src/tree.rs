//! The files that are judged, as somebody else walked and reads them.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

/// Gives a file's text, or says why it can't be had.
type Reader<'a> = Box<dyn Fn(&str) -> Result<String, String> + 'a>;

/// A work tree: paths relative to its root, with `/` between their parts, and a reader for those that are wanted.
pub struct Tree<'a> {
    /// The root folder's own name.
    pub name: String,
    /// The environment, for what Compose takes from there.
    pub variables: BTreeMap<String, String>,
    paths: BTreeSet<String>,
    read: Reader<'a>,
    texts: RefCell<BTreeMap<String, Option<Rc<str>>>>,
    unread: RefCell<BTreeMap<String, String>>,
}

impl<'a> Tree<'a> {
    /// `read` gives a file's text, or says why it can't be had.
    pub fn new(
        name: impl Into<String>,
        paths: impl IntoIterator<Item = String>,
        read: impl Fn(&str) -> Result<String, String> + 'a,
    ) -> Self {
        Self {
            name: name.into(),
            variables: BTreeMap::new(),
            paths: paths.into_iter().collect(),
            read: Box::new(read),
            texts: RefCell::default(),
            unread: RefCell::default(),
        }
    }

    /// Every file, in the order of its path.
    pub fn paths(&self) -> impl Iterator<Item = &str> {
        self.paths.iter().map(String::as_str)
    }

    pub fn has(&self, path: &str) -> bool {
        self.paths.contains(path)
    }

    /// The files in a folder, and below it.
    pub fn below<'t>(&'t self, folder: &str) -> impl Iterator<Item = &'t str> + use<'t, 'a> {
        let start = if folder.is_empty() { String::new() } else { format!("{folder}/") };
        self.paths.range(start.clone()..).map(String::as_str).take_while(move |path| path.starts_with(&start))
    }

    /// The files right in a folder.
    pub fn inside<'t>(&'t self, folder: &str) -> impl Iterator<Item = &'t str> + use<'t, 'a> {
        let length = if folder.is_empty() { 0 } else { folder.len() + 1 };
        self.below(folder).filter(move |path| !path.get(length..).unwrap_or_default().contains('/'))
    }

    /// Whether there is a folder with a file in it.
    pub fn has_folder(&self, folder: &str) -> bool {
        self.below(folder).next().is_some()
    }

    /// A file's text. `None` where there is no such file, or it can't be read, which `unread` then tells.
    pub fn text(&self, path: &str) -> Option<Rc<str>> {
        if !self.has(path) {
            return None;
        }
        if let Some(known) = self.texts.borrow().get(path) {
            return known.clone();
        }
        let text = match (self.read)(path) {
            Ok(text) => Some(Rc::from(text.strip_prefix('\u{feff}').unwrap_or(&text))),
            Err(why) => {
                self.complain(path, why);
                None
            }
        };
        self.texts.borrow_mut().insert(path.to_owned(), text.clone());
        text
    }

    /// Notes that a file was there and of no use.
    pub(crate) fn complain(&self, path: &str, why: impl Into<String>) {
        self.unread.borrow_mut().entry(path.to_owned()).or_insert_with(|| why.into());
    }

    /// Files that were wanted and could not be had, and why.
    pub(crate) fn unread(&self) -> Vec<String> {
        self.unread.borrow().iter().map(|(path, why)| format!("{path}: {why}")).collect()
    }
}

/// The folder part of a path; empty at the root.
pub(crate) fn folder(path: &str) -> &str {
    path.rsplit_once('/').map_or("", |(folder, _)| folder)
}

/// The last part of a path.
pub(crate) fn file_name(path: &str) -> &str {
    path.rsplit_once('/').map_or(path, |(_, name)| name)
}

/// A path as seen from a folder, with `.` and `..` resolved. `None` where it leaves the tree, or does not begin in it.
pub(crate) fn join(folder: &str, path: &str) -> Option<String> {
    if path.starts_with(['/', '~']) {
        return None;
    }
    let mut parts: Vec<&str> = folder.split('/').filter(|part| !part.is_empty()).collect();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop()?;
            }
            part => parts.push(part),
        }
    }
    Some(parts.join("/"))
}

/// Whether a name ends so, as it is spelled: tools see a difference between `.sql` and `.SQL`.
pub(crate) fn has_ending(name: &str, ending: &str) -> bool {
    name.ends_with(ending)
}

/// The words of a name, small: `docker-compose.dev_db` is `docker`, `compose`, `dev`, `db`.
pub(crate) fn words(name: &str) -> impl Iterator<Item = String> {
    name.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()).map(str::to_lowercase)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_resolved_and_stays_in_the_tree() {
        assert_eq!(join("docker", "../.env").as_deref(), Some(".env"));
        assert_eq!(join("", "./a//b").as_deref(), Some("a/b"));
        assert_eq!(join("docker", "../../x"), None);
        assert_eq!(join("", "/etc/passwd"), None);
    }

    #[test]
    fn folders_hold_what_is_below_them() {
        let paths = ["a/b.txt", "a/c/d.txt", "ab.txt"].map(str::to_owned);
        let tree = Tree::new("x", paths, |_| Ok(String::new()));

        assert_eq!(tree.below("a").count(), 2);
        assert_eq!(tree.inside("a").collect::<Vec<_>>(), ["a/b.txt"]);
        assert_eq!(tree.inside("").collect::<Vec<_>>(), ["ab.txt"]);
    }
}
