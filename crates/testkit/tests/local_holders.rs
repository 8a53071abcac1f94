//! What holds a database, or keeps one from being copied: handled, or refused with the reason.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::io::{Read as _, Write as _};
use std::process::{Child, Command, Stdio};

use testkit::{Sandbox, Shop, offline};

fn on(shop: &Shop, database: &str) -> Child {
    let mut child = shop.psql(database).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    writeln!(child.stdin.as_mut().unwrap(), "\\echo done").unwrap();
    let mut said = [0; 4];
    child.stdout.as_mut().unwrap().read_exact(&mut said).unwrap();
    child
}

#[test]
fn prepared_transactions_slots_and_subscriptions_are_refused_or_kept() {
    if offline("what holds a database") {
        return;
    }
    let shop = Shop::open();
    for setting in ["max_prepared_transactions = 5", "wal_level = logical"] {
        let _ = shop.ask(&format!("ALTER SYSTEM SET {setting}"));
    }
    let _ = shop.run("slate-down", &[]).expect_code(0);
    shop.up();
    let _ = shop.swap();

    let _ = shop.ask("BEGIN; INSERT INTO goods VALUES (9, 'mirror'); PREPARE TRANSACTION 'mine'");
    let before = shop.contents();
    let told = shop.run("slate-reset", &["--yes", "--force"]).told(4);
    assert!(told.hint.contains("ROLLBACK PREPARED"), "{told:?}");
    assert_eq!(shop.contents(), before);
    let _ = shop.ask("COMMIT PREPARED 'mine'");

    // Nobody comes for it: `connect = false` makes no slot, and a disabled one has no worker.
    let _ = shop.ask(
        "CREATE SUBSCRIPTION news CONNECTION 'host=127.0.0.1 port=1' PUBLICATION p WITH (connect = false)",
    );
    let before = shop.contents();
    let told = shop.run("slate-reset", &["--yes"]).told(4);
    assert_eq!(told.error, "`shop` holds 1 subscription");
    assert!(told.hint.starts_with("DROP SUBSCRIPTION"), "{told:?}");
    let _ = shop.ask("ALTER SUBSCRIPTION news SET (slot_name = 'none_such')");
    let _ = shop.ask("ALTER SUBSCRIPTION news ENABLE");
    let _ = shop.run("slate-reset", &["--yes", "--force"]).told(4);
    assert_eq!(shop.contents(), before);
    for sql in [
        "ALTER SUBSCRIPTION news DISABLE",
        "ALTER SUBSCRIPTION news SET (slot_name = NONE)",
        "DROP SUBSCRIPTION news",
    ] {
        let _ = shop.ask(sql);
    }

    // A slot that nobody reads goes with what is kept, and comes back with it.
    let _ = shop.ask("SELECT pg_create_logical_replication_slot('feed', 'pgoutput')");
    let _ = shop.run("slate-reset", &["--yes"]).expect_code(0);
    assert_eq!(shop.ask("SELECT count(*) FROM pg_replication_slots WHERE database = 'shop'"), "0");
    assert!(shop.ask("SELECT database FROM pg_replication_slots").starts_with("shop__kept"));
    shop.settle();
    let _ = shop.run("slate-undo", &["--yes"]).expect_code(0);
    assert_eq!(shop.ask("SELECT database FROM pg_replication_slots"), "shop");
    assert_eq!(shop.ask("SELECT name FROM goods WHERE id = 9"), "mirror");
}

