//! Walks a work tree for detection: which files there are, and their texts. Bounded, whatever lies there.

use std::collections::VecDeque;
use std::fs;
use std::io::Read as _;
use std::os::unix::fs::FileTypeExt as _;
use std::path::{Path, PathBuf};

use detect::{Login, Tree};
use plan::Detected;

/// Files in a tree that are looked at, those near the root first.
const MOST: usize = 60_000;

/// Folders below each other.
const DEEPEST: usize = 12;

/// Longer files are none that people write.
const LONGEST: u64 = 2_000_000;

/// What others wrote, or programs: never the project's own set-up.
const FOREIGN: [&str; 24] = [
    "node_modules",
    "target",
    "vendor",
    "venv",
    "__pycache__",
    "dist",
    "coverage",
    "bower_components",
    "site-packages",
    "_build",
    "elm-stuff",
    "Pods",
    "DerivedData",
    "htmlcov",
    "bazel-out",
    ".git",
    ".venv",
    ".tox",
    ".next",
    ".nuxt",
    ".yarn",
    ".terraform",
    ".cache",
    ".direnv",
];

/// How the compose files say that one logs in to their Postgres.
pub(crate) fn login(root: &Path, files: Vec<String>, service: Option<&str>) -> Option<Login> {
    detect::login(&tree(root), files, service)
}

/// What the files of a workspace tell about its set-up.
pub(crate) fn detected(root: &Path) -> Detected {
    detect::detect(&tree(root))
}

fn tree(root: &Path) -> Tree<'_> {
    let name = root.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let mut tree = Tree::new(name, paths(root), move |path| text(&root.join(path)));
    // What is no text can be no value of Compose's.
    tree.variables = std::env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
        .collect();
    tree
}

/// Every file below a folder, the nearest first until there are enough of them. Links to folders are not followed.
fn paths(root: &Path) -> Vec<String> {
    let mut found = Vec::new();
    let mut folders = VecDeque::from([(PathBuf::new(), 0_usize)]);
    while let Some((folder, depth)) = folders.pop_front() {
        let Ok(entries) = fs::read_dir(root.join(&folder)) else { continue };
        for entry in entries.flatten() {
            let name = entry.file_name();
            let path = folder.join(&name);
            let Ok(kind) = entry.file_type() else { continue };
            if kind.is_dir() {
                if depth < DEEPEST && !is_foreign(&name.to_string_lossy()) {
                    folders.push_back((path, depth + 1));
                }
            } else if !kind.is_fifo()
                && !kind.is_socket()
                && let Some(path) = path.to_str()
            {
                found.push(path.to_owned());
            }
        }
        if found.len() > MOST {
            break;
        }
    }
    found
}

fn is_foreign(name: &str) -> bool {
    FOREIGN.contains(&name)
}

/// A file's text, or why there is none.
fn text(path: &Path) -> Result<String, String> {
    let about = fs::metadata(path).map_err(|why| why.to_string())?;
    if !about.is_file() {
        return Err("no file".to_owned());
    }
    if about.len() > LONGEST {
        return Err(format!("longer than {} MB", LONGEST / 1_000_000));
    }
    let mut bytes = Vec::new();
    let file = fs::File::open(path).map_err(|why| why.to_string())?;
    // It may have grown since.
    file.take(LONGEST).read_to_end(&mut bytes).map_err(|why| why.to_string())?;
    String::from_utf8(bytes).map_err(|_| "not UTF-8".to_owned())
}
