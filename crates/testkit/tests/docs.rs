//! What is written about the binaries is what they say of themselves: flags, keys, links, and a help that fits a screen.

#![expect(clippy::panic, clippy::unwrap_used, reason = "a test fails by panicking")]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use plan::Config;
use serde_json::Value;
use testkit::{Launch, Stdin, binary, repository};

const BINARIES: [&str; 19] = [
    "up", "down", "clean", "restart", "reset", "rebuild", "undo", "switch", "snapshot", "status", "doctor",
    "psql", "init", "guard", "check", "ensure", "fork", "seed", "migrate",
];

/// A help is read on a screen, not scrolled through.
const ROWS: usize = 50;
const COLUMNS: usize = 100;

fn page(name: &str) -> String {
    let path = repository().join("docs").join(name);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn help(name: &str, flag: &str) -> String {
    // Without a terminal clap takes 100 columns.
    let output = Launch::new(binary(&format!("slate-{name}"))).args([flag]).without_env("COLUMNS");
    output.run(Stdin::Null).expect_code(0).stdout
}

/// `-y`, `--root DIR` and `SERVICE…` from the lines of a help; a value that may be left out is left out.
fn flags(help: &str) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for line in help.lines() {
        let indent = line.len() - line.trim_start().len();
        let told = line.trim();
        let is_flag = (indent == 2 || indent == 6) && told.starts_with('-');
        let is_word = indent == 2 && told.starts_with(['[', '<']);
        if is_flag || is_word {
            let names = told.split("  ").next().unwrap();
            found.extend(names.split(", ").map(|name| {
                let name = name.split("[=").next().unwrap().replace("...", "…");
                name.replace(['<', '>', '[', ']'], "")
            }));
        }
    }
    found
}

/// The words in backticks in the first column of every table below a heading `| flag |`.
fn table(page: &str, heading: &str) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    let mut inside = false;
    for line in page.lines() {
        let cell = line.strip_prefix("| ").and_then(|row| row.split(" | ").next());
        inside = cell.is_some_and(|cell| inside || cell == heading) || (inside && line.starts_with("| ---"));
        let words = cell.filter(|_| inside).unwrap_or_default().split('`').skip(1).step_by(2);
        found.extend(words.map(str::to_owned));
    }
    found
}

/// What the contract says that every binary takes.
fn shared() -> BTreeSet<String> {
    table(&page("contract.md"), "flag").into_iter().filter(|flag| !flag.contains('=')).collect()
}

#[test]
fn flags_are_read_from_a_help_and_from_a_page() {
    let help = "Options:\n  -h, --help     Print help\n      --json[=<HOW>]   One\n          -- told\n  [SERVICE]...  S\n\
                \n  slate-up --x\n      --root <DIR>\n";
    let page = "| key | x |\n| --- | --- |\n| `no` | |\n\n| flag | x |\n| --- | --- |\n| `-h`, `--help` | `y` |\n\n| `z` | |\n";

    let read: Vec<_> = flags(help).into_iter().collect();
    assert_eq!(read, ["--help", "--json", "--root DIR", "-h", "SERVICE…"]);
    assert_eq!(table(page, "flag").into_iter().collect::<Vec<_>>(), ["--help", "-h"]);
}

#[test]
fn the_contract_lists_what_every_binary_takes() {
    let mut helps = BINARIES.iter().map(|name| flags(&help(name, "-h")));
    let first = helps.next().unwrap();
    let common = helps.fold(first, |common, next| common.intersection(&next).cloned().collect());

    assert_eq!(shared(), common);
}

#[test]
fn a_page_lists_the_flags_of_its_binary_and_no_other() {
    for name in BINARIES {
        let own: BTreeSet<String> = flags(&help(name, "-h")).difference(&shared()).cloned().collect();

        assert_eq!(
            table(&page(&format!("{name}.md")), "flag"),
            own,
            "docs/{name}.md and slate-{name} --help"
        );
    }
}

#[test]
fn a_help_has_examples_and_says_what_it_leaves_alone() {
    for name in BINARIES {
        let help = help(name, "--help");
        let (_, after) = help.split_once("\nExamples:\n").unwrap_or_else(|| panic!("{name}: no examples"));
        let (examples, leaves) = after.split_once("\n\n").unwrap_or_else(|| panic!("{name}: no last word"));

        assert!(examples.lines().all(|line| line.starts_with(&format!("  slate-{name}"))), "{examples}");
        let says = ["removes nothing", "leaves", "touches", "changes nothing", "never", "nothing is"];
        assert!(says.iter().any(|word| leaves.contains(word)), "slate-{name} leaves what alone? {leaves}");
        assert!(help.lines().all(|line| line.chars().count() <= COLUMNS), "slate-{name} is too wide\n{help}");
    }
}

