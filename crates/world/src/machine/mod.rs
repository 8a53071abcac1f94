//! Performs approved steps on the real machine.

mod carry;
mod check;
mod fill;
mod lease;
mod look;
mod migrate;
mod reach;
mod reload;
mod room;
mod seeds;
mod swap;
mod unattended;

use std::time::Duration;

use jiff::Timestamp;
use plan::{
    Action, Config, Data, DatabaseName, Expect, Fault, Kept, KeptPlace, Look, Machine, Outcome, Said, Server,
    World,
};

use self::reach::no_server;
use crate::cluster::{Cluster, maintenance};
use crate::discover::Found;
use crate::engine;
use crate::interrupt;
use crate::postgres::Postgres;
use crate::records::Records;
use crate::workspace::{Held, remember_reset};

/// The real world, as far as one plan goes.
#[expect(clippy::struct_excessive_bools, reason = "each is one thing that this run did")]
pub struct Real<'a> {
    config: &'a Config,
    world: &'a World,
    timeout: Duration,
    held: Option<&'a Held>,
    server: Option<Server>,
    engine: Option<plan::Engine>,
    postgres: Option<Postgres>,
    /// The database for commands about databases is there.
    connected: bool,
    locked: bool,
    /// This run changed something on the engine since the server was found.
    stirred: bool,
    /// This run filled the workspace's database, so that it is built, not adopted.
    filled: bool,
    /// This run created it.
    created: bool,
    /// This run loaded the seeds into it.
    seeded: bool,
    checked: check::Checked,
    /// Sessions on the old and the new database, between two times that rows are carried.
    carrier: Option<crate::carry::Carrier>,
}

impl<'a> Real<'a> {
    #[must_use]
    pub fn new(found: &'a Found, timeout: Duration) -> Self {
        let Found { config, world, held, .. } = found;
        let postgres = found.postgres.take();
        // What was looked through is the database for commands about databases, unless that is still to be made.
        let there = |server: &Server| server.maintenance == maintenance(&server.name);
        let connected = postgres.is_some() && world.server.as_ref().is_some_and(there);
        Self {
            config,
            world,
            timeout,
            held: held.as_ref(),
            server: world.server.clone(),
            engine: world.engine.clone(),
            postgres,
            connected,
            locked: false,
            stirred: false,
            filled: false,
            created: false,
            seeded: false,
            checked: check::Checked::default(),
            carrier: None,
        }
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
            Action::ForgetCluster { folder, n } => {
                cluster.forget(folder)?;
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
        let beside = matches!(
            action,
            Action::LeaseDatabase { .. } | Action::DropLease { .. } | Action::SweepLeases { .. }
        );
        if action.effect() != plan::Effect::Reads && !beside {
            self.lock()?;
        }
        match action {
            Action::CreateDatabase { database, owner, label } => self.create(database, owner, label),
            Action::EnsureDatabase { database } => self.ensure_database(database),
            Action::Migrate { database, migrations } => {
                self.build(|builder| builder.migrate(database, migrations, said))
            }
            Action::ProveUnclaimed { database } => self.prove_unclaimed(database),
            Action::EnsureBaseline { database, migrations } => {
                self.ensure_baseline(database, migrations, said)
            }
            Action::Seed { database, seeds, seeding } => {
                let outcome = self.build(|builder| builder.seed(database, seeds, *seeding, said))?;
                self.seeded |= !outcome.idle;
                Ok(outcome)
            }
            Action::Stamp { database, marker } => self.stamp(database, marker),
            Action::EnsureMarker { database, blueprint, seeds } => {
                self.ensure_marker(database, blueprint.as_ref(), seeds.as_ref())
            }
            Action::AdoptDatabase { database, marker } => self.adopt(database, marker),
            Action::Label { database, label } => self.databases(|databases| databases.label(database, label)),
            Action::CarryOver { from, to } => {
                self.databases(|databases| databases.carry_over(from, to)).map(|()| Outcome::default())
            }
            Action::CarryRows { from, to, rules, stage } => self.carry_rows([from, to], rules, *stage, said),
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
                let outcome = self.databases(|databases| databases.rename(from, to, comment.as_deref()))?;
                self.note_settings(to)?;
                Ok(outcome)
            }
            Action::BuildMigrations { database, migrations } => {
                self.build_migrations(database, migrations, said)
            }
            Action::BuildModels { database, after } => self.build_models(database, after.as_ref()),
            Action::TryModels { database } => self.try_models(database),
            Action::OpenPsql { database, arguments } => {
                self.connect()?;
                let server = self.server.as_ref().ok_or_else(no_server)?;
                Err(self.psql()?.become_it(server, database, arguments))
            }
            action => self.perform_migration(action, said),
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

impl Machine for Real<'_> {
    fn verify(&mut self, expect: &Expect) -> Result<(), Fault> {
        match expect {
            Expect::Database { .. }
            | Expect::NoDatabase { .. }
            | Expect::NoMoreRows { .. }
            | Expect::Server { .. } => self.databases(|databases| databases.verify(expect)),
            _ => engine::verify(&self.engine()?, expect),
        }
    }

    fn perform(&mut self, action: &Action, said: &mut dyn FnMut(Said<'_>)) -> Result<Outcome, Fault> {
        match action {
            Action::AwaitServer => self.await_server(),
            Action::Compare(comparison) => self.compare(comparison, said),
            Action::Accept { reason } => self.accept(reason),
            Action::WriteFile { path, before, after, recipes } => crate::files::write(
                &self.world.workspace.root,
                path,
                (before.as_deref(), after.as_deref()),
                recipes.as_deref(),
            ),
            Action::CreateCluster
            | Action::StartCluster
            | Action::StopCluster
            | Action::KeepCluster { .. }
            | Action::RestoreCluster { .. }
            | Action::ForgetCluster { .. }
            | Action::RemoveCluster => self.perform_on_cluster(action),
            Action::MakeServices { .. }
            | Action::StartServices { .. }
            | Action::AdoptVolume { .. }
            | Action::StartContainers { .. }
            | Action::StopContainers { .. }
            | Action::RestartContainer { .. }
            | Action::AwaitService { .. }
            | Action::RemoveContainers { .. }
            | Action::RemoveRest { .. }
            | Action::CopyVolume { .. }
            | Action::RemoveVolume { .. }
            | Action::RestoreVolume { .. }
            | Action::ForgetVolume { .. }
            | Action::KeepRunning { .. }
            | Action::GiveUpCopy { .. } => {
                let outcome = engine::perform(action, &self.engine()?, said)?;
                self.stirred |= !outcome.idle;
                Ok(outcome)
            }
            Action::CaptureSeeds { .. }
            | Action::ProveCapture { .. }
            | Action::KeepCapture { .. }
            | Action::DiscardCapture => self.perform_on_seeds(action, said),
            Action::RunHook { hook } => self.run_hook(hook),
            Action::Reload { service, by } => Ok(self.reload(service, by)),
            Action::Tidy => Ok(self.tidy()),
            _ => self.perform_on_databases(action, said),
        }
    }
    fn look(&mut self, data: &[Data]) -> Look {
        let mut look = Look::default();
        for piece in data {
            self.look_for(piece, &mut look);
        }
        look
    }

    fn interrupted(&self) -> bool {
        interrupt::asked()
    }
}
