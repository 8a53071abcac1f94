//! The engine goes away, or a run of ours is killed, in the middle: the right message, every row under a known name, and
//! the next run goes on from there.

use std::path::PathBuf;

use testkit::Call;

use crate::trial::{SHOP, Trial, docker, offline};

const V2: &str = "docker compose";
const V1: &str = "docker-compose";

/// The real `docker`, but for what is done first when a call starts with these words. It stands until the file `off` is
/// there.
fn stub(trial: &Trial, words: &str, deed: &str) {
    let work = trial.sandbox.work();
    let real = which("docker");
    let script = format!(
        "#!/bin/sh\ncd '{}' || exit 1\nif [ ! -e off ]; then case \"$* \" in {words}*) {deed};; esac; fi\n[ -e gone ] && [ ! -e off ] && {{ echo 'Cannot connect to the Docker daemon at unix:///x. Is the docker daemon running?' >&2; exit 1; }}\nexec '{}' \"$@\"\n",
        work.display(),
        real.display()
    );
    for file in ["off", "gone"] {
        let _ = std::fs::remove_file(work.join(file));
    }
    trial.sandbox.stub("docker", &script);
}

fn which(program: &str) -> PathBuf {
    let path = std::env::var_os("PATH").unwrap();
    std::env::split_paths(&path).map(|folder| folder.join(program)).find(|path| path.is_file()).unwrap()
}

/// From this call on the engine is gone.
fn engine_goes_at(trial: &Trial, words: &str) {
    stub(trial, words, "touch gone");
}

fn engine_is_back(trial: &Trial) {
    trial.sandbox.write("off", "");
}

#[test]
fn an_engine_that_goes_in_the_middle_of_an_up_is_told_and_the_next_up_goes_on() {
    if offline() {
        return;
    }
    let trial = Trial::new(V2);
    for moment in ["compose\\ up", "start\\ ", "exec\\ "] {
        engine_goes_at(&trial, moment);

        let output = trial.ends("slate-up", &["--timeout", "20s"], 5);

        assert!(output.stderr.contains("error: Docker does not answer"), "{moment}: {}", output.stderr);
        assert!(output.stderr.contains("hint:"), "{moment}: {}", output.stderr);
    }
    engine_is_back(&trial);
    trial.ends("slate-up", &[], 0);
    assert_eq!(trial.sql("SELECT count(*) FROM item"), "0");
}

#[test]
fn an_engine_that_goes_in_the_middle_of_a_clean_loses_no_row() {
    if offline() {
        return;
    }
    let trial = Trial::new(V2);
    trial.ends("slate-up", &[], 0);
    trial.sql("INSERT INTO item VALUES (1, 'mine')");
    for moment in ["volume\\ create", "volume\\ rm"] {
        engine_goes_at(&trial, moment);

        let output = trial.slate("slate-clean", &["--yes"]);

        assert_eq!(output.code, 5, "{moment}: {}", output.stderr);
        assert!(output.stderr.contains("error: Docker does not answer"), "{moment}: {}", output.stderr);
        assert!(output.stderr.contains("state:"), "{moment}: {}", output.stderr);
        engine_is_back(&trial);
        trial.ends("slate-up", &[], 0);
        assert_eq!(trial.sql("SELECT name FROM item"), "mine", "{moment}: {}", output.stderr);
    }
    trial.ends("slate-clean", &["--yes"], 0);
    trial.ends("slate-undo", &[], 0);
    trial.ends("slate-up", &[], 0);
    assert_eq!(trial.sql("SELECT name FROM item"), "mine");
    trial.assert_others_untouched();
}

#[test]
fn a_killed_undo_leaves_a_volume_that_only_the_next_undo_takes() {
    if offline() {
        return;
    }
    let trial = Trial::new(V2);
    trial.ends("slate-up", &[], 0);
    trial.sql("INSERT INTO item VALUES (1, 'mine')");
    trial.ends("slate-clean", &["--yes"], 0);
    let (volume, real) = (trial.named("pgdata"), which("docker"));
    let real = real.display();
    let begun = ": >/to/.cleanslate-unfinished; echo 17 >/to/PG_VERSION";
    // Killed when there is nothing in it yet, then with a part of it, then again.
    for part in ["true", begun, begun] {
        let fill = format!("'{real}' run --rm -v {volume}:/to --entrypoint sh redis:7 -c '{part}'");
        stub(&trial, "volume\\ create", &format!("'{real}' \"$@\"; {fill}; kill -9 $PPID; exit 1"));

        let killed = trial.slate("slate-undo", &[]);

        assert_eq!(killed.code, 128 + 9, "{}", killed.stderr);
        docker(&["volume", "inspect", &volume]);
        engine_is_back(&trial);
        for refused in [("slate-up", &["--adopt"][..]), ("slate-clean", &["--yes", "--no-undo"])] {
            let output = trial.ends(refused.0, refused.1, 4);
            assert!(output.stderr.contains("only half there"), "{}", output.stderr);
            assert!(output.stderr.contains("hint:  slate-undo"), "{}", output.stderr);
        }
    }

    trial.ends("slate-undo", &[], 0);
    trial.ends("slate-up", &[], 0);

    assert_eq!(trial.sql("SELECT name FROM item"), "mine");
    assert!(!trial.things().contains("pgdata_kept"), "{}", trial.things());
}

#[test]
fn a_second_up_starts_no_compose() {
    if offline() {
        return;
    }
    for compose in [V2, V1] {
        let trial = Trial::new(compose);
        for tool in ["docker", "docker-compose"] {
            let script = format!("#!/bin/sh\nexec '{}' \"$@\"\n", which(tool).display());
            trial.sandbox.stub(tool, &script);
        }
        let composes = || {
            let calls = trial.sandbox.calls();
            let is_compose = |call: &&Call| {
                call.tool == "docker-compose" || call.args.first().is_some_and(|one| one == "compose")
            };
            calls.iter().filter(is_compose).count()
        };
        trial.ends("slate-up", &[], 0);
        let first = composes();
        assert!(first > 0);

        trial.ends("slate-up", &[], 0);

        assert_eq!(composes(), first, "{compose}");
        trial.sandbox.write("compose.yml", &format!("{SHOP}# edited\n"));
        trial.ends("slate-up", &[], 0);
        assert!(composes() > first, "{compose}");
        let edited = composes();
        trial.ends("slate-up", &[], 0);
        assert_eq!(composes(), edited, "{compose}");
        let state = std::fs::read_dir(trial.sandbox.state().join("cleanslate")).unwrap();
        for folder in state.flatten() {
            let made = std::fs::read_to_string(folder.path().join("made.json")).unwrap_or_default();
            assert!(!made.contains("hunter2word"), "a password stays where the project keeps it");
        }
    }
}
