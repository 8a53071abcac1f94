//! Named copies and branches on real Postgres: what is saved, parked, exported or imported is whole, row by row; what is
//! cut off, foreign or newer changes nothing; another worktree's databases stay.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::Command;

use testkit::{Shop, offline};

const BASELINE: &str = "CREATE TABLE goods (id serial PRIMARY KEY, name text NOT NULL);\n";
const SEEDS: &str = "INSERT INTO goods (name) VALUES ('lamp'), ('rug');\n";
const ROWS: &str =
    "SELECT md5(string_agg(g::text, ',' ORDER BY id)) || (SELECT last_value FROM goods_id_seq) FROM goods g";

/// What a shell, SQL, a format string and a list would take apart.
const HARD: &str = "be'fore; \"DROP\" %s $(x) ünï";

fn shop() -> Shop {
    let shop = Shop::new();
    shop.write("migrations/1_baseline.sql", BASELINE);
    shop.write("seeds/1_goods.sql", SEEDS);
    shop.up();
    let _ = shop.swap();
    let _ = shop.ask("INSERT INTO goods (name) SELECT 'vase ' || n FROM generate_series(1, 2000) n");
    shop
}

fn git(shop: &Shop, words: &[&str]) {
    let mut git = Command::new("git");
    git.args(["-c", "user.name=a", "-c", "user.email=a@b"]).args(words).current_dir(shop.sandbox().work());
    let said = git.output().unwrap();
    assert!(said.status.success(), "{words:?}: {said:?}");
}

fn done(shop: &Shop, name: &str, words: &[&str]) -> String {
    let output = shop.run(name, words).expect_code(0);
    shop.settle();
    output.stdout
}

#[test]
fn a_snapshot_of_any_name_comes_back_whole_and_undo_takes_it_back() {
    if offline("snapshots") {
        return;
    }
    let shop = shop();
    let saved = shop.ask(ROWS);
    let _ = done(&shop, "slate-snapshot", &["save", HARD]);
    let _ = shop.ask("DELETE FROM goods WHERE id > 1");
    let after = shop.ask(ROWS);

    let again = shop.run("slate-snapshot", &["save", HARD]).told(2);
    let _ = done(&shop, "slate-snapshot", &["restore", HARD]);

    assert!(again.error.contains("already"), "{again:?}");
    assert_eq!(shop.ask(ROWS), saved);
    let _ = done(&shop, "slate-undo", &[]);
    assert_eq!(shop.ask(ROWS), after);
    // No rule about age or size takes it.
    let _ = shop.run("slate-undo", &["--gc", "--older-than", "0", "--yes", "--no-undo"]).expect_code(0);
    assert!(done(&shop, "slate-snapshot", &["list"]).contains(HARD));
    let _ = shop.run("slate-snapshot", &["delete", HARD, "--yes"]).told(3);
    let _ = done(&shop, "slate-snapshot", &["delete", HARD, "--yes", "--no-undo"]);
    assert!(!shop.databases().contains("saved"), "{}", shop.databases());
}

#[test]
fn a_file_of_any_form_brings_every_row_back_and_a_damaged_one_changes_nothing() {
    if offline("export and import") {
        return;
    }
    let shop = shop();
    let rows = shop.ask(ROWS);
    let folder = shop.root();
    let at = |name: &str| folder.join(name).display().to_string();
    let dump = |words: &[&str], name: &str| {
        let like = shop.psql("shop");
        let mut dump = Command::new("pg_dump");
        dump.args(words).args(["-f", &at(name)]);
        dump.envs(like.get_envs().filter_map(|(name, value)| Some((name, value?))));
        assert!(dump.status().unwrap().success());
    };

    let _ = done(&shop, "slate-snapshot", &["export", &at("own.dump")]);
    let _ = shop.run("slate-snapshot", &["export", &at("own.dump")]).told(2);
    let _ = shop.ask("CREATE ROLE gone; ALTER TABLE goods OWNER TO gone");
    dump(&[], "plain.sql");
    dump(&["-Ft"], "tar.tar");
    dump(&["-C"], "create.sql");
    let _ = shop.ask("ALTER TABLE goods OWNER TO CURRENT_USER; DROP ROLE gone");
    assert!(Command::new("gzip").args(["-k", &at("plain.sql")]).status().unwrap().success());

    assert_eq!(fs::metadata(at("own.dump")).unwrap().permissions().mode() & 0o777, 0o600);
    for name in ["own.dump", "plain.sql", "plain.sql.gz", "tar.tar"] {
        let _ = shop.ask("DELETE FROM goods");
        let told = done(&shop, "slate-snapshot", &["import", &at(name)]);
        assert_eq!(shop.ask(ROWS), rows, "{name}");
        assert_eq!(told.contains("role `gone` is not here"), name != "own.dump", "{name}: {told}");
        let whole = fs::read(at(name)).unwrap();
        for share in [3, 50, 90] {
            fs::write(at("cut"), &whole[..whole.len() * share / 100]).unwrap();
            let said = shop.run("slate-snapshot", &["import", &at("cut")]).told(if name == "tar.tar" {
                2
            } else {
                1
            });
            assert!(said.state.contains("`shop`"), "{name} cut at {share} %: {said:?}");
        }
        assert_eq!(shop.ask(ROWS), rows, "{name}");
    }
    let mut newer = fs::read(at("own.dump")).unwrap();
    newer[6] = 99;
    fs::write(at("newer"), newer).unwrap();
    fs::write(at("foreign"), [0, 1, 2, 3]).unwrap();
    fs::write(at("note"), "just a note\n").unwrap();
    fs::write(at("shell.sql"), "SELECT 1;\n\\! touch /tmp/owned\n").unwrap();
    for (name, code, why) in [
        ("newer", 1, "newer pg_dump"),
        ("foreign", 2, "neither SQL"),
        ("note", 1, "syntax error"),
        ("shell.sql", 4, "command of psql"),
        ("create.sql", 4, "--create"),
    ] {
        let said = shop.run("slate-snapshot", &["import", &at(name)]).told(code);
        assert!(said.cause.contains(why), "{name}: {said:?}");
    }
    assert_eq!(shop.ask(ROWS), rows);
    assert!(!shop.databases().contains("next"), "{}", shop.databases());
    assert!(!Path::new(&at(".own.dump.cleanslate-partial")).exists());
}

