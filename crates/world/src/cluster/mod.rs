//! The private cluster of a `local` server: made, started, stopped, kept and restored on this machine.

use std::fs;
use std::net::{Ipv4Addr, TcpListener};
use std::os::unix::fs::{MetadataExt, chown};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use plan::{
    Address, Config, DatabaseName, Exit, Fault, Kind, Outcome, Outside, RoleName, Secret, Server,
    ServerState, Workspace,
};
use rustix::process::{Pid, Signal, geteuid, kill_process, test_kill_process};
use serde::{Deserialize, Serialize};

use crate::holder;
use crate::interrupt;
use crate::program::{Program, Run};
use crate::programs::{self, Programs};
use crate::workspace::{make_folder, random_hex, replace_file};
use place::{account, clusters, default_name, socket_folder};

mod keep;
mod place;

pub(crate) use place::maintenance;

/// How soon the end of the server is noticed.
const NOTICE: Duration = Duration::from_millis(5);

/// initdb makes extensions for its user, and Postgres refuses an owner with one of these.
const NOT_IN_USER: [char; 4] = ['"', '$', '\'', '\\'];
/// How long one that is on its way out may take.
const ENDS: Duration = Duration::from_mins(1);
/// How long a server that was started may take to write down that it is there.
const STARTS: Duration = Duration::from_secs(10);

/// Where the cluster of a workspace is, and who runs it.
#[derive(Debug, Clone)]
pub(crate) struct Cluster {
    /// The data directory.
    pub folder: PathBuf,
    /// The folder of its socket: short, since a socket's path has room for 107 bytes.
    socket: PathBuf,
    /// Port and password, which the data directory does not tell.
    notes: PathBuf,
    /// Postgres does not run as root.
    account: Option<(u32, u32)>,
    programs: Option<String>,
    port: Option<u16>,
    user: RoleName,
    name: DatabaseName,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
struct Notes {
    port: u16,
    password: String,
    user: RoleName,
}

impl Cluster {
    pub fn of(config: &Config, workspace: &Workspace) -> Result<Self, Fault> {
        let account = account()?;
        let place = clusters(account.is_some())?;
        let named = config.database.name.clone().unwrap_or_else(|| default_name(&workspace.root));
        let plain =
            || if named.contains(NOT_IN_USER) { default_name(Path::new(&named)) } else { named.clone() };
        let user = config.database.user.clone().unwrap_or_else(plain);
        let bad = |bad: plan::BadName| {
            Fault::new(Exit::Usage, bad.to_string()).hint("set database.name and database.user")
        };
        if user.contains(NOT_IN_USER) {
            return Err(Fault::new(Exit::Usage, format!("database.user is `{user}`"))
                .cause("the first user of a cluster can't have any of \" $ ' \\ in its name")
                .state("nothing was changed"));
        }
        Ok(Self {
            folder: place.join(&workspace.id),
            socket: socket_folder(&workspace.id),
            notes: workspace.state.join("local.json"),
            account,
            programs: config.local.programs.clone(),
            port: config.local.port,
            user: RoleName::new(user).map_err(bad)?,
            name: DatabaseName::new(named).map_err(bad)?,
        })
    }

    /// The server as it is now, without connecting to it.
    pub fn server(&self) -> Server {
        let notes = self.notes();
        let state = match (self.major(), self.postmaster()) {
            (None, _) => ServerState::Absent,
            // One on its way out lets nobody in: it will have to be started again.
            (_, Some(_)) if !self.is_stopping() => ServerState::Running,
            _ => ServerState::Stopped,
        };
        let (port, password) =
            notes.map_or((None, String::new()), |notes| (Some(notes.port), notes.password));
        let port = self.running_port().or(port);
        Server {
            kind: Kind::Local,
            state,
            address: port.map(|port| Address { host: Ipv4Addr::LOCALHOST.to_string(), port }),
            user: self.user.clone(),
            password: Secret::new(password),
            maintenance: maintenance(&self.name),
            name: self.name.clone(),
            system_identifier: String::new(),
            version: String::new(),
            standby: false,
            outside: Outside::default(),
            databases: Vec::new(),
        }
    }

    fn notes(&self) -> Option<Notes> {
        serde_json::from_slice(&fs::read(&self.notes).ok()?).ok()
    }

    /// The major that made the data directory.
    fn major(&self) -> Option<u32> {
        fs::read_to_string(self.folder.join("PG_VERSION")).ok()?.trim().parse().ok()
    }

    /// The process of the running server.
    fn postmaster(&self) -> Option<Pid> {
        let text = fs::read_to_string(self.folder.join("postmaster.pid")).ok()?;
        let pid = text.lines().next()?.trim().parse().ok().and_then(Pid::from_raw)?;
        // After a crash the file stays, and its number may be another program's by now.
        (test_kill_process(pid).is_ok() && is_postgres(pid, &self.folder)).then_some(pid)
    }

