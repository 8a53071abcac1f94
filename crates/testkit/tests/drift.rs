//! Pairs of databases that differ in one thing, and pairs that do not, on a real server.
//!
//! `drift/differences.sql` says for each what has to be named and how grave it is; `drift/same.sql` holds pairs that have
//! to be silent.

#![expect(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test fails by panicking")]

use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use serde_json::Value;
use testkit::{Shop, offline};

const BASE: &str = include_str!("drift/base.sql");
const DIFFERENCES: &str = include_str!("drift/differences.sql");
const SAME: &str = include_str!("drift/same.sql");
/// Side by side, since each mostly waits for Postgres to copy a database.
const WORKERS: usize = 2;

/// The parts of a file that begin with `--!`, each with the rest of that line.
fn parts(text: &str) -> Vec<(&str, &str)> {
    let parts = text.split("--!").skip(1);
    parts.map(|part| part.split_once('\n').unwrap()).map(|(head, sql)| (head.trim(), sql)).collect()
}

fn load(shop: &Shop, database: &str, sql: &str) {
    let file = shop.root().join(format!("{database}.sql"));
    std::fs::write(&file, sql).unwrap();
    let mut psql = shop.psql(database);
    let output = psql.arg("-f").arg(&file).env("PGOPTIONS", "-c client_min_messages=error").output().unwrap();
    assert!(output.status.success(), "{sql}: {}", String::from_utf8_lossy(&output.stderr));
}

fn copy(shop: &Shop, name: &str, sql: &str) {
    let _ = shop.ask_in("postgres", &format!("CREATE DATABASE {name} TEMPLATE drift_base"));
    load(shop, name, sql);
}

fn between(shop: &Shop, first: &str, second: &str) -> (i32, Vec<Value>) {
    let url =
        |database: &str| format!("postgres://shop:{}@127.0.0.1:{}/{database}", shop.password(), shop.port());
    let output = shop.run("slate-check", &["--json", "--between", &url(first), &url(second)]);
    let json = output.json();
    let findings = json["findings"].as_array().unwrap_or_else(|| panic!("no findings: {output:?}"));
    (output.code, findings.clone())
}

fn prepared() -> (Shop, u32) {
    let shop = Shop::open();
    let _ = shop.ask_in("postgres", "CREATE ROLE drift_app");
    let _ = shop.ask_in("postgres", "CREATE DATABASE drift_base TEMPLATE template0");
    load(&shop, "drift_base", BASE);
    let major = shop.ask_in("postgres", "SELECT current_setting('server_version_num')::int / 10000");
    (shop, major.parse().unwrap())
}

/// Runs a check of every index on a few threads; what went wrong, in words.
fn each(count: usize, check: impl Fn(usize) -> Option<String> + Sync) -> Vec<String> {
    let next = AtomicUsize::new(0);
    let worker = || {
        let mut wrong = Vec::new();
        loop {
            let at = next.fetch_add(1, Ordering::Relaxed);
            if at >= count {
                return wrong;
            }
            wrong.extend(check(at));
        }
    };
    thread::scope(|scope| {
        let workers: Vec<_> = (0..WORKERS).map(|_| scope.spawn(worker)).collect();
        workers.into_iter().flat_map(|worker| worker.join().unwrap()).collect()
    })
}

fn rank(severity: &str) -> usize {
    ["notice", "warning", "error"].iter().position(|known| *known == severity).unwrap()
}

fn is_named(finding: &Value, object: &str) -> bool {
    let text = finding.to_string();
    let holds = |part: &str| text.contains(Value::from(part).to_string().trim_matches('"'));
    holds(object) || object.split('.').all(holds)
}

#[test]
fn each_difference_is_found_named_graded_and_told_once() {
    if offline("differences between two databases") {
        return;
    }
    let (shop, major) = prepared();
    let differences = parts(DIFFERENCES);
    assert!(differences.len() > 200);

    let wrong = each(differences.len(), |at| {
        let (head, sql) = differences[at];
        let [kind, object, severity, from @ ..] = &head.split(" | ").collect::<Vec<_>>()[..] else {
            panic!("{head}")
        };
        if from.first().is_some_and(|from| from.parse::<u32>().unwrap() > major) {
            return None;
        }
        let name = format!("drift_{at}");
        copy(&shop, &name, sql);
        let (code, findings) = between(&shop, "drift_base", &name);
        let _ = shop.ask_in("postgres", &format!("DROP DATABASE {name}"));
        let worst = findings.iter().map(|finding| rank(finding["severity"].as_str().unwrap())).max();
        let right = worst == Some(rank(severity))
            && findings.iter().any(|finding| is_named(finding, object))
            && findings.len() <= 3
            && code == if rank(severity) > 0 { 10 } else { 0 };
        (!right).then(|| format!("{kind}: exit {code}, {findings:#?}"))
    });

    assert!(wrong.is_empty(), "{} wrong:\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn equal_means_equal() {
    if offline("two spellings of one schema") {
        return;
    }
    let (shop, _) = prepared();
    let halves = parts(SAME);
    let pairs: Vec<_> = halves.chunks_exact(2).collect();
    assert!(pairs.len() > 20);

    let wrong = each(pairs.len(), |at| {
        let [(name, first), (_, second)] = pairs[at] else { panic!("half a pair") };
        let (a, b) = (format!("drift_a{at}"), format!("drift_b{at}"));
        copy(&shop, &a, first);
        copy(&shop, &b, second);
        let (code, findings) = between(&shop, &a, &b);
        (code != 0 || !findings.is_empty()).then(|| format!("{name}: exit {code}, {findings:#?}"))
    });

    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
