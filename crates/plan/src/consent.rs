//! Consent: what a plan needs before it may run, and the only way to an [`Approved`] one.

use sha2::{Digest, Sha256};

use crate::name::hex;
use crate::{Confirm, Effect, Exit, Fault, Plan};

/// A plan that somebody agreed to. Only [`approve`] makes one.
#[derive(Debug)]
pub struct Approved(Plan);

impl Approved {
    #[must_use]
    pub fn plan(&self) -> &Plan {
        &self.0
    }
}

/// Consent given on the command line, each time anew: never a variable, never a file.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Flags {
    pub yes: bool,
    pub force: bool,
    pub no_undo: bool,
    pub confirm: Option<String>,
}

/// What has to be agreed to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Need {
    Nothing,
    YesNo,
    /// The subject's name, typed: there is no way back.
    Name,
}

/// What a person is asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Question {
    /// Enter means no.
    YesNo(String),
    /// The text that must be typed, and what it leads to.
    Name { name: String, prompt: String },
}

impl Plan {
    /// What it needs, by what it takes.
    ///
    /// ```
    /// use plan::{Confirm, Need, Plan};
    /// assert_eq!(Plan::new("slate-up", "shop").need(Confirm::Loss), Need::Nothing);
    /// ```
    #[must_use]
    pub fn need(&self, confirm: Confirm) -> Need {
        let asks = !self.asks.is_empty() || !self.in_the_way.is_empty();
        if self.typed || (self.is_for_good() && !self.loss.is_nothing()) {
            Need::Name
        } else if asks || (confirm == Confirm::Always && !self.question.is_empty()) {
            Need::YesNo
        } else {
            Need::Nothing
        }
    }

    /// What `--confirm` takes: it stands for this command on this target, and for no more rows and changes than there are
    /// now.
    #[must_use]
    pub fn token(&self) -> String {
        format!("{}-{}-{}", self.fingerprint(), self.loss.rows().count, self.loss.changes())
    }

    fn fingerprint(&self) -> String {
        let mut hash = Sha256::new();
        let tables =
            self.loss.databases.iter().map(|contents| format!("{} {}", contents.database, contents.tables));
        let volumes = self.loss.volumes.iter().map(|loss| loss.volume.to_string());
        // What would be destroyed, and whether anything brings it back: a token for one is none for the other.
        let destroyed = self.steps.iter().filter(|step| step.action.effect() == Effect::Destroys);
        let destroyed = destroyed.map(|step| format!("{:?} {}", step.action.doing(), step.undo.is_none()));
        let parts = [self.command.to_owned(), self.subject.clone(), self.target.clone()];
        let lost = tables.chain(volumes).chain(self.loss.unread.iter().cloned());
        for part in parts.into_iter().chain(lost).chain(destroyed) {
            hash.update(part);
            hash.update([0]);
        }
        hex(&hash.finalize(), 6)
    }

    fn is_covered_by(&self, token: &str) -> bool {
        let mut parts = token.split('-');
        let fits = parts.next() == Some(self.fingerprint().as_str());
        let mut is_no_more = |now: u64| {
            parts.next().and_then(|agreed| agreed.parse().ok()).is_some_and(|agreed: u64| now <= agreed)
        };
        // What nobody could read may have grown unseen.
        self.loss.unread.is_empty()
            && fits
            && is_no_more(self.loss.rows().count)
            && is_no_more(self.loss.changes())
    }

    fn question(&self, need: Need) -> Question {
        match need {
            Need::Name => Question::Name {
                name: self.subject.clone(),
                prompt: if self.typed {
                    format!("Type {} to say that it is this workspace's", self.subject)
                } else {
                    format!("Type {} to go on, there is no way back", self.subject)
                },
            },
            Need::Nothing | Need::YesNo => Question::YesNo(self.question.clone()),
        }
    }
}

