//! cleanslate.toml, the `SLATE_*` variables above it, and where each value came from.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};
use toml::{Table, Value};

use crate::settings::{Hook, ModelSettings, RebuildSettings, UndoSettings};
use crate::{Exit, Fault, Reload, Secret, SeedSettings, words};

/// Every setting. What is `None` or empty here is found in the workspace, or has the default its comment names.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    pub confirm: Option<Confirm>,
    pub database: DatabaseSettings,
    pub compose: ComposeSettings,
    pub local: LocalSettings,
    pub migrations: Migrations,
    pub seeds: SeedSettings,
    pub models: ModelSettings,
    pub restart: RestartSettings,
    /// Service name to the URL that answers 2xx once the service does its work.
    pub ready: BTreeMap<String, String>,
    pub undo: UndoSettings,
    pub rebuild: RebuildSettings,
    /// Commands that run right before a reset takes the database's name away, in their order.
    pub before_reset: Vec<Hook>,
    /// Commands that run once the new database has the name: what flushes a queue of jobs about rows that are gone.
    pub after_reset: Vec<Hook>,
    #[serde(skip)]
    pub sources: Sources,
}

/// When to ask.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Confirm {
    /// Where something would be lost for good; what undo takes back is done and told. The default.
    Loss,
    /// Before everything that changes rows.
    Always,
}

/// Where Postgres runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// A service of a compose file.
    Compose,
    /// A private cluster, from the Postgres programs on this machine.
    Local,
    /// Somebody else's, behind a URL: changed only once its database is adopted.
    External,
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Compose => "compose",
            Self::Local => "local",
            Self::External => "external",
        })
    }
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct DatabaseSettings {
    /// Default: external where `url` is set, else compose where a compose file describes a Postgres, else local.
    pub server: Option<Kind>,
    /// The compose service that runs Postgres. Default: the one whose image is a Postgres.
    pub service: Option<String>,
    /// Default: what the service's environment says (compose), the workspace's name (local).
    pub name: Option<String>,
    /// As `name`.
    pub user: Option<String>,
    /// Of an external server. Default: the variable that the migrations read, from the environment, else from `.env`.
    pub url: Option<Secret>,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ComposeSettings {
    /// Compose files, relative to the workspace. Default: what Compose itself would read there.
    pub files: Vec<String>,
    /// Default: by Compose's own rules.
    pub project: Option<String>,
    /// `docker compose` or `docker-compose`. Default: the one that made the project's containers, else v2, else v1.
    pub command: Option<String>,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct LocalSettings {
    /// The folder that holds `postgres`, `initdb` and `pg_ctl`. Default: PATH, then the usual places, newest first.
    pub programs: Option<String>,
    /// TCP port on 127.0.0.1. Default: a free one, kept from then on.
    pub port: Option<u16>,
}

/// Migrations: what they are and how the project applies them.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Migrations {
    pub tool: Option<Tool>,
    /// The folder of the migration files, relative to the workspace.
    pub dir: Option<String>,
    /// For alembic and command: the words that apply them.
    pub command: Option<String>,
    /// `host`, or `service:NAME` for a command that runs inside that service's container. Default: host.
    #[serde(rename = "in")]
    pub home: Option<String>,
    /// The variable that tells the command which database to use. Default: `DATABASE_URL`.
    pub variable: Option<String>,
    /// The service that applies the migrations by itself when it starts.
    pub at_start: Option<String>,
    /// The version to stop at: from the command line alone.
    #[serde(skip)]
    pub to: Option<String>,
}

/// The tool that applies migrations.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Tool {
    /// sqlx's own table and checksums.
    Sqlx,
    /// A folder of SQL files, applied in the order of their names.
    Sql,
    /// `alembic upgrade head`.
    Alembic,
    /// Any command that reads the database's URL from its environment.
    Command,
}

impl fmt::Display for Tool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Sqlx => "sqlx",
            Self::Sql => "sql",
            Self::Alembic => "alembic",
            Self::Command => "command",
        })
    }
}

/// Where a migration command runs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Home {
    Host,
    Service(String),
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct RestartSettings {
    /// Services that hold code or connections: what `slate-restart` and a reset restart.
    pub services: Vec<String>,
    /// Seconds a container gets to stop by itself. Default: Docker's own; 2 for one that a clean removes.
    pub grace: Option<u32>,
    /// Service name to how it comes to its new code inside a container, where no engine can restart it.
    pub inside: BTreeMap<String, Reload>,
}

impl Migrations {
    /// # Errors
    /// An `in` that is neither `host` nor `service:NAME`.
    ///
    /// ```
    /// use plan::{Home, Migrations};
    /// let migrations = Migrations { home: Some("service:api".into()), ..Migrations::default() };
    /// assert_eq!(migrations.home().unwrap(), Home::Service("api".into()));
    /// ```
    pub fn home(&self) -> Result<Home, Fault> {
        Home::read(self.home.as_deref(), "migrations.in")
    }
}

