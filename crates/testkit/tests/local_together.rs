//! Many at once: runs of ours beside each other, and clients that keep coming back.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::process::Stdio;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::Duration;

use testkit::{Output, Shop, Stdin, offline};

/// Which database has the name now.
const OID: &str = "SELECT oid FROM pg_database WHERE datname = current_database()";

fn at_once(shop: &Shop, name: &str, arguments: &[&str]) -> Vec<Output> {
    thread::scope(|scope| {
        // They queue: the last waits for all the others.
        let run = || shop.launch(name, arguments).deadline(Duration::from_mins(3)).run(Stdin::Null);
        let runs: Vec<_> = (0..20).map(|_| scope.spawn(run)).collect();
        runs.into_iter().map(|run| run.join().unwrap()).collect()
    })
}

#[test]
fn twenty_ups_on_nothing_make_one_cluster_seeded_once() {
    if offline("twenty runs at once") {
        return;
    }
    let shop = Shop::new();

    let ups = at_once(&shop, "slate-up", &[]);

    assert!(ups.iter().all(|up| up.code == 0), "{ups:#?}");
    assert_eq!(std::fs::read_dir(shop.clusters()).unwrap().count(), 1);
    assert_eq!(shop.ask("SELECT count(*) FROM goods"), "2");
    assert_eq!(ups.iter().filter(|up| up.stderr.contains("seeded ")).count(), 1, "{ups:#?}");

    let _ = shop.ask("INSERT INTO goods VALUES (3, 'vase')");
    let resets = at_once(&shop, "slate-reset", &["--drop", "--yes", "--no-undo"]);
    for reset in &resets {
        // All of them queue; a machine that is too slow for that says who is at work.
        assert!(reset.code == 0 || (reset.code == 5 && reset.stderr.contains("another run")), "{reset:#?}");
    }
    assert_eq!((shop.databases().as_str(), shop.ask("SELECT count(*) FROM goods").as_str()), ("shop", "2"));

    let cleans = at_once(&shop, "slate-clean", &["--yes"]);
    assert!(cleans.iter().all(|clean| clean.code == 0), "{cleans:#?}");
    let _ = shop.run("slate-undo", &["--yes"]).expect_code(0);
    shop.up();
    assert_eq!(shop.ask("SELECT count(*) FROM goods"), "2");
}

#[test]
fn a_reset_goes_through_while_clients_keep_reconnecting() {
    if offline("clients that reconnect") {
        return;
    }
    let shop = Shop::open();
    let _ = shop.ask("INSERT INTO goods VALUES (3, 'vase')");
    let (over, served) = (AtomicBool::new(false), AtomicU64::new(0));

    thread::scope(|scope| {
        for _ in 0..5 {
            scope.spawn(|| {
                while !over.load(Ordering::Relaxed) {
                    // Stays connected until it is cut, and then comes again.
                    let mut client = shop.psql("shop");
                    client
                        .args(["-c", "SELECT 1", "-c", "SELECT pg_sleep(1)"])
                        .stdout(Stdio::null())
                        .stderr(Stdio::null());
                    let served_it = client.status().unwrap().success();
                    served.fetch_add(u64::from(served_it), Ordering::Relaxed);
                }
            });
        }
        let connected = "SELECT count(*) >= 3 FROM pg_stat_activity WHERE datname = 'shop'";
        shop.wait_until(connected, "t");
        let resets: Vec<Output> = (0..5)
            .map(|_| {
                shop.wait_until(connected, "t");
                shop.reset()
            })
            .collect();
        let before = served.load(Ordering::Relaxed);
        let until = std::time::Instant::now() + Duration::from_secs(20);
        while served.load(Ordering::Relaxed) < before + 5 && std::time::Instant::now() < until {
            thread::yield_now();
        }
        over.store(true, Ordering::Relaxed);
        for reset in &resets {
            assert_eq!(reset.code, 0, "{reset:?}");
            assert!(reset.stderr.contains("cut a customer ("), "{reset:?}");
        }
        assert!(served.load(Ordering::Relaxed) >= before + 5, "the clients are served again");
    });
    assert_eq!(shop.ask("SELECT count(*) FROM goods"), "2");
}

#[test]
fn twenty_resets_by_swap_at_once_end_in_one_sound_database() {
    if offline("twenty swaps at once") {
        return;
    }
    let shop = Shop::open();
    let _ = shop.ask("INSERT INTO goods VALUES (3, 'vase')");

    let resets = at_once(&shop, "slate-reset", &["--yes"]);

    for reset in &resets {
        assert!(reset.code == 0 || (reset.code == 5 && reset.stderr.contains("another run")), "{reset:#?}");
    }
    assert!(resets.iter().any(|reset| reset.code == 0), "{resets:#?}");
    shop.settle();
    let _ = shop.swap();
    assert_eq!(shop.ask("SELECT count(*) FROM goods"), "2");
    let names = shop.databases();
    let beside = names.split(' ').filter(|name| !name.starts_with("shop__base_")).collect::<Vec<_>>();
    assert_eq!(beside, ["shop", "shop__kept_1", "shop__spare"], "of all only the changed one is kept");
    let _ = shop.run("slate-undo", &[]).expect_code(0);
    assert_eq!(shop.ask("SELECT count(*) FROM goods"), "3");
}

