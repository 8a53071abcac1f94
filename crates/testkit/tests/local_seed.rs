//! Seeds on a real server: files of rows, sets, commands, and a reload that takes nothing of the user's.

use testkit::{Shop, offline};

const BASELINE: &str = "CREATE TABLE goods (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, name text NOT NULL, note text DEFAULT 'new');\n\
                        CREATE TABLE sold (id serial PRIMARY KEY, goods int NOT NULL REFERENCES goods);\n\
                        CREATE SCHEMA \"my.shop\";\n\
                        CREATE TABLE \"my.shop\".\"a/b \"\"c\"\" ü\" (\"the, one\" int, two text);\n";

fn shop() -> Shop {
    let shop = Shop::new();
    shop.write("migrations/1_baseline.sql", BASELINE);
    shop.write(
        "seeds/1_goods.sql",
        "INSERT INTO goods (id, name) OVERRIDING SYSTEM VALUE VALUES (1, 'lamp');\n",
    );
    shop
}

#[test]
fn rows_in_csv_files_are_loaded_in_their_order_and_numbers_go_on_after_them() {
    if offline("seeds in CSV files") {
        return;
    }
    let shop = shop();
    // Columns in another order, one left out, NULL beside an empty text, CRLF and a mark at the beginning.
    shop.write("seeds/2_goods.csv", "\u{feff}name,id\r\n\"a, b\",7\r\n\"\",8\r\n");
    shop.write("seeds/3_sold.csv", "id,goods\n4,7\n5,8\n");
    shop.write("seeds/4_my%2Eshop.a%2Fb %22c%22 ü.csv", "\"the, one\",two\n1,\n2,\"\"\n");

    shop.up();

    assert_eq!(
        shop.ask("SELECT string_agg(id || name || note, ' ' ORDER BY id) FROM goods"),
        "1lampnew 7a, bnew 8new"
    );
    assert_eq!(shop.ask("SELECT string_agg(\"the, one\" || (two IS NULL)::text, ' ' ORDER BY 1) FROM \"my.shop\".\"a/b \"\"c\"\" ü\""), "1true 2false");
    assert_eq!(shop.ask("INSERT INTO goods (name) VALUES ('next') RETURNING id"), "9");
    assert_eq!(shop.ask("INSERT INTO sold (goods) VALUES (9) RETURNING id"), "6");
    let _ = shop.swap();
    assert_eq!(shop.ask("INSERT INTO sold (goods) VALUES (8) RETURNING id"), "6");

    // A changed file of rows is another baseline.
    shop.write("seeds/3_sold.csv", "id,goods\n4,7\n");
    let status = shop.run("slate-status", &[]).expect_code(0);
    assert!(status.stdout.contains("stale"), "{status:?}");
}

#[test]
fn a_broken_row_is_told_with_its_file_and_line_and_nothing_is_loaded() {
    if offline("a broken row") {
        return;
    }
    let shop = shop();
    shop.write("seeds/2_sold.csv", "id,goods\n1,1\n2,many\n");

    let told = shop.run("slate-up", &[]).told(1);

    assert_eq!(told.error, "`shop` was not seeded");
    assert!(told.cause.starts_with("seeds/2_sold.csv:3: invalid input syntax"), "{told:?}");
    assert_eq!(shop.ask("SELECT count(*) FROM goods"), "0");

    // Also where psql loads the files.
    shop.write(
        "seeds/1_goods.sql",
        "\\set one 1\nINSERT INTO goods OVERRIDING SYSTEM VALUE VALUES (:one, 'lamp');\n",
    );
    let told = shop.run("slate-up", &[]).told(1);
    assert!(told.cause.contains("invalid input syntax") && told.cause.contains("line 3"), "{told:?}");
    assert_eq!(shop.ask("SELECT count(*) FROM goods"), "0");
    shop.write("seeds/2_sold.csv", "id,goods\n1,1\n2,1\n");
    shop.up();
    assert_eq!(shop.ask("INSERT INTO sold (goods) VALUES (1) RETURNING id"), "3");
}

