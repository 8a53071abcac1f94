//! The migrations that the files know, and those that a database was built with.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use plan::{Config, DatabaseName, Tool};
use sqlx::Row as _;

use crate::postgres::Postgres;

/// Alembic's revisions, and those that another one follows.
pub(crate) fn alembic(dir: &Path) -> (BTreeSet<String>, BTreeSet<String>) {
    let files = fs::read_dir(dir).into_iter().flatten().flatten().map(|entry| entry.path());
    let texts = files
        .filter(|path| path.extension().is_some_and(|end| end == "py"))
        .filter_map(|path| fs::read_to_string(path).ok());
    let (mut revisions, mut followed) = (BTreeSet::new(), BTreeSet::new());
    for text in texts {
        for line in text.lines() {
            let Some((name, value)) = line.split_once('=') else { continue };
            match name.split([' ', ':']).next() {
                Some("revision") => revisions.extend(quoted(value)),
                Some("down_revision") => followed.extend(quoted(value)),
                _ => {}
            }
        }
    }
    (revisions, followed)
}

fn quoted(text: &str) -> Vec<String> {
    let code = text.split('#').next().unwrap_or_default();
    code.split(['"', '\'']).skip(1).step_by(2).map(str::to_owned).collect()
}

/// The versions of sqlx: the number before the first `_` of a file's name.
fn sqlx(dir: &Path) -> BTreeSet<String> {
    let files = fs::read_dir(dir).into_iter().flatten().flatten();
    let names = files.map(|entry| entry.file_name().to_string_lossy().into_owned());
    names.filter_map(|name| Some(name.split_once('_')?.0.parse::<i64>().ok()?.to_string())).collect()
}

/// What the migration tool's own table in a database names, and no file here has: another branch's migrations. Empty
/// where the tool keeps no such table.
pub(crate) fn unknown(
    postgres: &mut Postgres,
    config: &Config,
    root: &Path,
    database: &DatabaseName,
) -> Vec<String> {
    let Some(dir) = config.migrations.dir.as_deref().map(|dir| root.join(dir)) else { return Vec::new() };
    let (table, question) = match config.migrations.tool {
        Some(Tool::Alembic) => {
            ("alembic_version", "SELECT version_num::text AS revision FROM alembic_version")
        }
        Some(Tool::Sqlx) => {
            ("_sqlx_migrations", "SELECT version::text AS revision FROM _sqlx_migrations ORDER BY version")
        }
        _ => return Vec::new(),
    };
    let is_there = format!("SELECT to_regclass('{table}') IS NOT NULL AS there");
    let there = postgres.rows(database, &is_there).unwrap_or_default();
    if !there.first().is_some_and(|row| row.try_get("there").unwrap_or(false)) {
        return Vec::new();
    }
    let known = if table == "alembic_version" { alembic(&dir).0 } else { sqlx(&dir) };
    let rows = postgres.rows(database, question).unwrap_or_default();
    let built_with = rows.iter().filter_map(|row| row.try_get::<String, _>("revision").ok());
    built_with.filter(|revision| !known.contains(revision)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_of_sqlx_are_known_by_their_number() {
        let root = tempfile::tempdir().unwrap();
        for name in ["0007_users.sql", "20260101000000_goods.up.sql", "notes.md", "README"] {
            fs::write(root.path().join(name), "").unwrap();
        }

        assert_eq!(sqlx(root.path()), ["20260101000000", "7"].map(str::to_owned).into());
    }
}
