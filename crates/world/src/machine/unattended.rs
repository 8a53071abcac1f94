//! What a hook does that nobody watches: leaves what somebody else filled, and waits for a service that fills.

use std::time::{Duration, Instant};

use plan::{DatabaseName, Exit, Fault, Kind, Marker, Outcome, Tool};

use super::Real;
use super::reach::no_server;
use crate::databases::fault;
use crate::postgres::{is_empty, tables};
use crate::records::Records;
use crate::{inside, interrupt};

/// How long the command of this very container gets to begin with the migrations that it applies.
const GRACE: Duration = Duration::from_secs(10);

/// How long a service that runs is waited for where we could do its work.
const LATE: Duration = Duration::from_secs(20);

/// For so long no table came before a baseline counts as complete.
const SETTLED: Duration = Duration::from_secs(1);

impl Real<'_> {
    /// Nobody else filled it: it has our mark, or holds no row.
    pub(super) fn prove_unclaimed(&mut self, database: &DatabaseName) -> Result<Outcome, Fault> {
        // No other run fills it while we look: what only looks takes no lock by itself.
        self.lock()?;
        if self.server.as_ref().is_some_and(|server| server.kind == Kind::External) {
            return self.prove_adopted(database);
        }
        if self.marker(database)?.is_some() {
            return Ok(Outcome::idle("it is marked"));
        }
        let attempt = format!("`{database}` was not looked into");
        let empty = self
            .build(|builder| is_empty(builder.postgres, database).map_err(|error| fault(&attempt, &error)))?;
        if !empty {
            return Err(Fault::new(Exit::Refused, format!("`{database}` was left as it is"))
                .cause("it holds rows, and nothing in it says that they are this workspace's")
                .state("nothing was written")
                .hint(self.host_command("up")));
        }
        // A service that was quicker than we may have made its tables.
        self.filled = true;
        Ok(Outcome::default())
    }

    /// On an external server only what somebody adopted is filled, also where it is empty.
    fn prove_adopted(&mut self, database: &DatabaseName) -> Result<Outcome, Fault> {
        let system_identifier = self.system_identifier()?;
        let is_there = self.databases(|databases| databases.oid(database))?.is_some();
        let marker = if is_there { self.marker(database)? } else { None };
        let own = |marker: Marker| {
            marker.workspace == self.world.workspace.id && marker.system_identifier == system_identifier
        };
        let noted = || {
            Records::read(&self.world.workspace)
                .map(|records| records.is_adopted(&system_identifier, database))
        };
        if marker.is_some_and(own) || (!is_there && noted()?) {
            return Ok(Outcome::idle("it is adopted"));
        }
        let server = self.server.as_ref().ok_or_else(no_server)?;
        Err(plan::guard::unadopted(server))
    }

    /// A command as it is typed where the engine is.
    pub(super) fn host_command(&self, verb: &str) -> String {
        if self.world.surroundings.inside {
            plan::guard::on_host(self.world, verb)
        } else {
            self.world.workspace.command(verb)
        }
    }

    /// Without an engine: whether a service fills the database at its start, once it has. Where it does not run
    /// somebody else may.
    pub(super) fn filled_by(
        &mut self,
        service: &str,
        database: &DatabaseName,
        tool: Option<Tool>,
    ) -> Result<bool, Fault> {
        if inside::is_here(service) {
            return self.await_tables(database, GRACE.min(self.timeout));
        }
        if !inside::runs(service) {
            return Ok(false);
        }
        // One that started long ago does not migrate again: what we can apply ourselves we do, after a while.
        let by_us = matches!(tool, Some(Tool::Sqlx | Tool::Sql));
        let limit = if by_us { LATE.min(self.timeout) } else { self.timeout };
        if self.await_tables(database, limit)? {
            return Ok(true);
        }
        if by_us {
            return Ok(false);
        }
        let seconds = self.timeout.as_secs();
        Err(Fault::new(Exit::NotReady, format!("`{database}` holds no table after {seconds} s"))
            .cause(format!("`{service}` runs, applies the migrations at its start, and has not done so"))
            .hint(self.host_command("restart")))
    }

    /// Nobody tells when a service is through with its migrations. The tables do: no more of them come.
    fn await_tables(&mut self, database: &DatabaseName, limit: Duration) -> Result<bool, Fault> {
        let attempt = format!("`{database}` was not looked into");
        let deadline = Instant::now() + limit;
        let (mut before, mut since) = (Vec::new(), Instant::now());
        loop {
            let now = self.build(|builder| {
                tables(builder.postgres, database).map_err(|error| fault(&attempt, &error))
            })?;
            if now != before {
                (before, since) = (now, Instant::now());
            }
            if !before.is_empty() && since.elapsed() > SETTLED {
                return Ok(true);
            }
            if interrupt::asked() {
                return Err(Fault::new(Exit::Declined, "interrupted"));
            }
            if before.is_empty() && Instant::now() > deadline {
                return Ok(false);
            }
            if let Some(postgres) = &self.postgres {
                postgres.pause(Duration::from_millis(100));
            }
        }
    }
}
