//! What an action is called, before and after: plan, bar, report and error say the same.

use crate::carry::Stage;
use crate::{Action, words};

impl Action {
    /// In two columns: a verb, and what it is done to. In the present for a plan and a bar.
    #[must_use]
    pub fn doing(&self) -> (&'static str, String) {
        let (present, _, what) = self.phrase();
        (present, what)
    }

    /// As [`Self::doing`], once it is done.
    #[must_use]
    pub fn done(&self) -> (&'static str, String) {
        let (_, past, what) = self.phrase();
        (past, what)
    }

    /// Present, past, object.
    #[expect(clippy::too_many_lines, reason = "a line for each power")]
    fn phrase(&self) -> (&'static str, &'static str, String) {
        match self {
            Self::MakeServices { services } => ("make", "made", words::list(services)),
            Self::StartServices { services, awaited } if services.is_empty() => {
                ("await", "answer", words::list(awaited))
            }
            Self::StartServices { services, .. } => ("start", "started", words::list(services)),
            Self::AdoptVolume { volume } => ("adopt", "adopted", format!("volume `{}`", volume.shown())),
            Self::StartContainers { containers } => ("start", "started", words::list(containers)),
            Self::StopContainers { containers, grace: Some(0) } => ("end", "ended", words::list(containers)),
            Self::StopContainers { containers, .. } => ("stop", "stopped", words::list(containers)),
            Self::RestartContainer { service, .. } => ("restart", "restarted", format!("`{service}`")),
            Self::Reload { service, by } => ("ask", "asked", format!("`{service}` to reload: {by}")),
            Self::AwaitService { service, .. } => ("await", "answers", format!("`{service}`")),
            Self::RemoveContainers { containers } => {
                let noun = if containers.len() == 1 { "container" } else { "containers" };
                ("remove", "removed", format!("{noun} {}", words::list(containers)))
            }
            Self::RemoveRest { networks, volumes } => {
                let networks = networks.iter().map(|network| format!("network `{network}`"));
                let volumes = volumes.iter().map(|volume| format!("volume `{}`", volume.shown()));
                ("remove", "removed", words::joined(networks.chain(volumes)))
            }
            Self::CopyVolume { from, to, .. } => {
                ("copy", "copied", format!("volume `{}` to `{to}`", from.shown()))
            }
            Self::RemoveVolume { volume } => ("remove", "removed", format!("volume `{}`", volume.shown())),
            Self::RestoreVolume { from, to, .. } => {
                ("restore", "restored", format!("volume `{}` from `{from}`", to.shown()))
            }
            Self::GiveUpCopy { copy, .. } => ("give up", "gave up", format!("copy `{copy}`")),
            Self::ForgetVolume { copy, .. } => ("remove", "removed", format!("copy `{copy}`")),
            Self::CreateCluster => ("create", "created", "the local cluster".to_owned()),
            Self::StartCluster => ("start", "started", "the local cluster".to_owned()),
            Self::StopCluster => ("stop", "stopped", "the local cluster".to_owned()),
            Self::KeepCluster { n } => ("keep", "kept", format!("the local cluster, as number {n}")),
            Self::RestoreCluster { n, .. } => {
                ("restore", "restored", format!("the local cluster, number {n}"))
            }
            Self::ForgetCluster { n, .. } => ("remove", "removed", format!("kept cluster {n}")),
            Self::RemoveCluster => ("remove", "removed", "the local cluster".to_owned()),
            Self::AwaitServer => ("await", "ready", "Postgres".to_owned()),
            Self::LeaseDatabase { from, to, .. } => {
                ("lease", "leased", format!("`{to}`, a clone of `{from}`"))
            }
            Self::DropLease { database } => ("drop", "dropped", format!("leased `{database}`")),
            Self::SweepLeases { databases } => {
                ("drop", "dropped", words::count(databases.len() as u64, "expired lease"))
            }
            Self::CreateDatabase { database, .. } => ("create", "created", format!("`{database}`")),
            Self::EnsureDatabase { database } => ("ensure", "there is", format!("`{database}`")),
            Self::ProveUnclaimed { database } => ("look into", "may be filled:", format!("`{database}`")),
            Self::Migrate { database, .. } | Self::Upgrade { database, .. } => {
                ("migrate", "migrated", format!("`{database}`"))
            }
            Self::EnsureBaseline { database, .. } => ("ensure", "at its baseline:", format!("`{database}`")),
            Self::EnsureMarker { database, .. } => {
                ("mark", "marked", format!("`{database}` as this workspace's"))
            }
            Self::Seed { database, .. } => ("seed", "seeded", format!("`{database}`")),
            Self::CaptureSeeds { database, .. } => ("capture", "captured", format!("rows of `{database}`")),
            Self::ProveCapture { scratch, .. } => {
                ("prove", "proved", format!("the captured files in `{scratch}`"))
            }
            Self::KeepCapture { dir, changes } => {
                ("change", "changed", format!("{} in {dir}", words::count(changes.len() as u64, "file")))
            }
            Self::DiscardCapture => ("discard", "discarded", "the captured files".to_owned()),
            Self::Stamp { database, .. } => ("mark", "marked", format!("`{database}` as this workspace's")),
            Self::AdoptDatabase { database, .. } => ("adopt", "adopted", format!("`{database}`")),
            Self::Label { database, .. } => ("label", "labelled", format!("`{database}`")),
            Self::CarryOver { from, to } => {
                ("give", "gave", format!("`{to}` the owner, rights and settings of `{from}`"))
            }
            Self::CarryRows { from, to, stage: Stage::First, .. } => {
                ("carry", "carried", format!("rows of `{from}` to `{to}`"))
            }
            Self::CarryRows { from, .. } => {
                ("carry", "carried", format!("what was written to `{from}` meanwhile"))
            }
            Self::DiscardDatabase { database } => ("discard", "discarded", format!("`{database}`")),
            Self::CloseDatabase { database } => ("close", "closed", format!("`{database}` to new sessions")),
            Self::OpenDatabase { database } => ("open", "opened", format!("`{database}` again")),
            Self::EndSessions { database } => ("end", "ended", format!("the sessions on `{database}`")),
            Self::DropDatabase { database } => ("drop", "dropped", format!("`{database}`")),
            Self::RenameDatabase { from, to, .. } => ("rename", "renamed", format!("`{from}` to `{to}`")),
            Self::CloneDatabase { from, to, .. } => ("clone", "cloned", format!("`{from}` to `{to}`")),
            Self::NoteBranch { database, branch } => {
                ("note", "noted", format!("`{database}` as the one of branch `{branch}`"))
            }
            Self::ExportDatabase { database, file } => {
                ("export", "exported", format!("`{database}` to {}", file.display()))
            }
            Self::ImportDatabase { database, file } => {
                ("import", "imported", format!("{} into `{database}`", file.display()))
            }
            Self::SealTemplate { database, .. } => ("seal", "sealed", format!("template `{database}`")),
            Self::Swap { live, kept, .. } => {
                ("swap", "swapped", format!("`{live}`, and kept the old as `{kept}`"))
            }
            Self::WeighKept { database, .. } => {
                ("compare", "compared", format!("`{database}` with what it was built from"))
            }
            Self::NoteSettings { database } => ("note", "noted", format!("the settings of `{database}`")),
            Self::GiveUpDatabase { database, .. } => ("drop", "dropped", format!("kept `{database}`")),
            Self::RunHook { hook } => ("run", "ran", format!("`{}`", hook.command)),
            Self::KeepRunning { .. } => ("check", "still run:", "the services that ran".to_owned()),
            Self::Tidy => ("prepare", "prepares", "the next reset, in the background".to_owned()),
            Self::WriteFile { path, before: None, .. } => ("write", "wrote", path.clone()),
            Self::WriteFile { path, after: None, .. } => ("remove", "removed", path.clone()),
            Self::WriteFile { path, .. } => ("edit", "edited", path.clone()),
            Self::BuildMigrations { database, .. } => {
                ("build", "built", format!("the migrations' side, `{database}`"))
            }
            Self::BuildModels { database, .. } => {
                ("build", "built", format!("the models' side, `{database}`"))
            }
            Self::TryModels { database } => ("try", "tried", format!("each model in `{database}`")),
            Self::Compare(comparison) => ("compare", "compared", comparison.named()),
            Self::Accept { .. } => ("accept", "accepted", "what was found".to_owned()),
            Self::DraftRevision { name, .. } => ("write", "wrote", format!("a draft of `{name}`")),
            Self::DraftBaseline { path, .. } => ("write", "wrote", format!("a draft of {path}")),
            Self::DraftStatements { target, .. } => ("ask for", "has", format!("the statements of {target}")),
            Self::Downgrade { database, target } => {
                ("take back", "took back", format!("`{database}` to {target}"))
            }
            Self::AdoptBaseline { database } => ("put", "put", format!("`{database}` at the new baseline")),
            Self::NoteBlueprint { database } => {
                ("note", "noted", format!("what `{database}` was built from"))
            }
            Self::OpenPsql { database, .. } => ("open", "closed", format!("psql on `{database}`")),
        }
    }
}
