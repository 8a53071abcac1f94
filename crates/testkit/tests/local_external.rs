//! A server that somebody else runs: read by anybody, changed only once its database is adopted.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use testkit::{Guest, Key, Shop, Told, offline};

/// Every database of the server, and what is in the guest's.
fn everything(host: &Shop) -> String {
    host.ask_in(
        "store",
        "SELECT schema_to_xml('public', true, false, ''),
                (SELECT string_agg(concat_ws('|', oid, datname, datallowconn, datacl, shobj_description(oid, 'pg_database')), '/' ORDER BY oid)
                 FROM pg_database), to_regnamespace('cleanslate')",
    )
}

/// Each command that changes something, with its words.
const CHANGES: [(&str, &[&str]); 8] = [
    ("slate-reset", &["--yes"]),
    ("slate-reset", &["--drop", "--yes", "--no-undo"]),
    ("slate-rebuild", &["--yes"]),
    ("slate-snapshot", &["save", "mine"]),
    ("slate-up", &[]),
    ("slate-ensure", &[]),
    ("slate-clean", &["--yes", "--no-undo"]),
    ("slate-clean", &["--only-db", "--yes"]),
];

#[test]
fn what_is_not_adopted_is_read_and_never_changed() {
    if offline("an external server") {
        return;
    }
    let host = Shop::open();
    let guest = Guest::of(&host, "store");
    let before = everything(&host);

    for (binary, arguments) in CHANGES {
        let told = guest.run(binary, arguments).told(4);
        assert!(told.state.starts_with("nothing was "), "{binary}: {told:?}");
        if binary != "slate-clean" {
            assert_eq!(told.hint, "slate-init --adopt", "{binary}: {told:?}");
        }
    }
    let status = guest.run("slate-status", &[]).expect_code(0);
    let psql = guest.run("slate-psql", &["-At", "-c", "SELECT count(*) FROM goods"]).expect_code(0);
    let doctor = guest.run("slate-doctor", &[]);
    let down = guest.run("slate-down", &[]).expect_code(0);

    assert!(
        status.stdout.contains("not adopted, so it is only read: slate-init --adopt"),
        "{}",
        status.stdout
    );
    assert!(status.stdout.contains("external server"), "{}", status.stdout);
    assert_eq!(psql.stdout.trim(), "3");
    assert!([0, 10].contains(&doctor.code), "{doctor:?}");
    assert!(down.stdout.contains("the server is external"), "{down:?}");
    assert_eq!(everything(&host), before);
}

#[test]
fn only_the_typed_name_adopts() {
    if offline("an adoption") {
        return;
    }
    let host = Shop::open();
    let guest = Guest::of(&host, "store");
    let before = everything(&host);

    for (arguments, code) in [
        (&["--adopt"][..], 3),
        (&["--adopt", "--yes"], 3),
        (&["--adopt", "--yes", "--no-undo", "--force"], 3),
        (&["--adopt=shop"], 2),
        (&["--adopt=", "--yes"], 3),
        (&["--adopt", "--confirm", "0123-0-0"], 3),
    ] {
        let _ = guest.run("slate-init", arguments).told(code);
    }
    let mut screen = guest.shop().launch("slate-init", &["--adopt"]).screen(110, 40);
    screen.wait_for("Type store").type_text("shop").press(Key::Enter);
    assert_eq!(screen.wait_exit(), 130, "{}", screen.text());
    assert_eq!(everything(&host), before);

    let mut screen = guest.shop().launch("slate-init", &["--adopt"]).screen(110, 40);
    screen.wait_for("Type store to say that it is this workspace's");
    let shown = screen.text();
    screen.type_text("store").press(Key::Enter);

    assert_eq!(screen.wait_exit(), 0, "{}", screen.text());
    for seen in ["postgresql://store:***@127.0.0.1", "one end of a tunnel", "2 tables, 3 rows", "nobody now"]
    {
        assert!(shown.contains(seen), "{seen}: {shown}");
    }
    assert_eq!(guest.goods(), "lamp rug vase");
    let again = guest.run("slate-init", &["--adopt"]).expect_code(0);
    assert!(again.stdout.contains("already"), "{again:?}");
}

