//! What a package.json leads to: Prisma, `TypeORM`, Sequelize, Knex, Drizzle, Kysely, `MikroORM`.

use std::collections::BTreeMap;

use serde_json::Value;

use super::Candidate;
use crate::tree::{Tree, file_name, folder, has_ending, join};

pub(super) fn candidates(tree: &Tree<'_>) -> Vec<Candidate> {
    let mut all = Vec::new();
    for path in tree.paths() {
        let name = file_name(path);
        let stem = name.split('.').next().unwrap_or_default();
        match (name, stem) {
            (name, _) if has_ending(name, ".prisma") => all.extend(prisma(tree, path)),
            (_, "drizzle") if name.starts_with("drizzle.config.") => all.extend(drizzle(tree, path)),
            (".sequelizerc", _) => all.extend(sequelize(tree, path)),
            (_, "knexfile") => all.extend(knex(tree, path)),
            ("package.json", _) => all.extend(packaged(tree, path)),
            _ => {}
        }
    }
    all
}

fn candidate(
    tool: &'static str,
    home: &str,
    dir: String,
    files: usize,
    because: String,
    weight: i32,
) -> Candidate {
    let (command, marks): (&str, &'static [&'static str]) = match tool {
        "prisma" => ("npx prisma migrate deploy", &["prisma", "migrate"]),
        "drizzle" => ("npx drizzle-kit migrate", &["drizzle-kit", "migrate"]),
        "sequelize" => ("npx sequelize-cli db:migrate", &["sequelize", "db:migrate"]),
        "knex" => ("npx knex migrate:latest", &["knex", "migrate"]),
        "typeorm" => ("npx typeorm migration:run", &["typeorm", "migration:run"]),
        "kysely" => ("npx kysely migrate:latest", &["kysely", "migrate"]),
        "db-migrate" => ("npx db-migrate up", &["db-migrate", "up"]),
        "node-pg-migrate" => ("npx node-pg-migrate up", &["node-pg-migrate", "up"]),
        _ => ("npx mikro-orm migration:up", &["mikro-orm", "migration:up"]),
    };
    Candidate { tool, dir, home: home.to_owned(), files, command: command.to_owned(), marks, because, weight }
}

/// Files that are migrations by their place: folders below are one migration each.
fn count(tree: &Tree<'_>, dir: &str) -> usize {
    let endings = [".sql", ".ts", ".js", ".mjs", ".cjs", ".mts"];
    tree.below(dir).filter(|path| endings.iter().any(|ending| path.ends_with(ending))).count()
}

fn prisma(tree: &Tree<'_>, path: &str) -> Option<Candidate> {
    let text = tree.text(path)?;
    let source = text.split_once("datasource ")?.1.split('}').next()?.to_owned();
    let is_postgres = source.contains("postgres")
        || source.contains("cockroach")
        || source.contains("env(\"DATABASE_PROVIDER");
    if !is_postgres {
        return None;
    }
    let home = folder(path);
    // A schema in several files stands one folder deeper.
    let bases = [home, folder(home)];
    let dirs = bases
        .iter()
        .flat_map(|base| ["migrations", "migration"].map(|name| join(base, name).unwrap_or_default()));
    let there = dirs.into_iter().find(|dir| tree.has_folder(dir));
    let dir = there.unwrap_or_else(|| join(home, "migrations").unwrap_or_default());
    let files = count(tree, &dir);
    let package = std::iter::successors(Some(home), |home| (!home.is_empty()).then(|| folder(home)))
        .find(|home| tree.has(&join(home, "package.json").unwrap_or_default()))
        .unwrap_or_default();
    Some(candidate("prisma", package, dir, files, format!("a datasource for Postgres in {path}"), 34))
}

/// What follows a key in code: `out: "./drizzle"`.
fn quoted_after<'t>(text: &'t str, keys: &[&str]) -> Option<&'t str> {
    keys.iter().find_map(|key| {
        let (_, after) = text.split_once(key)?;
        let line = after.lines().next()?;
        line.split(['"', '\'', '`']).nth(1).filter(|value| !value.is_empty())
    })
}

fn drizzle(tree: &Tree<'_>, path: &str) -> Option<Candidate> {
    let text = tree.text(path)?;
    let other = ["sqlite", "mysql", "turso", "libsql", "d1-http"];
    if !text.contains("postgres") && other.iter().any(|name| text.contains(name)) {
        return None;
    }
    let home = folder(path);
    let dir = join(home, quoted_after(&text, &["out:", "out :"]).unwrap_or("drizzle"))?;
    let files = count(tree, &dir);
    Some(candidate("drizzle", home, dir, files, format!("out in {path}"), 34))
}

