//! Tools that are told by their files alone: names and first words of SQL.

use std::collections::BTreeMap;

use super::Candidate;
use crate::tree::{Tree, file_name, folder, has_ending, join};

/// What the files of one folder look like.
#[derive(Debug, Default)]
struct Look<'t> {
    plain: usize,
    ups: usize,
    downs: usize,
    versioned: usize,
    /// Folders in it that hold `up.sql`.
    up_folders: usize,
    /// Programs: goose and others take migrations written in Go.
    programs: usize,
    first: Option<&'t str>,
}

pub(super) fn candidates(tree: &Tree<'_>) -> Vec<Candidate> {
    let mut looks: BTreeMap<&str, Look<'_>> = BTreeMap::new();
    let mut liquibase = Vec::new();
    for path in tree.paths() {
        let name = file_name(path);
        if name == "up.sql" {
            looks.entry(folder(folder(path))).or_default().up_folders += 1;
        } else if has_ending(name, ".sql") {
            look(looks.entry(place(path)).or_default(), path, name);
        } else if has_ending(name, ".go") && name.starts_with(|c: char| c.is_ascii_digit()) {
            let look = looks.entry(folder(path)).or_default();
            look.programs += 1;
            look.first.get_or_insert(path);
        } else if is_changelog(name) {
            liquibase.extend(changelog(tree, path));
        }
    }
    let found = looks.iter().filter_map(|(dir, look)| judge(tree, dir, look));
    found.chain(liquibase).collect()
}

/// The folder that a file counts for: Flyway reads all that is below its own.
fn place(path: &str) -> &str {
    const FLYWAYS: &str = "db/migration";
    let dir = folder(path);
    match dir.split_once("db/migration/") {
        Some((before, _)) => dir.get(..before.len() + FLYWAYS.len()).unwrap_or(dir),
        None => dir,
    }
}

fn look<'t>(look: &mut Look<'t>, path: &'t str, name: &str) {
    let digits = name.chars().take_while(char::is_ascii_digit).count();
    let flyway = ["V", "U", "R"].iter().any(|letter| {
        name.strip_prefix(letter).is_some_and(|rest| {
            rest.contains("__") && (rest.starts_with(|c: char| c.is_ascii_digit()) || *letter == "R")
        })
    });
    if flyway {
        look.versioned += 1;
    } else if digits > 0 && name.ends_with(".up.sql") {
        look.ups += 1;
    } else if digits > 0 && name.ends_with(".down.sql") {
        look.downs += 1;
    } else if digits > 0 {
        look.plain += 1;
    } else {
        return;
    }
    look.first.get_or_insert(path);
}

/// The nearest folder above, from this one on, that holds a file.
fn above<'d>(tree: &Tree<'_>, dir: &'d str, name: &str) -> Option<(&'d str, String)> {
    let homes = std::iter::successors(Some(dir), |dir| (!dir.is_empty()).then(|| folder(dir)));
    homes.into_iter().find_map(|home| {
        let path = join(home, name)?;
        tree.has(&path).then_some((home, path))
    })
}

fn mentions(tree: &Tree<'_>, path: &str, words: &[&str]) -> bool {
    tree.text(path).is_some_and(|text| words.iter().any(|word| text.contains(word)))
}

