//! Swaps, what is kept by them, and what is left to the background.

use std::os::unix::process::CommandExt as _;
use std::process::{Command, Stdio};

use plan::{Action, DatabaseName, Exit, Fault, Home, Hook, Label, Outcome, Said};

use super::Real;
use super::reach::no_server;
use crate::dump::Dump;
use crate::engine;
use crate::program::Program;
use crate::records::Records;
use crate::workspace::remember_reset;

/// Seconds that a hook may take.
pub(super) const HOOK: std::time::Duration = std::time::Duration::from_mins(2);

impl Real<'_> {
    pub(super) fn perform_swap(
        &mut self,
        action: &Action,
        said: &mut dyn FnMut(Said<'_>),
    ) -> Result<Outcome, Fault> {
        let workspace = &self.world.workspace;
        match action {
            Action::CloneDatabase { from, to, label, bytes } => self.clone_database(from, to, label, *bytes),
            Action::LeaseDatabase { from, to, like, label, bytes } => {
                self.lease([from, to], like.as_ref(), label, *bytes)
            }
            Action::DropLease { database } => self.drop_lease(database),
            Action::SweepLeases { databases } => Ok(self.sweep(databases)),
            Action::SealTemplate { database, label } => {
                self.databases(|databases| databases.seal(database, label))
            }
            Action::Swap { live, kept, next, label, comment } => {
                let outcome = self
                    .databases(|databases| databases.swap([live, kept, next], label, comment.as_deref()))?;
                remember_reset(workspace)?;
                Ok(outcome)
            }
            Action::WeighKept { database, label } => self.weigh(database, label),
            Action::GiveUpDatabase { database, n } => {
                Records::read(workspace)?.reserve(*n)?;
                let id = workspace.id.clone();
                self.databases(|databases| databases.give_up(database, &id))
            }
            Action::NoteSettings { database } => self.note_settings(database),
            Action::ExportDatabase { database, file } => self.dump(|dump| dump.export(database, file, said)),
            Action::ImportDatabase { database, file } => self.dump(|dump| dump.import(database, file, said)),
            Action::NoteBranch { database, branch } => {
                self.databases(|databases| databases.note_branch(database, branch))
            }
            _ => Err(Fault::new(Exit::Failed, "an action without a performer")),
        }
    }

    fn dump(&mut self, act: impl FnOnce(&mut Dump<'_>) -> Result<Outcome, Fault>) -> Result<Outcome, Fault> {
        self.connect()?;
        let container = self.engine.as_ref().and_then(engine::database_container).map(str::to_owned);
        let (Some(postgres), Some(server)) = (self.postgres.as_mut(), self.server.as_ref()) else {
            return Err(no_server());
        };
        let programs = self.config.local.programs.as_deref();
        act(&mut Dump { postgres, server, programs, container: container.as_deref() })
    }

    fn weigh(&mut self, database: &DatabaseName, label: &Label) -> Result<Outcome, Fault> {
        let mut records = Records::read(&self.world.workspace)?;
        let oid = self.databases(|databases| databases.oid(database))?.unwrap_or(0);
        let settings = records.settings(oid).cloned();
        if let Some(kept) = &label.kept {
            // Should it be dropped, its number is not given again.
            records.reserve(kept.n)?;
        }
        self.databases(|databases| databases.weigh(database, label, settings.as_deref()))
    }

    pub(super) fn note_settings(&mut self, database: &DatabaseName) -> Result<Outcome, Fault> {
        let mut records = Records::read(&self.world.workspace)?;
        let oid = self.databases(|databases| databases.oid(database))?;
        let settings = self.databases(|databases| databases.settings(database))?;
        let (Some(oid), Some(settings)) = (oid, settings) else { return Ok(Outcome::idle("it is gone")) };
        if records.settings(oid).is_some() {
            return Ok(Outcome::idle("they were noted"));
        }
        let there: Vec<u32> = self
            .world
            .server
            .iter()
            .flat_map(|server| &server.databases)
            .map(|database| database.oid)
            .collect();
        records.note_settings(oid, settings, &there)?;
        Ok(Outcome::default())
    }

    /// After a swap the queue must be flushed, and everything else go on: its failure is told, and is the exit code.
    pub(super) fn run_hook(&mut self, hook: &Hook) -> Result<Outcome, Fault> {
        let words = ["sh", "-c", hook.command.as_str()];
        let program = match hook.home()? {
            Home::Host => Program::words(words).folder(&self.world.workspace.root),
            Home::Service(service) => engine::in_service(&self.engine()?, &service, None, &words)?,
        };
        match program.deadline(HOOK).output() {
            Ok(_) => Ok(Outcome::default()),
            Err(why) => {
                let line = format!("`{}` failed: {why}", hook.command);
                Ok(Outcome {
                    detail: Some("failed".to_owned()),
                    lines: vec![line],
                    code: Some(1),
                    ..Outcome::default()
                })
            }
        }
    }

    /// Leaves the rest to a process of its own, which takes our hold on the workspace over: no other run gets between.
    pub(super) fn tidy(&self) -> Outcome {
        let started = || {
            let reset = std::env::current_exe().ok()?.with_file_name("slate-reset");
            let hold = self.held?.handle()?;
            let mut command = Command::new(reset);
            command.args(["--tidy", "--quiet", "--root"]).arg(&self.world.workspace.root);
            // Not the terminal's: it goes on when that is closed, and a Ctrl-C there is not meant for it.
            command.stdin(Stdio::from(hold)).stdout(Stdio::null()).stderr(Stdio::null()).process_group(0);
            command.spawn().ok()
        };
        match started() {
            Some(_) => Outcome::default(),
            None => Outcome::idle("not started: the next reset clones for itself"),
        }
    }
}
