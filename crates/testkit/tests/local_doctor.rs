//! The doctor's checks of server, database and files, each with its fault made real on a private cluster.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test fails by panicking")]

use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use testkit::{Sandbox, Shop, Stdin, offline};

/// What the doctor finds, as `check: what`; nothing where its exit code is 0.
fn found(shop: &Shop, arguments: &[&str]) -> Vec<String> {
    let output = shop.launch("slate-doctor", &[arguments, &["--json"]].concat()).run(Stdin::Null);
    let told: serde_json::Value = serde_json::from_str(&output.stdout).unwrap();
    let findings = told["plan"]["findings"].as_array().cloned().unwrap_or_default();
    assert_eq!(output.code, if findings.is_empty() { 0 } else { 10 }, "{output:?}");
    let text = |one: &serde_json::Value, key: &str| {
        let text = one[key].as_str().unwrap().to_owned();
        assert!(!text.is_empty(), "{key} of {one}");
        text
    };
    findings
        .iter()
        .map(|one| {
            assert!(!(text(one, "because") + &text(one, "mend")).contains(&shop.password()));
            format!("{}: {}", text(one, "check"), text(one, "what"))
        })
        .collect()
}

/// psql that goes on until it is killed.
fn session(shop: &Shop, sql: &str) -> Child {
    shop.psql("shop")
        .args(["-c", sql])
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap()
}

#[test]
fn a_sound_workspace_has_nothing_wrong() {
    if offline("the doctor on a sound cluster") {
        return;
    }
    let shop = Shop::open();

    assert_eq!(found(&shop, &[]), [""; 0]);
    let before = shop.contents();
    let output = shop.run("slate-doctor", &["--deep"]).expect_code(0);
    assert!(output.stdout.starts_with("Nothing is wrong"), "{}", output.stdout);
    assert_eq!(shop.contents(), before);
}

#[test]
fn a_server_that_does_not_run_is_no_fault_but_told() {
    if offline("the doctor on a stopped cluster") {
        return;
    }
    let shop = Shop::open();
    let _ = shop.run("slate-down", &[]).expect_code(0);

    let output = shop.run("slate-doctor", &[]).expect_code(0);

    assert!(
        output.stdout.contains("not seen  what is in the database: the server does not run"),
        "{}",
        output.stdout
    );
}

#[test]
fn an_edited_baseline_is_found_until_the_database_is_built_again() {
    if offline("the doctor on an edited baseline") {
        return;
    }
    let shop = Shop::open();
    shop.write("migrations/2_more.sql", "CREATE TABLE more (id int);\n");

    assert_eq!(found(&shop, &[]), ["baseline: migrations or seeds changed since `shop` was built"]);
    let _ = shop.reset();
    assert_eq!(found(&shop, &[]), [""; 0]);
}

#[test]
fn a_database_that_is_not_there_or_empty_is_found() {
    if offline("the doctor without a database") {
        return;
    }
    let shop = Shop::open();
    let _ = shop.ask("DROP TABLE sold, goods; DROP SCHEMA cleanslate CASCADE");
    assert_eq!(found(&shop, &[]), ["migrated: `shop` is not migrated"]);
    let _ = shop.ask_in("postgres", "DROP DATABASE shop");

    assert_eq!(found(&shop, &[]), ["database: database `shop` is not there"]);
    shop.up();
    assert_eq!(found(&shop, &[]), [""; 0]);
}

#[test]
fn a_sequence_behind_its_ids_is_found_and_the_command_mends_it() {
    if offline("the doctor on sequences") {
        return;
    }
    let shop = Shop::open();
    let _ = shop.ask("CREATE TABLE \"Odd 'one\" (id serial PRIMARY KEY, n int GENERATED ALWAYS AS IDENTITY)");
    assert_eq!(found(&shop, &[]), [""; 0]);
    let _ = shop.ask("INSERT INTO \"Odd 'one\" (id) VALUES (1), (7)");

    let output = shop.run("slate-doctor", &[]).expect_code(10);

    assert!(
        output.stdout.contains("the next id of public.\"Odd 'one\" is taken already"),
        "{}",
        output.stdout
    );
    let mend = output.stdout.lines().find_map(|line| line.strip_prefix("mend:  ")).unwrap();
    let sql = mend.strip_prefix("slate-psql -c ").unwrap();
    let unquoted = sql.trim_matches('\'').replace("'\\''", "'");
    let _ = shop.ask(&unquoted);
    assert_eq!(found(&shop, &[]), [""; 0]);
}

#[test]
fn a_session_that_others_wait_for_is_found() {
    if offline("the doctor on locks") {
        return;
    }
    let shop = Shop::open();
    let mut holder = session(&shop, "BEGIN; LOCK TABLE goods; SELECT pg_sleep(60)");
    shop.wait_until("SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'PgSleep'", "1");
    let mut waiter = session(&shop, "SELECT * FROM goods");
    shop.wait_until("SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'", "1");

    let begun = Instant::now();
    let seen = found(&shop, &[]);

    assert!(begun.elapsed() < Duration::from_secs(20), "it waits for the lock too: {:?}", begun.elapsed());

    assert!(
        seen.iter().any(|one| one.starts_with("blocking: ") && one.ends_with("keeps 1 session waiting")),
        "{seen:?}"
    );
    for child in [&mut holder, &mut waiter] {
        child.kill().unwrap();
        child.wait().unwrap();
    }
    let _ = shop.ask_in("postgres", "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE '%pg_sleep%' AND pid <> pg_backend_pid()");
    shop.wait_until("SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'", "0");
    assert_eq!(found(&shop, &[]), [""; 0]);
}

