//! slate-rebuild on a real Postgres: every row that can stay stays as it was, each that can't is named, and the old
//! database is as it was.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use testkit::{Output, Shop, offline};

const RULES: &str = "[rebuild.rename]\n\"users.display_name\" = \"users.nick\"\n\"stuff\" = \"things\"\n\"gone\" = \"never\"\n";

/// Carried tables: what the old database says and what the new one has to say.
const SAME: [(&str, &str); 17] = [
    (
        "users",
        "SELECT id, mail, display_name, age::int, joined::timestamptz, full_name FROM users ORDER BY id",
    ),
    ("users", "SELECT id, email, nick, age, joined, fullname FROM users ORDER BY id"),
    ("things", "SELECT * FROM stuff ORDER BY id"),
    ("things", "SELECT * FROM things ORDER BY id"),
    ("clients", "SELECT id, name, city FROM customers ORDER BY id"),
    ("clients", "SELECT * FROM clients ORDER BY id"),
    ("orders", "SELECT id, user_id, amount, state, hue, round(price, 2) FROM orders ORDER BY id"),
    ("orders", "SELECT * FROM orders ORDER BY id"),
    ("defaulted", "SELECT id, 'none' FROM defaulted ORDER BY id"),
    ("defaulted", "SELECT id, note FROM defaulted ORDER BY id"),
    ("rooms", "SELECT * FROM rooms ORDER BY id"),
    ("rooms", "SELECT * FROM rooms ORDER BY id"),
    ("weird", "SELECT \"select\", \"a \"\"col; %\" FROM \"od;d\".\"we\"\"ird % née\" ORDER BY 1"),
    ("weird", "SELECT * FROM \"od;d\".\"we\"\"ird % née\" ORDER BY 1"),
    ("", ""),
    ("", ""),
    ("", ""),
];

/// Tables that both have under one name and with the same columns.
const AS_BEFORE: [&str; 12] = [
    "events",
    "tickets",
    "counted",
    "heads",
    "members",
    "tree",
    "secret",
    "ONLY animals",
    "dogs",
    "parted",
    "kinds",
    "swapped",
];

fn sum(shop: &Shop, database: &str, sql: &str) -> String {
    shop.ask_in(
        database,
        &format!("SELECT count(*) || ' ' || coalesce(md5(string_agg(r::text, E'\\n')), '') FROM ({sql}) r"),
    )
}

fn everything(shop: &Shop, database: &str) -> String {
    let tables = shop.ask_in(
        database,
        "SELECT string_agg(format('%I.%I', schemaname, tablename), ' ' ORDER BY schemaname, tablename) FROM pg_tables
         WHERE schemaname NOT IN ('pg_catalog', 'information_schema', 'cleanslate') AND tablename !~ '[; ]'",
    );
    let rows = |table: &str| sum(shop, database, &format!("SELECT * FROM {table} t ORDER BY t::text"));
    let beside = "SELECT (SELECT string_agg(schemaname || sequencename || last_value, ' ' ORDER BY sequencename) FROM pg_sequences) ||
                  (SELECT string_agg(encode(lo_get(oid), 'hex'), ' ') FROM pg_largeobject_metadata)";
    let tables: Vec<String> = tables.split(' ').map(|table| format!("{table} {}", rows(table))).collect();
    format!("{}\n{}", tables.join("\n"), shop.ask_in(database, beside))
}

fn edited() -> Shop {
    let shop = Shop::new();
    shop.configure(RULES);
    shop.write("migrations/1_baseline.sql", include_str!("rebuild/old.sql"));
    shop.write("seeds/1_goods.sql", "SELECT 1;\n");
    shop.up();
    let typed = shop.root().join("typed.sql");
    std::fs::write(&typed, include_str!("rebuild/typed.sql")).unwrap();
    let done = shop.psql("shop").arg("-f").arg(&typed).output().unwrap();
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    shop.write("migrations/1_baseline.sql", include_str!("rebuild/new.sql"));
    shop
}

/// A text as TOML writes it.
fn toml(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}

#[track_caller]
fn assert_told(output: &Output, lines: &[&str]) {
    for line in lines {
        assert!(output.stderr.contains(line), "{line}\n{}", output.stderr);
    }
}

