//! A program to be run: on a screen, or with its output captured.

use std::ffi::{OsStr, OsString};
use std::io::{Read, Write as _};
use std::os::unix::process::{CommandExt as _, ExitStatusExt as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use nix::sys::signal::{Signal, kill, killpg};
use nix::unistd::Pid;

use crate::Screen;

/// A test that waits longer has hung. Generous, since machines under load are slow.
pub(crate) const DEADLINE: Duration = Duration::from_mins(1);
/// Once a program has ended its output ends too, unless a process that it left behind holds it open.
const HELD: Duration = Duration::from_secs(2);

/// A program, its arguments and its surroundings.
#[derive(Debug, Clone)]
pub struct Launch {
    pub(crate) program: PathBuf,
    pub(crate) args: Vec<OsString>,
    pub(crate) env: Vec<(OsString, Option<OsString>)>,
    pub(crate) folder: PathBuf,
    pub(crate) deadline: Duration,
}

/// A binary of the workspace, beside the test's own executable: of the same profile, in the same target folder.
///
/// # Panics
/// It was not built: `cargo test` alone need not build the binaries of other crates.
#[must_use]
pub fn binary(name: &str) -> PathBuf {
    let built = profile().join(name);
    assert!(built.exists(), "{} is missing: run `cargo build --workspace` first", built.display());
    built
}

/// Whether this run is to do without Docker and Postgres (`SLATE_TESTS=offline`). Says then what was not tested.
#[must_use]
pub fn offline(what: &str) -> bool {
    let offline = std::env::var_os("SLATE_TESTS").is_some_and(|tests| tests == "offline");
    if offline {
        eprintln!("OFFLINE: not tested: {what}");
    }
    offline
}

/// What a program reads.
#[derive(Debug, Clone, Copy)]
pub enum Stdin<'a> {
    /// `/dev/null`.
    Null,
    /// A pipe with this text in it, then its end.
    Text(&'a str),
    /// A pipe that stays open and never says anything: whoever reads it hangs.
    Silent,
}

/// What came of a program.
#[derive(Debug, Clone)]
pub struct Output {
    /// Its exit code, or 128 and the number of the signal that ended it.
    pub code: i32,
    pub stdout: String,
    pub stderr: String,
    /// Whether a process that it left behind still holds stdout or stderr open.
    pub held: bool,
}

impl Launch {
    /// A program in the present folder with the present environment.
    ///
    /// # Panics
    /// The present folder is gone.
    #[must_use]
    pub fn new(program: impl AsRef<Path>) -> Self {
        Self {
            program: program.as_ref().to_owned(),
            args: Vec::new(),
            env: Vec::new(),
            folder: std::env::current_dir().expect("the present folder"),
            deadline: DEADLINE,
        }
    }

    /// An example of the crate that is tested.
    ///
    /// # Panics
    /// It was not built.
    #[must_use]
    pub fn example(name: &str) -> Self {
        // `cargo test` builds examples too, in a folder beside the one of the tests.
        let built = profile().join("examples").join(name);
        assert!(built.exists(), "{} is not built: cargo build --examples", built.display());
        Self::new(built)
    }

    #[must_use]
    pub fn program(&self) -> &Path {
        &self.program
    }

    #[must_use]
    pub fn args(mut self, args: impl IntoIterator<Item = impl AsRef<OsStr>>) -> Self {
        self.args.extend(args.into_iter().map(|arg| arg.as_ref().to_owned()));
        self
    }

    #[must_use]
    pub fn env(mut self, name: impl AsRef<OsStr>, value: impl AsRef<OsStr>) -> Self {
        self.env.push((name.as_ref().to_owned(), Some(value.as_ref().to_owned())));
        self
    }

    #[must_use]
    pub fn without_env(mut self, name: impl AsRef<OsStr>) -> Self {
        self.env.push((name.as_ref().to_owned(), None));
        self
    }

    #[must_use]
    pub fn folder(mut self, folder: impl AsRef<Path>) -> Self {
        folder.as_ref().clone_into(&mut self.folder);
        self
    }

    /// After this it is killed, and the test fails.
    #[must_use]
    pub fn deadline(mut self, deadline: Duration) -> Self {
        self.deadline = deadline;
        self
    }

    /// Starts it in a pseudo-terminal of this size.
    ///
    /// # Panics
    /// There is no such program, or no pseudo-terminal.
    #[must_use]
    pub fn screen(&self, columns: u16, rows: u16) -> Screen {
        Screen::start(self, columns, rows)
    }

    /// Runs it, and kills it alone once the time is over: what it started goes on. Its code, when it was quicker.
    ///
    /// # Panics
    /// There is no such program.
    #[must_use]
    pub fn kill_after(&self, time: Duration) -> Option<i32> {
        let mut command = self.command();
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        let spawned = {
            let _quiet = spawning();
            command.spawn()
        };
        let mut child = spawned.unwrap_or_else(|error| panic!("{}: {error}", self.program.display()));
        let pid = Pid::from_raw(i32::try_from(child.id()).expect("a process id"));
        let (exited, exit) = channel();
        thread::spawn(move || exited.send(child.wait()));
        if let Ok(status) = exit.recv_timeout(time) {
            return status.expect("its status").code();
        }
        // It may end by itself in this moment.
        let _ = kill(pid, Signal::SIGKILL);
        exit.recv_timeout(self.deadline).expect("its end").expect("its status").code()
    }

    fn command(&self) -> Command {
        let mut command = Command::new(&self.program);
        command.args(&self.args).current_dir(&self.folder).process_group(0);
        for (name, value) in &self.env {
            match value {
                Some(value) => command.env(name, value),
                None => command.env_remove(name),
            };
        }
        command
    }

    /// Runs it to its end.
    ///
    /// # Panics
    /// There is no such program, or it outlived the deadline.
    #[must_use]
    pub fn run(&self, stdin: Stdin<'_>) -> Output {
        let mut command = self.command();
        let null = matches!(stdin, Stdin::Null);
        command.stdin(if null { Stdio::null() } else { Stdio::piped() });
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        let spawned = {
            let _quiet = spawning();
            command.spawn()
        };
        let mut child = spawned.unwrap_or_else(|error| panic!("{}: {error}", self.program.display()));
        let mut pipe = child.stdin.take();
        if let Stdin::Text(text) = stdin {
            // Who does not read is no failure: the pipe breaks.
            let _ = pipe.take().map(|mut pipe| pipe.write_all(text.as_bytes()));
        }
        let (ended, end) = channel();
        let stdout = gather(child.stdout.take().expect("a pipe"), ended.clone());
        let stderr = gather(child.stderr.take().expect("a pipe"), ended);
        let group = Pid::from_raw(i32::try_from(child.id()).expect("a process id"));
        let (exited, exit) = channel();
        thread::spawn(move || exited.send(child.wait()));
        let Ok(status) = exit.recv_timeout(self.deadline) else {
            let _ = killpg(group, Signal::SIGKILL);
            panic!("{self:?} still ran after {:?}\n{}\n{}", self.deadline, seen(&stdout), seen(&stderr));
        };
        let status = status.expect("its status");
        let held = !both_ended(&end);
        drop(pipe);
        let code = status.code().unwrap_or_else(|| 128 + status.signal().unwrap_or(0));
        Output { code, stdout: seen(&stdout), stderr: seen(&stderr), held }
    }
}

impl Output {
    /// The one JSON object that stdout has to be, and nothing else.
    ///
    /// # Panics
    /// It is anything else.
    #[must_use]
    pub fn json(&self) -> serde_json::Value {
        let value = serde_json::from_str(&self.stdout);
        value.unwrap_or_else(|error| panic!("stdout is no JSON object: {error}\n{self:?}"))
    }

    /// # Panics
    /// It ended with another code.
    #[must_use]
    #[track_caller]
    pub fn expect_code(self, code: i32) -> Self {
        assert_eq!(self.code, code, "\n--- stdout\n{}\n--- stderr\n{}", self.stdout, self.stderr);
        self
    }
}

/// Held while a program starts, and while an executable is written: a child that is forked in between holds the file
/// open for writing until it becomes its own program, and the kernel runs no file that is being written (ETXTBSY).
pub(crate) fn spawning() -> MutexGuard<'static, ()> {
    static SPAWNING: Mutex<()> = Mutex::new(());
    SPAWNING.lock().unwrap_or_else(PoisonError::into_inner)
}

/// `target/debug`, say: tests lie in a folder `deps` below it.
fn profile() -> PathBuf {
    let test = std::env::current_exe().expect("the test itself");
    test.ancestors().nth(2).expect("target/debug").to_owned()
}

type Gathered = Arc<Mutex<Vec<u8>>>;

/// Reads on a thread; says when there is no more.
fn gather(mut from: impl Read + Send + 'static, ended: Sender<()>) -> Gathered {
    let gathered = Gathered::default();
    let shared = Arc::clone(&gathered);
    thread::spawn(move || {
        let mut buffer = [0; 8192];
        while let Ok(read @ 1..) = from.read(&mut buffer) {
            let bytes = buffer.get(..read).unwrap_or_default();
            shared.lock().unwrap_or_else(PoisonError::into_inner).extend_from_slice(bytes);
        }
        let _ = ended.send(());
    });
    gathered
}

fn both_ended(end: &Receiver<()>) -> bool {
    (0..2).all(|_| end.recv_timeout(HELD).is_ok())
}

fn seen(gathered: &Gathered) -> String {
    String::from_utf8_lossy(&gathered.lock().unwrap_or_else(PoisonError::into_inner)).into_owned()
}
