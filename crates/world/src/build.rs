//! Builds what a fresh database holds: runs the migrations the way the project does, and loads files.

mod failed;

use std::path::{Path, PathBuf};

use plan::{DatabaseName, Exit, Fault, Home, Migrations, Outcome, Said, Secret, Server, Tool, words};
use sqlx::migrate::Migrator;

use failed::{end_of, in_file, in_rows, not_migrated};

pub(crate) use failed::told;

use crate::blueprint::sql_files;
use crate::databases::{Lazy, fault};
use crate::engine;
use crate::here::home_of;
use crate::interrupt;
use crate::postgres::{Postgres, holds_tables};
use crate::program::{Program, Run};
use crate::psql::{CSV, Script};
use crate::revisions;
use crate::seeds::script;

/// Between two proofs in their file.
const PROOFS: &str = "\0";

/// How many are kept.
const KEPT: usize = 8;

/// A workspace and its server, for building databases.
pub(crate) struct Builder<'a> {
    pub root: &'a Path,
    /// Our own folder, for what is proved once.
    pub state: &'a Path,
    pub server: &'a Server,
    pub postgres: &'a mut Postgres,
    pub psql: Lazy<'a>,
    /// Longest wait for a connection.
    pub timeout: std::time::Duration,
    /// This is a container without an engine.
    pub inside: bool,
    /// For commands that run inside a service.
    pub engine: Option<engine::Context<'a>>,
}

