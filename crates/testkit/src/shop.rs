//! A workspace with a private cluster of its own, for tests on real Postgres. Dropped, its server is stopped and its
//! files are gone.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::{Launch, Output, Sandbox, Stdin, binary};

const TOML: &str = "[database]\nserver = \"local\"\nname = \"shop\"\n\n[migrations]\ntool = \"sql\"\ndir = \"migrations\"\n\n\
                    [seeds]\ndir = \"seeds\"\n";
const BASELINE: &str = "CREATE TABLE goods (id int PRIMARY KEY, name text NOT NULL);\n\
                        CREATE TABLE sold (id int PRIMARY KEY, goods int REFERENCES goods);\n";
const SEEDS: &str = "INSERT INTO goods VALUES (1, 'lamp'), (2, 'rug');\n";

/// A record of two goods, on a `local` server.
#[derive(Debug)]
pub struct Shop {
    sandbox: Sandbox,
}

impl Shop {
    /// A workspace with configuration, baseline and seeds; no cluster yet.
    ///
    /// # Panics
    /// There is no room for it.
    #[must_use]
    pub fn new() -> Self {
        Self::of(Sandbox::new())
    }

    /// As [`Shop::new`], in a sandbox that is there.
    ///
    /// # Panics
    /// As [`Shop::new`].
    #[must_use]
    pub fn of(sandbox: Sandbox) -> Self {
        let shop = Self { sandbox };
        // Postgres runs as another account when we are root, and has to get through to its files.
        for folder in [shop.root(), shop.sandbox.state()] {
            fs::set_permissions(folder, fs::Permissions::from_mode(0o755)).expect("its mode");
        }
        shop.write("cleanslate.toml", TOML);
        shop.write("migrations/1_baseline.sql", BASELINE);
        shop.write("seeds/1_goods.sql", SEEDS);
        shop
    }

    /// As [`Shop::new`], with its cluster made, running and filled.
    ///
    /// # Panics
    /// `slate-up` fails.
    #[must_use]
    #[track_caller]
    pub fn open() -> Self {
        let shop = Self::new();
        shop.up();
        shop
    }

    /// # Panics
    /// `slate-up` fails.
    #[track_caller]
    pub fn up(&self) {
        let _ = self.run("slate-up", &[]).expect_code(0);
    }

    #[must_use]
    pub fn sandbox(&self) -> &Sandbox {
        &self.sandbox
    }

    pub fn sandbox_mut(&mut self) -> &mut Sandbox {
        &mut self.sandbox
    }

    /// Everything of it.
    ///
    /// # Panics
    /// Never: a sandbox has a folder around it.
    #[must_use]
    pub fn root(&self) -> PathBuf {
        self.sandbox.home().parent().expect("a folder around it").to_owned()
    }

    /// Writes a file of the workspace.
    ///
    /// # Panics
    /// It can't be written.
    pub fn write(&self, path: impl AsRef<Path>, text: &str) {
        self.sandbox.write(path, text);
    }

    /// Adds lines to cleanslate.toml.
    ///
    /// # Panics
    /// It can't be written.
    pub fn configure(&self, lines: &str) {
        self.write("cleanslate.toml", &format!("{TOML}{lines}\n"));
    }

    /// One of cleanslate's binaries, in this workspace.
    ///
    /// # Panics
    /// It was not built.
    #[must_use]
    pub fn launch(&self, name: &str, arguments: &[&str]) -> Launch {
        self.sandbox.launch(binary(name)).args(arguments)
    }

    /// Runs one of cleanslate's binaries to its end, with nobody to ask.
    ///
    /// # Panics
    /// It outlives the deadline.
    #[must_use]
    pub fn run(&self, name: &str, arguments: &[&str]) -> Output {
        self.launch(name, arguments).run(Stdin::Null)
    }

    /// `slate-reset --drop` without a question.
    ///
    /// # Panics
    /// It outlives the deadline.
    #[must_use]
    pub fn reset(&self) -> Output {
        self.run("slate-reset", &["--drop", "--yes", "--no-undo"])
    }

    /// `slate-reset` by a swap, without a question; waits for what it leaves to the background.
    ///
    /// # Panics
    /// It fails, or it or the background outlives the deadline.
    #[must_use]
    #[track_caller]
    pub fn swap(&self) -> Output {
        let output = self.run("slate-reset", &["--yes"]).expect_code(0);
        self.settle();
        output
    }

