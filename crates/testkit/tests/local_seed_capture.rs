//! Captured seeds on a real server: the files give back what was there, without what is masked.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::fs;

use testkit::{Shop, offline};

const BASELINE: &str = "
CREATE TYPE mood AS ENUM ('fine', 'so, so', 'b\"ad');
CREATE TABLE roles (name text PRIMARY KEY);
INSERT INTO roles VALUES ('admin'), ('guest');
CREATE TABLE teams (id int PRIMARY KEY, lead int NOT NULL);
CREATE TABLE users (
    id serial PRIMARY KEY, role text NOT NULL REFERENCES roles, team int NOT NULL REFERENCES teams, boss int REFERENCES users,
    mail text NOT NULL UNIQUE, secret text, shout text GENERATED ALWAYS AS (upper(mail)) STORED, mood mood,
    moods mood[], raw bytea, extra jsonb, at timestamptz, local timestamp, took interval, ratio float8, price numeric(10, 2), note text
);
ALTER TABLE teams ADD FOREIGN KEY (lead) REFERENCES users;
CREATE TABLE log (day date NOT NULL, what text) PARTITION BY RANGE (day);
CREATE TABLE log_old PARTITION OF log FOR VALUES FROM ('2020-01-01') TO ('2021-01-01');
CREATE TABLE log_new PARTITION OF log FOR VALUES FROM ('2021-01-01') TO ('2022-01-01');
CREATE SCHEMA \"my.shop\";
CREATE TABLE \"my.shop\".\"we\"\"ird, ü\" (\"id\"\"x\" bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, \"the, one\" text);
ALTER TABLE \"my.shop\".\"we\"\"ird, ü\" ENABLE ROW LEVEL SECURITY;
CREATE TABLE audit (n int DEFAULT 1, what text);
CREATE TABLE hidden (what text);
CREATE FUNCTION heard() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN INSERT INTO audit (what) VALUES (new.mail); RETURN new; END $$;
CREATE TRIGGER heard AFTER INSERT ON users FOR EACH ROW EXECUTE FUNCTION heard();
";

const ROWS: &str = r#"
BEGIN;
ALTER TABLE teams ALTER CONSTRAINT teams_lead_fkey DEFERRABLE INITIALLY DEFERRED;
INSERT INTO roles VALUES ('owner');
DELETE FROM roles WHERE name = 'guest';
INSERT INTO teams VALUES (1, 2), (2, 1);
INSERT INTO users (id, role, team, boss, mail, secret, mood, moods, raw, extra, at, local, took, ratio, price, note) VALUES
  (1, 'owner', 1, 2, 'Hidden-mail-1', 'Hidden-secret', 'b"ad', ARRAY['fine', 'so, so', NULL]::mood[], '\x00ff0a22', '{"a": [1, "x\"y"]}',
   '2021-03-28 01:30:00+02', '2021-03-28 02:30:00.123456', '-1 mons +2 days -00:00:03.5', 0.1::float8 + 0.2, 12.50, E'two\nlines, "quoted" \\N \\.'),
  (2, 'admin', 2, NULL, 'Hidden-mail-2', NULL, NULL, '{}', '', 'null', 'infinity', NULL, NULL, 'NaN', NULL, ''),
  (7, 'admin', 2, 7, 'Hidden-mail-7', '', 'fine', NULL, NULL, NULL, NULL, NULL, NULL, '-Infinity', 0, E'\\.');
SET CONSTRAINTS ALL IMMEDIATE;
ALTER TABLE teams ALTER CONSTRAINT teams_lead_fkey NOT DEFERRABLE;
SELECT setval('users_id_seq', 40);
INSERT INTO hidden VALUES ('Hidden');
INSERT INTO log VALUES ('2021-05-01', 'b'), ('2020-05-01', 'a'), ('2020-05-01', NULL), ('2020-05-01', '');
INSERT INTO "my.shop"."we""ird, ü" ("the, one") VALUES ('x'), (NULL), ('');
COMMIT;
"#;

