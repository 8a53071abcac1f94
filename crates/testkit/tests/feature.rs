//! The Dev Container Feature: its description is what the specification says, its scripts are small, and what it installs
//! can be taken out again.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::fs;
use std::path::PathBuf;

use serde_json::{Value, json};
use testkit::{Launch, Sandbox, Stdin, binary, repository};

fn feature() -> PathBuf {
    repository().join("devcontainer/src/cleanslate")
}

/// A schema of the specification, as its repository has it; see the licence beside them.
fn schema(name: &str) -> jsonschema::Validator {
    let path = repository().join("crates/testkit/fixtures/devcontainers-spec").join(name);
    jsonschema::validator_for(&serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap()).unwrap()
}

fn description() -> Value {
    serde_json::from_str(&fs::read_to_string(feature().join("devcontainer-feature.json")).unwrap()).unwrap()
}

#[track_caller]
fn assert_valid(schema: &jsonschema::Validator, value: &Value) {
    let faults: Vec<String> = schema.iter_errors(value).map(|fault| fault.to_string()).collect();
    assert!(faults.is_empty(), "{faults:?}\n{value:#}");
}

#[test]
fn the_feature_is_what_the_specification_says() {
    let schema = schema("devContainerFeature.schema.json");

    assert_valid(&schema, &description());
    let mut odd = description();
    odd["installs"] = json!([]);
    assert!(!schema.is_valid(&odd), "a schema that takes anything proves nothing");
}

#[test]
fn the_feature_has_the_version_of_the_binaries_and_no_secret_option() {
    let description = description();

    assert_eq!(description["version"], env!("CARGO_PKG_VERSION"));
    let options: Vec<&String> = description["options"].as_object().unwrap().keys().collect();
    assert_eq!(options, ["version", "source", "installJust", "setup", "strict"]);
}

#[test]
fn the_script_fits_a_screen() {
    let script = fs::read_to_string(feature().join("install.sh")).unwrap();

    assert!(script.lines().count() < 60, "{}", script.lines().count());
}

#[test]
fn a_devcontainer_that_is_made_is_what_the_specification_says() {
    let sandbox = Sandbox::new();
    sandbox.write("compose.yml", "services:\n  db:\n    image: postgres:17\n    env_file: db.env\n");
    sandbox.write("db.env.example", "POSTGRES_PASSWORD=x\n");

    let init = sandbox.launch(binary("slate-init")).args(["--yes", "--devcontainer", "./cleanslate"]);
    let _ = init.run(Stdin::Null).expect_code(0);

    let made = sandbox.work().join(".devcontainer");
    let written: Value =
        serde_json::from_str(&fs::read_to_string(made.join("devcontainer.json")).unwrap()).unwrap();
    assert_valid(&schema("devContainer.base.schema.json"), &written);
    assert_eq!(written["initializeCommand"], "[ -e db.env ] || cp db.env.example db.env");
    let remove = sandbox.launch(binary("slate-init")).args(["--yes", "--remove"]);
    let _ = remove.run(Stdin::Null).expect_code(0);
    assert!(!made.exists(), "the folder too");
}

#[test]
fn a_devcontainer_that_is_there_is_edited_only_when_asked_and_comes_out_again() {
    const THEIRS: &str =
        "// small\n{\n\t\"image\": \"debian\",\n\t\"postCreateCommand\": [\"npm\", \"ci\"],\n}\n";
    let sandbox = Sandbox::new();
    sandbox.write(".devcontainer/devcontainer.json", THEIRS);
    let file = sandbox.work().join(".devcontainer/devcontainer.json");
    let init = |args: &[&str]| sandbox.launch(binary("slate-init")).args(args).run(Stdin::Null);

    let _ = init(&["--yes"]).expect_code(0);
    assert_eq!(fs::read_to_string(&file).unwrap(), THEIRS, "nobody asked for it");
    let _ = init(&["--devcontainer", "./cleanslate"]).expect_code(3);
    assert_eq!(fs::read_to_string(&file).unwrap(), THEIRS, "nobody agreed");
    let _ = init(&["--yes", "--devcontainer", "./cleanslate"]).expect_code(0);
    let wired = fs::read_to_string(&file).unwrap();
    assert!(wired.contains("\"./cleanslate\": {}") && wired.contains("slate-ensure"), "{wired}");
    let _ = init(&["--yes", "--remove"]).expect_code(0);

    assert_eq!(fs::read_to_string(&file).unwrap(), THEIRS);
}

#[test]
fn a_hook_asks_nobody_and_forgives_when_told() {
    let sandbox = Sandbox::new();
    sandbox.write("compose.yml", "services: [");
    let ensure = |args: &[&str]| -> Launch { sandbox.launch(binary("slate-ensure")).args(args) };

    let strict = ensure(&[]).run(Stdin::Silent);
    let forgiving = ensure(&["--exit-zero"]).run(Stdin::Silent).expect_code(0);

    assert_ne!(strict.code, 0);
    assert_eq!(strict.stderr, forgiving.stderr);
    assert!(forgiving.stderr.starts_with("error: "), "{}", forgiving.stderr);
}

#[test]
fn an_address_of_somebody_elses_is_left_alone_and_told() {
    let sandbox = Sandbox::new();
    let foreign = "postgresql+asyncpg://app:hunter2@staging.example:5432/shop";

    let ensure = sandbox.launch(binary("slate-ensure")).env("DATABASE_URL", foreign);
    let output = ensure.run(Stdin::Null).expect_code(4);

    assert!(output.stderr.contains("staging.example:5432, which is left as it is"), "{}", output.stderr);
    assert!(!output.stderr.contains("hunter2"));
    assert_eq!(fs::read_dir(sandbox.work()).unwrap().count(), 0);
}
