//! What the server does not let us do, or must not: refused with what helps, and nothing lost.

use std::fs;

use testkit::{Shop, Told, offline};

fn as_admin(shop: &Shop, sql: &str) {
    let output =
        shop.psql("postgres").env("PGUSER", "admin").env("PGPASSWORD", "admin").args(["-c", sql]).output();
    assert!(output.is_ok_and(|output| output.status.success()), "{sql}");
}

/// The workspace's role is no superuser any more; another one is.
fn demoted() -> Shop {
    let shop = Shop::open();
    let _ = shop.ask("CREATE ROLE admin SUPERUSER LOGIN PASSWORD 'admin'");
    let _ = shop.swap();
    let _ = shop.ask("INSERT INTO goods VALUES (3, 'vase')");
    as_admin(&shop, "ALTER ROLE shop NOSUPERUSER NOCREATEDB");
    shop
}

fn refused(shop: &Shop, arguments: &[&str]) -> Told {
    let told = shop.run("slate-reset", arguments).told(4);
    assert_eq!(shop.ask("SELECT string_agg(name, ' ' ORDER BY id) FROM goods"), "lamp rug vase", "{told:?}");
    told
}

#[test]
fn without_createdb_the_statement_that_grants_it_is_told() {
    if offline("a role without CREATEDB") {
        return;
    }
    let shop = demoted();

    let told = refused(&shop, &["--yes"]);
    assert!(told.cause.contains("permission denied to rename database"), "{told:?}");
    assert_eq!(told.hint, "as a superuser: ALTER ROLE \"shop\" CREATEDB");
    let told = refused(&shop, &["--drop", "--yes", "--no-undo"]);
    assert_eq!(told.hint, "as a superuser: ALTER ROLE \"shop\" CREATEDB");

    as_admin(&shop, "ALTER ROLE shop CREATEDB");
    let _ = shop.run("slate-reset", &["--yes"]).expect_code(0);
    assert_eq!(shop.ask("SELECT count(*) FROM goods"), "2");
    let _ = shop.run("slate-undo", &["--yes"]).expect_code(0);
    assert_eq!(shop.ask("SELECT count(*) FROM goods"), "3");
}

#[test]
fn who_does_not_own_the_database_is_told_how_to() {
    if offline("a database of another owner") {
        return;
    }
    let shop = demoted();
    as_admin(&shop, "ALTER ROLE shop CREATEDB");
    as_admin(&shop, "ALTER DATABASE shop OWNER TO admin");

    let told = refused(&shop, &["--yes"]);

    assert!(told.hint.contains("OWNER TO") || told.hint.contains("GRANT"), "{told:?}");
    as_admin(&shop, "ALTER DATABASE shop OWNER TO shop");
    let _ = shop.run("slate-reset", &["--yes"]).expect_code(0);
}

#[test]
fn a_standby_is_read_only() {
    if offline("a standby") {
        return;
    }
    let shop = Shop::open();
    let _ = shop.run("slate-down", &[]).expect_code(0);
    fs::write(shop.cluster().join("standby.signal"), "").unwrap_or_default();
    let _ = shop.run("slate-up", &[]);
    shop.wait_until("SELECT pg_is_in_recovery()", "t");

    let told = shop.run("slate-reset", &["--yes"]).told(4);

    assert!(format!("{told:?}").contains("standby"), "{told:?}");
    assert_eq!(told.state, "nothing was changed");
    assert_eq!(shop.ask("SELECT count(*) FROM goods"), "2");
}

#[test]
fn a_database_called_postgres_is_reset_from_another_one() {
    if offline("a database called postgres") {
        return;
    }
    let shop = Shop::new();
    let toml = "[database]\nserver = \"local\"\nname = \"postgres\"\nuser = \"shop\"\n\n[migrations]\ntool = \"sql\"\ndir = \"migrations\"\n\n[seeds]\ndir = \"seeds\"\n";
    shop.write("cleanslate.toml", toml);
    shop.up();
    let _ = shop.ask_in("postgres", "INSERT INTO goods VALUES (3, 'vase')");

    let _ = shop.run("slate-reset", &["--yes"]).expect_code(0);

    assert_eq!(shop.ask_in("postgres", "SELECT count(*) FROM goods"), "2");
    let _ = shop.run("slate-undo", &["--yes"]).expect_code(0);
    assert_eq!(shop.ask_in("postgres", "SELECT count(*) FROM goods"), "3");
}
