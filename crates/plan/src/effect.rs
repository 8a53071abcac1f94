//! What each action does to what was there: one table, by which a plan is judged.

use serde::Serialize;

use crate::{Action, DatabaseName};

/// What an action does to what was there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Effect {
    Reads,
    Creates,
    /// Another state, every row as it was.
    Changes,
    /// Destroys or rewrites rows: one rule for plan, consent and way back.
    Destroys,
}

impl Action {
    /// ```
    /// use plan::{Action, DatabaseName, Effect};
    /// let database = DatabaseName::new("shop").unwrap();
    /// assert_eq!(Action::DropDatabase { database }.effect(), Effect::Destroys);
    /// assert_eq!(Action::AwaitServer.effect(), Effect::Reads);
    /// ```
    #[must_use]
    #[expect(clippy::too_many_lines, reason = "one table of every power: it reads as a whole")]
    pub fn effect(&self) -> Effect {
        match self {
            Self::AwaitServer
            | Self::AwaitService { .. }
            | Self::OpenPsql { .. }
            | Self::ProveUnclaimed { .. }
            | Self::Compare(_) => Effect::Reads,
            Self::WriteFile { before: None, .. }
            | Self::CopyVolume { .. }
            | Self::RestoreVolume { .. }
            | Self::CreateCluster
            | Self::CreateDatabase { .. }
            | Self::CloneDatabase { .. }
            | Self::LeaseDatabase { .. }
            | Self::Tidy
            | Self::NoteSettings { .. }
            | Self::ExportDatabase { .. }
            | Self::ImportDatabase { .. }
            | Self::EnsureDatabase { .. }
            | Self::Migrate { .. }
            | Self::BuildMigrations { .. }
            | Self::BuildModels { .. }
            | Self::TryModels { .. }
            | Self::Accept { .. }
            | Self::EnsureBaseline { .. }
            | Self::DraftRevision { .. }
            | Self::DraftBaseline { .. }
            | Self::DraftStatements { .. }
            | Self::Upgrade { adds: true, .. }
            | Self::EnsureMarker { .. }
            | Self::AdoptDatabase { .. }
            | Self::CarryOver { .. }
            | Self::CarryRows { .. }
            | Self::Seed { .. }
            | Self::CaptureSeeds { .. }
            | Self::ProveCapture { .. }
            | Self::Stamp { .. } => Effect::Creates,
            Self::MakeServices { .. }
            | Self::StartServices { .. }
            | Self::WriteFile { .. }
            | Self::KeepCapture { .. }
            | Self::DiscardCapture
            | Self::AdoptVolume { .. }
            | Self::StartContainers { .. }
            | Self::StopContainers { .. }
            | Self::RestartContainer { .. }
            | Self::Reload { .. }
            | Self::StartCluster
            | Self::StopCluster
            | Self::KeepCluster { .. }
            | Self::RestoreCluster { .. }
            | Self::Label { .. }
            | Self::DiscardDatabase { .. }
            | Self::DropLease { .. }
            | Self::SweepLeases { .. }
            | Self::CloseDatabase { .. }
            | Self::OpenDatabase { .. }
            | Self::EndSessions { .. }
            | Self::SealTemplate { .. }
            | Self::NoteBranch { .. }
            | Self::AdoptBaseline { .. }
            | Self::NoteBlueprint { .. }
            | Self::Swap { .. }
            | Self::WeighKept { .. }
            | Self::RunHook { .. }
            | Self::KeepRunning { .. }
            | Self::RenameDatabase { .. } => Effect::Changes,
            Self::RemoveContainers { .. }
            | Self::RemoveVolume { .. }
            | Self::RemoveRest { .. }
            | Self::ForgetVolume { .. }
            | Self::GiveUpCopy { .. }
            | Self::RemoveCluster
            | Self::ForgetCluster { .. }
            | Self::GiveUpDatabase { .. }
            | Self::Upgrade { .. }
            | Self::Downgrade { .. }
            | Self::DropDatabase { .. } => Effect::Destroys,
        }
    }

    /// The database that it puts something into.
    pub(crate) fn fills(&self) -> Option<&DatabaseName> {
        match self {
            Self::Migrate { database, .. }
            | Self::BuildMigrations { database, .. }
            | Self::BuildModels { database, .. }
            | Self::TryModels { database }
            | Self::Seed { database, .. }
            | Self::ProveCapture { scratch: database, .. }
            | Self::Stamp { database, .. }
            | Self::Label { database, .. }
            | Self::SealTemplate { database, .. }
            | Self::NoteBranch { database, .. }
            | Self::ImportDatabase { database, .. }
            | Self::CarryOver { to: database, .. }
            | Self::CarryRows { to: database, .. } => Some(database),
            _ => None,
        }
    }
}
