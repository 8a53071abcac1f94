//! The migrations that the files know, and those that a database was built with.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use plan::{Config, DatabaseName, Exit, Fault, Migrations, RELEASED, Revision, Revisions, Tool};
use sha2::{Digest, Sha256, Sha384};
use sqlx::Row as _;

use crate::postgres::{Postgres, holds_tables};
use crate::workspace::hex;

/// The migration files, and what is released of them; `None` where no tool is configured.
///
/// # Errors
/// The file of what is released is not understood.
pub(crate) fn read(config: &Config, root: &Path) -> Result<Option<Revisions>, Fault> {
    if config.migrations.tool.is_none() {
        return Ok(None);
    }
    let mut revisions = of_files(&config.migrations, root);
    let text = fs::read_to_string(root.join(RELEASED)).ok();
    revisions
        .release(text.as_deref())
        .map_err(|why| Fault::new(Exit::Usage, format!("`{RELEASED}` is not understood")).cause(why))?;
    Ok(Some(revisions))
}

pub(crate) fn of_files(migrations: &Migrations, root: &Path) -> Revisions {
    let tool = migrations.tool;
    let mut files: Vec<Revision> = crate::blueprint::migration_texts(root, migrations)
        .into_iter()
        .filter_map(|(path, text)| revision(tool, path, text))
        .collect();
    let mut revisions = Revisions::default();
    if tool == Some(Tool::Alembic) {
        let known: BTreeSet<String> = files.iter().map(|file| file.id.clone()).collect();
        let followed = files.iter().flat_map(|file| &file.parents);
        revisions.missing = followed.filter(|parent| !known.contains(*parent)).cloned().collect();
        revisions.files = files;
        revisions.sort();
        return revisions;
    }
    if tool == Some(Tool::Sqlx) {
        files.sort_by_key(|file| file.id.parse::<i64>().unwrap_or(i64::MAX));
    }
    let mut before = None;
    for file in &mut files {
        file.parents = before.replace(file.id.clone()).into_iter().collect();
    }
    Revisions { files, ..revisions }
}

/// A file as a migration of this tool; `None` where it is none.
fn revision(tool: Option<Tool>, path: String, text: String) -> Option<Revision> {
    let name = path.rsplit('/').next()?;
    let is_python = Path::new(name).extension().is_some_and(|end| end == "py");
    let is_sql = name.to_ascii_lowercase().ends_with(".sql");
    let (id, parents, title) = match tool {
        Some(Tool::Alembic) => {
            let (own, parents) = named(&text);
            let title =
                text.split("\"\"\"").nth(1).and_then(|words| words.trim().lines().next()).unwrap_or(name);
            (own.into_iter().next().filter(|_| is_python)?, parents, title.to_owned())
        }
        Some(Tool::Sqlx) => {
            let (number, title) = name.split_once('_').filter(|_| is_sql && !name.ends_with(".down.sql"))?;
            let title = title.trim_end_matches(".sql").trim_end_matches(".up").replace('_', " ");
            (number.parse::<i64>().ok()?.to_string(), Vec::new(), title)
        }
        Some(Tool::Sql) if !is_sql => return None,
        _ => (name.to_owned(), Vec::new(), String::new()),
    };
    let hash = hex(&Sha256::digest(&text));
    let [applied, edited, released] = [false; 3];
    Some(Revision { id, parents, path, title, text, hash, applied, edited, released })
}

/// Marks what a database was built with, and what is another text since.
pub(crate) fn mark(
    postgres: &mut Postgres,
    tool: Option<Tool>,
    database: &DatabaseName,
    revisions: &mut Revisions,
) -> Result<(), sqlx::Error> {
    let recorded = pairs(postgres, database, "cleanslate.migrations", "id, hash")?;
    match tool {
        Some(Tool::Alembic) => {
            let heads = pairs(postgres, database, "alembic_version", "version_num AS id, '' AS hash")?;
            revisions.apply(&heads.into_iter().flatten().map(|(id, _)| id).collect::<Vec<_>>());
        }
        Some(Tool::Sqlx) => {
            let columns = "version::text AS id, encode(checksum, 'hex') AS hash";
            let applied = pairs(postgres, database, "_sqlx_migrations", columns)?.unwrap_or_default();
            applied_as(revisions, &applied, |file| checksum(&file.text));
        }
        Some(Tool::Sql) if recorded.is_some() || !holds_tables(postgres, database)? => {
            applied_as(revisions, recorded.as_ref().unwrap_or(&BTreeMap::new()), |file| file.hash.clone());
        }
        _ => {}
    }
    for file in revisions.files.iter_mut().filter(|file| file.applied) {
        let other =
            recorded.as_ref().and_then(|known| known.get(&file.id)).is_some_and(|hash| *hash != file.hash);
        file.edited |= other;
    }
    Ok(())
}

