//! Bad input, each in four lines with its exit code, and nothing changed. The engine is real where it matters.

use std::net::TcpListener;

use crate::trial::{SHOP, Trial, docker, offline};
use testkit::{Sandbox, Stdin};

const V2: &str = "docker compose";

/// Without an engine: what `docker` says comes from a stub.
fn with_docker(script: &str, code: i32, error: &str) {
    let sandbox = Sandbox::new();
    sandbox.write("compose.yml", SHOP);
    sandbox.stub("docker", script);
    sandbox.stub("docker-compose", "#!/bin/sh\necho 'no docker-compose here' >&2; exit 127\n");

    let output = sandbox.launch(env!("CARGO_BIN_EXE_slate-up")).run(Stdin::Silent).expect_code(code);

    assert!(output.stderr.starts_with(&format!("error: {error}")), "{}", output.stderr);
    assert!(output.stderr.contains("cause: ") && output.stderr.contains("hint:"), "{}", output.stderr);
}

#[test]
fn an_engine_that_is_down_is_not_ready() {
    let said =
        "Cannot connect to the Docker daemon at unix:///var/run/docker.sock. Is the docker daemon running?";
    with_docker(&format!("#!/bin/sh\necho '{said}' >&2; exit 1\n"), 5, "Docker does not answer");
}

#[test]
fn a_missing_docker_is_not_ready() {
    let mut sandbox = Sandbox::new();
    sandbox.write("compose.yml", SHOP);
    sandbox.only(&["sh"]);

    let output = sandbox.launch(env!("CARGO_BIN_EXE_slate-up")).run(Stdin::Silent).expect_code(5);

    assert!(output.stderr.starts_with("error: `docker` is not installed"), "{}", output.stderr);
}

#[test]
fn a_missing_compose_is_not_ready() {
    let mut sandbox = Sandbox::new();
    sandbox.write("compose.yml", SHOP);
    sandbox.only(&["sh"]);
    let script = "#!/bin/sh\n[ \"$1\" = ps ] && exit 0\n[ \"$1\" = compose ] || exit 0\necho \"docker: 'compose' is not a docker command.\" >&2\nexit 1\n";
    sandbox.stub("docker", script);

    let output = sandbox.launch(env!("CARGO_BIN_EXE_slate-up")).run(Stdin::Silent).expect_code(5);

    assert!(output.stderr.starts_with("error: Compose is missing"), "{}", output.stderr);
}

#[test]
fn broken_files_are_the_users_to_mend() {
    if offline() {
        return;
    }
    let trial = Trial::new(V2);
    let things = trial.things();
    let env_file = SHOP.replace("image: redis:7", "image: redis:7\n    env_file: [missing.env]");
    for (text, word) in
        [("services:\n  db:\n    image: postgres:17\n  x: [1\n", "line"), (&env_file, "missing.env")]
    {
        trial.sandbox.write("compose.yml", text);

        let output = trial.ends("slate-up", &[], 2);

        assert!(output.stderr.contains("cause: ") && output.stderr.contains(word), "{}", output.stderr);
    }
    std::fs::remove_file(trial.sandbox.work().join("compose.yml")).unwrap();
    trial.sandbox.write("cleanslate.toml", "[database]\nserver = \"compose\"\n");
    let output = trial.ends("slate-up", &[], 2);
    assert!(output.stderr.starts_with("error: there is no compose file"), "{}", output.stderr);
    assert_eq!(trial.things(), things);
}

#[test]
fn an_unknown_service_gets_the_nearest_name() {
    if offline() {
        return;
    }
    let trial = Trial::new(V2);
    let things = trial.things();
    for args in [["cahce"], ["--except=cahce"]] {
        let binary = if args == ["cahce"] { "slate-up" } else { "slate-clean" };

        let output = trial.ends(binary, &args, 2);

        assert!(output.stderr.contains("did you mean `cache`?"), "{}", output.stderr);
    }
    assert_eq!(trial.things(), things);
}

#[test]
fn a_taken_port_names_who_has_it() {
    if offline() {
        return;
    }
    let trial = Trial::new(V2);
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    trial.sandbox.write("compose.yml", &SHOP.replace("127.0.0.1::5432", &format!("127.0.0.1:{port}:5432")));

    let by_us = trial.ends("slate-up", &[], 1);

    assert!(by_us.stderr.contains(&format!("error: port {port} is taken")), "{}", by_us.stderr);
    assert!(by_us.stderr.contains(&format!("process {}", std::process::id())), "{}", by_us.stderr);
    drop(listener);
    let publish = format!("127.0.0.1:{port}:6379");
    let holder = trial.named("holder");
    docker(&["run", "-d", "--name", &holder, "-p", &publish, "redis:7"]);
    let by_container = trial.ends("slate-up", &[], 1);
    assert!(
        by_container.stderr.contains(&format!("container `{holder}` publishes it")),
        "{}",
        by_container.stderr
    );
}

#[test]
fn a_service_that_dies_is_shown_once_with_its_last_words() {
    if offline() {
        return;
    }
    let trial = Trial::new(V2);
    let dies = "    image: redis:7\n    command: [sh, -c, 'echo the secret is $$APP_SECRET; exit 7']\n    environment: {APP_SECRET: hunter2word}\n    depends_on";
    let files = SHOP.replace("    image: redis:7\n    depends_on", dies);
    trial.sandbox.write("compose.yml", &files);

    let output = trial.ends("slate-up", &[], 1);

    assert!(output.stderr.contains("`cache` ended with 7"), "{}", output.stderr);
    assert!(output.stderr.contains("the secret is ***"), "{}", output.stderr);
    assert_eq!(output.stderr.matches("error:").count(), 1, "{}", output.stderr);
}

#[test]
fn a_database_without_a_published_port_is_told_how_to_publish_it() {
    if offline() {
        return;
    }
    let trial = Trial::new(V2);
    trial.sandbox.write("compose.yml", &SHOP.replace("    ports: ['127.0.0.1::5432']\n", ""));

    let output = trial.ends("slate-up", &[], 5);

    assert!(output.stderr.contains("ports: [\"127.0.0.1:5432:5432\"]"), "{}", output.stderr);
}
