//! The proof of a capture: its files, loaded where only the migrations ran, give the rows that were captured.

use plan::{Exit, Fault, words};
use serde::{Deserialize, Serialize};
use sqlx::Row as _;

use crate::carry::{Line, Place};

/// What a capture did, beside its files.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct Record {
    /// The folder of the set.
    pub dir: String,
    pub sums: Vec<Sum>,
    /// The masked columns of the tables that were written.
    pub masked: Vec<String>,
    /// Files of the folder that stay as they are.
    pub stay: Vec<String>,
    pub proved: bool,
}

/// A table's rows as they were captured.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Sum {
    pub table: String,
    /// The statement that gives the two.
    pub read: String,
    pub rows: u64,
    pub hash: String,
}

impl Record {
    pub fn rows(&self) -> u64 {
        self.sums.iter().map(|sum| sum.rows).sum()
    }
}

/// Compares every table; the first that differs, in words.
pub(crate) async fn prove(scratch: &Place, record: &Record) -> Result<Option<String>, sqlx::Error> {
    let mut line = Line::open(scratch).await?;
    line.run("SET timezone = 'UTC'; SET intervalstyle = 'iso_8601'").await?;
    for sum in &record.sums {
        let row = line.one(&sum.read).await?;
        let rows = row.try_get::<i64, _>("rows")?.unsigned_abs();
        if (rows, row.try_get::<String, _>("hash")?.as_str()) == (sum.rows, &sum.hash) {
            continue;
        }
        line.close().await;
        let told = if rows == sum.rows {
            format!("`{}` came back with other values", sum.table)
        } else {
            format!("`{}` came back with {} of {}", sum.table, rows, words::count(sum.rows, "row"))
        };
        return Ok(Some(told));
    }
    line.close().await;
    Ok(None)
}

/// Files that do not give back what they were written from are not kept.
pub(crate) fn unproved(cause: String) -> Fault {
    Fault::new(Exit::Failed, "the captured files are no proved copy, and were not kept")
        .cause(cause)
        .hint("slate-check shows where live and migrations differ")
}
