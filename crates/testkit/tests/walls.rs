//! The walls between the crates: who may know whom, who may use what, and that `plan` is pure.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::collections::{BTreeMap, BTreeSet};

use cargo_metadata::{DependencyKind, Metadata, MetadataCommand, Package};
use testkit::{repository, sources};

/// Which crates of ours a crate may use. A new crate gets its line here, or a test fails.
const MAY_USE: [(&str, &[&str]); 10] = [
    ("plan", &[]),
    ("detect", &["plan"]),
    ("world", &["detect", "plan"]),
    ("terminal", &["plan"]),
    ("shell", &["plan", "terminal", "world"]),
    ("services", &["plan", "shell"]),
    ("databases", &["plan", "shell"]),
    ("schema", &["plan", "shell"]),
    ("workspace", &["plan", "shell"]),
    ("testkit", &["plan"]),
];

/// Powers, and the one crate that has each.
const ONLY_USER: [(&str, &[&str]); 2] = [
    ("world", &["duct", "which", "sqlx", "tokio", "minreq"]),
    ("terminal", &["dialoguer", "indicatif", "console"]),
];

fn metadata() -> Metadata {
    let manifest = repository().join("Cargo.toml");
    MetadataCommand::new().manifest_path(manifest).no_deps().exec().unwrap()
}

fn folder(package: &Package) -> &str {
    package.manifest_path.parent().and_then(|folder| folder.file_name()).unwrap()
}

/// Everything that is built into what is shipped; tests may use more.
fn uses(package: &Package) -> BTreeSet<&str> {
    let shipped =
        package.dependencies.iter().filter(|dependency| dependency.kind != DependencyKind::Development);
    shipped.map(|dependency| dependency.name.as_str()).collect()
}

fn ours(package: &Package) -> BTreeSet<&str> {
    uses(package).into_iter().filter_map(|name| name.strip_prefix("cleanslate-")).collect()
}

#[test]
fn crates_know_only_whom_they_may() {
    let may: BTreeMap<_, BTreeSet<_>> =
        MAY_USE.into_iter().map(|(name, may)| (name, may.iter().copied().collect())).collect();

    for package in &metadata().packages {
        let name = folder(package);
        let may = may.get(name).unwrap_or_else(|| panic!("crates/{name} has no line in MAY_USE"));
        let beyond: Vec<_> = ours(package).difference(may).copied().collect();
        assert!(beyond.is_empty(), "{name} must not use {beyond:?}");
    }
}

#[test]
fn the_test_kit_is_in_nothing_that_is_shipped() {
    for package in &metadata().packages {
        assert!(!ours(package).contains("testkit"), "{}", package.name);
    }
}

#[test]
fn each_power_has_one_user() {
    for package in &metadata().packages {
        for (user, powers) in ONLY_USER {
            let used: Vec<_> = powers.iter().filter(|power| uses(package).contains(**power)).collect();
            assert!(
                folder(package) == user || used.is_empty(),
                "{} must not use {used:?}: {user} does",
                package.name
            );
        }
    }
}

/// The powers are really there: a wall around nothing would hold for ever.
#[test]
fn each_power_is_used() {
    let metadata = metadata();
    for (user, powers) in ONLY_USER {
        let package = metadata.packages.iter().find(|package| folder(package) == user).unwrap();
        let direct = powers.iter().filter(|power| **power != "console");
        for power in direct {
            assert!(uses(package).contains(power), "{user} no longer uses {power}: take it off ONLY_USER");
        }
    }
}

/// Whether `std::<module>` is used, by its path or from a list of imports.
fn uses_std(line: &str, module: &str) -> bool {
    let path = format!("std::{module}");
    let ends = |rest: &str| !rest.starts_with(|c: char| c.is_alphanumeric() || c == '_');
    let named = line.match_indices(&path).any(|(at, _)| ends(&line[at + path.len()..]));
    let listed = line.trim_start().strip_prefix("use std::{").is_some_and(|list| {
        list.split(|c: char| !(c.is_alphanumeric() || c == '_')).any(|word| word == module)
    });
    named || listed
}

#[test]
fn imports_are_seen_in_every_form() {
    assert!(uses_std("use std::fs;", "fs"));
    assert!(uses_std("    std::fs::read(path)", "fs"));
    assert!(uses_std("use std::{fmt, fs};", "fs"));
    assert!(!uses_std("use std::fsx;", "fs"));
    assert!(!uses_std("use std::fmt;", "fs"));
}

#[test]
fn plan_is_pure() {
    let modules = ["fs", "net", "process", "env", "io", "thread"];
    let banned =
        ["SystemTime::now", "Timestamp::now", "Zoned::now", "println!", "eprintln!", "print!", "dbg!"];
    let pure = ["plan", "detect"];
    let plan: Vec<_> = sources().into_iter().filter(|source| pure.contains(&source.krate.as_str())).collect();
    assert!(plan.len() > 5);

    for source in &plan {
        // A test of a bound has to measure.
        let may_measure = source.path.ends_with("src/execute.rs")
            || source.path.components().any(|part| part.as_os_str() == "tests");
        for (number, line) in source.code() {
            let place = format!("{}:{number}: {line}", source.path.display());
            assert!(!modules.iter().any(|module| uses_std(line, module)), "{place}");
            assert!(!banned.iter().any(|banned| line.contains(banned)), "{place}");
            assert!(may_measure || !line.contains("Instant::now"), "{place}");
        }
    }
}

#[test]
fn only_world_starts_processes_and_only_terminal_prints() {
    let rules: [(&str, &[&str]); 3] = [
        ("world", &["Command::new", "process::Command"]),
        ("terminal", &["println!", "eprintln!", "print!", "eprint!", "dbg!", "stdout()", "stderr()"]),
        ("nobody but a `main`", &["process::exit"]),
    ];
    for source in sources() {
        for (number, line) in source.shipped() {
            for (owner, powers) in rules {
                let used = source.krate != owner && powers.iter().any(|power| line.contains(power));
                assert!(!used, "{}:{number}: {line}: that is for {owner}", source.path.display());
            }
        }
    }
}

#[test]
fn only_the_pipeline_knows_of_dry_runs() {
    let strangers = ["plan", "world", "services", "databases", "schema", "workspace"];
    for source in sources().iter().filter(|source| strangers.contains(&source.krate.as_str())) {
        for (number, line) in source.shipped() {
            assert!(!line.contains("dry_run"), "{}:{number}: {line}", source.path.display());
        }
    }
}
