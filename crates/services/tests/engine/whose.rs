//! Whose is it? On the real engine: another checkout, another stack, a volume made by hand, an external one.

use crate::trial::{SHOP, Trial, docker, offline};

const V2: &str = "docker compose";

/// up and clean refuse with 4, and nothing is different afterwards.
#[track_caller]
fn both_refuse(trial: &Trial, why: &str) {
    let things = trial.things();
    for (binary, args) in
        [("slate-up", &[][..]), ("slate-clean", &["--yes"]), ("slate-clean", &["--yes", "--no-undo"])]
    {
        let output = trial.ends(binary, args, 4);
        assert!(output.stderr.contains(why), "{}", output.stderr);
        assert!(output.stderr.contains("nothing was changed"), "{}", output.stderr);
    }
    assert_eq!(trial.things(), things);
    trial.assert_others_untouched();
}

#[test]
fn another_checkout_of_our_name_is_left_alone() {
    if offline() {
        return;
    }
    for compose in [V2, "docker-compose"] {
        let trial = Trial::new(compose);
        trial.sandbox.write("elsewhere/mine/compose.yml", SHOP);
        // Their folder is no part of our workspace.
        let theirs = trial.sandbox.home().join("shop");
        std::fs::rename(trial.sandbox.work().join("elsewhere/mine"), &theirs).unwrap();
        let folder = theirs.to_string_lossy().into_owned();

        trial.compose(&folder, &["up", "-d"]);
        both_refuse(&trial, &folder);
        trial.compose(&folder, &["stop", "-t", "2"]);
        both_refuse(&trial, &folder);
        trial.compose(&folder, &["down"]);
        both_refuse(&trial, "pgdata");
    }
}

#[test]
fn a_test_stack_in_our_folder_is_another_stack() {
    if offline() {
        return;
    }
    let trial = Trial::new(V2);
    trial.ends("slate-up", &[], 0);
    trial.sql("INSERT INTO item VALUES (1, 'mine')");
    let test = SHOP.replace(
        "volumes: ['pgdata:/var/lib/postgresql/data', './mounted:/mounted']",
        "tmpfs: [/var/lib/postgresql/data]",
    );
    trial.sandbox.write("compose.test.yml", &test);
    trial.compose(".", &["-f", "compose.test.yml", "up", "-d", "--no-deps", "db"]);

    both_refuse(&trial, "compose.test.yml");

    trial.compose(".", &["-f", "compose.test.yml", "down"]);
    trial.ends("slate-up", &[], 0);
    assert_eq!(trial.sql("SELECT name FROM item"), "mine");
}

#[test]
fn a_volume_made_by_hand_stays_until_it_is_adopted() {
    if offline() {
        return;
    }
    let trial = Trial::new(V2);
    docker(&["volume", "create", &trial.named("pgdata")]);

    both_refuse(&trial, "pgdata");
    trial.ends("slate-up", &["--adopt"], 0);
    trial.compose(".", &["down"]);
    trial.ends("slate-clean", &["--yes"], 0);

    assert!(!trial.things().lines().any(|thing| thing == trial.named("pgdata")), "{}", trial.things());
}

#[test]
fn a_volume_that_somebody_made_again_is_not_ours() {
    if offline() {
        return;
    }
    let trial = Trial::new(V2);
    trial.ends("slate-up", &[], 0);
    trial.compose(".", &["down", "-v"]);
    let label = format!("com.docker.compose.project={}", trial.project);
    docker(&["volume", "create", "--label", &label, &trial.named("pgdata")]);

    both_refuse(&trial, "pgdata");
}

#[test]
fn external_volumes_stay_and_the_rest_goes() {
    if offline() {
        return;
    }
    let trial = Trial::new(V2);
    let outside = trial.named("outside");
    docker(&["volume", "create", &outside]);
    let files = SHOP
        .replace("'./mounted:/mounted'", "'outside:/outside'")
        .replace("  pgdata:\n", &format!("  pgdata:\n  outside: {{external: true, name: {outside}}}\n"));
    trial.sandbox.write("compose.yml", &files);
    trial.ends("slate-up", &[], 0);

    let clean = trial.ends("slate-clean", &["--yes"], 0);

    assert!(clean.stderr.contains(&format!("{outside}: it is external")), "{}", clean.stderr);
    let things = trial.things();
    assert!(things.contains(&outside) && !things.contains("db-1"), "{things}");
}
