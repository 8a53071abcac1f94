//! What `slate-migrate` does: drafts, and what is applied to the live database.

use plan::check::{Catalog, Finding, Form, Side, findings};
use plan::{Action, DatabaseName, Draft, Exit, Fault, Migrations, Outcome, Said, Tool};
use serde_json::json;

use super::Real;
use super::reach::no_server;
use crate::databases::fault;
use crate::migrate::{cleaned, keep_draft, python};
use crate::{catalog, engine, revisions};

impl Real<'_> {
    pub(super) fn perform_migration(
        &mut self,
        action: &Action,
        said: &mut dyn FnMut(Said<'_>),
    ) -> Result<Outcome, Fault> {
        let migrations = self.config.migrations.clone();
        match action {
            Action::DraftRevision { name, path, database, like } => {
                let draft = self.draft_revision(&migrations, name, path, database, like.as_ref())?;
                self.drafted(&draft)
            }
            Action::DraftBaseline { from, source, present, scratch, path, id } => {
                let mut draft = self.draft_baseline(&migrations, (*from, source), scratch, path, id)?;
                if let Some(present) = present {
                    draft.miss(&self.differences((Side::Live, scratch), (Side::Migrations, present))?);
                }
                self.drafted(&draft)
            }
            Action::DraftStatements { database, target } => {
                let sql = self.build(|builder| builder.statements(database, &migrations, target))?;
                self.drafted(&Draft { sql, ..Draft::default() })
            }
            Action::Upgrade { database, to, .. } => {
                let migrations = Migrations { to: to.clone(), ..migrations };
                self.build(|builder| builder.migrate(database, &migrations, said))
            }
            Action::Downgrade { database, target } => {
                self.build(|builder| builder.downgrade(database, &migrations, target))
            }
            Action::AdoptBaseline { database } => self.build(|builder| builder.adopt(database, &migrations)),
            Action::NoteBlueprint { database } => self.note_blueprint(database),
            action => self.perform_swap(action, said),
        }
    }

    fn drafted(&self, draft: &Draft) -> Result<Outcome, Fault> {
        keep_draft(&self.world.workspace.state, draft).map(|()| Outcome::default())
    }

    fn draft_revision(
        &mut self,
        migrations: &Migrations,
        name: &str,
        path: &str,
        database: &DatabaseName,
        like: Option<&DatabaseName>,
    ) -> Result<Draft, Fault> {
        if migrations.tool == Some(Tool::Alembic) {
            let asked = json!({ "verb": "revision", "beside": true, "name": name, "id": null, "first": [] });
            let attempt = format!("revision `{name}` was not written");
            let answer = self.build(|builder| builder.alembic(database, migrations, &asked, &attempt))?;
            let path = format!("{}/{}", migrations.dir.as_deref().unwrap_or_default(), answer.file);
            let (sql, said) = (answer.sql, answer.said);
            let empty = answer.empty.then(|| "it is empty: models and migrations agree".to_owned());
            let differs = empty.into_iter().collect();
            return Ok(Draft { path, text: tidied(&answer.text), sql, said, differs, ..Draft::default() });
        }
        self.is_modelled()?;
        let statements = match like {
            Some(like) => self.differences((Side::Live, database), (Side::Migrations, like))?,
            None => Vec::new(),
        };
        let text = if statements.is_empty() {
            String::new()
        } else {
            Form::Sql.lines(&statements).join("\n") + "\n"
        };
        Ok(Draft { path: path.to_owned(), sql: Some(text.clone()), text, ..Draft::default() })
    }

    /// What could not be built from the models is nothing to go by.
    fn is_modelled(&self) -> Result<(), Fault> {
        match self.checked.absent(Side::Models) {
            Some(why) => Err(Fault::new(Exit::Failed, "the models could not be had").cause(why)),
            None => Ok(()),
        }
    }

    /// Writes the whole schema as one migration, and builds a database of it to be compared with what it was made from.
    fn draft_baseline(
        &mut self,
        migrations: &Migrations,
        (from, source): (Side, &DatabaseName),
        scratch: &DatabaseName,
        path: &str,
        id: &str,
    ) -> Result<Draft, Fault> {
        self.is_modelled()?;
        let attempt = "the baseline was not written";
        let mut draft = Draft { path: path.to_owned(), ..Draft::default() };
        if migrations.tool == Some(Tool::Alembic) {
            if from == Side::Models {
                let first = self.extensions(source)?;
                let first: Vec<String> =
                    first.iter().map(|name| format!("CREATE EXTENSION IF NOT EXISTS \"{name}\"")).collect();
                let asked = json!({ "verb": "revision", "beside": false, "name": "initial schema", "id": id, "first": first });
                let answer = self.build(|builder| builder.alembic(scratch, migrations, &asked, attempt))?;
                (draft.text, draft.sql, draft.said) = (tidied(&answer.text), answer.sql, answer.said);
            } else {
                draft.text = python("initial schema", id, &self.dumped(source)?);
            }
            let asked = json!({ "verb": "prove", "beside": false, "text": draft.text });
            self.build(|builder| {
                builder.alembic(scratch, migrations, &asked, "the new baseline does not apply")
            })?;
        } else {
            draft.text = self.dumped(source)?.join(";\n\n") + ";";
            draft.text.push('\n');
            let text = draft.text.clone();
            self.build(|builder| {
                let done = builder.postgres.work(scratch, &text);
                done.map_err(|error| fault("the new baseline does not apply", &error))
            })?;
        }
        let found = self.differences((Side::Live, scratch), (Side::Migrations, source))?;
        draft.judge(&found);
        Ok(draft)
    }

    /// The statements of `pg_dump` for a database, without owners and rights of its roles.
    fn dumped(&mut self, database: &DatabaseName) -> Result<Vec<String>, Fault> {
        let books = ["cleanslate.*", "alembic_version", "_sqlx_migrations"];
        self.connect()?;
        let container = self.engine.as_ref().and_then(engine::database_container).map(str::to_owned);
        let (Some(postgres), Some(server)) = (self.postgres.as_mut(), self.server.as_ref()) else {
            return Err(no_server());
        };
        // A session of ours may hold what it wants to read.
        postgres.leave(database);
        let programs = self.config.local.programs.as_deref();
        let dump = crate::dump::Dump { postgres, server, programs, container: container.as_deref() };
        dump.schema(database, &books).map(|text| cleaned(&text))
    }

    /// What brings one database to another.
    fn differences(
        &mut self,
        one: (Side, &DatabaseName),
        other: (Side, &DatabaseName),
    ) -> Result<Vec<Finding>, Fault> {
        self.connect()?;
        let postgres = self.postgres.as_mut().ok_or_else(no_server)?;
        let places = [postgres.options(one.1), postgres.options(other.1)];
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let runtime =
            runtime.map_err(|why| Fault::new(Exit::Failed, "no event loop").cause(why.to_string()))?;
        let read: Vec<Catalog> =
            catalog::read(&runtime, &places, self.timeout).into_iter().collect::<Result<_, _>>()?;
        let sides: Vec<(Side, Catalog)> = [one.0, other.0].into_iter().zip(read).collect();
        Ok(findings(&sides))
    }

    /// From here on the live database is of the files as they are. Its rows stay as they were counted.
    fn note_blueprint(&mut self, database: &DatabaseName) -> Result<Outcome, Fault> {
        // The files may be others than before: a baseline was just written.
        let Some(blueprint) = crate::blueprint::blueprint(self.config, &self.world.workspace.root, None)?
        else {
            return Ok(Outcome::idle("no migrations are configured"));
        };
        let attempt = format!("`{database}` was not marked");
        let new = json!({ "blueprint": blueprint.hash, "models": blueprint.models, "fingerprint": null });
        let sql = format!(
            "UPDATE cleanslate.marker SET marker = marker || {}::jsonb WHERE marker->>'origin' = 'built'",
            plan::literal(&new.to_string())
        );
        let migrations = self.config.migrations.clone();
        self.build(|builder| {
            let root = builder.root;
            let noted = revisions::note(builder.postgres, &migrations, root, database);
            noted.and_then(|()| builder.postgres.run(database, &sql)).map_err(|error| fault(&attempt, &error))
        })?;
        Ok(Outcome::default())
    }
}

/// Without blanks at the ends of lines, which many a project's hooks refuse.
fn tidied(text: &str) -> String {
    text.lines().flat_map(|line| [line.trim_end(), "\n"]).collect()
}
