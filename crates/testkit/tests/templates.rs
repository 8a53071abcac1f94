//! The sample workspaces are what their templates give, byte for byte: the two change together.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use minijinja::{Environment, UndefinedBehavior, Value, context};
use testkit::repository;

fn templates() -> PathBuf {
    repository().join("templates")
}

fn environment() -> Environment<'static> {
    let mut environment = Environment::new();
    environment.set_loader(|name| Ok(fs::read_to_string(templates().join(name)).ok()));
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    environment.set_keep_trailing_newline(true);
    // The files are no web pages.
    environment.set_auto_escape_callback(|_| minijinja::AutoEscape::None);
    environment
}

fn rendered(template: &str, values: &Value) -> String {
    environment().get_template(template).unwrap().render(values).unwrap()
}

fn read(path: &str) -> String {
    fs::read_to_string(repository().join(path)).unwrap()
}

#[track_caller]
fn assert_gives(template: &str, values: &Value, file: &str) {
    let (given, there) = (rendered(template, values), read(file));
    let differ = given.lines().zip(there.lines()).find(|(given, there)| given != there);

    assert!(given == there, "templates/{template} and {file} differ: {differ:?}");
}

fn record_shop() -> Value {
    context! {
        about => "record shop", project => "record-shop", prefix => "RECORD_SHOP",
        service => "postgres", backend => "backend", worker => "worker",
        database => "record_shop", user => "record_shop", password => "record_shop",
        major => 17, db_port => 5433, http_port => 8001,
        compose_file => "devcontainer/compose.yml", migrations => "migrations", seeds => "seeds",
    }
}

fn alembic() -> Value {
    context! {
        about => "The same record shop in SQLAlchemy models and one Alembic migration",
        service => "postgres", backend => "backend", worker => "worker", http_port => 8002, ready => "/users",
        migrations => "backend/alembic/versions", seeds => "seeds",
    }
}

#[test]
fn the_sample_workspace_is_what_its_template_gives() {
    let values = record_shop();

    assert_gives("rust-sqlx/compose.yml", &values, "devcontainer/compose.yml");
    assert_gives("rust-sqlx/.env", &values, "devcontainer/.env");
    assert_gives("rust-sqlx/cleanslate.toml", &values, "cleanslate.toml");
    assert_gives("rust-sqlx/cleanslate.just", &values, "cleanslate.just");
}

#[test]
fn the_alembic_fixture_is_what_its_template_gives() {
    let values = alembic();

    assert_gives("fastapi-alembic/cleanslate.toml", &values, "fixtures/alembic/cleanslate.toml");
    assert_gives("fastapi-alembic/cleanslate.just", &values, "cleanslate.just");
}

/// The justfile holds recipes for working on cleanslate too, so the template's are looked for in it one by one.
#[test]
fn the_justfile_holds_what_its_template_gives() {
    let justfile = read("justfile");
    let recipes: Vec<&str> = justfile.split("\n\n").map(str::trim_end).collect();

    for recipe in rendered("rust-sqlx/justfile", &record_shop()).split("\n\n").map(str::trim_end) {
        assert!(recipes.contains(&recipe), "the justfile does not hold\n{recipe}");
    }
}

#[test]
fn other_values_give_another_workspace_with_nothing_of_the_sample_in_it() {
    let values = context! {
        about => "mail room", project => "mail-room", prefix => "MAIL", service => "db", backend => "api",
        worker => "sorter", database => "mail", user => "clerk", password => "stamp", major => 18, db_port => 6000,
        http_port => 9000, compose_file => "compose.yml", migrations => "db/migrations", seeds => "db/seeds",
        ready => "/health",
    };

    for template in all() {
        let text = rendered(&template, &values);
        let words = ["record", "RECORD", "5433", "8001", "8002", "backend", "\n  postgres:", "worker:"];
        for word in words {
            // What a compose file calls a program and an image is not the sample's.
            assert!(!text.contains(word), "templates/{template} keeps `{word}`:\n{text}");
        }
        if template.ends_with("cleanslate.toml") {
            plan::Config::read(&text, []).unwrap();
        }
    }
}

fn all() -> BTreeSet<String> {
    let folders = ["rust-sqlx", "fastapi-alembic"].map(|folder| templates().join(folder));
    let files =
        folders.iter().flat_map(|folder| fs::read_dir(folder).unwrap()).map(|file| file.unwrap().path());
    let name = |path: PathBuf| path.strip_prefix(templates()).map(Path::to_owned).unwrap();
    files.map(|path| name(path).display().to_string()).collect()
}
