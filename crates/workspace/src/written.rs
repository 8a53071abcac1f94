//! The texts that `slate-init` writes: cleanslate.toml and the module of recipes.

use std::fmt::Write as _;

use plan::{Detected, FoundMigrations, Tool};

use crate::justfile::{self, Block, Joins};

/// The recipes of this very repository are everybody's.
const RECIPES: &str = include_str!("../../../cleanslate.just");

/// The module, told which recipes stand beside it.
pub(crate) fn recipes(block: &Block) -> String {
    let own = format!("export SLATE_RECIPE := \"{}\"", justfile::MODULE);
    let called = format!("export SLATE_RECIPE := \"{}\"", justfile::called(block));
    let module = RECIPES.replace(&own, &called);
    match block.joins {
        Joins::Module => module,
        Joins::Import => justfile::prefixed(&module),
    }
}

/// What the recipes bring into a justfile.
pub(crate) fn names(joins: Joins) -> Vec<String> {
    let module = std::iter::once(justfile::MODULE.to_owned());
    match joins {
        Joins::Module => module.collect(),
        Joins::Import => module.chain(justfile::prefixed_names(RECIPES)).collect(),
    }
}

/// What cleanslate.toml may hold, for editors.
pub(crate) const SCHEMA: &str = include_str!("../../../docs/cleanslate.schema.json");

