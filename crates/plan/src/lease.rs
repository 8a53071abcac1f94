//! Leases: whose a leased database is, and for how long.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{Database, LabelKind, World};

/// Seconds that a lease holds for a process that can't be seen from where somebody looks: one in a container, say.
pub const UNSEEN: i64 = 3_600;

/// For how long a leased database is somebody's.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lease {
    /// As long as this process lives; `None` for a lease of a time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub holder: Option<Holder>,
    /// Until then where no process holds it, or where nobody can tell whether that lives.
    pub until: Timestamp,
    /// Whether it is over, as far as a look at the machine told: never a guess, and never undone.
    #[serde(skip)]
    pub over: bool,
}

/// A process, and all that tells it from a later one with the same number.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Holder {
    pub pid: u32,
    /// What it is called, for a person.
    pub name: String,
    /// Clock ticks since the machine started.
    pub started: u64,
    /// The start of the machine, and the namespace in which the number means this process.
    pub place: String,
}

/// Which process is to hold a lease.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Holding {
    /// The one that started us.
    Parent,
    Process(u32),
}

impl Lease {
    /// Whether it is over at a time. `lives`: what a look for its process told, `None` where it can't be seen.
    ///
    /// ```
    /// # use plan::{Holder, Lease};
    /// let second = |second| jiff::Timestamp::from_second(second).unwrap();
    /// let holder = Holder { pid: 7, name: "pytest".into(), started: 1, place: "here".into() };
    /// let lease = Lease { holder: Some(holder), until: second(10), over: false };
    /// assert!(lease.is_over(Some(false), second(1)), "its process is gone");
    /// assert!(!lease.is_over(Some(true), second(99)), "it lives");
    /// assert!(!lease.is_over(None, second(9)) && lease.is_over(None, second(10)), "nobody can tell");
    /// ```
    #[must_use]
    pub fn is_over(&self, lives: Option<bool>, now: Timestamp) -> bool {
        match (&self.holder, lives) {
            (Some(_), Some(lives)) => !lives,
            _ => now >= self.until,
        }
    }

    /// Who holds it, for a person.
    #[must_use]
    pub fn by(&self) -> String {
        match &self.holder {
            Some(holder) => format!("{} (process {})", holder.name, holder.pid),
            None => format!("until {}", self.until.strftime("%F %T UTC")),
        }
    }
}

impl World {
    /// Leased databases whose lease is over, or is not.
    pub fn leases(&self, over: bool) -> impl Iterator<Item = (&Database, &Lease)> {
        let all =
            self.beside(LabelKind::Leased).filter_map(|(one, label)| Some((one, label.lease.as_ref()?)));
        all.filter(move |(_, lease)| lease.over == over)
    }
}