#[expect(clippy::too_many_lines, reason = "one tool after the other")]
fn judge(tree: &Tree<'_>, dir: &str, look: &Look<'_>) -> Option<Candidate> {
    let of = |tool: &'static str,
              home: &str,
              files: usize,
              command: String,
              marks: &'static [&'static str],
              because: String,
              weight: i32| {
        Some(Candidate {
            tool,
            dir: dir.to_owned(),
            home: home.to_owned(),
            files,
            command,
            marks,
            because,
            weight,
        })
    };
    let is_named =
        ["migrations", "migration", "migrate", "schema", "sql"].iter().any(|name| dir.contains(name));
    let cargo = above(tree, dir, "Cargo.toml");
    // Others lay their files out like that too.
    let is_diesel = || {
        diesel_config(tree, dir).is_some()
            || tree.paths().any(|path| file_name(path) == "Cargo.toml" && mentions(tree, path, &["diesel"]))
    };
    if look.up_folders > 0 && is_diesel() {
        let because = match diesel_config(tree, dir) {
            Some(path) => {
                format!("{} with up.sql, and {path}", plan::words::count(look.up_folders as u64, "folder"))
            }
            None => format!("{} with up.sql in {dir}", plan::words::count(look.up_folders as u64, "folder")),
        };
        let home = cargo.as_ref().map_or("", |(home, _)| *home);
        return of(
            "diesel",
            home,
            look.up_folders,
            format!("diesel migration run --migration-dir {dir}"),
            &["diesel", "migration"],
            because,
            32,
        );
    }
    let first = look.first?;
    let text = tree.text(first)?;
    if text.contains("-- migrate:up") {
        return of(
            "dbmate",
            "",
            look.plain,
            format!("dbmate --migrations-dir {dir} up"),
            &["dbmate", "up"],
            format!("-- migrate:up in {first}"),
            32,
        );
    }
    if text.contains("-- +goose") || look.programs > 0 && text.contains("goose.") {
        let files = look.plain + look.programs;
        return of(
            "goose",
            "",
            files,
            format!("goose -dir {dir} up"),
            &["goose", "up"],
            format!("goose's words in {first}"),
            32,
        );
    }
    if text.contains("-- +migrate") {
        return of(
            "sql-migrate",
            "",
            look.plain,
            "sql-migrate up".to_owned(),
            &["sql-migrate", "up"],
            format!("-- +migrate in {first}"),
            32,
        );
    }
    if look.versioned > 0 {
        let rust = cargo.filter(|(_, path)| mentions(tree, path, &["refinery"]));
        return match rust {
            Some((home, path)) => of(
                "refinery",
                home,
                look.versioned,
                format!("refinery migrate -p {dir}"),
                &["refinery", "migrate"],
                format!("{first} and {path}"),
                32,
            ),
            None => of(
                "flyway",
                "",
                look.versioned,
                format!("flyway -locations=filesystem:{dir} migrate"),
                &["flyway"],
                format!("the name of {first}"),
                // Where Flyway looks by itself; folders beside it hold more for one database each.
                if dir.ends_with("db/migration") { 34 } else { 30 },
            ),
        };
    }
    let sqlx = cargo.filter(|(_, path)| uses_sqlx(tree, path));
    if let Some((home, path)) = sqlx.filter(|_| is_named) {
        let because = format!("sqlx in {path}, and {first}");
        return of(
            "sqlx",
            home,
            look.plain + look.ups,
            "sqlx migrate run".to_owned(),
            &["sqlx", "migrate"],
            because,
            32,
        );
    }
    if look.ups > 0 && look.downs > 0 && uses_golang_migrate(tree) {
        return of(
            "golang-migrate",
            "",
            look.ups,
            format!("migrate -path {dir} -database \"$DATABASE_URL\" up"),
            &["migrate", "-path"],
            format!("pairs of up and down such as {first}"),
            28,
        );
    }
    if !is_named || look.plain == 0 || !file_name(dir).starts_with("migration") {
        return None;
    }
    of("sql", "", look.plain, String::new(), &[], format!("numbered files such as {first}"), 8)
}

/// sqlx in the package itself or in the workspace that it stands in.
fn uses_sqlx(tree: &Tree<'_>, path: &str) -> bool {
    let root = || {
        above(tree, folder(folder(path)), "Cargo.toml")
            .is_some_and(|(_, path)| mentions(tree, &path, &["sqlx"]))
    };
    mentions(tree, path, &["sqlx"]) || mentions(tree, path, &["[workspace]"]) && root()
}

/// Pairs of up and down are many tools' way; a Go project that uses this one names it.
fn uses_golang_migrate(tree: &Tree<'_>) -> bool {
    let names = |path: &&str| {
        let name = file_name(path).to_lowercase();
        ["go.mod", "makefile", "justfile", "taskfile.yml", "taskfile.yaml"].contains(&name.as_str())
            || name.contains("compose")
    };
    let near = tree.paths().filter(|path| path.matches('/').count() <= 3).filter(names);
    near.into_iter().any(|path| mentions(tree, path, &["golang-migrate", "migrate/migrate", "migrate -path"]))
}

fn diesel_config(tree: &Tree<'_>, dir: &str) -> Option<String> {
    let homes = std::iter::successors(Some(dir), |dir| (!dir.is_empty()).then(|| folder(dir)));
    homes.into_iter().find_map(|home| {
        tree.inside(home)
            .filter(|path| file_name(path).starts_with("diesel") && has_ending(path, ".toml"))
            .min_by_key(|path| path.len())
            .map(str::to_owned)
    })
}

fn is_changelog(name: &str) -> bool {
    let lower = name.to_lowercase();
    lower.contains("changelog")
        && ["xml", "yaml", "yml", "sql", "json"].contains(&lower.rsplit('.').next().unwrap_or_default())
}

fn changelog(tree: &Tree<'_>, path: &str) -> Option<Candidate> {
    let text = tree.text(path)?;
    let is = text.contains("databaseChangeLog") || text.contains("--liquibase formatted sql");
    is.then(|| {
        let dir = folder(path).to_owned();
        let files = tree.below(&dir).count();
        let command = format!("liquibase --changelog-file={path} update");
        Candidate {
            tool: "liquibase",
            dir,
            home: String::new(),
            files,
            command,
            marks: &["liquibase", "update"],
            because: format!("databaseChangeLog in {path}"),
            weight: 30,
        }
    })
}
