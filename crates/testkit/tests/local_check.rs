//! slate-check on a real server: what it finds, what it leaves behind, and that it never writes to the live database.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::fs;

use serde_json::Value;
use testkit::{Key, Shop, Stdin, offline};

fn findings(shop: &Shop, code: i32) -> Vec<Value> {
    let output = shop.run("slate-check", &["--json"]).expect_code(code);
    output.json().get("findings").and_then(Value::as_array).unwrap().clone()
}

fn told(findings: &[Value]) -> Vec<String> {
    let word = |finding: &Value, field: &str| finding[field].as_str().unwrap().to_owned();
    let mut told: Vec<String> = findings
        .iter()
        .map(|finding| format!("{} {}", word(finding, "object"), word(finding, "aspect")))
        .collect();
    told.sort();
    told
}

#[test]
fn seven_changes_of_the_live_database_are_seven_findings() {
    if offline("a check of migrations and live") {
        return;
    }
    let shop = Shop::new();
    shop.write(
        "migrations/2_more.sql",
        "CREATE TYPE mood AS ENUM ('good', 'bad'); CREATE VIEW cheap AS SELECT id FROM goods;
         ALTER TABLE goods ADD mood mood DEFAULT 'good' NOT NULL, ADD price int CONSTRAINT ck_price CHECK (price > 0);
         CREATE FUNCTION one() RETURNS int LANGUAGE sql AS 'SELECT 1';",
    );
    shop.up();
    assert_eq!(told(&findings(&shop, 0)), Vec::<String>::new());
    let _ = shop.ask("ALTER TYPE mood ADD VALUE 'odd'");
    let _ = shop.ask(
        "ALTER TABLE goods ALTER mood DROP DEFAULT;
         CREATE OR REPLACE VIEW cheap AS SELECT id FROM goods WHERE id > 1;
         CREATE OR REPLACE FUNCTION one() RETURNS int LANGUAGE sql AS 'SELECT 2';
         ALTER TABLE goods DROP CONSTRAINT ck_price; CREATE TABLE extra (id int); CREATE INDEX ix_name ON goods (name);",
    );
    let (before, databases) = (shop.contents(), shop.databases());

    let found = findings(&shop, 10);

    let wanted = [
        "cheap definition",
        "extra missing",
        "goods.ck_price missing",
        "goods.ix_name missing",
        "goods.mood default",
        "mood labels",
        "one() body",
    ];
    assert_eq!(told(&found), wanted);
    assert_eq!(shop.contents(), before, "the live database was written to");
    assert_eq!(shop.databases(), databases);
}

#[test]
fn accepted_differences_are_silent_until_they_change() {
    if offline("accepted differences") {
        return;
    }
    let shop = Shop::open();
    let _ = shop.ask("ALTER TABLE goods ALTER name SET DEFAULT 'x'");

    let _ = shop.run("slate-check", &["--accept", "until March"]).expect_code(0);
    let file = fs::read_to_string(shop.sandbox().work().join("cleanslate-accepted.toml")).unwrap();
    assert!(file.contains("until March") && file.contains("goods.name"), "{file}");
    assert_eq!(findings(&shop, 0).len(), 0);

    let _ = shop.ask("ALTER TABLE goods ALTER name SET DEFAULT 'y'");
    assert_eq!(told(&findings(&shop, 10)), ["goods.name default"]);
}

#[test]
fn a_side_that_fails_is_named_and_nothing_stays() {
    if offline("a check whose migrations fail") {
        return;
    }
    let shop = Shop::open();
    let databases = shop.databases();
    shop.write("migrations/2_broken.sql", "SELECT nothing;");

    let told = shop.run("slate-check", &[]).told(1);

    assert!(told.cause.contains("migrations") && told.cause.contains("nothing"), "{told:?}");
    assert_eq!(shop.databases(), databases);
}

#[test]
fn models_come_from_a_command_and_what_they_miss_is_told() {
    if offline("models through a command") {
        return;
    }
    let shop = Shop::open();
    let databases = shop.databases();
    let psql = testkit::program("psql").display().to_string();
    let command = format!("{psql} -q -v ON_ERROR_STOP=1 \"$DATABASE_URL\" -f models.sql");
    shop.configure(&format!("\n[models]\ncommand = {command:?}"));
    let models = "CREATE TABLE goods (id int PRIMARY KEY, name text NOT NULL, colour text);\n\
                  CREATE TABLE sold (id int PRIMARY KEY, goods int REFERENCES goods);\n";
    shop.write("models.sql", models);

    let found = findings(&shop, 10);

    assert_eq!(told(&found), ["goods.colour missing"]);
    assert_eq!(found.first().unwrap()["alone"], "models");
    assert_eq!(shop.databases(), databases);

    shop.write("models.sql", "SELECT nothing;");
    assert_eq!(told(&findings(&shop, 10)), ["models missing"]);
}

#[test]
fn ctrl_c_leaves_nothing_and_what_a_killed_run_left_the_next_one_removes() {
    if offline("Ctrl-C and kill during a check") {
        return;
    }
    let shop = Shop::open();
    let databases = shop.databases();
    shop.write("migrations/2_slow.sql", "SELECT pg_sleep(120);");
    let active = "SELECT count(*) FROM pg_stat_activity WHERE query LIKE '%pg_sleep(120)%' AND pid <> pg_backend_pid()";

    let mut screen = shop.launch("slate-check", &[]).screen(120, 30);
    shop.wait_until(active, "1");
    screen.press(Key::CtrlC);
    assert_eq!(screen.wait_exit(), 130, "{}", screen.text());
    assert_eq!(shop.databases(), databases);

    // Killed while it works, not at some moment: by then its scratch database is there.
    let file = shop.root().join("pid");
    let run = format!("echo $$ >'{}'; exec '{}'", file.display(), testkit::binary("slate-check").display());
    let mut killed = shop.sandbox().launch("sh").args(["-c", &run]).screen(120, 30);
    shop.wait_until(active, "1");
    let pid = fs::read_to_string(file).unwrap();
    let _ = shop.sandbox().launch("kill").args(["-9", pid.trim()]).run(Stdin::Null).expect_code(0);
    let _ = killed.wait_exit();
    assert!(shop.databases().contains("shop__check_migrations"), "{}", shop.databases());
    fs::remove_file(shop.sandbox().work().join("migrations/2_slow.sql")).unwrap();
    let _ = shop.run("slate-check", &[]).expect_code(0);
    assert_eq!(shop.databases(), databases);
}

#[test]
fn a_password_in_an_address_is_told_by_nobody() {
    if offline("an address that is refused") {
        return;
    }
    let shop = Shop::open();
    let own = shop.password();
    let url = |password: &str| format!("postgres://shop:{password}@127.0.0.1:{}/shop", shop.port());

    let wrong = shop.run("slate-check", &["--between", &url("hunter2"), &url(&own)]);
    let right = shop.run("slate-check", &["--json", "--between", &url(&own), &url(&own)]);

    assert_ne!(wrong.code, 0);
    assert_eq!(right.code, 0, "{right:?}");
    for output in [&wrong, &right] {
        let said = format!("{}{}", output.stdout, output.stderr);
        assert!(!said.contains("hunter2") && !said.contains(&own), "{said}");
    }
}