#[test]
fn two_that_change_the_database_at_once_end_in_one_sound_one_and_no_row_is_lost() {
    if offline("two commands at once") {
        return;
    }
    let shop = Shop::open();
    let _ = shop.swap();
    for words in [["save", "mine"], ["export", "mine.dump"]] {
        let _ = shop.run("slate-snapshot", &words).expect_code(0);
    }
    let _ = shop.run("slate-switch", &["main", "--from", "main"]).expect_code(0);
    let rows = "SELECT string_agg(g::text, ',' ORDER BY id) FROM goods g";

    for (round, (one, other)) in [
        (["slate-rebuild", "--yes", "-q"], ["slate-rebuild", "--yes", "-q"]),
        (["slate-snapshot", "restore", "mine"], ["slate-switch", "feature", "-q"]),
        (["slate-snapshot", "import", "mine.dump"], ["slate-rebuild", "--yes", "-q"]),
        (["slate-switch", "main", "-q"], ["slate-switch", "other", "-q"]),
    ]
    .into_iter()
    .enumerate()
    {
        let _ = shop.ask(&format!("INSERT INTO goods VALUES ({}, 'vase')", round + 10));
        let (oid, typed) = (shop.ask(OID), shop.ask(rows));

        let ended = thread::scope(|scope| {
            [one, other]
                .map(|[name, words @ ..]| {
                    let shop = &shop;
                    scope.spawn(move || shop.run(name, &words))
                })
                .map(|run| run.join().unwrap())
        });

        assert!(ended.iter().any(|run| run.code == 0), "{one:?} and {other:?}: {ended:#?}");
        assert!(ended.iter().all(|run| [0, 4, 5].contains(&run.code)), "{one:?} and {other:?}: {ended:#?}");
        shop.settle();
        let name = shop.ask_in("postgres", &format!("SELECT datname FROM pg_database WHERE oid = {oid}"));
        assert_eq!(shop.ask_in(&name, rows), typed, "{one:?} and {other:?}: {name}");
        let told = shop.run("slate-undo", &["--list"]).expect_code(0).stdout;
        assert!(name == "shop" || told.contains(&name), "{name} is not in {told}");
        assert_eq!(shop.ask("SELECT count(*) > 1 FROM goods, cleanslate.marker"), "t", "{one:?}, {other:?}");
    }
    assert!(!shop.databases().contains("next"), "{}", shop.databases());
}

#[test]
fn a_client_that_reconnects_during_swaps_never_sees_a_half_built_database() {
    if offline("clients during a swap") {
        return;
    }
    let shop = Shop::open();
    let over = AtomicBool::new(false);

    let seen = thread::scope(|scope| {
        let clients: Vec<_> = (0..4).map(|_| scope.spawn(|| looks(&shop, &over))).collect();
        for edit in 0..5 {
            // Another baseline each time, so that each has to be built first.
            shop.write("migrations/2_edit.sql", &format!("CREATE TABLE edit_{edit} (id int);\n"));
            let _ = shop.swap();
        }
        over.store(true, Ordering::Relaxed);
        clients.into_iter().flat_map(|client| client.join().unwrap()).collect::<Vec<String>>()
    });

    let (whole, refused): (Vec<_>, Vec<_>) = seen.iter().partition(|seen| seen.starts_with("2 "));
    assert!(whole.len() > 20, "{seen:#?}");
    for cut in refused {
        let moments = [
            "is not currently accepting connections",
            "does not exist",
            "terminating connection",
            "server closed the connection",
            "connection to server was lost",
            "Connection reset",
        ];
        assert!(moments.iter().any(|moment| cut.contains(moment)), "{cut}");
        assert!(!cut.contains("relation"), "a database without its tables: {cut}");
    }
}

/// What a client gets that connects anew for each question: rows and tables, or why not.
fn looks(shop: &Shop, over: &AtomicBool) -> Vec<String> {
    let question = "SELECT (SELECT count(*) FROM goods), (SELECT count(*) FROM sold)";
    let mut seen = Vec::new();
    while !over.load(Ordering::Relaxed) {
        let answer = shop.psql("shop").args(["-F", " ", "-c", question]).output().unwrap();
        let text = if answer.status.success() { answer.stdout } else { answer.stderr };
        seen.push(String::from_utf8_lossy(&text).trim().to_owned());
    }
    seen
}
