//! A place where a program waits until a test lets it go on: neither of the two has to be quick.

use std::fs::{File, OpenOptions};
use std::io::Write as _;
use std::path::{Path, PathBuf};

use nix::sys::stat::Mode;
use nix::unistd::mkfifo;

/// A named pipe. Who reads a line from it waits until [`Gate::open`].
#[derive(Debug)]
pub struct Gate {
    path: PathBuf,
    pipe: File,
}

impl Gate {
    pub(crate) fn new(path: &Path) -> Self {
        mkfifo(path, Mode::S_IRUSR | Mode::S_IWUSR).expect("a named pipe");
        // For both, so that neither this nor the reader's open waits for the other.
        let pipe = OpenOptions::new().read(true).write(true).open(path).expect("its own pipe");
        Self { path: path.to_owned(), pipe }
    }

    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Lets one reader of a line pass.
    ///
    /// # Panics
    /// The pipe is gone.
    pub fn open(&mut self) {
        self.pipe.write_all(b"go\n").expect("a pipe");
    }
}
