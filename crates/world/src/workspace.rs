//! The workspace: its root, an id that survives a cleaned and a moved folder, and our own files about it.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{ErrorKind, Write as _};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use plan::{Exit, Fault, Workspace};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::interrupt;

/// What we remember about a workspace, in its state folder.
#[derive(Debug, Default, Serialize, Deserialize)]
struct Memory {
    root: PathBuf,
    device: u64,
    inode: u64,
    /// A reset was done here.
    reset: bool,
}

const MEMORY: &str = "workspace.json";

/// The root: the given folder, else the nearest one above with cleanslate.toml, else the git top level, else here.
///
/// # Errors
/// The folder does not exist.
pub fn root(given: Option<&Path>) -> Result<PathBuf, Fault> {
    let start = given.unwrap_or(Path::new("."));
    let start = start.canonicalize().map_err(|why| {
        Fault::new(Exit::Usage, format!("`{}` is no folder", start.display())).cause(why.to_string())
    })?;
    if given.is_some() {
        return Ok(start);
    }
    let above = |name: &str| start.ancestors().find(|folder| folder.join(name).exists()).map(Path::to_owned);
    Ok(above("cleanslate.toml").or_else(|| above(".git")).unwrap_or(start))
}

/// The workspace of a folder. A folder that took another one's place is written down by those who change something: a look
/// into a copy takes nothing from the original, should that come back.
///
/// # Errors
/// The state folder can't be made.
pub fn workspace(root: &Path, changes: bool) -> Result<Workspace, Fault> {
    let base = state_base()?;
    let _alone = alone(&base);
    let id = identify(root, &base)?;
    let state = base.join(&id);
    let mut memory = Memory::read(&state).unwrap_or_default();
    let is_new = memory.root.as_os_str().is_empty();
    if memory.root != root && (changes || is_new) {
        let found = fs::metadata(root).map_err(|why| unreadable(root, &why))?;
        memory = Memory { root: root.to_owned(), device: found.dev(), inode: found.ino(), ..memory };
        memory.write(&state)?;
    }
    Ok(Workspace {
        root: root.to_owned(),
        id,
        state,
        first: !memory.reset,
        called: called(),
        on_top: on_top(),
    })
}

/// Held while a workspace gets its id: of several first runs at once one gives it, the others find it.
fn alone(base: &Path) -> Option<File> {
    let file = OpenOptions::new().write(true).create(true).truncate(false).open(base.join("lock")).ok()?;
    // Where there are no locks, two first runs at the same moment are the smaller evil.
    file.lock().ok().map(|()| file)
}

/// Remembers that a reset was done here.
///
/// # Errors
/// The state folder can't be written.
pub fn remember_reset(workspace: &Workspace) -> Result<(), Fault> {
    let memory = Memory::read(&workspace.state).unwrap_or_default();
    if memory.reset { Ok(()) } else { Memory { reset: true, ..memory }.write(&workspace.state) }
}

/// Where the folders of all workspaces are.
///
/// # Errors
/// It can't be made.
pub fn state_base() -> Result<PathBuf, Fault> {
    let absolute = |name: &str| std::env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
    let base = absolute("XDG_STATE_HOME").or_else(|| Some(absolute("HOME")?.join(".local/state")));
    let base = base.ok_or_else(|| {
        Fault::new(Exit::Usage, "there is no place for cleanslate's own files")
            .cause("neither XDG_STATE_HOME nor HOME is an absolute path")
            .hint("export XDG_STATE_HOME=/var/lib")
    })?;
    let base = base.join("cleanslate");
    make_folder(&base, 0o711)?;
    Ok(base)
}

/// Makes a folder with all above it; an existing one stays as it is.
pub(crate) fn make_folder(folder: &Path, mode: u32) -> Result<(), Fault> {
    if folder.is_dir() {
        return Ok(());
    }
    if let Some(above) = folder.parent() {
        fs::create_dir_all(above).map_err(|why| unwritable(folder, &why))?;
    }
    match fs::DirBuilder::new().mode(mode).create(folder) {
        Err(why) if why.kind() != ErrorKind::AlreadyExists => Err(unwritable(folder, &why)),
        _ => Ok(()),
    }
}

