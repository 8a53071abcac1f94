//! What the files of a workspace tell about its set-up, with the reason for each value. `slate-init --detect --json` prints
//! it as it is.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::{Config, Kind, Source, Tool};

/// A set-up as found. What nothing tells is `None`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Detected {
    /// The compose project's name; without compose files the folder's.
    pub project: String,
    /// Relative to the workspace, in their order.
    pub compose_files: Vec<String>,
    /// The Postgres of the compose files.
    pub database: Option<FoundDatabase>,
    pub backend: Option<FoundBackend>,
    /// Services that use the database.
    pub dependents: Vec<String>,
    pub migrations: Option<FoundMigrations>,
    pub seeds: Option<FoundSeeds>,
    /// The folder of the model files.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub models: Option<String>,
    /// Services that hold the project's code and connections: the backend and its workers.
    #[serde(skip)]
    pub holds_code: Vec<String>,
    /// Files that the compose files need and that are copied from an example: the file, and its example.
    #[serde(skip)]
    pub env_files: Vec<(String, String)>,
    /// Dotted key of a value to what was seen that says so.
    pub because: BTreeMap<String, String>,
    /// Files that could not be used, and why.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub unread: Vec<String>,
    /// Traps in the project's own files, which are left as they are.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub noticed: Vec<String>,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct FoundDatabase {
    pub service: String,
    /// Of a service that is built here: what it is built from.
    pub image: Option<String>,
    pub major: Option<u32>,
    pub user: String,
    /// The application's database.
    pub name: String,
    /// The application names another database than the image makes.
    #[serde(skip)]
    pub renamed: bool,
    pub container_port: u16,
    pub host_port: Option<u16>,
    pub volume: FoundVolume,
}

/// Where the data lies.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct FoundVolume {
    /// `named`, `bind`, `tmpfs`, `anonymous`, `external`.
    pub kind: &'static str,
    /// As the engine knows it.
    pub name: Option<String>,
    /// What is mounted; of an anonymous one the data directory.
    pub target: String,
}

/// The service that holds the application's code.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct FoundBackend {
    pub service: String,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct FoundMigrations {
    pub tool: String,
    pub dir: String,
    pub command: String,
    /// `host` or `service:NAME`.
    #[serde(rename = "in")]
    pub home: String,
    /// The service that applies them by itself when it starts.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub at_start: Option<String>,
    /// The variable of the service that holds the database's URL.
    #[serde(skip)]
    pub variable: Option<String>,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct FoundSeeds {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dir: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub command: Option<String>,
}

impl FoundMigrations {
    /// Whether it is known how they are told their database.
    #[must_use]
    pub fn is_told(&self) -> bool {
        self.as_tool().is_some() || self.variable.is_some()
    }

    /// The tool as cleanslate.toml calls it; `None` where nothing proves that the command takes the address it is given.
    #[must_use]
    pub fn as_tool(&self) -> Option<Tool> {
        match self.tool.as_str() {
            "sqlx" => Some(Tool::Sqlx),
            "sql" => Some(Tool::Sql),
            "alembic" if self.variable.is_some() && self.command.contains("alembic") => Some(Tool::Alembic),
            _ => None,
        }
    }
}

impl Config {
    /// Fills what nobody set with what was found. Only for a workspace without cleanslate.toml: with one, what it leaves
    /// out is left to the defaults.
    ///
    /// ```
    /// use plan::{Config, Detected, FoundDatabase};
    /// let database = Some(FoundDatabase { service: "db".into(), ..FoundDatabase::default() });
    /// let found = Detected { compose_files: vec!["docker/compose.yml".into()], database, ..Detected::default() };
    /// let mut config = Config::default();
    /// config.complete(&found);
    /// assert_eq!(config.compose.files, ["docker/compose.yml"]);
    /// ```
    pub fn complete(&mut self, found: &Detected) {
        if self.database.server.is_some_and(|kind| kind != Kind::Compose) {
            self.complete_migrations(found);
            return;
        }
        let mut seen = Vec::new();
        if let Some(database) = &found.database {
            if self.compose.files.is_empty() {
                self.compose.files.clone_from(&found.compose_files);
                seen.push(("compose.files", "compose_files"));
            }
            let told = found.because.get("project").is_some_and(|why| why.starts_with("-p "));
            if self.compose.project.is_none() && told {
                self.compose.project = Some(found.project.clone());
                seen.push(("compose.project", "project"));
            }
            if self.database.service.is_none() {
                self.database.service = Some(database.service.clone());
                seen.push(("database.service", "database.service"));
            }
            if self.database.name.is_none() && database.renamed {
                self.database.name = Some(database.name.clone());
                seen.push(("database.name", "database.name"));
            }
            if self.restart.services.is_empty() && !found.holds_code.is_empty() {
                self.restart.services.clone_from(&found.holds_code);
                seen.push(("restart.services", "backend.service"));
            }
        }
        for (key, why) in seen {
            self.note(found, key, why);
        }
        self.complete_migrations(found);
    }

    fn complete_migrations(&mut self, found: &Detected) {
        let Some(migrations) = found.migrations.as_ref().filter(|_| self.migrations.tool.is_none()) else {
            return;
        };
        let local = self.database.server.is_some_and(|kind| kind != Kind::Compose);
        if let Some(tool) = migrations.as_tool().filter(|tool| !local || *tool != Tool::Alembic) {
            self.migrations.tool = Some(tool);
            self.migrations.dir = Some(migrations.dir.clone());
            self.note(found, "migrations.tool", "migrations.tool");
            self.note(found, "migrations.dir", "migrations.tool");
            if tool == Tool::Alembic {
                self.migrations.command = Some(migrations.command.clone());
                self.migrations.home = Some(migrations.home.clone());
                self.migrations.variable.clone_from(&migrations.variable);
            }
        }
        if let Some(service) = migrations.at_start.as_ref().filter(|_| !local) {
            self.migrations.at_start = Some(service.clone());
            self.note(found, "migrations.at_start", "migrations.at_start");
        }
    }

    fn note(&mut self, found: &Detected, key: &str, why: &str) {
        let why = found.because.get(why).cloned().unwrap_or_default();
        self.sources.insert(key.to_owned(), Source::Found(why));
    }
}