    fn is_stopping(&self) -> bool {
        let text = fs::read_to_string(self.folder.join("postmaster.pid")).unwrap_or_default();
        text.lines().nth(7).is_some_and(|status| status.trim() == "stopping")
    }

    /// Waits for the end of a server that somebody asked to stop, and did not wait for.
    fn await_end(&self) {
        let begun = Instant::now();
        while self.postmaster().is_some() && self.is_stopping() && begun.elapsed() < ENDS {
            std::thread::park_timeout(NOTICE);
        }
    }

    /// The port of the running server, as it says itself: our notes may be older than it.
    fn running_port(&self) -> Option<u16> {
        let text = fs::read_to_string(self.folder.join("postmaster.pid")).ok()?;
        self.postmaster().and(text.lines().nth(3)?.trim().parse().ok())
    }

    fn programs(&self) -> Result<Programs, Fault> {
        programs::server(self.programs.as_deref(), self.major())
    }

    pub fn create(&self) -> Result<Outcome, Fault> {
        if self.major().is_some() {
            return Ok(Outcome::idle("was there"));
        }
        let programs = self.programs()?;
        let notes = match self.notes().filter(|notes| notes.user == self.user) {
            Some(notes) => notes,
            None => Notes { port: self.free_port(None)?, password: random_hex(16)?, user: self.user.clone() },
        };
        replace_file(&self.notes, &serde_json::to_vec(&notes).unwrap_or_default())?;
        // initdb into a folder beside, so that a half-made cluster never stands under the name of a whole one.
        // Under a new name each time: the initdb of a run that was killed may still be writing into its own.
        self.sweep();
        let making = self.folder.with_extension(format!("making-{}", random_hex(4)?));
        make_folder(&making, 0o700)?;
        self.give(&making)?;
        let password = self.folder.with_extension("password");
        replace_file(&password, notes.password.as_bytes())?;
        self.give(&password)?;
        let done = self.initdb(&programs, &making, &password);
        let _ = fs::remove_file(&password);
        if let Err(fault) = done.and_then(|()| configure(&making)) {
            let _ = fs::remove_dir_all(&making);
            return Err(fault);
        }
        fs::rename(&making, &self.folder).map_err(|why| failed("the local cluster was not made", &why))?;
        Ok(Outcome::detail(format!("Postgres {}", programs.major)))
    }

    fn initdb(&self, programs: &Programs, folder: &Path, password: &Path) -> Result<(), Fault> {
        let run = Program::new(programs.path("initdb"))
            .args(["--auth=scram-sha-256", "--encoding=UTF8", "--no-instructions", "--locale=C.UTF-8"])
            .arg(format!("--username={}", self.user))
            .arg(joined("--pwfile=", password))
            .arg(joined("--pgdata=", folder))
            .folder("/")
            .account(self.account);
        run.output().map(|_| ()).map_err(|why| {
            Fault::new(Exit::Failed, "the local cluster was not made")
                .cause(why.to_string())
                .state("nothing was changed")
        })
    }

    pub fn start(&self) -> Result<Outcome, Fault> {
        self.await_end();
        if self.postmaster().is_some() {
            return Ok(Outcome::idle("was running"));
        }
        let programs = self.programs()?;
        let mut notes = self.notes().ok_or_else(|| {
            Fault::new(Exit::Failed, "the local cluster was not started")
                .cause(format!("`{}` is gone", self.notes.display()))
        })?;
        self.make_socket_folder()?;
        let port = self.free_port(Some(notes.port))?;
        if port != notes.port {
            notes.port = port;
            replace_file(&self.notes, &serde_json::to_vec(&notes).unwrap_or_default())?;
        }
        let settings = format!(
            "listen_addresses = '127.0.0.1'\nport = {port}\nunix_socket_directories = '{}'\n",
            self.socket.display().to_string().replace('\'', "''")
        );
        let file = self.folder.join("cleanslate.conf");
        replace_file(&file, settings.as_bytes())?;
        self.give(&file)?;
        let log = self.folder.join("server.log");
        let _ = fs::remove_file(&log);
        let start = Program::new(programs.path("pg_ctl"))
            .args(["start", "--silent", "--no-wait"])
            .arg(joined("--pgdata=", &self.folder))
            .arg(joined("--log=", &log))
            .folder("/")
            .account(self.account);
        start.output().map_err(|why| self.not_started(&why))?;
        let port = self.await_port().unwrap_or(port);
        Ok(Outcome::detail(format!("port {port}")))
    }

    /// The port that the server has taken. Another one than was asked for, where a run that was killed had started it.
    fn await_port(&self) -> Option<u16> {
        let begun = Instant::now();
        loop {
            match self.running_port() {
                None if begun.elapsed() < STARTS && self.last_words().is_empty() => {
                    std::thread::park_timeout(NOTICE);
                }
                port => return port,
            }
        }
    }

