//! Performs what a plan does to databases, and reads them again to verify and to look.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use plan::{DatabaseName, Exit, Expect, Fault, Label, LabelKind, Marker, Outcome, RoleName, Server, words};
use sqlx::Row as _;

use crate::postgres::{Postgres, Read, carried_over, code, count_all, is_stopped, mark, said, state};
use crate::psql::Psql;

/// How soon the end of a session is noticed: Postgres itself would look every 100 ms.
const NOTICE: Duration = Duration::from_millis(1);

/// For a change that means nothing without the one after it, whose commit flushes both: one wait for the disk less.
const UNFLUSHED: &str = "SET LOCAL synchronous_commit = off";

/// Where psql is, found when it is needed.
pub(crate) type Lazy<'a> = &'a dyn Fn() -> Result<Psql, Fault>;

/// A server with the tools to change it.
pub(crate) struct Databases<'a> {
    pub postgres: &'a mut Postgres,
    pub psql: Lazy<'a>,
    pub server: &'a Server,
    pub timeout: Duration,
}

impl Databases<'_> {
    pub(crate) fn maintenance(&self) -> &DatabaseName {
        &self.server.maintenance
    }

    /// Creates a database through psql, labelled from its first moment, with the locale and encoding of the live one.
    pub fn create(
        &mut self,
        database: &DatabaseName,
        owner: &RoleName,
        label: Option<&Label>,
    ) -> Result<Outcome, Fault> {
        let attempt = format!("`{database}` was not created");
        let like = self.like_live().map_err(|error| fault(&attempt, &error))?;
        let mut statements =
            vec![format!("CREATE DATABASE {} OWNER {}{like}", database.quoted(), owner.quoted())];
        if let Some(label) = label {
            let text = plan::literal(&label.text());
            statements.push(format!("COMMENT ON DATABASE {} IS {text}", database.quoted()));
        }
        match (self.psql)() {
            Ok(psql) => psql
                .run(self.server, self.maintenance(), &statements)
                .map_err(|said| refused(&attempt, &said))?,
            // Many a dev container has none, and this needs nothing that only psql can do.
            Err(_) => {
                statements.iter().try_for_each(|statement| self.run(statement, &attempt).map(|_| ()))?;
            }
        }
        Ok(Outcome::default())
    }

    /// What CREATE DATABASE has to be told so that the new database is like the live one; nothing when the defaults do.
    fn like_live(&mut self) -> Result<String, sqlx::Error> {
        // Through JSON, since the columns about providers came and went with the versions.
        let sql = format!(
            "SELECT pg_encoding_to_char(live.encoding) AS encoding, quote_literal(live.datcollate) AS collate,
                    quote_literal(live.datctype) AS ctype, to_jsonb(live)->>'datlocprovider' AS provider,
                    quote_literal(coalesce(to_jsonb(live)->>'datlocale', to_jsonb(live)->>'daticulocale')) AS locale,
                    quote_literal(to_jsonb(live)->>'daticurules') AS rules
             FROM pg_database live, pg_database usual
             WHERE live.datname = {} AND usual.datname = 'template1'
               AND (to_jsonb(live)->'encoding', to_jsonb(live)->'datcollate', to_jsonb(live)->'datctype',
                    to_jsonb(live)->'datlocprovider', to_jsonb(live)->'datlocale', to_jsonb(live)->'daticulocale',
                    to_jsonb(live)->'daticurules')
                   IS DISTINCT FROM
                   (to_jsonb(usual)->'encoding', to_jsonb(usual)->'datcollate', to_jsonb(usual)->'datctype',
                    to_jsonb(usual)->'datlocprovider', to_jsonb(usual)->'datlocale', to_jsonb(usual)->'daticulocale',
                    to_jsonb(usual)->'daticurules')",
            self.server.name.literal()
        );
        let maintenance = self.maintenance().clone();
        let rows = self.postgres.rows(&maintenance, &sql)?;
        let Some(row) = rows.first() else { return Ok(String::new()) };
        let text = |column| row.try_get::<String, _>(column);
        let maybe = |column| row.try_get::<Option<String>, _>(column);
        let mut like = format!(
            " TEMPLATE template0 ENCODING '{}' LC_COLLATE {} LC_CTYPE {}",
            text("encoding")?,
            text("collate")?,
            text("ctype")?
        );
        like += match maybe("provider")?.as_deref() {
            Some("i") => " LOCALE_PROVIDER icu ICU_LOCALE ",
            Some("b") => " LOCALE_PROVIDER builtin BUILTIN_LOCALE ",
            Some(_) => " LOCALE_PROVIDER libc",
            None => "",
        };
        like += &maybe("locale")?.unwrap_or_default();
        if let Some(rules) = maybe("rules")? {
            like.extend([" ICU_RULES ", &rules]);
        }
        Ok(like)
    }

    pub fn ensure(&mut self, database: &DatabaseName) -> Result<Outcome, Fault> {
        let sql = format!(
            "SELECT datallowconn AS open, datconnlimit = -2 AS broken FROM pg_database WHERE datname = {}",
            database.literal()
        );
        let maintenance = self.maintenance().clone();
        let rows = self.postgres.rows(&maintenance, &sql);
        let rows = rows.map_err(|error| fault(&format!("`{database}` was not looked up"), &error))?;
        match rows.first() {
            None => match self.create(database, &self.server.user.clone(), None) {
                // The psql of a run that was killed may have been at it.
                Err(_) if self.oid(database)?.is_some() => Ok(Outcome::detail("created by another run")),
                created => created.map(|_| Outcome::detail("created")),
            },
            Some(row) if row.get("broken") => {
                Err(Fault::new(Exit::Refused, format!("`{database}` is half dropped"))
                    .cause("its server stopped in the middle of a DROP: nothing in it can be trusted")
                    .hint("slate-reset"))
            }
            Some(row) if row.get("open") => Ok(Outcome::idle("was there")),
            Some(_) => {
                self.open(database)?;
                Ok(Outcome::detail("opened again: a run that did not end had closed it"))
            }
        }
    }

    pub fn stamp(&mut self, database: &DatabaseName, marker: &Marker, read: Read) -> Result<Outcome, Fault> {
        let done = mark(self.postgres, database, marker, read);
        done.map_err(|error| fault(&format!("`{database}` was not marked"), &error))?;
        Ok(Outcome::default())
    }

    pub fn label(&mut self, database: &DatabaseName, label: &Label) -> Result<Outcome, Fault> {
        let sql = format!("COMMENT ON DATABASE {} IS {}", database.quoted(), plan::literal(&label.text()));
        self.run(&sql, &format!("`{database}` was not labelled"))
    }

    pub fn close(&mut self, database: &DatabaseName) -> Result<Outcome, Fault> {
        self.postgres.leave(database);
        let sql = format!("{UNFLUSHED}; ALTER DATABASE {} ALLOW_CONNECTIONS false", database.quoted());
        self.run(&sql, &format!("`{database}` was not closed"))
    }

    pub fn open(&mut self, database: &DatabaseName) -> Result<Outcome, Fault> {
        let sql = format!("ALTER DATABASE {} ALLOW_CONNECTIONS true", database.quoted());
        self.run(&sql, &format!("`{database}` was not opened"))
    }

    /// Ends every session on a database and waits until they are gone. Says who they were.
    pub fn end_sessions(
        &mut self,
        database: &DatabaseName,
        service: &dyn Fn(&str) -> Option<String>,
    ) -> Result<Outcome, Fault> {
        let attempt = format!("the sessions on `{database}` were not ended");
        self.postgres.leave(database);
        let maintenance = self.maintenance().clone();
        let spared: Vec<String> = self.postgres.spared.iter().map(ToString::to_string).collect();
        let end = format!(
            "SELECT pid, coalesce(nullif(application_name, ''), usename, backend_type)::text AS who,
                    coalesce(host(client_addr), '') AS client, pg_terminate_backend(pid) AS ended
             FROM pg_stat_activity WHERE datname = {} AND pid <> pg_backend_pid() AND pid <> ALL ('{{{}}}'::int[])",
            database.literal(),
            spared.join(",")
        );
        let mut met: BTreeMap<i32, String> = BTreeMap::new();
        let deadline = Instant::now() + self.timeout.min(Duration::from_secs(10));
        // Again and again: one that was let in just before the database closed shows up after the first time.
        loop {
            let rows = self.postgres.rows(&maintenance, &end).map_err(|error| fault(&attempt, &error))?;
            if rows.is_empty() {
                break;
            }
            for row in &rows {
                let (who, client): (String, String) = (row.get("who"), row.get("client"));
                met.entry(row.get("pid")).or_insert_with(|| service(&client).unwrap_or(who));
            }
            if Instant::now() > deadline {
                let who: Vec<String> = rows.iter().map(|row| row.get("who")).collect();
                return Err(
                    Fault::new(Exit::Failed, attempt).cause(format!("{} did not end", words::list(who)))
                );
            }
            self.postgres.pause(NOTICE);
        }
        let mut cut: BTreeMap<String, u64> = BTreeMap::new();
        for who in met.into_values() {
            *cut.entry(who).or_default() += 1;
        }
        let cut: Vec<String> = cut.iter().map(|(who, count)| format!("{who} ({count})")).collect();
        Ok(if cut.is_empty() {
            Outcome::idle("nobody was connected")
        } else {
            Outcome::detail(format!("cut {}", cut.join(", ")))
        })
    }

    /// Through psql, as its own statement: Postgres takes no DROP DATABASE in a transaction.
    pub fn drop(&mut self, database: &DatabaseName) -> Result<Outcome, Fault> {
        self.postgres.leave(database);
        let attempt = format!("`{database}` was not dropped");
        let statement = format!("DROP DATABASE {}", database.quoted());
        let psql = (self.psql)()?;
        psql.run(self.server, self.maintenance(), &[statement]).map_err(|said| refused(&attempt, &said))?;
        match self.oid(database)? {
            None => Ok(Outcome::default()),
            Some(_) => {
                Err(Fault::new(Exit::Failed, attempt).cause("psql reported success, and it is still there"))
            }
        }
    }

    /// Drops a database that holds nothing of anybody's, if it is there, and only if its label says that it is that.
    /// `noted`: our own note says that we were about to create it, so a missing label is no other's.
    pub fn discard(
        &mut self,
        database: &DatabaseName,
        workspace: &str,
        noted: bool,
    ) -> Result<Outcome, Fault> {
        let ours = [LabelKind::Building, LabelKind::Template, LabelKind::Spare];
        self.discard_one_of(&ours, database, workspace, noted)
    }

    /// Drops a leased database, unless another run is at it.
    pub fn drop_lease(
        &mut self,
        database: &DatabaseName,
        workspace: &str,
        noted: bool,
    ) -> Result<Outcome, Fault> {
        let attempt = format!("`{database}` was not dropped");
        let maintenance = self.maintenance().clone();
        let key = format!("hashtext('cleanslate lease'), hashtext({})", database.literal());
        let lock = format!("SELECT pg_try_advisory_lock({key}) AS held");
        let rows = self.postgres.rows(&maintenance, &lock).map_err(|error| fault(&attempt, &error))?;
        if !rows.first().is_some_and(|row| row.get("held")) {
            return Ok(Outcome::idle("another run does"));
        }
        let done = self.discard_one_of(&[LabelKind::Leased], database, workspace, noted);
        self.run(&format!("SELECT pg_advisory_unlock({key})"), &attempt)?;
        done
    }

    fn discard_one_of(
        &mut self,
        kinds: &[LabelKind],
        database: &DatabaseName,
        workspace: &str,
        noted: bool,
    ) -> Result<Outcome, Fault> {
        let maintenance = self.maintenance().clone();
        let sql = format!(
            "SELECT coalesce(shobj_description(oid, 'pg_database'), '') AS comment FROM pg_database WHERE datname = {}",
            database.literal()
        );
        let attempt = format!("`{database}` was not removed");
        let rows = self.postgres.rows(&maintenance, &sql).map_err(|error| fault(&attempt, &error))?;
        let Some(row) = rows.first() else { return Ok(Outcome::idle("was not there")) };
        let comment: String = row.get("comment");
        let labelled = Label::read(&comment)
            .is_some_and(|label| label.workspace == workspace && kinds.contains(&label.kind));
        let ours = labelled || (noted && comment.is_empty());
        if !ours {
            return Err(Fault::new(Exit::Refused, attempt).cause("it does not carry our label"));
        }
        self.remove(database)
    }

    /// Drops a database whose label was read.
    pub(crate) fn remove(&mut self, database: &DatabaseName) -> Result<Outcome, Fault> {
        self.close(database)?;
        self.end_sessions(database, &|_| None)?;
        // No IF EXISTS: one that is gone already was somebody else's doing.
        self.run(&format!("DROP DATABASE {}", database.quoted()), &format!("`{database}` was not dropped"))
    }

    /// Gives a database its new name and comment in one transaction; what the old bearer of the name had beside its
    /// contents was put on it before.
    pub fn rename(
        &mut self,
        from: &DatabaseName,
        to: &DatabaseName,
        comment: Option<&str>,
    ) -> Result<Outcome, Fault> {
        self.postgres.leave(from);
        let comment = comment.map_or_else(|| "NULL".to_owned(), plan::literal);
        // One message is one transaction, and one that fails leaves none open on our connection.
        let sql = format!(
            "ALTER DATABASE {} RENAME TO {to}; ALTER DATABASE {to} ALLOW_CONNECTIONS true;
             COMMENT ON DATABASE {to} IS {comment}",
            from.quoted(),
            to = to.quoted()
        );
        self.run(&sql, &format!("`{from}` was not renamed to `{to}`"))
    }

    /// Puts on `to` what `from` has beside its contents: owner, limit, rights, settings.
    pub fn carry_over(&mut self, from: &DatabaseName, to: &DatabaseName) -> Result<(), Fault> {
        // Nothing connects to it any more, so that no session of ours is on it when it is renamed.
        self.postgres.leave(to);
        let attempt = format!("the settings of `{from}` were not carried over to `{to}`");
        let maintenance = self.maintenance().clone();
        let sql =
            carried_over(self.postgres, &maintenance, from, to).map_err(|error| fault(&attempt, &error))?;
        if sql.is_empty() { Ok(()) } else { self.run(&format!("{UNFLUSHED}; {sql}"), &attempt).map(|_| ()) }
    }

    pub(crate) fn run(&mut self, sql: &str, attempt: &str) -> Result<Outcome, Fault> {
        let maintenance = self.maintenance().clone();
        self.postgres.run(&maintenance, sql).map_err(|error| fault(attempt, &error))?;
        Ok(Outcome::default())
    }

    pub fn oid(&mut self, database: &DatabaseName) -> Result<Option<u32>, Fault> {
        let sql = format!("SELECT oid::int8 AS oid FROM pg_database WHERE datname = {}", database.literal());
        let maintenance = self.maintenance().clone();
        let rows = self.postgres.rows(&maintenance, &sql);
        let rows = rows.map_err(|error| fault(&format!("`{database}` was not looked up"), &error))?;
        Ok(rows.first().and_then(|row| u32::try_from(row.get::<i64, _>("oid")).ok()))
    }

    /// The name that a database of this identity has now.
    pub fn name_of(&mut self, oid: u32) -> Result<Option<DatabaseName>, Fault> {
        let sql =
            format!("SELECT datname::text AS name FROM pg_database WHERE oid = {oid} AND datconnlimit <> -2");
        let maintenance = self.maintenance().clone();
        let rows = self
            .postgres
            .rows(&maintenance, &sql)
            .map_err(|error| fault("databases were not listed", &error))?;
        Ok(rows.first().and_then(|row| DatabaseName::new(row.get::<String, _>("name")).ok()))
    }

    pub fn verify(&mut self, expect: &Expect) -> Result<(), Fault> {
        let changed = |what: String| {
            Fault::new(Exit::Refused, "something changed since the plan was made")
                .cause(what)
                .hint("run it again")
        };
        match expect {
            Expect::Database { name, oid } => match self.oid(name)? {
                Some(found) if found == *oid => Ok(()),
                Some(_) => Err(changed(format!("`{name}` is another database now"))),
                None => Err(changed(format!("`{name}` is gone"))),
            },
            Expect::NoDatabase { name } => match self.oid(name)? {
                None => Ok(()),
                Some(_) => Err(changed(format!("there is a `{name}` now"))),
            },
            Expect::NoMoreRows { name, rows } => {
                let now = count_all(self.postgres, name)
                    .map_err(|error| fault(&format!("the rows of `{name}` were not counted"), &error))?;
                self.postgres.leave(name);
                if now <= *rows {
                    return Ok(());
                }
                let (now, then) = (words::count(now, "row"), words::count(*rows, "row"));
                Err(Fault::new(Exit::Refused, format!("there is more in `{name}` than was agreed to"))
                    .cause(format!("it holds {now}, and {then} were told"))
                    .hint("slate-undo --list shows where it is"))
            }
            Expect::Server { system_identifier } => {
                let maintenance = self.maintenance().clone();
                let now = self
                    .postgres
                    .identity(&maintenance)
                    .map_err(|error| fault("the server was not identified", &error))?;
                if now.system_identifier == *system_identifier {
                    Ok(())
                } else {
                    Err(changed("another server answers at this address".to_owned()))
                }
            }
            _ => Ok(()),
        }
    }
}