#[test]
fn a_dry_run_gives_the_token_that_adopts() {
    if offline("an adoption by token") {
        return;
    }
    let host = Shop::open();
    let guest = Guest::of(&host, "store");
    let shown = guest.run("slate-init", &["--adopt", "--dry-run", "--json"]).expect_code(0).json();
    let token = shown.pointer("/token").and_then(serde_json::Value::as_str).unwrap_or_default();

    let _ = guest.run("slate-init", &["--adopt", "--confirm", token]).expect_code(0);

    let _ = guest.run("slate-up", &[]).expect_code(0);
}

#[test]
fn everything_works_on_what_is_adopted() {
    if offline("work on an external server") {
        return;
    }
    let host = Shop::open();
    let others = host.contents();
    let guest = Guest::of(&host, "store").adopted();
    // A rebuild keeps triggers from firing, which is a right of its own.
    let _ = host.ask_in("postgres", "GRANT SET ON PARAMETER session_replication_role TO store");

    let _ = guest.run("slate-up", &[]).expect_code(0);
    let _ = guest.run("slate-ensure", &[]).expect_code(0);
    assert_eq!(guest.goods(), "lamp rug vase");
    let _ = guest.run("slate-snapshot", &["save", "mine"]).expect_code(0);
    let _ = guest.run("slate-reset", &["--yes"]).expect_code(0);
    assert_eq!(guest.goods(), "lamp rug");
    let _ = guest.run("slate-undo", &["--yes"]).expect_code(0);
    assert_eq!(guest.goods(), "lamp rug vase");
    guest.shop().write(
        "migrations/1_baseline.sql",
        "CREATE TABLE goods (id int PRIMARY KEY, name text NOT NULL, price int);
         CREATE TABLE sold (id int PRIMARY KEY, goods int REFERENCES goods);",
    );
    let _ = guest.run("slate-rebuild", &["--yes"]).expect_code(0);
    assert_eq!(host.ask_in("store", "SELECT count(price) || '/' || count(*) FROM goods"), "0/3");
    let _ = guest.run("slate-snapshot", &["restore", "mine", "--yes"]).expect_code(0);
    let _ = guest.run("slate-check", &[]).expect_code(10);
    let _ = guest.run("slate-reset", &["--drop", "--yes", "--no-undo"]).expect_code(0);
    let _ = guest.run("slate-check", &[]).expect_code(0);

    assert_eq!(guest.goods(), "lamp rug");
    let told = guest.run("slate-clean", &["--yes", "--no-undo"]).told(4);
    assert!(told.error.contains("its server is external"), "{told:?}");
    let still = host.ask("SELECT schema_to_xml('public', true, false, '')");
    assert!(others.contains(&still), "the host's own rows are as they were");
}

#[test]
fn an_adopted_database_that_is_gone_is_made_again() {
    if offline("an external database that is gone") {
        return;
    }
    let host = Shop::open();
    let guest = Guest::of(&host, "store").adopted();
    let _ = host.ask_in("postgres", "DROP DATABASE store");

    let _ = guest.run("slate-up", &[]).expect_code(0);

    assert_eq!(guest.goods(), "lamp rug");
}

#[test]
fn two_workspaces_on_one_server_never_touch_each_others() {
    if offline("a shared server") {
        return;
    }
    let host = Shop::open();
    let (one, two) = (Guest::of(&host, "store").adopted(), Guest::of(&host, "depot").adopted());
    let _ = one.run("slate-reset", &["--yes"]).expect_code(0);
    let of_one = "SELECT string_agg(concat_ws('|', oid, datname, shobj_description(oid, 'pg_database')), '/' ORDER BY oid)
                  FROM pg_database WHERE datname LIKE 'store%'";
    let before = host.ask_in("postgres", of_one);

    // The other's database, and what is kept of it, under the name that a URL can say.
    let kept =
        host.ask_in("postgres", "SELECT datname FROM pg_database WHERE datname LIKE 'store\\_\\_kept%'");
    for name in ["store", &kept] {
        let url = format!("postgresql://store:store-secret@127.0.0.1:{}/{name}", host.port());
        let adopt = format!("--adopt={name}");
        for (binary, arguments) in
            [("slate-init", &[adopt.as_str()][..]), ("slate-reset", &["--yes"]), ("slate-up", &[])]
        {
            let launch = two.shop().launch(binary, arguments).env("SLATE_DATABASE_URL", &url);
            let told = launch.run(testkit::Stdin::Null).told(4);
            assert!(format!("{told:?}").contains("workspace"), "{binary} {name}: {told:?}");
        }
    }
    let _ = two.run("slate-reset", &["--yes"]).expect_code(0);
    let _ = two.run("slate-undo", &["--yes"]).expect_code(0);
    let _ = two.run("slate-undo", &["--gc", "--older-than", "0", "--yes", "--no-undo"]).expect_code(0);

    assert_eq!(host.ask_in("postgres", of_one), before);
    assert_eq!((one.goods().as_str(), two.goods().as_str()), ("lamp rug", "lamp rug vase"));
    let _ = one.run("slate-undo", &["--yes"]).expect_code(0);
    assert_eq!(one.goods(), "lamp rug vase");
}