#[test]
fn two_branches_have_their_own_rows_and_schema_and_another_worktrees_stay() {
    if offline("a database for each branch") {
        return;
    }
    let shop = shop();
    git(&shop, &["init", "-q", "-b", "main"]);
    git(&shop, &["add", "."]);
    git(&shop, &["commit", "-qm", "one"]);
    let main = shop.ask(ROWS);
    // Another worktree's, with the same names, on the same server.
    let label = r#"cleanslate {"workspace":"feedfeedfeedfeed","kind":"parked","of":"shop","at":"2026-01-01T00:00:00Z","kept":{"n":90,"bytes":1,"rows":null,"by":"switch"},"name":"feature"}"#;
    let _ = shop.ask_in("postgres", "CREATE DATABASE shop__parked_90");
    let _ = shop.ask_in("postgres", &format!("COMMENT ON DATABASE shop__parked_90 IS '{label}'"));

    git(&shop, &["switch", "-qc", "feature"]);
    shop.write("migrations/1_baseline.sql", &format!("{BASELINE}CREATE TABLE extra (id int);\n"));
    git(&shop, &["commit", "-qam", "two"]);
    let status = done(&shop, "slate-status", &[]);
    let _ = done(&shop, "slate-switch", &[]);
    let _ = shop.ask("INSERT INTO extra VALUES (7)");

    assert!(status.contains("of branch `main`") && status.contains("slate-switch"), "{status}");
    for _ in 0..2 {
        git(&shop, &["switch", "-q", "main"]);
        let _ = done(&shop, "slate-switch", &[]);
        assert_eq!(shop.ask(ROWS), main);
        git(&shop, &["switch", "-q", "feature"]);
        let _ = done(&shop, "slate-switch", &[]);
        assert_eq!(shop.ask("SELECT string_agg(id::text, ',') FROM extra"), "7");
    }
    let list = done(&shop, "slate-switch", &["--list"]);
    assert!(list.contains("feature") && list.contains("main") && !list.contains("parked_90"), "{list}");
    let again = done(&shop, "slate-switch", &[]);
    assert!(again.contains("`shop` is the one of `feature`"), "{again}");
    let _ = done(&shop, "slate-undo", &[]);
    assert_eq!(shop.ask(ROWS), main);
    let _ = shop.run("slate-undo", &["--gc", "--older-than", "0", "--yes", "--no-undo"]).expect_code(0);
    let left = shop.databases();
    assert!(left.contains("parked_90") && left.matches("parked").count() == 2, "{left}");
}

#[test]
fn a_revision_that_no_file_has_is_told_with_the_command() {
    if offline("revisions of another branch") {
        return;
    }
    let shop = Shop::new();
    let tool = |tool: &str| {
        let text = format!(
            "[database]\nserver = \"local\"\nname = \"shop\"\n[migrations]\ntool = \"{tool}\"\ndir = \"migrations\"\n"
        );
        shop.write("cleanslate.toml", &text);
    };
    let told = || done(&shop, "slate-status", &[]);
    tool("sqlx");
    git(&shop, &["init", "-q", "-b", "main"]);
    git(&shop, &["add", "."]);
    git(&shop, &["commit", "-qm", "one"]);
    git(&shop, &["switch", "-qc", "feature"]);
    shop.write("migrations/0002_more.sql", "CREATE TABLE more (id int);\n");
    shop.up();
    let _ = done(&shop, "slate-switch", &[]);
    assert!(!told().contains("no file here has"), "{}", told());
    let _ = fs::remove_file(shop.sandbox().work().join("migrations/0002_more.sql"));
    git(&shop, &["switch", "-q", "main"]);

    assert!(
        told().contains("revision `2` that no file here has: another branch's: slate-switch\n"),
        "{}",
        told()
    );

    // Run by hand on the database of `main`: nothing but the tool's own table tells.
    let _ = done(&shop, "slate-switch", &[]);
    assert!(!told().contains("no file here has"), "{}", told());
    tool("alembic");
    shop.write("migrations/a.py", "revision = 'a'\ndown_revision = None\n");
    let _ =
        shop.ask("CREATE TABLE alembic_version (version_num text); INSERT INTO alembic_version VALUES ('a')");
    assert!(!told().contains("no file here has"), "{}", told());
    let _ = shop.ask("UPDATE alembic_version SET version_num = 'b'");
    assert!(
        told().contains("revision `b` that no file here has: another branch's: slate-switch --from BRANCH"),
        "{}",
        told()
    );
}