/// A failure over a connection.
pub(crate) fn fault(attempt: &str, error: &sqlx::Error) -> Fault {
    if is_stopped(error) {
        return Fault::new(Exit::Declined, "interrupted");
    }
    let fault = Fault::new(Exit::Failed, attempt).cause(said(error));
    match code(error).as_deref() {
        Some(state::NOT_ALLOWED) => {
            Fault { exit: Exit::Refused, ..fault }.hint("GRANT what the cause names, or use the owner's role")
        }
        Some(state::IN_USE) => fault.hint("slate-status shows who is connected"),
        Some(state::DISK_FULL) => fault.hint("slate-undo --gc --older-than 0 gives up what is kept"),
        _ => fault,
    }
}

/// A refusal with the statement that helps, where the server lacks a right of ours.
pub(crate) fn granted(fault: Fault, server: &Server) -> Fault {
    let cause = fault.cause.clone().unwrap_or_default();
    let user = server.user.quoted();
    let owned = cause.split_once("must be owner of database ").map(|(_, name)| name.to_owned());
    let statement = match owned {
        Some(name) => format!("ALTER DATABASE \"{}\" OWNER TO {user}", name.trim().replace('"', "\"\"")),
        None if cause.contains("to create database") || cause.contains("to rename database") => {
            format!("ALTER ROLE {user} CREATEDB")
        }
        None if cause.contains("to set parameter \"cleanslate.branch\"") => {
            format!("GRANT SET ON PARAMETER cleanslate.branch TO {user}")
        }
        None if cause.contains("terminate") => format!("GRANT pg_signal_backend TO {user}"),
        None => return fault,
    };
    Fault { exit: Exit::Refused, ..fault }.hint(format!("as a superuser: {statement}"))
}

/// A failure that psql reported.
fn refused(attempt: &str, said: &str) -> Fault {
    let fault = Fault::new(Exit::Failed, attempt).cause(said);
    if said.contains("permission denied") || said.contains("must be owner") {
        return Fault { exit: Exit::Refused, ..fault }
            .hint("GRANT what the cause names, or use the owner's role");
    }
    if said.contains("is being accessed by other users") {
        // CREATE DATABASE copies template1, and Postgres copies none that is in use.
        return Fault { exit: Exit::Refused, ..fault }.hint("close the sessions that the cause tells of");
    }
    fault
}
