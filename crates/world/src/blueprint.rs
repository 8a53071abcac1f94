//! The files that a fresh database is built from, and the hash they are known by.

use std::fs;
use std::path::{Path, PathBuf};

use plan::{Blueprint, Config, Exit, Fault, Tool};
use sha2::{Digest, Sha256};

use crate::workspace::hex;

/// Reads the migration and seed files that the configuration names; `None` when it names none.
///
/// # Errors
/// A folder that is missing or can't be read.
pub(crate) fn blueprint(config: &Config, root: &Path) -> Result<Option<Blueprint>, Fault> {
    if config.migrations.tool.is_none() && config.seeds.dir.is_none() {
        return Ok(None);
    }
    let of = |dir: Option<&str>, key| dir.map_or_else(|| Ok(Vec::new()), |dir| listed(root, dir, key));
    let extension = match config.migrations.tool {
        Some(Tool::Alembic) => "py",
        _ => "sql",
    };
    let migrations = of(config.migrations.dir.as_deref(), "migrations.dir")?;
    let migrations: Vec<PathBuf> = migrations.into_iter().filter(|file| is(file, extension)).collect();
    let seeds: Vec<PathBuf> =
        of(config.seeds.dir.as_deref(), "seeds.dir")?.into_iter().filter(|file| is(file, "sql")).collect();
    let seed_hash = hash(&seeds, &[])?;
    let words = |seeds: String| {
        let tool = config.migrations.tool.map(|tool| tool.to_string()).unwrap_or_default();
        [tool, config.migrations.command.clone().unwrap_or_default(), seeds]
    };
    let models = config.models.dir.as_deref().map(|dir| models(root, dir)).transpose()?;
    Ok(Some(Blueprint {
        hash: hash(&migrations, &words(seed_hash.clone()))?,
        bare: hash(&migrations, &words(hash(&[], &[])?))?,
        models,
        seeds: (!seeds.is_empty()).then_some(seed_hash),
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

fn listed(root: &Path, dir: &str, key: &str) -> Result<Vec<PathBuf>, Fault> {
    let folder = root.join(dir);
    let entries = fs::read_dir(&folder).map_err(|why| unreadable(key, dir, &folder, &why))?;
    let mut files: Vec<PathBuf> =
        entries.flatten().map(|entry| entry.path()).filter(|path| path.is_file()).collect();
    files.sort();
    Ok(files)
}

fn unreadable(key: &str, dir: &str, folder: &Path, why: &std::io::Error) -> Fault {
    Fault::new(Exit::Usage, format!("{key} is `{dir}`, which can't be read"))
        .cause(format!("{}: {why}", folder.display()))
        .state("nothing was changed")
        .hint(format!("correct {key} in cleanslate.toml"))
}

fn is(file: &Path, extension: &str) -> bool {
    file.extension().is_some_and(|found| found.eq_ignore_ascii_case(extension))
}

fn names(files: &[PathBuf]) -> Vec<String> {
    files.iter().filter_map(|file| Some(file.file_name()?.to_string_lossy().into_owned())).collect()
}

/// Names and contents, each with its length before it, so that no two lists read the same.
fn hash(files: &[PathBuf], words: &[String]) -> Result<String, Fault> {
    let mut hash = Sha256::new();
    let mut add = |bytes: &[u8]| {
        hash.update((bytes.len() as u64).to_le_bytes());
        hash.update(bytes);
    };
    for word in words {
        add(word.as_bytes());
    }
    for file in files {
        add(file.file_name().unwrap_or_default().as_encoded_bytes());
        let bytes = fs::read(file).map_err(|why| {
            Fault::new(Exit::Usage, format!("`{}` can't be read", file.display())).cause(why.to_string())
        })?;
        add(&bytes);
    }
    let mut hash = hex(&hash.finalize());
    hash.truncate(32);
    Ok(hash)
}
