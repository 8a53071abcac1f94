//! The files that a fresh database is built from, and the hash they are known by.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use plan::{Blueprint, Config, Exit, Fault, Seeds, Tool};
use sha2::{Digest, Sha256};

use crate::workspace::hex;

/// Reads the migration and seed files that the configuration names; `None` when it names none. `seeds`: the folder that is
/// to be the one of the seeds.
///
/// # Errors
/// A folder that is missing or can't be read.
pub(crate) fn blueprint(
    config: &Config,
    root: &Path,
    seeds: Option<&Path>,
) -> Result<Option<Blueprint>, Fault> {
    let mut set = config.seeds.usual().unwrap_or_default();
    if config.migrations.tool.is_none() && set == Seeds::default() {
        return Ok(None);
    }
    if let Some(seeds) = seeds {
        set.dir = Some(seeds.display().to_string());
    }
    let of = |dir: Option<&str>, key| dir.map_or_else(|| Ok(Vec::new()), |dir| listed(root, dir, key));
    let extension = match config.migrations.tool {
        Some(Tool::Alembic) => "py",
        _ => "sql",
    };
    let migrations = of(config.migrations.dir.as_deref(), "migrations.dir")?;
    let migrations: Vec<PathBuf> = migrations.into_iter().filter(|file| is(file, extension)).collect();
    let seeds = set.dir.as_deref().map_or_else(|| Ok(Vec::new()), |dir| crate::seeds::files(root, dir))?;
    let commands: Vec<String> = set.commands.iter().map(|command| format!("{command:?}")).collect();
    let seed_hash = hash(&seeds, &commands)?;
    let words = |seeds: String| {
        let tool = config.migrations.tool.map(|tool| tool.to_string()).unwrap_or_default();
        [tool, config.migrations.command.clone().unwrap_or_default(), seeds]
    };
    let models = config.models.dir.as_deref().map(|dir| models(root, dir)).transpose()?;
    Ok(Some(Blueprint {
        hash: hash(&migrations, &words(seed_hash.clone()))?,
        bare: hash(&migrations, &words(hash(&[], &[])?))?,
        models,
        seeds: (!seeds.is_empty() || !commands.is_empty()).then_some(seed_hash),
        migrations: names(&migrations),
        seed_files: names(&seeds),
    }))
}

/// The hash of every file below the models' folder that somebody wrote.
fn models(root: &Path, dir: &str) -> Result<String, Fault> {
    let mut files = Vec::new();
    let mut folders = vec![root.join(dir)];
    while let Some(folder) = folders.pop() {
        let entries = fs::read_dir(&folder).map_err(|why| unreadable("models.dir", dir, &folder, &why))?;
        for path in entries.flatten().map(|entry| entry.path()) {
            let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            if name.starts_with('.') || name == "__pycache__" {
                continue;
            }
            // A link to a folder is not followed: it may lead back up.
            if path.is_dir() && !path.is_symlink() {
                folders.push(path);
            } else if path.is_file() {
                files.push(path);
            }
        }
    }
    files.sort();
    hash(&files, &[])
}

/// The SQL files of a folder in the order in which they apply.
///
/// # Errors
/// As [`blueprint`].
pub(crate) fn sql_files(root: &Path, dir: &str, key: &str) -> Result<Vec<PathBuf>, Fault> {
    Ok(listed(root, dir, key)?.into_iter().filter(|file| is(file, "sql")).collect())
}

/// A file's text; line ends as they are, since a migration tool hashes them.
///
/// # Errors
/// It can't be read, or is no UTF-8.
pub(crate) fn text(file: &Path) -> Result<String, Fault> {
    fs::read_to_string(file).map_err(|why| {
        Fault::new(Exit::Usage, format!("`{}` can't be read", file.display())).cause(why.to_string())
    })
}

/// Path and text of each migration file, for telling where a line goes; none where they can't be read.
pub(crate) fn migration_texts(root: &Path, migrations: &plan::Migrations) -> Vec<(String, String)> {
    let Some(dir) = migrations.dir.as_deref() else { return Vec::new() };
    let files = listed(root, dir, "migrations.dir").unwrap_or_default();
    let shown = |file: &PathBuf| file.strip_prefix(root).unwrap_or(file).display().to_string();
    files.iter().filter_map(|file| Some((shown(file), text(file).ok()?))).collect()
}

pub(crate) fn listed(root: &Path, dir: &str, key: &str) -> Result<Vec<PathBuf>, Fault> {
    let folder = root.join(dir);
    let entries = fs::read_dir(&folder).map_err(|why| unreadable(key, dir, &folder, &why))?;
    let mut files: Vec<PathBuf> =
        entries.flatten().map(|entry| entry.path()).filter(|path| path.is_file()).collect();
    files.sort();
    Ok(files)
}

fn unreadable(key: &str, dir: &str, folder: &Path, why: &io::Error) -> Fault {
    Fault::new(Exit::Usage, format!("{key} is `{dir}`, which can't be read"))
        .cause(format!("{}: {why}", folder.display()))
        .state("nothing was changed")
        .hint(format!("correct {key} in cleanslate.toml"))
}

pub(crate) fn is(file: &Path, extension: &str) -> bool {
    file.extension().is_some_and(|found| found.eq_ignore_ascii_case(extension))
}

fn names(files: &[PathBuf]) -> Vec<String> {
    files.iter().filter_map(|file| Some(file.file_name()?.to_string_lossy().into_owned())).collect()
}

/// Names and contents, each with its length before it, so that no two lists read the same.
fn hash(files: &[PathBuf], words: &[String]) -> Result<String, Fault> {
    let mut hash = Sha256::new();
    let add = |hash: &mut Sha256, bytes: &[u8]| {
        hash.update((bytes.len() as u64).to_le_bytes());
        hash.update(bytes);
    };
    for word in words {
        add(&mut hash, word.as_bytes());
    }
    for file in files {
        add(&mut hash, file.file_name().unwrap_or_default().as_encoded_bytes());
        // Rows may be more than fits into memory.
        let mut pour = || {
            let mut source = File::open(file)?;
            hash.update(source.metadata()?.len().to_le_bytes());
            io::copy(&mut source, &mut Into(&mut hash))
        };
        pour().map_err(|why| {
            Fault::new(Exit::Usage, format!("`{}` can't be read", file.display())).cause(why.to_string())
        })?;
    }
    let mut hash = hex(&hash.finalize());
    hash.truncate(32);
    Ok(hash)
}

/// A hash as something to write into.
pub(crate) struct Into<'a>(pub &'a mut Sha256);

impl io::Write for Into<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.update(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