#[test]
fn a_help_fits_a_screen() {
    for flag in ["-h", "--help"] {
        for name in BINARIES {
            let rows = help(name, flag).lines().count();
            assert!(rows <= ROWS, "slate-{name} {flag} has {rows} lines, {ROWS} is the most");
        }
    }
}

#[test]
fn own_flags_stand_apart_from_the_shared_ones() {
    let shared = shared();
    for name in BINARIES {
        let help = help(name, "--help");
        let (own, common) = help.split_once("\nEvery cleanslate command takes:\n").unwrap();
        let flags = flags(common);
        let strays: Vec<_> = flags.difference(&shared).collect();

        assert!(strays.is_empty(), "slate-{name} lists {strays:?} as if every command took it\n{own}");
    }
}

#[test]
fn every_binary_is_on_the_index_and_in_the_readme() {
    let readme = fs::read_to_string(repository().join("README.md")).unwrap();
    let index = page("README.md");
    for name in BINARIES {
        assert!(index.contains(&format!("[slate-{name}]({name}.md)")), "docs/README.md: {name}");
        assert!(readme.contains(&format!("[slate-{name}](docs/{name}.md)")), "README.md: {name}");
    }
}

/// The dotted keys of the configuration; a map's are told by a placeholder.
fn keys(value: &Value, above: &str) -> BTreeSet<String> {
    let Value::Object(section) = value else { return BTreeSet::from([above.to_owned()]) };
    if section.is_empty() {
        let named = if ["ready", "restart.inside"].contains(&above) { "SERVICE" } else { "NAME" };
        return BTreeSet::from([format!("{above}.{named}")]);
    }
    let dotted = |key: &str| if above.is_empty() { key.to_owned() } else { format!("{above}.{key}") };
    section.iter().flat_map(|(key, value)| keys(value, &dotted(key))).collect()
}

#[test]
fn configuration_lists_every_key_and_no_other() {
    let known = keys(&serde_json::to_value(Config::default()).unwrap(), "");

    assert!(known.contains("migrations.in") && known.contains("ready.SERVICE"), "{known:?}");
    assert_eq!(table(&page("configuration.md"), "key"), known);
}

#[test]
fn configuration_says_which_keys_have_no_variable() {
    let variables: BTreeSet<String> = plan::variables().collect();
    let page = page("configuration.md");
    for key in table(&page, "key") {
        let row =
            page.lines().find(|line| line.starts_with('|') && line.contains(&format!("`{key}`"))).unwrap();

        assert_eq!(row.contains("no variable"), !variables.contains(&plan::variable_of(&key)), "{key}");
    }
}

/// Markdown files of the repository's root and of these folders.
fn pages() -> Vec<PathBuf> {
    let root = repository();
    let folders = ["", "docs", "docs/decisions", "templates"].map(|folder| root.join(folder));
    let files =
        folders.iter().flat_map(|folder| fs::read_dir(folder).unwrap()).map(|file| file.unwrap().path());
    files.filter(|path| path.extension().is_some_and(|end| end == "md")).collect()
}

/// Targets of `[text](target)` outside code blocks.
fn links(text: &str) -> Vec<String> {
    let prose = text.split("```").step_by(2);
    let targets = prose.flat_map(|prose| prose.split("](").skip(1));
    targets.filter_map(|rest| Some(rest.split_once(')')?.0.to_owned())).collect()
}

/// GitHub's anchors of a page's headings.
fn anchors(text: &str) -> BTreeSet<String> {
    let headings = text.lines().filter_map(|line| line.strip_prefix('#'));
    let anchor = |heading: &str| {
        let words = heading.trim_start_matches('#').trim().to_lowercase().replace(' ', "-");
        words.chars().filter(|c| c.is_alphanumeric() || "-_".contains(*c)).collect()
    };
    headings.map(anchor).collect()
}

#[test]
fn every_link_leads_somewhere() {
    let mut seen = 0;
    for page in pages() {
        let text = fs::read_to_string(&page).unwrap();
        for link in links(&text).iter().filter(|link| !link.contains("://")) {
            let (file, anchor) = link.split_once('#').unwrap_or((link, ""));
            let folder = page.parent().unwrap_or(Path::new("/"));
            let target = if file.is_empty() { page.clone() } else { folder.join(file) };
            assert!(target.exists(), "{}: {link} leads nowhere", page.display());
            if !anchor.is_empty() {
                let there = anchors(&fs::read_to_string(&target).unwrap());
                assert!(there.contains(anchor), "{}: {link}: no such heading", page.display());
            }
            seen += 1;
        }
    }
    assert!(seen > 20, "only {seen} links were found");
}