/// Turns a plan into an approved one, by the flags or by asking. `ask` answers `None` where nobody can be asked, else
/// whether the person agreed.
///
/// # Errors
/// Declined (130), nobody to ask (3), a token that does not fit (3), somebody else's open work (4).
///
/// ```
/// use plan::{Confirm, Exit, Flags, Plan, approve};
/// let mut plan = Plan::new("slate-clean", "shop");
/// plan.asks = vec!["it removes containers".into()];
/// let no = approve(plan.clone(), Confirm::Loss, &Flags::default(), |_| Ok(Some(false))).unwrap_err();
/// assert_eq!(no.exit, Exit::Declined);
/// let nobody = approve(plan, Confirm::Loss, &Flags::default(), |_| Ok(None)).unwrap_err();
/// assert_eq!(nobody.exit, Exit::Unconfirmed);
/// ```
pub fn approve(
    plan: Plan,
    confirm: Confirm,
    flags: &Flags,
    ask: impl FnOnce(&Question) -> Result<Option<bool>, Fault>,
) -> Result<Approved, Fault> {
    let need = plan.need(confirm);
    let token = flags.confirm.as_deref();
    if token.is_some_and(|token| !plan.is_covered_by(token)) {
        return Err(outdated(&plan));
    }
    let flagged = match need {
        Need::Nothing => true,
        Need::YesNo => flags.yes || token.is_some(),
        // What the flags say is that nothing is wanted back, not whose it is.
        Need::Name => flags.yes && flags.no_undo && !plan.typed || token.is_some(),
    };
    if flagged {
        return if flags.force || plan.in_the_way.is_empty() {
            Ok(Approved(plan))
        } else {
            Err(in_the_way(&plan))
        };
    }
    if flags.yes {
        return Err(unconfirmed(&plan, need));
    }
    match ask(&plan.question(need))? {
        Some(true) => Ok(Approved(plan)),
        Some(false) => Err(Fault::new(Exit::Declined, "declined").state("nothing was changed")),
        None => Err(unconfirmed(&plan, need)),
    }
}

fn unconfirmed(plan: &Plan, need: Need) -> Fault {
    let cause = match need {
        Need::Name if plan.typed => format!("nobody typed `{}`: {}", plan.subject, plan.asks.join(", ")),
        Need::Name => {
            format!("{} would be lost for good, which --yes alone does not cover", plan.loss.words())
        }
        Need::Nothing | Need::YesNo => {
            let why: Vec<&str> = plan.asks.iter().chain(&plan.in_the_way).map(String::as_str).collect();
            format!("there is no terminal to ask on: {}", why.join(", "))
        }
    };
    let hint = match need {
        Need::Name => format!("{} --dry-run --json shows the plan and a token for --confirm", plan.again),
        Need::Nothing | Need::YesNo => format!("{} --yes", plan.again),
    };
    Fault::new(Exit::Unconfirmed, "not confirmed").cause(cause).state("nothing was changed").hint(hint)
}

fn outdated(plan: &Plan) -> Fault {
    Fault::new(Exit::Unconfirmed, "the token for --confirm does not fit")
        .cause(if plan.loss.unread.is_empty() {
            "it was made for another target, or there is more to lose now".to_owned()
        } else {
            format!("what it was made for can't be read now: {}", plan.loss.unread.join(", "))
        })
        .state("nothing was changed")
        .hint(format!("{} --dry-run --json prints a new one", plan.again))
}

