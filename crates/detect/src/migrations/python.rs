//! alembic, with and without Flask-Migrate, and Django.

use std::collections::BTreeMap;

use super::Candidate;
use crate::tree::{Tree, file_name, folder, has_ending, join};

pub(super) fn candidates(tree: &Tree<'_>) -> Vec<Candidate> {
    let mut all: Vec<Candidate> = tree
        .paths()
        .filter_map(|path| match file_name(path) {
            "alembic.ini" => configured(tree, path),
            "pyproject.toml" => in_pyproject(tree, path),
            "script.py.mako" => bare(tree, path),
            _ => None,
        })
        .collect();
    all.extend(django(tree));
    all
}

fn alembic(tree: &Tree<'_>, home: &str, location: &str, because: String, weight: i32) -> Candidate {
    let versions = join(location, "versions").unwrap_or_default();
    let files = tree
        .below(&versions)
        .filter(|path| has_ending(path, ".py") && file_name(path) != "__init__.py")
        .count();
    let command = "alembic upgrade head".to_owned();
    Candidate {
        tool: "alembic",
        dir: versions,
        home: home.to_owned(),
        files,
        command,
        marks: &["alembic", "upgrade"],
        because,
        weight,
    }
}

/// `alembic.ini` names the folder, from where it stands or from where alembic is called.
fn configured(tree: &Tree<'_>, path: &str) -> Option<Candidate> {
    let text = tree.text(path)?;
    let home = folder(path);
    let setting = |name: &str| {
        let lines = text.lines().filter_map(|line| line.split_once('='));
        lines.into_iter().find(|(key, _)| key.trim() == name).map(|(_, value)| value.trim().to_owned())
    };
    let script = setting("script_location");
    // Flask-Migrate's stands in the very folder, and names none.
    let script = script.unwrap_or_else(|| ".".to_owned()).replace("%(here)s/", "").replace("%(here)s", ".");
    let script = script
        .split_once(':')
        .map_or(script.clone(), |(package, rest)| format!("{}/{rest}", package.replace('.', "/")));
    let parents = std::iter::successors(Some(home), |home| (!home.is_empty()).then(|| folder(home)));
    let locations = parents.filter_map(|home| join(home, &script));
    let location =
        locations.into_iter().find(|location| tree.has(&join(location, "env.py").unwrap_or_default()))?;
    let mut found = alembic(tree, home, &location, format!("script_location in {path}"), 30);
    if let Some(versions) = setting("version_locations") {
        let first = versions.split([' ', ':', ';', ',']).next().unwrap_or_default().replace("%(here)s/", "");
        if let Some(dir) = join(home, &first).filter(|dir| tree.has_folder(dir)) {
            found.files = tree.below(&dir).filter(|path| has_ending(path, ".py")).count();
            found.dir = dir;
        }
    }
    if location.is_empty() || found.home == location {
        found = flask(tree, found, &location);
    }
    Some(found)
}

/// An `alembic.ini` beside `env.py` is Flask-Migrate's.
fn flask(tree: &Tree<'_>, found: Candidate, location: &str) -> Candidate {
    let home = folder(location).to_owned();
    let is_flask = tree
        .text(&join(location, "env.py").unwrap_or_default())
        .is_some_and(|text| text.contains("current_app"));
    if is_flask {
        Candidate { home, command: "flask db upgrade".to_owned(), marks: &["db upgrade"], ..found }
    } else {
        found
    }
}

fn in_pyproject(tree: &Tree<'_>, path: &str) -> Option<Candidate> {
    let text = tree.text(path)?;
    let table: toml::Table = text.contains("[tool.alembic]").then(|| text.parse().ok())??;
    let location = table.get("tool")?.get("alembic")?.get("script_location")?.as_str()?;
    let location = location.replace("%(here)s/", "");
    let location = join(folder(path), &location)?;
    Some(alembic(tree, folder(path), &location, format!("tool.alembic in {path}"), 30))
}

/// Where no `alembic.ini` leads to the folder, its template tells.
fn bare(tree: &Tree<'_>, path: &str) -> Option<Candidate> {
    let location = folder(path);
    let has = |name: &str| join(location, name).is_some_and(|path| tree.has(&path));
    has("env.py").then(|| alembic(tree, folder(location), location, format!("env.py beside {path}"), 20))
}

fn django(tree: &Tree<'_>) -> Option<Candidate> {
    let manage = tree
        .paths()
        .filter(|path| file_name(path) == "manage.py" && !super::is_aside(tree, path))
        .filter(|path| tree.text(path).is_some_and(|text| text.to_lowercase().contains("django")))
        .min_by_key(|path| path.matches('/').count())?;
    let home = folder(manage);
    let mut dirs: BTreeMap<&str, usize> = BTreeMap::new();
    for path in tree.below(home) {
        let name = file_name(path);
        let is_migration = file_name(folder(path)).ends_with("migrations")
            && name.starts_with(|c: char| c.is_ascii_digit())
            && has_ending(name, ".py");
        if is_migration && !super::is_aside(tree, path) {
            *dirs.entry(folder(path)).or_default() += 1;
        }
    }
    let total = dirs.values().sum();
    let most = dirs.iter().max_by_key(|(dir, count)| (**count, std::cmp::Reverse(dir.len())));
    let dir = most.map_or(if home.is_empty() { "." } else { home }, |(dir, _)| *dir).to_owned();
    let because = format!("{manage}, and the app with most migrations");
    let command = "python manage.py migrate".to_owned();
    Some(Candidate {
        tool: "django",
        dir,
        home: home.to_owned(),
        files: total,
        command,
        marks: &["manage", "migrate"],
        because,
        weight: 34,
    })
}