impl Home {
    /// # Errors
    /// A text that is neither `host` nor `service:NAME`; it is named by `key`.
    pub fn read(text: Option<&str>, key: &str) -> Result<Self, Fault> {
        match text {
            None | Some("host") => Ok(Self::Host),
            Some(text) => match text.strip_prefix("service:") {
                Some(service) if !service.is_empty() => Ok(Self::Service(service.to_owned())),
                _ => Err(Fault::new(Exit::Usage, format!("{key} is `{text}`"))
                    .cause("it says where the command runs: `host`, or `service:NAME`")
                    .state("nothing was changed")),
            },
        }
    }
}

/// Where a value came from, in the order in which they win.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Source {
    Flag(String),
    Variable(String),
    File {
        line: usize,
    },
    /// What was seen that says so.
    Found(String),
    Default,
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Flag(flag) => write!(f, "{flag}"),
            Self::Variable(name) => write!(f, "${name}"),
            Self::File { line } => write!(f, "cleanslate.toml:{line}"),
            Self::Found(because) => f.write_str(because),
            Self::Default => f.write_str("default"),
        }
    }
}

/// Dotted key to source, for every value that somebody set.
pub type Sources = BTreeMap<String, Source>;

/// Every key that a `SLATE_*` variable can set, and whether it is a list.
const KEYS: [(&str, bool); 25] = [
    ("confirm", false),
    ("database.server", false),
    ("database.service", false),
    ("database.name", false),
    ("database.user", false),
    ("database.url", false),
    ("compose.files", true),
    ("compose.project", false),
    ("compose.command", false),
    ("local.programs", false),
    ("local.port", false),
    ("migrations.tool", false),
    ("migrations.dir", false),
    ("migrations.command", false),
    ("migrations.in", false),
    ("migrations.at_start", false),
    ("seeds.dir", false),
    ("seeds.mask", true),
    ("models.dir", false),
    ("models.command", false),
    ("models.in", false),
    ("restart.services", true),
    ("undo.days", false),
    ("undo.max_size", false),
    ("rebuild.keep", true),
];

/// The variable that sets a key.
///
/// ```
/// assert_eq!(plan::variable_of("database.name"), "SLATE_DATABASE_NAME");
/// ```
#[must_use]
pub fn variable_of(key: &str) -> String {
    format!("SLATE_{}", key.replace('.', "_").to_uppercase())
}

/// Every variable that sets a key.
pub fn variables() -> impl Iterator<Item = String> {
    KEYS.iter().map(|(key, _)| variable_of(key))
}

impl Config {
    /// Reads cleanslate.toml's text and lays the given variables over it.
    ///
    /// # Errors
    /// Broken TOML, an unknown key (with the one that was probably meant), a value of the wrong kind: each with its
    /// line, or the variable's name.
    ///
    /// ```
    /// use plan::{Config, Source};
    /// let text = "[database]\nname = \"shop\"\n";
    /// let config = Config::read(text, [("SLATE_DATABASE_USER".into(), "app".into())]).unwrap();
    /// assert_eq!(config.database.name.as_deref(), Some("shop"));
    /// assert_eq!(config.sources["database.name"], Source::File { line: 2 });
    /// assert_eq!(config.sources["database.user"], Source::Variable("SLATE_DATABASE_USER".into()));
    ///
    /// let fault = Config::read("[database]\nnmae = \"shop\"\n", []).unwrap_err();
    /// assert!(fault.error.contains("line 2") && fault.hint.unwrap().contains("`name`"));
    /// ```
    pub fn read(text: &str, variables: impl IntoIterator<Item = (String, String)>) -> Result<Self, Fault> {
        let mut config: Self = toml::from_str(text).map_err(|error| in_file(text, &error))?;
        let mut sources = written(text);
        let given: BTreeMap<String, String> = variables.into_iter().collect();
        for (key, list) in KEYS {
            let variable = variable_of(key);
            if let Some(value) = given.get(&variable) {
                config =
                    config.with(key, value, list).map_err(|error| in_variable(&variable, value, &error))?;
                sources.insert(key.to_owned(), Source::Variable(variable));
            }
        }
        config.sources = sources;
        Ok(config)
    }

    fn with(&self, key: &str, text: &str, list: bool) -> Result<Self, toml::de::Error> {
        let mut table = Table::try_from(self).unwrap_or_default();
        let value = match (list, text.parse::<i64>()) {
            (true, _) => {
                Value::Array(text.split(',').map(|item| Value::String(item.trim().to_owned())).collect())
            }
            (false, Ok(number)) if matches!(key, "local.port" | "undo.days") => Value::Integer(number),
            (false, _) => Value::String(text.to_owned()),
        };
        match key.split_once('.') {
            None => drop(table.insert(key.to_owned(), value)),
            Some((section, name)) => {
                let section = table.entry(section).or_insert_with(|| Value::Table(Table::new()));
                if let Value::Table(section) = section {
                    section.insert(name.to_owned(), value);
                }
            }
        }
        let mut config = Self::deserialize(table)?;
        if key != "database.url" {
            // A secret comes out of a table as `***`.
            config.database.url.clone_from(&self.database.url);
        }
        Ok(config)
    }

