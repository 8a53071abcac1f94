//! What a person can get wrong before Postgres runs: each is four lines, the right exit code, and nothing is made.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::fs;
use std::net::TcpListener;

use testkit::{Shop, Stdin, offline};

/// Every file of the workspace with its text, to see that none changed.
fn files(shop: &Shop) -> Vec<(String, String)> {
    let folders = ["", "migrations", "seeds"];
    let entries = folders
        .iter()
        .flat_map(|folder| fs::read_dir(shop.sandbox().work().join(folder)).into_iter().flatten());
    let paths = entries.flatten().map(|entry| entry.path()).filter(|path| path.is_file());
    let mut found: Vec<_> =
        paths.map(|path| (path.display().to_string(), fs::read_to_string(&path).unwrap())).collect();
    found.sort();
    found
}

/// The binaries that read the configuration, with arguments that would change something.
const ALL: [(&str, &[&str]); 7] = [
    ("slate-up", &[]),
    ("slate-reset", &["--drop", "--yes", "--no-undo"]),
    ("slate-clean", &["--yes"]),
    ("slate-down", &[]),
    ("slate-undo", &["--yes"]),
    ("slate-status", &[]),
    ("slate-psql", &["-c", "SELECT 1"]),
];

#[test]
fn an_unknown_key_is_told_with_its_line_and_the_one_that_was_meant() {
    let shop = Shop::new();
    shop.write("cleanslate.toml", "[database]\nserver = \"local\"\n\n[migrations]\ntoool = \"sql\"\n");
    let before = files(&shop);

    for (name, arguments) in ALL {
        let told = shop.run(name, arguments).told(2);

        assert_eq!(told.error, "cleanslate.toml line 5 is not understood", "{name}");
        assert!(told.cause.contains("unknown field `toool`"), "{told:?}");
        assert_eq!((told.state.as_str(), told.hint.as_str()), ("nothing was changed", "write `tool` there"));
    }
    assert_eq!(files(&shop), before);
    assert!(!shop.clusters().exists());
}

#[test]
fn broken_toml_is_told_with_its_line() {
    let shop = Shop::new();
    shop.write("cleanslate.toml", "[database]\nserver = \"local\nname = \"shop\"\n");

    let told = shop.run("slate-up", &[]).told(2);

    assert_eq!(told.error, "cleanslate.toml line 2 is not understood");
    assert_eq!(told.state, "nothing was changed");
}

#[test]
fn a_folder_that_is_not_there_is_no_root() {
    let shop = Shop::new();

    for (name, arguments) in ALL {
        let told = shop.launch(name, &["--root", "no such"]).args(arguments).run(Stdin::Null).told(2);

        assert_eq!(told.error, "`no such` is no folder");
        assert_eq!(told.state, "nothing was changed", "{told:?}");
    }
}

#[test]
fn without_a_home_it_says_which_variable_helps() {
    let shop = Shop::new();

    let launch = shop.launch("slate-up", &[]).without_env("HOME").without_env("XDG_STATE_HOME");
    let told = launch.run(Stdin::Null).told(2);

    assert_eq!(told.state, "nothing was changed");
    assert!(told.hint.contains("XDG_STATE_HOME="), "{told:?}");
}

#[test]
fn a_name_that_postgres_would_cut_is_refused() {
    let shop = Shop::new();
    shop.write(
        "cleanslate.toml",
        &format!("[database]\nserver = \"local\"\nname = \"{}\"\n", "x".repeat(70)),
    );

    for (name, arguments) in ALL {
        let told = shop.run(name, arguments).told(2);

        assert!(told.error.contains("70 bytes") && told.error.contains("63"), "{told:?}");
        assert_eq!(told.state, "nothing was changed");
    }
    assert!(!shop.clusters().join("x").exists());
}

#[test]
fn without_the_postgres_programs_nothing_is_made() {
    let mut shop = Shop::new();
    shop.configure("[local]\nprograms = \"/nowhere\"");
    shop.sandbox_mut().only(&["sh"]);

    for (name, arguments) in [("slate-up", &[][..]), ("slate-up", &["--json"])] {
        let output = shop.run(name, arguments);

        assert_eq!(output.code, 5, "{output:?}");
        let said = format!("{}{}", output.stdout, output.stderr);
        assert!(said.contains("/nowhere") && said.contains("nothing was changed"), "{said}");
    }
    assert_eq!(fs::read_dir(shop.clusters()).unwrap().count(), 0);
}

#[test]
fn a_missing_folder_of_migrations_or_seeds_is_told_before_anything_is_made() {
    let shop = Shop::new();
    for (folder, key) in [("migrations", "migrations.dir"), ("seeds", "seeds.dir")] {
        fs::rename(shop.sandbox().work().join(folder), shop.sandbox().work().join("away")).unwrap();

        let told = shop.run("slate-up", &[]).told(2);

        assert!(told.error.contains(key), "{told:?}");
        assert_eq!(told.state, "nothing was changed");
        fs::rename(shop.sandbox().work().join("away"), shop.sandbox().work().join(folder)).unwrap();
    }
    assert!(!shop.clusters().exists() || fs::read_dir(shop.clusters()).unwrap().count() == 0);
}

#[test]
fn a_taken_port_names_its_holder_and_leaves_the_cluster_stopped() {
    if offline("a port that is taken") {
        return;
    }
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let shop = Shop::new();
    shop.configure(&format!("[local]\nport = {port}"));

    let told = shop.run("slate-up", &[]).told(5);

    assert_eq!(told.error, format!("port {port} on 127.0.0.1 is taken"));
    let own = std::process::id().to_string();
    assert!(told.cause.contains(&own), "{told:?}");
    drop(listener);
    shop.up();
    assert_eq!(shop.port(), port.to_string());
}
