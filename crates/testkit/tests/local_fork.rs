//! Leases for tests that run side by side, and forks with a name.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::collections::BTreeSet;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use testkit::{Shop, Stdin, offline};

const LEASES: &str = "SELECT count(*) FROM pg_database WHERE datname LIKE '%\\_\\_lease\\_%'";

/// A process that holds leases, until it is killed.
struct Holder(Child);

impl Holder {
    fn start() -> Self {
        Self(Command::new("sleep").arg("600").stdin(Stdio::null()).spawn().unwrap())
    }

    fn pid(&self) -> String {
        self.0.id().to_string()
    }

    /// By signal 9: it says goodbye to nobody.
    fn kill(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl Drop for Holder {
    fn drop(&mut self) {
        self.kill();
    }
}

/// The database that an address leads to.
fn database(address: &str) -> String {
    address.trim().rsplit_once('/').unwrap().1.to_owned()
}

fn lease(shop: &Shop, words: &[&str]) -> String {
    let output = shop.run("slate-fork", &[&["lease"], words].concat()).expect_code(0);
    assert_eq!(output.stdout.lines().count(), 1, "the address alone is on stdout: {output:?}");
    database(&output.stdout)
}

#[test]
fn eight_at_once_without_a_template_get_one_each_from_one_template() {
    if offline("leases at once") {
        return;
    }
    let shop = Shop::open();
    let mut holder = Holder::start();
    let words = ["lease", "--pid", &holder.pid()];
    let _ = shop.ask("INSERT INTO goods VALUES (3, 'vase')");
    let _ = shop.ask_in("postgres", "ALTER DATABASE shop SET timezone = 'Asia/Tokyo'");

    let outputs = thread::scope(|scope| {
        let caller = || {
            let one = |_| shop.launch("slate-fork", &words).deadline(Duration::from_mins(2)).run(Stdin::Null);
            (0..2).map(one).collect::<Vec<_>>()
        };
        let callers: Vec<_> = (0..8).map(|_| scope.spawn(caller)).collect();
        callers.into_iter().flat_map(|caller| caller.join().unwrap()).collect::<Vec<_>>()
    });

    assert!(outputs.iter().all(|output| output.code == 0), "{outputs:#?}");
    let names: BTreeSet<String> = outputs.iter().map(|output| database(&output.stdout)).collect();
    assert_eq!(names.len(), 16, "one was given twice");
    let built = outputs.iter().filter(|output| output.stderr.contains("sealed")).count();
    assert_eq!(built, 1, "one builds the template and the others wait");
    let first = names.first().unwrap();
    let fresh = "SELECT count(*), current_setting('timezone') FROM goods";
    assert_eq!(shop.ask_in(first, fresh), "2|Asia/Tokyo", "baseline, seeds and the settings of the real one");
    let _ = shop.ask_in(first, "DELETE FROM goods");
    assert_eq!(shop.ask_in(names.last().unwrap(), "SELECT count(*) FROM goods"), "2", "it is its own");
    assert_eq!(shop.ask("SELECT count(*) FROM goods"), "3");
    let _ = shop.run("slate-fork", &["release", first]).expect_code(0);
    assert_eq!(shop.ask_in("postgres", LEASES), "15");
    holder.kill();
    let _ = shop.run("slate-fork", &["release"]).expect_code(0);
    assert_eq!(shop.ask_in("postgres", LEASES), "0");
    let gone = shop.run("slate-fork", &["release", first]).told(2);
    assert!(gone.error.contains(first), "{gone:?}");
}

#[test]
fn a_lease_lives_as_long_as_its_holder_and_no_longer() {
    if offline("a lease and its holder") {
        return;
    }
    let shop = Shop::open();
    let (mut short, long) = (Holder::start(), Holder::start());
    let ends = lease(&shop, &["--pid", &short.pid()]);
    let stays = lease(&shop, &["--pid", &long.pid()]);
    let timed = lease(&shop, &["--for", "1h"]);

    let _ = shop.swap();
    for words in [&["release"][..], &["lease", "--for", "1h"]] {
        let _ = shop.run("slate-fork", words).expect_code(0);
    }
    assert_eq!(shop.ask_in("postgres", LEASES), "4", "all of them hold");
    short.kill();
    let status = shop.run("slate-status", &[]).expect_code(0);
    assert!(status.stdout.contains("3 leases held") && status.stdout.contains("1 lease over"), "{status:?}");
    let _ = shop.run("slate-undo", &["--gc"]).expect_code(0);

    let left = shop.databases();
    assert!(!left.contains(&ends), "its holder is gone: {left}");
    assert!(left.contains(&stays) && left.contains(&timed), "{left}");
    let dead = shop.run("slate-fork", &["lease", "--pid", &short.pid()]).told(2);
    assert!(dead.error.contains(&short.pid()) && dead.hint.contains("--for"), "{dead:?}");
}

#[test]
fn one_that_somebody_is_connected_to_stays_whatever_became_of_its_holder() {
    if offline("a lease in use") {
        return;
    }
    let shop = Shop::open();
    let mut holder = Holder::start();
    let name = lease(&shop, &["--pid", &holder.pid()]);
    let mut client = shop.psql(&name);
    let client = client.args(["-c", "SELECT pg_sleep(600)"]).stdout(Stdio::null()).stderr(Stdio::null());
    let mut client = client.spawn().unwrap();
    let connected = format!("SELECT count(*) FROM pg_stat_activity WHERE datname = '{name}'");
    shop.wait_until(&connected, "1");
    holder.kill();

    let release = shop.run("slate-fork", &["release"]).expect_code(0);
    let _ = shop.swap();

    assert!(release.stdout.contains("every lease holds"), "{release:?}");
    assert!(shop.databases().contains(&name));
    client.kill().unwrap();
    client.wait().unwrap();
    let _ = shop.ask_in(
        "postgres",
        &format!("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'"),
    );
    shop.wait_until(&connected, "0");
    let _ = shop.swap();
    assert_eq!(shop.ask_in("postgres", LEASES), "0", "a reset's background drops it");
}

#[test]
fn a_lease_of_a_time_ends_with_it() {
    if offline("a lease of a second") {
        return;
    }
    let shop = Shop::open();
    let _ = lease(&shop, &["--for", "1s"]);

    let until = Instant::now() + Duration::from_secs(30);
    while shop.ask_in("postgres", LEASES) != "0" {
        assert!(Instant::now() < until, "it is never over");
        let _ = shop.run("slate-fork", &["release"]).expect_code(0);
    }
}

#[test]
fn killed_at_any_moment_a_lease_leaves_nothing_once_its_holder_is_gone() {
    if offline("kill -9 of leases") {
        return;
    }
    let shop = Shop::open();
    let mut holder = Holder::start();
    let pid = holder.pid();
    let begun = Instant::now();
    let _ = lease(&shop, &["--pid", &pid]);
    let length = begun.elapsed();

    for part in 0..7 {
        let _ = shop.launch("slate-fork", &["lease", "--pid", &pid]).kill_after(length * part / 6);
    }
    shop.wait_until("SELECT count(*) FROM pg_stat_activity WHERE application_name = 'cleanslate'", "0");
    holder.kill();
    let _ = shop.run("slate-fork", &["release"]).expect_code(0);

    assert_eq!(shop.ask_in("postgres", LEASES), "0", "{}", shop.databases());
    assert_eq!(shop.ask("SELECT count(*) FROM goods"), "2");
    let _ = shop.swap();
    let _ = lease(&shop, &["--for", "1h"]);
}

#[test]
fn a_fork_with_a_name_is_somebodys_until_it_is_dropped() {
    if offline("forks with a name") {
        return;
    }
    let shop = Shop::open();
    let made = shop.run("slate-fork", &["create", "it's mine"]).expect_code(0);
    let name = database(&made.stdout);
    let _ = shop.ask_in(&name, "INSERT INTO goods VALUES (3, 'vase')");

    let again = shop.run("slate-fork", &["create", "it's mine"]).told(2);
    let _ = shop.swap();
    let _ = shop.run("slate-undo", &["--gc", "--older-than", "0", "--yes", "--no-undo"]).expect_code(0);
    let list = shop.run("slate-fork", &[]).expect_code(0).stdout;
    let kept = shop.run("slate-undo", &["--list"]).expect_code(0).stdout;
    let clean = shop.run("slate-clean", &["--dry-run"]).expect_code(0).stdout;
    let nobody = shop.run("slate-fork", &["drop", "it's mine", "--yes"]).told(3);

    assert!(again.hint.ends_with(r"fork drop 'it'\''s mine'"), "{again:?}");
    assert!(list.starts_with(&format!("it's mine  {name}, ")), "{list}");
    assert!(kept.contains(&name) && kept.contains("forked as `it's mine`"), "{kept}");
    assert!(clean.contains(&format!("{name} (fork `it's mine`): 2 tables, 3 rows")), "{clean}");
    assert!(nobody.cause.contains("3 rows"), "{nobody:?}");
    assert_eq!(shop.ask_in(&name, "SELECT count(*) FROM goods"), "3");
    let _ = shop.run("slate-fork", &["drop", "it's mine", "--yes", "--no-undo"]).expect_code(0);
    assert!(!shop.databases().contains(&name));
}

#[test]
fn a_person_sees_no_password_and_no_file_keeps_one() {
    if offline("a lease on a terminal") {
        return;
    }
    let shop = Shop::open();
    let password = shop.password();

    let mut masked = shop.launch("slate-fork", &["lease", "--for", "1h"]).screen(160, 20);
    let mut shown = shop.launch("slate-fork", &["lease", "--for", "1h", "--show-password"]).screen(160, 20);
    let json = shop.run("slate-fork", &["lease", "--for", "1h", "--json"]).expect_code(0);

    assert_eq!((masked.wait_exit(), shown.wait_exit()), (0, 0));
    assert!(masked.text().contains(":***@") && !masked.raw().contains(&password), "{}", masked.text());
    assert!(shown.text().contains(&password), "{}", shown.text());
    let facts = &json.json()["facts"];
    assert!(facts["url"].as_str().unwrap().contains(&password));
    assert_eq!(facts["database"], database(facts["url"].as_str().unwrap()));
    assert_eq!(json.stdout.matches(&password).count(), 1);
    let journal = std::fs::read_to_string(shop.notes().join("journal.jsonl")).unwrap();
    assert!(journal.contains("lease-database") && !journal.contains(&password));
}

#[test]
fn a_recipe_has_ended_before_its_lease_is_used() {
    if offline("a lease from a recipe") {
        return;
    }
    let shop = Shop::open();

    let recipe = shop.launch("slate-fork", &["lease"]).env("SLATE_RECIPE", "db").run(Stdin::Null).told(2);

    assert_eq!(recipe.hint, "just db fork lease --for 10m");
    assert_eq!(shop.ask_in("postgres", LEASES), "0");
}
