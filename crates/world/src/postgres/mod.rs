//! Connections to the server, and what is asked over them. Async stays in here.

mod carry;
mod changes;
mod fingerprint;
mod mark;
mod migrator;
pub(crate) mod read;

use std::collections::HashMap;
use std::fs::File;
use std::io::Read as _;
use std::path::Path;
use std::time::{Duration, Instant};

use plan::{Address, DatabaseName, Exit, Fault, Kind, Outside, RoleName, Server};
use sqlx::postgres::{PgConnectOptions, PgRow, PgSslMode};
use sqlx::{AssertSqlSafe, ConnectOptions as _, Connection as _, Executor as _, PgConnection, Row as _};
use tokio::runtime::Runtime;

pub(crate) use carry::carried_over;
pub(crate) use changes::{settings_of, since};
pub(crate) use fingerprint::definitions;
pub(crate) use mark::{Read, mark, marker};
pub(crate) use read::{contents, count_all, databases, files_written, holds_tables, is_empty, tables};

use crate::interrupt;

/// How long between two tries to reach a server that is starting.
const RETRY: Duration = Duration::from_millis(10);
/// How often a program that should be starting is asked whether it still lives.
const LIVES: Duration = Duration::from_millis(250);

/// Bytes of a file that are sent at once.
const PIECE: usize = 1 << 17;

/// How soon it is noticed that somebody wants us to stop.
const NOTICE: Duration = Duration::from_millis(20);

/// Has the server end a statement whose client is gone, instead of going on with it; from Postgres 14, on Linux.
pub(crate) const WATCH: &str = "SELECT set_config('client_connection_check_interval', '100', false)
    WHERE current_setting('server_version_num')::int >= 140000 AND version() ~* 'linux'";

/// SQLSTATEs that decide what we do next.
pub(crate) mod state {
    pub const WRONG_PASSWORD: [&str; 2] = ["28P01", "28000"];
    pub const STARTING: &str = "57P03";
    pub const NO_DATABASE: &str = "3D000";
    /// No such table, or no such schema.
    pub const NO_TABLE: [&str; 2] = ["42P01", "3F000"];
    pub const NOT_ALLOWED: &str = "42501";
    pub const IN_USE: &str = "55006";
    pub const DISK_FULL: &str = "53100";
    /// A new value of an enum is used before it is committed; a statement that takes no transaction around it.
    pub const WANTS_COMMITS: [&str; 2] = ["55P04", "25001"];
}

/// A server we talk to. Connections are opened when they are needed and kept.
pub(crate) struct Postgres {
    runtime: Runtime,
    options: PgConnectOptions,
    open: HashMap<DatabaseName, PgConnection>,
    timeout: Duration,
    /// Sessions of ours beside these, which are not to be ended with the others'.
    pub spared: Vec<i32>,
    pub address: Address,
    user: RoleName,
    external: bool,
}

/// What a server says of itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Identity {
    pub started: String,
    pub system_identifier: String,
    pub version: String,
    pub standby: bool,
}

impl Postgres {
    pub fn new(server: &Server, timeout: Duration) -> Result<Self, Fault> {
        let address = server.address.clone().ok_or_else(|| {
            Fault::new(Exit::NotReady, "Postgres has no address yet")
                .cause("it was not started")
                .hint("slate-up")
        })?;
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(|why| Fault::new(Exit::Failed, "no event loop").cause(why.to_string()))?;
        let options = PgConnectOptions::new_without_pgpass();
        let options = if address.is_socket() {
            options.socket(&address.host)
        } else {
            options.host(address.host.trim_matches(['[', ']']))
        };
        let options = options
            .port(address.port)
            .username(server.user.as_str())
            .password(server.password.reveal())
            .application_name("cleanslate")
            .disable_statement_logging();
        let options = tls(options, &address, &server.outside);
        Ok(Self {
            runtime,
            options,
            open: HashMap::new(),
            timeout,
            spared: Vec::new(),
            address,
            user: server.user.clone(),
            external: server.kind == Kind::External,
        })
    }

