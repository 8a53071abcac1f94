//! Seeds: the rows that everybody starts with, in sets of files and commands; and what a capture of them came to.

mod captured;
mod file;
mod fills;
mod order;

use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::{Exit, Fault, Home, Migrations};

pub use captured::{Captured, SeedChange};
pub use file::{csv_name, csv_table};
pub use fills::fills;
pub use order::{Reference, in_order};

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct SeedSettings {
    /// A folder of SQL and CSV files, relative to the workspace, loaded in the order of their names. A folder in it is
    /// another set.
    pub dir: Option<String>,
    /// Columns that a capture never writes: `users.password_hash`.
    pub mask: Vec<String>,
    /// Commands that run once the files are loaded, in their order.
    pub command: Vec<SeedCommand>,
}

/// A command that fills the database whose address it is given.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SeedCommand {
    /// Words for a shell.
    pub command: String,
    /// As `migrations.in`. Default: host.
    #[serde(rename = "in", default, skip_serializing_if = "Option::is_none")]
    pub home: Option<String>,
    /// As `migrations.variable`. Default: `DATABASE_URL`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub variable: Option<String>,
    /// The set that it belongs to. Default: the one without a name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub set: Option<String>,
}

impl SeedCommand {
    /// How it is run and told its database: as a command that migrates is.
    ///
    /// # Errors
    /// As [`Migrations::home`].
    pub fn runner(&self) -> Result<(Migrations, Home), Fault> {
        let home = Home::read(self.home.as_deref(), "`in` of a seed command")?;
        let variable = self.variable.clone();
        Ok((Migrations { home: self.home.clone(), variable, ..Migrations::default() }, home))
    }
}

/// One set of seeds.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Seeds {
    /// The folder of its files.
    pub dir: Option<String>,
    pub commands: Vec<SeedCommand>,
}

impl SeedSettings {
    /// The set without a name, which every fresh database gets. `None` where there are no seeds.
    #[must_use]
    pub fn usual(&self) -> Option<Seeds> {
        let seeds = Seeds { dir: self.dir.clone(), commands: self.commands(None) };
        (seeds.dir.is_some() || !seeds.commands.is_empty()).then_some(seeds)
    }

    /// A set by its name: a folder in the folder of seeds, and the commands that name it.
    ///
    /// # Errors
    /// A name that is none of a folder; no seeds at all.
    ///
    /// ```
    /// use plan::SeedSettings;
    /// let settings = SeedSettings { dir: Some("seeds".into()), ..SeedSettings::default() };
    /// assert_eq!(settings.set(Some("demo")).unwrap().dir.as_deref(), Some("seeds/demo"));
    /// assert!(settings.set(Some("../x")).is_err());
    /// ```
    pub fn set(&self, name: Option<&str>) -> Result<Seeds, Fault> {
        let fault = |error: &str| Fault::new(Exit::Usage, error).state("nothing was changed");
        let Some(name) = name else {
            return self.usual().ok_or_else(|| {
                fault("there are no seeds")
                    .hint("set seeds.dir in cleanslate.toml to a folder of SQL and CSV")
            });
        };
        if name.is_empty() || name.starts_with('.') || name.contains(['/', '\\']) {
            return Err(fault("that is no name for a set of seeds").cause("it is the name of a folder"));
        }
        let dir = self.dir.as_ref().map(|dir| Path::new(dir).join(name).display().to_string());
        let commands = self.commands(Some(name));
        // The commands of a set may be all of it, where there is no folder of seeds.
        if dir.is_none() && commands.is_empty() {
            return Err(fault("there are no seeds of that name").hint("set seeds.dir in cleanslate.toml"));
        }
        Ok(Seeds { dir, commands })
    }

    fn commands(&self, set: Option<&str>) -> Vec<SeedCommand> {
        self.command.iter().filter(|command| command.set.as_deref() == set).cloned().collect()
    }
}
