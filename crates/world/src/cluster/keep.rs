//! A private cluster is moved aside, brought back, or removed.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use plan::{Exit, Fault};

use super::{Cluster, failed};
use crate::workspace::random_hex;

impl Cluster {
    /// Moves the data directory aside. Nothing is copied, so nothing can be forgotten.
    pub fn keep(&self, n: u32) -> Result<PathBuf, Fault> {
        let kept = self.kept_folder(n);
        self.must_stand_still()?;
        fs::rename(&self.folder, &kept).map_err(|why| failed("the local cluster was not kept", &why))?;
        Ok(kept)
    }

    pub fn restore(&self, kept: &Path) -> Result<(), Fault> {
        if self.folder.exists() {
            return Err(Fault::new(Exit::Refused, "the kept cluster was not restored")
                .cause(format!("`{}` exists", self.folder.display())));
        }
        fs::rename(kept, &self.folder).map_err(|why| failed("the kept cluster was not restored", &why))
    }

    pub fn remove(&self) -> Result<(), Fault> {
        self.must_stand_still()?;
        // Out of its name first: half a cluster never stands under the name of a whole one.
        let removing = self.folder.with_extension(format!("removing-{}", random_hex(4)?));
        fs::rename(&self.folder, &removing)
            .map_err(|why| failed("the local cluster was not removed", &why))?;
        remove_folder(&removing)?;
        self.sweep();
        // What no cluster uses any more.
        let _ = fs::remove_dir_all(&self.socket);
        Ok(())
    }

    /// Removes a cluster that was kept.
    pub fn forget(&self, kept: &Path) -> Result<(), Fault> {
        if *kept == *self.folder {
            return Err(Fault::new(Exit::Refused, "the local cluster is no kept one"));
        }
        remove_folder(kept)
    }

    pub fn kept_folder(&self, n: u32) -> PathBuf {
        self.folder.with_extension(format!("kept_{n}"))
    }

    /// Bytes of the data directory.
    pub fn bytes(folder: &Path) -> u64 {
        let entries = fs::read_dir(folder).into_iter().flatten().flatten();
        let size = |entry: fs::DirEntry| match entry.metadata() {
            Ok(found) if found.is_dir() => Self::bytes(&entry.path()),
            Ok(found) => found.blocks() * 512,
            Err(_) => 0,
        };
        entries.map(size).sum()
    }

    fn must_stand_still(&self) -> Result<(), Fault> {
        self.await_end();
        match self.postmaster() {
            None => Ok(()),
            Some(_) => Err(Fault::new(Exit::Refused, "the local cluster is running")
                .cause("its folder stays while it does")),
        }
    }

    /// Removes what a run that was killed left of a cluster being made or being removed.
    pub(super) fn sweep(&self) {
        let Some((place, id)) = self.folder.parent().zip(self.folder.file_name()) else { return };
        let halves =
            ["making", "removing", "password"].map(|half| format!("{}.{half}", id.to_string_lossy()));
        for entry in fs::read_dir(place).into_iter().flatten().flatten() {
            let name = entry.file_name().to_string_lossy().into_owned();
            // A file that was being replaced, by the password of a cluster being made.
            let replaced = name.starts_with(&*id.to_string_lossy())
                && entry.path().extension().is_some_and(|end| end == "new");
            if replaced || halves.iter().any(|half| name.starts_with(half)) {
                // What can't go now goes next time: nothing reads it.
                let _ = fs::remove_dir_all(entry.path()).or_else(|_| fs::remove_file(entry.path()));
            }
        }
    }
}

fn remove_folder(folder: &Path) -> Result<(), Fault> {
    match fs::remove_dir_all(folder) {
        Err(why) if why.kind() != std::io::ErrorKind::NotFound => {
            Err(failed(&format!("`{}` was not removed", folder.display()), &why))
        }
        _ => Ok(()),
    }
}