fn unwritable(path: &Path, why: &std::io::Error) -> Fault {
    let hint = match why.kind() {
        ErrorKind::StorageFull => {
            "make room on that disk, or set XDG_STATE_HOME to a folder on another; where a local cluster is on it, \
             slate-undo --gc gives up what it keeps"
        }
        _ => "XDG_STATE_HOME names the folder that cleanslate keeps its files in",
    };
    Fault::new(Exit::Failed, format!("`{}` can't be made", path.display())).cause(why.to_string()).hint(hint)
}

fn unreadable(path: &Path, why: &std::io::Error) -> Fault {
    Fault::new(Exit::Failed, format!("`{}` can't be read", path.display())).cause(why.to_string())
}

/// How the person calls us: recipes export `SLATE_RECIPE`, which begins as their names do.
fn called() -> String {
    let called = match std::env::var_os("SLATE_RECIPE") {
        Some(told) if told.to_string_lossy().starts_with("db-") => "just db-",
        Some(_) => "just db ",
        None => "slate-",
    };
    called.to_owned()
}

/// `SLATE_RECIPE=db:up,down` names the daily recipes that have a place at the top of the justfile; a bare `db` says all.
fn on_top() -> Vec<String> {
    let told = std::env::var("SLATE_RECIPE").unwrap_or_default();
    told.split_once(':').map_or_else(Vec::new, |(_, names)| names.split(',').map(str::to_owned).collect())
}

/// The id: in the git folder where there is one, which neither a clean nor a move takes away; else found again by the
/// root's path, or by its inode after a move.
fn identify(root: &Path, base: &Path) -> Result<String, Fault> {
    let Some(file) = id_file(root) else { return remembered(root, base) };
    match read_id(&file) {
        Some(id) if is_copied(&id, root, base) => {
            let id = fresh_id()?;
            write_new(&file, &id, true).map_or_else(|_| remembered(root, base), |()| Ok(id))
        }
        Some(id) => Ok(id),
        None => {
            let id = remembered(root, base)?;
            // A read-only git folder: the path has to do.
            let _ = write_new(&file, &id, false);
            Ok(read_id(&file).unwrap_or(id))
        }
    }
}

/// Another folder with the same id stands where this id was last seen: one of the two was copied from the other.
fn is_copied(id: &str, root: &Path, base: &Path) -> bool {
    Memory::read(&base.join(id)).is_some_and(|memory| {
        memory.root != root && id_file(&memory.root).and_then(|file| read_id(&file)).as_deref() == Some(id)
    })
}

/// The file that holds the id, inside the git folder that `root` belongs to. One for each workspace of a repository.
fn id_file(root: &Path) -> Option<PathBuf> {
    let top = root.ancestors().find(|folder| folder.join(".git").exists())?;
    let dot_git = top.join(".git");
    let git = if dot_git.is_dir() {
        dot_git
    } else {
        // A worktree or submodule: the file says where its own git folder is.
        let text = fs::read_to_string(&dot_git).ok()?;
        top.join(text.strip_prefix("gitdir:")?.trim()).canonicalize().ok()?
    };
    let below = root.strip_prefix(top).ok()?.to_string_lossy().into_owned();
    let name =
        if below.is_empty() { "workspace".to_owned() } else { format!("workspace-{}", short_hash(&below)) };
    Some(git.join("cleanslate").join(name))
}

fn read_id(file: &Path) -> Option<String> {
    let id = fs::read_to_string(file).ok()?.trim().to_owned();
    (id.len() == 16 && id.chars().all(|c| c.is_ascii_hexdigit())).then_some(id)
}

fn write_new(file: &Path, id: &str, replace: bool) -> std::io::Result<()> {
    if let Some(folder) = file.parent() {
        fs::create_dir_all(folder)?;
    }
    // Two first runs at once: one makes the file, the other reads it.
    let mut file =
        OpenOptions::new().write(true).create(true).create_new(!replace).truncate(replace).open(file)?;
    writeln!(file, "{id}")
}