#[test]
fn a_reload_replaces_the_seeded_rows_alone_and_undo_brings_them_back() {
    if offline("a reload of seeds") {
        return;
    }
    let shop = shop();
    shop.up();
    let _ = shop.ask("UPDATE goods SET name = 'mine'; INSERT INTO goods (name) VALUES ('more'); INSERT INTO sold (goods) VALUES (1)");

    // Rows are there: it says so, and changes nothing.
    let output = shop.run("slate-seed", &[]).expect_code(0);
    assert!(output.stdout.contains("3 rows: slate-seed --reload"), "{output:?}");
    assert_eq!(shop.ask("SELECT string_agg(name, ' ' ORDER BY id) FROM goods"), "mine more");

    let dry = shop.run("slate-seed", &["--reload", "--dry-run"]).expect_code(0);
    assert!(dry.stdout.contains("goods") || dry.stdout.contains("clone"), "{dry:?}");
    assert_eq!(shop.databases(), "shop");

    for _ in 0..2 {
        let output = shop.run("slate-seed", &["--reload"]).expect_code(0);
        assert!(output.stdout.contains("kept: slate-undo"), "{output:?}");
        assert_eq!(shop.ask("SELECT string_agg(name, ' ' ORDER BY id) FROM goods"), "lamp");
        assert_eq!(shop.ask("SELECT string_agg(id || ' ' || goods, ',') FROM sold"), "1 1");
    }

    let _ = shop.run("slate-undo", &[]).expect_code(0);
    let _ = shop.run("slate-undo", &["--to", "1"]).expect_code(0);
    assert_eq!(shop.ask("SELECT string_agg(name, ' ' ORDER BY id) FROM goods"), "mine more");
}

#[test]
fn a_reload_that_leaves_a_row_without_what_it_refers_to_changes_nothing() {
    if offline("a reload that does not fit") {
        return;
    }
    let shop = shop();
    shop.up();
    let _ = shop.ask("INSERT INTO goods (name) VALUES ('more'); INSERT INTO sold (goods) VALUES (2)");
    let before = shop.contents();

    let told = shop.run("slate-seed", &["--reload"]).told(1);

    assert_eq!(told.error, "`shop__seeded` was not seeded");
    assert!(told.cause.contains("`sold`: 1 row refers to `goods` that are not there"), "{told:?}");
    assert_eq!(shop.contents(), before);
    assert_eq!(shop.databases(), "shop");

    let again = shop.run("slate-seed", &["--reload", "--no-undo", "--yes"]).told(1);
    assert_eq!(again.error, told.error);
    let _ = shop.ask("DELETE FROM sold");
    let _ = shop.run("slate-seed", &["--reload", "--no-undo", "--yes"]).expect_code(0);
    assert_eq!(
        (shop.ask("SELECT count(*) FROM goods"), shop.databases()),
        ("1".to_owned(), "shop".to_owned())
    );
}

#[test]
fn a_set_stands_for_itself_and_commands_fill_what_they_are_given() {
    if offline("sets and commands of seeds") {
        return;
    }
    let shop = shop();
    let psql = testkit::program("psql").display().to_string();
    let command = format!("{psql} -Xq $SEED_URL -c 'INSERT INTO sold (goods) SELECT max(id) FROM goods'");
    shop.configure(&format!(
        "\n[[seeds.command]]\ncommand = \"{command}\"\nvariable = \"SEED_URL\"\n\n[[seeds.command]]\nset = \"demo\"\ncommand = \"{command}\"\nvariable = \"SEED_URL\"\n"
    ));
    shop.write("seeds/demo/1_goods.csv", "id,name\n3,rug\n");

    shop.up();
    assert_eq!(shop.ask("SELECT string_agg(goods::text, ' ') FROM sold"), "1");
    let _ = shop.swap();
    assert_eq!(shop.ask("SELECT string_agg(goods::text, ' ') FROM sold"), "1");

    let _ = shop.ask("TRUNCATE goods, sold");
    let output = shop.run("slate-seed", &["--set", "demo"]).expect_code(0);
    assert!(output.stdout.contains("`shop` holds the seeds `demo`"), "{output:?}");
    assert_eq!(
        shop.ask("SELECT string_agg(name, ' ') || string_agg(s.goods::text, ' ') FROM goods, sold s"),
        "rug3"
    );

    let told = shop.run("slate-seed", &["--set", "../demo"]).told(2);
    assert_eq!(told.error, "that is no name for a set of seeds");
    let told = shop.run("slate-seed", &["--set", "nothing", "--reload"]).told(2);
    assert!(told.error.contains("seeds/nothing"), "{told:?}");
    assert_eq!(shop.ask("SELECT count(*) FROM goods"), "1");

    // A command that would work on another database is refused before anything is loaded.
    shop.configure("\n[[seeds.command]]\ncommand = \"true\"\n");
    let _ = shop.ask("TRUNCATE goods, sold");
    let told = shop.run("slate-seed", &[]).told(4);
    assert!(told.error.contains("was not proved"), "{told:?}");
    assert_eq!(shop.ask("SELECT count(*) FROM goods"), "0");
}

#[test]
fn a_changed_command_is_another_baseline() {
    if offline("a changed command of seeds") {
        return;
    }
    let shop = shop();
    shop.up();
    let status = shop.run("slate-status", &[]).expect_code(0);
    assert!(!status.stdout.contains("stale"), "{status:?}");

    shop.configure("\n[[seeds.command]]\ncommand = \"false\"\n");

    let status = shop.run("slate-status", &[]).expect_code(0);
    assert!(status.stdout.contains("stale"), "{status:?}");
}
