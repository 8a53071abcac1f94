//! Our marker inside a database, with what it says of the database as it was then.

use plan::{DatabaseName, Marker, Origin};
use sqlx::Row as _;

use super::changes::{remember, sequences};
use super::fingerprint::fingerprint;
use super::{Postgres, code, state};

/// Writes the marker. One that says that we built the database also remembers how everything in it stands.
pub(crate) fn mark(
    postgres: &mut Postgres,
    database: &DatabaseName,
    marker: &Marker,
) -> Result<(), sqlx::Error> {
    let mut marker = marker.clone();
    let built = marker.origin == Origin::Built;
    if built && marker.fingerprint.is_none() {
        // A clone is what its template was.
        let there = self::marker(postgres, database)?.and_then(|there| there.fingerprint);
        marker.fingerprint =
            there.map_or_else(|| fingerprint(postgres, database), |there| Ok(Some(there)))?;
    }
    marker.sequences = if built { sequences(postgres, database)? } else { None };
    let text = plan::literal(&serde_json::to_string(&marker).unwrap_or_default());
    let sql = format!(
        "BEGIN; SET LOCAL client_min_messages = warning; CREATE SCHEMA IF NOT EXISTS cleanslate;
         CREATE TABLE IF NOT EXISTS cleanslate.marker (one boolean PRIMARY KEY DEFAULT true CHECK (one), marker jsonb NOT NULL);
         CREATE TABLE IF NOT EXISTS cleanslate.baseline (relation oid PRIMARY KEY, inserted bigint, updated bigint, deleted bigint);
         INSERT INTO cleanslate.marker (marker) VALUES ({text}) ON CONFLICT (one) DO UPDATE SET marker = excluded.marker; COMMIT"
    );
    postgres.run(database, &sql)?;
    // The marker's own counters tell a crash later, so all are read once it is written.
    if marker.sequences.is_some() { remember(postgres, database) } else { Ok(()) }
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
