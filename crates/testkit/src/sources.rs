//! The repository's own Rust files, for the tests that hold its rules.

use std::fs;
use std::path::{Path, PathBuf};

/// A file of the workspace's crates.
#[derive(Debug, Clone)]
pub struct Source {
    /// `terminal`: the folder under `crates/`.
    pub krate: String,
    /// Below the repository's root.
    pub path: PathBuf,
    pub text: String,
}

impl Source {
    /// Each line of code with its number; comments are left out.
    pub fn code(&self) -> impl Iterator<Item = (usize, &str)> {
        let lines = (1..).zip(self.text.lines());
        lines.filter(|(_, line)| !line.trim_start().starts_with("//"))
    }

    /// Whether it is part of what is shipped: below `src/`, and in no crate that is for tests only.
    #[must_use]
    pub fn is_shipped(&self) -> bool {
        self.path.components().any(|part| part.as_os_str() == "src") && self.krate != "testkit"
    }
}

/// The repository's root.
///
/// # Panics
/// This crate is not in it.
#[must_use]
pub fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .ancestors()
        .nth(2)
        .expect("crates/testkit is two folders down")
        .to_owned()
}

/// Every Rust file below `crates/`.
///
/// # Panics
/// One can't be read.
#[must_use]
pub fn sources() -> Vec<Source> {
    let root = repository();
    let mut folders = vec![root.join("crates")];
    let mut sources = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).expect("a folder") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|ending| ending == "rs") {
                let text = fs::read_to_string(&path).expect("a source file");
                let path = path.strip_prefix(&root).expect("below the root").to_owned();
                let krate = path.iter().nth(1).expect("crates/<crate>").to_string_lossy().into_owned();
                sources.push(Source { krate, path, text });
            }
        }
    }
    sources.sort_by(|one, other| one.path.cmp(&other.path));
    sources
}
