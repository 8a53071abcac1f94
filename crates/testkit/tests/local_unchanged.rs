//! "Nothing changed" is said when it is proved, and only then.

use std::fs;
use std::io::{Read as _, Write as _};
use std::path::Path;
use std::process::Stdio;
use std::thread;
use std::time::{Duration, Instant};

use testkit::{Shop, offline};

const PROVED: &str = "nothing changed since it was built";

/// A database as a reset leaves it, and everything that a reset leaves to the background is done.
fn fresh(shop: &Shop) {
    let _ = shop.swap();
}

fn preview(shop: &Shop) -> String {
    let output = shop.run("slate-reset", &["--dry-run"]).expect_code(0);
    format!("{}{}", output.stdout, output.stderr)
}

fn restart(shop: &Shop) {
    let _ = shop.run("slate-down", &[]).expect_code(0);
    shop.up();
}

fn shop() -> Shop {
    let shop = Shop::new();
    let more =
        "CREATE SEQUENCE numbers; CREATE UNLOGGED TABLE passing (id int); CREATE TABLE empty (id int);\n";
    shop.write("migrations/2_more.sql", more);
    shop.up();
    let _ = shop.ask("ALTER SYSTEM SET max_prepared_transactions = 5");
    restart(&shop);
    shop
}

/// A psql of ours that has ended may for a moment still be one that is connected.
#[track_caller]
fn assert_proved(shop: &Shop, what: &str) {
    let until = Instant::now() + Duration::from_secs(10);
    let mut told = preview(shop);
    while told.contains("whoever is connected") && Instant::now() < until {
        told = preview(shop);
    }
    assert!(told.contains(PROVED), "{what}: {told}");
}

#[test]
fn what_only_reads_or_tidies_is_no_change() {
    if offline("a proof that nothing changed") {
        return;
    }
    let shop = shop();
    fresh(&shop);
    assert_proved(&shop, "fresh");

    for sql in [
        "SELECT * FROM goods JOIN sold ON sold.goods = goods.id",
        "ANALYZE",
        "VACUUM",
        "VACUUM (FREEZE, ANALYZE) goods",
        "CHECKPOINT",
        "SELECT * FROM goods FOR UPDATE",
    ] {
        let _ = shop.ask(sql);
        assert_proved(&shop, sql);
    }
    // A server that ends in order writes its counters down.
    restart(&shop);
    assert_proved(&shop, "a restart");
}

#[test]
fn rows_are_told_as_many_as_there_are() {
    if offline("rows that are not counted again") {
        return;
    }
    let shop = shop();
    let told = |rows: &str| {
        let told = preview(&shop);
        assert!(told.contains(&format!(" tables, {rows}, ")), "{rows}: {told}");
    };
    // As `up` filled it: marked between migrations and seeds, and after them.
    told("2 rows");
    fresh(&shop);
    told("2 rows");
    let _ = shop.ask("INSERT INTO goods VALUES (9, 'mirror'), (10, 'vase')");
    let _ = shop.ask("BEGIN; INSERT INTO goods VALUES (11, 'bowl'); ROLLBACK");
    told("4 rows");
    let _ = shop.ask("DELETE FROM goods WHERE id = 1; INSERT INTO empty VALUES (1), (2)");
    told("5 rows");
    let _ = shop.ask("TRUNCATE empty");
    told("3 rows");
    let _ = shop.ask("CREATE TABLE more AS SELECT generate_series(1, 7) AS id");
    told("10 rows");
}

