//! Notes about databases that are being created and may have no label yet: a file each, which its writer holds locked.
//! The kernel lets go of it however that process ends, so a note that nobody holds tells of a run that was killed.

use std::fs::{self, File, TryLockError};
use std::path::{Path, PathBuf};

use plan::{DatabaseName, Exit, Fault};

use crate::workspace::{hex, make_folder};

const FOLDER: &str = "unlabelled";

/// A note of this run's own.
pub(crate) struct Note {
    path: PathBuf,
    /// Locked for as long as it is open.
    _file: File,
}

impl Note {
    /// Notes a database before it is created.
    pub fn write(state: &Path, database: &DatabaseName) -> Result<Self, Fault> {
        let path = place(state, database);
        let write = || {
            let file = File::create(&path)?;
            file.lock()?;
            fs::write(&path, database.as_str())?;
            // With its name in the folder: after a crash of the machine the database may be there, so must be its note.
            file.sync_all().map(|()| file)
        };
        make_folder(&state.join(FOLDER), 0o700)?;
        let file = write().map_err(|why| {
            Fault::new(Exit::Failed, format!("`{}` can't be written", path.display())).cause(why.to_string())
        })?;
        Ok(Self { path, _file: file })
    }

    /// Its label tells from here on.
    pub fn remove(self) {
        // One that stays is about a database that has a label, and tells nothing.
        let _ = fs::remove_file(&self.path);
    }
}

/// The name is any text, and a file's is not.
fn place(state: &Path, database: &DatabaseName) -> PathBuf {
    state.join(FOLDER).join(hex(database.as_str().as_bytes()))
}

/// What runs that did not end were creating.
pub(crate) fn left(state: &Path) -> Vec<String> {
    let notes = fs::read_dir(state.join(FOLDER)).into_iter().flatten().flatten();
    let is_left = |path: &PathBuf| {
        let is_held = |file: File| matches!(file.try_lock_shared(), Err(TryLockError::WouldBlock));
        File::open(path).is_ok_and(|file| !is_held(file))
    };
    let left = notes.map(|note| note.path()).filter(is_left);
    left.filter_map(|path| fs::read_to_string(path).ok()).collect()
}

/// Whether there is a note of it, whoever wrote it.
pub(crate) fn is_noted(state: &Path, database: &DatabaseName) -> bool {
    place(state, database).exists()
}

/// It is gone.
pub(crate) fn forget(state: &Path, database: &DatabaseName) {
    let _ = fs::remove_file(place(state, database));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_note_tells_nothing_while_its_writer_lives() {
        let state = tempfile::tempdir().unwrap();
        let odd = DatabaseName::new("a/b\nc").unwrap();

        let note = Note::write(state.path(), &odd).unwrap();
        assert!(left(state.path()).is_empty() && is_noted(state.path(), &odd));
        drop(note);
        assert_eq!(left(state.path()), ["a/b\nc"]);
        forget(state.path(), &odd);

        assert!(left(state.path()).is_empty() && !is_noted(state.path(), &odd));
    }
}
