//! Test data that the project brings along.

use crate::tree::{Tree, file_name, folder, has_ending, join};

/// What loads it, or the folder of SQL that holds it, and why.
pub(crate) struct Seeds {
    pub dir: Option<String>,
    pub command: Option<String>,
    pub because: String,
}

/// Seeds near the migrations' own folder, the tool's own way first.
pub(crate) fn find(tree: &Tree<'_>, tool: Option<&str>, home: &str) -> Option<Seeds> {
    let at = |path: &str| join(home, path).filter(|path| tree.has(path));
    let run = |path: Option<String>, command: &str| {
        path.map(|path| Seeds {
            dir: None,
            command: Some(command.to_owned()),
            because: format!("{path} is there"),
        })
    };
    let by_tool = match tool {
        Some("rails") => run(at("db/seeds.rb"), "bin/rails db:seed"),
        Some("ecto") => run(at("priv/repo/seeds.exs"), "mix run priv/repo/seeds.exs"),
        Some("laravel") => run(at("database/seeders/DatabaseSeeder.php"), "php artisan db:seed"),
        Some("prisma") => {
            let configured = at("package.json")
                .filter(|path| tree.text(path).is_some_and(|text| text.contains("\"seed\":")));
            run(configured, "npx prisma db seed")
        }
        _ => None,
    };
    by_tool.or_else(|| folder_of_sql(tree))
}

/// A folder called seeds that holds SQL.
fn folder_of_sql(tree: &Tree<'_>) -> Option<Seeds> {
    let files = tree.paths().filter(|path| has_ending(path, ".sql") && path.matches('/').count() <= 4);
    let mut dirs: Vec<&str> =
        files.map(folder).filter(|dir| ["seeds", "seed"].contains(&file_name(dir))).collect();
    dirs.sort_by_key(|dir| dir.matches('/').count());
    let dir = dirs.first()?;
    Some(Seeds { dir: Some((*dir).to_owned()), command: None, because: format!("SQL in {dir}") })
}