/// Every row but what is masked.
const ALL: &str = r#"
SELECT md5(string_agg(r, chr(10) ORDER BY r)) FROM (
  SELECT (to_jsonb(u) - 'mail' - 'secret' - 'shout')::text AS r FROM users u UNION ALL SELECT to_jsonb(t)::text FROM teams t
  UNION ALL SELECT to_jsonb(r)::text FROM roles r UNION ALL SELECT to_jsonb(l)::text || tableoid::regclass FROM log l
  UNION ALL SELECT to_jsonb(w)::text FROM "my.shop"."we""ird, ü" w UNION ALL SELECT 'audit' || count(*) FROM audit) x"#;

fn shop() -> Shop {
    let shop = Shop::new();
    shop.write("migrations/1_baseline.sql", BASELINE);
    fs::remove_file(shop.sandbox().work().join("seeds/1_goods.sql")).unwrap();
    mask(&shop, "users.mail\", \"users.secret\", \"audit.what\", \"hidden.what");
    shop.up();
    let _ = shop.ask(ROWS);
    shop
}

fn mask(shop: &Shop, columns: &str) {
    shop.write("cleanslate.toml", &format!("[database]\nserver = \"local\"\nname = \"shop\"\n[migrations]\ntool = \"sql\"\ndir = \"migrations\"\n[seeds]\ndir = \"seeds\"\nmask = [\"{columns}\"]\n"));
}

/// Name and text of each seed file of a folder.
fn files(shop: &Shop, dir: &str) -> Vec<(String, String)> {
    let entries = fs::read_dir(shop.sandbox().work().join(dir)).unwrap().map(|entry| entry.unwrap().path());
    let mut files: Vec<_> = entries
        .filter(|path| path.is_file())
        .map(|path| {
            (path.file_name().unwrap().to_string_lossy().into_owned(), fs::read_to_string(&path).unwrap())
        })
        .collect();
    files.sort();
    files
}

#[test]
fn captured_rows_come_back_with_the_next_reset_and_masked_ones_are_nowhere() {
    if offline("a capture and a reset") {
        return;
    }
    let shop = shop();
    let before = shop.ask(ALL);
    assert!(shop.ask("TABLE users").contains("Hidden-mail-1"));

    let output = shop.run("slate-seed", &["--capture"]).expect_code(0);

    assert!(output.stderr.contains("users.mail"), "{output:?}");
    assert_eq!(shop.ask(ALL), before);
    let written = files(&shop, "seeds");
    let names: Vec<&str> = written.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(
        names,
        [
            "000_before_rows.sql",
            "010_my%2Eshop.we%22ird%2C%20ü.csv",
            "020_audit.csv",
            "040_log.csv",
            "050_roles.csv",
            "060_teams.csv",
            "070_users.csv",
            "999_after_rows.sql"
        ]
    );
    for (name, text) in &written {
        assert!(!text.to_lowercase().contains("hidden"), "{name}\n{text}");
        assert!(text.ends_with('\n'), "{name}");
    }
    assert!(written[3].1.starts_with("day,what\n2020-05-01,\"\"\n"), "{}", written[3].1);

    // Written again it is the same, byte for byte.
    let again = shop.run("slate-seed", &["--capture"]).expect_code(0);
    assert!(again.stdout.contains("seeds holds these 17 rows already"), "{again:?}");
    assert_eq!(files(&shop, "seeds"), written);

    // What the files were proved in is the template of the next reset.
    let reset = shop.swap();
    assert!(reset.stderr.contains("cloned") && !reset.stderr.contains("migrated"), "{reset:?}");
    assert_eq!(shop.ask(ALL), before);
    assert_eq!(shop.ask("SELECT nextval('users_id_seq')"), "41");
    assert_eq!(shop.ask("SELECT string_agg(mail, ' ' ORDER BY id) FROM users"), "masked-1 masked-2 masked-3");
    assert_eq!(shop.ask("SELECT condeferrable FROM pg_constraint WHERE conname = 'teams_lead_fkey'"), "f");
    assert_eq!(shop.ask("SELECT tgenabled FROM pg_trigger WHERE tgname = 'heard'"), "O");

    // And what is built from nothing is the same.
    let _ = shop.reset().expect_code(0);
    assert_eq!(shop.ask(ALL), before);
}

