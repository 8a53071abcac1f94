//! The project's own command for migrations: used only where it is proved to use the address it is given.

use std::fs;

use testkit::{Shop, Stdin, offline};

fn with_command(shop: &Shop, command: &str) {
    let toml = format!(
        "[database]\nserver = \"local\"\nname = \"shop\"\n\n[migrations]\ntool = \"command\"\ncommand = '''{command}'''\n\n[seeds]\ndir = \"seeds\"\n"
    );
    shop.write("cleanslate.toml", &toml);
}

fn psql() -> String {
    format!("{} -q -v ON_ERROR_STOP=1", testkit::program("psql").display())
}

#[test]
fn a_runner_that_uses_its_variable_builds_and_rebuilds() {
    if offline("a migration command") {
        return;
    }
    let shop = Shop::new();
    with_command(&shop, &format!("{} \"$DATABASE_URL\" -f migrations/1_baseline.sql", psql()));

    shop.up();
    let _ = shop.ask("INSERT INTO goods VALUES (3, 'vase')");
    let _ = shop.reset().expect_code(0);

    assert_eq!(shop.ask("SELECT count(*) FROM goods"), "2");
}

#[test]
fn a_runner_that_ignores_its_variable_is_refused_and_the_live_database_stays() {
    if offline("a migration command that ignores its address") {
        return;
    }
    let shop = Shop::open();
    let _ = shop.ask("INSERT INTO goods VALUES (3, 'vase')");
    let before = shop.contents();
    let address = format!("postgresql://shop:{}@127.0.0.1:{}/shop", shop.password(), shop.port());
    fs::write(shop.root().join("address"), &address).unwrap();
    let file = shop.root().join("address").display().to_string();

    for (command, cause) in [
        (format!("{} \"$(cat '{file}')\" -c 'CREATE TABLE IF NOT EXISTS stray ()'", psql()), "succeeded"),
        (format!("{} \"$(cat '{file}')\" -c 'SELECT nothing'", psql()), "does not exist"),
        ("true".to_owned(), "succeeded"),
        ("no-such-program --now".to_owned(), "not found"),
    ] {
        with_command(&shop, &command);

        let told = shop.reset().told(4);

        assert!(told.error.contains("was not proved to use the address"), "{told:?}");
        assert!(told.cause.contains(cause), "{told:?}");
        assert!(told.hint.contains("migrations.variable"), "{told:?}");
        assert_eq!(shop.databases(), "shop");
        assert!(!format!("{told:?}").contains(&shop.password()));
        let _ = shop.ask("DROP TABLE IF EXISTS stray");
    }
    assert_eq!(shop.contents(), before);
}

#[test]
fn a_runner_that_fails_halfway_leaves_nothing_on_reset_and_an_empty_database_on_up() {
    if offline("a migration command that fails halfway") {
        return;
    }
    let shop = Shop::new();
    let half = format!("{} \"$DATABASE_URL\" -f migrations/1_baseline.sql -c 'SELECT nothing'", psql());
    let whole = format!("{} \"$DATABASE_URL\" -f migrations/1_baseline.sql", psql());
    with_command(&shop, &half);

    let told = shop.run("slate-up", &[]).told(1);
    assert!(told.error.starts_with("`shop` was not migrated by"), "{told:?}");
    assert_eq!(shop.ask("SELECT count(*) FROM pg_tables WHERE schemaname = 'public'"), "0");

    with_command(&shop, &whole);
    shop.up();
    assert_eq!(shop.ask("SELECT count(*) FROM goods"), "2");
    let _ = shop.ask("INSERT INTO goods VALUES (3, 'vase')");
    let before = shop.contents();

    with_command(&shop, &half);
    let told = shop.reset().told(1);
    assert_eq!(told.state, "all is as it was; your data is whole in `shop`");
    assert_eq!(shop.contents(), before);
}

#[test]
fn a_password_in_an_address_is_told_by_nobody() {
    if offline("a password in a runner's address") {
        return;
    }
    let shop = Shop::open();
    let parts = "printf '%s\\n' \"$DATABASE_URL\" | sed 's|.*://||; s|@.*||; s|.*:|its password: |'";
    let echo = format!(
        "echo \"to $DATABASE_URL\"; {parts}; {} \"$DATABASE_URL\" -f migrations/1_baseline.sql; false",
        psql()
    );
    with_command(&shop, &echo);
    // What the user's own shell holds is another address, of which only the driver is taken.
    let own = "postgresql+psycopg://app:p%40ss%2Fw%3Ard%21@db.example:5432/app?ssl=true";

    for flags in [&["-v"][..], &["--json"], &["--json=stream"], &["-q"]] {
        let launch = shop
            .launch("slate-reset", &["--drop", "--yes", "--no-undo"])
            .args(flags)
            .env("DATABASE_URL", own);
        let output = launch.run(Stdin::Null);

        assert_ne!(output.code, 0);
        let said = format!("{}{}", output.stdout, output.stderr);
        for secret in [shop.password().as_str(), "p%40ss", "p@ss/w:rd!"] {
            assert!(!said.contains(secret), "{flags:?}: {secret} in\n{said}");
        }
    }
    let journal = fs::read_to_string(shop.notes().join("journal.jsonl")).unwrap();
    assert!(!journal.contains(&shop.password()) && !journal.contains("p%40ss"), "{journal}");
}

#[test]
fn a_runner_that_works_on_the_live_database_as_well_is_found_out() {
    if offline("a migration command that changes the live database") {
        return;
    }
    let shop = Shop::open();
    let _ = shop.ask("INSERT INTO goods VALUES (3, 'vase')");
    let address = format!("postgresql://shop:{}@127.0.0.1:{}/shop", shop.password(), shop.port());
    fs::write(shop.root().join("address"), &address).unwrap();
    let file = shop.root().join("address").display().to_string();
    let psql = psql();
    // It passes the proof: what is absent fails by its name.
    with_command(
        &shop,
        &format!(
            "{psql} \"$DATABASE_URL\" -f migrations/1_baseline.sql && {psql} \"$(cat {file})\" -c \"CREATE TABLE IF NOT EXISTS stray ()\""
        ),
    );

    let told = shop.run("slate-reset", &["--yes"]).told(1);

    assert!(told.cause.contains("definitions in `shop` changed meanwhile"), "{told:?}");
    assert!(told.state.contains("your data is whole in `shop`"), "{told:?}");
    assert_eq!(shop.databases(), "shop");
    assert_eq!(shop.ask("SELECT count(*) FROM goods"), "3");
}
