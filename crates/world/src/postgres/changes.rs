//! Whether a database is still as it was when it was marked: Postgres' own counters of written rows, which a crash or a
//! reset of the statistics can't fake, since our own marker is counted with them. What did not move need not be read: the
//! cost grows with what changed, not with what is there.
//!
//! Needs Postgres 15: before it, counters travel by datagrams that may be lost.

use plan::{DatabaseName, Marker, Since, TableChange};
use sha2::{Digest, Sha256};
use sqlx::Row as _;
use sqlx::postgres::PgRow;

use super::Postgres;
use crate::workspace::hex;

/// Counters of everything but planner statistics, which autovacuum writes, what belongs to a row elsewhere, and what all
/// databases share. Of a sequence the blocks that were asked for: whoever moves or reads it asks for one.
const COUNTED: &str = "
SELECT c.oid AS relid, c.relkind = 'S' AS sequence, n.nspname::text AS schema, c.relname::text AS name,
       CASE c.relkind WHEN 'S' THEN pg_stat_get_blocks_fetched(c.oid) ELSE pg_stat_get_tuples_inserted(c.oid) END AS inserted,
       pg_stat_get_tuples_updated(c.oid) AS updated, pg_stat_get_tuples_deleted(c.oid) AS deleted
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'm', 'S') AND c.relpersistence <> 't' AND NOT c.relisshared AND n.nspname <> 'pg_toast'
  AND c.relname NOT IN ('pg_statistic', 'pg_statistic_ext_data') AND c.oid <> 'cleanslate.baseline'::regclass";

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

const CAN_TELL: &str =
    "(current_setting('server_version_num')::int >= 150000 AND current_setting('track_counts')::bool)";

/// Whether this server's counters can be relied on.
pub(super) fn can_tell(postgres: &mut Postgres, database: &DatabaseName) -> Result<bool, sqlx::Error> {
    let rows = postgres.rows(database, &format!("SELECT {CAN_TELL} AS can_tell"))?;
    rows.first().ok_or(sqlx::Error::RowNotFound)?.try_get("can_tell")
}

/// How a database stands against its marker.
pub(crate) struct Seen {
    pub since: Since,
    /// The tables whose counters moved, where those tell everything; `None` where only reading the tables would.
    pub moved: Option<Vec<Moved>>,
}

/// A table of the user's that was written to.
pub(crate) struct Moved {
    pub relation: u32,
    pub change: TableChange,
}

/// Compares a database with how it was marked. `settings`: as they were noted when it was built.
///
/// # Errors
/// It can't be read.
pub(crate) fn since(
    postgres: &mut Postgres,
    database: &DatabaseName,
    marker: Option<&Marker>,
    settings: Option<&str>,
) -> Result<Seen, sqlx::Error> {
    let unknown = |why: &str| Ok(Seen { since: Since::Unknown { why: why.to_owned() }, moved: None });
    if !marker.is_some_and(|marker| marker.counted) {
        return unknown("it was not built here, or Postgres before 15 can't tell");
    }
    // Who is there is asked first: a session reports what it wrote before it leaves, so whoever is gone is counted.
    let facts = facts(postgres, database)?;
    if !facts.can_tell {
        return unknown("track_counts is off");
    }
    let mut found = moved(postgres, database)?;
    if differ(postgres, database, &found.sequences)? {
        found.beside.push("sequences");
    }
    let Some(settings) = settings else { return unknown("how its settings were was not noted") };
    if settings != facts.settings {
        found.beside.push("settings");
    }
    if facts.reset {
        return unknown("its statistics were reset");
    }
    let redefined = found.beside.contains(&DEFINITIONS);
    if !facts.sentinel || (found.less && !redefined) {
        return unknown("its server was killed, or its statistics were reset");
    }
    let since = if !found.tables.is_empty() || !found.beside.is_empty() {
        let tables = found.tables.iter().map(|moved| moved.change.clone()).collect();
        Since::Changed { tables, beside: found.beside.iter().map(ToString::to_string).collect() }
    } else if facts.others {
        Since::Unknown { why: "whoever is connected may have written just now".to_owned() }
    } else {
        Since::Unchanged
    };
    // A truncated table's counters say nothing of its rows: that is a change of definitions to Postgres.
    Ok(Seen { since, moved: (!redefined && !facts.others).then_some(found.tables) })
}

/// What one question tells of a database.
#[expect(clippy::struct_excessive_bools, reason = "each is an answer of its own")]
struct Facts {
    /// This server counts, and loses nothing of it.
    can_tell: bool,
    /// Others are connected: what they wrote in the last second may not be counted yet.
    others: bool,
    /// The marker's own counter was remembered: one that a crash set back is less than it was.
    sentinel: bool,
    /// Somebody reset the counters, by the server's own clock.
    reset: bool,
    /// How its settings are, as a hash.
    settings: String,
}

fn facts(postgres: &mut Postgres, database: &DatabaseName) -> Result<Facts, sqlx::Error> {
    let sql = format!(
        "SELECT {CAN_TELL} AS can_tell, ({}) AS settings,
                EXISTS (SELECT FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()
                        AND backend_type IS DISTINCT FROM 'autovacuum worker') AS others,
                EXISTS (SELECT FROM cleanslate.baseline WHERE relation = 'cleanslate.marker'::regclass) AS sentinel,
                coalesce((SELECT stats_reset > (SELECT at FROM cleanslate.marker)
                          FROM pg_stat_database WHERE datname = current_database()), false) AS reset",
        settings(database)
    );
    let rows = postgres.rows(database, &sql)?;
    let row = rows.first().ok_or(sqlx::Error::RowNotFound)?;
    Ok(Facts {
        can_tell: row.try_get("can_tell")?,
        others: row.try_get("others")?,
        sentinel: row.try_get("sentinel")?,
        reset: row.try_get("reset")?,
        settings: short(&row.try_get::<String, _>("settings")?),
    })
}

