//! Reaching things: the cluster, the engine, the server, its databases, and the lock on their name.

use std::time::{Duration, Instant};

use plan::{Config, DatabaseName, Exit, Fault, Kind, Label, LabelKind, Outcome, Server};

use super::Real;
use crate::build::Builder;
use crate::cluster::{Cluster, maintenance};
use crate::databases::{Databases, fault, granted};
use crate::discover::AFRESH;
use crate::postgres::{Postgres, state};
use crate::psql::Psql;
use crate::workspace::Held;
use crate::{engine, external, inside, interrupt};

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
        (self.connected, self.locked, self.stirred) = (false, false, false);
        if let Some(earlier) = &self.engine {
            let mut engine = engine::discover(self.config, &self.world.workspace, AFRESH, self.timeout)?;
            engine::remember(&mut engine, earlier);
            self.server = engine::server(self.config, &self.world.workspace, &engine)?;
            self.engine = Some(engine);
        } else if self.world.surroundings.inside {
            let mut surroundings = self.world.surroundings.clone();
            self.server = Some(inside::server(self.config, &self.world.workspace.root, &mut surroundings)?);
        } else if self.world.server.as_ref().is_some_and(|server| server.kind == Kind::External) {
            self.server = Some(external::server(self.config, &self.world.workspace.root, self.timeout)?);
        } else {
            self.server = Some(self.cluster()?.server());
        }
        Ok(())
    }

    pub(super) fn await_server(&mut self) -> Result<Outcome, Fault> {
        let is_found = self.server.as_ref().is_some_and(|server| server.address.is_some());
        // Where the services ran, the server is where it was found a moment ago. Compose tells nobody what it starts.
        let starts = self.engine.as_ref().is_none_or(|engine| engine.compose.injects);
        if starts || self.stirred || !is_found {
            self.find_server()?;
        }
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
        if self.world.surroundings.inside {
            // Its name may have come up only now: where it leads is looked at again.
            self.find_server()?;
        }
        self.postgres = Some(postgres);
        let mut outcome = Outcome::default();
        outcome.lines.push(format!("Postgres {} at {}", identity.version, server.masked_url()));
        outcome.facts.insert("url".to_owned(), server.masked_url().into());
        outcome.facts.insert("version".to_owned(), identity.version.into());
        Ok(outcome)
    }

    /// Connects, and makes sure of the database that commands about databases run in.
    pub(super) fn connect(&mut self) -> Result<(), Fault> {
        if self.connected {
            return Ok(());
        }
        let server = self.server.as_mut().ok_or_else(no_server)?;
        if self.postgres.is_none() {
            self.postgres = Some(Postgres::new(server, self.timeout)?);
        }
        server.maintenance = maintenance(&server.name);
        let psql = psql(self.config, self.engine.as_ref(), self.held);
        let Some(postgres) = self.postgres.as_mut() else { return Ok(()) };
        let there = match postgres.identity(&server.maintenance) {
            Err(error) if crate::postgres::code(&error).as_deref() == Some(state::NO_DATABASE) => {
                let workspace = &self.world.workspace.id;
                let label = Label::new(workspace, LabelKind::Maintenance, &server.name, self.world.now);
                let (target, through) = (server.maintenance.clone(), server.name.clone());
                let from = Server { maintenance: through, ..server.clone() };
                let mut databases = Databases { postgres, psql: &psql, server: &from, timeout: self.timeout };
                databases.create(&target, &from.user, Some(&label)).map(|_| ())
            }
            Err(error) => Err(postgres.not_let_in(&server.maintenance, &error)),
            Ok(_) => Ok(()),
        };
        self.connected = there.is_ok();
        there
    }

    pub(super) fn psql(&self) -> Result<Psql, Fault> {
        psql(self.config, self.engine.as_ref(), self.held)()
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
        let psql = psql(self.config, self.engine.as_ref(), self.held);
        let (Some(postgres), Some(server)) = (self.postgres.as_mut(), self.server.as_ref()) else {
            return Err(no_server());
        };
        let done = act(&mut Databases { postgres, psql: &psql, server, timeout: self.timeout });
        done.map_err(|fault| granted(fault, server))
    }

    pub(super) fn build<T>(
        &mut self,
        act: impl FnOnce(&mut Builder<'_>) -> Result<T, Fault>,
    ) -> Result<T, Fault> {
        self.connect()?;
        let engine = self.engine.clone();
        let (config, workspace, timeout) = (self.config, &self.world.workspace, self.timeout);
        let context = engine.as_ref().map(|engine| engine::Context { config, workspace, engine, timeout });
        let psql = psql(self.config, self.engine.as_ref(), self.held);
        let (Some(postgres), Some(server)) = (self.postgres.as_mut(), self.server.as_ref()) else {
            return Err(no_server());
        };
        act(&mut Builder {
            root: &workspace.root,
            state: &workspace.state,
            server,
            postgres,
            psql: &psql,
            timeout,
            inside: self.world.surroundings.inside,
            engine: context,
        })
    }
}

/// psql is looked for when something needs it: most runs do not.
fn psql<'a>(
    config: &'a Config,
    engine: Option<&'a plan::Engine>,
    held: Option<&'a Held>,
) -> impl Fn() -> Result<Psql, Fault> + use<'a> {
    move || {
        let container = engine.and_then(engine::database_container);
        Psql::find(config.local.programs.as_deref(), container, held)
    }
}

pub(super) fn no_server() -> Fault {
    Fault::new(Exit::NotReady, "there is no Postgres in this workspace")
}
