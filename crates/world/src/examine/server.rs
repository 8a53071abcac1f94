//! What the server tells: sequences behind their columns, sessions that others wait for.

use std::time::Duration;

use plan::{Blocking, DatabaseName, Examined, Lagging, Server};
use sqlx::Row as _;

use crate::postgres::{Postgres, holds_tables};

/// A look may not take longer than this.
const SHORT: &str = "SET statement_timeout = '300ms'";

/// Sequences that belong to a column and count upwards, with their next value.
const SEQUENCES: &str = "
SELECT format('%I.%I', n.nspname, c.relname) AS tab, quote_ident(a.attname) AS col,
       format('%I.%I', sn.nspname, s.relname) AS sequence,
       coalesce(pg_sequence_last_value(s.oid) + q.seqincrement, q.seqstart) AS next
FROM pg_depend d
JOIN pg_class s ON s.oid = d.objid AND s.relkind = 'S'
JOIN pg_namespace sn ON sn.oid = s.relnamespace
JOIN pg_sequence q ON q.seqrelid = s.oid
JOIN pg_class c ON c.oid = d.refobjid AND c.relkind IN ('r', 'p')
JOIN pg_namespace n ON n.oid = c.relnamespace
JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = d.refobjsubid
WHERE d.classid = 'pg_class'::regclass AND d.refclassid = 'pg_class'::regclass AND d.deptype IN ('a', 'i')
  AND q.seqincrement > 0 AND a.atttypid IN ('int2'::regtype, 'int4'::regtype, 'int8'::regtype)
ORDER BY 1 LIMIT 500";

pub(super) fn look(server: &Server, timeout: Duration, examined: &mut Examined) -> Result<(), sqlx::Error> {
    let Ok(mut postgres) = Postgres::new(server, timeout) else { return Ok(()) };
    // First of all: what is locked keeps every other look waiting.
    examined.blocking = blocking(&mut postgres, &server.name)?;
    postgres.run(&server.name, SHORT)?;
    examined.empty = Some(!holds_tables(&mut postgres, &server.name)?);
    examined.lagging = lagging(&mut postgres, &server.name)?;
    Ok(())
}

fn lagging(postgres: &mut Postgres, database: &DatabaseName) -> Result<Vec<Lagging>, sqlx::Error> {
    let mut found = Vec::new();
    for row in postgres.rows(database, SEQUENCES)? {
        let (table, column): (String, String) = (row.try_get("tab")?, row.try_get("col")?);
        found.push(Lagging {
            column,
            table,
            sequence: row.try_get("sequence")?,
            next: row.try_get("next")?,
            highest: 0,
        });
    }
    // One question for all: their columns are keys as a rule, whose highest value an index gives.
    let highest = found.iter().zip(0..).map(|(one, at)| {
        format!("SELECT {at} AS at, (SELECT max({}) FROM {})::int8 AS highest", one.column, one.table)
    });
    let highest = highest.collect::<Vec<_>>().join(" UNION ALL ");
    if found.is_empty() {
        return Ok(found);
    }
    for row in postgres.rows(database, &highest)? {
        let at = usize::try_from(row.try_get::<i32, _>("at")?).unwrap_or(usize::MAX);
        let highest: Option<i64> = row.try_get("highest")?;
        if let (Some(one), Some(highest)) = (found.get_mut(at), highest) {
            one.highest = highest;
        }
    }
    found.retain(|one| one.highest >= one.next);
    Ok(found)
}

fn blocking(postgres: &mut Postgres, database: &DatabaseName) -> Result<Vec<Blocking>, sqlx::Error> {
    let sql = format!(
        "SELECT b.pid, coalesce(nullif(b.application_name, ''), b.usename, '')::text AS who, coalesce(b.state, '')::text AS state,
                count(*) AS waiting, greatest(0, max(extract(epoch FROM now() - w.query_start)))::int8 AS seconds
         FROM pg_stat_activity w
         CROSS JOIN LATERAL unnest(pg_blocking_pids(w.pid)) AS p(pid)
         JOIN pg_stat_activity b ON b.pid = p.pid
         WHERE w.datname = {} AND w.wait_event_type = 'Lock'
         GROUP BY 1, 2, 3 ORDER BY 1",
        database.literal()
    );
    let unsigned = |number: i64| u64::try_from(number).unwrap_or(0);
    let rows = postgres.rows(database, &sql)?;
    rows.iter()
        .map(|row| {
            Ok(Blocking {
                pid: row.try_get("pid")?,
                who: row.try_get("who")?,
                state: row.try_get("state")?,
                waiting: unsigned(row.try_get("waiting")?),
                seconds: unsigned(row.try_get("seconds")?),
            })
        })
        .collect()
}
