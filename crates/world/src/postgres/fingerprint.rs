//! What a database is, whatever files it came from: its definitions and its rows as one hash, so that a reformatted
//! migration is no edit.

use plan::DatabaseName;
use sqlx::Row as _;

use super::Postgres;
use super::read::BOOKKEEPING;

/// Above this many bytes rows are not read: then every edit of a file counts as one.
const READ: i64 = 64_000_000;

/// Every definition as one line of text, in the schemas that are not the system's or ours.
const DEFINITIONS: &str = "
WITH mine AS (
    SELECT oid, nspname FROM pg_namespace
    WHERE nspname NOT IN ('pg_catalog', 'information_schema', 'cleanslate') AND nspname NOT LIKE 'pg\\_%'
), relations AS (
    SELECT c.*, m.nspname FROM pg_class c JOIN mine m ON m.oid = c.relnamespace
), facts AS (
    SELECT concat_ws(' ', 'relation', nspname, relname, relkind, relpersistence, relrowsecurity, relforcerowsecurity,
                     reloptions::text, relacl::text, pg_get_partkeydef(oid), pg_get_expr(relpartbound, oid),
                     CASE WHEN relkind IN ('v', 'm') THEN pg_get_viewdef(oid) END) AS fact
    FROM relations WHERE relkind <> 'i'
    UNION ALL
    SELECT concat_ws(' ', 'column', r.nspname, r.relname, row_number() OVER (PARTITION BY r.oid ORDER BY a.attnum), a.attname,
                     format_type(a.atttypid, a.atttypmod), a.attnotnull, a.attidentity, a.attgenerated, a.attcollation::regcollation,
                     a.attacl::text, pg_get_expr(d.adbin, d.adrelid))
    FROM relations r JOIN pg_attribute a ON a.attrelid = r.oid AND a.attnum > 0 AND NOT a.attisdropped
         LEFT JOIN pg_attrdef d ON d.adrelid = r.oid AND d.adnum = a.attnum
    WHERE r.relkind IN ('r', 'p', 'v', 'm', 'f', 'c')
    UNION ALL
    SELECT concat_ws(' ', 'constraint', coalesce(r.nspname || '.' || r.relname, t.typname), c.conname, pg_get_constraintdef(c.oid))
    FROM pg_constraint c LEFT JOIN relations r ON r.oid = c.conrelid LEFT JOIN pg_type t ON t.oid = c.contypid
    WHERE c.connamespace IN (SELECT oid FROM mine)
    UNION ALL
    SELECT concat_ws(' ', 'index', pg_get_indexdef(i.indexrelid), i.indisvalid)
    FROM pg_index i JOIN relations r ON r.oid = i.indrelid
    UNION ALL
    SELECT concat_ws(' ', 'type', m.nspname, t.typname, t.typtype, format_type(t.typbasetype, t.typtypmod), t.typnotnull,
                     t.typdefault, (SELECT string_agg(e.enumlabel, ',' ORDER BY e.enumsortorder) FROM pg_enum e WHERE e.enumtypid = t.oid))
    FROM pg_type t JOIN mine m ON m.oid = t.typnamespace WHERE t.typtype IN ('e', 'd', 'r')
    UNION ALL
    SELECT concat_ws(' ', 'routine', m.nspname, p.oid::regprocedure, p.proacl::text,
                     CASE WHEN p.prokind IN ('f', 'p') THEN pg_get_functiondef(p.oid) ELSE 'aggregate' END)
    FROM pg_proc p JOIN mine m ON m.oid = p.pronamespace
    UNION ALL
    SELECT concat_ws(' ', 'trigger', pg_get_triggerdef(t.oid), t.tgenabled)
    FROM pg_trigger t JOIN relations r ON r.oid = t.tgrelid WHERE NOT t.tgisinternal
    UNION ALL
    SELECT concat_ws(' ', 'rule', pg_get_ruledef(w.oid))
    FROM pg_rewrite w JOIN relations r ON r.oid = w.ev_class WHERE w.rulename <> '_RETURN'
    UNION ALL
    SELECT concat_ws(' ', 'policy', r.nspname, r.relname, p.polname, p.polcmd, p.polpermissive, p.polroles::regrole[]::text,
                     pg_get_expr(p.polqual, p.polrelid), pg_get_expr(p.polwithcheck, p.polrelid))
    FROM pg_policy p JOIN relations r ON r.oid = p.polrelid
    UNION ALL
    SELECT concat_ws(' ', 'sequence', s.seqrelid::regclass, s.seqtypid::regtype, s.seqstart, s.seqincrement, s.seqmin, s.seqmax,
                     s.seqcache, s.seqcycle)
    FROM pg_sequence s JOIN relations r ON r.oid = s.seqrelid
    UNION ALL
    SELECT concat_ws(' ', 'extension', extname, extversion) FROM pg_extension
    UNION ALL
    SELECT concat_ws(' ', 'schema', n.nspname, n.nspacl::text) FROM pg_namespace n JOIN mine m ON m.oid = n.oid
    UNION ALL
    SELECT concat_ws(' ', 'rights', defaclrole::regrole, defaclnamespace, defaclobjtype, defaclacl::text) FROM pg_default_acl
    UNION ALL
    SELECT concat_ws(' ', 'comment', pg_describe_object(classoid, objoid, objsubid), description)
    FROM pg_description WHERE objoid >= 16384
)
SELECT md5(coalesce(string_agg(fact, E'\\n' ORDER BY fact COLLATE \"C\"), '')) AS hash FROM facts";

/// The hash of a database.
///
/// # Errors
/// It can't be read.
pub(super) fn fingerprint(
    postgres: &mut Postgres,
    database: &DatabaseName,
) -> Result<Option<String>, sqlx::Error> {
    let Some(rows) = rows(postgres, database)? else { return Ok(None) };
    Ok(Some(definitions(postgres, database)? + &rows))
}

/// The hash of a database's definitions alone.
///
/// # Errors
/// It can't be read.
pub(crate) fn definitions(postgres: &mut Postgres, database: &DatabaseName) -> Result<String, sqlx::Error> {
    postgres.rows(database, DEFINITIONS)?.first().ok_or(sqlx::Error::RowNotFound)?.try_get("hash")
}

/// The hash of every row; `None` where there is too much to read. A column with a default that is worked out (a time, a
/// number drawn from a sequence) is another with every build, and says nothing.
fn rows(postgres: &mut Postgres, database: &DatabaseName) -> Result<Option<String>, sqlx::Error> {
    let sql = format!(
        "SELECT pg_relation_size(c.oid) AS bytes,
                format('SELECT %L || md5(coalesce(string_agg(r, '''' ORDER BY r), '''')) FROM (SELECT md5(ROW(%s)::text) AS r FROM %I.%I) rows',
                       n.nspname || '.' || c.relname,
                       (SELECT string_agg(quote_ident(a.attname), ',' ORDER BY a.attnum) FROM pg_attribute a
                        LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
                        WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped AND a.attidentity = ''
                          AND (d.adbin IS NULL OR strpos(pg_get_expr(d.adbin, d.adrelid), '(') = 0)),
                       n.nspname, c.relname) AS read
         FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
         WHERE c.relkind = 'r' AND c.relpersistence <> 't' AND c.relname NOT IN ({BOOKKEEPING})
           AND n.nspname NOT IN ('pg_catalog', 'information_schema', 'cleanslate') AND n.nspname NOT LIKE 'pg\\_toast%'
         ORDER BY n.nspname, c.relname"
    );
    let tables = postgres.rows(database, &sql)?;
    let mut total = 0;
    let mut reads = Vec::new();
    for table in &tables {
        total += table.try_get::<i64, _>("bytes")?;
        reads.push(table.try_get::<String, _>("read")?);
    }
    if total > READ {
        return Ok(None);
    }
    if reads.is_empty() {
        return Ok(Some(String::new()));
    }
    let sql = format!("SELECT md5(string_agg(h, '')) AS hash FROM ({}) x(h)", reads.join(" UNION ALL "));
    let found = postgres.rows(database, &sql)?;
    found.first().map(|row| row.try_get("hash")).transpose()
}
