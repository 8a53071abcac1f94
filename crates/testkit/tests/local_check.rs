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
fn the_numbers_of_a_wider_column_reach_further_and_that_is_no_finding_of_its_own() {
    if offline("an identity column of another type") {
        return;
    }
    let shop = Shop::new();
    shop.write(
        "migrations/2_counted.sql",
        "CREATE TABLE counted (id int GENERATED ALWAYS AS IDENTITY);
         CREATE TABLE ended (id int GENERATED ALWAYS AS IDENTITY);",
    );
    shop.up();
    let _ = shop.ask("ALTER TABLE counted ALTER id TYPE bigint; ALTER TABLE ended ALTER id SET MAXVALUE 9");

    assert_eq!(told(&findings(&shop, 10)), ["counted.id type", "ended.id identity options"]);
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

#[test]
fn statements_bring_live_to_the_migrations_and_drop_nothing_that_holds_rows() {
    if offline("statements for what live lacks") {
        return;
    }
    let shop = Shop::new();
    shop.write(
        "migrations/2_more.sql",
        "CREATE TYPE mood AS ENUM ('good', 'odd', 'bad'); CREATE VIEW cheap WITH (security_barrier) AS SELECT id FROM goods;
         ALTER TABLE goods ADD mood mood DEFAULT 'good' NOT NULL, ADD price int CONSTRAINT ck_price CHECK (price > 0);
         CREATE TABLE shelves (id serial PRIMARY KEY, \"a;\"\"b\" text DEFAULT E'it''s\\\\', goods int REFERENCES goods);
         CREATE INDEX ix_shelves ON shelves (goods) WHERE goods > 1; COMMENT ON TABLE shelves IS 'of; wood';
         CREATE FUNCTION one() RETURNS int LANGUAGE sql AS E'SELECT\\n1';",
    );
    shop.up();
    let _ = shop.ask(
        "DROP TABLE shelves; DROP VIEW cheap; ALTER TABLE goods DROP CONSTRAINT ck_price, ALTER mood DROP DEFAULT;
         ALTER TABLE goods ALTER name DROP NOT NULL, ADD mine text; CREATE INDEX ix_mine ON goods (name);
         CREATE OR REPLACE FUNCTION one() RETURNS int LANGUAGE sql AS 'SELECT 2'; CREATE TABLE extra AS SELECT 1 AS one;",
    );

    let script = shop.run("slate-check", &["--sql"]).expect_code(10).stdout;
    shop.write("mend.sql", &script);
    let file = shop.sandbox().work().join("mend.sql");
    let mended = shop.psql("shop").args(["-v", "ON_ERROR_STOP=1", "-f"]).arg(file).output().unwrap();

    assert!(mended.status.success(), "{script}\n{}", String::from_utf8_lossy(&mended.stderr));
    assert!(script.contains("-- column goods.mine: not dropped"), "{script}");
    assert_eq!(shop.ask("SELECT count(*) FROM extra"), "1");
    assert_eq!(told(&findings(&shop, 10)), ["extra missing", "goods.mine missing"]);
}

#[test]
fn what_a_role_may_not_see_is_said_and_the_rest_is_compared() {
    if offline("a role that may not see everything") {
        return;
    }
    let shop = Shop::open();
    let _ = shop.ask("CREATE ROLE peeping LOGIN PASSWORD 'hunter2'");
    let _ = shop.ask("CREATE TABLE boxes (id int); CREATE POLICY own ON boxes USING (true)");
    let _ = shop.ask("REVOKE SELECT ON pg_policy FROM PUBLIC");
    let _ = shop.ask_in("postgres", "CREATE DATABASE other");
    let url = |user: &str, password: &str, database: &str| {
        format!("postgres://{user}:{password}@127.0.0.1:{}/{database}", shop.port())
    };

    let (seen, own) = (url("peeping", "hunter2", "shop"), url("shop", &shop.password(), "other"));
    let output = shop.run("slate-check", &["--json", "--between", &seen, &own]).expect_code(10);

    let found = output.json()["findings"].as_array().unwrap().clone();
    assert!(told(&found).contains(&"first policy not visible".to_owned()), "{found:?}");
    assert!(told(&found).contains(&"boxes missing".to_owned()), "{found:?}");
    assert!(!told(&found).iter().any(|told| told.contains("boxes.own")), "{found:?}");
}

#[test]
fn each_model_is_tried_in_what_the_migrations_make() {
    if offline("models that are inserted, read and updated") {
        return;
    }
    let shop = Shop::open();
    // A Python that has alembic, as far as this goes: it connects, migrates, and answers for the models.
    let psql = testkit::program("psql").display().to_string();
    let answer = r#"cleanslate {"shop.Good": {"table": "goods", "stage": "insert", "error": "column \"colour\" does not exist", "code": "42703", "unfilled": []}}"#;
    let python = format!(
        "#!/bin/sh\nrun() {{ '{psql}' -qX -v ON_ERROR_STOP=1 \"$DATABASE_URL\" -c \"$1\" >&2; }}\nrun 'SELECT 1' || exit 1\n\
         case \"$2\" in\n*Inserts,*) echo '{answer}' ;;\n*) run 'CREATE TABLE goods (id int)' && echo 'cleanslate {{}}' ;;\nesac\n"
    );
    shop.sandbox().stub("python-with-alembic", &python);
    shop.write(
        "cleanslate.toml",
        "[database]\nserver = \"local\"\nname = \"shop\"\n[migrations]\ntool = \"alembic\"\ndir = \"migrations\"\n\
         command = \"python-with-alembic -m alembic upgrade head\"\n",
    );

    let output =
        shop.run("slate-check", &["--json", "--only", "models,migrations", "--crud"]).expect_code(10);

    let found = output.json()["findings"].as_array().unwrap().clone();
    assert_eq!(told(&found), ["shop.Good insert"]);
    assert_eq!(found.first().unwrap()["severity"], "error");
}
