//! Frameworks that have one place for their migrations: Rails, Ecto, Laravel.

use super::Candidate;
use crate::tree::{Tree, file_name, folder, has_ending, join};

pub(super) fn candidates(tree: &Tree<'_>) -> Vec<Candidate> {
    tree.paths()
        .filter_map(|path| match file_name(path) {
            "Gemfile" => rails(tree, path),
            "mix.exs" => ecto(tree, path),
            "artisan" => laravel(tree, path),
            _ => None,
        })
        .collect()
}

fn count(tree: &Tree<'_>, dir: &str, ending: &str) -> usize {
    tree.below(dir).filter(|path| path.ends_with(ending)).count()
}

fn rails(tree: &Tree<'_>, path: &str) -> Option<Candidate> {
    let home = folder(path);
    let at = |path: &str| join(home, path).unwrap_or_default();
    let dir = at("db/migrate");
    let files = count(tree, &dir, ".rb");
    let has_schema = tree.has(&at("db/schema.rb"))
        || tree.has(&at("db/structure.sql"))
        || tree.has(&at("config/database.yml"));
    let is_rails = tree.text(path).is_some_and(|text| {
        text.contains("rails") || text.contains("activerecord") || text.contains("\"pg\"")
    });
    if !is_rails || !(has_schema || files > 0) {
        return None;
    }
    let command =
        if tree.has(&at("bin/rails")) { "bin/rails db:migrate" } else { "bundle exec rake db:migrate" };
    let because =
        if files > 0 { format!("{path} and {dir}") } else { format!("{path} and the schema beside it") };
    Some(Candidate {
        tool: "rails",
        dir,
        home: home.to_owned(),
        files: files.max(1),
        command: command.to_owned(),
        marks: &["db:migrate"],
        because,
        weight: 34,
    })
}

fn ecto(tree: &Tree<'_>, path: &str) -> Option<Candidate> {
    let home = folder(path);
    let start = if home.is_empty() { String::new() } else { format!("{home}/") };
    let mut dirs: Vec<String> = tree
        .below(&join(home, "priv")?)
        .filter(|path| has_ending(path, ".exs"))
        .map(|path| folder(path).to_owned())
        .filter(|dir| {
            dir.ends_with("/migrations")
                && dir.strip_prefix(&start).is_some_and(|rest| rest.matches('/').count() == 2)
        })
        .collect();
    dirs.dedup();
    let plain = format!("{start}priv/repo/migrations");
    let most = dirs.iter().max_by_key(|dir| (**dir == plain, count(tree, dir, ".exs")));
    let is_ecto = tree.text(path).is_some_and(|text| text.contains("ecto"));
    let dir = match most {
        Some(dir) => dir.clone(),
        None if is_ecto && tree.has_folder(&format!("{start}priv/repo")) => plain,
        None => return None,
    };
    let files = count(tree, &dir, ".exs").max(1);
    let because = format!("{path} and {dir}");
    Some(Candidate {
        tool: "ecto",
        dir,
        home: home.to_owned(),
        files,
        command: "mix ecto.migrate".to_owned(),
        marks: &["ecto.migrate"],
        because,
        weight: 32,
    })
}

fn laravel(tree: &Tree<'_>, path: &str) -> Option<Candidate> {
    let home = folder(path);
    let dir = join(home, "database/migrations")?;
    let files = count(tree, &dir, ".php");
    (files > 0).then(|| {
        let because = format!("{path} and {dir}");
        let command = "php artisan migrate".to_owned();
        Candidate {
            tool: "laravel",
            dir,
            home: home.to_owned(),
            files,
            command,
            marks: &["artisan", "migrate"],
            because,
            weight: 34,
        }
    })
}