#[test]
fn what_is_kept_too_long_is_found() {
    if offline("the doctor on kept databases") {
        return;
    }
    let shop = Shop::open();
    let workspace = shop.notes().file_name().unwrap().to_string_lossy().into_owned();
    let comment = |at: &str| {
        let label = format!(
            "cleanslate {{\"workspace\":\"{workspace}\",\"kind\":\"kept\",\"of\":\"shop\",\"at\":\"{at}\"}}"
        );
        let _ = shop.ask_in("postgres", &format!("COMMENT ON DATABASE shop__kept_1 IS '{label}'"));
    };
    let _ = shop.ask_in("postgres", "CREATE DATABASE shop__kept_1");
    comment("2020-01-01T00:00:00Z");

    assert_eq!(found(&shop, &[]), ["kept: `shop__kept_1` is kept longer than 14 days"]);
    shop.configure("[undo]\ndays = 100000");
    assert_eq!(found(&shop, &[]), [""; 0]);
}

#[test]
fn what_is_kept_over_the_limit_is_found() {
    if offline("the doctor on too much kept") {
        return;
    }
    let shop = Shop::open();
    let _ = shop.ask("UPDATE goods SET name = name || '!'");
    let _ = shop.swap();
    assert_eq!(found(&shop, &[]), [""; 0]);

    shop.configure("[undo]\nmax_size = \"1 MB\"");

    let seen = found(&shop, &[]);
    assert_eq!(seen.len(), 1, "{seen:?}");
    assert!(seen[0].starts_with("kept: 1 kept database takes "), "{seen:?}");
}

#[test]
fn model_files_that_changed_alone_are_found() {
    if offline("the doctor on changed models") {
        return;
    }
    let shop = Shop::open();
    shop.write("models/goods.py", "name = 1\n");
    shop.configure("[models]\ndir = \"models\"");
    let _ = shop.reset();
    assert_eq!(found(&shop, &[]), [""; 0]);

    shop.write("models/goods.py", "name = 2\n");

    assert_eq!(
        found(&shop, &[]),
        ["models: the models changed since `shop` was built, and no migration did"]
    );
    shop.write("models/goods.py", "name = 1\n");
    assert_eq!(found(&shop, &[]), [""; 0]);
}

#[test]
fn several_heads_are_found() {
    if offline("the doctor on several heads") {
        return;
    }
    let shop = Shop::open();
    let alembic = "[database]\nserver = \"local\"\nname = \"shop\"\n[migrations]\ntool = \"alembic\"\ndir = \"versions\"\n";
    shop.write("cleanslate.toml", alembic);
    shop.write("versions/a.py", "revision = 'a'\ndown_revision = None\n");
    shop.write("versions/b.py", "revision = 'b'\ndown_revision = 'a'\n");
    let heads =
        |shop: &Shop| found(shop, &[]).into_iter().filter(|one| one.starts_with("heads")).collect::<Vec<_>>();
    assert_eq!(heads(&shop), [""; 0]);
    shop.write("versions/c.py", "revision = 'c'\ndown_revision = 'a'\n");

    assert_eq!(heads(&shop), ["heads: the migrations have several heads"]);
}

#[test]
fn the_projects_own_tool_is_asked_only_when_told() {
    if offline("the doctor with --deep") {
        return;
    }
    let shop = Shop::open();
    let alembic = "[database]\nserver = \"local\"\nname = \"shop\"\n[migrations]\ntool = \"alembic\"\ndir = \"versions\"\n";
    shop.write("cleanslate.toml", alembic);
    shop.write("versions/a.py", "revision = 'a'\ndown_revision = None\n");
    let models = |shop: &Shop, arguments: &[&str]| {
        found(shop, arguments).into_iter().filter(|one| one.starts_with("models")).collect::<Vec<_>>()
    };
    shop.sandbox().stub("alembic", "#!/bin/sh\n[ \"$1\" = check ] || exit 9\necho 'FAILED: New upgrade operations detected' >&2\nexit 255\n");

    assert_eq!(models(&shop, &[]), [""; 0]);
    assert_eq!(models(&shop, &["--deep"]), ["models: the models are not what the migrations say"]);
    shop.sandbox().stub("alembic", "#!/bin/sh\necho 'No new upgrade operations detected.'\n");
    assert_eq!(models(&shop, &["--deep"]), [""; 0]);
}

#[test]
fn little_room_is_found() {
    if offline("the doctor on a small disk") {
        return;
    }
    let sandbox = Sandbox::new();
    let state = sandbox.state();
    let mounted = std::process::Command::new("mount")
        .args(["-t", "tmpfs", "-o", "size=300m", "tmpfs"])
        .arg(&state)
        .status();
    if !mounted.is_ok_and(|status| status.success()) {
        eprintln!("not tested, since mounting is not allowed here: {}", state.display());
        return;
    }
    let shop = Shop::of(sandbox);
    shop.up();

    let seen = found(&shop, &[]);

    drop(shop);
    let _ = std::process::Command::new("umount").arg("-l").arg(&state).status();
    assert_eq!(seen.len(), 1, "{seen:?}");
    assert!(
        seen[0].starts_with("room: ") && seen[0].ends_with("are free for cleanslate's own files"),
        "{seen:?}"
    );
}
