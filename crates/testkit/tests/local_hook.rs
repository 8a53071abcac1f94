//! The hook of slate-init --hook: it says after a checkout whose database this is, and is in nobody's way.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::fs;

use testkit::{Shop, Stdin, binary, offline};

/// What git said on stderr.
fn git(shop: &Shop, words: &[&str]) -> String {
    let ours = binary("slate-switch");
    let path = format!("{}:{}", ours.parent().unwrap().display(), std::env::var("PATH").unwrap());
    let git = shop.sandbox().launch("git").args(["-c", "user.name=x", "-c", "user.email=x@x"]).args(words);
    git.folder(shop.sandbox().work()).env("PATH", path).run(Stdin::Null).expect_code(0).stderr
}

#[test]
fn git_says_whose_database_it_is_and_a_hook_of_the_users_stays() {
    if offline("a hook on a real repository") {
        return;
    }
    let shop = Shop::open();
    let root = shop.sandbox().work();
    let git = |words: &[&str]| git(&shop, words);
    let _ = git(&["init", "-q", "-b", "main"]);
    let _ = git(&["commit", "--allow-empty", "-qm", "one"]);
    let _ = git(&["branch", "feature"]);
    let _ = git(&["config", "core.hooksPath", "hooks"]);
    let hook = root.join("hooks/post-checkout");

    let _ = shop.run("slate-init", &["--hook", "--yes"]).expect_code(0);
    let _ = shop.run("slate-switch", &["--yes"]).expect_code(0);
    let silent = git(&["checkout", "-q", "main"]);
    let said = git(&["checkout", "-q", "feature"]);

    assert_eq!(silent, "");
    assert_eq!(said, "database `shop` is the one of `main`; `feature` has none yet: slate-switch\n");
    let _ = shop.run("slate-down", &[]).expect_code(0);
    assert_eq!(git(&["checkout", "-q", "main"]), "", "the server does not run");
    assert_eq!(git(&["checkout", "-q", "feature"]), "");

    let _ = shop.run("slate-init", &["--remove", "--yes"]).expect_code(0);
    assert!(!hook.exists());
    fs::create_dir_all(hook.parent().unwrap()).unwrap();
    fs::write(&hook, "#!/bin/sh\n").unwrap();
    let told = shop.run("slate-init", &["--hook", "--yes"]).expect_code(0);
    assert!(told.stderr.contains("is yours and stays"), "{told:?}");
    let _ = shop.run("slate-init", &["--remove", "--yes"]).expect_code(0);
    assert_eq!(fs::read_to_string(&hook).unwrap(), "#!/bin/sh\n");
}