    /// Waits until the server takes a login and answers twice with one start time: the server that an image runs while
    /// it initialises may answer once.
    pub fn await_ready(
        &mut self,
        maintenance: &DatabaseName,
        lives: &mut dyn FnMut() -> Result<(), Fault>,
    ) -> Result<Identity, Fault> {
        let deadline = Instant::now() + self.timeout;
        let mut asked = Instant::now();
        let mut before: Option<Identity> = None;
        loop {
            self.open.clear();
            match self.identity(maintenance) {
                Ok(now) if before.as_ref() == Some(&now) => return Ok(now),
                Ok(now) => before = Some(now),
                Err(error) if !is_starting(&error) => return Err(self.not_let_in(maintenance, &error)),
                Err(error) => {
                    before = None;
                    if Instant::now() > deadline {
                        return Err(self.late(&error));
                    }
                    if interrupt::asked() {
                        return Err(Fault::new(Exit::Declined, "interrupted"));
                    }
                    if asked.elapsed() > LIVES {
                        lives()?;
                        asked = Instant::now();
                    }
                    self.pause(RETRY);
                }
            }
        }
    }

    /// How a database of this server is connected to.
    pub fn options(&self, database: &DatabaseName) -> PgConnectOptions {
        self.options.clone().database(database.as_str())
    }

    /// One try.
    pub fn identity(&mut self, maintenance: &DatabaseName) -> Result<Identity, sqlx::Error> {
        let sql = "SELECT pg_postmaster_start_time()::text AS started, current_setting('server_version') AS version, \
                   (SELECT system_identifier::text FROM pg_control_system()) AS system_identifier, \
                   pg_is_in_recovery() AS standby";
        let rows = self.rows(maintenance, sql)?;
        let row = rows.first().ok_or(sqlx::Error::RowNotFound)?;
        let version: String = row.try_get("version")?;
        Ok(Identity {
            started: row.try_get("started")?,
            system_identifier: row.try_get("system_identifier")?,
            version: version.split_whitespace().next().unwrap_or_default().to_owned(),
            standby: row.try_get("standby")?,
        })
    }

    fn connect(&mut self, database: &DatabaseName) -> Result<(), sqlx::Error> {
        if !self.open.contains_key(database) {
            let connection = self.connected(database)?;
            self.open.insert(database.clone(), connection);
        }
        Ok(())
    }

    fn connected(&self, database: &DatabaseName) -> Result<PgConnection, sqlx::Error> {
        let options = self.options(database);
        let connecting =
            async { tokio::time::timeout(self.timeout, PgConnection::connect_with(&options)).await };
        let late = |_| sqlx::Error::Io(std::io::Error::from(std::io::ErrorKind::TimedOut));
        self.runtime.block_on(connecting).map_err(late)?
    }

    /// Whether two connections share one session of the server, or one has several: a pooler lends them by the
    /// transaction.
    pub fn is_pooled(&mut self, database: &DatabaseName) -> Result<bool, sqlx::Error> {
        let sql = "SELECT pg_backend_pid() AS pid";
        let mut second = self.connected(database)?;
        let mut pids = Vec::new();
        for _ in 0..2 {
            let first: Option<i32> = self.rows(database, sql)?.first().map(|row| row.get("pid"));
            let row = self.runtime.block_on(second.fetch_one(sqlx::raw_sql(sql)))?;
            pids.push((first, Some(row.get::<i32, _>("pid"))));
        }
        let _ = self.runtime.block_on(second.close());
        Ok(pids.iter().any(|(first, second)| first == second || pids.first() != Some(&(*first, *second))))
    }

    /// Rows of one statement or several, in one round trip: a query that is prepared first takes two.
    pub fn rows(&mut self, database: &DatabaseName, sql: &str) -> Result<Vec<PgRow>, sqlx::Error> {
        self.connect(database)?;
        let connection = self.open.get_mut(database).ok_or(sqlx::Error::PoolClosed)?;
        let query = sqlx::raw_sql(AssertSqlSafe(sql.to_owned()));
        let rows = self.runtime.block_on(query.fetch_all(&mut *connection));
        self.forget_lost(database, rows)
    }

