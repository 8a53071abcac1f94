//! What makes a reset quick, and takes it back: clones, templates, and the change of two names at once.

use plan::{Built, DatabaseName, Exit, Fault, KeptAs, Label, LabelKind, Marker, Outcome, Rows, Since, words};
use sqlx::Row as _;

use crate::databases::{Databases, fault};
use crate::postgres::{count_all, marker, settings_of, since};

/// Up to so many bytes Postgres copies quicker through its log than file by file, which costs two checkpoints.
const BY_LOG: u64 = 128_000_000;

impl Databases<'_> {
    /// A database like its template, labelled from its first moment.
    pub fn clone_database(
        &mut self,
        from: &DatabaseName,
        to: &DatabaseName,
        label: &Label,
        bytes: u64,
    ) -> Result<Outcome, Fault> {
        self.postgres.leave(from);
        let attempt = format!("`{from}` was not cloned to `{to}`");
        let maintenance = self.maintenance().clone();
        let version = "SELECT current_setting('server_version_num')::int AS number";
        let rows = self.postgres.rows(&maintenance, version).map_err(|error| fault(&attempt, &error))?;
        let number: i32 = rows.first().map_or(0, |row| row.get("number"));
        let by_files = bytes > BY_LOG;
        let strategy = match (number >= 150_000, by_files) {
            (false, _) => "",
            (true, true) => " STRATEGY FILE_COPY",
            (true, false) => " STRATEGY WAL_LOG",
        };
        if by_files && number >= 180_000 {
            // A file system that shares blocks copies nothing at all; another one does as before.
            let _ = self.postgres.run(&maintenance, "SET file_copy_method = 'clone'");
        }
        let sql = format!("CREATE DATABASE {} TEMPLATE {}{strategy}", to.quoted(), from.quoted());
        self.postgres.work(&maintenance, &sql).map_err(|error| fault(&attempt, &error))?;
        self.label(to, label)
    }

    /// Makes a complete database a template: nobody gets in any more, and its label says what it is.
    pub fn seal(&mut self, database: &DatabaseName, label: &Label) -> Result<Outcome, Fault> {
        let attempt = format!("`{database}` was not sealed");
        self.postgres.run(database, "ANALYZE").map_err(|error| fault(&attempt, &error))?;
        let fingerprint = marker(self.postgres, database).map_err(|error| fault(&attempt, &error))?;
        let fingerprint = fingerprint.and_then(|marker| marker.fingerprint);
        let sql = format!("SELECT pg_database_size({}) AS bytes", database.literal());
        let maintenance = self.maintenance().clone();
        let rows = self.postgres.rows(&maintenance, &sql).map_err(|error| fault(&attempt, &error))?;
        let bytes = rows.first().map_or(0, |row| u64::try_from(row.get::<i64, _>("bytes")).unwrap_or(0));
        self.close(database)?;
        self.end_sessions(database, &|_| None)?;
        let built = label.built.clone().map(|built| Built { fingerprint, bytes, ..built });
        self.label(database, &Label { built, ..label.clone() })?;
        Ok(Outcome::detail(words::bytes(bytes)))
    }

    /// Both names at once: whoever connects meanwhile waits, and gets the new database or none.
    pub fn swap(
        &mut self,
        [live, kept, next]: [&DatabaseName; 3],
        label: &Label,
        comment: Option<&str>,
    ) -> Result<Outcome, Fault> {
        self.postgres.leave(live);
        self.postgres.leave(next);
        let comment = comment.map_or_else(|| "NULL".to_owned(), plan::literal);
        // One message is one transaction, and one that fails leaves none open on our connection.
        let sql = format!(
            "ALTER DATABASE {live} RENAME TO {kept}; ALTER DATABASE {next} RENAME TO {live};
             ALTER DATABASE {kept} ALLOW_CONNECTIONS true; ALTER DATABASE {live} ALLOW_CONNECTIONS true;
             COMMENT ON DATABASE {kept} IS {label}; COMMENT ON DATABASE {live} IS {comment}",
            label = plan::literal(&label.text()),
            live = live.quoted(),
            kept = kept.quoted(),
            next = next.quoted(),
        );
        self.run(&sql, &format!("`{live}` was not swapped"))
    }

    /// Drops a kept database that is proved to hold nothing but what it was built from; says on its label what it holds
    /// else. `settings`: as they were noted when it was built.
    pub fn weigh(
        &mut self,
        database: &DatabaseName,
        label: &Label,
        settings: Option<&str>,
    ) -> Result<Outcome, Fault> {
        let attempt = format!("`{database}` was not compared");
        self.is_one_of(&[LabelKind::Kept], database, &label.workspace, &attempt)?;
        let there = marker(self.postgres, database).map_err(|error| fault(&attempt, &error))?;
        // Our own session is on it already; from here on nobody else gets in, so what we see stays so.
        let shut = format!("ALTER DATABASE {} ALLOW_CONNECTIONS false", database.quoted());
        self.run(&shut, &attempt)?;
        let seen = since(self.postgres, database, there.as_ref(), settings);
        let mut since = seen.map(|seen| seen.since).map_err(|error| fault(&attempt, &error));
        if matches!(since, Ok(Since::Unchanged)) && !self.holds_as_many(database, there.as_ref()) {
            since = Ok(Since::Unknown { why: "it holds other rows than were counted in".to_owned() });
        }
        if matches!(since, Ok(Since::Unchanged)) {
            self.remove(database)?;
            return Ok(Outcome::detail("nobody had changed it, so it is dropped"));
        }
        // What came between the plan and the swap is in it too.
        let rows = match label.kept.as_ref().and_then(|kept| kept.rows) {
            Some(Rows { exact: true, .. }) => {
                count_all(self.postgres, database).ok().map(|count| Rows { count, exact: true })
            }
            told => told,
        };
        self.postgres.leave(database);
        self.open(database)?;
        let why = Some(since?.line());
        let kept = label.kept.clone().map(|kept| KeptAs { why: why.clone(), rows, ..kept });
        self.label(database, &Label { kept, ..label.clone() })?;
        Ok(Outcome { detail: why, ..Outcome::default() })
    }

    /// A superuser may write uncounted: before it is dropped unasked, what is there is counted itself.
    fn holds_as_many(&mut self, database: &DatabaseName, marker: Option<&Marker>) -> bool {
        let noted = marker.and_then(|marker| marker.rows);
        noted.is_some() && count_all(self.postgres, database).ok() == noted
    }

    /// Drops a kept database, because somebody said so.
    pub fn give_up(&mut self, database: &DatabaseName, workspace: &str) -> Result<Outcome, Fault> {
        self.is_one_of(&LabelKind::PUT_BY, database, workspace, &format!("`{database}` was not dropped"))?;
        self.remove(database)
    }

    /// Notes beside a database's contents which branch it belongs to: it goes with it through every change of name.
    pub fn note_branch(&mut self, database: &DatabaseName, branch: &str) -> Result<Outcome, Fault> {
        let (name, branch) = (database.quoted(), plan::literal(branch));
        let sql = format!("ALTER DATABASE {name} SET cleanslate.branch = {branch}");
        self.run(&sql, &format!("the branch of `{database}` was not noted"))
    }

    fn is_one_of(
        &mut self,
        kinds: &[LabelKind],
        database: &DatabaseName,
        workspace: &str,
        attempt: &str,
    ) -> Result<(), Fault> {
        let maintenance = self.maintenance().clone();
        let sql = format!(
            "SELECT coalesce(shobj_description(oid, 'pg_database'), '') AS comment FROM pg_database WHERE datname = {}",
            database.literal()
        );
        let rows = self.postgres.rows(&maintenance, &sql).map_err(|error| fault(attempt, &error))?;
        let label = rows.first().and_then(|row| Label::read(&row.get::<String, _>("comment")));
        let ours = |label: &Label| label.workspace == workspace && kinds.contains(&label.kind);
        if label.is_some_and(|label| ours(&label)) {
            return Ok(());
        }
        Err(Fault::new(Exit::Refused, attempt).cause("it does not carry our label of a kept database"))
    }

    /// How its settings are, for later.
    pub fn settings(&mut self, database: &DatabaseName) -> Result<Option<String>, Fault> {
        let maintenance = self.maintenance().clone();
        settings_of(self.postgres, &maintenance, database)
            .map_err(|error| fault(&format!("the settings of `{database}` were not read"), &error))
    }
}