    /// Where the value of a key came from: the default, unless somebody set it.
    #[must_use]
    pub fn source(&self, key: &str) -> Source {
        self.sources.get(key).cloned().unwrap_or(Source::Default)
    }
}

/// The dotted keys that a TOML text sets, with their lines.
fn written(text: &str) -> Sources {
    let mut sources = Sources::new();
    let mut section = String::new();
    for (line, content) in text.lines().enumerate() {
        let content = content.trim();
        if let Some(name) = content.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
            section = format!("{}.", name.0.trim_matches(['[', ' ']));
        } else if let Some((key, _)) = content.split_once('=').filter(|_| !content.starts_with('#')) {
            sources.insert(format!("{section}{}", key.trim()), Source::File { line: line + 1 });
        }
    }
    sources
}

fn in_file(text: &str, error: &toml::de::Error) -> Fault {
    let line =
        error.span().map_or(1, |span| text.get(..span.start).unwrap_or_default().matches('\n').count() + 1);
    let message = error.message();
    let fault = Fault::new(Exit::Usage, format!("cleanslate.toml line {line} is not understood"))
        .cause(message)
        .state("nothing was changed");
    match meant(message) {
        Some(key) => fault.hint(format!("write `{key}` there")),
        None => fault,
    }
}

fn in_variable(variable: &str, value: &str, error: &toml::de::Error) -> Fault {
    Fault::new(Exit::Usage, format!("{variable}=`{value}` is not understood"))
        .cause(error.message())
        .state("nothing was changed")
        .hint(format!("unset {variable}"))
}

/// The key nearest to the unknown one, out of serde's own message: "unknown field `a`, expected one of `b`, `c`".
fn meant(message: &str) -> Option<&str> {
    let mut ticked = message.split('`').skip(1).step_by(2);
    let unknown = ticked.next().filter(|_| message.starts_with("unknown"))?;
    words::nearest(unknown, ticked)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_variable_beats_the_file() {
        let text = "[database]\nname = \"shop\"\n[compose]\nfiles = [\"a.yml\"]\n";
        let variables = [
            ("SLATE_DATABASE_NAME", "other"),
            ("SLATE_COMPOSE_FILES", "b.yml, c.yml"),
            ("SLATE_LOCAL_PORT", "6000"),
        ];

        let config = Config::read(text, variables.map(|(k, v)| (k.to_owned(), v.to_owned()))).unwrap();

        assert_eq!(config.database.name.as_deref(), Some("other"));
        assert_eq!(config.compose.files, ["b.yml", "c.yml"]);
        assert_eq!(config.local.port, Some(6000));
        assert_eq!(config.source("database.name"), Source::Variable("SLATE_DATABASE_NAME".to_owned()));
    }

    #[test]
    fn a_url_is_whole_after_other_variables_and_shown_by_none() {
        let variables = [("SLATE_DATABASE_URL", "postgres://a:b@c/d"), ("SLATE_SEEDS_DIR", "seeds")];

        let config = Config::read("", variables.map(|(k, v)| (k.to_owned(), v.to_owned()))).unwrap();

        assert_eq!(config.database.url.as_ref().map(Secret::reveal), Some("postgres://a:b@c/d"));
        assert!(!format!("{config:?}").contains("a:b"), "{config:?}");
    }

    #[test]
    fn every_key_is_one_that_the_file_knows() {
        let config = Config::default();

        for (key, list) in KEYS {
            let value = match key {
                "confirm" => "always",
                "database.server" => "local",
                "migrations.tool" => "sqlx",
                "local.port" | "undo.days" => "7",
                "undo.max_size" => "7 GB",
                _ => "x",
            };
            assert_ne!(config.with(key, value, list).unwrap(), config, "{key} sets nothing");
        }
    }

    #[test]
    fn a_broken_value_names_its_line() {
        let fault = Config::read("[local]\n\nport = \"many\"\n", []).unwrap_err();

        assert_eq!(fault.error, "cleanslate.toml line 3 is not understood");
        assert_eq!(fault.exit, Exit::Usage);
    }

    #[test]
    fn a_broken_variable_names_itself() {
        let fault = Config::read("", [("SLATE_DATABASE_SERVER".to_owned(), "cloud".to_owned())]).unwrap_err();

        assert!(fault.error.contains("SLATE_DATABASE_SERVER"), "{fault}");
    }
}
