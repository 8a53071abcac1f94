//! The doctor's checks of engine and stack, each with its fault made real.

use std::net::TcpListener;
use std::process::Command;

use testkit::{Sandbox, Stdin};

use crate::trial::{SHOP, Trial, docker, offline};

const V2: &str = "docker compose";

fn read(output: &testkit::Output) -> Vec<String> {
    let told: serde_json::Value = serde_json::from_str(&output.stdout).unwrap();
    let findings = told["plan"]["findings"].as_array().cloned().unwrap_or_default();
    assert_eq!(output.code, if findings.is_empty() { 0 } else { 10 }, "{output:?}");
    let whole = |one: &serde_json::Value| ["what", "because", "mend"].iter().all(|key| one[*key] != "");
    assert!(findings.iter().all(whole), "{findings:?}");
    findings.iter().map(|one| one["check"].as_str().unwrap().to_owned()).collect()
}

/// The names of the checks that find something.
fn found(trial: &Trial) -> Vec<String> {
    let things = trial.things();
    let found = read(&trial.slate("slate-doctor", &["--json"]));
    assert_eq!(trial.things(), things, "it only reads");
    found
}

#[test]
fn a_missing_engine_and_a_missing_compose_are_found() {
    let down = "#!/bin/sh\necho 'Cannot connect to the Docker daemon at unix:///x. Is the docker daemon running?' >&2; exit 1\n";
    let no_compose = "#!/bin/sh\n[ \"$1\" = compose ] || exit 0\necho \"docker: 'compose' is not a docker command.\" >&2\nexit 1\n";
    for script in [down, no_compose] {
        let mut sandbox = Sandbox::new();
        sandbox.write("compose.yml", SHOP);
        sandbox.only(&["sh"]);
        sandbox.stub("docker", script);
        let doctor = std::path::PathBuf::from(env!("CARGO_BIN_EXE_slate-up")).with_file_name("slate-doctor");

        let output = sandbox.launch(doctor).args(["--json"]).run(Stdin::Silent);

        assert_eq!(read(&output), ["reachable"], "{script}");
    }
}

#[test]
fn a_sound_stack_has_nothing_wrong_until_its_files_are() {
    if offline() {
        return;
    }
    let trial = Trial::new(V2);
    trial.ends("slate-up", &[], 0);
    assert_eq!(found(&trial), [""; 0]);
    let edited = |from: &str, to: &str| {
        trial.sandbox.write("compose.yml", &SHOP.replace(from, to));
        let found = found(&trial);
        trial.sandbox.write("compose.yml", SHOP);
        found
    };

    assert_eq!(edited("pg_isready -h 127.0.0.1", "pg_isready"), ["healthcheck"]);
    assert_eq!(edited("interval: 1s", "interval: 30s"), ["interval"]);
    assert_eq!(edited("postgres:17", "postgres:16"), ["data version"]);
    assert_eq!(edited("postgres:17", "postgres:18"), ["data version", "data mount"]);
    trial.ends("slate-down", &[], 0);
    assert_eq!(edited("postgres:17", "postgres:16"), ["data version"]);
    assert_eq!(found(&trial), [""; 0]);
}

#[test]
fn another_stack_another_compose_and_a_dev_container_are_found() {
    if offline() {
        return;
    }
    let trial = Trial::new(V2);
    trial.ends("slate-up", &[], 0);
    let root = trial.sandbox.work().canonicalize().unwrap();
    let label = format!("devcontainer.local_folder={}", root.display());
    let project = format!("com.docker.compose.project={}_devcontainer", trial.project);
    let name = trial.named("dev");
    docker(&["create", "--label", &label, "--label", &project, "--name", &name, "redis:7"]);
    assert_eq!(found(&trial), ["dev container"]);
    docker(&["rm", &name]);

    let made = Command::new("docker-compose")
        .args(["up", "-d", "--no-deps", "--force-recreate", "cache"])
        .env("COMPOSE_PROJECT_NAME", &trial.project)
        .current_dir(trial.sandbox.work())
        .output()
        .unwrap();
    assert!(made.status.success(), "{made:?}");
    assert!(found(&trial).contains(&"one compose".to_owned()));
    trial.ends("slate-clean", &["--yes", "--no-undo", "--up"], 0);
    assert_eq!(found(&trial), [""; 0]);

    trial.sandbox.write("compose.test.yml", "services: {other: {image: 'redis:7'}}\n");
    trial.compose(".", &["-f", "compose.test.yml", "up", "-d"]);
    assert_eq!(found(&trial), ["own project name"]);
    trial.compose(".", &["-f", "compose.test.yml", "down"]);
    trial.ends("slate-up", &[], 0);
    assert_eq!(found(&trial), [""; 0]);

    trial.sandbox.write("elsewhere/compose.yml", "services: {more: {image: 'redis:7'}}\n");
    trial.compose("elsewhere", &["up", "-d"]);
    assert_eq!(found(&trial), ["own project name"]);
}

#[test]
fn a_password_that_the_volume_does_not_know_is_found() {
    if offline() {
        return;
    }
    let trial = Trial::new(V2);
    trial.ends("slate-up", &[], 0);
    trial.sandbox.write("compose.yml", &SHOP.replace("hunter2word", "another1word"));
    trial.compose(".", &["up", "-d", "--wait"]);

    let output = trial.slate("slate-doctor", &[]).expect_code(10);

    assert!(output.stdout.contains("refuses the password of `app`"), "{}", output.stdout);
    assert!(!output.stdout.contains("another1word") && !output.stderr.contains("another1word"));
    assert_eq!(found(&trial), ["reachable"]);
}

#[test]
fn a_port_that_is_taken_and_volumes_that_down_left_are_found() {
    if offline() {
        return;
    }
    let trial = Trial::new(V2);
    trial.ends("slate-up", &[], 0);
    trial.compose(".", &["down"]);
    assert_eq!(found(&trial), ["unnamed volumes"]);
    let output = trial.slate("slate-doctor", &[]).expect_code(10);
    let mend = output.stdout.lines().find_map(|line| line.strip_prefix("mend:  docker ")).unwrap();
    docker(&mend.split(' ').collect::<Vec<_>>());
    assert_eq!(found(&trial), [""; 0]);

    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = format!("127.0.0.1:{}:5432", listener.local_addr().unwrap().port());
    trial.sandbox.write("compose.yml", &SHOP.replace("127.0.0.1::5432", &port));

    assert_eq!(found(&trial), ["port"]);
    drop(listener);
    assert_eq!(found(&trial), [""; 0]);
}

#[test]
fn a_data_folder_of_postgres_own_account_is_found() {
    if offline() {
        return;
    }
    let trial = Trial::new(V2);
    trial.sandbox.write(
        "compose.yml",
        &SHOP.replace("pgdata:/var", "./data:/var").replace("volumes:\n  pgdata:\n", ""),
    );
    assert_eq!(found(&trial), [""; 0]);

    trial.ends("slate-up", &[], 0);

    assert_eq!(found(&trial), ["data folder"]);
}