fn applied_as(
    revisions: &mut Revisions,
    applied: &BTreeMap<String, String>,
    hash: impl Fn(&Revision) -> String,
) {
    revisions.told = true;
    for file in &mut revisions.files {
        let known = applied.get(&file.id);
        file.applied = known.is_some();
        file.edited = known.is_some_and(|known| *known != hash(file));
    }
    let known = |id: &&String| revisions.files.iter().any(|file| file.id == **id);
    revisions.unknown = applied.keys().filter(|id| !known(id)).cloned().collect();
}

/// As sqlx notes it.
pub(crate) fn checksum(text: &str) -> String {
    hex(&Sha384::digest(text))
}

/// `id` and `hash` of every row of a table; `None` where there is no such table.
fn pairs(
    postgres: &mut Postgres,
    database: &DatabaseName,
    table: &str,
    columns: &str,
) -> Result<Option<BTreeMap<String, String>>, sqlx::Error> {
    let there = postgres.rows(database, &format!("SELECT to_regclass('{table}') IS NOT NULL AS there"))?;
    if !there.first().is_some_and(|row| row.try_get("there").unwrap_or(false)) {
        return Ok(None);
    }
    let rows = postgres.rows(database, &format!("SELECT {columns} FROM {table}"))?;
    let pair = |row: &sqlx::postgres::PgRow| Ok((row.try_get("id")?, row.try_get("hash")?));
    rows.iter().map(pair).collect::<Result<_, sqlx::Error>>().map(Some)
}

/// Statements that note these as applied, each with the text it has now; what is noted already stays.
pub(crate) fn noting<'a>(files: impl Iterator<Item = &'a Revision>) -> String {
    let one = |file: &Revision| format!("({}, {})", plan::literal(&file.id), plan::literal(&file.hash));
    let rows: Vec<String> = files.map(one).collect();
    let insert = if rows.is_empty() {
        String::new()
    } else {
        format!(
            "INSERT INTO cleanslate.migrations (id, hash) VALUES {} ON CONFLICT DO NOTHING;",
            rows.join(", ")
        )
    };
    format!(
        "SET LOCAL client_min_messages = warning; CREATE SCHEMA IF NOT EXISTS cleanslate;
         CREATE TABLE IF NOT EXISTS cleanslate.migrations
             (id text PRIMARY KEY, hash text NOT NULL, at timestamptz NOT NULL DEFAULT now()); {insert}"
    )
}

/// Notes the text of each migration that a database has now.
pub(crate) fn note(
    postgres: &mut Postgres,
    migrations: &Migrations,
    root: &Path,
    database: &DatabaseName,
) -> Result<(), sqlx::Error> {
    let mut revisions = of_files(migrations, root);
    mark(postgres, migrations.tool, database, &mut revisions)?;
    let sql = noting(revisions.files.iter().filter(|file| file.applied));
    postgres.run(database, &format!("BEGIN; {sql} COMMIT"))
}

/// Alembic's revisions, and those that another one follows.
pub(crate) fn alembic(dir: &Path) -> (BTreeSet<String>, BTreeSet<String>) {
    let files = fs::read_dir(dir).into_iter().flatten().flatten().map(|entry| entry.path());
    let texts = files
        .filter(|path| path.extension().is_some_and(|end| end == "py"))
        .filter_map(|path| fs::read_to_string(path).ok());
    let (mut revisions, mut followed) = (BTreeSet::new(), BTreeSet::new());
    for (own, parents) in texts.map(|text| named(&text)) {
        revisions.extend(own);
        followed.extend(parents);
    }
    (revisions, followed)
}

/// What a file of alembic's calls itself, and what it follows.
fn named(text: &str) -> (Vec<String>, Vec<String>) {
    let (mut own, mut parents) = (Vec::new(), Vec::new());
    for line in text.lines() {
        let Some((name, value)) = line.split_once('=') else { continue };
        match name.split([' ', ':']).next() {
            Some("revision") => own.extend(quoted(value)),
            Some("down_revision") => parents.extend(quoted(value)),
            _ => {}
        }
    }
    (own, parents)
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