    /// Waits until no run of ours holds the workspace: what a reset leaves to the background does so until it is done.
    ///
    /// # Panics
    /// It is held past the deadline.
    #[track_caller]
    pub fn settle(&self) {
        assert!(self.settled(), "a run of ours still holds the workspace");
    }

    /// The process that a reset left to the background here, while it works.
    ///
    /// # Panics
    /// The processes can't be listed.
    #[must_use]
    pub fn background(&self) -> Option<Pid> {
        let work = self.sandbox.work().canonicalize().expect("the workspace");
        let ours = |process: &Path| {
            let line = fs::read(process.join("cmdline")).unwrap_or_default();
            let mut words = line.split(|byte| *byte == 0);
            words.any(|word| word == b"--tidy")
                && words.any(|word| word == work.as_os_str().as_encoded_bytes())
        };
        let processes = fs::read_dir("/proc").expect("processes").flatten().map(|entry| entry.path());
        let found = processes
            .filter(|process| ours(process))
            .find_map(|process| process.file_name()?.to_str()?.parse().ok());
        found.map(Pid::from_raw)
    }

    fn settled(&self) -> bool {
        let until = Instant::now() + Duration::from_secs(30);
        self.all_notes().iter().filter_map(|notes| fs::File::open(notes.join("lock")).ok()).all(|lock| {
            while lock.try_lock().is_err() {
                if Instant::now() > until {
                    return false;
                }
                thread::park_timeout(Duration::from_millis(5));
            }
            true
        })
    }

    /// cleanslate's own folder about this workspace: the newest, when there is more than one.
    ///
    /// # Panics
    /// There is none yet.
    #[must_use]
    pub fn notes(&self) -> PathBuf {
        let mut folders = self.all_notes();
        assert!(folders.len() == 1, "one workspace has one folder of notes: {folders:?}");
        folders.remove(0)
    }

    fn all_notes(&self) -> Vec<PathBuf> {
        let all = fs::read_dir(self.sandbox.state().join("cleanslate")).into_iter().flatten().flatten();
        all.map(|entry| entry.path()).filter(|path| path.join("workspace.json").exists()).collect()
    }

    /// The data directory of its cluster, there or not.
    ///
    /// # Panics
    /// As [`Shop::notes`].
    #[must_use]
    pub fn cluster(&self) -> PathBuf {
        let id = self.notes().file_name().expect("an id").to_owned();
        self.clusters().join(id)
    }

    /// The folder that holds its cluster, and those that a clean kept.
    #[must_use]
    pub fn clusters(&self) -> PathBuf {
        self.sandbox.state().join("cleanslate/clusters")
    }

    /// What cleanslate wrote down of the cluster: port, password or user.
    fn local(&self, key: &str) -> String {
        let text = fs::read(self.notes().join("local.json")).expect("its notes");
        let notes: serde_json::Value = serde_json::from_slice(&text).expect("JSON");
        let value = notes.get(key).expect("a note of that");
        value.as_str().map_or_else(|| value.to_string(), str::to_owned)
    }

    /// # Panics
    /// There is no cluster yet.
    #[must_use]
    pub fn password(&self) -> String {
        self.local("password")
    }

    /// # Panics
    /// There is no cluster yet.
    #[must_use]
    pub fn port(&self) -> String {
        self.local("port")
    }

    /// psql on a database of the cluster, past cleanslate.
    ///
    /// # Panics
    /// There is no cluster, or no psql.
    #[must_use]
    pub fn psql(&self, database: &str) -> Command {
        let mut command = Command::new(program("psql"));
        command
            .args(["-X", "-q", "-At", "-v", "ON_ERROR_STOP=1"])
            .env("PGHOST", "127.0.0.1")
            .env("PGPORT", self.port())
            .env("PGUSER", self.local("user"))
            .env("PGPASSWORD", self.password())
            .env("PGDATABASE", database)
            .env("PGAPPNAME", "a customer")
            .stdin(Stdio::null());
        command
    }

    /// What one statement gives.
    ///
    /// # Panics
    /// It fails.
    #[must_use]
    #[track_caller]
    pub fn ask_in(&self, database: &str, sql: &str) -> String {
        let output = self.psql(database).args(["-c", sql]).output().expect("psql");
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{sql}: {said}");
        String::from_utf8_lossy(&output.stdout).trim_end().to_owned()
    }

    /// As [`Shop::ask_in`], in the workspace's database.
    ///
    /// # Panics
    /// As [`Shop::ask_in`].
    #[must_use]
    #[track_caller]
    pub fn ask(&self, sql: &str) -> String {
        self.ask_in("shop", sql)
    }

