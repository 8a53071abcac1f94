//! What we remember beside the engine: volumes that our own `up` made, and what a clean kept. One JSON file in the
//! workspace's state folder.

use std::collections::BTreeMap;
use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use plan::{DatabaseName, Exit, Fault, Kept, KeptPlace, VolumeName, Workspace};
use serde::{Deserialize, Serialize};

use crate::workspace::replace_file;

/// The records of one workspace. Every change is on disk when its method returns.
#[derive(Debug)]
pub(crate) struct Records {
    file: PathBuf,
    book: Book,
}

#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Book {
    /// Volumes that our `up` made, or that somebody told us to adopt: name, and what tells it from a later one.
    made: BTreeMap<VolumeName, String>,
    kept: Vec<Kept>,
    /// The highest number given. Never given again.
    last_kept: u32,
    /// How the settings of a database were when it was marked, by its oid.
    settings: BTreeMap<u32, String>,
    /// Databases of external servers that somebody adopted: the server's identifier, and the name.
    adopted: Vec<(String, DatabaseName)>,
}

impl Records {
    /// # Errors
    /// The file can't be read, or somebody changed it.
    pub fn read(workspace: &Workspace) -> Result<Self, Fault> {
        let file = workspace.state.join("records.json");
        let text = match fs::read(&file) {
            Ok(text) => text,
            Err(why) if why.kind() == ErrorKind::NotFound => return Ok(Self { file, book: Book::default() }),
            Err(why) => return Err(broken(&file, &why.to_string())),
        };
        let book = serde_json::from_slice(&text).map_err(|why| broken(&file, &why.to_string()))?;
        Ok(Self { file, book })
    }

    /// What is kept, oldest first.
    pub fn kept(&self) -> Vec<Kept> {
        self.book.kept.clone()
    }

    /// The highest number that anything was ever kept under.
    pub fn last_kept(&self) -> u32 {
        self.book.kept.iter().map(|kept| kept.n).fold(self.book.last_kept, u32::max)
    }

    /// Takes a number, so that nothing else is kept under it even when this attempt fails.
    ///
    /// # Errors
    /// The file can't be written.
    pub fn reserve(&mut self, n: u32) -> Result<(), Fault> {
        self.change(|book| book.last_kept = book.last_kept.max(n))
    }

    /// Writes down that something is kept, whole.
    ///
    /// # Errors
    /// The file can't be written.
    pub fn keep(&mut self, kept: Kept) -> Result<(), Fault> {
        self.change(|book| {
            book.last_kept = book.last_kept.max(kept.n);
            book.kept.retain(|other| other.place != kept.place);
            book.kept.push(kept);
        })
    }

    /// # Errors
    /// The file can't be written.
    pub fn forget_volume(&mut self, copy: &VolumeName) -> Result<(), Fault> {
        let is_it =
            |kept: &Kept| matches!(&kept.place, KeptPlace::Volume { copy: other, .. } if other == copy);
        self.change(|book| book.kept.retain(|kept| !is_it(kept)))
    }

    /// # Errors
    /// The file can't be written.
    pub fn forget_cluster(&mut self, n: u32) -> Result<(), Fault> {
        let is_it = |kept: &Kept| kept.n == n && matches!(kept.place, KeptPlace::Cluster { .. });
        self.change(|book| book.kept.retain(|kept| !is_it(kept)))
    }

    /// The complete copy of a volume under this name.
    pub fn copy(&self, copy: &VolumeName) -> Option<&Kept> {
        let is_it =
            |kept: &&Kept| matches!(&kept.place, KeptPlace::Volume { copy: other, .. } if other == copy);
        self.book.kept.iter().find(is_it)
    }

    /// Whether this workspace adopted that database of that server.
    pub fn is_adopted(&self, system_identifier: &str, database: &DatabaseName) -> bool {
        self.book.adopted.iter().any(|(server, name)| server == system_identifier && name == database)
    }

    /// # Errors
    /// The file can't be written.
    pub fn adopt(&mut self, system_identifier: &str, database: &DatabaseName) -> Result<(), Fault> {
        if self.is_adopted(system_identifier, database) {
            return Ok(());
        }
        self.change(|book| book.adopted.push((system_identifier.to_owned(), database.clone())))
    }

    /// How the settings of a database were when it was marked.
    pub fn settings(&self, oid: u32) -> Option<&String> {
        self.book.settings.get(&oid)
    }

