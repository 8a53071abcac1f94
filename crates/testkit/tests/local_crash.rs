//! Killed without a word at any moment: the data is whole under a name that can be told, and the next run succeeds.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::time::Duration;

use testkit::{Shop, offline};

/// Moments that lie everywhere in a run of this length, the same each time.
fn moments(rounds: u32, longest: u32) -> impl Iterator<Item = Duration> {
    (0..rounds).map(move |round| Duration::from_millis(u64::from((round * 7919) % longest)))
}

/// A row that no seed has.
const OURS: &str = "INSERT INTO goods VALUES (3, 'vase') ON CONFLICT DO NOTHING";

/// The old rows or the new ones, all of them, under some name.
#[track_caller]
fn assert_whole(shop: &Shop, moment: Duration) {
    // What the killed one started holds the workspace until it has ended.
    std::fs::File::open(shop.notes().join("lock")).and_then(|lock| lock.lock()).unwrap();
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
}

/// One that was killed before it dropped the old database has kept it, as any other reset does.
fn names_at_last(shop: &Shop) -> String {
    let gc = ["--gc", "--older-than", "0", "--yes", "--no-undo"];
    let _ = shop.run("slate-undo", &gc).expect_code(0);
    shop.databases()
}

#[test]
fn a_reset_killed_at_any_moment_keeps_the_old_or_the_new_whole() {
    if offline("kill -9 during a reset") {
        return;
    }
    let shop = Shop::open();
    for (round, moment) in moments(18, 260).enumerate() {
        let _ = shop.ask(OURS);

        let ended = shop.launch("slate-reset", &["--drop", "--yes", "--no-undo"]).kill_after(moment);

        assert!(matches!(ended, None | Some(0)), "{ended:?} after {moment:?}");
        // Every other time the next run comes at once, while what the killed one started still works.
        if round % 2 == 0 {
            assert_whole(&shop, moment);
        }
        let again = shop.reset();
        assert_eq!(again.code, 0, "after {moment:?}: {again:?}");
        assert_eq!(
            (names_at_last(&shop).as_str(), shop.ask("SELECT count(*) FROM goods").as_str()),
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

        let up = shop.run("slate-up", &[]);

        assert_eq!(up.code, 0, "after {moment:?}: {up:?}");
        assert_eq!(shop.ask("SELECT count(*) FROM goods"), "2", "after {moment:?}");
    }
    let _ = shop.reset().expect_code(0);
    assert_eq!(names_at_last(&shop), "shop");
}

#[test]
fn an_up_killed_at_any_moment_is_carried_on_by_the_next() {
    if offline("kill -9 during an up") {
        return;
    }
    let shop = Shop::new();
    for moment in moments(6, 1200) {
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
