//! A baseline or seeds that Postgres does not take: file, line and column, and the live database as it was.

use testkit::{Shop, offline};

const BROKEN: &str = "CREATE TABLE goods (id int PRIMARY KEY);\nCREATE TABLE sold (\n    id int PRIMARY KEY,\n    goods itn\n);\n";

#[test]
fn an_error_in_the_baseline_is_told_with_its_place_on_reset() {
    if offline("a baseline with an error, on reset") {
        return;
    }
    let shop = Shop::open();
    let _ = shop.ask("INSERT INTO goods VALUES (3, 'vase')");
    let before = shop.contents();
    shop.write("migrations/1_baseline.sql", BROKEN);

    let told = shop.reset().told(1);

    assert_eq!(told.error, "`shop__next` was not migrated");
    assert_eq!(told.cause, "migrations/1_baseline.sql:4:11: type \"itn\" does not exist");
    assert_eq!(told.state, "all is as it was; your data is whole in `shop`");
    assert_eq!(shop.contents(), before);
    assert_eq!(shop.databases(), "shop");

    // Later than the baseline: what was done to the new database went with it.
    shop.write("migrations/1_baseline.sql", "CREATE TABLE goods (id int PRIMARY KEY, name text);\n");
    shop.write("seeds/2_more.sql", "INSERT INTO nothing VALUES (1);\n");
    let told = shop.reset().told(1);
    assert_eq!(told.cause, "seeds/2_more.sql:1:13: relation \"nothing\" does not exist");
    assert_eq!(told.state, "all is as it was; your data is whole in `shop`");
    assert_eq!(shop.contents(), before);
}

#[test]
fn an_error_in_the_baseline_is_told_with_its_place_on_up() {
    if offline("a baseline with an error, on up") {
        return;
    }
    for (tool, file) in [("sql", "2_more.sql"), ("sqlx", "2_more.sql")] {
        let shop = Shop::new();
        let toml = format!(
            "[database]\nserver = \"local\"\nname = \"shop\"\n[migrations]\ntool = \"{tool}\"\ndir = \"migrations\"\n[seeds]\ndir = \"seeds\"\n"
        );
        shop.write("cleanslate.toml", &toml);
        shop.write(format!("migrations/{file}"), "ALTER TABLE goods\n  ADD price itn;\n");

        let told = shop.run("slate-up", &[]).told(1);

        assert_eq!(told.error, "`shop` was not migrated", "{tool}");
        assert!(told.cause.starts_with("migrations/2_more.sql:2:13: type"), "{told:?}");
        // Half a baseline would be taken for a whole one by the next run.
        assert_eq!(
            shop.ask("SELECT count(*) FROM pg_tables WHERE schemaname = 'public' AND tablename = 'goods'"),
            "0"
        );

        shop.write(format!("migrations/{file}"), "ALTER TABLE goods ADD price int;\n");
        shop.up();
        assert_eq!(shop.ask("SELECT count(price) || ' of ' || count(*) FROM goods"), "0 of 2");
        let status = shop.run("slate-status", &[]).expect_code(0);
        assert!(status.stdout.contains("current, built"), "{status:?}");
    }
}

#[test]
fn a_new_value_of_an_enum_may_be_used_by_the_next_migration() {
    if offline("migrations that need commits between them") {
        return;
    }
    let shop = Shop::new();
    shop.write("cleanslate.toml", "[database]\nserver = \"local\"\nname = \"shop\"\n[migrations]\ntool = \"sqlx\"\ndir = \"migrations\"\n");
    shop.write("migrations/2_enum.sql", "CREATE TYPE size AS ENUM ('small');\n");
    shop.write("migrations/3_value.sql", "ALTER TYPE size ADD VALUE 'large';\n");
    shop.write("migrations/4_use.sql", "ALTER TABLE goods ADD size size DEFAULT 'large';\n");

    shop.up();

    assert_eq!(shop.ask("SELECT count(*) FROM _sqlx_migrations WHERE success"), "4");
}