fn in_the_way(plan: &Plan) -> Fault {
    Fault::new(Exit::Refused, format!("`{}` is in use", plan.subject))
        .cause(plan.in_the_way.join(", "))
        .state("nothing was changed")
        .hint(format!("{} --force cuts them off", plan.again))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Action, Contents, DatabaseName, Rows, Step};

    fn dropping(rows: u64) -> Plan {
        let database = DatabaseName::new("shop").unwrap();
        let mut plan = Plan::new("slate-reset", "shop");
        plan.loss.databases.push(Contents {
            database: database.clone(),
            tables: 3,
            rows: Rows { count: rows, exact: true },
            bytes: 1,
            last_write: None,
            since: crate::Since::default(),
        });
        plan.steps.push(Step::new(Action::DropDatabase { database }, "it is replaced"));
        plan
    }

    #[expect(clippy::unnecessary_wraps, reason = "the shape of an `ask`")]
    fn nobody(_: &Question) -> Result<Option<bool>, Fault> {
        Ok(None)
    }

    #[test]
    fn yes_alone_does_not_cover_a_loss_for_good() {
        let flags = Flags { yes: true, ..Flags::default() };

        let fault = approve(dropping(5), Confirm::Loss, &flags, |_| panic!("asked")).unwrap_err();

        assert_eq!(fault.exit, Exit::Unconfirmed);
        assert!(fault.cause.unwrap().starts_with("5 rows"));
    }

    #[test]
    fn yes_and_no_undo_cover_it() {
        let flags = Flags { yes: true, no_undo: true, ..Flags::default() };

        assert!(approve(dropping(5), Confirm::Loss, &flags, nobody).is_ok());
    }

    #[test]
    fn a_person_types_the_name() {
        let asked = approve(dropping(5), Confirm::Loss, &Flags::default(), |question| {
            assert!(matches!(question, Question::Name { name, .. } if name == "shop"));
            Ok(Some(true))
        });

        assert!(asked.is_ok());
    }

    #[test]
    fn a_token_is_void_when_the_loss_has_grown() {
        let token = |rows| Flags { confirm: Some(dropping(rows).token()), ..Flags::default() };

        assert!(approve(dropping(5), Confirm::Loss, &token(5), nobody).is_ok());
        assert!(approve(dropping(4), Confirm::Loss, &token(5), nobody).is_ok());
        let fault = approve(dropping(6), Confirm::Loss, &token(5), nobody).unwrap_err();
        assert_eq!(fault.exit, Exit::Unconfirmed);
    }

    #[test]
    fn a_token_is_void_when_nobody_can_read_what_it_takes() {
        let mut unread = dropping(5);
        unread.loss.unread.push("a server that does not run".to_owned());
        let flags = Flags { confirm: Some(unread.token()), ..Flags::default() };

        let fault = approve(unread, Confirm::Loss, &flags, nobody).unwrap_err();

        assert_eq!(
            fault.cause.unwrap(),
            "what it was made for can't be read now: a server that does not run"
        );
    }

    #[test]
    fn a_token_is_void_when_more_has_changed() {
        let changed = |updated| {
            let mut plan = dropping(5);
            let users = crate::TableChange { table: "users".to_owned(), inserted: 0, updated, deleted: 0 };
            plan.loss.databases[0].since = crate::Since::Changed { tables: vec![users], beside: Vec::new() };
            plan
        };
        let flags = Flags { confirm: Some(changed(1).token()), ..Flags::default() };

        assert!(approve(changed(1), Confirm::Loss, &flags, nobody).is_ok());
        assert!(approve(changed(2), Confirm::Loss, &flags, nobody).is_err());
    }

    #[test]
    fn a_token_for_what_undo_brings_back_is_none_for_what_it_does_not() {
        let mut undoable = dropping(5);
        undoable.steps[0].undo = Some(crate::Undo::Up);
        let flags = Flags { confirm: Some(undoable.token()), ..Flags::default() };

        let fault = approve(dropping(5), Confirm::Loss, &flags, nobody).unwrap_err();

        assert_eq!(fault.exit, Exit::Unconfirmed);
    }

    /// One whose database is known to hold nothing.
    fn dropping_nothing() -> Plan {
        let mut plan = dropping(0);
        plan.loss.databases[0].since = crate::Since::Unchanged;
        plan
    }

    #[test]
    fn an_empty_database_is_no_loss_once_it_is_known_to_be() {
        assert_eq!(dropping_nothing().need(Confirm::Loss), Need::Nothing);
        assert_eq!(dropping(0).need(Confirm::Loss), Need::Name);
    }

    #[test]
    fn what_is_no_row_is_lost_too() {
        let mut plan = dropping(0);
        let beside = vec!["large objects".to_owned()];
        plan.loss.databases[0].since = crate::Since::Changed { tables: Vec::new(), beside };

        let fault = approve(plan, Confirm::Loss, &Flags::default(), nobody).unwrap_err();

        assert!(fault.cause.unwrap().starts_with("what `shop` may hold beside rows would be lost for good"));
    }

    #[test]
    fn open_work_of_others_wants_force() {
        let mut plan = dropping_nothing();
        plan.in_the_way.push("DBeaver has a transaction open".to_owned());
        let yes = Flags { yes: true, ..Flags::default() };

        let fault = approve(plan.clone(), Confirm::Loss, &yes, nobody).unwrap_err();

        assert_eq!(fault.exit, Exit::Refused);
        assert!(approve(plan, Confirm::Loss, &Flags { force: true, ..yes }, nobody).is_ok());
    }
}
