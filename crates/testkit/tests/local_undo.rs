//! What a reset by a swap replaces comes back whole: rows, sequences, large objects, rights, settings; undone as often as
//! somebody likes, and also when ten resets came after it.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use testkit::{Shop, offline};

const BASELINE: &str = "CREATE TABLE goods (id serial PRIMARY KEY, name text NOT NULL);\n";
const SEEDS: &str =
    "INSERT INTO goods (name) VALUES ('lamp'), ('rug');\nSELECT lo_from_bytea(4711, 'a drawing');\n";

/// Rows, sequences, large objects, rights inside.
const INSIDE: &str = "
SELECT md5(concat_ws('|', (SELECT string_agg(g::text, ',' ORDER BY id) FROM goods g), (SELECT last_value FROM goods_id_seq),
    (SELECT string_agg(oid || lo_get(oid)::text, ',' ORDER BY oid) FROM pg_largeobject_metadata),
    (SELECT string_agg(relname || relacl::text, ',' ORDER BY relname) FROM pg_class WHERE relacl IS NOT NULL AND relnamespace = 'public'::regnamespace),
    (SELECT string_agg(table_name || column_name || data_type, ',' ORDER BY 1) FROM information_schema.columns WHERE table_schema = 'public')))";

/// Owner, limit, rights and settings of the database, and its comment.
const BESIDE: &str = "
SELECT concat_ws('|', datdba::regrole, datconnlimit,
    (SELECT string_agg(a::text, ',' ORDER BY a::text) FROM unnest(datacl) a), shobj_description(oid, 'pg_database'),
    (SELECT string_agg(setrole::regrole || setconfig::text, ',' ORDER BY 1) FROM pg_db_role_setting WHERE setdatabase = d.oid))
FROM pg_database d WHERE datname = 'shop'";

fn shop() -> Shop {
    let shop = Shop::new();
    shop.write("migrations/1_baseline.sql", BASELINE);
    shop.write("seeds/1_goods.sql", SEEDS);
    shop.up();
    shop
}

/// A day's work in every kind of thing that a database holds.
fn work(shop: &Shop) {
    for sql in [
        "CREATE ROLE reader",
        "GRANT SELECT ON goods TO reader",
        "INSERT INTO goods (name) SELECT 'vase ' || n FROM generate_series(1, 100) n",
        "UPDATE goods SET name = 'a ''lamp''' WHERE id = 1",
        "SELECT setval('goods_id_seq', 5000)",
        "SELECT lo_put(4711, 0, 'another drawing'), lo_from_bytea(4712, 'and one more')",
        "ALTER DATABASE shop CONNECTION LIMIT 17",
        "ALTER DATABASE shop SET app.motto = 'it''s fine'",
        "GRANT CREATE ON DATABASE shop TO reader",
        "COMMENT ON DATABASE shop IS 'our shop'",
    ] {
        let _ = shop.ask(sql);
    }
}

fn both(shop: &Shop) -> (String, String) {
    (shop.ask(INSIDE), shop.ask(BESIDE))
}

fn undo(shop: &Shop, arguments: &[&str]) {
    let _ = shop.run("slate-undo", arguments).expect_code(0);
    shop.settle();
}

#[test]
fn an_undo_brings_everything_back_and_is_itself_undone() {
    if offline("undo of a swap") {
        return;
    }
    let shop = shop();
    work(&shop);
    let before = both(&shop);

    let _ = shop.swap();
    let fresh = both(&shop);

    assert_ne!(fresh.0, before.0);
    assert_eq!(fresh.1, before.1, "owner, limit, rights, settings and comment are carried over");
    assert_eq!(shop.ask("SELECT count(*) FROM goods"), "2");
    for wanted in [&before, &fresh, &before] {
        undo(&shop, &[]);
        assert_eq!(both(&shop), *wanted);
    }
}

#[test]
fn an_undo_after_an_edited_baseline_brings_the_old_schema_back() {
    if offline("undo of a swap to another schema") {
        return;
    }
    let shop = shop();
    work(&shop);
    let before = both(&shop);
    shop.write("migrations/1_baseline.sql", &format!("{BASELINE}ALTER TABLE goods ADD price int;\n"));

    let _ = shop.swap();
    let edited = both(&shop);
    undo(&shop, &[]);

    assert_ne!(edited.0, before.0);
    assert_eq!(both(&shop), before);
    let status = shop.run("slate-status", &[]).expect_code(0);
    assert!(status.stdout.contains("stale"), "{status:?}");
    undo(&shop, &[]);
    assert_eq!(both(&shop), edited);
}

#[test]
fn ten_resets_of_an_unchanged_database_leave_the_changed_one_to_be_undone() {
    if offline("undo after ten resets") {
        return;
    }
    let shop = shop();
    let _ = shop.swap();
    let _ = shop.ask("INSERT INTO goods (name) VALUES ('vase')");
    let before = both(&shop);
    let _ = shop.swap();

    for round in 0..10 {
        let _ = shop.swap();
        let kept = shop.databases().split(' ').filter(|name| name.contains("__kept_")).count();
        assert!(kept <= 2, "round {round}: {}", shop.databases());
    }
    let list = shop.run("slate-undo", &["--list"]).expect_code(0).stdout;
    undo(&shop, &[]);

    assert_eq!(both(&shop), before, "{list}");
    assert!(list.contains("goods +1 row"), "{list}");
}

#[test]
fn a_number_is_brought_back_and_an_old_one_is_given_up() {
    if offline("undo by number, and gc") {
        return;
    }
    let shop = shop();
    let mut kept = Vec::new();
    for n in 0..3 {
        let _ = shop.ask(&format!("INSERT INTO goods (name) VALUES ('vase {n}')"));
        kept.push(shop.ask(INSIDE));
        let _ = shop.swap();
    }
    let list = shop.run("slate-undo", &["--list"]).expect_code(0).stdout;
    let number = list.lines().find(|line| line.contains("kept_2")).unwrap();
    let number = number.trim_start().split(' ').next().unwrap();

    undo(&shop, &["--to", number]);
    assert_eq!(shop.ask(INSIDE), kept[1], "{list}");

    let told = shop.run("slate-undo", &["--gc", "--older-than", "0", "--yes"]).told(3);
    assert!(told.cause.contains("rows would be lost for good"), "{told:?}");
    let gone = shop.run("slate-undo", &["--gc", "--older-than", "0", "--yes", "--no-undo"]).expect_code(0);
    shop.settle();
    assert!(!shop.databases().contains("kept"), "{gone:?}: {}", shop.databases());
    assert_eq!(shop.ask(INSIDE), kept[1]);
}