    /// Statements of which nothing but success is wanted, in one round trip.
    pub fn run(&mut self, database: &DatabaseName, sql: &str) -> Result<(), sqlx::Error> {
        self.connect(database)?;
        let connection = self.open.get_mut(database).ok_or(sqlx::Error::PoolClosed)?;
        let done = self.runtime.block_on(connection.execute(sqlx::raw_sql(AssertSqlSafe(sql.to_owned()))));
        if done.is_err() && sql.starts_with("BEGIN") {
            // Else all that follows on this connection, what takes it back too, is refused.
            let _ = self.runtime.block_on(connection.execute("ROLLBACK"));
        }
        self.forget_lost(database, done.map(|_| ()))
    }

    /// As [`Self::run`], for statements that may take long: given up when somebody wants us to stop.
    pub fn work(&mut self, database: &DatabaseName, sql: &str) -> Result<(), sqlx::Error> {
        self.connect(database)?;
        let connection = self.open.get_mut(database).ok_or(sqlx::Error::PoolClosed)?;
        let work = connection.execute(sqlx::raw_sql(AssertSqlSafe(sql.to_owned())));
        let done = self.runtime.block_on(unless_stopped(work));
        let done = done.unwrap_or_else(|| Err(stopped()));
        self.forget_lost(database, done.map(|_| ()))
    }

    /// Pours a file into a `COPY … FROM STDIN`, and tells how much of it was sent.
    pub fn copy_in(
        &mut self,
        database: &DatabaseName,
        statement: &str,
        file: &Path,
        tell: &mut dyn FnMut(u64),
    ) -> Result<(), sqlx::Error> {
        self.connect(database)?;
        let connection = self.open.get_mut(database).ok_or(sqlx::Error::PoolClosed)?;
        let work = async {
            let mut source = File::open(file)?;
            let mut sink = connection.copy_in_raw(statement).await?;
            let (mut piece, mut sent) = (vec![0; PIECE], 0);
            loop {
                let read = match source.read(&mut piece) {
                    Ok(read) => piece.get(..read).unwrap_or_default(),
                    Err(why) => {
                        let _ = sink.abort("the file was not read").await;
                        return Err(why.into());
                    }
                };
                if read.is_empty() {
                    return sink.finish().await.map(drop);
                }
                sink.send(read).await?;
                sent += read.len() as u64;
                tell(sent);
            }
        };
        let done = self.runtime.block_on(unless_asked(work));
        self.forget_lost(database, done)
    }

    /// From now on a statement on this connection ends soon after we do, however we end.
    pub fn watch(&mut self, database: &DatabaseName) -> Result<(), sqlx::Error> {
        self.run(database, WATCH)
    }

    /// Waits a moment between two looks at something that is about to change.
    pub fn pause(&self, moment: Duration) {
        self.runtime.block_on(async { tokio::time::sleep(moment).await });
    }

    /// Runs something async of this crate's own.
    pub fn block_on<F: Future>(&self, future: F) -> F::Output {
        self.runtime.block_on(future)
    }

    /// Lets go of a database, so that it can be renamed or dropped.
    pub fn leave(&mut self, database: &DatabaseName) {
        if let Some(connection) = self.open.remove(database) {
            // Said or not, the socket closes.
            let _ = self.runtime.block_on(connection.close());
        }
    }

    fn forget_lost<T>(
        &mut self,
        database: &DatabaseName,
        result: Result<T, sqlx::Error>,
    ) -> Result<T, sqlx::Error> {
        if matches!(result, Err(sqlx::Error::Io(_) | sqlx::Error::Protocol(_))) {
            self.open.remove(database);
        }
        result
    }

    fn late(&self, error: &sqlx::Error) -> Fault {
        let seconds = self.timeout.as_secs();
        Fault::new(Exit::NotReady, format!("Postgres at {} is not ready after {seconds} s", self.address))
            .cause(said(error))
            .hint("slate-up --timeout 5m")
    }

