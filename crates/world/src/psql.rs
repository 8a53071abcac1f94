//! psql: the host's, else the one in the database's container. Names and passwords reach it by its environment.

use std::io::IsTerminal as _;
use std::path::{Path, PathBuf};

use plan::{DatabaseName, Exit, Fault, Secret, Server};

use crate::postgres::WATCH;
use crate::program::Program;
use crate::programs;
use crate::workspace::Held;

/// psql, and what it holds while it works.
#[derive(Debug, Clone)]
pub(crate) struct Psql {
    place: Place,
    held: Option<Held>,
}

/// Where psql is.
#[derive(Debug, Clone)]
enum Place {
    Host(String),
    /// In this container, over its own socket.
    Container(String),
}

/// A file of statements, or of rows: by the path that it is told with, as what psql reads or what `COPY` fills.
#[derive(Debug, Clone)]
pub(crate) enum Script {
    Sql { file: PathBuf, text: String },
    Rows { file: PathBuf, path: PathBuf, into: String },
}

/// How a file of rows is written: as Postgres' own COPY does it, with the names of the columns first.
pub(crate) const CSV: &str = "(FORMAT csv, HEADER true)";

/// What psql reads to find its server.
const VARIABLES: [&str; 6] = ["PGHOST", "PGPORT", "PGUSER", "PGDATABASE", "PGPASSWORD", "PGAPPNAME"];

/// Parameters of a URL that it reads too.
const TLS: [(&str, &str); 5] = [
    ("sslmode", "PGSSLMODE"),
    ("sslrootcert", "PGSSLROOTCERT"),
    ("sslcert", "PGSSLCERT"),
    ("sslkey", "PGSSLKEY"),
    ("channel_binding", "PGCHANNELBINDING"),
];

impl Psql {
    /// # Errors
    /// There is none.
    pub fn find(programs: Option<&str>, container: Option<&str>, held: Option<&Held>) -> Result<Self, Fault> {
        let host = programs::psql(programs).map(Place::Host);
        let place = host.or_else(|| container.map(|name| Place::Container(name.to_owned())));
        place.map(|place| Self { place, held: held.cloned() }).ok_or_else(|| {
            Fault::new(Exit::NotReady, "psql is missing")
                .cause(
                    "it is neither on PATH nor in the usual folders, and there is no container to run it in",
                )
                .state("nothing was changed")
                .hint("apt-get install postgresql-client")
        })
    }

    /// Runs statements, each on its own, and stops at the first that fails.
    ///
    /// # Errors
    /// What psql said.
    pub fn run(&self, server: &Server, database: &DatabaseName, statements: &[String]) -> Result<(), String> {
        let mut program = self.program(server, database).args([
            "-X",
            "-q",
            "-v",
            "ON_ERROR_STOP=1",
            "-v",
            "VERBOSITY=terse",
        ]);
        for statement in statements {
            program = program.args(["-c", statement]);
        }
        // Short, and not to be left half-way: the server would go on without us.
        let program = program.unstoppable().holds(self.held.as_ref());
        program.output().map(|_| ()).map_err(|error| plain(&error.to_string()))
    }

    /// Loads files in one session and one transaction, in the folder that their own paths start from.
    ///
    /// # Errors
    /// What psql said, with file and line.
    pub fn files(
        &self,
        server: &Server,
        database: &DatabaseName,
        folder: &Path,
        scripts: &[Script],
    ) -> Result<(), String> {
        let first = format!("SET client_encoding = 'UTF8'; {WATCH}");
        let arguments = ["-X", "-q", "-1", "-v", "ON_ERROR_STOP=1", "-o", "/dev/null", "-c", &first];
        let program = self.program(server, database).args(arguments).folder(folder);
        let program = match self.place {
            Place::Host(_) => {
                let program = program.holds(self.held.as_ref());
                scripts.iter().fold(program, |program, script| match script {
                    Script::Sql { file, .. } if folder.join(file).is_file() => program.arg("-f").arg(file),
                    Script::Sql { text, .. } => program.arg("-c").arg(text),
                    Script::Rows { path, into, .. } => {
                        let path = path.display().to_string().replace('\'', "''");
                        program.arg("-c").arg(format!("\\copy {into} FROM '{path}' WITH {CSV}"))
                    }
                })
            }
            Place::Container(_) => {
                let text = |script: &Script| match script {
                    Script::Sql { text, .. } => Ok(text.clone()),
                    Script::Rows { path, into, .. } => std::fs::read_to_string(path)
                        .map(|rows| format!("COPY {into} FROM STDIN WITH {CSV};\n{rows}\n\\."))
                        .map_err(|why| format!("{}: {why}", path.display())),
                };
                let texts: Vec<String> = scripts.iter().map(text).collect::<Result<_, _>>()?;
                program.args(["-f", "-"]).stdin(texts.join("\n"))
            }
        };
        let done = program.output().map(|_| ());
        done.map_err(|error| placed(&plain(&error.to_string()), scripts))
    }

