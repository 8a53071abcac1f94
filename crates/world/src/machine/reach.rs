//! Reaching things: the cluster, the engine, the server, its databases, and the lock on their name.

use std::time::{Duration, Instant};

use plan::{DatabaseName, Exit, Fault, Kind, Label, LabelKind, Outcome, Server};

use super::Real;
use crate::build::Builder;
use crate::cluster::{Cluster, maintenance};
use crate::databases::{Databases, fault};
use crate::discover::AFRESH;
use crate::postgres::{Postgres, state};
use crate::psql::Psql;
use crate::{engine, interrupt};

impl Real<'_> {
    pub(super) fn cluster(&self) -> Result<Cluster, Fault> {
        Cluster::of(self.config, &self.world.workspace)
    }

    pub(super) fn engine(&self) -> Result<engine::Context<'_>, Fault> {
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
    pub(super) fn find_server(&mut self) -> Result<(), Fault> {
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

    pub(super) fn await_server(&mut self) -> Result<Outcome, Fault> {
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
    pub(super) fn connect(&mut self) -> Result<(), Fault> {
        if self.postgres.is_some() && self.psql.is_some() {
            return Ok(());
        }
        let server = self.server.as_mut().ok_or_else(no_server)?;
        if self.postgres.is_none() {
            self.postgres = Some(Postgres::new(server, self.timeout)?);
        }
        let container = self.engine.as_ref().and_then(engine::database_container);
        self.psql = Some(Psql::find(self.config.local.programs.as_deref(), container, self.held)?);
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
    pub(super) fn lock(&mut self) -> Result<(), Fault> {
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
            if interrupt::asked() {
                return Err(Fault::new(Exit::Declined, "interrupted"));
            }
            if Instant::now() > deadline {
                return Err(Fault::new(
                    Exit::NotReady,
                    format!("`{}` is being changed by another run", server.name),
                )
                .cause("it holds the lock on this server"));
            }
            postgres.pause(Duration::from_millis(10));
        }
    }

    pub(super) fn databases<T>(
        &mut self,
        act: impl FnOnce(&mut Databases<'_>) -> Result<T, Fault>,
    ) -> Result<T, Fault> {
        self.connect()?;
        let (Some(postgres), Some(psql), Some(server)) =
            (self.postgres.as_mut(), self.psql.as_ref(), self.server.as_ref())
        else {
            return Err(no_server());
        };
        act(&mut Databases { postgres, psql, server, timeout: self.timeout })
    }

    pub(super) fn build<T>(
        &mut self,
        act: impl FnOnce(&mut Builder<'_>) -> Result<T, Fault>,
    ) -> Result<T, Fault> {
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
}

pub(super) fn no_server() -> Fault {
    Fault::new(Exit::NotReady, "there is no Postgres in this workspace")
}