/// The id of the workspace that had this path, or this inode at a path that is gone.
fn remembered(root: &Path, base: &Path) -> Result<String, Fault> {
    let here = fs::metadata(root).map_err(|why| unreadable(root, &why))?;
    let known = || {
        let entries = fs::read_dir(base).ok()?;
        let memories =
            entries.flatten().filter_map(|entry| Some((entry.file_name(), Memory::read(&entry.path())?)));
        let memories: Vec<_> = memories.collect();
        let by_path = memories.iter().find(|(_, memory)| memory.root == root);
        let moved = |memory: &Memory| {
            (memory.device, memory.inode) == (here.dev(), here.ino()) && !memory.root.exists()
        };
        let by_inode = || memories.iter().find(|(_, memory)| moved(memory));
        by_path.or_else(by_inode).map(|(id, _)| id.to_string_lossy().into_owned())
    };
    known().map_or_else(fresh_id, Ok)
}

fn fresh_id() -> Result<String, Fault> {
    random_hex(8)
}

/// Random bytes in hexadecimal.
pub(crate) fn random_hex(bytes: usize) -> Result<String, Fault> {
    let mut buffer = vec![0; bytes];
    getrandom::fill(&mut buffer).map_err(|why| {
        Fault::new(Exit::Failed, "the system gives no random numbers").cause(why.to_string())
    })?;
    Ok(hex(&buffer))
}

/// Bytes in hexadecimal.
pub(crate) fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;

    bytes.iter().fold(String::new(), |mut out, byte| {
        let _ = write!(out, "{byte:02x}");
        out
    })
}

fn short_hash(text: &str) -> String {
    let mut hash = hex(&Sha256::digest(text));
    hash.truncate(8);
    hash
}

impl Memory {
    fn read(state: &Path) -> Option<Self> {
        serde_json::from_slice(&fs::read(state.join(MEMORY)).ok()?).ok()
    }

    fn write(&self, state: &Path) -> Result<(), Fault> {
        make_folder(state, 0o700)?;
        let text = serde_json::to_vec_pretty(self).unwrap_or_default();
        replace_file(&state.join(MEMORY), &text)
    }
}

/// Writes a file so that at every moment either the old or the new one is there, whole. Mode 0600.
pub(crate) fn replace_file(path: &Path, bytes: &[u8]) -> Result<(), Fault> {
    let beside = path.with_extension(format!("{}.new", std::process::id()));
    let write = || {
        let mut file =
            OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&beside)?;
        file.write_all(bytes)?;
        file.sync_all()?;
        fs::rename(&beside, path)
    };
    write().map_err(|why| {
        let _ = fs::remove_file(&beside);
        unwritable(path, &why)
    })
}

/// Holds the workspace against a second run of ours, until the last one of it is dropped, in another process too.
#[derive(Debug, Clone)]
pub struct Held {
    file: Arc<File>,
}

impl Held {
    /// For a program to hold it too.
    pub(crate) fn handle(&self) -> Option<File> {
        self.file.try_clone().ok()
    }
}

/// Waits until no other run of ours holds the workspace.
///
/// # Errors
/// Another run holds it longer than `timeout`, or the person asked to stop.
pub fn hold(workspace: &Workspace, command: &str, timeout: Duration) -> Result<Held, Fault> {
    let path = workspace.state.join("lock");
    let mut file = OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .mode(0o600)
        .open(&path)
        .map_err(|why| unwritable(&path, &why))?;
    let begun = Instant::now();
    loop {
        match file.try_lock() {
            Ok(()) => break,
            Err(TryLockError::Error(why)) => return Err(unwritable(&path, &why)),
            Err(TryLockError::WouldBlock) if interrupt::asked() => {
                return Err(Fault::new(Exit::Declined, "interrupted").state("nothing was changed"));
            }
            Err(TryLockError::WouldBlock) if begun.elapsed() > timeout => {
                let holder = fs::read_to_string(&path).unwrap_or_default();
                return Err(Fault::new(Exit::NotReady, "another run of cleanslate is at work here")
                    .cause(holder.trim())
                    .state("nothing was changed"));
            }
            Err(TryLockError::WouldBlock) => std::thread::park_timeout(Duration::from_millis(5)),
        }
    }
    // Only for the message above: the lock itself is the kernel's.
    let _ = file.set_len(0).and_then(|()| writeln!(file, "{command} (process {})", std::process::id()));
    Ok(Held { file: Arc::new(file) })
}
