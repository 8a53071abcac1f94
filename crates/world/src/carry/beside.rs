//! What a database holds beside rows in tables: where its sequences stand, large objects, materialized views.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use plan::carry::{Fate, Fit};
use serde::Deserialize;
use sqlx::Row as _;

use super::line::Line;
use super::table::quoted;
use crate::postgres::read::BOOKKEEPING;

const SEQUENCES: &str = include_str!("sequences.sql");

/// Bytes of a large object that are read at once.
const PIECE: u64 = 1 << 20;

/// Where every sequence of a database stands, and the statement that tells it again.
#[derive(Debug, Default)]
pub(super) struct Sequences {
    all: Vec<Sequence>,
    states: Option<String>,
}

#[derive(Debug, Deserialize)]
struct Sequence {
    at: i64,
    step: i64,
    name: String,
    table: Option<String>,
    column: Option<String>,
    #[serde(skip)]
    value: i64,
    #[serde(skip)]
    called: bool,
}

impl Sequence {
    /// What it gives next.
    fn next(&self) -> i64 {
        if self.called { self.value.saturating_add(self.step) } else { self.value }
    }

    fn is_behind(&self, other: i64) -> bool {
        if self.step > 0 { self.next() < other } else { self.next() > other }
    }
}

impl Sequences {
    async fn read(line: &mut Line) -> Result<Self, sqlx::Error> {
        let row = line.one(&SEQUENCES.replace("{bookkeeping}", BOOKKEEPING)).await?;
        let said: String = row.try_get("said")?;
        let all = serde_json::from_str(&said).map_err(|why| sqlx::Error::Decode(Box::new(why)))?;
        let mut read = Self { all, states: row.try_get("states")? };
        read.moved(line).await?;
        Ok(read)
    }

    /// Looks again where they stand. Says whether one of them moved.
    pub async fn moved(&mut self, line: &mut Line) -> Result<bool, sqlx::Error> {
        let Some(states) = &self.states else { return Ok(false) };
        let mut moved = false;
        for row in line.rows(states).await? {
            let at: i64 = row.try_get("at")?;
            let now = (row.try_get("value")?, row.try_get("called")?);
            if let Some(sequence) = self.all.iter_mut().find(|sequence| sequence.at == at) {
                moved |= (sequence.value, sequence.called) != now;
                (sequence.value, sequence.called) = now;
            }
        }
        Ok(moved)
    }
}

/// Sequences of carried columns, and those that serve none, go on where the old ones stand.
pub(super) async fn advance(from: &mut Line, to: &mut Line, fits: &[Fit]) -> Result<Sequences, sqlx::Error> {
    let old = Sequences::read(from).await?;
    let mut sql = String::new();
    for sequence in Sequences::read(to).await?.all {
        let served = sequence.table.as_ref().zip(sequence.column.as_ref());
        let column = served.and_then(|(table, column)| {
            let fit = fits.iter().find(|fit| fit.to.as_ref().is_some_and(|to| to.quoted() == *table))?;
            let pair = fit.columns.iter().find(|pair| pair.to == *column)?;
            (fit.fate == Fate::Carried).then_some((fit, pair))
        });
        let same = |other: &&Sequence| match &column {
            Some((fit, pair)) => {
                other.table.as_ref() == Some(&fit.from.quoted()) && other.column.as_ref() == Some(&pair.from)
            }
            None => served.is_none() && other.name == sequence.name,
        };
        let name = plan::literal(&sequence.name);
        if let Some(other) = old.all.iter().find(same) {
            if sequence.is_behind(other.next()) {
                let _ = write!(sql, "SELECT setval({name}::regclass, {}, {});", other.value, other.called);
            }
        } else if let Some((fit, pair)) = column {
            // What counts now was typed before: it goes on after the last of them.
            let (last, table) = (if sequence.step > 0 { "max" } else { "min" }, fit.to.as_ref());
            let (column, table) =
                (quoted(&pair.to), table.map(plan::carry::TableName::quoted).unwrap_or_default());
            let _ = write!(
                sql,
                "SELECT setval({name}::regclass, {last}({column})::bigint) FROM {table} HAVING {last}({column}) IS NOT NULL;"
            );
        }
    }
    if !sql.is_empty() {
        to.run(&sql).await?;
    }
    Ok(old)
}

/// Copies every large object, in the place of those that came along before. Their ids, for the next time.
pub(super) async fn objects(from: &mut Line, to: &mut Line, before: &[u32]) -> Result<Vec<u32>, sqlx::Error> {
    let listed = "SELECT oid::int8 AS oid, pg_get_userbyid(lomowner)::text AS owner FROM pg_largeobject_metadata ORDER BY oid";
    let owners = |rows: Vec<sqlx::postgres::PgRow>| -> Result<BTreeMap<u32, String>, sqlx::Error> {
        let one = |row: &sqlx::postgres::PgRow| {
            let oid = u32::try_from(row.try_get::<i64, _>("oid")?).unwrap_or(0);
            Ok((oid, row.try_get("owner")?))
        };
        rows.iter().map(one).collect()
    };
    let (old, there) = (owners(from.rows(listed).await?)?, owners(to.rows(listed).await?)?);
    to.run("BEGIN").await?;
    for oid in there.keys().filter(|oid| before.contains(oid) || old.contains_key(oid)) {
        to.run(&format!("SELECT lo_unlink({oid})")).await?;
    }
    for (oid, owner) in &old {
        to.run(&format!("SELECT lo_create({oid}); ALTER LARGE OBJECT {oid} OWNER TO {}", quoted(owner)))
            .await?;
        let mut at = 0;
        loop {
            let piece = from.one(&format!("SELECT lo_get({oid}, {at}, {PIECE})::text AS piece")).await?;
            let piece: String = piece.try_get("piece")?;
            // Two digits for a byte, after `\x`.
            let bytes = (piece.len() as u64).saturating_sub(2) / 2;
            if bytes > 0 {
                to.run(&format!("SELECT lo_put({oid}, {at}, '{piece}')")).await?;
            }
            at += bytes;
            if bytes < PIECE {
                break;
            }
        }
    }
    to.run("COMMIT").await?;
    Ok(old.into_keys().collect())
}

/// Materialized views that the migrations filled are filled from the rows that came.
pub(super) async fn views(to: &mut Line) -> Result<(), sqlx::Error> {
    let filled = "SELECT format('REFRESH MATERIALIZED VIEW %I.%I', n.nspname, c.relname) AS sql
                  FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
                  WHERE c.relkind = 'm' AND c.relispopulated ORDER BY c.oid";
    for row in to.rows(filled).await? {
        to.run(&row.try_get::<String, _>("sql")?).await?;
    }
    Ok(())
}
