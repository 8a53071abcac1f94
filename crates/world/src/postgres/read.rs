//! What a server holds: databases, who is connected, tables, rows, our marker.

use jiff::Timestamp;
use plan::{Contents, Database, DatabaseName, Label, RoleName, Rows, Session};
use sqlx::Row as _;
use sqlx::postgres::PgRow;

use super::Postgres;
use super::changes::{Moved, since};

/// Above this many bytes rows are estimated, not counted.
const COUNTED: u64 = 32 * 1024 * 1024;

/// Tables in which migration tools keep their own books; no row in them is the user's.
pub(crate) const BOOKKEEPING: &str = "'_sqlx_migrations','alembic_version','schema_migrations','__diesel_schema_migrations',\
    'django_migrations','ar_internal_metadata','flyway_schema_history','databasechangelog','databasechangeloglock',\
    'goose_db_version','knex_migrations','knex_migrations_lock','_prisma_migrations','SequelizeMeta','refinery_schema_history',\
    'gorp_migrations','kysely_migration','kysely_migration_lock','typeorm_migrations','__drizzle_migrations'";

const DATABASES: &str = "
SELECT d.oid::int8 AS oid, d.datname::text AS name, r.rolname::text AS owner, d.datallowconn AS open,
       d.datconnlimit AS connection_limit, shobj_description(d.oid, 'pg_database') AS comment,
       coalesce(CASE WHEN {sized} AND has_database_privilege(d.oid, 'CONNECT') THEN pg_database_size(d.oid) END, 0) AS bytes,
       (SELECT count(*) FROM pg_prepared_xacts x WHERE x.database = d.datname) AS prepared,
       ARRAY(SELECT s.slot_name::text FROM pg_replication_slots s WHERE s.database = d.datname) AS slots,
       ARRAY(SELECT s.slot_name::text FROM pg_replication_slots s WHERE s.database = d.datname AND s.active) AS active_slots,
       {stale} AS stale_collation,
       (SELECT count(*) FROM pg_subscription s WHERE s.subdbid = d.oid) AS subscriptions,
       (SELECT substr(c, strpos(c, '=') + 1) FROM pg_db_role_setting s, unnest(s.setconfig) c
        WHERE s.setdatabase = d.oid AND s.setrole = 0 AND c LIKE 'cleanslate.branch=%') AS branch
FROM pg_database d JOIN pg_roles r ON r.oid = d.datdba
WHERE NOT d.datistemplate
ORDER BY d.datname";

const SESSIONS: &str = "
SELECT datname::text AS name, pid, coalesce(usename, '')::text AS who, coalesce(application_name, '') AS application,
       coalesce(host(client_addr), '') AS client,
       CASE WHEN xact_start IS NULL THEN NULL ELSE greatest(0, extract(epoch FROM now() - xact_start))::int8 END AS seconds
FROM pg_stat_activity
WHERE datname IS NOT NULL AND pid <> pg_backend_pid() AND coalesce(application_name, '') <> 'cleanslate'
  AND coalesce(backend_type, 'client backend') IN ('client backend', 'walsender')";

/// Every database of the server that is not a template, with who is connected to it. To measure one takes a look at each
/// of its files, so only those are measured of which `sized`, a condition, holds.
pub(crate) fn databases(
    postgres: &mut Postgres,
    maintenance: &DatabaseName,
    major: u32,
    sized: &str,
) -> Result<Vec<Database>, sqlx::Error> {
    let stale = if major >= 15 {
        "coalesce(d.datcollversion IS DISTINCT FROM pg_database_collation_actual_version(d.oid), false)"
    } else {
        "false"
    };
    let sql = DATABASES.replace("{sized}", sized).replace("{stale}", stale);
    let found = postgres.rows(maintenance, &sql)?;
    let sessions = postgres.rows(maintenance, SESSIONS)?;
    found.iter().map(|row| database(row, &sessions)).filter_map(Result::transpose).collect()
}

fn database(row: &PgRow, sessions: &[PgRow]) -> Result<Option<Database>, sqlx::Error> {
    let (name, owner) = (row.try_get::<String, _>("name")?, row.try_get::<String, _>("owner")?);
    // Names come from Postgres itself, so they fit.
    let (Ok(name), Ok(owner)) = (DatabaseName::new(name), RoleName::new(owner)) else { return Ok(None) };
    let comment: Option<String> = row.try_get("comment")?;
    let limit: i32 = row.try_get("connection_limit")?;
    let on_it =
        sessions.iter().filter(|session| session.try_get("name").is_ok_and(|on: String| on == name.as_str()));
    Ok(Some(Database {
        oid: u32::try_from(row.try_get::<i64, _>("oid")?).unwrap_or(0),
        bytes: unsigned(row, "bytes")?,
        open: row.try_get("open")?,
        broken: limit == -2,
        label: comment.as_deref().and_then(Label::read),
        comment,
        marker: None,
        contents: None,
        sessions: on_it.map(session).collect::<Result<_, _>>()?,
        prepared: unsigned(row, "prepared")?,
        slots: row.try_get("slots")?,
        active_slots: row.try_get("active_slots")?,
        stale_collation: row.try_get("stale_collation")?,
        subscriptions: unsigned(row, "subscriptions")?,
        branch: row.try_get("branch")?,
        name,
        owner,
    }))
}