    /// Waits until a statement in `postgres` gives this.
    ///
    /// # Panics
    /// It does not in time.
    #[track_caller]
    pub fn wait_until(&self, sql: &str, wanted: &str) {
        let until = Instant::now() + Duration::from_secs(20);
        while self.ask_in("postgres", sql) != wanted {
            assert!(Instant::now() < until, "never {wanted}: {sql}");
            thread::yield_now();
        }
    }

    /// Every database and every row in it that is not cleanslate's own, in one text.
    ///
    /// # Panics
    /// A database can't be read.
    #[must_use]
    #[track_caller]
    pub fn contents(&self) -> String {
        let names = self.ask_in(
            "postgres",
            "SELECT oid, datname, datallowconn, datconnlimit, datacl, shobj_description(oid, 'pg_database')
             FROM pg_database ORDER BY 1",
        );
        let rows = self.ask("SELECT schema_to_xml('public', true, false, '')");
        format!("{names}\n{rows}")
    }

    /// The names of the databases that are neither Postgres' nor a template.
    ///
    /// # Panics
    /// The server does not answer.
    #[must_use]
    #[track_caller]
    pub fn databases(&self) -> String {
        self.ask_in(
            "postgres",
            "SELECT string_agg(datname, ' ' ORDER BY datname) FROM pg_database
             WHERE NOT datistemplate AND datname <> 'postgres'",
        )
    }
}

impl Default for Shop {
    fn default() -> Self {
        Self::new()
    }
}

impl Drop for Shop {
    fn drop(&mut self) {
        // What a reset left to the background still writes to the server and to the notes.
        let _ = self.settled();
        let found = fs::read_dir(self.clusters()).into_iter().flatten().flatten();
        for file in found.map(|entry| entry.path().join("postmaster.pid")) {
            stop(&file);
        }
    }
}

/// The four lines of an error, the last three where they are there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Told {
    pub error: String,
    pub cause: String,
    pub state: String,
    pub hint: String,
}

impl Output {
    /// The error that it ended with: with this code, its lines last, each once and in their order, and nothing on stdout.
    ///
    /// # Panics
    /// It ended otherwise.
    #[must_use]
    #[track_caller]
    pub fn told(&self, code: i32) -> Told {
        assert_eq!((self.code, self.stdout.as_str()), (code, ""), "{self:#?}");
        let from = self.stderr.lines().position(|line| line.starts_with("error: "));
        let lines: Vec<&str> = self.stderr.lines().skip(from.unwrap_or(usize::MAX)).collect();
        let labels = ["error: ", "cause: ", "state: ", "hint:  "];
        let of = |label: &str| {
            lines.iter().find_map(|line| line.strip_prefix(label)).unwrap_or_default().to_owned()
        };
        let told =
            Told { error: of(labels[0]), cause: of(labels[1]), state: of(labels[2]), hint: of(labels[3]) };
        let texts = [&told.error, &told.cause, &told.state, &told.hint];
        let parts = labels.iter().zip(texts).filter(|(_, text)| !text.is_empty());
        let again: Vec<String> = parts.map(|(label, text)| format!("{label}{text}")).collect();
        assert_eq!(lines, again, "not the four lines of an error:\n{}", self.stderr);
        assert!(!told.error.is_empty() && !told.state.is_empty(), "no error or no state:\n{}", self.stderr);
        told
    }
}

/// Ends the server of a data directory at once: nothing in it is wanted any more.
fn stop(file: &Path) {
    let pid = || Some(Pid::from_raw(fs::read_to_string(file).ok()?.lines().next()?.trim().parse().ok()?));
    let until = Instant::now() + Duration::from_secs(10);
    while let Some(pid) = pid().filter(|pid| kill(*pid, None).is_ok()) {
        if kill(pid, Signal::SIGQUIT).is_err() || Instant::now() > until {
            return;
        }
        thread::park_timeout(Duration::from_millis(5));
    }
}

/// A Postgres program of this machine, the newest; a distribution's wrapper on PATH otherwise.
///
/// # Panics
/// The folder of the versions can't be read.
#[must_use]
pub fn program(name: &str) -> PathBuf {
    let versions = fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let number = |path: &Path| path.file_name().and_then(|name| name.to_str()?.parse::<u32>().ok());
    let newest = versions.map(|entry| entry.path()).max_by_key(|path| number(path));
    let found = newest.map(|folder| folder.join("bin").join(name)).filter(|path| path.exists());
    found.unwrap_or_else(|| PathBuf::from(name))
}
