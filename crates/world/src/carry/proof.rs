//! The triggers that guard foreign keys and deferred constraints do not fire while rows are carried. So afterwards each is
//! proved to hold.

use std::collections::BTreeSet;

use plan::words;
use sqlx::Row as _;

use super::line::{Line, Place};

const REFERENCES: &str = include_str!("references.sql");

/// The indexes of constraints that Postgres checks at the end of a transaction, by a trigger. Built anew they are checked.
const DEFERRED: &str = "
SELECT format('%I.%I', n.nspname, i.relname) AS index, c.conname::text AS name,
       format('\"%s\".\"%s\"', replace(n.nspname, '\"', '\"\"'), replace(t.relname, '\"', '\"\"')) AS child
FROM pg_constraint c JOIN pg_class i ON i.oid = c.conindid JOIN pg_class t ON t.oid = c.conrelid
JOIN pg_namespace n ON n.oid = i.relnamespace
WHERE c.contype IN ('p', 'u', 'x') AND c.condeferrable AND c.conparentid = 0 AND i.relkind = 'i'";

/// A constraint that does not hold.
pub(super) struct Broken {
    /// The table whose rows break it, quoted.
    pub table: String,
    pub why: String,
    /// What removes those rows.
    pub without: Option<String>,
}

/// A foreign key, and the statement that finds rows breaking it.
pub(super) struct Reference {
    name: String,
    child: String,
    parent: String,
    broken: String,
    key: String,
}

/// Every foreign key, asked for while all of them are there.
pub(super) async fn references(line: &mut Line) -> Result<Vec<Reference>, sqlx::Error> {
    let one = |row: &sqlx::postgres::PgRow| {
        let text = |column: &str| row.try_get::<String, _>(column);
        Ok(Reference {
            name: text("name")?,
            child: text("child")?,
            parent: text("parent")?,
            broken: text("broken")?,
            key: text("key")?,
        })
    };
    line.rows(REFERENCES).await?.iter().map(one).collect()
}

/// The constraints of these tables, by their quoted names, that do not hold.
pub(super) async fn broken(
    line: &mut Line,
    references: &[Reference],
    touched: &BTreeSet<String>,
) -> Result<Vec<Broken>, sqlx::Error> {
    let mut found = Vec::new();
    for Reference { name, child, parent, broken, key } in references {
        if !touched.contains(child) && !touched.contains(parent) {
            continue;
        }
        let rows = line.one(&format!("SELECT count(*) AS rows, min({key}) AS key {broken}")).await?;
        let count = rows.try_get::<i64, _>("rows")?.unsigned_abs();
        if count > 0 {
            let key: String = rows.try_get("key")?;
            let verb = if count == 1 { "refers" } else { "refer" };
            let shown = parent.trim_start_matches("\"public\".").replace('"', "");
            let why = format!(
                "{} {verb} to `{shown}` that are not there, as {key} ({name})",
                words::count(count, "row")
            );
            found.push(Broken { table: child.clone(), why, without: Some(format!("DELETE {broken}")) });
        }
    }
    for row in line.rows(DEFERRED).await? {
        let text = |column: &str| row.try_get::<String, _>(column);
        let (index, name, table) = (text("index")?, text("name")?, text("child")?);
        if !touched.contains(&table) {
            continue;
        }
        if let Err(error) = line.run(&format!("REINDEX INDEX {index}")).await {
            let why = super::table::refusal(&error).ok_or(error)?;
            found.push(Broken { table, why: format!("{why} ({name})"), without: None });
        }
    }
    Ok(found)
}

/// What does not hold any more, once these tables were filled anew.
///
/// # Errors
/// The database can't be read.
pub(crate) async fn unmet(place: &Place, touched: &BTreeSet<String>) -> Result<Option<String>, sqlx::Error> {
    let mut line = Line::open(place).await?;
    let references = references(&mut line).await?;
    let broken = broken(&mut line, &references, touched).await?.into_iter().next();
    line.close().await;
    Ok(broken.map(|Broken { table, why, .. }| {
        format!("`{}`: {why}", table.trim_start_matches("\"public\".").replace('"', ""))
    }))
}
