//! Leases and their end. Many runs do both at once, so none of it takes the lock on the workspace's own database.

use plan::{DatabaseName, Fault, Label, Outcome, words};

use super::Real;
use crate::unlabelled;

impl Real<'_> {
    pub(super) fn lease(
        &mut self,
        [from, to]: [&DatabaseName; 2],
        like: Option<&DatabaseName>,
        label: &Label,
        bytes: u64,
    ) -> Result<Outcome, Fault> {
        self.clone_database(from, to, label, bytes)?;
        like.map_or(Ok(()), |like| self.databases(|databases| databases.carry_over(like, to)))?;
        Ok(Outcome::default())
    }

    pub(super) fn drop_lease(&mut self, database: &DatabaseName) -> Result<Outcome, Fault> {
        let workspace = self.world.workspace.id.clone();
        let noted = unlabelled::is_noted(&self.world.workspace.state, database);
        let outcome = self.databases(|databases| databases.drop_lease(database, &workspace, noted))?;
        unlabelled::forget(&self.world.workspace.state, database);
        Ok(outcome)
    }

    /// What can't go now keeps nobody from a lease of his own.
    pub(super) fn sweep(&mut self, databases: &[DatabaseName]) -> Outcome {
        let mut outcome = Outcome::default();
        let mut dropped = 0;
        for database in databases {
            match self.drop_lease(database) {
                Ok(done) => dropped += u64::from(!done.idle),
                Err(fault) => {
                    let why = fault.cause.unwrap_or(fault.error);
                    outcome.facts.insert(database.to_string(), why.into());
                }
            }
        }
        let stay = words::list(outcome.facts.iter().map(|(name, why)| format!("{name}: {why}")));
        outcome.idle = dropped == 0;
        outcome.detail = match (dropped, outcome.facts.is_empty()) {
            (0, true) => Some("another run did".to_owned()),
            (_, true) => None,
            (_, false) => Some(format!("{dropped} of {}; {stay} stays", databases.len())),
        };
        outcome
    }
}
