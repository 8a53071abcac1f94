//! Reads a catalog: one query for a side, read-only, in one snapshot, with everything pinned that changes how Postgres
//! prints things.

mod piecemeal;

use std::time::Duration;

use plan::Fault;
use plan::check::Catalog;
use sqlx::postgres::{PgConnectOptions, PgRow};
use sqlx::{AssertSqlSafe, Connection as _, Executor as _, PgConnection, Row as _};
use tokio::runtime::Runtime;

use crate::databases::fault;

const PARTS: [&str; 5] = [
    include_str!("relations.sql"),
    include_str!("rules.sql"),
    include_str!("types.sql"),
    include_str!("routines.sql"),
    include_str!("database.sql"),
];

const BASE: &str = include_str!("base.sql");

/// The first lets go of what a role or a database sets; the planner's surprises stay out too.
const PINNED: &str = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY;
SET LOCAL search_path = pg_catalog; SET LOCAL timezone = 'UTC'; SET LOCAL datestyle = 'ISO, MDY';
SET LOCAL intervalstyle = 'postgres'; SET LOCAL extra_float_digits = 1; SET LOCAL quote_all_identifiers = off;
SET LOCAL bytea_output = 'hex'; SET LOCAL standard_conforming_strings = on; SET LOCAL lock_timeout = '10s';
SET LOCAL jit = off; SET LOCAL plan_cache_mode = auto; SET LOCAL enable_nestloop = on; SET LOCAL enable_hashjoin = on;";

/// The query for a server of this major. A line that ends in `--14+` or `--15-16` is for those majors alone.
fn query(major: u32) -> String {
    format!("{PINNED}\n{BASE}\n{};\nCOMMIT", parts(major).join("\nUNION ALL\n"))
}

fn parts(major: u32) -> Vec<String> {
    PARTS.iter().map(|part| for_major(part, major)).collect()
}

fn for_major(sql: &str, major: u32) -> String {
    let is_for = |mark: &str| match mark.split_once('-') {
        Some((from, to)) => {
            from.parse().is_ok_and(|from| major >= from) && to.parse().is_ok_and(|to| major <= to)
        }
        None => {
            mark.strip_suffix('+').and_then(|from| from.parse().ok()).is_none_or(|from: u32| major >= from)
        }
    };
    let kept = sql.lines().filter_map(|line| match line.rsplit_once(" --") {
        Some((line, mark)) => is_for(mark).then_some(line),
        None => Some(line),
    });
    kept.collect::<Vec<_>>().join("\n")
}

/// Reads all of them at once: a server works on each in a process of its own.
pub(crate) fn read(
    runtime: &Runtime,
    places: &[PgConnectOptions],
    timeout: Duration,
) -> Vec<Result<Catalog, Fault>> {
    runtime.block_on(async {
        let mut reading = tokio::task::JoinSet::new();
        for (at, place) in places.iter().cloned().enumerate() {
            reading.spawn(async move { (at, Box::pin(one(place, timeout)).await) });
        }
        let mut read = reading.join_all().await;
        read.sort_by_key(|(at, _)| *at);
        read.into_iter().map(|(_, catalog)| catalog).collect()
    })
}

async fn one(place: PgConnectOptions, timeout: Duration) -> Result<Catalog, Fault> {
    let attempt = format!("the catalog of `{}` was not read", place.get_database().unwrap_or("a database"));
    let late = |_| sqlx::Error::Io(std::io::Error::from(std::io::ErrorKind::TimedOut));
    let connecting = tokio::time::timeout(timeout, PgConnection::connect_with(&place));
    let work = async {
        let mut connection = connecting.await.map_err(late)??;
        let major = connection.server_version_num().unwrap_or(0) / 10_000;
        let read = connection.fetch_all(sqlx::raw_sql(AssertSqlSafe(query(major)))).await;
        let catalog = match read {
            Err(error) if piecemeal::is_denied(&error) => piecemeal::read(&mut connection, major).await?,
            read => catalog(&read?)?,
        };
        // Said or not, the socket closes.
        let _ = connection.close().await;
        Ok(catalog)
    };
    Box::pin(crate::postgres::unless_asked(work)).await.map_err(|error| fault(&attempt, &error))
}

fn catalog(rows: &[PgRow]) -> Result<Catalog, sqlx::Error> {
    let mut catalog = Catalog::default();
    for row in rows {
        let facts = serde_json::from_str(row.try_get_unchecked("facts")?);
        let facts = facts.map_err(|why| sqlx::Error::Decode(Box::new(why)))?;
        let text = |column: &str| row.try_get_unchecked::<&str, _>(column);
        catalog.add(text("kind")?, text("space")?, text("relation")?, text("name")?, &facts);
    }
    Ok(catalog)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_for_their_majors() {
        let sql = "a\nb --14+\nc --15-16\nd --18+\n-- a comment";

        assert_eq!(for_major(sql, 13), "a\n-- a comment");
        assert_eq!(for_major(sql, 16), "a\nb\nc\n-- a comment");
        assert_eq!(for_major(sql, 18), "a\nb\nd\n-- a comment");
    }
}
