//! A capture's files against those that are there, and what puts them in their place.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::{self, BufRead as _};
use std::path::{Path, PathBuf};

use plan::{Captured, Exit, Fault, SeedChange, SeedSettings, Workspace, words};
use sha2::{Digest, Sha256};

use super::proof::Record;
use crate::workspace::{hex, replace_file};

/// Files up to so many bytes are shown line by line.
const SHOWN: u64 = 100_000;

/// And so many of those lines.
const LINES: usize = 40;

/// Where a capture writes: in our own folder, which nobody else reads.
pub(crate) fn folder(workspace: &Workspace) -> PathBuf {
    workspace.state.join("captured")
}

fn record_file(workspace: &Workspace) -> PathBuf {
    workspace.state.join("captured.json")
}

impl Record {
    pub fn read(workspace: &Workspace) -> Option<Self> {
        serde_json::from_slice(&fs::read(record_file(workspace)).ok()?).ok()
    }

    pub fn write(&self, workspace: &Workspace) -> Result<(), Fault> {
        replace_file(&record_file(workspace), &serde_json::to_vec(self).unwrap_or_default())
    }
}

/// Removes what a capture wrote aside.
pub(crate) fn discard(workspace: &Workspace) -> Result<(), Fault> {
    for gone in [fs::remove_dir_all(folder(workspace)), fs::remove_file(record_file(workspace))] {
        match gone {
            Err(why) if why.kind() != io::ErrorKind::NotFound => {
                return Err(
                    Fault::new(Exit::Failed, "the captured files were not removed").cause(why.to_string())
                );
            }
            _ => {}
        }
    }
    Ok(())
}

/// The folder of a proved capture, where it is to be the one of these seeds.
pub(crate) fn proved(workspace: &Workspace, seeds: &SeedSettings) -> Option<PathBuf> {
    let record = Record::read(workspace)?;
    (record.proved && seeds.dir.as_ref() == Some(&record.dir)).then(|| folder(workspace))
}

/// What a proved capture would change in the folder of its set; `None` where there is none.
pub(crate) fn captured(workspace: &Workspace, root: &Path) -> Result<Option<Captured>, Fault> {
    let Some(record) = Record::read(workspace).filter(|record| record.proved) else { return Ok(None) };
    let (new, old) = (folder(workspace), root.join(&record.dir));
    let unread = |why: io::Error| {
        Fault::new(Exit::Failed, "the captured files were not compared").cause(why.to_string())
    };
    let names: BTreeSet<String> = names(&new).chain(names(&old)).collect();
    let mut changes = Vec::new();
    for file in names.into_iter().filter(|file| !record.stay.contains(file)) {
        let (old, new) = (old.join(&file), new.join(&file));
        let (before, after) = (hashed(&old).map_err(unread)?, hashed(&new).map_err(unread)?);
        if before == after {
            continue;
        }
        let bytes = fs::metadata(&new).map(|about| about.len()).unwrap_or_default();
        let difference = if before.is_some() { difference(&old, &new).map_err(unread)? } else { Vec::new() };
        changes.push(SeedChange { file, before, after, bytes, difference });
    }
    let tables = record.sums.iter().filter(|sum| sum.rows > 0).count() as u64;
    Ok(Some(Captured { tables, rows: record.rows(), masked: record.masked, changes }))
}

/// The seed files of a folder.
pub(crate) fn names(folder: &Path) -> impl Iterator<Item = String> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let files = entries.filter(|entry| entry.path().is_file());
    let names = files.filter_map(|entry| entry.file_name().into_string().ok());
    names.filter(|name| [".sql", ".csv"].iter().any(|end| name.to_lowercase().ends_with(end)))
}

fn hashed(file: &Path) -> io::Result<Option<String>> {
    let mut source = match File::open(file) {
        Err(why) if why.kind() == io::ErrorKind::NotFound => return Ok(None),
        source => source?,
    };
    let mut hash = Sha256::new();
    io::copy(&mut source, &mut crate::blueprint::Into(&mut hash))?;
    Ok(Some(hex(&hash.finalize())))
}

/// The lines that differ, of small files; of others how many lines and bytes they have.
fn difference(old: &Path, new: &Path) -> io::Result<Vec<String>> {
    let size = |file: &Path| fs::metadata(file).map(|about| about.len()).unwrap_or_default();
    if size(old).max(size(new)) > SHOWN {
        let told =
            |file: &Path| format!("{}, {}", words::count(lines(file), "line"), words::bytes(size(file)));
        return Ok(vec![format!("-{}", told(old)), format!("+{}", told(new))]);
    }
    let text = |file: &Path| fs::read(file).map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
    let mut lines = plan::difference(&text(old)?, &text(new).unwrap_or_default());
    let more = lines.len().saturating_sub(LINES) as u64;
    lines.truncate(LINES);
    lines.extend((more > 0).then(|| format!("… {} more", words::count(more, "line"))));
    Ok(lines)
}

fn lines(file: &Path) -> u64 {
    let Ok(source) = File::open(file) else { return 0 };
    io::BufReader::new(source).split(b'\n').map_while(Result::ok).map(|_| 1).sum()
}

/// Puts the files in the place of those that were shown.
///
/// # Errors
/// A file is another one by now; the disk.
pub(crate) fn keep(
    workspace: &Workspace,
    root: &Path,
    dir: &str,
    changes: &[SeedChange],
) -> Result<(), Fault> {
    let (new, old) = (folder(workspace), root.join(dir));
    let failed = |file: &str, why: String| {
        Fault::new(Exit::Failed, format!("`{dir}/{file}` was not written")).cause(why)
    };
    for change in changes {
        let there = hashed(&old.join(&change.file)).map_err(|why| failed(&change.file, why.to_string()))?;
        if there != change.before {
            let why = "it was changed since the plan was made".to_owned();
            return Err(failed(&change.file, why).hint("run it again"));
        }
    }
    fs::create_dir_all(&old).map_err(|why| failed("", why.to_string()))?;
    for change in changes {
        let target = old.join(&change.file);
        // A link stays a link.
        let target = target.canonicalize().unwrap_or(target);
        let done = match change.after {
            Some(_) => put(&new.join(&change.file), &target),
            None => fs::remove_file(&target),
        };
        done.map_err(|why| failed(&change.file, why.to_string()))?;
    }
    discard(workspace)
}

/// In one piece, also from another file system.
fn put(from: &Path, to: &Path) -> io::Result<()> {
    if fs::rename(from, to).is_ok() {
        return Ok(());
    }
    let mut beside = to.as_os_str().to_owned();
    beside.push(format!(".cleanslate-{}", std::process::id()));
    let beside = PathBuf::from(beside);
    let done = fs::copy(from, &beside).and_then(|_| fs::rename(&beside, to));
    if done.is_err() {
        let _ = fs::remove_file(&beside);
    }
    done
}