#[test]
fn a_file_that_is_there_is_shown_and_stays_until_somebody_agrees() {
    if offline("a capture over files") {
        return;
    }
    let shop = shop();
    shop.write("seeds/070_users.csv", "id\n1\n");
    shop.write("seeds/old.sql", "SELECT 1;\n");
    let before = files(&shop, "seeds");

    let told = shop.run("slate-seed", &["--capture"]).told(3);

    assert!(told.cause.contains("2 files there would be others, or gone"), "{told:?}");
    assert_eq!(files(&shop, "seeds"), before);
    assert_eq!(shop.databases(), "shop");

    let output = shop.run("slate-seed", &["--capture", "--yes"]).expect_code(0);
    assert!(output.stderr.contains("-SELECT 1;") && output.stderr.contains("removes"), "{output:?}");
    let names: Vec<String> = files(&shop, "seeds").into_iter().map(|(name, _)| name).collect();
    assert!(
        !names.contains(&"old.sql".to_owned()) && names.contains(&"070_users.csv".to_owned()),
        "{names:?}"
    );
}

#[test]
fn some_tables_alone_and_another_set_leave_the_other_files() {
    if offline("a capture of some tables") {
        return;
    }
    let shop = shop();
    shop.write("seeds/005_more.sql", "SELECT 1;\n");

    let _ = shop.run("slate-seed", &["--capture", "roles", "log"]).expect_code(0);
    let names: Vec<String> = files(&shop, "seeds").into_iter().map(|(name, _)| name).collect();
    assert_eq!(names, ["000_before_rows.sql", "005_more.sql", "040_log.csv", "050_roles.csv"]);

    let _ = shop.run("slate-seed", &["--capture", "--set", "bug"]).expect_code(0);
    assert_eq!(files(&shop, "seeds").len(), 4);
    assert_eq!(files(&shop, "seeds/bug").len(), 8);
    // The template is that of the set which every fresh database gets.
    assert_eq!(shop.databases(), "shop shop__base_captured");
    let before = shop.ask(ALL);
    let _ = shop.run("slate-seed", &["--reload", "--set", "bug"]).expect_code(0);
    assert_eq!(shop.ask(ALL), before);
}

#[test]
fn what_can_not_be_masked_or_proved_writes_nothing() {
    if offline("a capture that is refused") {
        return;
    }
    let shop = shop();
    for (columns, code, said) in [
        ("users.secrte", 2, "did you mean `users.secret`?"),
        ("users.id", 2, "primary key"),
        ("users.team", 2, "only text can be made up"),
    ] {
        mask(&shop, columns);
        let told = shop.run("slate-seed", &["--capture"]).told(code);
        assert!(told.hint.contains(said) || told.cause.contains(said), "{told:?}");
    }
    mask(&shop, "users.mail");
    let told = shop.run("slate-seed", &["--capture", "user"]).told(2);
    assert_eq!(told.hint, "did you mean `users`?");

    // A table that the migrations do not make.
    let _ = shop.ask("CREATE TABLE stray (id int); INSERT INTO stray VALUES (1)");
    let told = shop.run("slate-seed", &["--capture"]).told(1);
    assert_eq!(told.error, "the captured files are no proved copy, and were not kept");
    assert!(told.cause.contains("stray"), "{told:?}");
    assert_eq!(files(&shop, "seeds").len(), 0);
    assert_eq!(shop.databases(), "shop");
    assert!(!shop.notes().join("captured").exists());
}
