//! The private cluster of a `local` server: made, started, stopped, kept and restored on this machine.

use std::fs;
use std::net::{Ipv4Addr, TcpListener};
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use plan::{
    Address, Config, DatabaseName, Exit, Fault, Kind, Outcome, RoleName, Secret, Server, ServerState,
    Workspace,
};
use rustix::process::{Pid, Signal, geteuid, kill_process, test_kill_process};
use serde::{Deserialize, Serialize};

use crate::program::{Program, Run};
use crate::programs::{self, Programs};
use crate::workspace::{make_folder, random_hex, replace_file, state_base};

/// How soon the end of the server is noticed.
const NOTICE: Duration = Duration::from_millis(5);

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
        let user = config.database.user.clone().unwrap_or_else(|| named.clone());
        let bad = |bad: plan::BadName| {
            Fault::new(Exit::Usage, bad.to_string()).hint("set database.name and database.user")
        };
        // initdb makes extensions for its user, and Postgres refuses such an owner.
        if user.contains(['"', '$', '\'', '\\']) {
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
            (_, Some(_)) => ServerState::Running,
            _ => ServerState::Stopped,
        };
        let (port, password) =
            notes.map_or((None, String::new()), |notes| (Some(notes.port), notes.password));
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
        let making = self.folder.with_extension("making");
        remove_folder(&making)?;
        make_folder(&making, 0o700)?;
        self.give(&making)?;
        let password = making.with_extension("password");
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
        if self.postmaster().is_some() {
            return Ok(Outcome::idle("was running"));
        }
        let programs = self.programs()?;
        let mut notes = self.notes().ok_or_else(|| {
            Fault::new(Exit::Failed, "the local cluster was not started")
                .cause(format!("`{}` is gone", self.notes.display()))
        })?;
        make_folder(&self.socket, 0o700)?;
        self.give(&self.socket)?;
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
        Ok(Outcome::detail(format!("port {port}")))
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
            if begun.elapsed() > timeout {
                return Err(Fault::new(Exit::NotReady, "the local cluster does not stop")
                    .cause(format!("it runs still after {} s", timeout.as_secs()))
                    .state("it was asked to stop; its data is untouched"));
            }
            std::thread::park_timeout(NOTICE);
        }
        Ok(Outcome::default())
    }

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
        remove_folder(&self.folder)?;
        // What no cluster uses any more.
        let _ = fs::remove_dir_all(&self.socket);
        Ok(())
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
        match self.postmaster() {
            None => Ok(()),
            Some(_) => Err(Fault::new(Exit::Refused, "the local cluster is running")
                .cause("its folder stays while it does")),
        }
    }

    fn free_port(&self, wanted: Option<u16>) -> Result<u16, Fault> {
        let taken = |port: u16, why: &std::io::Error| {
            Fault::new(Exit::NotReady, format!("port {port} on 127.0.0.1 is taken"))
                .cause(why.to_string())
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

fn remove_folder(folder: &Path) -> Result<(), Fault> {
    match fs::remove_dir_all(folder) {
        Err(why) if why.kind() != std::io::ErrorKind::NotFound => {
            Err(failed(&format!("`{}` was not removed", folder.display()), &why))
        }
        _ => Ok(()),
    }
}

/// The database for commands about databases: never the workspace's own.
pub(crate) fn maintenance(name: &DatabaseName) -> DatabaseName {
    let other = if name.as_str() == "postgres" { "cleanslate" } else { "postgres" };
    DatabaseName::new(other).unwrap_or_else(|_| name.clone())
}

/// The workspace folder's name in a form that needs no quoting.
fn default_name(root: &Path) -> String {
    let name = root.file_name().unwrap_or_default().to_string_lossy().to_lowercase();
    let plain: String =
        name.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '_' }).take(40).collect();
    let plain = plain.trim_matches('_').to_owned();
    match plain.chars().next() {
        None => "app".to_owned(),
        Some(first) if first.is_ascii_digit() => format!("app_{plain}"),
        // Postgres keeps names with `pg_` and this one for itself.
        Some(_) if plain == "postgres" || plain.starts_with("pg_") => format!("app_{plain}"),
        Some(_) => plain,
    }
}

/// The account that runs Postgres when we are root: `postgres` where there is one, else `nobody`.
fn account() -> Result<Option<(u32, u32)>, Fault> {
    if !geteuid().is_root() {
        return Ok(None);
    }
    let users = fs::read_to_string("/etc/passwd").unwrap_or_default();
    let of = |name: &str| {
        let line = users.lines().find(|line| line.split(':').next() == Some(name))?;
        let mut fields = line.split(':').skip(2);
        Some((fields.next()?.parse().ok()?, fields.next()?.parse().ok()?))
    };
    of("postgres").or_else(|| of("nobody")).map(Some).ok_or_else(|| {
        Fault::new(Exit::NotReady, "Postgres does not run as root")
            .cause("there is no user `postgres` or `nobody` to run it as")
            .hint("useradd --system postgres")
    })
}

/// The folder of all clusters. As root one that another account can reach: root's own home is closed to it.
fn clusters(other_account: bool) -> Result<PathBuf, Fault> {
    let own = state_base()?;
    let reachable = |folder: &Path| {
        folder
            .ancestors()
            .all(|part| fs::metadata(part).is_ok_and(|found| found.permissions().mode() & 0o001 != 0))
    };
    let base = if !other_account || reachable(&own) { own } else { PathBuf::from("/var/lib/cleanslate") };
    let folder = base.join("clusters");
    make_folder(&folder, 0o711)?;
    Ok(folder)
}

fn socket_folder(id: &str) -> PathBuf {
    let short = id.get(..8).unwrap_or(id);
    let runtime = std::env::var_os("XDG_RUNTIME_DIR")
        .map(PathBuf::from)
        .filter(|path| path.is_absolute() && path.as_os_str().len() < 60 && !geteuid().is_root());
    match runtime {
        Some(folder) => folder.join(format!("cleanslate-{short}")),
        None => PathBuf::from(format!("/tmp/cleanslate-{}-{short}", geteuid().as_raw())),
    }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_gives_a_plain_name() {
        let of = |path: &str| default_name(Path::new(path));

        assert_eq!(of("/w/Record Shop!"), "record_shop");
        assert_eq!(of("/w/2fast"), "app_2fast");
        assert_eq!(of("/w/postgres"), "app_postgres");
        assert_eq!(of("/"), "app");
    }
}