fn sequelize(tree: &Tree<'_>, path: &str) -> Option<Candidate> {
    let text = tree.text(path)?;
    let home = folder(path);
    let after = text.split_once("migrations-path")?.1.lines().next()?;
    let parts: Vec<&str> = after.split(['"', '\'', '`']).collect();
    // `'migrations-path': path.resolve('server', 'migrations')`
    let quoted: Vec<&str> =
        parts.iter().skip(2).step_by(2).copied().filter(|part| !part.contains([':', ',', '('])).collect();
    let quoted: Vec<&str> = quoted.into_iter().filter(|part| !part.trim().is_empty()).collect();
    let dir = join(home, &quoted.join("/")).filter(|dir| tree.has_folder(dir))?;
    let files = count(tree, &dir);
    Some(candidate("sequelize", home, dir, files, format!("migrations-path in {path}"), 36))
}

fn knex(tree: &Tree<'_>, path: &str) -> Option<Candidate> {
    let text = tree.text(path)?;
    let home = folder(path);
    let place = text.split_once("migrations").map_or("", |(_, after)| after);
    let given = quoted_after(place, &["directory:", "directory :"]);
    let dirs = given.into_iter().chain([
        "migrations",
        "db/migrations",
        "../migrations",
        "src/migrations",
        "src/db/migrations",
    ]);
    let dir = dirs.filter_map(|dir| join(home, dir)).find(|dir| tree.has_folder(dir))?;
    let files = count(tree, &dir);
    Some(candidate("knex", home, dir, files, path.to_owned(), 34))
}

/// Tools that are only a dependency: the folder of migrations that is nearest to the package and has most files.
fn packaged(tree: &Tree<'_>, path: &str) -> Vec<Candidate> {
    let home = folder(path);
    let Some(package) = tree.text(path).and_then(|text| serde_json::from_str::<Value>(&text).ok()) else {
        return Vec::new();
    };
    let has = |name: &str| {
        ["dependencies", "devDependencies", "peerDependencies"]
            .iter()
            .any(|list| package.get(list).and_then(|list| list.get(name)).is_some())
    };
    let known: [(&str, &'static str, &[&str]); 8] = [
        ("db-migrate", "db-migrate", &["exports.up", "runSql"]),
        ("node-pg-migrate", "node-pg-migrate", &["pgm"]),
        ("typeorm", "typeorm", &["MigrationInterface"]),
        ("@mikro-orm/core", "mikro-orm", &["@mikro-orm/migrations"]),
        ("kysely", "kysely", &["kysely", "Kysely"]),
        ("knex", "knex", &["knex", "Knex"]),
        ("sequelize", "sequelize", &["queryInterface", "QueryInterface"]),
        ("drizzle-kit", "drizzle", &["--> statement-breakpoint", "CREATE ", "ALTER "]),
    ];
    let mut used = known.iter().filter(|(dependency, ..)| has(dependency)).peekable();
    if used.peek().is_none() {
        return Vec::new();
    }
    let dirs = migration_folders(tree, home);
    used.filter_map(|(dependency, tool, signs)| {
        let of_tool = dirs.iter().filter(|(dir, _)| {
            let files = tree.inside(dir).filter(|path| {
                count(tree, path) > 0 || path.contains(".sql") || path.contains(".ts") || path.contains(".js")
            });
            files
                .into_iter()
                .take(3)
                .any(|path| tree.text(path).is_some_and(|text| signs.iter().any(|sign| text.contains(sign))))
        });
        let (dir, files) = of_tool.max_by_key(|(_, count)| **count)?;
        Some(candidate(
            tool,
            home,
            (*dir).to_owned(),
            *files,
            format!("{dependency} in {path}, and {dir}"),
            30,
        ))
    })
    .collect()
}

/// Folders called after migrations below a package, and how many files they hold.
fn migration_folders<'t>(tree: &'t Tree<'_>, home: &str) -> BTreeMap<&'t str, usize> {
    let mut dirs: BTreeMap<&str, usize> = BTreeMap::new();
    for path in tree.below(home) {
        let dir = folder(path);
        let name = file_name(path);
        let is_code = [".ts", ".js", ".mjs", ".cjs", ".sql"].iter().any(|ending| name.ends_with(ending))
            && !name.ends_with(".d.ts")
            && !name.starts_with("index.");
        if is_code
            && ["migrations", "migration", "migrate", "drizzle"].contains(&file_name(dir))
            && !super::is_aside(tree, path)
        {
            *dirs.entry(dir).or_default() += 1;
        }
    }
    dirs
}
