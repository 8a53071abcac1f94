//! Filling a database: baseline, marker, and the note about one that is being created.

use jiff::Timestamp;
use plan::{DatabaseName, Exit, Fault, Label, Marker, Migrations, Origin, Outcome, Said};

use super::Real;
use super::reach::no_server;
use crate::databases::{Databases, fault};
use crate::engine;
use crate::postgres::{Read, holds_tables};
use crate::records::Records;
use crate::unlabelled::{self, Note};

impl Real<'_> {
    pub(super) fn holds_tables(&mut self, database: &DatabaseName) -> Result<bool, Fault> {
        let attempt = format!("`{database}` was not looked into");
        self.build(|builder| {
            holds_tables(builder.postgres, database).map_err(|error| fault(&attempt, &error))
        })
    }

    /// Creates the database, or opens it again. Another workspace's stays as it is.
    pub(super) fn ensure_database(&mut self, database: &DatabaseName) -> Result<Outcome, Fault> {
        self.created = self.databases(|databases| databases.oid(database))?.is_none();
        let outcome = self.databases(|databases| databases.ensure(database))?;
        let system_identifier = self.system_identifier()?;
        let foreign = self.marker(database)?.filter(|marker| {
            // A copy from another server is a copy; on the server that it names it is the other's own.
            marker.workspace != self.world.workspace.id && marker.system_identifier == system_identifier
        });
        if let Some(marker) = foreign {
            return Err(Fault::new(Exit::Refused, format!("`{database}` is another workspace's"))
                .cause(format!("its marker names workspace {}", marker.workspace))
                .hint("set database.name to a database of its own"));
        }
        // An empty database is nobody's: whoever fills it from here on, a service at its start too, builds it.
        self.filled |= !self.holds_tables(database)?;
        Ok(outcome)
    }

    pub(super) fn marker(&mut self, database: &DatabaseName) -> Result<Option<Marker>, Fault> {
        let attempt = format!("`{database}` was not looked into");
        self.build(|builder| {
            crate::postgres::marker(builder.postgres, database).map_err(|error| fault(&attempt, &error))
        })
    }

    pub(super) fn ensure_baseline(
        &mut self,
        database: &DatabaseName,
        migrations: &Migrations,
        said: &mut dyn FnMut(Said<'_>),
    ) -> Result<Outcome, Fault> {
        if self.holds_tables(database)? {
            return Ok(Outcome::idle("it holds tables already"));
        }
        self.filled = true;
        let outcome = self.fill(database, migrations, said)?;
        // At once: should the seeds fail, the next run still knows what it was built from.
        let marker = Marker {
            workspace: self.world.workspace.id.clone(),
            system_identifier: self.system_identifier()?,
            origin: Origin::Built,
            blueprint: self.world.blueprint.as_ref().map(|blueprint| blueprint.hash.clone()),
            seeds: None,
            at: Timestamp::now(),
            fingerprint: None,
            models: self.models(),
            counted: false,
            rows: None,
        };
        self.databases(|databases| databases.stamp(database, &marker, Read::Anew))?;
        Ok(outcome)
    }

    fn fill(
        &mut self,
        database: &DatabaseName,
        migrations: &Migrations,
        said: &mut dyn FnMut(Said<'_>),
    ) -> Result<Outcome, Fault> {
        let by_service = match &migrations.at_start {
            Some(service) if self.engine.is_none() => {
                self.filled_by(service, database, migrations.tool)?.then_some(service)
            }
            at_start => at_start.as_ref(),
        };
        let Some(service) = by_service else {
            let done = self.build(|builder| builder.migrate(database, migrations, said));
            // Half a baseline would be taken for a whole one by the next run.
            if done.is_err() && self.created && self.holds_tables(database)? {
                self.empty(database)?;
            }
            return done;
        };
        if let Some(engine) = &self.engine {
            let (config, workspace, timeout) = (self.config, &self.world.workspace, self.timeout);
            engine::await_service(&engine::Context { config, workspace, engine, timeout }, service, said)?;
        }
        if self.holds_tables(database)? {
            self.build(|builder| builder.note(database, migrations))?;
            return Ok(Outcome::detail(format!("by `{service}`, at its start")));
        }
        Err(Fault::new(Exit::Failed, format!("`{service}` answers, and `{database}` holds no table"))
            .cause("migrations.at_start says that it applies the migrations when it starts")
            .hint("remove migrations.at_start from cleanslate.toml"))
    }

    /// Makes a database again that this run made, and nobody was told of yet.
    fn empty(&mut self, database: &DatabaseName) -> Result<(), Fault> {
        self.databases(|databases| {
            databases.close(database)?;
            databases.end_sessions(database, &|_| None)?;
            databases.drop(database)?;
            databases.ensure(database).map(|_| ())
        })
    }

    pub(super) fn ensure_marker(
        &mut self,
        database: &DatabaseName,
        blueprint: Option<&String>,
        seeds: Option<&String>,
    ) -> Result<Outcome, Fault> {
        let there = self.marker(database)?;
        let system_identifier = self.system_identifier()?;
        let workspace = self.world.workspace.id.clone();
        let own =
            |there: &Marker| there.workspace == workspace && there.system_identifier == system_identifier;
        if let Some(there) = there.filter(own) {
            let mut outcome = Outcome::idle("was marked");
            // Seeds that came into a database which somebody emptied are changes like any other.
            if there.origin == Origin::Built && self.seeded && self.filled {
                let marker = Marker { seeds: seeds.cloned(), fingerprint: None, ..there.clone() };
                self.databases(|databases| databases.stamp(database, &marker, Read::Anew))?;
                outcome = Outcome::detail("built");
            }
            if there.origin == Origin::Built && blueprint.is_some() && there.blueprint.as_ref() != blueprint {
                let reset = self.world.workspace.command("reset");
                outcome.lines.push(format!("Stale: migrations or seeds changed since it was built: {reset}"));
            } else if there.origin == Origin::Built
                && self.models().is_some()
                && there.models != self.models()
            {
                outcome.lines.push("The models changed since it was built, and no migration did".to_owned());
            }
            self.note_settings(database)?;
            return Ok(outcome);
        }
        let built = self.filled;
        let marker = Marker {
            workspace,
            system_identifier,
            origin: if built { Origin::Built } else { Origin::Adopted },
            blueprint: blueprint.filter(|_| built).cloned(),
            seeds: seeds.filter(|_| built).cloned(),
            at: Timestamp::now(),
            fingerprint: None,
            models: self.models(),
            counted: false,
            rows: None,
        };
        self.databases(|databases| databases.stamp(database, &marker, Read::Anew))?;
        self.note_settings(database)?;
        Ok(Outcome::detail(if built { "built" } else { "adopted: every row in it is yours" }))
    }

    fn models(&self) -> Option<String> {
        self.world.blueprint.as_ref().and_then(|blueprint| blueprint.models.clone())
    }

    pub(super) fn system_identifier(&mut self) -> Result<String, Fault> {
        self.connect()?;
        let (Some(postgres), Some(server)) = (self.postgres.as_mut(), self.server.as_ref()) else {
            return Err(no_server());
        };
        let identity = postgres
            .identity(&server.maintenance)
            .map_err(|error| fault("the server was not identified", &error))?;
        Ok(identity.system_identifier)
    }

    pub(super) fn stamp(&mut self, database: &DatabaseName, marker: &Marker) -> Result<Outcome, Fault> {
        // A plan for a server that is not running yet can't know its identifier.
        let marker = if marker.system_identifier.is_empty() {
            Marker { system_identifier: self.system_identifier()?, ..marker.clone() }
        } else {
            marker.clone()
        };
        self.databases(|databases| databases.stamp(database, &marker, Read::WhereNew))
    }

    /// Marks a database of an external server as this workspace's, and notes that for when it is not there to tell.
    pub(super) fn adopt(&mut self, database: &DatabaseName, marker: &Marker) -> Result<Outcome, Fault> {
        self.databases(|databases| databases.stamp(database, marker, Read::Anew))?;
        self.note_settings(database)?;
        Records::read(&self.world.workspace)?.adopt(&marker.system_identifier, database)?;
        Ok(Outcome::detail("every row in it is yours"))
    }

    pub(super) fn create(
        &mut self,
        database: &DatabaseName,
        owner: &plan::RoleName,
        label: &Label,
    ) -> Result<Outcome, Fault> {
        self.noted(database, |databases| databases.create(database, owner, Some(label)))
    }

    pub(super) fn clone_database(
        &mut self,
        from: &DatabaseName,
        to: &DatabaseName,
        label: &Label,
        bytes: u64,
    ) -> Result<Outcome, Fault> {
        self.has_room(to, bytes)?;
        self.noted(to, |databases| databases.clone_database(from, to, label, bytes))
    }

    /// With a note about the database while it has no label yet.
    pub(super) fn noted(
        &mut self,
        database: &DatabaseName,
        create: impl FnOnce(&mut Databases<'_>) -> Result<Outcome, Fault>,
    ) -> Result<Outcome, Fault> {
        // A note about what is there already would make somebody's database ours.
        if self.databases(|databases| databases.oid(database))?.is_some() {
            return Err(Fault::new(Exit::Failed, format!("`{database}` was not created")).cause("it exists"));
        }
        let note = Note::write(&self.world.workspace.state, database)?;
        let outcome = self.databases(create);
        if outcome.is_ok()
            || self.databases(|databases| databases.oid(database)).is_ok_and(|oid| oid.is_none())
        {
            // From here on its label tells.
            note.remove();
        }
        outcome
    }

    pub(super) fn discard(&mut self, database: &DatabaseName) -> Result<Outcome, Fault> {
        self.let_go();
        let noted = unlabelled::is_noted(&self.world.workspace.state, database);
        let workspace = self.world.workspace.id.clone();
        let outcome = self.databases(|databases| databases.discard(database, &workspace, noted))?;
        unlabelled::forget(&self.world.workspace.state, database);
        Ok(outcome)
    }
}
