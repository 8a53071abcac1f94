//! Work of others, and databases that are another's: refused, and nothing changed.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::io::{Read as _, Write as _};
use std::process::{Child, Stdio};

use testkit::{Shop, offline};

/// A customer who is connected, with these statements done.
struct Customer(Child);

impl Customer {
    fn of(shop: &Shop, sql: &str) -> Self {
        let mut child = shop.psql("shop").stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        writeln!(child.stdin.as_mut().unwrap(), "{sql}\n\\echo done").unwrap();
        let mut said = [0; 4];
        child.stdout.as_mut().unwrap().read_exact(&mut said).unwrap();
        Self(child)
    }
}

impl Drop for Customer {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn an_open_transaction_of_somebody_is_cut_by_force_alone() {
    if offline("an open transaction in the way") {
        return;
    }
    let shop = Shop::open();
    let _ = shop.reset().expect_code(0);
    let _customer = Customer::of(&shop, "BEGIN; INSERT INTO goods VALUES (9, 'mirror');");
    shop.wait_until(
        "SELECT count(*) FROM pg_stat_activity WHERE now() - xact_start > '2.5 s' AND datname = 'shop'",
        "1",
    );

    let told = shop.reset().told(4);

    assert_eq!(told.error, "`shop` is in use");
    assert!(told.cause.starts_with("a customer has a transaction open since"), "{told:?}");
    assert_eq!(told.state, "nothing was changed");
    assert_eq!(told.hint, "slate-reset --drop --yes --no-undo --force cuts them off");
    let forced = shop.run("slate-reset", &["--drop", "--yes", "--no-undo", "--force"]).expect_code(0);
    assert!(forced.stderr.contains("cut a customer (1)"), "{forced:?}");
    assert_eq!(shop.ask("SELECT count(*) FROM goods"), "2");
}

#[test]
fn what_a_drop_would_break_is_refused_with_the_statement_that_helps() {
    if offline("prepared transactions and replication slots") {
        return;
    }
    let shop = Shop::open();
    for setting in ["max_prepared_transactions = 5", "wal_level = logical"] {
        let _ = shop.ask(&format!("ALTER SYSTEM SET {setting}"));
    }
    let _ = shop.run("slate-down", &[]).expect_code(0);
    shop.up();

    let _ = shop.ask("BEGIN; INSERT INTO goods VALUES (9, 'mirror'); PREPARE TRANSACTION 'mine'");
    let before = shop.contents();
    for arguments in [&["--drop", "--yes", "--no-undo"][..], &["--drop", "--yes", "--no-undo", "--force"]] {
        let told = shop.run("slate-reset", arguments).told(4);
        assert_eq!(told.error, "`shop` holds 1 prepared transaction");
        assert_eq!(told.state, "nothing was changed");
        assert!(told.hint.contains("ROLLBACK PREPARED"), "{told:?}");
    }
    assert_eq!(shop.contents(), before);
    let _ = shop.ask("COMMIT PREPARED 'mine'");

    let _ = shop.ask("SELECT pg_create_logical_replication_slot('feed', 'pgoutput')");
    let before = shop.contents();
    let told = shop.reset().told(4);
    assert_eq!(told.error, "`shop` feeds `feed`");
    assert_eq!(shop.contents(), before);

    // A clean takes the whole cluster aside, with slots and all, and brings it back.
    let _ = shop.run("slate-clean", &["--yes"]).expect_code(0);
    let _ = shop.run("slate-undo", &["--yes"]).expect_code(0);
    shop.up();
    assert_eq!(shop.contents(), before);
    assert_eq!(shop.ask("SELECT slot_name FROM pg_replication_slots"), "feed");
}

#[test]
fn a_database_with_another_workspaces_marker_is_left_alone() {
    if offline("another workspace's marker") {
        return;
    }
    let shop = Shop::open();
    let _ = shop.ask(
        "UPDATE cleanslate.marker SET marker = jsonb_set(marker, '{workspace}', '\"fedcba9876543210\"')",
    );
    let before = shop.contents();

    for (name, arguments) in
        [("slate-reset", &["--drop", "--yes", "--no-undo", "--force"][..]), ("slate-up", &[])]
    {
        let told = shop.run(name, arguments).told(4);

        assert_eq!(told.error, "`shop` is another workspace's", "{name}");
        assert!(told.cause.contains("fedcba9876543210"), "{told:?}");
        assert!(told.state.starts_with("nothing was changed"), "{told:?}");
        assert!(!told.hint.is_empty());
    }
    assert_eq!(shop.contents(), before);
    assert_eq!(shop.ask("SELECT marker->>'workspace' FROM cleanslate.marker"), "fedcba9876543210");
}

#[test]
fn a_database_that_a_crash_left_closed_is_opened_by_up_and_replaced_by_reset() {
    if offline("a database left closed") {
        return;
    }
    let shop = Shop::open();
    let close = "ALTER DATABASE shop ALLOW_CONNECTIONS false";
    let _ = shop.ask_in("postgres", close);

    let status = shop.run("slate-status", &[]).expect_code(0);
    assert!(
        status.stdout.contains("closed to connections") && status.stdout.contains("slate-up"),
        "{status:?}"
    );
    let up = shop.run("slate-up", &[]).expect_code(0);
    assert!(up.stderr.contains("opened again"), "{up:?}");
    assert_eq!(shop.ask("SELECT count(*) FROM goods"), "2");

    let _ = shop.ask_in("postgres", close);
    let _ = shop.reset().expect_code(0);
    assert_eq!(shop.ask("SELECT count(*) FROM goods"), "2");
}

#[test]
fn a_half_dropped_database_is_not_used_and_reset_replaces_it() {
    if offline("a half-dropped database") {
        return;
    }
    let shop = Shop::open();
    let _ = shop.ask_in("postgres", "UPDATE pg_database SET datconnlimit = -2 WHERE datname = 'shop'");

    let told = shop.run("slate-up", &[]).told(4);
    assert_eq!(told.error, "`shop` is half dropped");
    assert_eq!(told.hint, "slate-reset");
    let _ = shop.reset().expect_code(0);
    assert_eq!(shop.ask("SELECT count(*) FROM goods"), "2");
}

#[test]
fn only_what_our_label_calls_half_built_is_removed() {
    if offline("leftovers beside the database") {
        return;
    }
    let shop = Shop::open();
    let _ = shop.ask_in("postgres", "CREATE DATABASE shop__next");
    let _ = shop.ask_in("shop__next", "CREATE TABLE mine AS SELECT 1 AS one");
    let _ = shop.reset().expect_code(0);
    assert_eq!(shop.databases(), "shop shop__next");
    assert_eq!(shop.ask_in("shop__next", "SELECT one FROM mine"), "1");

    let id = shop.notes().file_name().unwrap().to_string_lossy().into_owned();
    let label = |workspace: &str| {
        format!(
            "COMMENT ON DATABASE shop__next IS 'cleanslate {{\"workspace\":\"{workspace}\",\"kind\":\"building\",\"of\":\"shop\",\"at\":\"2026-01-01T00:00:00Z\"}}'"
        )
    };
    let _ = shop.ask_in("postgres", &label("fedcba9876543210"));
    let _ = shop.reset().expect_code(0);
    assert_eq!(shop.databases(), "shop shop__next");

    let _ = shop.ask_in("postgres", &label(&id));
    let _ = shop.reset().expect_code(0);
    assert_eq!(shop.databases(), "shop");
}

#[test]
fn removal_stops_at_a_kept_database() {
    if offline("a removal while a database is kept") {
        return;
    }
    let shop = Shop::open();
    let _ = shop.ask("INSERT INTO goods (id, name) VALUES (900, 'mine')");
    let _ = shop.swap();

    let told = shop.run("slate-init", &["--remove", "--yes"]).told(4);

    assert!(told.cause.contains("1 kept database"), "{told:?}");
    assert!(shop.sandbox().work().join("cleanslate.toml").exists());
}
