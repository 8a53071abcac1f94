//! Performs approved steps on the real machine.

use std::fs;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use plan::{
    Action, Config, Data, DatabaseName, Exit, Expect, Fault, Kept, KeptPlace, Kind, Label, LabelKind, Look,
    Machine, Marker, Migrations, Origin, Outcome, Said, Server, World,
};

use crate::build::Builder;
use crate::cluster::{Cluster, maintenance};
use crate::databases::{Databases, fault};
use crate::discover::{AFRESH, CREATING};
use crate::engine;
use crate::interrupt;
use crate::postgres::{Postgres, holds_tables, state};
use crate::psql::Psql;
use crate::records::Records;
use crate::workspace::{remember_reset, replace_file};

/// The real world, as far as one plan goes.
pub struct Real<'a> {
    config: &'a Config,
    world: &'a World,
    timeout: Duration,
    server: Option<Server>,
    engine: Option<plan::Engine>,
    postgres: Option<Postgres>,
    psql: Option<Psql>,
    locked: bool,
    /// This run filled the workspace's database, so that it is built, not adopted.
    filled: bool,
}

impl<'a> Real<'a> {
    #[must_use]
    pub fn new(config: &'a Config, world: &'a World, timeout: Duration) -> Self {
        Self {
            config,
            world,
            timeout,
            server: world.server.clone(),
            engine: world.engine.clone(),
            postgres: None,
            psql: None,
            locked: false,
            filled: false,
        }
    }

    fn cluster(&self) -> Result<Cluster, Fault> {
        Cluster::of(self.config, &self.world.workspace)
    }

