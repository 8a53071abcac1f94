//! Kinds of projects that were read wrongly once.

#![expect(clippy::indexing_slicing, reason = "a test fails by panicking")]

use std::collections::BTreeMap;

use detect::{Tree, detect};
use plan::{Detected, FoundMigrations};

const DB: &str = "services:\n  db:\n    image: postgres:16\n    environment: {POSTGRES_DB: shop}\n";

fn found(name: &str, files: &[(&'static str, String)]) -> Detected {
    let texts: BTreeMap<&str, String> = files.iter().cloned().collect();
    let tree = Tree::new(name, texts.keys().map(ToString::to_string), |path| Ok(texts[path].clone()));
    detect(&tree)
}

fn with(services: &str) -> Detected {
    found("shop-docker", &[("compose.yml", format!("{DB}{services}"))])
}

fn backend(found: &Detected) -> Option<&str> {
    found.backend.as_ref().map(|backend| backend.service.as_str())
}

fn migrations(name: &str, files: &[(&'static str, &str)]) -> Option<(String, String)> {
    let files: Vec<_> = files.iter().map(|(path, text)| (*path, (*text).to_owned())).collect();
    found(name, &files).migrations.map(|FoundMigrations { tool, dir, .. }| (tool, dir))
}

#[test]
fn a_pooler_and_a_shared_network_lead_to_the_database() {
    let pooled = with(
        "  pgbouncer: {image: edoburu/pgbouncer, depends_on: [db]}\n  api: {build: ., depends_on: [pgbouncer]}\n",
    );
    let joined = with("  app: {build: ., network_mode: 'service:db'}\n");

    assert_eq!(
        (backend(&pooled), pooled.dependents.as_slice()),
        (Some("api"), ["pgbouncer".to_owned(), "api".to_owned()].as_slice())
    );
    assert_eq!(backend(&joined), Some("app"));
}

#[test]
fn a_backend_is_known_by_its_image_and_its_owner_or_by_standing_alone() {
    for (services, expected) in [
        ("  server: {image: 'shopdocker/server:${V}', depends_on: [db]}\n", Some("server")),
        ("  hub: {image: 'ghcr.io/shopdocker/hub', depends_on: [db]}\n", None),
        ("  shop: {image: 'docker.io/shopcommunity/shop', depends_on: [db]}\n", Some("shop")),
        ("  laravel.test: {build: ., depends_on: [db]}\n", Some("laravel.test")),
        ("  maildev: {build: .}\n  api: {build: .}\n", Some("api")),
        ("  maildev: {build: .}\n", None),
    ] {
        assert_eq!(backend(&with(services)), expected, "{services}");
    }
}

#[test]
fn what_the_backend_names_settles_the_database() {
    let settings = "development:\n  database: shop_dev\n".to_owned();
    let rails = [("Gemfile", "gem 'rails'".to_owned()), ("config/database.yml", settings)];
    let services = "  web:\n    build: .\n    environment: {DATABASE_URL: 'postgres://u:p@db/shop'}\n";
    let told = [("compose.yml", format!("{DB}{services}")), rails[0].clone(), rails[1].clone()];
    let untold = [("compose.yml", DB.to_owned()), rails[0].clone(), rails[1].clone()];

    assert_eq!(found("shop", &told).database.unwrap().name, "shop");
    assert_eq!(found("shop", &untold).database.unwrap().name, "shop_dev");
}

#[test]
fn a_file_that_only_includes_others_is_called_by_its_own_folder() {
    let files = [
        ("compose.yml", "include: [deps/db.yml]\n".to_owned()),
        ("deps/db.yml", format!("name: other\n{DB}")),
    ];

    let found = found("shop", &files);

    assert_eq!((found.project.as_str(), found.database.unwrap().service.as_str()), ("shop", "db"));
}

#[test]
fn a_folder_of_compose_files_holds_some() {
    let found = found("shop", &[("deployment/docker-compose/infra.yml", DB.to_owned())]);

    assert_eq!(found.compose_files, ["deployment/docker-compose/infra.yml"]);
}

#[test]
fn migrations_of_every_layout_are_found() {
    let both = |tool: &str, dir: &str| Some((tool.to_owned(), dir.to_owned()));
    let manage = ("manage.py", "import app\nos.environ['DJANGO_SETTINGS_MODULE']");
    let django = [manage, ("shop_example/cart/migrations/0001_initial.py", "")];
    assert_eq!(migrations("shop-example", &django), both("django", "shop_example/cart/migrations"));

    let flyway =
        [("db/migration/cart/V1__a.sql", ""), ("db/migration/users/V1__b.sql", ""), ("db/pg/V1__c.sql", "")];
    assert_eq!(migrations("shop", &flyway), both("flyway", "db/migration"));

    let folders = ("internal/migrations/1-init/up.sql", "");
    assert_eq!(migrations("shop", &[("go.mod", ""), folders]), None);
    let rust = ("Cargo.toml", "diesel = \"2\"");
    assert_eq!(migrations("shop", &[rust, folders]), both("diesel", "internal/migrations"));

    let package = ("package.json", r#"{"dependencies": {"db-migrate": "1"}}"#);
    let script = ("src/migrations/1-init.js", "exports.up = (db) => db.runSql('')");
    assert_eq!(migrations("shop", &[package, script]), both("db-migrate", "src/migrations"));
}

#[test]
fn an_image_that_is_the_tool_runs_it() {
    let services = "  api: {build: ., depends_on: [db]}\n  \
        migrate: {image: 'migrate/migrate:v4', command: ['-path', '/m', '-database', 'x', 'up'], depends_on: [db]}\n";
    let files = [
        ("compose.yml", format!("{DB}{services}")),
        ("db/migrations/1_a.up.sql", String::new()),
        ("db/migrations/1_a.down.sql", String::new()),
    ];

    let found = found("shop", &files).migrations.unwrap();

    assert_eq!((found.tool.as_str(), found.home.as_str()), ("golang-migrate", "service:migrate"));
    assert_eq!(found.command, "migrate -path /m -database x up");
    assert_eq!(found.at_start.as_deref(), Some("migrate"));
}

#[test]
fn the_only_folder_of_models_is_watched() {
    let with = |more: &[&'static str]| {
        let mut files = vec![
            ("compose.yml", DB.to_owned()),
            ("backend/alembic.ini", "[alembic]\nscript_location = alembic\n".to_owned()),
            ("backend/alembic/env.py", "target_metadata = None\n".to_owned()),
            ("backend/alembic/versions/1.py", "revision = '1'\n".to_owned()),
            ("backend/tests/models/test_a.py", String::new()),
        ];
        files.extend(more.iter().map(|path| (*path, String::new())));
        found("shop", &files).models
    };

    assert_eq!(with(&["backend/src/models/shop.py"]).as_deref(), Some("backend/src/models"));
    assert_eq!(with(&["backend/a/models/x.py", "backend/b/models/y.py"]), None);
    assert_eq!(with(&["other/models/x.py"]), None);
}
