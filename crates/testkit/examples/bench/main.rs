//! Whole processes side by side, interleaved: a reset against sqlx-cli, dbmate, diesel and alembic on one server and the
//! same files, and the start of every binary against `/bin/true`. Prints medians and ratios; ratios are what a machine's
//! mood does not change.
//!
//! `scripts/bench` builds what it needs, makes a journaled filesystem where it may, and runs it.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a bench stops at the first thing that is not as it should be"
)]

mod leases;
mod million;
mod race;
mod seed;
mod shop;

use std::path::{Path, PathBuf};

use race::{Contender, race, starts, table};
use shop::Shop;

/// Resets that come before those that are measured: each leaves a kept database behind.
const BEFORE: usize = 9;

fn main() {
    let place = PathBuf::from(std::env::args().nth(1).unwrap_or_else(|| "/tmp".to_owned()));
    let rounds = std::env::var("SLATE_BENCH_ROUNDS").map_or(11, |rounds| rounds.parse().unwrap());
    println!("{} rounds, in {} ({})", rounds, place.display(), filesystem(&place));
    if std::env::args().nth(2).as_deref() == Some("rebuild") {
        return rebuild(&place, "", rounds.min(5));
    }
    if std::env::args().nth(2).as_deref() == Some("leases") {
        let shop = Shop::sample(&place, "");
        leases::leases(&shop, rounds.min(5));
        return shop.end();
    }
    if std::env::args().nth(2).as_deref() == Some("seed") {
        return seed(&place, "", rounds.min(5));
    }
    table("Start of a process", &race(&starts(), 3 * rounds));
    let programs = std::env::var("SLATE_BENCH_PROGRAMS").unwrap_or_default();
    for programs in programs.split(':') {
        on_one_major(&place, programs, rounds);
    }
}

fn on_one_major(place: &Path, programs: &str, rounds: usize) {
    let sample = Shop::sample(place, programs);
    let major = sample.ask("SHOW server_version");
    let two_hundred = Shop::migrations(place, programs, 200);
    let gigabyte = Shop::seeds(place, programs, 1_000_000_000);
    let empty = Shop::seeds(place, programs, 0);
    for shop in [&sample, &two_hundred, &empty] {
        (0..BEFORE).for_each(|_| shop.reset_of_changed());
    }
    let kept = sample.ask("SELECT count(*) FROM pg_database WHERE datname LIKE 'bench\\_\\_kept%'");
    println!("\nPostgres {major}; {kept} databases are kept when the measuring begins");

    let mut one = vec![sample.sqlx(), sample.reset("slate-reset --yes, the sample"), sample.bare()];
    one.extend(sample.dbmate().into_iter().chain(sample.diesel()));
    table("Back to the baseline, nobody connected", &race(&one, rounds));
    let many = [
        two_hundred.sqlx(),
        two_hundred.reset("slate-reset --yes, 200 migrations"),
        sample.reset("the sample"),
    ];
    table("200 migrations", &race(&many, rounds));
    if let Some(alembic) = Shop::alembic(place, programs) {
        let contenders = [alembic.by_alembic(), alembic.reset("slate-reset --yes")];
        table("The alembic fixture: drop, create, upgrade head", &race(&contenders, rounds));
        alembic.end();
    }
    let sizes = [empty.reset("no seeds"), gigabyte.reset("1 GB of seeds")];
    table("From empty to 1 GB", &race(&sizes, 5));
    for tables in [20, 500, 2_000] {
        let (contenders, memory) = empty.check(tables);
        table(&format!("Two sides of {tables} tables ({memory} MB at most)"), &race(&contenders, rounds));
    }
    let unbuilt = [sample.sqlx(), sample.without_template()];
    table("Without a template yet", &race(&unbuilt, rounds));
    rebuild(place, programs, rounds.min(5));
    seed(place, programs, rounds.min(5));
    sample.strategies();
    leases::leases(&sample, rounds.min(3));
    for shop in [sample, two_hundred, empty, gigabyte] {
        shop.end();
    }
}

fn rebuild(place: &Path, programs: &str, rounds: usize) {
    let shop = Shop::million(place, programs);
    let contenders = [shop.by_hand(), shop.rebuild().called("slate-rebuild --yes")];
    table("One million rows in twelve tables", &race(&contenders, rounds));
    println!(
        "slate-rebuild's memory at its most: {} kB",
        million::peak(&shop, "slate-rebuild", &["--yes", "--quiet"])
    );
    shop.end();
}

fn seed(place: &Path, programs: &str, rounds: usize) {
    let shop = Shop::orders(place, programs);
    let whole = [shop.dumped(), shop.captured()];
    table("One million rows in one table, out and back", &race(&whole, rounds));
    let before = shop.sum();
    let _ = shop.captured().run();
    assert_ne!(shop.sum(), before, "the row that is changed before each time");
    let before = shop.sum();
    let load = [shop.loaded_by_psql(), shop.loaded()];
    table("Loading them", &race(&load, rounds));
    assert_eq!(shop.sum(), before, "the rows came back");
    let memory = million::peak(&shop, "slate-seed", &["--capture", "--yes", "--quiet"]);
    println!("slate-seed's memory at its most: {memory} kB");
    shop.end();
}

/// What kind of filesystem a folder is on.
fn filesystem(place: &Path) -> String {
    let told =
        Contender::new("", &["findmnt", "-n", "-o", "FSTYPE", "-T", place.to_str().unwrap()]).said(place);
    told.trim().to_owned()
}
