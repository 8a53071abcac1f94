//! The models' side of a check: what they describe, created in a scratch database the way the project itself would.

use std::collections::BTreeMap;

use plan::check::Described;
use plan::{DatabaseName, Exit, Fault, Migrations, ModelSettings, Tool, words};

use crate::build::{Builder, told};
use crate::databases::fault;
use crate::postgres::holds_tables;

/// Creates the models of `SQLAlchemy`, inside alembic's own surroundings.
const SCRIPT: &str = include_str!("models.py");
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
        let at = Migrations {
            home: models.home.clone().or_else(|| migrations.home.clone()),
            variable: models.variable.clone().or_else(|| migrations.variable.clone()),
            dir: migrations.dir.clone(),
            ..Migrations::default()
        };
        let command = match (&models.command, migrations.tool) {
            (Some(command), _) => command.clone(),
            (None, Some(Tool::Alembic)) => through_alembic(
                migrations.command.as_deref().unwrap_or("alembic upgrade head"),
            )
            .ok_or_else(|| {
                Fault::new(Exit::Usage, "models.command is missing")
                    .cause("migrations.command does not call alembic, whose env.py knows the models")
            })?,
            _ => {
                return Err(Fault::new(Exit::Usage, "models.command is missing")
                    .cause("only SQLAlchemy's models are created without one"));
            }
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
        let answer = spoken.stdout.lines().find_map(|line| line.strip_prefix(ANSWER));
        Ok(answer.and_then(|answer| serde_json::from_str(answer).ok()).unwrap_or_default())
    }
}

fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// The command that runs our script where `alembic …` would run, with the Python that has it: `cd backend && uv run alembic
/// upgrade head` stays `cd backend && uv run …`.
fn through_alembic(command: &str) -> Option<String> {
    let at = command.rfind("alembic upgrade").or_else(|| command.rfind("alembic -"))?;
    let (before, after) = command.split_at(at);
    let rest: Vec<&str> = after.split_whitespace().collect();
    let config =
        rest.iter().position(|word| *word == "-c" || *word == "--config").and_then(|at| rest.get(at + 1));
    let script = SCRIPT.replace("CONFIG", &format!("{:?}", config.copied().unwrap_or("alembic.ini")));
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
        let command = |text: &str| through_alembic(text).unwrap();

        assert!(
            command("cd backend && uv run alembic upgrade head").starts_with("cd backend && uv run sh -c ")
        );
        assert!(command("python -m alembic upgrade head").starts_with("python  -c "));
        assert!(command(".venv/bin/alembic upgrade head").starts_with(".venv/bin/python -c "));
        assert!(command("alembic -c db/alembic.ini upgrade head").contains("db/alembic.ini"));
        assert_eq!(through_alembic("make migrate"), None);
    }
}
