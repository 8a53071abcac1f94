//! A role that may not see everything: what it may see is read piece by piece, and the rest is named.

use plan::check::{Catalog, Unseen};
use sqlx::{AssertSqlSafe, Executor as _, PgConnection};

use super::{BASE, PINNED, catalog, parts};
use crate::postgres::state;

/// Between the kinds of objects in a part of the query.
const BETWEEN: &str = "\nUNION ALL\n";

pub(super) fn is_denied(error: &sqlx::Error) -> bool {
    let code = error.as_database_error().and_then(sqlx::error::DatabaseError::code);
    code.is_some_and(|code| code == state::NOT_ALLOWED)
}

/// Every kind by itself, still in one snapshot.
pub(super) async fn read(connection: &mut PgConnection, major: u32) -> Result<Catalog, sqlx::Error> {
    connection.execute(sqlx::raw_sql(AssertSqlSafe(format!("ROLLBACK; {PINNED}")))).await?;
    let mut rows = Vec::new();
    let mut unseen = Vec::new();
    for part in parts(major) {
        for piece in part.split(BETWEEN) {
            // What is named here is visible to the pieces alone: the kind and its columns.
            let columns = "AS pieces (kind, space, relation, name, facts)";
            let sql = format!("SAVEPOINT piece; {BASE}\nSELECT * FROM (\n{piece}\n) {columns}");
            match connection.fetch_all(sqlx::raw_sql(AssertSqlSafe(sql))).await {
                Ok(read) => rows.extend(read),
                Err(error) if is_denied(&error) => {
                    connection.execute("ROLLBACK TO SAVEPOINT piece").await?;
                    unseen.extend(Unseen::of(kind(piece), &told(&error)));
                }
                Err(error) => return Err(error),
            }
        }
    }
    connection.execute("COMMIT").await?;
    let mut catalog = catalog(&rows)?;
    catalog.unseen = unseen;
    Ok(catalog)
}

/// The kind of objects that a piece of the query is about: its first text.
fn kind(piece: &str) -> &str {
    let select = piece.find("SELECT '").and_then(|at| piece.get(at..)).unwrap_or_default();
    select.split('\'').nth(1).unwrap_or_default()
}

fn told(error: &sqlx::Error) -> String {
    error.as_database_error().map_or_else(|| error.to_string(), |error| error.message().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_piece_names_its_kind() {
        for major in [13, 15, 18] {
            for part in parts(major) {
                for piece in part.split(BETWEEN) {
                    assert!(Unseen::of(kind(piece), "").is_some(), "{piece}");
                }
            }
        }
    }
}
