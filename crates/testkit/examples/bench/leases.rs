//! Leases for parallel tests: one caller in a row, a bare session that only clones, and many callers at once.

use std::collections::BTreeSet;
use std::process::{Child, Command};
use std::thread;
use std::time::{Duration, Instant};

use crate::race::median;
use crate::shop::Shop;

const CALLERS: usize = 8;
const LEASES: usize = 200;
/// Of one caller, in a row.
const ROW: usize = 25;

/// How many a second, and how long each took.
struct Run {
    rate: f64,
    took: Vec<Duration>,
    addresses: Vec<String>,
}

pub fn leases(shop: &Shop, rounds: usize) {
    println!("\n{LEASES} leases from {CALLERS} callers at once, none prepared beforehand ({rounds} rounds)");
    let mut all: Vec<[f64; 4]> = Vec::new();
    for _ in 0..rounds {
        let bare = bare(shop);
        let row = held(shop, 1, ROW);
        let many = held(shop, CALLERS, LEASES);
        let distinct: BTreeSet<&String> = many.addresses.iter().collect();
        assert_eq!(distinct.len(), LEASES, "one was given twice");
        let (single, p95) = (median(&mut row.took.clone()).unwrap(), percentile(&many.took, 95));
        println!(
            "  bare session {bare:>5.1}/s   one caller {:>5.1}/s ({:.0} ms each)   {CALLERS} callers {:>5.1}/s, p95 {:.0} ms",
            row.rate,
            milliseconds(single),
            many.rate,
            milliseconds(p95),
        );
        all.push([
            many.rate / row.rate,
            many.rate / bare,
            p95.as_secs_f64() / single.as_secs_f64(),
            p95.as_secs_f64() * bare,
        ]);
    }
    let middle = |at: usize| {
        let mut one: Vec<f64> = all.iter().map(|ratios| ratios[at]).collect();
        one.sort_by(f64::total_cmp);
        one[one.len() / 2]
    };
    println!(
        "  throughput: {:.2}x one caller in a row, {:.2}x a bare session in a row",
        middle(0),
        middle(1)
    );
    println!("  p95: {:.1}x one lease alone, {:.1}x one bare clone", middle(2), middle(3));
}

/// Leases by so many callers, held by a process that ends afterwards: none may be left then.
fn held(shop: &Shop, callers: usize, leases: usize) -> Run {
    let mut holder = Holder(Command::new("sleep").arg("600").spawn().unwrap());
    let pid = holder.0.id().to_string();
    let caller = || {
        let words = ["lease", "--quiet", "--pid", pid.as_str()];
        let one = |_| {
            let begun = Instant::now();
            let address = shop.ours("slate-fork", &words).said(shop.folder());
            (address, begun.elapsed())
        };
        (0..leases / callers).map(one).collect::<Vec<_>>()
    };
    let begun = Instant::now();
    let all: Vec<(String, Duration)> = thread::scope(|scope| {
        let callers: Vec<_> = (0..callers).map(|_| scope.spawn(caller)).collect();
        callers.into_iter().flat_map(|caller| caller.join().unwrap()).collect()
    });
    let rate = rate(all.len(), begun);
    holder.end();
    let _ = shop.ours("slate-fork", &["release"]).run();
    assert_eq!(shop.ask("SELECT count(*) FROM pg_database WHERE datname LIKE '%lease%'"), "0");
    let (addresses, took) = all.into_iter().unzip();
    Run { rate, took, addresses }
}

struct Holder(Child);

impl Holder {
    fn end(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl Drop for Holder {
    fn drop(&mut self) {
        self.end();
    }
}

/// Clones a second of one session that does nothing else.
fn bare(shop: &Shop) -> f64 {
    let template = shop.ask("SELECT datname FROM pg_database WHERE datname LIKE '%\\_\\_base\\_%' LIMIT 1");
    let each =
        |statement: &str| (0..ROW).map(|n| statement.replace("{n}", &n.to_string())).collect::<Vec<_>>();
    let begun = Instant::now();
    shop.all(&each(&format!("CREATE DATABASE cloned_{{n}} TEMPLATE {template} STRATEGY WAL_LOG")));
    let rate = rate(ROW, begun);
    shop.all(&each("DROP DATABASE cloned_{n}"));
    rate
}

/// So many a second.
fn rate(many: usize, begun: Instant) -> f64 {
    f64::from(u32::try_from(many).unwrap()) / begun.elapsed().as_secs_f64()
}

fn percentile(times: &[Duration], of: usize) -> Duration {
    let mut times = times.to_vec();
    times.sort();
    times[(times.len() * of / 100).min(times.len() - 1)]
}

fn milliseconds(time: Duration) -> f64 {
    time.as_secs_f64() * 1_000.0
}
