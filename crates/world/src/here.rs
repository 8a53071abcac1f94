//! Commands on this machine: the project's own, told which database to use by the variable that they read.

use std::path::{Path, PathBuf};

use plan::{DatabaseName, Exit, Fault, Migrations, Secret, Server};

use crate::build::Builder;
use crate::program::Program;

impl Builder<'_> {
    /// A command on this machine, told its database.
    pub(crate) fn here(
        &self,
        words: &[&str],
        variable: &str,
        database: &DatabaseName,
        folder: &Path,
    ) -> Result<Program, Fault> {
        let own = std::env::var(variable).ok().map(Secret::new);
        let url = aimed(own.as_ref(), self.server, database, variable)?;
        let quiet = Program::words(words.iter().copied()).env(variable, url);
        Ok(quiet.variable("PYTHONDONTWRITEBYTECODE", "1").folder(folder))
    }
}

/// Where a service's command works: the nearest folder above its migrations that says so, else the workspace.
pub(crate) fn home_of(root: &Path, migrations: &Migrations) -> PathBuf {
    let dir = root.join(migrations.dir.as_deref().unwrap_or_default());
    let above = dir.ancestors().take_while(|folder| folder.starts_with(root));
    let says = |folder: &&Path| folder.join("alembic.ini").is_file();
    above.into_iter().find(says).unwrap_or(root).to_owned()
}

/// The address for a command on this machine: its own variable aimed elsewhere, else ours.
fn aimed(
    own: Option<&Secret>,
    server: &Server,
    database: &DatabaseName,
    name: &str,
) -> Result<Secret, Fault> {
    let ours = server.url(database);
    // Only the driver is taken from it: where it points to may be another server.
    let scheme = own.and_then(|own| own.reveal().split_once("://").map(|(scheme, _)| scheme.to_owned()));
    let scheme = scheme.or_else(|| server.outside.scheme.clone());
    match scheme {
        None => Ok(ours),
        Some(scheme) if scheme.starts_with("postgres") => {
            Ok(Secret::new(ours.reveal().replacen("postgresql", &scheme, 1)))
        }
        Some(scheme) => Err(Fault::new(Exit::Usage, format!("{name} is no Postgres address"))
            .cause(format!("it begins with {scheme}://"))),
    }
}