fn session(row: &PgRow) -> Result<Session, sqlx::Error> {
    Ok(Session {
        pid: row.try_get("pid")?,
        user: row.try_get("who")?,
        application: row.try_get("application")?,
        client: row.try_get("client")?,
        service: None,
        transaction: row
            .try_get::<Option<i64>, _>("seconds")?
            .and_then(|seconds| u64::try_from(seconds).ok()),
    })
}

pub(super) fn unsigned(row: &PgRow, column: &str) -> Result<u64, sqlx::Error> {
    Ok(u64::try_from(row.try_get::<i64, _>(column)?).unwrap_or(0))
}

/// A table of the user's.
#[derive(PartialEq, Eq)]
pub(crate) struct Table {
    pub relation: u32,
    /// `schema.table`, quoted for SQL.
    pub name: String,
    /// As the planner knows it; before the first ANALYZE, as many as would fit at a common width.
    estimate: u64,
}

/// The user's own tables.
pub(crate) fn tables(postgres: &mut Postgres, database: &DatabaseName) -> Result<Vec<Table>, sqlx::Error> {
    let sql = format!(
        "SELECT c.oid::int8 AS relation, format('%I.%I', n.nspname, c.relname) AS name,
                CASE WHEN c.reltuples < 0 THEN pg_relation_size(c.oid) / 100 ELSE c.reltuples::int8 END AS estimate
         FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
         WHERE c.relkind = 'r' AND c.relpersistence <> 't' AND n.nspname NOT IN ('pg_catalog', 'information_schema', 'cleanslate')
           AND n.nspname NOT LIKE 'pg\\_toast%' AND c.relname NOT IN ({BOOKKEEPING})
           AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e')
         ORDER BY 2"
    );
    let rows = postgres.rows(database, &sql)?;
    let table = |row: &PgRow| {
        let relation = u32::try_from(row.try_get::<i64, _>("relation")?).unwrap_or(0);
        Ok(Table { relation, name: row.try_get("name")?, estimate: unsigned(row, "estimate")? })
    };
    rows.iter().map(table).collect()
}

/// Whether any table of the user's exists.
pub(crate) fn holds_tables(postgres: &mut Postgres, database: &DatabaseName) -> Result<bool, sqlx::Error> {
    Ok(!tables(postgres, database)?.is_empty())
}

/// Whether no table of the user's holds a row.
pub(crate) fn is_empty(postgres: &mut Postgres, database: &DatabaseName) -> Result<bool, sqlx::Error> {
    let tables = tables(postgres, database)?;
    let parts: Vec<String> =
        tables.iter().map(|table| format!("EXISTS (SELECT FROM {})", table.name)).collect();
    if parts.is_empty() {
        return Ok(true);
    }
    let rows = postgres.rows(database, &format!("SELECT {} AS any", parts.join(" OR ")))?;
    Ok(!rows.first().is_some_and(|row| row.try_get("any").unwrap_or(true)))
}

/// What a database holds. What was written since it was marked is counted anew, the rest was counted then; without a
/// marker all of it is counted where that is quick, else estimated.
pub(crate) fn contents(
    postgres: &mut Postgres,
    database: &Database,
    settings: Option<&str>,
    written: bool,
) -> Result<Contents, sqlx::Error> {
    let name = &database.name;
    let tables = tables(postgres, name)?;
    let seen = since(postgres, name, database.marker.as_ref(), settings).ok();
    let known = database.marker.as_ref().and_then(|marker| marker.rows);
    let moved = seen.as_ref().and_then(|seen| seen.moved.as_ref());
    let rows = known.zip(moved).and_then(|(known, moved)| adjusted(postgres, name, known, moved));
    let counted = |postgres: &mut Postgres| {
        if database.bytes <= COUNTED { counted(postgres, name, &tables) } else { None }
    };
    let estimate = || Rows { count: tables.iter().map(|table| table.estimate).sum(), exact: false };
    let rows = rows.or_else(|| counted(postgres)).unwrap_or_else(estimate);
    // DROP makes a checkpoint anyway; without one a file's time says nothing of rows that are still in memory.
    let last_write = if written && rows.count > 0 { last_write(postgres, name) } else { None };
    Ok(Contents {
        database: name.clone(),
        tables: tables.len() as u64,
        rows,
        bytes: database.bytes,
        last_write,
        since: seen.map(|seen| seen.since).unwrap_or_default(),
    })
}

