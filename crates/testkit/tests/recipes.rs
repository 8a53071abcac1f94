//! The recipes read as a menu, and hand over to the binaries: every argument intact, every exit code as it was.

#![expect(clippy::panic, clippy::unwrap_used, reason = "a test fails by panicking")]

use std::collections::BTreeSet;
use std::fs;
use std::path::PathBuf;

use testkit::{Launch, Output, Sandbox, Stdin, binary, repository};

const BINARIES: [&str; 15] = [
    "up", "down", "clean", "restart", "reset", "rebuild", "undo", "switch", "snapshot", "status", "doctor",
    "psql", "check", "ensure", "migrate",
];

/// What a shell would take apart.
const HARD: [&str; 7] = ["two words", "it's", "a \"b\"", "x; echo y", "$HOME `id`", "", "*"];

/// The `just` that scripts/need installed, else the one on PATH.
fn just() -> PathBuf {
    let ours = repository().join("target/tools/bin/just");
    if ours.is_file() {
        return ours;
    }
    let path = std::env::var_os("PATH").unwrap();
    let mut found = std::env::split_paths(&path).map(|folder| folder.join("just"));
    found.find(|just| just.is_file()).unwrap_or_else(|| panic!("no just: run `scripts/need just` first"))
}

/// A workspace with our recipes, and a stub for every binary.
fn workspace(script: &str) -> Sandbox {
    let sandbox = Sandbox::new();
    for file in ["justfile", "cleanslate.just"] {
        sandbox.write(file, &fs::read_to_string(repository().join(file)).unwrap());
    }
    for name in BINARIES {
        sandbox.stub(&format!("slate-{name}"), script);
    }
    sandbox
}

fn run(sandbox: &Sandbox, args: &[&str]) -> Output {
    launch(sandbox, args).run(Stdin::Null)
}

fn launch(sandbox: &Sandbox, args: &[&str]) -> Launch {
    // The person's own settings of just are none of this.
    sandbox.launch(just()).without_env("JUST_UNSTABLE").without_env("JUST_JUSTFILE").args(args)
}

/// Recipe and what it runs.
fn recipes(file: &str) -> Vec<(String, String)> {
    let text = fs::read_to_string(repository().join(file)).unwrap();
    let lines: Vec<&str> = text.lines().collect();
    let pairs = lines.windows(2).filter_map(|pair| match pair {
        [head, body] => Some((head.strip_suffix(" *ARGS:")?, body.trim().strip_prefix("@slate-")?)),
        _ => None,
    });
    pairs.map(|(recipe, runs)| (recipe.to_owned(), runs.split(' ').next().unwrap().to_owned())).collect()
}

#[test]
fn the_list_is_a_menu() {
    let sandbox = workspace("#!/bin/sh\nexit 1\n");
    // `just` alone calls itself by its name.
    sandbox.stub("just", &format!("#!/bin/sh\nexec '{}' \"$@\"\n", just().display()));

    let top = run(&sandbox, &["--list"]).expect_code(0);
    let db = run(&sandbox, &["--list", "db"]).expect_code(0);
    let bare = run(&sandbox, &[]).expect_code(0);

    for recipe in ["up *ARGS", "down *ARGS", "clean *ARGS", "restart *ARGS", "db ..."] {
        assert!(has_words(&top.stdout, recipe), "{recipe} has no words\n{}", top.stdout);
    }
    for recipe in ["status *ARGS", "reset *ARGS", "undo *ARGS", "psql *ARGS"] {
        assert!(has_words(&db.stdout, recipe), "{recipe} has no words\n{}", db.stdout);
        assert!(has_words(&bare.stdout, recipe), "`just` alone does not show {recipe}\n{}", bare.stdout);
    }
    assert!(top.stdout.contains("\n    [workspace]\n"), "{}", top.stdout);
    assert!(top.stdout.lines().all(|line| line.chars().count() <= 100), "{}", top.stdout);
    assert_eq!((top.stderr, db.stderr, bare.stderr), (String::new(), String::new(), String::new()));
    assert!(sandbox.calls().iter().all(|call| call.tool == "just"), "a menu starts nothing");
}

/// The recipe's line says what it does.
fn has_words(list: &str, recipe: &str) -> bool {
    let line = list.lines().find_map(|line| line.trim().strip_prefix(recipe));
    line.is_some_and(|rest| rest.trim_start().starts_with("# "))
}

#[test]
fn every_recipe_names_a_binary_that_is_there_and_every_binary_has_one() {
    let all = [recipes("justfile"), recipes("cleanslate.just")].concat();

    for (recipe, runs) in &all {
        assert_eq!(recipe, runs, "one word in both places");
        assert!(binary(&format!("slate-{runs}")).is_file());
    }
    let named: BTreeSet<&str> = all.iter().map(|(recipe, _)| recipe.as_str()).collect();
    assert_eq!(named, BTreeSet::from(BINARIES));
}

#[test]
fn a_bare_db_only_looks() {
    let sandbox = workspace("#!/bin/sh\n");

    let _ = run(&sandbox, &["db"]).expect_code(0);

    let calls = sandbox.calls();
    let [call] = calls.as_slice() else { panic!("{calls:?}") };
    assert_eq!((call.tool.as_str(), call.args.len()), ("slate-status", 0));
    assert!(call.env.contains_key("SLATE_RECIPE"), "hints would not name recipes");
}

#[test]
fn arguments_arrive_as_they_were_typed() {
    let daily = recipes("justfile").into_iter().map(|(recipe, runs)| (vec![recipe], runs));
    let db =
        recipes("cleanslate.just").into_iter().map(|(recipe, runs)| (vec!["db".to_owned(), recipe], runs));
    for (typed, runs) in daily.chain(db) {
        let sandbox = workspace("#!/bin/sh\n");
        let typed: Vec<&str> = typed.iter().map(String::as_str).chain(HARD).collect();

        let output = run(&sandbox, &typed).expect_code(0);

        let calls = sandbox.calls();
        let [call] = calls.as_slice() else { panic!("{typed:?}: {calls:?}") };
        assert_eq!(
            (call.tool.as_str(), call.args.as_slice()),
            (format!("slate-{runs}").as_str(), &HARD.map(str::to_owned)[..])
        );
        assert_eq!((output.stdout.as_str(), output.stderr.as_str()), ("", ""), "{typed:?}");
    }
}

#[test]
fn an_exit_code_passes_through_without_a_word_of_just() {
    for code in [3, 130] {
        let sandbox = workspace(&format!("#!/bin/sh\nexit {code}\n"));
        for recipe in [&["clean"][..], &["db"], &["db", "reset", "--drop"]] {
            let output = run(&sandbox, recipe).expect_code(code);

            assert_eq!(output.stderr, "", "{recipe:?}");
        }
    }
}