impl Builder<'_> {
    /// Applies the migrations to a database.
    pub fn migrate(
        &mut self,
        database: &DatabaseName,
        migrations: &Migrations,
        tell: &mut dyn FnMut(Said<'_>),
    ) -> Result<Outcome, Fault> {
        let Some(tool) = migrations.tool else { return Ok(Outcome::idle("no migrations are configured")) };
        let count = match tool {
            Tool::Sqlx => self.with_sqlx(database, migrations)?,
            Tool::Sql => self.with_sql(database, migrations, tell)?,
            Tool::Alembic | Tool::Command => return self.with_command(database, migrations, tool, tell),
        };
        Ok(Outcome::detail(words::count(count as u64, "migration")))
    }

    /// What the text of each migration was when it was applied: later an edit of it is seen.
    pub fn note(&mut self, database: &DatabaseName, migrations: &Migrations) -> Result<(), Fault> {
        let noted = revisions::note(self.postgres, migrations, self.root, database);
        noted.map_err(|error| fault(&format!("the migrations of `{database}` were not noted"), &error))
    }

    /// Takes the newest migrations back, down to a version.
    pub(crate) fn revert_sqlx(
        &mut self,
        database: &DatabaseName,
        migrations: &Migrations,
        target: &str,
        attempt: &str,
    ) -> Result<(), Fault> {
        let folder = self.folder(migrations)?;
        let migrator = self.postgres.block_on(Migrator::new(folder.as_path()));
        let migrator = migrator.map_err(|why| Fault::new(Exit::Usage, attempt).cause(why.to_string()))?;
        let target = target.parse().unwrap_or(0);
        let done = self.postgres.revert(database, &migrator, target);
        done.map_err(|why| not_migrated(attempt, why, &folder))
    }

    fn with_sqlx(&mut self, database: &DatabaseName, migrations: &Migrations) -> Result<usize, Fault> {
        let folder = self.folder(migrations)?;
        let attempt = format!("`{database}` was not migrated");
        let migrator = self
            .postgres
            .block_on(Migrator::new(folder.as_path()))
            .map_err(|why| Fault::new(Exit::Usage, attempt.clone()).cause(why.to_string()))?;
        let migrator = match &migrations.to {
            Some(to) => up_to(&migrator, to)?,
            None => migrator,
        };
        // Another runner that holds sqlx' lock would keep us waiting for ever.
        let limited = self.postgres.run(database, "SET lock_timeout = '30s'");
        limited.map_err(|error| fault(&attempt, &error))?;
        let done = self.postgres.migrate(database, &migrator);
        done.map_err(|why| not_migrated(&attempt, why, &folder))?;
        self.note(database, migrations)?;
        Ok(migrator.iter().count())
    }

    fn with_sql(
        &mut self,
        database: &DatabaseName,
        migrations: &Migrations,
        tell: &mut dyn FnMut(Said<'_>),
    ) -> Result<usize, Fault> {
        let dir = dir(migrations)?.to_owned();
        let mut files = sql_files(self.root, &dir, "migrations.dir")?;
        if let Some(to) = &migrations.to {
            let is_it =
                |file: &PathBuf| file.file_name().is_some_and(|name| name.to_string_lossy().starts_with(to));
            let last = files.iter().rposition(is_it).ok_or_else(|| no_version(to))?;
            files.truncate(last + 1);
        }
        let attempt = format!("`{database}` was not migrated");
        let mut known = revisions::of_files(migrations, self.root);
        let marked = revisions::mark(self.postgres, migrations.tool, database, &mut known);
        marked.map_err(|error| fault(&attempt, &error))?;
        let of = |file: &PathBuf| known.files.iter().find(|known| self.root.join(&known.path) == *file);
        files.retain(|file| of(file).is_none_or(|known| !known.applied));
        let note = revisions::noting(files.iter().filter_map(of));
        let mut scripts: Vec<Script> =
            files.iter().map(|file| script(file, self.root)).collect::<Result<_, _>>()?;
        scripts.push(Script::Sql { file: PathBuf::from("what was applied"), text: note });
        self.load(database, &scripts, &attempt, tell)?;
        Ok(files.len())
    }

    /// A command that reads the database's address from its environment.
    fn with_command(
        &mut self,
        database: &DatabaseName,
        migrations: &Migrations,
        tool: Tool,
        tell: &mut dyn FnMut(Said<'_>),
    ) -> Result<Outcome, Fault> {
        let command = match (&migrations.command, tool) {
            (Some(command), _) => command.as_str(),
            (None, Tool::Alembic) => "alembic upgrade head",
            _ => {
                return Err(Fault::new(Exit::Usage, "migrations.command is missing")
                    .cause("the tool is `command`")
                    .state("nothing was changed"));
            }
        };
        let home = migrations.home()?;
        self.prove(command, migrations, &home)?;
        let stopping = migrations.to.as_ref().map(|to| stopping_at(command, to)).transpose()?;
        let command = stopping.as_deref().unwrap_or(command);
        let program = self.program(command, migrations, &home, database)?;
        let attempt = format!("`{database}` was not migrated by `{command}`");
        self.same_files(migrations, &home, &attempt)?;
        let before = self.live(database);
        program.lines(&mut |line| tell(Said::Line(line))).map_err(|run| told(&attempt, &run))?;
        let built = holds_tables(self.postgres, database).map_err(|error| fault(&attempt, &error))?;
        if !built {
            return Err(Fault::new(Exit::Failed, attempt)
                .cause("it reported success, and there is no table in it: it seems to use another address")
                .hint(format!("migrations.variable names what it reads, now {}", variable(migrations))));
        }
        if before != self.live(database) {
            return Err(Fault::new(Exit::Failed, attempt)
                .cause(format!(
                    "definitions in `{}` changed meanwhile: it works there, too",
                    self.server.name
                ))
                .hint(format!("migrations.variable names what it reads, now {}", variable(migrations))));
        }
        self.note(database, migrations)?;
        Ok(Outcome::detail(command))
    }

    /// Aimed at a database that is not there, the command must fail and name it: else it would work on another one.
    /// Proved once for a command.
    pub(crate) fn prove(&mut self, command: &str, migrations: &Migrations, home: &Home) -> Result<(), Fault> {
        let proof = format!("{command}\n{}\n{home:?}\n{}", variable(migrations), self.server.masked_url());
        let file = self.state.join("proved-runner");
        let proved = std::fs::read_to_string(&file).unwrap_or_default();
        if proved.split(PROOFS).any(|proved| proved == proof) {
            return Ok(());
        }
        let absent = self.server.name.suffixed("__absent");
        let unproved = |cause: String| {
            Fault::new(Exit::Refused, format!("`{command}` was not proved to use the address it is given"))
                .cause(cause)
                .hint(format!("migrations.variable names what it reads, now {}", variable(migrations)))
        };
        match self.program(command, migrations, home, &absent)?.output() {
            Err(Run::Failed { said, .. }) if said.contains(absent.as_str()) => {
                // The migrations', the models' and those of seeds: more of them are from other days.
                let last = proved.split(PROOFS).filter(|proved| !proved.is_empty());
                let mut proofs: Vec<&str> = last.chain([proof.as_str()]).collect();
                proofs.drain(..proofs.len().saturating_sub(KEPT));
                crate::workspace::replace_file(&file, proofs.join(PROOFS).as_bytes())
            }
            Err(Run::Failed { said, .. }) => {
                Err(unproved(format!("aimed at `{absent}` it said: {}", end_of(&said))))
            }
            Err(run) => Err(unproved(run.to_string())),
            Ok(_) => Err(unproved(format!("aimed at `{absent}`, which does not exist, it succeeded"))),
        }
    }

    pub(crate) fn program(
        &self,
        command: &str,
        migrations: &Migrations,
        home: &Home,
        database: &DatabaseName,
    ) -> Result<Program, Fault> {
        let name = variable(migrations);
        // Through a shell, because that is how the project writes it.
        let words = ["sh", "-c", command];
        match home {
            Home::Host => self.here(&words, name, database, self.root),
            // Inside a container the service's own one can't be entered: what it has may be here too, and is proved.
            Home::Service(_) if self.engine.is_none() && self.inside => {
                self.here(&words, name, database, &home_of(self.root, migrations))
            }
            Home::Service(service) => {
                let context = self.engine.as_ref().ok_or_else(|| {
                    Fault::new(
                        Exit::Usage,
                        "migrations.in names a service, and there is no container engine here",
                    )
                })?;
                let own = engine::variable(context, service, name).ok_or_else(|| {
                    Fault::new(Exit::Usage, format!("service `{service}` has no {name} in its environment"))
                        .hint("migrations.variable names what holds the database's address")
                })?;
                let url = renamed(own.reveal(), database, name)?;
                engine::in_service(context, service, Some((name, &url)), &words)
            }
        }
    }

    fn folder(&self, migrations: &Migrations) -> Result<PathBuf, Fault> {
        let folder = self.root.join(dir(migrations)?);
        // A missing folder has a clearer error here than in the migrator.
        sql_files(self.root, dir(migrations)?, "migrations.dir").map(|_| folder)
    }

    /// Loads files in one transaction, all of them through psql where one has its commands.
    pub(crate) fn load(
        &mut self,
        database: &DatabaseName,
        scripts: &[Script],
        attempt: &str,
        tell: &mut dyn FnMut(Said<'_>),
    ) -> Result<(), Fault> {
        if scripts.iter().any(needs_psql) {
            let done = (self.psql)()?.files(self.server, database, self.root, scripts);
            return done.map_err(|said| {
                if interrupt::asked() {
                    Fault::new(Exit::Declined, "interrupted")
                } else {
                    Fault::new(Exit::Failed, attempt).cause(said)
                }
            });
        }
        let total = scripts.iter().map(bytes).sum();
        let mut done = 0;
        let begun = self.postgres.watch(database).and_then(|()| self.postgres.work(database, "BEGIN"));
        begun.map_err(|error| fault(attempt, &error))?;
        for script in scripts {
            let loaded = match script {
                Script::Sql { file, text } => self
                    .postgres
                    .work(database, text)
                    .map_err(|error| in_file(attempt, &error, text, &file.display().to_string())),
                Script::Rows { file, path, into } => {
                    let copy = format!("COPY {into} FROM STDIN WITH {CSV}");
                    let mut tell = |sent| tell(Said::Progress { done: done + sent, total });
                    let copied = self.postgres.copy_in(database, &copy, path, &mut tell);
                    copied.map_err(|error| in_rows(attempt, &error, &file.display().to_string()))
                }
            };
            if let Err(fault) = loaded {
                // The connection's transaction ends with it.
                self.postgres.leave(database);
                return Err(fault);
            }
            done += bytes(script);
            tell(Said::Progress { done, total });
        }
        self.postgres.work(database, "COMMIT").map_err(|error| fault(attempt, &error))
    }
}

/// How much there is to load.
fn bytes(script: &Script) -> u64 {
    match script {
        Script::Sql { text, .. } => text.len() as u64,
        Script::Rows { path, .. } => std::fs::metadata(path).map_or(0, |about| about.len()),
    }
}

fn no_version(to: &str) -> Fault {
    Fault::new(Exit::Usage, format!("there is no migration `{to}`")).state("nothing was changed")
}

/// The migrations up to a version, which sqlx' own way with a target would apply to what is newer, too.
fn up_to(migrator: &Migrator, to: &str) -> Result<Migrator, Fault> {
    let target: i64 = to.parse().map_err(|_| no_version(to))?;
    if !migrator.version_exists(target) {
        return Err(no_version(to));
    }
    let until = migrator.iter().filter(|migration| migration.version <= target).cloned();
    Ok(Migrator::with_migrations(until.collect()))
}

/// A command with the version in the place of `head`.
fn stopping_at(command: &str, to: &str) -> Result<String, Fault> {
    let mut words: Vec<String> = command.split(' ').map(str::to_owned).collect();
    let head = words.iter_mut().find(|word| matches!(word.as_str(), "head" | "heads"));
    let head = head.ok_or_else(|| {
        Fault::new(Exit::Usage, format!("`{command}` can't stop at a version"))
            .cause("only a command with the word `head` in it takes another target")
            .state("nothing was changed")
    })?;
    *head = words::shell(to);
    Ok(words.join(" "))
}

fn dir(migrations: &Migrations) -> Result<&str, Fault> {
    migrations.dir.as_deref().ok_or_else(|| {
        Fault::new(Exit::Usage, "migrations.dir is missing")
            .cause("the tool needs a folder")
            .state("nothing was changed")
    })
}

fn variable(migrations: &Migrations) -> &str {
    migrations.variable.as_deref().unwrap_or("DATABASE_URL")
}

/// An address with only its database replaced: driver, login, host and parameters stay as they are written. No URL
/// parser: what drivers take (several hosts, odd characters) is more than a URL may hold.
fn renamed(own: &str, database: &DatabaseName, name: &str) -> Result<Secret, Fault> {
    let odd =
        || Fault::new(Exit::Usage, format!("{name} is no address that we can read")).cause("it has no `://`");
    let (scheme, rest) = own.split_once("://").ok_or_else(odd)?;
    let (place, parameters) = rest.split_at(rest.find(['?', '#']).unwrap_or(rest.len()));
    let host = place.rfind('@').map_or(0, |at| at + 1);
    let end = place.get(host..).and_then(|host| host.find('/')).map_or(place.len(), |at| host + at);
    let place = place.get(..end).unwrap_or(place);
    let path: String = form_urlencoded::byte_serialize(database.as_str().as_bytes()).collect();
    Ok(Secret::new(format!("{scheme}://{place}/{}{parameters}", path.replace('+', "%20"))))
}

/// psql's own commands, and data inside the file.
fn needs_psql(script: &Script) -> bool {
    let Script::Sql { text, .. } = script else { return false };
    text.lines().any(|line| {
        let line = line.trim_end().to_ascii_lowercase();
        line.starts_with('\\') || (line.starts_with("copy ") && line.contains("from stdin"))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_database_of_an_address_is_replaced() {
        let database = DatabaseName::new("we\"ird; drop").unwrap();

        let url =
            renamed("postgresql+asyncpg://u:p%40s@db:5432/app?ssl=false", &database, "DATABASE_URL").unwrap();

        assert_eq!(url.reveal(), "postgresql+asyncpg://u:p%40s@db:5432/we%22ird%3B%20drop?ssl=false");
        let of = |own: &str| renamed(own, &database, "DATABASE_URL").map(|url| url.reveal().to_owned());
        assert_eq!(of("postgres://a/b@c:d@db").unwrap(), "postgres://a/b@c:d@db/we%22ird%3B%20drop");
        assert_eq!(of("postgres://db/app?user=me@x").unwrap(), "postgres://db/we%22ird%3B%20drop?user=me@x");
        assert!(of("sqlite").is_err());
    }

    #[test]
    fn psql_is_used_where_only_psql_can_read_a_file() {
        let needed = |text: &str| needs_psql(&Script::Sql { file: "x.sql".into(), text: text.to_owned() });

        assert!(needed("\\set x 1\n"));
        assert!(needed("COPY users FROM stdin;\n"));
        assert!(!needed("SELECT E'\\n'; COPY users FROM '/tmp/x';\n"));
    }
}
