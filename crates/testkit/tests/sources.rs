//! The rules of style that a test can hold.

use testkit::{Source, sources};

const LONGEST: usize = 450;
const BANNED_MODULES: [&str; 8] = ["utils", "common", "helpers", "misc", "manager", "imp", "data", "info"];

#[track_caller]
fn assert_no_line(what: &str, breaks: impl Fn(&Source, &str) -> bool) {
    let sources = sources();
    let found =
        sources.iter().flat_map(|source| source.code().map(move |(number, line)| (source, number, line)));
    let found: Vec<String> = found
        .filter(|(source, _, line)| breaks(source, line))
        .map(|(source, number, line)| format!("{}:{number}: {}", source.path.display(), line.trim()))
        .collect();
    assert!(found.is_empty(), "{what}:\n{}", found.join("\n"));
}

#[test]
fn every_file_says_first_what_it_is_for() {
    for source in sources() {
        assert!(source.text.starts_with("//! "), "{} does not start with //!", source.path.display());
        assert!(!source.text.starts_with("//! placeholder"), "{} is a placeholder", source.path.display());
    }
}

#[test]
fn every_file_fits_a_sitting() {
    for source in sources() {
        let lines = source.text.lines().count();
        assert!(lines <= LONGEST, "{} has {lines} lines, {LONGEST} is the most", source.path.display());
    }
}

#[test]
fn lints_are_expected_with_a_reason_and_never_allowed() {
    let outer = ["#[", "allow("].concat();
    let inner = ["#![", "allow("].concat();

    assert_no_line("allowed", |_, line| line.contains(&outer) || line.contains(&inner));
}

#[test]
fn modules_have_names_that_say_something() {
    for source in sources() {
        for part in source.path.iter().map(|part| part.to_string_lossy()) {
            let name = part.strip_suffix(".rs").unwrap_or(&part);
            assert!(!BANNED_MODULES.contains(&name), "{}", source.path.display());
        }
    }
    assert_no_line("a banned module", |_, line| {
        let line = line.trim_start().trim_start_matches("pub ").trim_start_matches("pub(crate) ");
        line.strip_prefix("mod ").is_some_and(|rest| {
            let name = rest.trim_end_matches(|c: char| !c.is_alphanumeric());
            BANNED_MODULES.contains(&name)
        })
    });
}

#[test]
fn functions_have_names_that_say_something() {
    let empty = [["fn ", "do_"].concat(), ["fn ", "handle_"].concat()];

    assert_no_line("a name that says nothing", |_, line| {
        empty.iter().any(|name| line.contains(name.as_str()))
    });
}

#[test]
fn nothing_sleeps_and_hopes() {
    let sleep = ["thread::", "sleep"].concat();

    assert_no_line("a sleep", |_, line| line.contains(&sleep));
}