    /// The server answered, and does not let us in.
    pub fn not_let_in(&self, database: &DatabaseName, error: &sqlx::Error) -> Fault {
        let code = code(error).unwrap_or_default();
        let fault = |error: String| Fault::new(Exit::NotReady, error);
        let refuses =
            || fault(format!("Postgres at {} refuses the password of `{}`", self.address, self.user));
        if self.external && code == state::WRONG_PASSWORD[0] {
            return refuses().cause(said(error)).hint("put the password into the URL, or into ~/.pgpass");
        }
        if self.external && said(error).contains("unsupported startup parameter") {
            return fault(format!("Postgres at {} does not let `{}` in", self.address, self.user))
                .cause(format!("{}: a pooler answers there", said(error)))
                .hint("SLATE_DATABASE_URL or database.url: the address of the server itself");
        }
        if !self.external && state::WRONG_PASSWORD.contains(&code.as_str()) {
            return refuses()
                .cause(format!("{}; a volume keeps the password that it was first started with", said(error)))
                .hint("set the old password again, or slate-clean --only-db --up for a new volume");
        }
        if code == state::NO_DATABASE {
            return fault(format!("there is no database `{database}` at {}", self.address))
                .cause(said(error))
                .hint("slate-up");
        }
        fault(format!("Postgres at {} does not let `{}` in", self.address, self.user)).cause(said(error))
    }
}

/// How the connection is kept from readers: as the URL says, else wherever others could read it.
fn tls(options: PgConnectOptions, address: &Address, outside: &Outside) -> PgConnectOptions {
    let loopback = address.is_socket() || address.is_loopback();
    // One round trip less, and nothing on this machine could read it anyway.
    let usual = if loopback { PgSslMode::Disable } else { PgSslMode::Prefer };
    let mode = outside.parameter("sslmode").and_then(|mode| mode.parse().ok());
    let options = options.ssl_mode(mode.unwrap_or(usual));
    let file =
        |options: PgConnectOptions, name, set: fn(PgConnectOptions, &str) -> PgConnectOptions| match outside
            .parameter(name)
        {
            // The store of the machine: what every certificate of a public authority is checked against anyway.
            None | Some("system") => options,
            Some(path) => set(options, path),
        };
    let options = file(options, "sslrootcert", |options, path| options.ssl_root_cert(path));
    let options = file(options, "sslcert", |options, path| options.ssl_client_cert(path));
    file(options, "sslkey", |options, path| options.ssl_client_key(path))
}

/// As [`unless_stopped`], as an error like others.
pub(crate) async fn unless_asked<T, E: From<sqlx::Error>>(
    work: impl Future<Output = Result<T, E>>,
) -> Result<T, E> {
    unless_stopped(work).await.unwrap_or_else(|| Err(stopped().into()))
}

async fn unless_stopped<T>(work: impl Future<Output = T>) -> Option<T> {
    let mut work = std::pin::pin!(work);
    loop {
        match tokio::time::timeout(NOTICE, work.as_mut()).await {
            Ok(done) => return Some(done),
            Err(_) if interrupt::asked() => return None,
            Err(_) => {}
        }
    }
}

/// Its connection is lost with it: nobody reads what the server says to the statement.
fn stopped() -> sqlx::Error {
    sqlx::Error::Io(std::io::ErrorKind::Interrupted.into())
}

/// We gave a statement up, because somebody wants us to stop.
pub(crate) fn is_stopped(error: &sqlx::Error) -> bool {
    matches!(error, sqlx::Error::Io(why) if why.kind() == std::io::ErrorKind::Interrupted)
}

/// What the server or the socket said, without sqlx' own words around it.
pub(crate) fn said(error: &sqlx::Error) -> String {
    match error {
        sqlx::Error::Database(error) => {
            let detail =
                error.try_downcast_ref::<sqlx::postgres::PgDatabaseError>().and_then(|error| error.detail());
            match detail {
                Some(detail) => format!("{}: {detail}", error.message()),
                None => error.message().to_owned(),
            }
        }
        sqlx::Error::Io(error) if error.kind() == std::io::ErrorKind::UnexpectedEof => {
            "the server ended the connection".to_owned()
        }
        sqlx::Error::Io(error) => error.to_string(),
        other => other.to_string(),
    }
}

pub(crate) fn code(error: &sqlx::Error) -> Option<String> {
    Some(error.as_database_error()?.code()?.into_owned())
}

/// Nobody there yet, or somebody who is not ready: worth another try.
pub(crate) fn is_starting(error: &sqlx::Error) -> bool {
    matches!(error, sqlx::Error::Io(_) | sqlx::Error::Protocol(_))
        || code(error).as_deref() == Some(state::STARTING)
}
