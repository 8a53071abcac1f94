//! Databases into files and out of them, by Postgres' own `pg_dump`, `pg_restore` and psql.

mod judge;
mod sql;

use std::collections::HashMap;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read as _, Seek as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::thread;

use plan::{DatabaseName, Exit, Fault, Outcome, Said, Server, words};
use sqlx::Row as _;

use self::judge::Judge;
use self::sql::Filtered;
use crate::databases::fault;
use crate::postgres::{Postgres, holds_tables};
use crate::program::{Program, Run};
use crate::psql::Psql;

/// Bytes at the beginning of a file that tell what it is.
const HEAD: usize = 8192;

/// A server, and where the programs are that read and write it.
pub(crate) struct Dump<'a> {
    pub postgres: &'a mut Postgres,
    pub server: &'a Server,
    pub programs: Option<&'a str>,
    pub container: Option<&'a str>,
}

/// What a file is, by its beginning.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    Sql,
    /// Of `pg_dump -Fc` or `-Ft`.
    Archive,
}

impl Dump<'_> {
    /// Writes a database into a new file, that nobody else may read, in one piece or not at all.
    pub fn export(
        &mut self,
        database: &DatabaseName,
        file: &Path,
        said: &mut dyn FnMut(Said<'_>),
    ) -> Result<Outcome, Fault> {
        let attempt = format!("`{database}` was not exported");
        let failed = |why: io::Error| Fault::new(Exit::Failed, attempt.clone()).cause(why.to_string());
        let file = std::path::absolute(file).map_err(failed)?;
        let partial = partial(&file).ok_or_else(|| {
            Fault::new(Exit::Usage, attempt.clone())
                .cause(format!("`{}` is no name for a file", file.display()))
        })?;
        absent(&file, &attempt)?;
        let sizes = self.sizes(database).map_err(|error| fault(&attempt, &error))?;
        // Only a run of ours that was killed leaves one of this name.
        let _ = fs::remove_file(&partial);
        let open =
            OpenOptions::new().write(true).create_new(true).mode(0o600).open(&partial).map_err(failed)?;
        let done = self.written(database, &open, &sizes, said).map_err(|run| told(&attempt, &run));
        let done = done.and_then(|()| open.sync_all().map_err(failed));
        let done = done.and_then(|()| absent(&file, &attempt));
        let done = done.and_then(|()| fs::rename(&partial, &file).map_err(failed));
        if let Err(fault) = done {
            let _ = fs::remove_file(&partial);
            return Err(fault);
        }
        let bytes = open.metadata().map(|found| found.len()).unwrap_or_default();
        let line = format!("{}: {}, for you alone to read", file.display(), words::bytes(bytes));
        Ok(Outcome { lines: vec![line], ..Outcome::detail(words::bytes(bytes)) })
    }

    /// What a database holds, without rows, owners and rights: the same text each time.
    pub fn schema(&self, database: &DatabaseName, but: &[&str]) -> Result<String, Fault> {
        let attempt = format!("the schema of `{database}` was not read");
        let tools = self.tools()?;
        let arguments = ["-s", "-w", "--no-owner", "--no-privileges", "--exclude-schema=cleanslate"];
        let but = but.iter().map(|name| format!("--exclude-table={name}"));
        let dump = || tools.sister("pg_dump", self.server, database).args(arguments).args(but.clone());
        // Its key is a random one else; older ones know no key.
        let text = dump().arg("--restrict-key=cleanslate").output().or_else(|_| dump().output());
        text.map(|spoken| spoken.stdout).map_err(|run| told(&attempt, &run))
    }

    fn written(
        &mut self,
        database: &DatabaseName,
        file: &File,
        sizes: &HashMap<String, u64>,
        said: &mut dyn FnMut(Said<'_>),
    ) -> Result<(), Run> {
        let start = |why| Run::Start { program: "pg_dump".to_owned(), why };
        let tools = self.tools().map_err(|fault| start(io::Error::other(fault.to_string())))?;
        let total: u64 = sizes.values().sum();
        let (mut done, mut present) = (0, 0);
        // Our marker counts what was written here; elsewhere it says nothing.
        let arguments = ["-Fc", "-Z", "3", "-v", "-w", "--exclude-schema=cleanslate"];
        let dump = tools.sister("pg_dump", self.server, database).args(arguments);
        dump.writes(file.try_clone().map_err(start)?).lines(&mut |line| {
            let table =
                line.split_once("dumping contents of table ").map(|(_, table)| table.replace('"', ""));
            if let Some(size) = table.and_then(|table| sizes.get(&table)) {
                done += present;
                present = *size;
                said(Said::Progress { done, total });
            }
        })
    }

    /// Bytes of every table, by its name as `pg_dump` tells it.
    fn sizes(&mut self, database: &DatabaseName) -> Result<HashMap<String, u64>, sqlx::Error> {
        let sql = "SELECT n.nspname || '.' || c.relname AS name, pg_table_size(c.oid) AS bytes
                   FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
                   WHERE c.relkind = 'r' AND n.nspname NOT IN ('pg_catalog', 'information_schema', 'cleanslate')";
        let rows = self.postgres.rows(database, sql)?;
        let bytes = |bytes: i64| u64::try_from(bytes).unwrap_or(0);
        rows.iter().map(|row| Ok((row.try_get("name")?, bytes(row.try_get("bytes")?)))).collect()
    }

    /// Loads a file into an empty database. What is left out is told; where anything else fails, all of it did.
    pub fn import(
        &mut self,
        database: &DatabaseName,
        file: &Path,
        said: &mut dyn FnMut(Said<'_>),
    ) -> Result<Outcome, Fault> {
        let shown = file.display().to_string();
        let attempt = format!("`{shown}` was not imported");
        let unread = |why: io::Error| Fault::new(Exit::Usage, attempt.clone()).cause(why.to_string());
        let mut source = File::open(file).map_err(unread)?;
        let total = source.metadata().map_err(unread)?.len();
        let packed = is_packed(&mut source).map_err(unread)?;
        let form = form(&mut source, packed).map_err(unread)?;
        let form = form.map_err(|what| Fault::new(Exit::Usage, attempt.clone()).cause(what))?;
        let mut judge = Judge::default();
        let place = source.try_clone().map_err(unread)?;
        let mut watch = |line: Option<&str>| {
            if let Some(line) = line {
                judge.hear(line);
            }
            if let Ok(done) = (&place).stream_position() {
                said(Said::Progress { done: done.min(total), total });
            }
        };
        let ended = self.load(database, source, packed, form, &mut watch);
        match ended.map_err(|why| Fault::new(Exit::Failed, attempt.clone()).cause(why.to_string()))? {
            Ended { run: Err(Run::Interrupted), .. } => {
                return Err(Fault::new(Exit::Declined, "interrupted"));
            }
            ended => judge.verdict(&attempt, ended, &self.server.version)?,
        }
        if !holds_tables(self.postgres, database).map_err(|error| fault(&attempt, &error))? {
            return Err(Fault::new(Exit::Failed, attempt).cause("there is no table in it"));
        }
        self.postgres.work(database, "ANALYZE").map_err(|error| fault(&attempt, &error))?;
        Ok(Outcome { lines: judge.left_out(), ..Outcome::detail(words::bytes(total)) })
    }

    fn load(
        &self,
        database: &DatabaseName,
        source: File,
        packed: bool,
        form: Form,
        watch: &mut dyn FnMut(Option<&str>),
    ) -> io::Result<Ended> {
        let tools = self.tools().map_err(|fault| io::Error::other(fault.to_string()))?;
        let (source, unpacking) = if packed {
            let (reader, writer) = io::pipe()?;
            let gzip = Program::new("gzip").arg("-dc").reads(source).writes(writer);
            // Moved with its end of the pipe, which closes once it has ended.
            let gzip = thread::spawn(move || gzip.lines(&mut |_| ()));
            (File::from(std::os::fd::OwnedFd::from(reader)), Some(gzip))
        } else {
            (source, None)
        };
        let (run, filtered) = match form {
            Form::Archive => {
                let restore = tools.sister("pg_restore", self.server, database);
                let restore = restore.args(["-w", "-d", &connection(database)]);
                (restore.args(["--no-subscriptions", "--no-tablespaces"]).reads(source).watched(watch), None)
            }
            Form::Sql => {
                let (reader, writer) = io::pipe()?;
                let filter = thread::spawn(move || sql::filter(source, writer));
                let arguments = ["-X", "-q", "-w", "-o", "/dev/null", "-v", "VERBOSITY=terse", "-f", "-"];
                let psql = tools.sister("psql", self.server, database).args(arguments).reads(reader);
                let run = psql.watched(watch);
                drop(psql);
                let filtered =
                    filter.join().unwrap_or_else(|_| Err(io::Error::other("the file was not read")));
                (run, Some(filtered?))
            }
        };
        let unpacked = unpacking.map_or(Ok(()), |gzip| gzip.join().unwrap_or(Ok(())));
        Ok(Ended { run, filtered, unpacked })
    }

    fn tools(&self) -> Result<Psql, Fault> {
        let major = self.server.version.split('.').next().and_then(|major| major.parse().ok()).unwrap_or(0);
        Psql::sisters(self.programs, self.container, major)
    }
}

/// What came of loading.
struct Ended {
    run: Result<(), Run>,
    filtered: Option<Filtered>,
    unpacked: Result<(), Run>,
}

/// A name as a connection string: a bare one with a `=` in it would be read as such.
fn connection(database: &DatabaseName) -> String {
    format!("dbname='{}'", database.as_str().replace('\\', r"\\").replace('\'', r"\'"))
}

/// Beside the file, so that a rename makes it whole.
fn partial(file: &Path) -> Option<PathBuf> {
    let name = file.file_name()?.to_str()?;
    Some(file.with_file_name(format!(".{name}.cleanslate-partial")))
}

fn absent(file: &Path, attempt: &str) -> Result<(), Fault> {
    match fs::symlink_metadata(file) {
        Err(_) => Ok(()),
        Ok(_) => Err(Fault::new(Exit::Usage, attempt)
            .cause(format!("`{}` is there already, and is not written over", file.display()))
            .hint("name a file that is not there")),
    }
}

fn is_packed(source: &mut File) -> io::Result<bool> {
    let mut head = [0; 2];
    let read = source.read(&mut head)?;
    source.rewind()?;
    Ok(read == 2 && head == [0x1f, 0x8b])
}

/// What it is, or what it is instead.
fn form(source: &mut File, packed: bool) -> io::Result<Result<Form, String>> {
    let head = if packed {
        let (reader, writer) = io::pipe()?;
        let gzip = Program::new("gzip").arg("-dc").reads(source.try_clone()?).writes(writer);
        // Ends by itself once nobody reads on.
        let unpacking = thread::spawn(move || gzip.lines(&mut |_| ()));
        let head = head(reader)?;
        drop(unpacking.join());
        head
    } else {
        head(&mut *source)?
    };
    source.rewind()?;
    let starts = |magic: &[u8]| head.starts_with(magic);
    let known = [
        (&b"\x28\xb5\x2f\xfd"[..], "it is packed with zstd: unpack it first"),
        (b"BZh", "it is packed with bzip2: unpack it first"),
        (b"\xfd7zXZ", "it is packed with xz: unpack it first"),
        (b"PK\x03\x04", "it is a zip archive: unpack it first"),
        (b"SQLite format 3", "it is a database of SQLite"),
        (b"-- MySQL dump", "it is a dump of MySQL"),
        (b"-- MariaDB dump", "it is a dump of MariaDB"),
        (
            b"-- PostgreSQL database cluster dump",
            "pg_dumpall made it, of a whole server: pg_dump dumps one database",
        ),
    ];
    if let Some((_, what)) = known.iter().find(|(magic, _)| starts(magic)) {
        return Ok(Err((*what).to_owned()));
    }
    let is_tar = head.get(257..262) == Some(b"ustar");
    if is_tar && !packed && !ends_as_tar(source)? {
        return Ok(Err("it is cut off: its end is missing".to_owned()));
    }
    if is_tar || starts(b"PGDMP") {
        return Ok(Ok(Form::Archive));
    }
    match head.is_empty() {
        true => Ok(Err("it is empty".to_owned())),
        false if head.contains(&0) => Ok(Err("it is neither SQL nor an archive of pg_dump".to_owned())),
        false => Ok(Ok(Form::Sql)),
    }
}

/// A tar ends with two empty blocks. `pg_restore` takes one that is cut off for a whole one with fewer rows.
fn ends_as_tar(source: &mut File) -> io::Result<bool> {
    let length = source.seek(io::SeekFrom::End(0))?;
    let mut end = [1; 1024];
    if length >= 1024 {
        source.seek(io::SeekFrom::End(-1024))?;
        source.read_exact(&mut end)?;
    }
    source.rewind()?;
    Ok(length % 512 == 0 && end.iter().all(|byte| *byte == 0))
}

fn head(source: impl io::Read) -> io::Result<Vec<u8>> {
    let mut head = Vec::new();
    source.take(HEAD as u64).read_to_end(&mut head)?;
    Ok(head)
}

fn told(attempt: &str, run: &Run) -> Fault {
    match run {
        Run::Interrupted => Fault::new(Exit::Declined, "interrupted"),
        run => Fault::new(Exit::Failed, attempt).cause(run.to_string()),
    }
}