fn refused(guest: &Guest<'_>, arguments: &[&str]) -> Told {
    let told = guest.run("slate-reset", arguments).told(4);
    assert_eq!((told.state.as_str(), guest.goods().as_str()), ("nothing was changed", "lamp rug vase"));
    told
}

#[test]
fn a_right_that_is_missing_is_told_before_anything_is_changed() {
    if offline("rights on an external server") {
        return;
    }
    let host = Shop::open();
    let guest = Guest::of(&host, "store").adopted();

    let _ = host.ask_in("postgres", "ALTER ROLE store NOCREATEDB");
    let told = refused(&guest, &["--yes"]);
    assert_eq!(told.hint, "as a superuser: ALTER ROLE \"store\" CREATEDB");
    let _ = host.ask_in("postgres", "ALTER ROLE store CREATEDB");
    let _ = host.ask_in("postgres", "ALTER DATABASE store OWNER TO shop");
    let told = refused(&guest, &["--drop", "--yes", "--no-undo"]);
    assert_eq!(told.hint, "as a superuser: ALTER DATABASE \"store\" OWNER TO \"store\"");
    let _ = host.ask_in("postgres", "ALTER DATABASE store OWNER TO store");

    let _ = guest.run("slate-reset", &["--yes"]).expect_code(0);
}

#[test]
fn the_password_comes_from_pgpass_and_from_no_committed_file() {
    if offline("a password of an external server") {
        return;
    }
    let host = Shop::open();
    let guest = Guest::of(&host, "store");
    fs::remove_file(guest.shop().sandbox().work().join(".env")).unwrap();
    let told = guest.run("slate-status", &[]).told(2);
    assert!(told.error.contains("no URL"), "{told:?}");
    let toml = fs::read_to_string(guest.shop().sandbox().work().join("cleanslate.toml")).unwrap();
    let with = |login: &str| {
        let line = format!("url = \"postgresql://{login}@127.0.0.1:{}/store\"\n", host.port());
        guest.shop().write("cleanslate.toml", &toml.replace("[database]\n", &format!("[database]\n{line}")));
    };

    with("store:store-secret");
    let told = guest.run("slate-status", &[]).told(2);
    assert!(told.error.contains("password in cleanslate.toml"), "{told:?}");
    with("store");
    let told = guest.run("slate-status", &[]).told(5);
    assert!(told.hint.contains("~/.pgpass"), "{told:?}");
    let pgpass = guest.shop().sandbox().home().join(".pgpass");
    fs::write(&pgpass, "127.0.0.1:*:store:store:store-secret\n").unwrap();
    fs::set_permissions(&pgpass, fs::Permissions::from_mode(0o600)).unwrap();
    let guest = guest.adopted();
    let _ = guest.run("slate-reset", &["--yes"]).expect_code(0);

    assert_eq!(guest.goods(), "lamp rug");
}

#[test]
fn a_server_that_does_not_answer_is_no_other_one() {
    if offline("a silent external server") {
        return;
    }
    let host = Shop::open();
    let guest = Guest::of(&host, "store").adopted();
    let _ = host.run("slate-down", &[]).expect_code(0);

    let status = guest.run("slate-status", &[]).expect_code(0);
    let told = guest.run("slate-reset", &["--yes"]).told(5);
    let doctor = guest.run("slate-doctor", &[]).expect_code(10);

    assert!(status.stdout.contains("it does not answer"), "{}", status.stdout);
    assert!(told.error.contains("does not answer at 127.0.0.1"), "{told:?}");
    assert!(doctor.stdout.contains("nothing answers at"), "{}", doctor.stdout);
    assert!(!guest.shop().clusters().exists(), "no cluster of its own was made");
}
