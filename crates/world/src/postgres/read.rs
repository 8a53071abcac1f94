//! What a server holds: databases, who is connected, tables, rows, our marker.

use jiff::Timestamp;
use plan::{Contents, Database, DatabaseName, Label, RoleName, Rows, Session, Since};
use sqlx::Row as _;
use sqlx::postgres::PgRow;

use super::Postgres;

/// Above this many bytes rows are estimated, not counted.
const COUNTED: u64 = 32 * 1024 * 1024;

/// Tables in which migration tools keep their own books; no row in them is the user's.
pub(super) const BOOKKEEPING: &str = "'_sqlx_migrations','alembic_version','schema_migrations','__diesel_schema_migrations',\
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
/// of its files, so only `sized` is measured, or all when there is none.
pub(crate) fn databases(
    postgres: &mut Postgres,
    maintenance: &DatabaseName,
    major: u32,
    sized: Option<&DatabaseName>,
) -> Result<Vec<Database>, sqlx::Error> {
    let sized = sized.map_or_else(|| "true".to_owned(), |sized| format!("d.datname = {}", sized.literal()));
    let stale = if major >= 15 {
        "coalesce(d.datcollversion IS DISTINCT FROM pg_database_collation_actual_version(d.oid), false)"
    } else {
        "false"
    };
    let sql = DATABASES.replace("{sized}", &sized).replace("{stale}", stale);
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

fn unsigned(row: &PgRow, column: &str) -> Result<u64, sqlx::Error> {
    Ok(u64::try_from(row.try_get::<i64, _>(column)?).unwrap_or(0))
}

/// The user's own tables, as `schema.table` quoted for SQL, with their estimated rows.
fn tables(postgres: &mut Postgres, database: &DatabaseName) -> Result<Vec<(String, f32, i64)>, sqlx::Error> {
    let sql = format!(
        "SELECT format('%I.%I', n.nspname, c.relname) AS name, c.reltuples AS rows, pg_relation_size(c.oid) AS bytes
         FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
         WHERE c.relkind = 'r' AND c.relpersistence <> 't' AND n.nspname NOT IN ('pg_catalog', 'information_schema', 'cleanslate')
           AND n.nspname NOT LIKE 'pg\\_toast%' AND c.relname NOT IN ({BOOKKEEPING})
           AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e')
         ORDER BY 1"
    );
    let rows = postgres.rows(database, &sql)?;
    rows.iter().map(|row| Ok((row.try_get("name")?, row.try_get("rows")?, row.try_get("bytes")?))).collect()
}

/// Whether any table of the user's exists.
pub(crate) fn holds_tables(postgres: &mut Postgres, database: &DatabaseName) -> Result<bool, sqlx::Error> {
    Ok(!tables(postgres, database)?.is_empty())
}

/// Whether no table of the user's holds a row.
pub(crate) fn is_empty(postgres: &mut Postgres, database: &DatabaseName) -> Result<bool, sqlx::Error> {
    let tables = tables(postgres, database)?;
    let parts: Vec<String> =
        tables.iter().map(|(name, _, _)| format!("EXISTS (SELECT FROM {name})")).collect();
    if parts.is_empty() {
        return Ok(true);
    }
    let rows = postgres.rows(database, &format!("SELECT {} AS any", parts.join(" OR ")))?;
    Ok(!rows.first().is_some_and(|row| row.try_get("any").unwrap_or(true)))
}

/// What a database holds. Rows are counted where that is quick, else estimated.
pub(crate) fn contents(
    postgres: &mut Postgres,
    database: &Database,
    written: bool,
) -> Result<Contents, sqlx::Error> {
    let name = &database.name;
    let tables = tables(postgres, name)?;
    let rows = if database.bytes <= COUNTED { counted(postgres, name, &tables) } else { None };
    let rows = rows.unwrap_or_else(|| estimated(&tables));
    // DROP makes a checkpoint anyway; without one a file's time says nothing of rows that are still in memory.
    let last_write = if written && rows.count > 0 { last_write(postgres, name) } else { None };
    Ok(Contents {
        database: name.clone(),
        tables: tables.len() as u64,
        rows,
        bytes: database.bytes,
        last_write,
        since: Since::default(),
    })
}

/// `None` when a table can't be read, by us or in time: row security and somebody's lock both count as that.
fn counted(postgres: &mut Postgres, database: &DatabaseName, tables: &[(String, f32, i64)]) -> Option<Rows> {
    let parts: Vec<String> =
        tables.iter().map(|(name, _, _)| format!("(SELECT count(*) FROM {name})")).collect();
    if parts.is_empty() {
        return Some(Rows { count: 0, exact: true });
    }
    // All in one message, so for this statement alone.
    let sql = format!(
        "SET LOCAL statement_timeout = '500ms'; SET LOCAL lock_timeout = '100ms'; SET LOCAL row_security = off;
         SELECT {} AS rows",
        parts.join(" + ")
    );
    let rows = postgres.rows(database, &sql);
    Some(Rows { count: unsigned(rows.ok()?.first()?, "rows").ok()?, exact: true })
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "an estimate, and never negative here"
)]
fn estimated(tables: &[(String, f32, i64)]) -> Rows {
    // Never analysed: as many rows as would fit at a common width.
    let rows = |(_, rows, bytes): &(String, f32, i64)| {
        if *rows < 0.0 { bytes.unsigned_abs() / 100 } else { *rows as u64 }
    };
    Rows { count: tables.iter().map(rows).sum(), exact: false }
}

/// When a table's file was last written, an upper bound. Needs a superuser, or the rights to read it.
fn last_write(postgres: &mut Postgres, database: &DatabaseName) -> Option<Timestamp> {
    postgres.run(database, "CHECKPOINT").ok()?;
    let sql = "SELECT extract(epoch FROM max((pg_stat_file(pg_relation_filepath(c.oid), true)).modification))::int8 AS at
               FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
               WHERE c.relkind IN ('r', 'm') AND n.nspname NOT IN ('pg_catalog', 'information_schema', 'pg_toast')";
    let rows = postgres.rows(database, sql).ok()?;
    Timestamp::from_second(rows.first()?.try_get::<Option<i64>, _>("at").ok()??).ok()
}
