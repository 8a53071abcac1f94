//! Whether a database is still as it was when it was marked: Postgres' own counters of written rows, which a crash or a
//! reset of the statistics can't fake, since our own marker is counted with them.
//!
//! Needs Postgres 15: before it, counters travel by datagrams that may be lost.

use plan::{DatabaseName, Since, TableChange};
use sha2::{Digest, Sha256};
use sqlx::Row as _;

use super::Postgres;
use crate::workspace::hex;

/// Counters of everything but planner statistics, which autovacuum writes, what belongs to a row elsewhere, and what all
/// databases share.
const COUNTED: &str = "
SELECT s.relid, s.schemaname::text AS schema, s.relname::text AS name, s.n_tup_ins AS inserted, s.n_tup_upd AS updated,
       s.n_tup_del AS deleted
FROM pg_stat_all_tables s JOIN pg_class c ON c.oid = s.relid
WHERE NOT c.relisshared AND s.schemaname <> 'pg_toast' AND s.relname NOT IN ('pg_statistic', 'pg_statistic_ext_data')
  AND s.relid <> 'cleanslate.baseline'::regclass";

/// From our own statements in this session on, not only once it ends.
const FLUSH: &str = "SELECT pg_stat_force_next_flush()";

/// Writes down how the counters stand. Rows that a session has written and not reported yet count as changes later.
pub(super) fn remember(postgres: &mut Postgres, database: &DatabaseName) -> Result<(), sqlx::Error> {
    postgres.run(database, FLUSH)?;
    let sql = format!(
        "BEGIN; DELETE FROM cleanslate.baseline; INSERT INTO cleanslate.baseline
         SELECT relid, inserted, updated, deleted FROM ({COUNTED}) c WHERE inserted + updated + deleted > 0; COMMIT"
    );
    postgres.run(database, &sql)
}

fn can_tell(postgres: &mut Postgres, database: &DatabaseName) -> Result<bool, sqlx::Error> {
    let sql = "SELECT current_setting('server_version_num')::int >= 150000 AND current_setting('track_counts')::bool AS can";
    Ok(postgres.rows(database, sql)?.first().is_some_and(|row| row.try_get("can").unwrap_or(false)))
}

/// What a database was marked with: where its sequences stood, and how its settings were.
#[derive(Debug, Clone, Default)]
pub(crate) struct Baseline {
    pub sequences: Option<String>,
    pub settings: Option<String>,
}

/// Compares a database with how it was marked.
///
/// # Errors
/// It can't be read.
pub(crate) fn since(
    postgres: &mut Postgres,
    database: &DatabaseName,
    baseline: &Baseline,
) -> Result<Since, sqlx::Error> {
    let unknown = |why: &str| Ok(Since::Unknown { why: why.to_owned() });
    if baseline.sequences.is_none() {
        return unknown("it was not built here, or Postgres before 15 can't tell");
    }
    let mut found = moved(postgres, database)?;
    let sequences = sequences(postgres, database)?;
    if sequences.is_none() {
        return unknown("track_counts is off");
    }
    if sequences != baseline.sequences {
        found.beside.push("sequences".to_owned());
    }
    if baseline.settings.is_none() {
        return unknown("how its settings were was not noted");
    }
    if baseline.settings != settings_of(postgres, database, database)? {
        found.beside.push("settings".to_owned());
    }
    if let Some(why) = lost(postgres, database, found.dropped)? {
        return unknown(&why);
    }
    if !found.tables.is_empty() || !found.beside.is_empty() {
        return Ok(Since::Changed { tables: found.tables, beside: found.beside });
    }
    match others(postgres, database)? {
        0 => Ok(Since::Unchanged),
        _ => unknown("whoever is connected may have written just now"),
    }
}

#[derive(Debug, Default)]
struct Found {
    tables: Vec<TableChange>,
    beside: Vec<String>,
    /// Definitions changed, so that a counter may be gone with its table.
    dropped: bool,
}

/// The counters that stand higher than they did.
fn moved(postgres: &mut Postgres, database: &DatabaseName) -> Result<Found, sqlx::Error> {
    let sql = format!(
        "SELECT * FROM (
             SELECT c.schema, c.name, c.inserted - coalesce(b.inserted, 0) AS inserted,
                    c.updated - coalesce(b.updated, 0) AS updated, c.deleted - coalesce(b.deleted, 0) AS deleted
             FROM ({COUNTED}) c LEFT JOIN cleanslate.baseline b ON b.relation = c.relid
         ) moved WHERE inserted > 0 OR updated > 0 OR deleted > 0
         ORDER BY inserted + updated + deleted DESC, name"
    );
    let mut found = Found::default();
    for row in postgres.rows(database, &sql)? {
        let (schema, name): (String, String) = (row.try_get("schema")?, row.try_get("name")?);
        let beside = match (schema.as_str(), name.as_str()) {
            ("pg_catalog", "pg_largeobject" | "pg_largeobject_metadata") => "large objects",
            ("pg_catalog" | "information_schema", _) => "definitions",
            ("cleanslate", _) => continue,
            _ => {
                let rows =
                    |column| Ok::<_, sqlx::Error>(u64::try_from(row.try_get::<i64, _>(column)?).unwrap_or(0));
                let table = if schema == "public" { name } else { format!("{schema}.{name}") };
                let (inserted, updated, deleted) = (rows("inserted")?, rows("updated")?, rows("deleted")?);
                found.tables.push(TableChange { table, inserted, updated, deleted });
                continue;
            }
        };
        found.dropped |= beside == "definitions";
        if !found.beside.iter().any(|known| known == beside) {
            found.beside.push(beside.to_owned());
        }
    }
    Ok(found)
}

