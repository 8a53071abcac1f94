//! What a plan would take.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{DatabaseName, Session, Since, VolumeName, words};

/// Everything that would be lost, or would have to be brought back.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Loss {
    pub databases: Vec<Contents>,
    pub volumes: Vec<VolumeLoss>,
    /// Sessions that would be cut.
    pub sessions: Vec<Session>,
    /// Things that could not be read, and so count as worth keeping.
    pub unread: Vec<String>,
}

/// What a database holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Contents {
    pub database: DatabaseName,
    pub tables: u64,
    pub rows: Rows,
    pub bytes: u64,
    /// Not later than this; `None` where it can't be had.
    pub last_write: Option<Timestamp>,
    pub since: Since,
}

/// A number of rows, counted or estimated.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rows {
    pub count: u64,
    pub exact: bool,
}

/// A volume and what is in it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct VolumeLoss {
    pub volume: VolumeName,
    /// `None` where it was not measured.
    pub bytes: Option<u64>,
    pub last_write: Option<Timestamp>,
}

impl std::fmt::Display for Rows {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let sign = if self.exact { "" } else { "~" };
        write!(f, "{sign}{}", words::count(self.count, "row"))
    }
}

impl Contents {
    /// In one line.
    ///
    /// ```
    /// # use plan::*;
    /// let contents = Contents { database: DatabaseName::new("shop").unwrap(), tables: 14,
    ///     rows: Rows { count: 31_204, exact: true }, bytes: 48_000_000, last_write: None, since: Since::default() };
    /// assert_eq!(contents.line(jiff::Timestamp::UNIX_EPOCH), "14 tables, 31,204 rows, 48.0 MB");
    /// ```
    #[must_use]
    pub fn line(&self, now: Timestamp) -> String {
        let size =
            format!("{}, {}, {}", words::count(self.tables, "table"), self.rows, words::bytes(self.bytes));
        match self.last_write {
            Some(at) => format!("{size}, last write {}", words::ago(at, now)),
            None => size,
        }
    }
}

impl Contents {
    /// No row is in it, and it is known that nothing else of anybody's is: a large object, a function, a setting.
    fn is_nothing(&self) -> bool {
        let beside = match &self.since {
            Since::Unchanged => true,
            Since::Changed { beside, .. } => beside.is_empty(),
            Since::Unknown { .. } => false,
        };
        beside && self.rows == Rows { count: 0, exact: true }
    }
}

/// Seconds after which an open transaction is somebody's work, and no request that is passing through.
const WORK: u64 = 2;

impl Session {
    /// What would be cut off in the middle: a transaction of somebody's that has been open for two seconds. A service's is
    /// begun again by the service.
    ///
    /// ```
    /// # use plan::*;
    /// let session = Session { pid: 4, user: "app".into(), application: "psql".into(), client: String::new(),
    ///     service: None, transaction: Some(90) };
    /// assert_eq!(session.open_work().unwrap(), "psql has a transaction open since 90 s");
    /// ```
    #[must_use]
    pub fn open_work(&self) -> Option<String> {
        let open = self.transaction.filter(|open| self.service.is_none() && *open >= WORK)?;
        Some(format!("{} has a transaction open since {open} s", self.who()))
    }
}

impl Loss {
    /// Whether there is nothing in it that anybody could want. Said only when it was read.
    ///
    /// ```
    /// assert!(plan::Loss::default().is_nothing());
    /// ```
    #[must_use]
    pub fn is_nothing(&self) -> bool {
        self.unread.is_empty() && self.volumes.is_empty() && self.databases.iter().all(Contents::is_nothing)
    }

    /// All rows together.
    #[must_use]
    pub fn rows(&self) -> Rows {
        let sum = |all: Rows, one: &Contents| Rows {
            count: all.count + one.rows.count,
            exact: all.exact && one.rows.exact,
        };
        self.databases.iter().fold(Rows { count: 0, exact: true }, sum)
    }

    /// Rows that came, went or changed since seeding, of all databases.
    #[must_use]
    pub fn changes(&self) -> u64 {
        let tables = self.databases.iter().flat_map(|contents| match &contents.since {
            Since::Changed { tables, .. } => tables.as_slice(),
            _ => &[],
        });
        tables.map(|table| table.inserted + table.updated + table.deleted).sum()
    }

    /// What is lost in a few words, for a question or an error.
    #[must_use]
    pub fn words(&self) -> String {
        let rows = self.rows();
        match (self.databases.is_empty(), self.volumes.len()) {
            (false, _) if rows.count > 0 => rows.to_string(),
            (_, 0) if self.is_nothing() => "nothing".to_owned(),
            (_, 0) if !self.unread.is_empty() => words::list(&self.unread),
            (_, 0) => {
                let beside = self.databases.iter().filter(|contents| !contents.is_nothing());
                let names = words::list(beside.map(|contents| &contents.database));
                format!("what {names} may hold beside rows")
            }
            (_, volumes) => format!("what is in {}", words::count(volumes as u64, "volume")),
        }
    }
}
