//! up, clean and undo on the real engine, by both Composes: all comes back, and what is others' stays.

use std::process::Command;

use crate::trial::{SHOP, Trial, docker, offline};

const V2: &str = "docker compose";
const V1: &str = "docker-compose";

/// Rows, a database and a role that only this server knows.
fn fill(trial: &Trial) {
    trial.sql("INSERT INTO item SELECT n, md5(n::text) FROM generate_series(1, 5000) n");
    trial.sql("CREATE ROLE joe LOGIN PASSWORD 'joes'");
    trial.sql("CREATE DATABASE other OWNER joe");
}

fn content(trial: &Trial) -> String {
    let rows = trial.sql("SELECT count(*), md5(string_agg(name, ',' ORDER BY id)) FROM item");
    let other = trial.sql("SELECT datname, pg_get_userbyid(datdba) FROM pg_database ORDER BY 1");
    let roles = trial.sql("SELECT rolname, rolpassword FROM pg_authid ORDER BY 1");
    [rows, other, roles].join("\n")
}

/// Clean from the state that `before` leads to, and undo.
fn comes_back(compose: &'static str, before: impl FnOnce(&Trial)) {
    let trial = Trial::new(compose);
    trial.ends("slate-up", &[], 0);
    fill(&trial);
    let content_before = content(&trial);
    before(&trial);

    let clean = trial.ends("slate-clean", &["--yes"], 0);

    let left = trial.things();
    assert!(
        left.lines()
            .all(|thing| ["bystander", "stranger", "_kept_1"].iter().any(|word| thing.contains(word))),
        "{left}"
    );
    assert!(clean.stderr.contains("mounted: a folder of yours"), "{}", clean.stderr);
    trial.assert_others_untouched();

    trial.ends("slate-undo", &[], 0);
    trial.ends("slate-up", &[], 0);

    assert_eq!(content(&trial), content_before);
    trial.assert_others_untouched();
    assert!(!trial.things().contains("pgdata_kept"), "{}", trial.things());
}

#[test]
fn a_running_stack_comes_back_by_v2() {
    if !offline() {
        comes_back(V2, |_| ());
    }
}

#[test]
fn a_stopped_stack_comes_back_by_v2() {
    if !offline() {
        comes_back(V2, |trial| drop(trial.ends("slate-down", &[], 0)));
    }
}

#[test]
fn a_stack_comes_back_after_down_by_v2() {
    if !offline() {
        comes_back(V2, |trial| drop(trial.compose(".", &["down"])));
    }
}

#[test]
fn a_running_stack_comes_back_by_v1() {
    if !offline() {
        comes_back(V1, |_| ());
    }
}

#[test]
fn a_stack_comes_back_after_down_by_v1() {
    if !offline() {
        comes_back(V1, |trial| drop(trial.compose(".", &["down"])));
    }
}

#[test]
fn undo_is_itself_undone() {
    if offline() {
        return;
    }
    let trial = Trial::new(V2);
    trial.ends("slate-up", &[], 0);
    trial.sql("INSERT INTO item VALUES (1, 'old')");
    trial.ends("slate-clean", &["--yes", "--up"], 0);
    trial.sql("INSERT INTO item VALUES (2, 'new')");

    trial.ends("slate-undo", &[], 0);
    trial.ends("slate-up", &[], 0);
    assert_eq!(trial.sql("SELECT name FROM item"), "old");
    trial.ends("slate-undo", &[], 0);
    trial.ends("slate-up", &[], 0);

    assert_eq!(trial.sql("SELECT name FROM item"), "new");
}

#[test]
fn up_again_and_composes_own_up_change_nothing() {
    if offline() {
        return;
    }
    for compose in [V2, V1] {
        let trial = Trial::new(compose);
        trial.ends("slate-up", &[], 0);
        let things = trial.things();

        trial.ends("slate-up", &[], 0);
        trial.compose(".", &["up", "-d"]);
        let ids = |things: &str| {
            things.lines().map(|line| line.split(' ').next().unwrap().to_owned()).collect::<Vec<_>>()
        };
        assert_eq!(ids(&trial.things()), ids(&things));
        trial.ends("slate-down", &[], 0);
        trial.ends("slate-up", &[], 0);

        assert_eq!(trial.things(), things);
        trial.ends("slate-restart", &["cache"], 0);
        assert_eq!(trial.things(), things);
    }
}

#[test]
fn up_does_not_wait_for_dockers_own_healthchecks() {
    if offline() {
        return;
    }
    for compose in [V2, V1] {
        let trial = Trial::new(compose);
        trial.sandbox.write("compose.yml", &SHOP.replace("interval: 1s", "interval: 5m"));

        // Compose's own `up` would wait for the first check, five minutes from now.
        trial.ends("slate-up", &[], 0);

        let state = docker(&["inspect", "--format", "{{.State.Health.Status}}", &trial.container("db")]);
        assert_eq!(state, "starting");
    }
}

#[test]
fn only_the_database_is_new_afterwards() {
    if offline() {
        return;
    }
    let trial = Trial::new(V2);
    trial.ends("slate-up", &[], 0);
    trial.sql("INSERT INTO item VALUES (1, 'old')");
    let (database, cache) = (trial.container("db"), trial.container("cache"));

    trial.ends("slate-clean", &["--only-db", "--yes"], 0);

    assert_eq!(trial.sql("SELECT count(*) FROM item"), "0");
    assert_eq!(trial.container("cache"), cache);
    assert_ne!(trial.container("db"), database);
    let running = docker(&["inspect", "--format", "{{.State.Running}}", &cache]);
    assert_eq!(running, "true");
}

#[test]
fn without_a_terminal_and_without_consent_nothing_changes() {
    if offline() {
        return;
    }
    let trial = Trial::new(V2);
    trial.ends("slate-up", &[], 0);
    let things = trial.things();

    trial.ends("slate-clean", &[], 3);
    trial.ends("slate-clean", &["--yes", "--no-undo", "--dry-run"], 0);

    assert_eq!(trial.things(), things);
    trial.ends("slate-clean", &["--yes", "--no-undo"], 0);
    assert!(!trial.things().contains("pgdata") && !trial.things().contains("_kept_"), "{}", trial.things());
    trial.assert_others_untouched();
}

#[test]
fn an_interrupt_while_copying_leaves_everything_as_it_was() {
    if offline() {
        return;
    }
    let trial = Trial::new(V2);
    trial.ends("slate-up", &[], 0);
    trial.sql("INSERT INTO item VALUES (1, 'mine')");
    // Big enough that the copy is still being made when the interrupt comes.
    let filler = "head -c 900000000 /dev/zero >/var/lib/postgresql/data/filler";
    docker(&["exec", &trial.container("db"), "sh", "-c", filler]);
    let things = trial.things();
    let copy = trial.named("pgdata_kept_1");

    let code = trial.interrupted("slate-clean", &["--yes"], || {
        let made = Command::new("docker").args(["volume", "inspect", &copy]).output().unwrap();
        made.status.success()
    });

    assert_eq!(code, 130);
    assert_eq!(trial.things(), things);
    assert_eq!(docker(&["ps", "-aq", "--filter", &format!("volume={copy}")]), "");
    trial.ends("slate-up", &[], 0);
    assert_eq!(trial.sql("SELECT name FROM item"), "mine");
}
