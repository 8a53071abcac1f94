//! What the machine in memory does with rows: it carries them, and weighs what was kept.

use plan::carry::{Carried, Stage};
use plan::{DatabaseName, Fault, KeptAs, Label, LabelKind, Since};

use super::{Fake, Held, failed};

impl Fake {
    pub(super) fn carried(&self) -> Option<(DatabaseName, Carried)> {
        let building = |held: &Held| {
            let label = held.comment.as_deref().and_then(Label::read);
            held.open && label.is_some_and(|label| label.kind == LabelKind::Building)
        };
        let (name, _) = self.databases.iter().find(|(_, held)| held.carried && building(held))?;
        Some((name.clone(), Carried::default()))
    }

    pub(super) fn carry_rows(
        &mut self,
        from: &DatabaseName,
        to: &DatabaseName,
        stage: Stage,
    ) -> Result<(), Fault> {
        if !self.carries && (self.inside(from).is_none() || self.inside(to).is_none()) {
            return Err(failed("nobody gets in"));
        }
        let mine = self.held(from)?.mine;
        let to = self.held(to)?;
        if !to.built || (stage != Stage::First && !to.carried) {
            return Err(failed("no table, or no rows came before"));
        }
        (to.mine, to.carried) = (mine, stage != Stage::Last);
        self.carries = stage == Stage::Again;
        Ok(())
    }

    pub(super) fn weigh(&mut self, database: &DatabaseName, label: &Label) -> Result<(), Fault> {
        self.last_kept = self.last_kept.max(label.kept.as_ref().map_or(0, |kept| kept.n));
        self.must_be(database, &[LabelKind::Kept])?;
        let held = self.inside(database).ok_or_else(|| failed("nobody gets in"))?.clone();
        let since = self.since(&held);
        if since == Since::Unchanged {
            self.databases.remove(database);
            return Ok(());
        }
        let kept = label.kept.clone().map(|kept| KeptAs { why: Some(since.line()), ..kept });
        let held = self.held(database)?;
        (held.open, held.comment) = (true, Some(Label { kept, ..label.clone() }.text()));
        Ok(())
    }
}
