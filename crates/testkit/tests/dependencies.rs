//! What others wrote and we ship: from where, under which licence, and what must never be among it.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use cargo_metadata::{Metadata, MetadataCommand, Package};
use spdx::{Expression, ParseMode};
use testkit::repository;

/// All of them let anybody use and pass on a binary; none asks for the source of what it is linked into.
const LICENCES: [&str; 11] = [
    "0BSD",
    "MIT",
    "MIT-0",
    "Apache-2.0",
    "BSD-2-Clause",
    "BSD-3-Clause",
    "ISC",
    "Zlib",
    "Unicode-3.0",
    "BSL-1.0",
    "CDLA-Permissive-2.0",
];
const EXCEPTIONS: [&str; 1] = ["LLVM-exception"];

/// Why each: a C library that is not there, or nobody mends it any more, or a whole engine for one call.
const BANNED: [&str; 13] = [
    "openssl",
    "openssl-sys",
    "native-tls",
    "serde_yaml",
    "serde_yml",
    "atty",
    "ansi_term",
    "structopt",
    "bollard",
    "gix",
    "testcontainers",
    "reqwest",
    "async-std",
];

/// Of the platform that the tests run on: the others' need not be downloaded.
fn dependencies() -> Vec<Package> {
    let metadata: Metadata = MetadataCommand::new()
        .manifest_path(repository().join("Cargo.toml"))
        .other_options(["--filter-platform".to_owned(), platform()])
        .exec()
        .unwrap();
    let ours = metadata.workspace_members.clone();
    let all: Vec<Package> =
        metadata.packages.into_iter().filter(|package| !ours.contains(&package.id)).collect();
    assert!(all.len() > 50, "that can't be all: {}", all.len());
    all
}

fn platform() -> String {
    let output = std::process::Command::new("rustc").arg("-vV").output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    text.lines().find_map(|line| line.strip_prefix("host: ")).unwrap().to_owned()
}

fn accepts(expression: &str) -> bool {
    let expression = Expression::parse_mode(expression, ParseMode::LAX).unwrap();
    expression.evaluate(|wanted| {
        let licence = wanted.license.id().is_some_and(|id| LICENCES.contains(&id.name));
        let exception = wanted
            .addition
            .as_ref()
            .is_none_or(|addition| addition.id().is_some_and(|id| EXCEPTIONS.contains(&id.name)));
        licence && exception
    })
}

#[test]
fn licences_are_read_as_expressions() {
    assert!(accepts("MIT OR GPL-3.0-only"));
    assert!(accepts("MIT/Apache-2.0"));
    assert!(accepts("(MIT OR Apache-2.0) AND Unicode-3.0"));
    assert!(accepts("Apache-2.0 WITH LLVM-exception"));
    assert!(!accepts("GPL-3.0-only"));
    assert!(!accepts("MIT AND GPL-3.0-only"));
    assert!(!accepts("Apache-2.0 WITH Classpath-exception-2.0"));
}

#[test]
fn everything_comes_from_crates_io() {
    for package in dependencies() {
        let from = package.source.as_ref().map(ToString::to_string).unwrap_or_default();
        assert_eq!(from, "registry+https://github.com/rust-lang/crates.io-index", "{}", package.name);
    }
}

#[test]
fn every_licence_lets_us_ship() {
    for package in dependencies() {
        let licence = package.license.as_deref().unwrap_or("none");
        assert!(package.license.is_some() && accepts(licence), "{} is under {licence}", package.name);
    }
}

#[test]
fn nothing_banned_is_among_it() {
    for package in dependencies() {
        assert!(!BANNED.contains(&package.name.as_str()), "{} {}", package.name, package.version);
    }
}
