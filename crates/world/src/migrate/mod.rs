//! What `slate-migrate` does beside applying migrations: drafts of new ones, and of the one that stands for all.

mod text;

use std::fs;
use std::path::{Path, PathBuf};

use plan::{DatabaseName, Draft, Exit, Fault, Migrations, Outcome, Tool, words};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::build::{Builder, told};
use crate::databases::fault;
use crate::models;
use crate::revisions;
use crate::workspace::replace_file;

pub(crate) use text::{cleaned, python};

/// What alembic is asked, inside its own surroundings.
const ALEMBIC: &str = include_str!("alembic.py");

/// Longest text of a migration that fits into a command line.
const LONGEST: usize = 90_000;

/// What alembic answered.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Answer {
    /// The file's name, and what is in it.
    pub file: String,
    pub text: String,
    pub empty: bool,
    pub sql: Option<String>,
    pub said: Option<String>,
}

fn file(state: &Path) -> PathBuf {
    state.join("draft.json")
}

/// What an earlier step wrote.
pub(crate) fn draft(state: &Path) -> Option<Draft> {
    serde_json::from_slice(&fs::read(file(state)).ok()?).ok()
}

pub(crate) fn keep_draft(state: &Path, draft: &Draft) -> Result<(), Fault> {
    replace_file(&file(state), &serde_json::to_vec(draft).unwrap_or_default())
}

impl Builder<'_> {
    /// Has alembic do something with a database. The runner is proved by the command that the project itself uses.
    pub fn alembic(
        &mut self,
        database: &DatabaseName,
        migrations: &Migrations,
        asked: &Value,
        attempt: &str,
    ) -> Result<Answer, Fault> {
        let asked = serde_json::to_string(&asked.to_string()).unwrap_or_default();
        if asked.len() > LONGEST {
            return Err(Fault::new(Exit::Failed, attempt)
                .cause(format!("it is longer than {} bytes", words::count(LONGEST as u64, "byte"))));
        }
        let script = ALEMBIC.replace("ARGUMENTS", &asked.replace("CONFIG", "\\u0043ONFIG"));
        let command = models::script(&script, migrations)?;
        let home = migrations.home()?;
        self.prove(migrations.command.as_deref().unwrap_or("alembic upgrade head"), migrations, &home)?;
        let spoken = self.program(&command, migrations, &home, database)?.output();
        Ok(models::answered(&spoken.map_err(|run| told(attempt, &run))?.stdout))
    }

    /// The statements that alembic would run from one revision to another.
    pub fn statements(
        &mut self,
        database: &DatabaseName,
        migrations: &Migrations,
        target: &str,
    ) -> Result<Option<String>, Fault> {
        let asked = json!({ "verb": "sql", "beside": true, "target": target });
        match self.alembic(database, migrations, &asked, "the statements were not had") {
            Ok(answer) => Ok(answer.sql),
            // Many a migration looks at the database, and can't be had as statements alone.
            Err(fault) if fault.exit == Exit::Failed => Ok(None),
            Err(fault) => Err(fault),
        }
    }

    /// Takes the last migrations back.
    pub fn downgrade(
        &mut self,
        database: &DatabaseName,
        migrations: &Migrations,
        target: &str,
    ) -> Result<Outcome, Fault> {
        let attempt = format!("`{database}` was not taken back to {target}");
        match migrations.tool {
            Some(Tool::Alembic) => {
                let asked = json!({ "verb": "down", "beside": true, "target": target });
                self.alembic(database, migrations, &asked, &attempt)?;
            }
            _ => self.revert_sqlx(database, migrations, target, &attempt)?,
        }
        let rest = format!("to {target}");
        self.forget(database, migrations, &attempt)?;
        Ok(Outcome::detail(rest))
    }

    /// What is not applied any more is not noted any more.
    fn forget(
        &mut self,
        database: &DatabaseName,
        migrations: &Migrations,
        attempt: &str,
    ) -> Result<(), Fault> {
        let failed = |error: sqlx::Error| fault(attempt, &error);
        let mut there = revisions::of_files(migrations, self.root);
        revisions::mark(self.postgres, migrations.tool, database, &mut there).map_err(failed)?;
        let ids: Vec<String> = there.pending().map(|file| plan::literal(&file.id)).collect();
        if ids.is_empty() {
            return Ok(());
        }
        let sql = format!(
            "BEGIN; {} DELETE FROM cleanslate.migrations WHERE id IN ({}); COMMIT",
            revisions::noting([].into_iter()),
            ids.join(", ")
        );
        self.postgres.run(database, &sql).map_err(failed)
    }

    /// Makes what the files say now all that this database was built with: no statement of theirs is run.
    pub fn adopt(&mut self, database: &DatabaseName, migrations: &Migrations) -> Result<Outcome, Fault> {
        let attempt = format!("`{database}` was not put at the new baseline");
        let files = revisions::of_files(migrations, self.root).files;
        let mut sql = revisions::noting([].into_iter());
        sql += "DELETE FROM cleanslate.migrations;";
        sql += &revisions::noting(files.iter());
        for file in &files {
            let id = plan::literal(&file.id);
            match migrations.tool {
                Some(Tool::Alembic) => {
                    sql.extend([
                        "DELETE FROM alembic_version; INSERT INTO alembic_version VALUES (",
                        &id,
                        ");",
                    ]);
                }
                Some(Tool::Sqlx) => {
                    let (title, checksum) = (plan::literal(&file.title), revisions::checksum(&file.text));
                    let book = format!(
                        "DELETE FROM _sqlx_migrations WHERE version <> {id}::int8;
                         UPDATE _sqlx_migrations SET description = {title}, checksum = decode('{checksum}', 'hex');"
                    );
                    sql.push_str(&book);
                }
                _ => {}
            }
        }
        let done = self.postgres.run(database, &format!("BEGIN; {sql} COMMIT"));
        done.map(|()| Outcome::default()).map_err(|error| fault(&attempt, &error))
    }
}
