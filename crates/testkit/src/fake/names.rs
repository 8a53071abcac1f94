//! What the machine in memory does with names: two databases change theirs, or one takes a free one.

use plan::{DatabaseName, Fault, Label};

use super::{Fake, failed};

impl Fake {
    pub(super) fn swap(
        &mut self,
        [live, kept, next]: [&DatabaseName; 3],
        label: &Label,
        comment: Option<&String>,
    ) -> Result<(), Fault> {
        if self.databases.contains_key(kept) || !self.databases.contains_key(next) || live == next {
            return Err(failed("the names do not fit"));
        }
        let mut old = self.databases.remove(live).ok_or_else(|| failed("there is no such database"))?;
        let mut new = self.databases.remove(next).ok_or_else(|| failed("there is no such database"))?;
        (old.open, old.comment) = (true, Some(label.text()));
        (new.open, new.comment) = (true, comment.cloned());
        self.databases.insert(kept.clone(), old);
        self.databases.insert(live.clone(), new);
        Ok(())
    }

    pub(super) fn rename(
        &mut self,
        from: &DatabaseName,
        to: &DatabaseName,
        comment: Option<&String>,
    ) -> Result<(), Fault> {
        if self.databases.contains_key(to) {
            return Err(failed("the name is taken"));
        }
        let mut held = self.databases.remove(from).ok_or_else(|| failed("there is no such database"))?;
        (held.open, held.comment) = (true, comment.cloned());
        self.databases.insert(to.clone(), held);
        self.note(to);
        Ok(())
    }
}