/// What git runs after a checkout: quick, silent where there is nothing to say, and never in the way.
pub(crate) const HOOK: &str = "#!/bin/sh
# Written by slate-init --hook; slate-init --remove takes it out.
if [ \"$3\" = 1 ] && command -v slate-switch >/dev/null 2>&1; then
    slate-switch --remind </dev/null 2>/dev/null
fi
exit 0
";

/// A value as TOML writes it.
fn quoted(text: &str) -> String {
    let mut out = String::from("\"");
    for c in text.chars() {
        match c {
            '"' | '\\' => out.extend(['\\', c]),
            '\n' => out.push_str("\\n"),
            c if c.is_control() => {}
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

fn list(items: &[String]) -> String {
    format!("[{}]", items.iter().map(|item| quoted(item)).collect::<Vec<_>>().join(", "))
}

/// cleanslate.toml for what was found: a value with the reason beside it, what is not known as a comment.
pub(crate) fn configuration(found: &Detected) -> String {
    let mut out = String::from(
        "# How cleanslate finds and builds this workspace's development database. Every key can be overridden by a variable:\n\
         # database.name by SLATE_DATABASE_NAME, and so on. `slate-init --schema` prints a JSON Schema for editors.\n",
    );
    let why = |key: &str| found.because.get(key).map(String::as_str).unwrap_or_default();
    let mut section = |name: &str, rows: &[(bool, &str, String, &str)]| {
        let _ = writeln!(out, "\n[{name}]");
        for (known, key, value, why) in rows {
            let mark = if *known { "" } else { "# " };
            let why: String = why.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
            let remark = if why.is_empty() { String::new() } else { format!("  # {why}") };
            let _ = writeln!(out, "{mark}{key} = {value}{remark}");
        }
    };
    match &found.database {
        Some(database) => {
            let image_makes = "what the container's own variables say";
            let name = if database.renamed { why("database.name") } else { image_makes };
            section(
                "database",
                &[
                    (true, "server", quoted("compose"), ""),
                    (true, "service", quoted(&database.service), why("database.service")),
                    (database.renamed, "name", quoted(&database.name), name),
                    (false, "user", quoted(&database.user), image_makes),
                ],
            );
            let told = why("project").starts_with("-p ");
            section(
                "compose",
                &[
                    (true, "files", list(&found.compose_files), why("compose_files")),
                    (told, "project", quoted(&found.project), why("project")),
                ],
            );
        }
        None => section(
            "database",
            &[
                (true, "server", quoted("local"), "no compose file describes a Postgres"),
                (false, "name", quoted(&found.project), "the folder's name"),
            ],
        ),
    }
    let rows = found.migrations.as_ref().map(|migrations| migration_rows(migrations, found));
    section(
        "migrations",
        &rows.unwrap_or_else(|| vec![(false, "tool", quoted("alembic"), "none was found")]),
    );
    let seeds = found.seeds.as_ref().and_then(|seeds| seeds.dir.clone());
    let dir = quoted(seeds.as_deref().unwrap_or("seeds"));
    section("seeds", &[(seeds.is_some(), "dir", dir, "a folder of SQL and CSV files")]);
    if let Some(dir) = &found.models {
        section("models", &[(true, "dir", quoted(dir), why("models"))]);
    }
    let known = !found.holds_code.is_empty();
    let services = if known { list(&found.holds_code) } else { list(&["api".to_owned()]) };
    section("restart", &[(known, "services", services, "what holds code or connections")]);
    out
}

fn migration_rows<'f>(
    found: &'f FoundMigrations,
    all: &'f Detected,
) -> Vec<(bool, &'f str, String, &'f str)> {
    let why = |key: &str| all.because.get(key).map(String::as_str).unwrap_or_default();
    // Any tool's own command does, once it is known how it is told its database; it is proved before it is used.
    let tool = found.as_tool().or(found.variable.as_ref().map(|_| Tool::Command));
    let known = tool.is_some();
    let called = tool.map_or_else(|| "command".to_owned(), |tool| tool.to_string());
    let mut rows = vec![
        (known, "tool", quoted(&called), why("migrations.tool")),
        (known, "dir", quoted(&found.dir), ""),
    ];
    if matches!(tool, None | Some(Tool::Alembic | Tool::Command)) {
        rows.push((known, "command", quoted(&found.command), why("migrations.command")));
        rows.push((known, "in", quoted(&found.home), ""));
        let variable = found.variable.as_deref().unwrap_or("DATABASE_URL");
        rows.push((known, "variable", quoted(variable), "how the command is told its database"));
    }
    if let Some(service) = &found.at_start {
        rows.push((true, "at_start", quoted(service), why("migrations.at_start")));
    }
    rows
}

#[cfg(test)]
mod tests {
    use plan::{Config, FoundDatabase};

    use super::*;

    #[test]
    fn what_is_written_is_read_back() {
        let mut found = Detected {
            project: "sh\"op\\".to_owned(),
            compose_files: vec!["a b/compose.yml".to_owned()],
            database: Some(FoundDatabase { service: "db".to_owned(), ..FoundDatabase::default() }),
            holds_code: vec!["api".to_owned()],
            ..Detected::default()
        };
        found.because.insert("database.service".to_owned(), "image x\nname = \"evil\"".to_owned());

        let config = Config::read(&configuration(&found), []).unwrap();

        assert_eq!(config.database.service.as_deref(), Some("db"));
        assert_eq!(config.compose.files, ["a b/compose.yml"]);
        assert_eq!((config.database.name, config.restart.services), (None, vec!["api".to_owned()]));
    }

    #[test]
    fn any_tools_command_is_written_where_it_is_told_its_database() {
        let migrations = FoundMigrations {
            tool: "rails".to_owned(),
            dir: "db/migrate".to_owned(),
            command: "bin/rails db:migrate".to_owned(),
            home: "service:web".to_owned(),
            ..FoundMigrations::default()
        };
        let told = FoundMigrations { variable: Some("DATABASE_URL".to_owned()), ..migrations.clone() };
        let read = |migrations: FoundMigrations| {
            let found = Detected { migrations: Some(migrations), ..Detected::default() };
            Config::read(&configuration(&found), []).unwrap().migrations
        };

        assert_eq!(read(migrations).tool, None);
        let told = read(told);
        assert_eq!((told.tool, told.command.as_deref()), (Some(Tool::Command), Some("bin/rails db:migrate")));
    }

    #[test]
    fn the_schema_knows_every_key() {
        let schema: serde_json::Value = serde_json::from_str(SCHEMA).unwrap();
        let config = serde_json::to_value(Config::default()).unwrap();
        for (section, keys) in config.as_object().unwrap() {
            let known = &schema["properties"][section];
            assert!(known.is_object(), "{section}");
            for (key, _) in keys.as_object().into_iter().flatten() {
                assert!(known["properties"][key].is_object(), "{section}.{key}");
            }
            let more = known["properties"].as_object().map_or(0, serde_json::Map::len);
            assert_eq!(
                more,
                if section == "ready" { 0 } else { keys.as_object().map_or(0, serde_json::Map::len) },
                "{section}"
            );
        }
    }

    #[test]
    fn without_a_postgres_the_server_is_local() {
        let config = Config::read(&configuration(&Detected::default()), []).unwrap();

        assert_eq!(config.database.server, Some(plan::Kind::Local));
    }

    #[test]
    fn the_module_knows_what_stands_beside_it() {
        let some = Block { daily: vec!["up".to_owned()], ..Block::default() };

        assert!(recipes(&some).contains("export SLATE_RECIPE := \"db:up\"\n"));
    }
}
