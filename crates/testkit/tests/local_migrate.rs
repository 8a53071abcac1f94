//! slate-migrate on a real server: SQL files and sqlx, what keeps a copy, what is refused, and two runs at once.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::fs;
use std::thread;

use serde_json::Value;
use testkit::{Output, Shop, offline};

fn migrate(shop: &Shop, words: &[&str]) -> Output {
    shop.run("slate-migrate", words)
}

fn status(shop: &Shop, code: i32) -> Value {
    migrate(shop, &["--json"]).expect_code(code).json()
}

fn files(shop: &Shop) -> Vec<String> {
    let folder = fs::read_dir(shop.sandbox().work().join("migrations")).unwrap().flatten();
    let mut names: Vec<String> = folder.map(|file| file.file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

/// A shop whose migrations are sqlx' own.
fn with_sqlx() -> Shop {
    let shop = Shop::new();
    let toml = "[database]\nserver = \"local\"\nname = \"shop\"\n\n[migrations]\ntool = \"sqlx\"\ndir = \"migrations\"\n";
    shop.write("cleanslate.toml", toml);
    fs::rename(
        shop.sandbox().work().join("migrations/1_baseline.sql"),
        shop.sandbox().work().join("migrations/1_baseline.up.sql"),
    )
    .unwrap();
    shop.write("migrations/1_baseline.down.sql", "DROP TABLE sold; DROP TABLE goods;");
    shop
}

#[test]
fn what_adds_is_applied_at_once_and_what_loses_rows_after_a_copy() {
    if offline("migrations that are applied") {
        return;
    }
    let shop = Shop::open();
    assert_eq!(status(&shop, 0)["applied"], serde_json::json!(["1_baseline.sql"]));
    shop.write("migrations/2_colour.sql", "ALTER TABLE goods ADD colour text;");
    assert_eq!(status(&shop, 10)["pending"], serde_json::json!(["2_colour.sql"]));

    let _ = migrate(&shop, &["up"]).expect_code(0);
    let _ = shop.run("slate-check", &[]).expect_code(0);
    assert_eq!((status(&shop, 0)["told"].clone(), shop.databases().as_str()), (true.into(), "shop"));

    shop.write("migrations/3_no_names.sql", "ALTER TABLE goods DROP COLUMN name;");
    let review = migrate(&shop, &["review", "--json"]).expect_code(10).json();
    assert_eq!(review["loses"].as_array().unwrap().len(), 1, "{review}");
    let _ = migrate(&shop, &["up"]).expect_code(0);
    assert_eq!(shop.databases(), "shop shop__kept_1");
    assert_eq!(status(&shop, 0)["applied"].as_array().unwrap().len(), 3);

    let _ = shop.run("slate-undo", &[]).expect_code(0);
    assert_eq!(shop.ask("SELECT string_agg(name, ' ' ORDER BY id) FROM goods"), "lamp rug");
    assert_eq!(status(&shop, 10)["pending"], serde_json::json!(["3_no_names.sql"]));
}

#[test]
fn an_error_is_told_with_its_file_line_and_column_and_nothing_is_applied() {
    if offline("a migration that fails") {
        return;
    }
    let shop = Shop::open();
    shop.write("migrations/2_good.sql", "CREATE TABLE good (id int);");
    shop.write("migrations/3_bad.sql", "CREATE TABLE bad (\n  id int,\n  what nope\n);\n");
    let before = shop.contents();

    let told = migrate(&shop, &["up"]).told(1);

    assert!(told.cause.starts_with("migrations/3_bad.sql:3:8: "), "{told:?}");
    assert_eq!(shop.contents(), before);
    assert_eq!(status(&shop, 10)["pending"].as_array().unwrap().len(), 2);
}

#[test]
fn an_edit_of_what_is_applied_is_seen_and_of_what_is_released_refused() {
    if offline("migrations that were edited") {
        return;
    }
    let shop = Shop::open();
    let _ = migrate(&shop, &["freeze"]).expect_code(0);
    let released = fs::read_to_string(shop.sandbox().work().join("cleanslate-released.toml")).unwrap();
    assert!(released.contains("\"1_baseline.sql\" = "), "{released}");
    let told = migrate(&shop, &["baseline", "--yes"]).told(4);
    assert!(told.error.contains("is released"), "{told:?}");
    let baseline = fs::read_to_string(shop.sandbox().work().join("migrations/1_baseline.sql")).unwrap();
    shop.write("migrations/1_baseline.sql", &format!("{baseline}\nCREATE TABLE more (id int);\n"));
    let before = shop.contents();

    let status = status(&shop, 10);
    assert_eq!(status["edited"], serde_json::json!(["1_baseline.sql"]));
    for (name, words) in [
        ("slate-migrate", ["up", "--yes"]),
        ("slate-migrate", ["baseline", "--yes"]),
        ("slate-reset", ["--yes", "--quiet"]),
        ("slate-rebuild", ["--yes", "--quiet"]),
    ] {
        let told = shop.run(name, &words).told(4);
        assert!(told.error.contains("migrations/1_baseline.sql is released"), "{name}: {told:?}");
        assert!(told.hint.contains("slate-migrate new NAME"), "{name}: {told:?}");
    }
    assert_eq!(shop.contents(), before);
}

#[test]
fn fifty_migrations_become_one_that_gives_the_same_and_the_database_is_at_it() {
    if offline("a baseline for fifty migrations") {
        return;
    }
    let shop = Shop::new();
    fs::rename(
        shop.sandbox().work().join("migrations/1_baseline.sql"),
        shop.sandbox().work().join("migrations/01_baseline.sql"),
    )
    .unwrap();
    for n in 2..50 {
        let sql = format!(
            "CREATE TABLE t{n} (id serial PRIMARY KEY, goods int REFERENCES goods, x text DEFAULT ';');"
        );
        shop.write(format!("migrations/{n:02}_t.sql"), &sql);
    }
    let last = "CREATE TYPE mood AS ENUM ('good', 'bad'); CREATE VIEW cheap AS SELECT id FROM goods;
         ALTER TABLE goods ADD mood mood DEFAULT 'good' NOT NULL; DROP TABLE t49;
         CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS $f$ BEGIN NEW.name := ';'; RETURN NEW; END $f$;
         CREATE TRIGGER named BEFORE INSERT ON goods FOR EACH ROW EXECUTE FUNCTION f();";
    shop.write("migrations/50_more.sql", last);
    shop.up();
    let (rows, databases) = (shop.ask("SELECT count(*) FROM goods"), shop.databases());

    let unasked = migrate(&shop, &["baseline"]).told(3);
    assert!(unasked.cause.contains("no terminal"), "{unasked:?}");
    assert_eq!(files(&shop).len(), 50);
    let _ = migrate(&shop, &["baseline", "--yes"]).expect_code(0);

    assert_eq!(files(&shop), ["01_baseline.sql"]);
    assert_eq!(status(&shop, 0)["applied"], serde_json::json!(["01_baseline.sql"]));
    let found = shop.run("slate-check", &["--json"]).expect_code(0).json();
    assert_eq!(found["findings"], serde_json::json!([]));
    assert_eq!((shop.ask("SELECT count(*) FROM goods"), shop.databases()), (rows, databases));
}

#[test]
fn the_next_file_holds_what_brings_the_migrations_to_the_models() {
    if offline("a migration that is written") {
        return;
    }
    let shop = Shop::open();
    let psql = testkit::program("psql").display().to_string();
    let command = format!("{psql} -q -v ON_ERROR_STOP=1 \"$DATABASE_URL\" -f models.sql");
    shop.configure(&format!("\n[models]\ncommand = {command:?}"));
    let models = "CREATE TABLE goods (id int PRIMARY KEY, name text NOT NULL, colour text);\n\
                  CREATE TABLE sold (id int PRIMARY KEY, goods int REFERENCES goods);\n";
    shop.write("models.sql", models);
    let databases = shop.databases();

    let _ = migrate(&shop, &["new", "Add a colour", "--yes"]).expect_code(0);
    let text = fs::read_to_string(shop.sandbox().work().join("migrations/2_add_a_colour.sql")).unwrap();
    assert!(text.contains("ADD COLUMN") && text.contains("colour"), "{text}");
    assert_eq!(shop.databases(), databases);
    let _ = migrate(&shop, &["up"]).expect_code(0);

    let _ = shop.run("slate-check", &[]).expect_code(0);
    let told = migrate(&shop, &["down"]).told(2);
    assert!(told.error.contains("no way down"), "{told:?}");
}

#[test]
fn two_runs_at_once_apply_each_migration_once() {
    if offline("two runs of migrations at once") {
        return;
    }
    let shop = Shop::open();
    shop.write("migrations/2_slow.sql", "CREATE TABLE once (id int); SELECT pg_sleep(0.3);");

    let outputs = thread::scope(|scope| {
        let both = [scope.spawn(|| migrate(&shop, &["up"])), scope.spawn(|| migrate(&shop, &["up"]))];
        both.map(|one| one.join().unwrap())
    });

    assert!(outputs.iter().all(|output| output.code == 0), "{outputs:?}");
    let applied = outputs.iter().filter(|output| output.stdout.contains("is at 2_slow.sql")).count();
    assert_eq!(applied, 1, "{outputs:?}");
    assert_eq!(status(&shop, 0)["applied"].as_array().unwrap().len(), 2);
}

#[test]
fn sqlx_goes_up_and_down_and_keeps_its_own_book_over_a_baseline() {
    if offline("migrations of sqlx") {
        return;
    }
    let shop = with_sqlx();
    shop.up();
    shop.write("migrations/2_colour.up.sql", "ALTER TABLE goods ADD colour text;");
    shop.write("migrations/2_colour.down.sql", "ALTER TABLE goods DROP colour;");
    let _ = shop.ask("INSERT INTO goods VALUES (1, 'lamp')");
    let _ = migrate(&shop, &["up"]).expect_code(0);
    assert_eq!(status(&shop, 0)["applied"], serde_json::json!(["1", "2"]));

    let _ = migrate(&shop, &["down"]).expect_code(0);
    assert_eq!(status(&shop, 10)["pending"], serde_json::json!(["2"]));
    assert_eq!(shop.databases(), "shop shop__kept_1");
    let _ = shop.run("slate-undo", &[]).expect_code(0);
    assert_eq!(status(&shop, 0)["applied"], serde_json::json!(["1", "2"]));

    let _ = migrate(&shop, &["baseline", "--yes"]).expect_code(0);
    assert_eq!(status(&shop, 0)["applied"], serde_json::json!(["1"]));
    assert_eq!(shop.ask("SELECT count(*) FROM _sqlx_migrations"), "1");
    // sqlx itself agrees: it runs over a database that its files built, and finds each checksum as it is.
    shop.write("migrations/3_more.up.sql", "CREATE TABLE more (id int);");
    let _ = migrate(&shop, &["up"]).expect_code(0);
    let _ = shop.run("slate-check", &[]).expect_code(0);
}
