//! Names that want quoting, and the one that Postgres uses itself.

use testkit::{Shop, offline};

fn named(name: &str) -> Shop {
    let shop = Shop::new();
    let toml = format!(
        "[database]\nserver = \"local\"\nname = '{name}'\n\n[migrations]\ntool = \"sql\"\ndir = \"migrations\"\n\n[seeds]\ndir = \"seeds\"\n"
    );
    shop.write("cleanslate.toml", &toml);
    shop
}

fn goes_through(name: &str) -> Shop {
    let shop = named(name);
    shop.up();
    let _ = shop.ask_in(name, "INSERT INTO goods VALUES (3, 'vase')");
    let _ = shop.reset().expect_code(0);
    assert_eq!(shop.ask_in(name, "SELECT count(*) FROM goods"), "2", "{name}");
    let status = shop.run("slate-status", &[]).expect_code(0);
    assert!(status.stdout.contains("current, built"), "{status:?}");
    let _ = shop.run("slate-clean", &["--yes"]).expect_code(0);
    let _ = shop.run("slate-undo", &["--yes"]).expect_code(0);
    shop.up();
    assert_eq!(shop.ask_in(name, "SELECT count(*) FROM goods"), "2", "{name}");
    shop
}

#[test]
fn a_name_that_wants_quoting_is_a_name() {
    if offline("a database called we\"ird; drop") {
        return;
    }
    let shop = goes_through("we\"ird; drop");

    assert_eq!(shop.databases(), "we\"ird; drop");
}

#[test]
fn the_name_that_postgres_uses_itself_is_a_name() {
    if offline("a database called postgres") {
        return;
    }
    let shop = goes_through("postgres");

    assert_eq!(
        shop.ask_in(
            "template1",
            "SELECT string_agg(datname, ' ' ORDER BY 1) FROM pg_database WHERE NOT datistemplate"
        ),
        "cleanslate postgres"
    );
}

#[test]
fn the_longest_name_and_others_go_through() {
    if offline("names of 63 bytes") {
        return;
    }
    for name in [&"ü".repeat(31), "a\\b\\c$$"] {
        drop(goes_through(name));
    }
}