#[test]
fn a_slot_that_somebody_reads_is_refused() {
    if offline("a slot that is read") {
        return;
    }
    let shop = Shop::open();
    let _ = shop.ask("ALTER SYSTEM SET wal_level = logical");
    let _ = shop.run("slate-down", &[]).expect_code(0);
    shop.up();
    let _ = shop.swap();
    let _ = shop.ask("SELECT pg_create_logical_replication_slot('feed', 'test_decoding')");
    let psql = shop.psql("shop");
    let mut reader = Command::new(testkit::program("pg_recvlogical"));
    reader
        .args(["--slot=feed", "--start", "--file=-", "--dbname=shop"])
        .stdin(Stdio::null())
        .stdout(Stdio::null());
    reader.envs(psql.get_envs().filter_map(|(name, value)| Some((name, value?))));
    let mut reader = reader.spawn().unwrap();
    shop.wait_until("SELECT active FROM pg_replication_slots", "t");
    let before = shop.contents();

    let reset = shop.run("slate-reset", &["--yes", "--force"]);

    let after = shop.contents();
    let _ = reader.kill();
    let _ = reader.wait();
    assert_eq!(reset.told(4).error, "`shop` feeds `feed`");
    assert_eq!(after, before);
    shop.wait_until("SELECT active FROM pg_replication_slots", "f");
    let _ = shop.run("slate-reset", &["--yes"]).expect_code(0);
}

#[test]
fn a_collation_that_changed_builds_anew_instead_of_cloning() {
    if offline("a collation version that changed") {
        return;
    }
    let shop = Shop::open();
    let _ = shop.ask_in("postgres", "DROP DATABASE shop");
    let _ = shop
        .ask_in("postgres", "CREATE DATABASE shop TEMPLATE template0 LOCALE_PROVIDER icu ICU_LOCALE 'de'");
    shop.up();
    let _ = shop.swap();
    let _ = shop.ask("INSERT INTO goods VALUES (3, 'vase')");
    let _ = shop.ask_in("postgres", "UPDATE pg_database SET datcollversion = '1.1' WHERE datname ~ '^shop'");

    let _ = shop.run("slate-reset", &["--yes"]).expect_code(0);

    assert_eq!(shop.ask("SELECT count(*) FROM goods"), "2");
    shop.settle();
    let _ = shop.run("slate-undo", &["--yes"]).expect_code(0);
    assert_eq!(shop.ask("SELECT count(*) FROM goods"), "3");
}

#[test]
fn extensions_come_with_the_clone_and_their_rows_are_nobodys() {
    if offline("an extension with objects") {
        return;
    }
    let shop = Shop::new();
    let more = "CREATE EXTENSION hstore;\nCREATE TABLE marks (id int, words hstore);\nINSERT INTO marks VALUES (1, 'a=>1');\n";
    shop.write("migrations/2_words.sql", more);
    shop.up();

    for _ in 0..2 {
        let _ = shop.ask("UPDATE marks SET words = words || 'b=>2'");
        let _ = shop.run("slate-reset", &["--yes"]).expect_code(0);
        assert_eq!(shop.ask("SELECT words->'a', words->'b' FROM marks"), "1|");
    }
}

#[test]
fn a_template1_in_use_is_told_and_does_not_stop_a_swap() {
    if offline("template1 in use") {
        return;
    }
    let shop = Shop::open();
    let _ = shop.swap();
    let _ = shop.ask("INSERT INTO goods VALUES (3, 'vase')");
    let mut holder = on(&shop, "template1");

    let _ = shop.swap();
    let _ = shop.ask("INSERT INTO goods VALUES (4, 'bowl')");
    let before = shop.ask("SELECT string_agg(name, ' ') FROM goods");
    shop.write("migrations/2_more.sql", "CREATE TABLE more ();\n");
    let told = shop.run("slate-reset", &["--yes"]).told(4);

    assert!(told.cause.contains("template1"), "{told:?}");
    assert!(told.state.contains("your data is whole in `shop`"), "{told:?}");
    assert_eq!(shop.ask("SELECT string_agg(name, ' ') FROM goods"), before);
    let _ = holder.kill();
    let _ = holder.wait();
    let _ = shop.run("slate-reset", &["--yes"]).expect_code(0);
}