    /// Becomes psql, for a person or for the arguments they gave. Comes back only when that failed.
    pub fn become_it(&self, server: &Server, database: &DatabaseName, arguments: &[String]) -> Fault {
        // A person at work is told from our own short looks by this name.
        let program = self.program(server, database).variable("PGAPPNAME", "slate-psql");
        let why = program.args(arguments).replace();
        Fault::new(Exit::NotReady, "psql was not opened").cause(why.to_string())
    }

    /// psql's sisters: of the database's container where there is one, since they are as new as the server; else of this
    /// machine, none older than the server.
    ///
    /// # Errors
    /// There is none.
    pub fn sisters(programs: Option<&str>, container: Option<&str>, major: u32) -> Result<Self, Fault> {
        let host = || programs::tools(programs, major).map(Place::Host);
        let place = container.map(|name| Place::Container(name.to_owned())).or_else(host);
        place.map(|place| Self { place, held: None }).ok_or_else(|| {
            Fault::new(Exit::NotReady, format!("`pg_dump` and `pg_restore` of Postgres {major} are missing"))
                .cause("they are neither on PATH nor in the usual folders, and an older one can't read this server")
                .hint(format!("apt-get install postgresql-client-{major}"))
        })
    }

    /// One of them, aimed at a database.
    pub fn sister(&self, tool: &str, server: &Server, database: &DatabaseName) -> Program {
        self.aimed(tool, false, server, database)
    }

    fn program(&self, server: &Server, database: &DatabaseName) -> Program {
        self.aimed("psql", std::io::stdin().is_terminal(), server, database)
    }

    fn aimed(&self, tool: &str, terminal: bool, server: &Server, database: &DatabaseName) -> Program {
        let address = server.address.as_ref();
        let (host, port) = match self.place {
            Place::Host(_) => (address.map(|at| at.host.clone()), address.map(|at| at.port.to_string())),
            Place::Container(_) => (None, None),
        };
        let values = [
            host,
            port,
            Some(server.user.to_string()),
            Some(database.to_string()),
            Some(server.password.reveal().to_owned()).filter(|password| !password.is_empty()),
            Some("cleanslate".to_owned()),
        ];
        let given: Vec<(&str, String)> =
            VARIABLES.into_iter().zip(values).filter_map(|(name, value)| Some((name, value?))).collect();
        let program = match &self.place {
            Place::Host(path) => Program::new(Path::new(path).with_file_name(tool).to_string_lossy()),
            Place::Container(container) => {
                let names = given.iter().flat_map(|(name, _)| ["-e".to_owned(), (*name).to_owned()]);
                let how = if terminal { "-it" } else { "-i" };
                Program::new("docker").args(["exec", how]).args(names).arg(container).arg(tool)
            }
        };
        let program = match self.place {
            Place::Host(_) => {
                TLS.iter().fold(program, |program, (name, variable)| match server.outside.parameter(name) {
                    Some(value) => program.variable(*variable, value),
                    None => program,
                })
            }
            Place::Container(_) => program,
        };
        given.into_iter().fold(program, |program, (name, value)| {
            // Only the password is a secret; masking a short database name would blot out half of every message.
            if name == "PGPASSWORD" {
                program.env(name, Secret::new(value))
            } else {
                program.variable(name, value)
            }
        })
    }
}

/// psql's message without its own preamble.
fn plain(said: &str) -> String {
    said.trim().trim_start_matches("psql:").trim_start().trim_start_matches("error: ").to_owned()
}

/// A line of its input as a line of the file that it came from.
fn placed(said: &str, scripts: &[Script]) -> String {
    let read = |said: &str| {
        let (number, rest) = said.strip_prefix("<stdin>:")?.split_once(':')?;
        let mut line: usize = number.parse().ok()?;
        for script in scripts {
            let Script::Sql { file, text } = script else { return None };
            let lines = text.matches('\n').count() + 1;
            if line <= lines {
                return Some(format!("{}:{line}:{rest}", file.display()));
            }
            line -= lines;
        }
        None
    };
    read(said).unwrap_or_else(|| said.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_of_all_texts_is_told_as_one_of_its_file() {
        let script = |file: &str, text: &str| Script::Sql { file: file.into(), text: text.to_owned() };
        let files = [script("a.sql", "1\n2\n"), script("b.sql", "1\n2")];

        assert_eq!(placed("<stdin>:2: ERROR: no", &files), "a.sql:2: ERROR: no");
        assert_eq!(placed("<stdin>:5: ERROR: no", &files), "b.sql:2: ERROR: no");
        assert_eq!(placed("ERROR: no", &files), "ERROR: no");
    }
}