/// The rows as they were counted, with those tables counted again whose counters moved; of a large one the counters say
/// how many came and went.
fn adjusted(postgres: &mut Postgres, database: &DatabaseName, known: u64, moved: &[Moved]) -> Option<Rows> {
    if moved.is_empty() {
        return Some(Rows { count: known, exact: true });
    }
    let relations = moved.iter().map(|moved| moved.relation.to_string()).collect::<Vec<_>>().join(",");
    let sql = format!(
        "SELECT c.oid::int8 AS relation, format('%I.%I', n.nspname, c.relname) AS name,
                pg_relation_size(c.oid) AS bytes, coalesce(r.rows, 0) AS rows
         FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace LEFT JOIN cleanslate.rows r ON r.relation = c.oid
         WHERE c.oid IN ({relations}) AND c.relname NOT IN ({BOOKKEEPING}) AND c.relkind = 'r'"
    );
    let (mut was, mut came, mut exact, mut counts) = (0, 0, true, Vec::new());
    for row in postgres.rows(database, &sql).ok()? {
        let (relation, rows) = (row.try_get::<i64, _>("relation").ok()?, unsigned(&row, "rows").ok()?);
        if unsigned(&row, "bytes").ok()? <= COUNTED {
            was += rows;
            counts.push(row.try_get("name").ok()?);
        } else {
            exact = false;
            let change = moved.iter().find(|moved| i64::from(moved.relation) == relation)?;
            was += change.change.deleted;
            came += change.change.inserted;
        }
    }
    let now = count(postgres, database, &counts)?;
    Some(Rows { count: (known + came + now).saturating_sub(was), exact })
}

/// Every row of every table of the user's, however long it takes.
///
/// # Errors
/// One can't be read.
pub(crate) fn count_all(postgres: &mut Postgres, database: &DatabaseName) -> Result<u64, sqlx::Error> {
    let tables = tables(postgres, database)?;
    let parts: Vec<String> =
        tables.iter().map(|table| format!("(SELECT count(*) FROM {})", table.name)).collect();
    if parts.is_empty() {
        return Ok(0);
    }
    let sql = format!("SET LOCAL row_security = off; SELECT {} AS rows", parts.join(" + "));
    let rows = postgres.rows(database, &sql)?;
    unsigned(rows.first().ok_or(sqlx::Error::RowNotFound)?, "rows")
}

fn counted(postgres: &mut Postgres, database: &DatabaseName, tables: &[Table]) -> Option<Rows> {
    let names: Vec<String> = tables.iter().map(|table| table.name.clone()).collect();
    Some(Rows { count: count(postgres, database, &names)?, exact: true })
}

/// `None` when a table can't be read, by us or in time: row security and somebody's lock both count as that.
fn count(postgres: &mut Postgres, database: &DatabaseName, tables: &[String]) -> Option<u64> {
    let parts: Vec<String> = tables.iter().map(|name| format!("(SELECT count(*) FROM {name})")).collect();
    if parts.is_empty() {
        return Some(0);
    }
    // All in one message, so for this statement alone.
    let sql = format!(
        "SET LOCAL statement_timeout = '500ms'; SET LOCAL lock_timeout = '100ms'; SET LOCAL row_security = off;
         SELECT {} AS rows",
        parts.join(" + ")
    );
    let rows = postgres.rows(database, &sql);
    unsigned(rows.ok()?.first()?, "rows").ok()
}

/// When a table's file was last written, an upper bound. Needs a superuser, or the rights to read it.
fn last_write(postgres: &mut Postgres, database: &DatabaseName) -> Option<Timestamp> {
    postgres.run(database, "CHECKPOINT").ok()?;
    files_written(postgres, database)
}

/// As [`last_write`], without a checkpoint: what is still in memory came later.
pub(crate) fn files_written(postgres: &mut Postgres, database: &DatabaseName) -> Option<Timestamp> {
    let sql = "SELECT extract(epoch FROM max((pg_stat_file(pg_relation_filepath(c.oid), true)).modification))::int8 AS at
               FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
               WHERE c.relkind IN ('r', 'm') AND n.nspname NOT IN ('pg_catalog', 'information_schema', 'pg_toast')";
    let rows = postgres.rows(database, sql).ok()?;
    Timestamp::from_second(rows.first()?.try_get::<Option<i64>, _>("at").ok()??).ok()
}