#[test]
fn a_disk_that_fills_up_during_a_clone_names_what_makes_room() {
    if offline("a full disk during a clone") {
        return;
    }
    let sandbox = Sandbox::new();
    let state = sandbox.state();
    let mounted =
        Command::new("mount").args(["-t", "tmpfs", "-o", "size=260m", "tmpfs"]).arg(&state).status();
    if !mounted.is_ok_and(|status| status.success()) {
        eprintln!("not tested, since mounting is not allowed here");
        return;
    }
    let shop = Shop::of(sandbox);
    shop.write(
        "seeds/2_much.sql",
        "CREATE TABLE much AS SELECT repeat('x', 900) FROM generate_series(1, 25000);\n",
    );
    shop.up();
    let failed = (0..12).find_map(|n| {
        let _ = shop.ask(&format!("INSERT INTO goods VALUES ({}, 'vase')", 10 + n));
        let output = shop.run("slate-reset", &["--yes"]);
        if output.code == 0 { None } else { Some((n, output)) }
    });

    let (n, output) = failed.unwrap();
    // Seen beforehand; or a server that finds no room for its log recovers, and lets nobody in meanwhile.
    assert!([1, 4, 5].contains(&output.code), "{output:?}");
    let told = output.told(output.code);
    if output.code != 5 {
        assert!(told.cause.contains("No space left") || told.cause.contains("are free"), "{told:?}");
        assert!(told.hint.contains("--gc"), "{told:?}");
    }
    // Somebody makes room: without any, a server can't even recover.
    let grown = Command::new("mount").args(["-o", "remount,size=600m"]).arg(&state).status().unwrap();
    assert!(grown.success());
    shop.up();
    assert_eq!(shop.ask(&format!("SELECT count(*) FROM goods WHERE id = {}", 10 + n)), "1");
    let _ = shop.run("slate-undo", &["--gc", "--older-than", "0", "--yes", "--no-undo"]).expect_code(0);
    let _ = shop.run("slate-reset", &["--yes"]).expect_code(0);
    let _ = shop.run("slate-clean", &["--yes", "--no-undo"]);
    drop(shop);
    let _ = Command::new("umount").arg("-l").arg(&state).status();
}

#[test]
fn a_kept_database_that_somebody_looks_into_comes_back_without_them() {
    if offline("somebody on what is kept") {
        return;
    }
    let shop = Shop::open();
    let _ = shop.ask("INSERT INTO goods VALUES (9, 'mirror')");
    let _ = shop.swap();
    let kept = shop.databases().split(' ').find(|name| name.contains("kept")).unwrap().to_owned();
    let mut looks = on(&shop, &kept);
    let _ = shop.ask("INSERT INTO goods VALUES (10, 'shelf'), (11, 'desk')");

    let undo = shop.run("slate-undo", &[]).expect_code(0);

    assert!(undo.stderr.contains(&format!("disconnects  a customer (1), on {kept}")), "{undo:?}");
    assert!(undo.stderr.contains("cut a customer (1)"), "{undo:?}");
    assert_eq!(shop.ask("SELECT count(*) FROM goods"), "3");
    drop(looks.stdin.take());
    let _ = looks.wait().unwrap();

    // Where somebody's work is open in it, only force ends that.
    shop.settle();
    let kept = shop.databases().split(' ').find(|name| name.contains("kept")).unwrap().to_owned();
    let mut works = on(&shop, &kept);
    writeln!(works.stdin.as_mut().unwrap(), "BEGIN; INSERT INTO goods VALUES (12, 'clock');").unwrap();
    let open = format!(
        "SELECT count(*) FROM pg_stat_activity WHERE datname = '{kept}' AND now() - xact_start > interval '2 s'"
    );
    shop.wait_until(&open, "1");
    let told = shop.run("slate-undo", &["--yes"]).told(4);
    assert!(told.cause.contains("transaction open"), "{told:?}");
    assert_eq!(shop.ask("SELECT count(*) FROM goods"), "3");
    let _ = shop.run("slate-undo", &["--yes", "--force"]).expect_code(0);
    assert_eq!(shop.ask("SELECT count(*) FROM goods"), "4");
    drop(works.stdin.take());
    let _ = works.wait().unwrap();
}
