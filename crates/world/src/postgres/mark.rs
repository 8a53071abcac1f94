//! Our marker inside a database, with what it says of the database as it was then.

use plan::{DatabaseName, Marker, Origin};
use sqlx::Row as _;
use sqlx::postgres::PgRow;

use super::changes::{STANDS, can_tell, remember};
use super::fingerprint::fingerprint;
use super::read::{Table, tables};
use super::{Postgres, code, state};

/// Whether a marker that is there already tells what is in the database.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Read {
    /// A clone is what its template was: only what has no marker yet is read.
    WhereNew,
    /// Rows came since.
    Anew,
}

/// Writes the marker. One that says that we built the database also remembers how everything in it stands.
pub(crate) fn mark(
    postgres: &mut Postgres,
    database: &DatabaseName,
    marker: &Marker,
    read: Read,
) -> Result<(), sqlx::Error> {
    let mut marker = marker.clone();
    let there = self::marker(postgres, database)?;
    postgres.run(
        database,
        "BEGIN; SET LOCAL client_min_messages = warning; CREATE SCHEMA IF NOT EXISTS cleanslate;
         CREATE TABLE IF NOT EXISTS cleanslate.marker (one boolean PRIMARY KEY DEFAULT true CHECK (one), marker jsonb NOT NULL, at timestamptz NOT NULL);
         CREATE TABLE IF NOT EXISTS cleanslate.baseline (relation oid PRIMARY KEY, inserted bigint, updated bigint, deleted bigint);
         CREATE TABLE IF NOT EXISTS cleanslate.rows (relation oid PRIMARY KEY, rows bigint NOT NULL);
         CREATE TABLE IF NOT EXISTS cleanslate.sequences (relation oid PRIMARY KEY, state text NOT NULL); COMMIT",
    )?;
    if marker.origin == Origin::Built {
        let fingerprint = there.as_ref().and_then(|there| there.fingerprint.clone());
        marker = match (there, read) {
            (Some(there), Read::WhereNew) => {
                Marker { fingerprint, counted: there.counted, rows: there.rows, ..marker }
            }
            _ => as_built(postgres, database, Marker { fingerprint, ..marker })?,
        };
    }
    let text = plan::literal(&serde_json::to_string(&marker).unwrap_or_default());
    let sql = format!(
        "INSERT INTO cleanslate.marker (marker, at) VALUES ({text}, now())
         ON CONFLICT (one) DO UPDATE SET marker = excluded.marker, at = excluded.at"
    );
    postgres.run(database, &sql)?;
    // The marker's own counters tell a crash later, so all are read once it is written.
    if marker.counted { remember(postgres, database) } else { Ok(()) }
}

/// Reads all of a new database once, so that later only what moved has to be read.
fn as_built(postgres: &mut Postgres, database: &DatabaseName, marker: Marker) -> Result<Marker, sqlx::Error> {
    let fingerprint = match marker.fingerprint {
        None => fingerprint(postgres, database)?,
        known => known,
    };
    let counted = can_tell(postgres, database)?;
    if counted {
        note_sequences(postgres, database)?;
    }
    // Row security may keep us from counting: then there is no number to go by.
    let rows = if counted { note_rows(postgres, database).ok() } else { None };
    Ok(Marker { fingerprint, counted, rows, ..marker })
}

fn note_sequences(postgres: &mut Postgres, database: &DatabaseName) -> Result<(), sqlx::Error> {
    let sql = "SELECT c.oid::int8 AS relation, format('%I.%I', n.nspname, c.relname) AS name
               FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
               WHERE c.relkind = 'S' AND c.relpersistence <> 't'";
    let all = postgres.rows(database, sql)?;
    let one = |row: &PgRow| -> Result<String, sqlx::Error> {
        let (relation, name) = (row.try_get::<i64, _>("relation")?, row.try_get::<String, _>("name")?);
        Ok(format!("SELECT {relation}, {STANDS} FROM {name}"))
    };
    let parts = all.iter().map(one).collect::<Result<Vec<_>, _>>()?;
    if parts.is_empty() {
        return Ok(());
    }
    // What a run that was killed noted is noted anew.
    let sql = format!(
        "DELETE FROM cleanslate.sequences; INSERT INTO cleanslate.sequences {}",
        parts.join(" UNION ALL ")
    );
    postgres.run(database, &sql)
}

/// The rows of each table that holds any; answers with their sum.
fn note_rows(postgres: &mut Postgres, database: &DatabaseName) -> Result<u64, sqlx::Error> {
    let tables = tables(postgres, database)?;
    let one = |table: &Table| format!("SELECT {}, count(*) FROM {}", table.relation, table.name);
    let parts: Vec<String> = tables.iter().map(one).collect();
    if parts.is_empty() {
        return Ok(0);
    }
    let sql = format!(
        "SET LOCAL row_security = off; DELETE FROM cleanslate.rows;
         INSERT INTO cleanslate.rows SELECT * FROM ({}) t (relation, rows) WHERE rows > 0",
        parts.join(" UNION ALL ")
    );
    postgres.run(database, &sql)?;
    let sum = postgres.rows(database, "SELECT coalesce(sum(rows), 0)::int8 AS rows FROM cleanslate.rows")?;
    super::read::unsigned(sum.first().ok_or(sqlx::Error::RowNotFound)?, "rows")
}

/// The marker inside a database, when there is one that we can read.
pub(crate) fn marker(
    postgres: &mut Postgres,
    database: &DatabaseName,
) -> Result<Option<Marker>, sqlx::Error> {
    let rows = match postgres.rows(database, "SELECT marker::text AS marker FROM cleanslate.marker LIMIT 1") {
        Err(error) if code(&error).is_some_and(|code| state::NO_TABLE.contains(&code.as_str())) => {
            return Ok(None);
        }
        rows => rows?,
    };
    let text: Option<String> = rows.first().map(|row| row.try_get("marker")).transpose()?;
    Ok(text.and_then(|text| serde_json::from_str(&text).ok()))
}
