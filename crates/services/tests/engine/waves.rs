//! Services that start in waves, and services that do not start: bounded time, the right message, and the next `up` goes
//! on from there.

use std::time::{Duration, Instant};

use crate::trial::{SHOP, Trial, docker, offline};

const V2: &str = "docker compose";
const V1: &str = "docker-compose";

/// The shop with more services below `services:`.
fn with(trial: &Trial, more: &str) {
    trial.sandbox.write(
        "compose.yml",
        &SHOP.replace("volumes:\n  pgdata:\n", &format!("{more}\nvolumes:\n  pgdata:\n")),
    );
}

/// Every container of the trial's project, with its id.
fn ids(trial: &Trial) -> String {
    let label = format!("label=com.docker.compose.project={}", trial.project);
    let listed = docker(&["ps", "-a", "--no-trunc", "--filter", &label, "--format", "{{.Names}} {{.ID}}"]);
    let mut lines: Vec<&str> = listed.lines().collect();
    lines.sort_unstable();
    lines.join("\n")
}

#[test]
fn conditions_profiles_and_one_shot_services_are_honoured() {
    if offline() {
        return;
    }
    for compose in [V2, V1] {
        let trial = Trial::new(compose);
        with(
            &trial,
            "
  migrator:
    image: redis:7
    command: sh -c 'sleep 1; touch /shared/done'
    volumes: ['./mounted:/shared']
    depends_on: {db: {condition: service_healthy}}
  api:
    image: redis:7
    command: sh -c 'test -e /shared/done && exec sleep 600'
    volumes: ['./mounted:/shared']
    depends_on: {migrator: {condition: service_completed_successfully}}
  later:
    image: redis:7
    command: sleep 600
    depends_on: [api]
  tool:
    image: redis:7
    profiles: [tools]
",
        );

        trial.ends("slate-up", &[], 0);

        let state =
            |service| docker(&["inspect", "--format", "{{.State.Status}}", &trial.container(service)]);
        assert_eq!([state("migrator"), state("api"), state("later")], ["exited", "running", "running"]);
        assert_eq!(trial.container("tool"), "");
        let before = ids(&trial);
        trial.compose(".", &["up", "-d"]);
        assert_eq!(ids(&trial), before, "{compose}");
    }
}

#[test]
fn an_edited_file_an_env_file_and_a_variable_are_acted_on() {
    if offline() {
        return;
    }
    for compose in [V2, V1] {
        let trial = Trial::new(compose);
        with(
            &trial,
            "\n  api:\n    image: redis:7\n    environment: {A: '${SLATE_A:-none}', B: '${SLATE_B:-none}'}\n    env_file: [api.env]",
        );
        trial.sandbox.write("api.env", "C=old\n");
        trial.ends("slate-up", &[], 0);
        let value = |name: &str| docker(&["exec", &trial.container("api"), "printenv", name]);
        let (database, same) = (trial.container("db"), trial.container("api"));
        trial.ends("slate-up", &[], 0);
        assert_eq!(trial.container("api"), same);

        trial.sandbox.write(".env", "SLATE_A=from-file\n");
        trial.ends("slate-up", &[], 0);
        assert_eq!(value("A"), "from-file");
        trial.sandbox.write("api.env", "C=new\n");
        trial.ends("slate-up", &[], 0);
        assert_eq!(value("C"), "new");
        let _ =
            trial.launch("slate-up", &[]).env("SLATE_B", "exported").run(testkit::Stdin::Null).expect_code(0);
        assert_eq!(value("B"), "exported");
        trial.ends("slate-up", &[], 0);
        assert_eq!(value("B"), "none");
        let text = std::fs::read_to_string(trial.sandbox.work().join("compose.yml")).unwrap();
        trial.sandbox.write("compose.yml", &text.replace("A: '${SLATE_A:-none}'", "A: edited"));
        trial.ends("slate-up", &[], 0);
        assert_eq!(value("A"), "edited");
        docker(&["rm", "-f", &trial.container("api")]);
        trial.ends("slate-up", &[], 0);
        assert_eq!(value("A"), "edited");

        assert_eq!(trial.container("db"), database, "what is as described stays");
    }
}

/// An `up` with a service that does not come up: its exit code, what it says, and that it does not take longer.
fn fails(service: &str, code: i32, words: &[&str]) {
    let trial = Trial::new(V2);
    trial.ends("slate-up", &[], 0);
    with(
        &trial,
        &format!(
            "\n  bad:\n    image: redis:7\n{service}\n  after:\n    image: redis:7\n    depends_on: {{bad: {{condition: service_healthy}}}}"
        ),
    );
    let begun = Instant::now();

    let output = trial.ends("slate-up", &["--timeout", "6s"], code);

    assert!(begun.elapsed() < Duration::from_secs(40), "{:?}", begun.elapsed());
    assert!(words.iter().all(|word| output.stderr.contains(word)), "{}", output.stderr);
    assert_eq!(docker(&["inspect", "--format", "{{.State.Status}}", &trial.container("after")]), "created");
    trial.sandbox.write("compose.yml", SHOP);
    trial.ends("slate-up", &[], 0);
}

#[test]
fn a_service_that_never_gets_ready_is_told_with_its_check() {
    if !offline() {
        fails(
            "    healthcheck: {test: 'echo not yet; exit 1', interval: 5m}",
            5,
            &["error: `bad` gives no answer within 6", "not yet"],
        );
    }
}

#[test]
fn a_service_that_ends_is_told_with_its_last_words() {
    if !offline() {
        let service =
            "    command: sh -c 'echo cannot go on; exit 3'\n    healthcheck: {test: 'true', interval: 5m}";
        fails(service, 1, &["error: `bad` ended with 3", "cannot go on", "docker logs --tail 50"]);
    }
}

#[test]
fn a_service_that_flaps_is_told_with_how_often() {
    if !offline() {
        let service = "    restart: always\n    command: sh -c 'echo again; sleep 0.3; exit 1'\n    healthcheck: {test: 'exit 1', interval: 5m}";
        fails(service, 5, &["it ended and was started again", "again"]);
    }
}

#[test]
fn a_healthcheck_that_hangs_is_told() {
    if !offline() {
        fails("    healthcheck: {test: 'sleep 600', interval: 5m}", 5, &["its healthcheck hangs"]);
    }
}

#[test]
fn an_interrupt_in_the_middle_stops_soon_and_the_next_up_goes_on() {
    if offline() {
        return;
    }
    let trial = Trial::new(V2);
    with(
        &trial,
        "\n  slow:\n    image: redis:7\n    healthcheck: {test: 'test -e /mounted/go', interval: 5m}\n    volumes: ['./mounted:/mounted']",
    );
    let begun = Instant::now();

    let code = trial.interrupted("slate-up", &[], || {
        let project = format!("label=com.docker.compose.project={}", trial.project);
        let slow = ["ps", "-q", "--filter", &project, "--filter", "label=com.docker.compose.service=slow"];
        !docker(&slow).is_empty()
    });

    assert_eq!(code, 130);
    assert!(begun.elapsed() < Duration::from_secs(30), "{:?}", begun.elapsed());
    trial.sandbox.write("mounted/go", "");
    trial.ends("slate-up", &[], 0);
}
