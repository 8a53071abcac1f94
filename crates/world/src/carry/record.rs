//! What a first copy did, in the new database itself: whoever goes on from there reads it, and a crash leaves nothing
//! elsewhere.

use std::collections::BTreeMap;

use plan::DatabaseName;
use plan::carry::{Carried, Fit, Shape};
use serde::{Deserialize, Serialize};
use sqlx::Row as _;

use super::line::Line;
use crate::postgres::Postgres;

/// How often each table was written, by its quoted name.
pub(super) type Marks = BTreeMap<String, String>;

#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(super) struct Record {
    /// The tables in the order of `carried.tables`, and how each goes.
    pub fits: Vec<Fit>,
    pub carried: Carried,
    /// Those of them that hold rows of the migrations or seeds too, which stand in `cleanslate.aside_<n>`.
    pub asides: Vec<usize>,
    /// As it was before the copy; `None` where Postgres does not tell.
    pub marks: Option<Marks>,
    /// The old database's tables.
    pub old: Shape,
    /// Large objects that came along.
    pub objects: Vec<u32>,
}

impl Record {
    pub async fn write(&self, line: &mut Line) -> Result<(), sqlx::Error> {
        let text = serde_json::to_string(self).map_err(|why| sqlx::Error::Encode(Box::new(why)))?;
        let sql = format!(
            "BEGIN; DROP TABLE IF EXISTS cleanslate.carried; CREATE TABLE cleanslate.carried (record text);
             INSERT INTO cleanslate.carried VALUES ({}); COMMIT",
            plan::literal(&text)
        );
        line.run(&sql).await.map(drop)
    }

    /// Takes it out of the new database, which is to have nothing of ours beside its marker.
    pub async fn take(line: &mut Line) -> Result<Self, sqlx::Error> {
        let record = line.json("SELECT record AS said FROM cleanslate.carried").await?;
        line.run("DROP TABLE cleanslate.carried").await?;
        record.ok_or(sqlx::Error::RowNotFound)
    }

    /// And what was put aside, once no table is copied any more.
    pub async fn clear(&self, line: &mut Line) -> Result<(), sqlx::Error> {
        let asides: Vec<String> = self.asides.iter().map(|n| aside(*n)).collect();
        if asides.is_empty() {
            return Ok(());
        }
        line.run(&format!("DROP TABLE {}", asides.join(", "))).await.map(drop)
    }
}

/// Where the migrations' own rows of a table are meanwhile.
pub(super) fn aside(n: usize) -> String {
    format!("cleanslate.aside_{n}")
}

/// What a first copy into this database came to, if there was one.
pub(crate) fn read(postgres: &mut Postgres, database: &DatabaseName) -> Option<Carried> {
    let rows = postgres.rows(database, "SELECT record FROM cleanslate.carried").ok()?;
    let text: String = rows.first()?.try_get("record").ok()?;
    Some(serde_json::from_str::<Record>(&text).ok()?.carried)
}