#[test]
fn every_change_is_seen() {
    if offline("changes since the seeds") {
        return;
    }
    let shop = shop();
    let data = shop.cluster().join("import");
    fs::write(&data, "7,vase\n").unwrap();
    let copy = format!("COPY goods FROM '{}' (FORMAT csv)", data.display());
    for sql in [
        "INSERT INTO goods VALUES (9, 'mirror')",
        "INSERT INTO empty VALUES (1); DELETE FROM empty",
        "UPDATE goods SET name = name",
        "DELETE FROM goods WHERE id = 1",
        "TRUNCATE goods CASCADE",
        "SELECT nextval('numbers')",
        "SELECT setval('numbers', 1, true)",
        "CREATE TABLE mine ()",
        "ALTER TABLE goods ADD note text",
        "CREATE INDEX ON goods (name)",
        "DROP TABLE sold",
        "COMMENT ON TABLE goods IS 'mine'",
        "GRANT SELECT ON goods TO PUBLIC",
        "SELECT lo_create(0)",
        "ALTER DATABASE shop SET work_mem = '5MB'",
        "ALTER DATABASE shop CONNECTION LIMIT 50",
        "INSERT INTO passing VALUES (1)",
        copy.as_str(),
        "BEGIN; INSERT INTO goods VALUES (9, 'mirror'); PREPARE TRANSACTION 'x'; COMMIT PREPARED 'x'",
        "SELECT pg_stat_reset()",
        "INSERT INTO empty VALUES (1); SELECT pg_stat_reset_single_table_counters('empty'::regclass)",
    ] {
        fresh(&shop);
        // Each on its own: some take no transaction around them, and a script is one.
        for statement in sql.split("; ") {
            let together = sql.starts_with("BEGIN");
            let _ = shop.ask(if together { "SELECT 1" } else { statement });
        }
        if sql.starts_with("BEGIN") {
            let mut script = shop.psql("shop").stdin(Stdio::piped()).stdout(Stdio::null()).spawn().unwrap();
            script.stdin.take().unwrap().write_all(format!("{sql};\n").as_bytes()).unwrap();
            assert!(script.wait().unwrap().success());
        }

        let told = preview(&shop);

        assert!(!told.contains(PROVED), "{sql}: {told}");
    }
    for setting in ["RESET work_mem", "CONNECTION LIMIT -1"] {
        let _ = shop.ask(&format!("ALTER DATABASE shop {setting}"));
    }
}

#[test]
fn a_row_of_a_moment_ago_by_an_open_session_is_not_overlooked() {
    if offline("a row written a moment ago") {
        return;
    }
    let shop = shop();
    for statement in
        ["INSERT INTO goods VALUES (9, 'mirror');", "BEGIN; INSERT INTO goods VALUES (9, 'mirror');"]
    {
        fresh(&shop);
        let mut customer = shop.psql("shop").stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        writeln!(customer.stdin.as_mut().unwrap(), "{statement}\n\\echo done").unwrap();
        let mut said = [0; 4];
        customer.stdout.as_mut().unwrap().read_exact(&mut said).unwrap();

        let told = preview(&shop);

        assert!(!told.contains(PROVED), "{statement} {told}");
        let kept = shop.run("slate-reset", &["--yes", "--force"]).expect_code(0);
        let _ = customer.wait();
        // Committed, it is somebody's row, and what holds it is kept; cut off, it never was.
        let committed = !statement.starts_with("BEGIN");
        if committed {
            let back = shop.run("slate-undo", &["--yes"]).expect_code(0);
            assert_eq!(shop.ask("SELECT name FROM goods WHERE id = 9"), "mirror", "{kept:?} {back:?}");
        }
    }
}

#[test]
fn counters_that_a_crash_took_prove_nothing() {
    if offline("a server that was killed") {
        return;
    }
    let shop = shop();
    for change in ["SELECT 1", "INSERT INTO goods VALUES (9, 'mirror')"] {
        fresh(&shop);
        let _ = shop.ask(change);
        let pid = fs::read_to_string(shop.cluster().join("postmaster.pid")).unwrap();
        let pid = pid.lines().next().unwrap().to_owned();
        let killed = std::process::Command::new("kill").args(["-9", &pid]).status().unwrap();
        assert!(killed.success());
        let until = Instant::now() + Duration::from_secs(20);
        while Path::new("/proc").join(&pid).exists() {
            assert!(Instant::now() < until, "{pid} is still there");
            thread::yield_now();
        }
        shop.up();

        let told = preview(&shop);

        assert!(!told.contains(PROVED), "{change}: {told}");
        assert!(told.contains("its server was killed"), "{change}: {told}");
    }
}