#[derive(Default)]
struct Found {
    tables: Vec<Moved>,
    /// Somebody asked for a block of them.
    sequences: Vec<Touched>,
    beside: Vec<&'static str>,
    /// A counter is gone or stands lower than it did: a dropped table's, or a crash or a reset began it anew.
    less: bool,
}

struct Touched {
    relation: i64,
    /// Quoted for SQL.
    name: String,
}

const DEFINITIONS: &str = "definitions";

/// The counters that do not stand as they did.
fn moved(postgres: &mut Postgres, database: &DatabaseName) -> Result<Found, sqlx::Error> {
    let sql = format!(
        "SELECT *, format('%I.%I', schema, name) AS quoted FROM (
             SELECT coalesce(c.relid, 0)::int8 AS relid, coalesce(c.sequence, false) AS sequence,
                    coalesce(c.schema, '') AS schema, coalesce(c.name, '') AS name,
                    coalesce(c.inserted, -1) - coalesce(b.inserted, 0) AS inserted,
                    coalesce(c.updated, -1) - coalesce(b.updated, 0) AS updated,
                    coalesce(c.deleted, -1) - coalesce(b.deleted, 0) AS deleted
             FROM ({COUNTED}) c FULL JOIN cleanslate.baseline b ON b.relation = c.relid
         ) moved WHERE inserted <> 0 OR updated <> 0 OR deleted <> 0
         ORDER BY inserted + updated + deleted DESC, name"
    );
    let mut found = Found::default();
    for row in postgres.rows(database, &sql)? {
        found.add(&row)?;
    }
    Ok(found)
}

impl Found {
    fn add(&mut self, row: &PgRow) -> Result<(), sqlx::Error> {
        let (schema, name): (String, String) = (row.try_get("schema")?, row.try_get("name")?);
        let changes = ["inserted", "updated", "deleted"].map(|column| row.try_get::<i64, _>(column));
        let [inserted, updated, deleted] = changes;
        let (inserted, updated, deleted) = (inserted?, updated?, deleted?);
        self.less |= inserted < 0 || updated < 0 || deleted < 0;
        if inserted <= 0 && updated <= 0 && deleted <= 0 {
            return Ok(());
        }
        let relation: i64 = row.try_get("relid")?;
        let beside = match (schema.as_str(), name.as_str()) {
            ("pg_catalog", "pg_largeobject" | "pg_largeobject_metadata") => "large objects",
            ("pg_catalog" | "information_schema", _) => DEFINITIONS,
            ("cleanslate", _) => return Ok(()),
            _ if row.try_get("sequence")? => {
                self.sequences.push(Touched { relation, name: row.try_get("quoted")? });
                return Ok(());
            }
            _ => {
                let rows = |change: i64| u64::try_from(change).unwrap_or(0);
                let (inserted, updated, deleted) = (rows(inserted), rows(updated), rows(deleted));
                let table = if schema == "public" { name } else { format!("{schema}.{name}") };
                let change = TableChange { table, inserted, updated, deleted };
                self.tables.push(Moved { relation: u32::try_from(relation).unwrap_or(0), change });
                return Ok(());
            }
        };
        if !self.beside.contains(&beside) {
            self.beside.push(beside);
        }
        Ok(())
    }
}

/// Whether any of these sequences stands elsewhere than when the database was built.
fn differ(
    postgres: &mut Postgres,
    database: &DatabaseName,
    touched: &[Touched],
) -> Result<bool, sqlx::Error> {
    if touched.is_empty() {
        return Ok(false);
    }
    let one = |Touched { relation, name }: &Touched| {
        format!(
            "(SELECT {STANDS} FROM {name}) IS DISTINCT FROM (SELECT state FROM cleanslate.sequences WHERE relation = {relation})"
        )
    };
    let parts: Vec<String> = touched.iter().map(one).collect();
    let rows = postgres.rows(database, &format!("SELECT {} AS differ", parts.join(" OR ")))?;
    rows.first().ok_or(sqlx::Error::RowNotFound)?.try_get("differ")
}

/// Where a sequence stands.
pub(super) const STANDS: &str = "last_value || ' ' || is_called";

/// A database's settings, limit, rights and owner, as a hash. They are the server's, not the database's own, so
/// any database will do to ask in. `None` when there is no such database.
pub(crate) fn settings_of(
    postgres: &mut Postgres,
    through: &DatabaseName,
    database: &DatabaseName,
) -> Result<Option<String>, sqlx::Error> {
    let rows = postgres.rows(through, &settings(database))?;
    let text: Option<String> = rows.first().map(|row| row.try_get("settings")).transpose()?;
    Ok(text.map(|text| short(&text)))
}

fn settings(database: &DatabaseName) -> String {
    format!(
        "SELECT concat_ws(' ', d.datdba, d.datconnlimit, d.datacl::text,
                (SELECT string_agg(concat(s.setrole, s.own::text), ' ' ORDER BY s.setrole)
                 FROM (SELECT setrole, (SELECT array_agg(c ORDER BY n) FROM unnest(setconfig) WITH ORDINALITY AS u (c, n)
                                        WHERE c NOT LIKE 'cleanslate.%') AS own
                       FROM pg_db_role_setting WHERE setdatabase = d.oid) s WHERE s.own IS NOT NULL)) AS settings
         FROM pg_database d WHERE d.datname = {}",
        database.literal()
    )
}

fn short(text: &str) -> String {
    let mut hash = hex(&Sha256::digest(text));
    hash.truncate(16);
    hash
}