    /// Notes how the settings of a database are, and forgets those of databases that are gone.
    ///
    /// # Errors
    /// The file can't be written.
    pub fn note_settings(&mut self, oid: u32, settings: String, there: &[u32]) -> Result<(), Fault> {
        self.change(|book| {
            book.settings.retain(|known, _| there.contains(known));
            book.settings.insert(oid, settings);
        })
    }

    /// What told the volume of this name that we made from others.
    pub fn made(&self, volume: &VolumeName) -> Option<&str> {
        self.book.made.get(volume).map(String::as_str)
    }

    /// Volumes that we made and that say no more of themselves than this.
    pub fn unnamed(&self, said: &str) -> impl Iterator<Item = &VolumeName> {
        self.book.made.iter().filter(move |(_, made)| *made == said).map(|(name, _)| name)
    }

    pub fn has_made(&self, volume: &VolumeName) -> bool {
        self.book.made.contains_key(volume)
    }

    /// # Errors
    /// The file can't be written.
    pub fn make(&mut self, volumes: impl IntoIterator<Item = (VolumeName, String)>) -> Result<(), Fault> {
        let new: Vec<_> =
            volumes.into_iter().filter(|(name, created)| self.made(name) != Some(created)).collect();
        if new.is_empty() { Ok(()) } else { self.change(|book| book.made.extend(new)) }
    }

    /// # Errors
    /// The file can't be written.
    pub fn unmake(&mut self, volume: &VolumeName) -> Result<(), Fault> {
        if self.has_made(volume) { self.change(|book| drop(book.made.remove(volume))) } else { Ok(()) }
    }

    fn change(&mut self, change: impl FnOnce(&mut Book)) -> Result<(), Fault> {
        change(&mut self.book);
        let text = serde_json::to_vec_pretty(&self.book).map_err(|why| {
            Fault::new(Exit::Failed, format!("`{}` was not written", self.file.display()))
                .cause(why.to_string())
        })?;
        replace_file(&self.file, &text)
    }
}

fn broken(file: &Path, why: &str) -> Fault {
    Fault::new(Exit::Failed, format!("`{}` is not understood", file.display()))
        .cause(why)
        .state("nothing was changed; kept volumes carry the label dev.cleanslate.kind=kept")
        .hint("docker volume ls --filter label=dev.cleanslate.kind=kept")
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    fn workspace(state: &Path) -> Workspace {
        let id = "0123456789abcdef".to_owned();
        Workspace {
            root: state.to_owned(),
            id,
            state: state.to_owned(),
            first: true,
            called: "slate-".to_owned(),
            on_top: Vec::new(),
        }
    }

    fn kept(n: u32, copy: &str) -> Kept {
        let (copy, of) = (VolumeName::new(copy).unwrap(), VolumeName::new("shop_data").unwrap());
        let place = KeptPlace::Volume { copy, of, labels: BTreeMap::new() };
        Kept { n, at: jiff::Timestamp::UNIX_EPOCH, bytes: 5, place }
    }

    #[test]
    fn what_was_written_down_is_read_again() {
        let state = tempfile::tempdir().unwrap();
        let workspace = workspace(state.path());
        let volume = VolumeName::new("shop_data").unwrap();

        let mut records = Records::read(&workspace).unwrap();
        records.keep(kept(3, "shop_data_kept_3")).unwrap();
        records.make([(volume.clone(), "then".to_owned())]).unwrap();

        let records = Records::read(&workspace).unwrap();
        assert_eq!(records.kept(), [kept(3, "shop_data_kept_3")]);
        assert_eq!(records.made(&volume), Some("then"));
        let mode = fs::metadata(state.path().join("records.json")).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }

    #[test]
    fn a_number_is_never_given_twice() {
        let state = tempfile::tempdir().unwrap();
        let workspace = workspace(state.path());
        let mut records = Records::read(&workspace).unwrap();

        records.keep(kept(7, "copy")).unwrap();
        records.forget_volume(&VolumeName::new("copy").unwrap()).unwrap();

        assert_eq!(Records::read(&workspace).unwrap().last_kept(), 7);
    }

    #[test]
    fn a_broken_file_is_named() {
        let state = tempfile::tempdir().unwrap();
        fs::write(state.path().join("records.json"), "{\"made\": 3").unwrap();

        let fault = Records::read(&workspace(state.path())).unwrap_err();

        assert!(fault.error.contains("records.json") && fault.cause.is_some(), "{fault}");
    }
}
