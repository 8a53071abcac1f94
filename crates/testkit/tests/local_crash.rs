//! Killed without a word at any moment: the data is whole under a name that can be told, and the next run succeeds.

use std::time::{Duration, Instant};

use testkit::{Shop, offline};

/// Moments that lie everywhere in a run of this length, the same each time.
fn moments(rounds: u32, longest: u32) -> impl Iterator<Item = Duration> {
    (0..rounds).map(move |round| Duration::from_millis(u64::from((round * 7919) % longest)))
}

/// Waits until no session of cleanslate's is left on the server.
fn await_quiet(shop: &Shop) {
    let sessions = "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'cleanslate'";
    let deadline = Instant::now() + Duration::from_secs(20);
    while shop.ask_in("postgres", sessions) != "0" {
        assert!(Instant::now() < deadline, "a session of the killed run is left");
    }
}

/// A row that no seed has.
const OURS: &str = "INSERT INTO goods VALUES (3, 'vase') ON CONFLICT DO NOTHING";

#[test]
fn a_reset_killed_at_any_moment_keeps_the_old_or_the_new_whole() {
    if offline("kill -9 during a reset") {
        return;
    }
    let shop = Shop::open();
    for moment in moments(16, 260) {
        let _ = shop.ask(OURS);

        let ended = shop.launch("slate-reset", &["--drop", "--yes", "--no-undo"]).kill_after(moment);

        assert!(matches!(ended, None | Some(0)), "{ended:?} after {moment:?}");
        // The psql of the killed run may be in the middle of its statement.
        await_quiet(&shop);
        let names = shop.databases();
        let whole = names.split(' ').map(|name| {
            let open = format!("SELECT datallowconn FROM pg_database WHERE datname = '{name}'");
            if shop.ask_in("postgres", &open) == "f" {
                let _ = shop.ask_in("postgres", &format!("ALTER DATABASE {name} ALLOW_CONNECTIONS true"));
            }
            let tables = shop.ask_in(name, "SELECT count(*) FROM pg_tables WHERE tablename = 'goods'");
            if tables == "1" { shop.ask_in(name, "SELECT count(*) FROM goods") } else { "none".to_owned() }
        });
        let whole: Vec<String> = whole.collect();
        assert!(whole.iter().any(|rows| rows == "3" || rows == "2"), "{moment:?}: {names} {whole:?}");
        // The psql of the killed run may end its DROP meanwhile, which the next run sees, refuses, and then takes as it is.
        let again = Some(shop.reset()).filter(|again| again.code == 0).unwrap_or_else(|| shop.reset());
        assert_eq!(again.code, 0, "after {moment:?}: {again:?}");
        assert_eq!(
            (shop.databases().as_str(), shop.ask("SELECT count(*) FROM goods").as_str()),
            ("shop", "2")
        );
    }
}

#[test]
fn up_puts_right_what_a_killed_reset_left() {
    if offline("up after a killed reset") {
        return;
    }
    let shop = Shop::open();
    for moment in moments(10, 260) {
        let _ = shop.launch("slate-reset", &["--drop", "--yes", "--no-undo"]).kill_after(moment);
        await_quiet(&shop);

        let up = shop.run("slate-up", &[]);

        assert_eq!(up.code, 0, "after {moment:?}: {up:?}");
        assert_eq!(shop.ask("SELECT count(*) FROM goods"), "2", "after {moment:?}");
    }
    let _ = shop.reset().expect_code(0);
    assert_eq!(shop.databases(), "shop");
}

#[test]
fn an_up_killed_at_any_moment_is_carried_on_by_the_next() {
    if offline("kill -9 during an up") {
        return;
    }
    let shop = Shop::new();
    for moment in moments(8, 1200) {
        let _ = shop.launch("slate-up", &[]).kill_after(moment);

        let up = shop.run("slate-up", &[]);

        assert_eq!(up.code, 0, "after {moment:?}: {up:?}");
        assert_eq!(shop.ask("SELECT count(*) FROM goods"), "2");
        let status = shop.run("slate-status", &[]).expect_code(0);
        assert!(status.stdout.contains("current, built"), "after {moment:?}: {status:?}");
        let _ = shop.run("slate-clean", &["--yes", "--no-undo"]).expect_code(0);
        assert_eq!(std::fs::read_dir(shop.clusters()).unwrap().count(), 0, "after {moment:?}");
    }
}

#[test]
fn a_clean_and_an_undo_killed_at_any_moment_lose_no_row() {
    if offline("kill -9 during a clean and an undo") {
        return;
    }
    let shop = Shop::open();
    let _ = shop.ask(OURS);
    let before = shop.contents();
    for moment in moments(10, 60) {
        let _ = shop.launch("slate-clean", &["--yes"]).kill_after(moment);
        let _ = shop.launch("slate-undo", &["--yes"]).kill_after(moment / 2);

        // Whichever of the two was killed where: the one that holds the rows is there or kept.
        if !shop.cluster().exists() {
            let undo = shop.run("slate-undo", &["--yes"]);
            assert_eq!(undo.code, 0, "after {moment:?}: {undo:?}");
        }
        let up = shop.run("slate-up", &[]);
        assert_eq!(up.code, 0, "after {moment:?}: {up:?}");
        assert_eq!(shop.contents(), before, "after {moment:?}");
    }
}

#[test]
fn a_clean_without_a_way_back_that_is_killed_leaves_no_half_cluster() {
    if offline("kill -9 during clean --no-undo") {
        return;
    }
    let shop = Shop::open();
    for moment in moments(6, 90) {
        let _ = shop.launch("slate-clean", &["--yes", "--no-undo"]).kill_after(moment);

        let up = shop.run("slate-up", &[]);

        assert_eq!(up.code, 0, "after {moment:?}: {up:?}");
        assert_eq!(shop.ask("SELECT count(*) FROM goods"), "2");
    }
}