    fn engine(&self) -> Result<engine::Context<'_>, Fault> {
        let engine = self
            .engine
            .as_ref()
            .ok_or_else(|| Fault::new(Exit::NotReady, "there is no container engine here"))?;
        Ok(engine::Context {
            config: self.config,
            workspace: &self.world.workspace,
            engine,
            timeout: self.timeout,
        })
    }

    /// The server, looked for again: its address is known once its container runs.
    fn find_server(&mut self) -> Result<(), Fault> {
        self.postgres = None;
        self.psql = None;
        if let Some(earlier) = &self.engine {
            let mut engine = engine::discover(self.config, &self.world.workspace, AFRESH, self.timeout)?;
            engine::remember(&mut engine, earlier);
            self.server = engine::server(self.config, &self.world.workspace, &engine)?;
            self.engine = Some(engine);
        } else {
            self.server = Some(self.cluster()?.server());
        }
        Ok(())
    }

    fn await_server(&mut self) -> Result<Outcome, Fault> {
        self.find_server()?;
        let server = self.server.clone().ok_or_else(no_server)?;
        if let (None, Some(engine)) = (&server.address, &self.engine) {
            return Err(engine::unreachable(engine));
        }
        let mut postgres = Postgres::new(&server, self.timeout)?;
        let cluster = (server.kind == Kind::Local).then(|| self.cluster()).transpose()?;
        let context = self.engine().ok();
        // The image's `postgres` database is there however the app's own is called.
        let any = DatabaseName::new("postgres").unwrap_or_else(|_| server.maintenance.clone());
        let identity = postgres.await_ready(&any, &mut || match (&cluster, &context) {
            (Some(cluster), _) => cluster.lives(),
            (None, Some(context)) => engine::lives(context),
            (None, None) => Ok(()),
        })?;
        self.postgres = Some(postgres);
        let mut outcome = Outcome::default();
        outcome.lines.push(format!("Postgres {} at {}", identity.version, server.masked_url()));
        outcome.facts.insert("url".to_owned(), server.masked_url().into());
        outcome.facts.insert("version".to_owned(), identity.version.into());
        Ok(outcome)
    }

    /// Connects, and makes sure of the database that commands about databases run in.
    fn connect(&mut self) -> Result<(), Fault> {
        if self.postgres.is_some() && self.psql.is_some() {
            return Ok(());
        }
        let server = self.server.as_mut().ok_or_else(no_server)?;
        if self.postgres.is_none() {
            self.postgres = Some(Postgres::new(server, self.timeout)?);
        }
        let container = self.engine.as_ref().and_then(engine::database_container);
        self.psql = Some(Psql::find(self.config.local.programs.as_deref(), container)?);
        server.maintenance = maintenance(&server.name);
        let (Some(postgres), Some(psql)) = (self.postgres.as_mut(), self.psql.as_ref()) else {
            return Ok(());
        };
        match postgres.identity(&server.maintenance) {
            Err(error) if crate::postgres::code(&error).as_deref() == Some(state::NO_DATABASE) => {
                let label = Label {
                    workspace: self.world.workspace.id.clone(),
                    kind: LabelKind::Maintenance,
                    of: server.name.clone(),
                    at: self.world.now,
                    comment: None,
                };
                let (target, through) = (server.maintenance.clone(), server.name.clone());
                let from = Server { maintenance: through, ..server.clone() };
                let mut databases = Databases { postgres, psql, server: &from, timeout: self.timeout };
                databases.create(&target, &from.user, Some(&label)).map(|_| ())
            }
            Err(error) => Err(postgres.not_let_in(&server.maintenance, &error)),
            Ok(_) => Ok(()),
        }
    }

    /// Holds the database's name against other workspaces' runs on this server: one key, one maintenance database.
    fn lock(&mut self) -> Result<(), Fault> {
        self.connect()?;
        if self.locked {
            return Ok(());
        }
        let (Some(postgres), Some(server)) = (self.postgres.as_mut(), self.server.as_ref()) else {
            return Err(no_server());
        };
        let sql = format!(
            "SELECT pg_try_advisory_lock(hashtext('cleanslate'), hashtext({})) AS held",
            server.name.literal()
        );
        let deadline = Instant::now() + self.timeout;
        loop {
            let rows = postgres
                .rows(&server.maintenance, &sql)
                .map_err(|error| fault("the lock was not taken", &error))?;
            if rows.first().is_some_and(|row| sqlx::Row::try_get(row, "held").unwrap_or(false)) {
                self.locked = true;
                return Ok(());
            }
            if Instant::now() > deadline || interrupt::asked() {
                return Err(Fault::new(
                    Exit::NotReady,
                    format!("`{}` is being changed by another run", server.name),
                )
                .cause("it holds the lock on this server")
                .state("nothing was changed"));
            }
            postgres.pause(Duration::from_millis(10));
        }
    }

    fn databases<T>(&mut self, act: impl FnOnce(&mut Databases<'_>) -> Result<T, Fault>) -> Result<T, Fault> {
        self.connect()?;
        let (Some(postgres), Some(psql), Some(server)) =
            (self.postgres.as_mut(), self.psql.as_ref(), self.server.as_ref())
        else {
            return Err(no_server());
        };
        act(&mut Databases { postgres, psql, server, timeout: self.timeout })
    }

    fn build<T>(&mut self, act: impl FnOnce(&mut Builder<'_>) -> Result<T, Fault>) -> Result<T, Fault> {
        self.connect()?;
        let engine = self.engine.clone();
        let (config, workspace, timeout) = (self.config, &self.world.workspace, self.timeout);
        let context = engine.as_ref().map(|engine| engine::Context { config, workspace, engine, timeout });
        let (Some(postgres), Some(psql), Some(server)) =
            (self.postgres.as_mut(), self.psql.as_ref(), self.server.as_ref())
        else {
            return Err(no_server());
        };
        act(&mut Builder {
            root: &workspace.root,
            state: &workspace.state,
            server,
            postgres,
            psql,
            engine: context,
        })
    }

    fn holds_tables(&mut self, database: &DatabaseName) -> Result<bool, Fault> {
        let attempt = format!("`{database}` was not looked into");
        self.build(|builder| {
            holds_tables(builder.postgres, database).map_err(|error| fault(&attempt, &error))
        })
    }

    fn ensure_baseline(
        &mut self,
        database: &DatabaseName,
        migrations: &Migrations,
        said: &mut dyn FnMut(Said<'_>),
    ) -> Result<Outcome, Fault> {
        if self.holds_tables(database)? {
            return Ok(Outcome::idle("it holds tables already"));
        }
        self.filled = true;
        let Some(service) = &migrations.at_start else {
            return self.build(|builder| builder.migrate(database, migrations, said));
        };
        let context = self.engine()?;
        engine::await_service(&context, service, said)?;
        if self.holds_tables(database)? {
            return Ok(Outcome::detail(format!("by `{service}`, at its start")));
        }
        Err(Fault::new(Exit::Failed, format!("`{service}` answers, and `{database}` holds no table"))
            .cause("migrations.at_start says that it applies the migrations when it starts")
            .hint("remove migrations.at_start from cleanslate.toml"))
    }

    fn ensure_marker(
        &mut self,
        database: &DatabaseName,
        blueprint: Option<&String>,
        seeds: Option<&String>,
    ) -> Result<Outcome, Fault> {
        let attempt = format!("`{database}` was not looked into");
        let there = self.build(|builder| {
            crate::postgres::marker(builder.postgres, database).map_err(|error| fault(&attempt, &error))
        })?;
        let system_identifier = self.system_identifier()?;
        let workspace = self.world.workspace.id.clone();
        let own =
            |there: &Marker| there.workspace == workspace && there.system_identifier == system_identifier;
        if let Some(there) = there.filter(own) {
            let mut outcome = Outcome::idle("was marked");
            if there.origin == Origin::Built && blueprint.is_some() && there.blueprint.as_ref() != blueprint {
                let reset = self.world.workspace.command("reset --drop");
                outcome.lines.push(format!("Stale: migrations or seeds changed since it was built: {reset}"));
            }
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
        };
        self.databases(|databases| databases.stamp(database, &marker))?;
        Ok(Outcome::detail(if built { "built" } else { "adopted: every row in it is yours" }))
    }

    fn system_identifier(&mut self) -> Result<String, Fault> {
        self.connect()?;
        let (Some(postgres), Some(server)) = (self.postgres.as_mut(), self.server.as_ref()) else {
            return Err(no_server());
        };
        let identity = postgres
            .identity(&server.maintenance)
            .map_err(|error| fault("the server was not identified", &error))?;
        Ok(identity.system_identifier)
    }

    fn stamp(&mut self, database: &DatabaseName, marker: &Marker) -> Result<Outcome, Fault> {
        // A plan for a server that is not running yet can't know its identifier.
        let marker = if marker.system_identifier.is_empty() {
            Marker { system_identifier: self.system_identifier()?, ..marker.clone() }
        } else {
            marker.clone()
        };
        self.databases(|databases| databases.stamp(database, &marker))
    }

    fn create(
        &mut self,
        database: &DatabaseName,
        owner: &plan::RoleName,
        label: &Label,
    ) -> Result<Outcome, Fault> {
        let note = self.world.workspace.state.join(CREATING);
        replace_file(&note, database.as_str().as_bytes())?;
        let outcome = self.databases(|databases| databases.create(database, owner, Some(label)))?;
        // From here on its label tells.
        let _ = fs::remove_file(note);
        Ok(outcome)
    }

    fn discard(&mut self, database: &DatabaseName) -> Result<Outcome, Fault> {
        let note = self.world.workspace.state.join(CREATING);
        let noted = fs::read_to_string(&note).is_ok_and(|noted| noted == database.as_str());
        let workspace = self.world.workspace.id.clone();
        let outcome = self.databases(|databases| databases.discard(database, &workspace, noted))?;
        let _ = fs::remove_file(note);
        Ok(outcome)
    }

    fn perform_on_cluster(&mut self, action: &Action) -> Result<Outcome, Fault> {
        let cluster = self.cluster()?;
        let mut records = Records::read(&self.world.workspace)?;
        match action {
            Action::CreateCluster => cluster.create(),
            Action::StartCluster => cluster.start(),
            Action::StopCluster => cluster.stop(self.timeout),
            Action::KeepCluster { n } => {
                let bytes = Cluster::bytes(&cluster.folder);
                let place = KeptPlace::Cluster { folder: cluster.kept_folder(*n) };
                // Written down first: the folder tells by itself whether the move happened.
                records.keep(Kept { n: *n, at: Timestamp::now(), bytes, place })?;
                cluster.keep(*n).map(|_| Outcome::detail(plan::words::bytes(bytes)))
            }
            Action::RestoreCluster { folder, n } => {
                cluster.restore(folder)?;
                records.forget_cluster(*n)?;
                Ok(Outcome::default())
            }
            _ => cluster.remove().map(|()| Outcome::default()),
        }
    }

    fn perform_on_databases(
        &mut self,
        action: &Action,
        said: &mut dyn FnMut(Said<'_>),
    ) -> Result<Outcome, Fault> {
        if action.effect() != plan::Effect::Reads {
            self.lock()?;
        }
        match action {
            Action::CreateDatabase { database, owner, label } => self.create(database, owner, label),
            Action::EnsureDatabase { database } => {
                let outcome = self.databases(|databases| databases.ensure(database))?;
                // An empty database is nobody's: whoever fills it from here on, a service at its start too, builds it.
                self.filled |= !outcome.idle || !self.holds_tables(database)?;
                Ok(outcome)
            }
            Action::Migrate { database, migrations } => {
                self.build(|builder| builder.migrate(database, migrations, said))
            }
            Action::EnsureBaseline { database, migrations } => {
                self.ensure_baseline(database, migrations, said)
            }
            Action::Seed { database, dir, seeding } => {
                self.build(|builder| builder.seed(database, dir, *seeding, said))
            }
            Action::Stamp { database, marker } => self.stamp(database, marker),
            Action::EnsureMarker { database, blueprint, seeds } => {
                self.ensure_marker(database, blueprint.as_ref(), seeds.as_ref())
            }
            Action::Label { database, label } => self.databases(|databases| databases.label(database, label)),
            Action::CarryOver { from, to } => {
                self.databases(|databases| databases.carry_over(from, to)).map(|()| Outcome::default())
            }
            Action::DiscardDatabase { database } => self.discard(database),
            Action::CloseDatabase { database } => self.databases(|databases| databases.close(database)),
            Action::OpenDatabase { database } => self.databases(|databases| databases.open(database)),
            Action::EndSessions { database } => self.end_sessions(database),
            Action::DropDatabase { database } => {
                let outcome = self.databases(|databases| databases.drop(database))?;
                remember_reset(&self.world.workspace)?;
                Ok(outcome)
            }
            Action::RenameDatabase { from, to, comment } => {
                self.databases(|databases| databases.rename(from, to, comment.as_deref()))
            }
            Action::OpenPsql { database, arguments } => {
                self.connect()?;
                let (Some(psql), Some(server)) = (self.psql.as_ref(), self.server.as_ref()) else {
                    return Err(no_server());
                };
                Err(psql.become_it(server, database, arguments))
            }
            _ => Err(Fault::new(Exit::Failed, "an action without a performer")),
        }
    }

    fn end_sessions(&mut self, database: &DatabaseName) -> Result<Outcome, Fault> {
        let containers = self.engine.as_ref().map(|engine| engine.containers.clone()).unwrap_or_default();
        let service = |client: &str| {
            let from = containers
                .iter()
                .find(|container| container.addresses.iter().any(|address| address == client));
            from.and_then(|container| container.service.as_ref()).map(ToString::to_string)
        };
        self.databases(|databases| databases.end_sessions(database, &service))
    }
}

fn no_server() -> Fault {
    Fault::new(Exit::NotReady, "there is no Postgres in this workspace")
}

impl Machine for Real<'_> {
    fn verify(&mut self, expect: &Expect) -> Result<(), Fault> {
        match expect {
            Expect::Database { .. } | Expect::NoDatabase { .. } | Expect::Server { .. } => {
                self.databases(|databases| databases.verify(expect))
            }
            _ => engine::verify(&self.engine()?, expect),
        }
    }

    fn perform(&mut self, action: &Action, said: &mut dyn FnMut(Said<'_>)) -> Result<Outcome, Fault> {
        match action {
            Action::AwaitServer => self.await_server(),
            Action::CreateCluster
            | Action::StartCluster
            | Action::StopCluster
            | Action::KeepCluster { .. }
            | Action::RestoreCluster { .. }
            | Action::RemoveCluster => self.perform_on_cluster(action),
            Action::StartServices { .. }
            | Action::AdoptVolume { .. }
            | Action::StartContainers { .. }
            | Action::StopContainers { .. }
            | Action::RestartContainer { .. }
            | Action::AwaitService { .. }
            | Action::RemoveContainer { .. }
            | Action::RemoveNetwork { .. }
            | Action::CopyVolume { .. }
            | Action::RemoveVolume { .. }
            | Action::RestoreVolume { .. }
            | Action::ForgetVolume { .. } => engine::perform(action, &self.engine()?, said),
            _ => self.perform_on_databases(action, said),
        }
    }

    fn look(&mut self, data: &[Data]) -> Look {
        let mut look = Look::default();
        for piece in data {
            match piece {
                Data::Database { name, oid } => match self.databases(|databases| databases.name_of(*oid)) {
                    Ok(Some(now)) => look.there.push(now.to_string()),
                    Ok(None) => look.gone.push(name.to_string()),
                    Err(_) => look.unknown.push(name.to_string()),
                },
                Data::Volume { name } => match self.engine().and_then(|context| engine::look(&context, name))
                {
                    Ok(names) if names.is_empty() => look.gone.push(name.to_string()),
                    Ok(names) => look.there.extend(names),
                    Err(_) => look.unknown.push(name.to_string()),
                },
                Data::Cluster => match self.cluster() {
                    Ok(cluster) if cluster.folder.exists() => look.there.push("the local cluster".to_owned()),
                    _ => {
                        let kept = Records::read(&self.world.workspace)
                            .map(|records| records.kept())
                            .unwrap_or_default();
                        let moved = kept.iter().rev().find_map(|kept| match &kept.place {
                            KeptPlace::Cluster { folder } if folder.exists() => {
                                Some(folder.display().to_string())
                            }
                            _ => None,
                        });
                        match moved {
                            Some(folder) => look.there.push(folder),
                            None => look.gone.push("the local cluster".to_owned()),
                        }
                    }
                },
            }
        }
        look
    }

    fn interrupted(&self) -> bool {
        interrupt::asked()
    }
}