#[test]
fn across_many_changes_what_can_stay_stays_and_the_rest_is_named_first() {
    if offline("a rebuild on a real server") {
        return;
    }
    let shop = edited();
    let before = everything(&shop, "shop");

    let done = shop.run("slate-rebuild", &["--yes", "-v"]).expect_code(0);
    shop.settle();

    let plan = done.stderr.split("\nclosed").next().unwrap();
    for line in [
        "bad 2: invalid input syntax for type integer: \"twelve\"",
        "bad_lines 3: 3 rows refer to `bad` that are not there, as 1 (bad_lines_bad_id_fkey)",
        "codes 2: value too long for type character varying(20)",
        "moods 3: `odd` (2 rows) is no label of `mood` any more",
        "notes 2: 1 row refers to `users` that are not there",
        "demanding 2: `note` is new, must not be null and has no default",
        "nullable 2: null value in column \"note\"",
        "old_log 3: there is no such table any more",
        "twins 2: duplicate key value violates unique constraint",
        "priced 2: new row for relation \"priced\" violates check constraint",
        "users: `mail` is `email` now",
        "users: `display_name` is `nick` now",
        "users: `legacy` stays behind (7 values)",
        "customers: is `clients` now",
        "customers: `street` stays behind (20 values)",
        "`price`, numeric(10,4) is numeric(10,2) now, which changes 300 values",
        "genres: 1 row of the new baseline stays beside yours",
        "genres: 2 rows of the new baseline give way to yours",
    ] {
        assert!(plan.contains(line), "{line}\n{plan}");
    }
    for pair in SAME.chunks(2).filter(|pair| pair.iter().all(|(name, _)| !name.is_empty())) {
        let [(name, old), (_, new)] = pair else { continue };
        assert_eq!(sum(&shop, "shop__kept_1", old), sum(&shop, "shop", new), "{name}");
    }
    for table in AS_BEFORE {
        let all = format!("SELECT * FROM {table} t ORDER BY t::text");
        assert_eq!(sum(&shop, "shop__kept_1", &all), sum(&shop, "shop", &all), "{table}");
    }
    assert_eq!(everything(&shop, "shop__kept_1"), before, "the old database");
    assert_eq!(shop.ask("SELECT string_agg(name, ',' ORDER BY id) FROM genres"), "Jazz,soul,mine,ska");
    assert_eq!(shop.ask("SELECT count(*) FROM audit"), "0");
    assert_eq!(shop.ask("SELECT n FROM adults"), "300");
    assert_eq!(shop.ask("SELECT encode(lo_get(4711), 'escape')"), "a drawing");
    let next = "SELECT nextval('orders_id_seq'), nextval('tickets_id_seq'), nextval('counted_id_seq'), nextval('free_number')";
    assert_eq!(shop.ask(next), "5000|41|13|4712");
    let ours =
        "SELECT count(*) FROM pg_tables WHERE schemaname = 'cleanslate' AND tablename ~ '^(carried|aside)'";
    assert_eq!(shop.ask(ours), "0");

    let _ = shop.run("slate-undo", &["--yes"]).expect_code(0);
    assert_eq!(everything(&shop, "shop"), before, "after undo");
}

#[test]
fn what_is_typed_while_it_asks_comes_along() {
    if offline("a rebuild on a real server") {
        return;
    }
    let shop = Shop::open();
    let _ = shop.swap();
    let _ = shop.ask("INSERT INTO goods VALUES (3, 'vase')");
    shop.write("migrations/1_baseline.sql", "CREATE TABLE goods (id int PRIMARY KEY, name text NOT NULL, note text);\nCREATE TABLE sold (id int PRIMARY KEY, goods int REFERENCES goods);\n");
    let by_psql = shop.psql("shop");
    let address = by_psql.get_envs().filter_map(|(name, value)| Some((name.to_str()?, value?.to_str()?)));
    let address: Vec<String> = address.map(|(name, value)| format!("{name}='{value}'")).collect();
    let types = format!("{} psql -Xc \"INSERT INTO goods VALUES (4, 'late')\"", address.join(" "));
    shop.configure(&format!("[[before_reset]]\ncommand = {}\n", toml(&types)));

    let done = shop.run("slate-rebuild", &["--yes"]).expect_code(0);
    shop.settle();

    assert_told(&done, &["goods 3"]);
    assert_eq!(shop.ask("SELECT string_agg(name, ',' ORDER BY id) FROM goods"), "lamp,rug,vase,late");
}

#[test]
fn some_tables_are_kept_and_the_others_begin_with_the_seeds() {
    if offline("a rebuild on a real server") {
        return;
    }
    let shop = Shop::open();
    let _ = shop.swap();
    let _ = shop.ask("INSERT INTO goods VALUES (3, 'vase'); UPDATE goods SET name = 'my lamp' WHERE id = 1; INSERT INTO sold VALUES (1, 3)");

    let unknown = shop.run("slate-rebuild", &["--keep", "godos", "--yes"]).told(2);
    let done = shop.run("slate-rebuild", &["--keep", "goods", "--yes"]).expect_code(0);
    shop.settle();

    assert_eq!(
        (unknown.error.as_str(), unknown.hint.as_str()),
        ("there is no table `godos` to keep", "did you mean `goods`?")
    );
    assert_told(&done, &["goods 3", "sold 1: not among those to keep"]);
    assert_eq!(shop.ask("SELECT string_agg(name, ',' ORDER BY id) FROM goods"), "my lamp,rug,vase");
    assert_eq!(shop.ask("SELECT count(*) FROM sold"), "0");
}
