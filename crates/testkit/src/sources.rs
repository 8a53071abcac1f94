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
    /// A module that is declared for tests only.
    is_test: bool,
}

impl Source {
    /// Each line of code with its number; comments are left out.
    pub fn code(&self) -> impl Iterator<Item = (usize, &str)> {
        let lines = (1..).zip(self.text.lines());
        lines.filter(|(_, line)| !line.trim_start().starts_with("//"))
    }

    /// The same for what is shipped: below `src/`, in no crate that is for tests only, and before a file's tests.
    pub fn shipped(&self) -> impl Iterator<Item = (usize, &str)> {
        let below_src = self.path.iter().any(|part| part == "src");
        let shipped = below_src && self.krate != "testkit" && !self.is_test;
        let tests = self.text.find("\n#[cfg(test)]\nmod tests {").unwrap_or(self.text.len());
        let lines = self.text.get(..tests).unwrap_or_default().lines().count();
        self.code().take_while(move |(number, _)| shipped && *number <= lines)
    }

    /// The files of the modules that it declares for tests only.
    fn tests(&self) -> impl Iterator<Item = PathBuf> {
        let declared = self.text.split("#[cfg(test)]\nmod ").skip(1);
        let names = declared.filter_map(|rest| rest.split_once(';')).map(|(name, _)| name);
        let names = names.filter(|name| name.chars().all(|c| c.is_alphanumeric() || c == '_'));
        let stem = self.path.file_stem().unwrap_or_default();
        let is_root = ["lib", "main", "mod"].iter().any(|root| stem == *root);
        let folder = if is_root { self.path.with_file_name("") } else { self.path.with_extension("") };
        names.map(move |name| folder.join(format!("{name}.rs")))
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
                sources.push(Source { krate, path, text, is_test: false });
            }
        }
    }
    let tests: Vec<PathBuf> = sources.iter().flat_map(Source::tests).collect();
    for source in &mut sources {
        source.is_test = tests.contains(&source.path);
    }
    sources.sort_by(|one, other| one.path.cmp(&other.path));
    sources
}
