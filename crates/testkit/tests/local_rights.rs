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
fn a_rebuild_needs_no_superuser() {
    if offline("a rebuild by a role that may only create databases") {
        return;
    }
    let shop = Shop::new();
    let baseline = |note: &str| {
        let tables = "CREATE TABLE users (id int PRIMARY KEY, boss int REFERENCES users, team int{});
            CREATE TABLE teams (id int PRIMARY KEY, lead int REFERENCES users ON DELETE CASCADE);
            ALTER TABLE users ADD CONSTRAINT in_team FOREIGN KEY (team) REFERENCES teams ON DELETE CASCADE DEFERRABLE;
            COMMENT ON CONSTRAINT in_team ON users IS 'where they work';
            CREATE TABLE logins (id int PRIMARY KEY, who int REFERENCES users);
            CREATE TABLE audit (what text);
            CREATE FUNCTION noted() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN INSERT INTO audit VALUES (TG_OP); RETURN NEW; END $$;
            CREATE TRIGGER noted AFTER INSERT ON users FOR EACH ROW EXECUTE FUNCTION noted();
            ALTER TABLE users ENABLE ALWAYS TRIGGER noted;
            CREATE RULE unseen AS ON INSERT TO logins WHERE NEW.id = 0 DO INSTEAD NOTHING;
            ALTER TABLE logins ENABLE ROW LEVEL SECURITY;
            CREATE POLICY mine ON logins USING (false);
            CREATE TABLE strict (id int PRIMARY KEY, who int{strict});";
        let strict = if note.is_empty() { "" } else { " REFERENCES users" };
        shop.write("migrations/1_baseline.sql", &tables.replace("{strict}", strict).replace("{}", note));
    };
    shop.write("seeds/1_goods.sql", "INSERT INTO teams VALUES (9, NULL);\n");
    baseline("");
    shop.up();
    let _ = shop.ask("CREATE ROLE admin SUPERUSER LOGIN PASSWORD 'admin'");
    let _ = shop.swap();
    let _ = shop.ask(
        "INSERT INTO teams VALUES (1, NULL); INSERT INTO users VALUES (1, 1, 1), (2, 1, 1); UPDATE teams SET lead = 2 WHERE id = 1;
         INSERT INTO logins VALUES (1, 2); INSERT INTO strict VALUES (1, 77); DELETE FROM audit",
    );
    as_admin(&shop, "ALTER ROLE shop NOSUPERUSER CREATEDB");
    let guards = "SELECT (SELECT string_agg(conname || ' ' || pg_get_constraintdef(oid) || coalesce(obj_description(oid), ''), '; ' ORDER BY conname)
        FROM pg_constraint WHERE contype = 'f' AND conname <> 'strict_who_fkey'),
        (SELECT string_agg(tgname || ' ' || tgenabled::text, '; ') FROM pg_trigger WHERE NOT tgisinternal),
        (SELECT string_agg(rulename || ' ' || ev_enabled::text, '; ') FROM pg_rewrite WHERE rulename = 'unseen')";
    let before = shop.ask(guards);
    baseline(", note text");

    let done = shop.run("slate-rebuild", &["--yes"]).expect_code(0);
    shop.settle();

    assert!(done.stderr.contains("strict 1: 1 row refers to `users` that are not there"), "{}", done.stderr);
    let rows = "SELECT (SELECT string_agg(u.id || ' ' || boss || ' ' || team, ',' ORDER BY u.id) FROM users u),
        (SELECT string_agg(id || ' ' || coalesce(lead, 0), ',' ORDER BY id) FROM teams), (SELECT count(*) FROM logins),
        (SELECT count(*) FROM strict), (SELECT count(*) FROM audit)";
    assert_eq!(shop.ask(rows), "1 1 1,2 1 1|1 2,9 0|1|0|0");
    assert_eq!(shop.ask(guards), before);
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
