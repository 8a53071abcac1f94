//! The models' side of a check: what they describe, created in a scratch database the way the project itself would.

use std::collections::BTreeMap;
use std::path::Path;

use plan::check::{Described, Tried};
use plan::{DatabaseName, Exit, Fault, Migrations, ModelSettings, Tool, words};
use serde::de::DeserializeOwned;

use crate::build::{Builder, told};
use crate::databases::fault;
use crate::postgres::holds_tables;

/// Creates the models of `SQLAlchemy`, inside alembic's own surroundings.
const CREATE: &str = concat!(include_str!("surroundings.py"), "\n\n", include_str!("create.py"));
/// Inserts, reads and updates a row of each.
const EXERCISE: &str = concat!(include_str!("surroundings.py"), "\n\n", include_str!("exercise.py"));
/// What begins the line that the script answers with.
const ANSWER: &str = "cleanslate ";

impl Builder<'_> {
    /// Creates what the models describe. Says where each column stands, where that can be had.
    pub fn models(
        &mut self,
        database: &DatabaseName,
        models: &ModelSettings,
        migrations: &Migrations,
        extensions: &[String],
    ) -> Result<BTreeMap<String, Described>, Fault> {
        let attempt = format!("the models were not created in `{database}`");
        let at = placed(models, migrations);
        let command = match &models.command {
            Some(command) => command.clone(),
            None => script(CREATE, migrations)?,
        };
        let create: Vec<String> = extensions
            .iter()
            .map(|name| format!("CREATE EXTENSION IF NOT EXISTS {}", quoted(name)))
            .collect();
        self.postgres.run(database, &create.join(";")).map_err(|error| fault(&attempt, &error))?;
        let home = at.home()?;
        self.prove(&command, &at, &home)?;
        let spoken =
            self.program(&command, &at, &home, database)?.output().map_err(|run| told(&attempt, &run))?;
        if !holds_tables(self.postgres, database).map_err(|error| fault(&attempt, &error))? {
            return Err(
                Fault::new(Exit::Failed, attempt).cause("it reported success, and there is no table in it")
            );
        }
        let mut described: BTreeMap<String, Described> = answered(&spoken.stdout);
        let places = described.values_mut().filter_map(|described| described.place.as_mut());
        places.for_each(|place| in_workspace(place, self.root, migrations));
        Ok(described)
    }

    /// Writes and reads each mapped model in a database that the migrations made; nothing of it stays.
    pub fn exercise(
        &mut self,
        database: &DatabaseName,
        models: &ModelSettings,
        migrations: &Migrations,
    ) -> Result<BTreeMap<String, Tried>, Fault> {
        let attempt = format!("the models were not tried in `{database}`");
        let at = placed(models, migrations);
        let (command, home) = (script(EXERCISE, migrations)?, at.home()?);
        self.prove(&command, &at, &home)?;
        let spoken =
            self.program(&command, &at, &home, database)?.output().map_err(|run| told(&attempt, &run))?;
        let mut tried: BTreeMap<String, Tried> = answered(&spoken.stdout);
        let places = tried.values_mut().filter_map(|tried| tried.place.as_mut());
        places.for_each(|place| in_workspace(place, self.root, migrations));
        Ok(tried)
    }
}

/// Where the models are at home, and what tells them their database.
fn placed(models: &ModelSettings, migrations: &Migrations) -> Migrations {
    Migrations {
        home: models.home.clone().or_else(|| migrations.home.clone()),
        variable: models.variable.clone().or_else(|| migrations.variable.clone()),
        dir: migrations.dir.clone(),
        ..Migrations::default()
    }
}

/// The command that runs a script of ours among the project's models.
pub(crate) fn script(script: &str, migrations: &Migrations) -> Result<String, Fault> {
    let missing = |cause| Err(Fault::new(Exit::Usage, "models.command is missing").cause(cause));
    if migrations.tool != Some(Tool::Alembic) {
        return missing("only SQLAlchemy's models are known without one");
    }
    let command = migrations.command.as_deref().unwrap_or("alembic upgrade head");
    match through_alembic(command, script) {
        Some(command) => Ok(command),
        None => missing("migrations.command does not call alembic, whose env.py knows the models"),
    }
}

/// What a script of ours answered among all that the project's own code may say.
pub(crate) fn answered<T: DeserializeOwned + Default>(said: &str) -> T {
    let answer = said.lines().find_map(|line| line.strip_prefix(ANSWER));
    answer.and_then(|answer| serde_json::from_str(answer).ok()).unwrap_or_default()
}

/// A file and line as the project's own folder tells it: the script saw it from where alembic runs, perhaps in a container.
fn in_workspace(place: &mut String, root: &Path, migrations: &Migrations) {
    let dir = Path::new(migrations.dir.as_deref().unwrap_or_default());
    let file = place.rsplit_once(':').map_or(place.as_str(), |(file, _)| file);
    if root.join(file).is_file() {
        return;
    }
    let above = dir.ancestors().find(|above| root.join(above).join(file).is_file());
    if let Some(above) = above {
        *place = above.join(place.as_str()).display().to_string();
    }
}

fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// The command that runs our script where `alembic …` would run, with the Python that has it: `cd backend && uv run alembic
/// upgrade head` stays `cd backend && uv run …`.
fn through_alembic(command: &str, script: &str) -> Option<String> {
    let at = command.rfind("alembic upgrade").or_else(|| command.rfind("alembic -"))?;
    let (before, after) = command.split_at(at);
    let rest: Vec<&str> = after.split_whitespace().collect();
    let config =
        rest.iter().position(|word| *word == "-c" || *word == "--config").and_then(|at| rest.get(at + 1));
    let script = script.replace("CONFIG", &format!("{:?}", config.copied().unwrap_or("alembic.ini")));
    let script = words::shell(&script);
    match before.trim_end().strip_suffix("-m") {
        Some(python) => Some(format!("{python} -c {script}")),
        None if before.ends_with('/') => Some(format!("{before}python -c {script}")),
        None => {
            let python = r#"exec "$(sed -n "1s/^#!//p" "$(command -v alembic)")" -c "$1""#;
            Some(format!("{before}sh -c '{python}' sh {script}"))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_script_runs_where_alembic_would() {
        let command = |text: &str| through_alembic(text, CREATE).unwrap();

        assert!(
            command("cd backend && uv run alembic upgrade head").starts_with("cd backend && uv run sh -c ")
        );
        assert!(command("python -m alembic upgrade head").starts_with("python  -c "));
        assert!(command(".venv/bin/alembic upgrade head").starts_with(".venv/bin/python -c "));
        assert!(command("alembic -c db/alembic.ini upgrade head").contains("db/alembic.ini"));
        assert_eq!(through_alembic("make migrate", CREATE), None);
    }
}