#[test]
fn seeds_that_fail_leave_no_row_and_the_next_run_loads_them() {
    if offline("seeds that fail halfway") {
        return;
    }
    // The second time one of the files needs psql: they are loaded together all the same.
    for second in [
        "INSERT INTO sold VALUES (1, 1);\nINSERT INTO sold VALUES (2, 99);\n",
        "\\set n 99\nINSERT INTO sold VALUES (1, :n);\n",
    ] {
        let shop = Shop::new();
        shop.write("seeds/2_sold.sql", second);

        let told = shop.run("slate-up", &[]).told(1);

        assert_eq!(told.error, "`shop` was not seeded");
        assert!(told.cause.starts_with("seeds/2_sold.sql"), "{told:?}");
        assert!(told.cause.contains("foreign key"), "{told:?}");
        assert_eq!(shop.ask("SELECT count(*) FROM goods"), "0");

        shop.write("seeds/2_sold.sql", "INSERT INTO sold VALUES (1, 1);\n");
        shop.up();
        assert_eq!(shop.ask("SELECT (SELECT count(*) FROM goods), (SELECT count(*) FROM sold)"), "2|1");
        // Built by us, and not from these files: the seeds were mended meanwhile.
        let status = shop.run("slate-status", &[]).expect_code(0);
        assert!(status.stdout.contains("stale: the files changed since it was built"), "{status:?}");
    }
}

#[test]
fn seeds_may_hold_what_only_psql_reads() {
    if offline("psql's own commands in seeds") {
        return;
    }
    let shop = Shop::new();
    shop.write(
        "seeds/2_psql.sql",
        "\\set wanted 'a chair'\n\\if true\nINSERT INTO goods VALUES (3, :'wanted');\n\\endif\n",
    );
    shop.write("data/goods.csv", "4,desk\n5,\"a, b\"\n");
    shop.write("seeds/3_copy.sql", "\\copy goods FROM 'data/goods.csv' WITH (FORMAT csv)\nCOPY goods FROM stdin;\n6\tbed\n\\.\n\\ir more/4.inc\n");
    shop.write("seeds/more/4.inc", "INSERT INTO goods VALUES (7, 'jar');\n");

    // From another folder: paths start from the workspace all the same.
    let root = shop.sandbox().work().display().to_string();
    let output = shop.launch("slate-up", &["--root", &root]).folder("/").run(testkit::Stdin::Null);

    assert_eq!(output.code, 0, "{output:?}");
    assert_eq!(
        shop.ask("SELECT string_agg(name, ' ' ORDER BY id) FROM goods"),
        "lamp rug a chair desk a, b bed jar"
    );
    let _ = shop.reset().expect_code(0);
    assert_eq!(shop.ask("SELECT count(*) FROM goods"), "7");
}

#[test]
fn seeds_from_another_system_are_read_as_they_are_meant() {
    if offline("seeds with CRLF and a byte order mark") {
        return;
    }
    let shop = Shop::new();
    shop.write("seeds/1_goods.sql", "\u{feff}INSERT INTO goods VALUES\r\n(1, 'lämp');\r\n");
    shop.write("seeds/2_copy.sql", "\u{feff}COPY goods FROM stdin;\r\n2\trüg\r\n\\.\r\n");
    shop.write(
        "migrations/1_baseline.sql",
        "\u{feff}CREATE TABLE goods (\r\n  id int,\r\n  name text\r\n);\r\n",
    );

    shop.up();
    assert_eq!(shop.ask("SELECT string_agg(name || length(name), ' ' ORDER BY id) FROM goods"), "lämp4 rüg3");

    std::fs::remove_file(shop.sandbox().work().join("seeds/2_copy.sql")).unwrap();
    let output = shop
        .launch("slate-reset", &["--drop", "--yes", "--no-undo"])
        .env("LC_ALL", "C")
        .run(testkit::Stdin::Null);
    assert_eq!(output.code, 0, "{output:?}");
    assert_eq!(shop.ask("SELECT name FROM goods"), "lämp");
}
