//! What runs wins over what the files have come to say since.

use testkit::Stdin;

use crate::trial::{SHOP, Trial, offline};

#[test]
fn a_container_of_these_files_tells_more_than_they_do() {
    if offline() {
        return;
    }
    for compose in ["docker compose", "docker-compose"] {
        let trial = Trial::new(compose);
        trial.compose(".", &["up", "--no-start", "db"]);
        let since = SHOP.replace("POSTGRES_DB: shop", "POSTGRES_DB: later").replace("pgdata:/", "moved:/");
        trial.sandbox.write("compose.yml", &since);
        // Nobody gives the project's name this time.
        let detect = || {
            let init = trial.launch("slate-init", &["--detect", "--json"]).env("COMPOSE_PROJECT_NAME", "");
            serde_json::from_str::<serde_json::Value>(&init.run(Stdin::Null).expect_code(0).stdout).unwrap()
        };

        let found = detect();
        trial.sandbox.write("compose.test.yml", &since);
        std::fs::remove_file(trial.sandbox.work().join("compose.yml")).unwrap();
        let other = detect();

        assert_eq!(found["project"], trial.project.as_str());
        assert_eq!(found["database"]["name"], "shop");
        assert_eq!(found["database"]["volume"]["name"], trial.named("pgdata"));
        let why = found["because"]["database.name"].as_str().unwrap();
        assert!(why.contains("made from these files"), "{why}");
        // A container of other files tells nothing.
        assert_ne!(other["project"], trial.project.as_str());
    }
}