/// Why the counters are not those that were: a crash or a reset begins them anew.
fn lost(
    postgres: &mut Postgres,
    database: &DatabaseName,
    definitions_changed: bool,
) -> Result<Option<String>, sqlx::Error> {
    let sql = format!(
        "SELECT (SELECT count(*) FROM cleanslate.baseline) AS marked,
                (SELECT count(*) FROM cleanslate.baseline b LEFT JOIN ({COUNTED}) c ON c.relid = b.relation
                 WHERE c.relid IS NULL OR c.inserted < b.inserted OR c.updated < b.updated OR c.deleted < b.deleted) AS less,
                (SELECT count(*) FROM cleanslate.baseline WHERE relation = 'cleanslate.marker'::regclass) AS sentinel,
                coalesce((SELECT stats_reset > (SELECT (marker->>'at')::timestamptz FROM cleanslate.marker)
                          FROM pg_stat_database WHERE datname = current_database()), false) AS reset"
    );
    let rows = postgres.rows(database, &sql)?;
    let Some(row) = rows.first() else { return Ok(Some("its marker can't be read".to_owned())) };
    let (sentinel, less): (i64, i64) = (row.try_get("sentinel")?, row.try_get("less")?);
    if row.try_get("reset")? {
        return Ok(Some("its statistics were reset".to_owned()));
    }
    let gone = sentinel == 0 || (less > 0 && !definitions_changed);
    Ok(gone.then(|| "its server was killed, or its statistics were reset".to_owned()))
}

/// Sessions of others on this database: what they wrote in the last second may not be counted yet.
fn others(postgres: &mut Postgres, database: &DatabaseName) -> Result<i64, sqlx::Error> {
    let sql = "SELECT count(*) AS others FROM pg_stat_activity
               WHERE datname = current_database() AND pid <> pg_backend_pid() AND backend_type <> 'autovacuum worker'";
    postgres.rows(database, sql)?.first().map_or(Ok(1), |row| row.try_get("others"))
}

/// Where every sequence stands, as a hash; `None` where changes can't be told at all.
pub(super) fn sequences(
    postgres: &mut Postgres,
    database: &DatabaseName,
) -> Result<Option<String>, sqlx::Error> {
    if !can_tell(postgres, database)? {
        return Ok(None);
    }
    let sql = "SELECT format('(SELECT %L || last_value || is_called FROM %I.%I)', c.oid, n.nspname, c.relname) AS read
               FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
               WHERE c.relkind = 'S' AND c.relpersistence <> 't' ORDER BY c.oid";
    let parts: Vec<String> =
        postgres.rows(database, sql)?.iter().map(|row| row.try_get("read")).collect::<Result<_, _>>()?;
    if parts.is_empty() {
        return Ok(Some("none".to_owned()));
    }
    let rows = postgres.rows(database, &format!("SELECT {} AS state", parts.join(" || ',' || ")))?;
    let text: Option<String> = rows.first().map(|row| row.try_get("state")).transpose()?;
    Ok(text.map(|text| short(&text)))
}

/// A database's settings, limit, rights and owner, as a hash. They are the server's, not the database's own, so
/// any database will do to ask in. `None` when there is no such database.
pub(crate) fn settings_of(
    postgres: &mut Postgres,
    through: &DatabaseName,
    database: &DatabaseName,
) -> Result<Option<String>, sqlx::Error> {
    let sql = format!(
        "SELECT concat_ws(' ', d.datdba, d.datconnlimit, d.datacl::text,
                (SELECT string_agg(concat(s.setrole, s.setconfig::text), ' ' ORDER BY s.setrole)
                 FROM pg_db_role_setting s WHERE s.setdatabase = d.oid)) AS settings
         FROM pg_database d WHERE d.datname = {}",
        database.literal()
    );
    let rows = postgres.rows(through, &sql)?;
    let text: Option<String> = rows.first().map(|row| row.try_get("settings")).transpose()?;
    Ok(text.map(|text| short(&text)))
}

fn short(text: &str) -> String {
    let mut hash = hex(&Sha256::digest(text));
    hash.truncate(16);
    hash
}