    /// In a folder that everybody may write to, somebody else may have been there before us.
    fn make_socket_folder(&self) -> Result<(), Fault> {
        make_folder(&self.socket, 0o700)?;
        let found = fs::symlink_metadata(&self.socket)
            .map_err(|why| failed("the local cluster was not started", &why))?;
        let ours = [geteuid().as_raw(), self.account.map_or(geteuid().as_raw(), |(user, _)| user)];
        if found.is_dir() && ours.contains(&found.uid()) {
            return self.give(&self.socket);
        }
        Err(Fault::new(Exit::Refused, format!("`{}` is somebody else's", self.socket.display()))
            .cause("the server's socket goes there")
            .state("nothing was changed"))
    }

    fn not_started(&self, why: &Run) -> Fault {
        Fault::new(Exit::NotReady, "the local cluster was not started")
            .cause(format!("{why} {}", self.last_words()))
            .state("its data is untouched")
    }

    /// # Errors
    /// The server that was just started has ended.
    pub fn lives(&self) -> Result<(), Fault> {
        if self.postmaster().is_some() {
            return Ok(());
        }
        Err(Fault::new(Exit::NotReady, "the local cluster does not start")
            .cause(self.last_words())
            .state("its data is untouched"))
    }

    /// What the server's log says went wrong.
    fn last_words(&self) -> String {
        let log = fs::read_to_string(self.folder.join("server.log")).unwrap_or_default();
        let bad = log
            .lines()
            .filter(|line| ["FATAL", "PANIC", "could not", "HINT"].iter().any(|word| line.contains(word)));
        bad.take(3).collect::<Vec<_>>().join(" ")
    }

    /// A fast shutdown: sessions end, nothing is lost.
    pub fn stop(&self, timeout: Duration) -> Result<Outcome, Fault> {
        let Some(pid) = self.postmaster() else { return Ok(Outcome::idle("was not running")) };
        kill_process(pid, Signal::INT)
            .map_err(|why| failed("the local cluster was not stopped", &why.into()))?;
        let begun = Instant::now();
        while self.postmaster().is_some() {
            if interrupt::asked() {
                return Err(Fault::new(Exit::Declined, "interrupted")
                    .state("the local cluster was asked to stop; its data is untouched"));
            }
            if begun.elapsed() > timeout {
                return Err(Fault::new(Exit::NotReady, "the local cluster does not stop")
                    .cause(format!("it runs still after {} s", timeout.as_secs()))
                    .state("it was asked to stop; its data is untouched"));
            }
            std::thread::park_timeout(NOTICE);
        }
        Ok(Outcome::default())
    }

    fn free_port(&self, wanted: Option<u16>) -> Result<u16, Fault> {
        let taken = |port: u16, why: &std::io::Error| {
            Fault::new(Exit::NotReady, format!("port {port} on 127.0.0.1 is taken"))
                .cause(holder::of(port).map_or_else(|| why.to_string(), |who| format!("{who} listens on it")))
                .state("the local cluster is stopped, its data untouched")
                .hint("set local.port to a free one, or to none for any")
        };
        match (self.port, wanted) {
            (Some(port), _) => {
                TcpListener::bind((Ipv4Addr::LOCALHOST, port)).map(|_| port).map_err(|why| taken(port, &why))
            }
            (None, Some(port)) if TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok() => Ok(port),
            _ => TcpListener::bind((Ipv4Addr::LOCALHOST, 0))
                .and_then(|free| Ok(free.local_addr()?.port()))
                .map_err(|why| taken(0, &why)),
        }
    }

    fn give(&self, path: &Path) -> Result<(), Fault> {
        let Some((user, group)) = self.account else { return Ok(()) };
        chown(path, Some(user), Some(group))
            .map_err(|why| failed("the local cluster's folder was not made", &why))
    }
}

fn configure(folder: &Path) -> Result<(), Fault> {
    use std::io::Write as _;

    fs::OpenOptions::new()
        .append(true)
        .open(folder.join("postgresql.conf"))
        .and_then(|mut file| file.write_all(b"\ninclude_if_exists 'cleanslate.conf'\n"))
        .map_err(|why| failed("the local cluster was not made", &why))
}

fn joined(flag: &str, path: &Path) -> std::ffi::OsString {
    let mut argument = std::ffi::OsString::from(flag);
    argument.push(path);
    argument
}

fn failed(what: &str, why: &std::io::Error) -> Fault {
    Fault::new(Exit::Failed, what).cause(why.to_string())
}

/// Whether a process is a Postgres on this data directory.
fn is_postgres(pid: Pid, folder: &Path) -> bool {
    let Ok(command) = fs::read(format!("/proc/{}/cmdline", pid.as_raw_nonzero())) else {
        // No /proc: the process is alive, and the socket's lock has to do.
        return !Path::new("/proc/self").exists();
    };
    // Empty: it is being started, or is ending.
    let text = String::from_utf8_lossy(&command);
    text.contains("postgres") && text.contains(&*folder.to_string_lossy())
}
