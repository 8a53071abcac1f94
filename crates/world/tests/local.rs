//! The private cluster on the real programs of this machine: made, filled, reset, kept, restored.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use plan::{
    Action, Approved, Confirm, DatabaseName, Fault, Flags, Machine, Migrations, Plan, Reading, Report,
    Seeding, ServerState, Step, Tool, Wants, approve, execute,
};
use world::{Found, Options, Real, discover};

/// A workspace with one table and one seed row, in a folder of its own.
struct Shop {
    folder: tempfile::TempDir,
}

const WANTS: Wants = Wants {
    engine: plan::EngineFacts::Server,
    databases: true,
    contents: Reading::Live,
    blueprint: true,
    sizes: false,
    lock: false,
    running: false,
};

impl Shop {
    fn new() -> Self {
        let folder = tempfile::Builder::new().prefix("slate shop").tempdir_in("/tmp").unwrap();
        let shop = Self { folder };
        shop.write("cleanslate.toml", "[database]\nserver = \"local\"\nname = \"we\\\"ird; drop\"\nuser = \"o brien %\"\n[migrations]\ntool = \"sqlx\"\ndir = \"migrations\"\n[seeds]\ndir = \"seeds\"\n");
        shop.write("migrations/1_initial.sql", "CREATE TABLE item (id int PRIMARY KEY, name text NOT NULL);");
        shop.write("seeds/1.sql", "INSERT INTO item VALUES (1, 'one');");
        shop
    }

    fn root(&self) -> PathBuf {
        self.folder.path().to_owned()
    }

    fn write(&self, name: &str, text: &str) {
        let path = self.root().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    fn find(&self) -> Found {
        let options = Options { root: Some(self.root()), timeout: Duration::from_secs(30), command: "test" };
        discover(&options, WANTS).unwrap()
    }

    fn run(&self, actions: Vec<Action>) -> Result<Report, Fault> {
        let found = self.find();
        let mut plan = Plan::new("test", "shop");
        plan.steps = actions.into_iter().map(|action| Step::new(action, "a test wants it")).collect();
        let approved: Approved = approve(plan, Confirm::Loss, &Flags::default(), |_| Ok(Some(true))).unwrap();
        execute(&approved, &mut Real::new(&found.config, &found.world, Duration::from_secs(30)), &mut |_| ())
    }

    fn up(&self) {
        let database = DatabaseName::new("we\"ird; drop").unwrap();
        let migrations = Migrations {
            tool: Some(Tool::Sqlx),
            dir: Some("migrations".to_owned()),
            ..Migrations::default()
        };
        self.run(vec![
            Action::CreateCluster,
            Action::StartCluster,
            Action::AwaitServer,
            Action::EnsureDatabase { database: database.clone() },
            Action::EnsureBaseline { database: database.clone(), migrations },
            Action::Seed { database: database.clone(), dir: "seeds".to_owned(), seeding: Seeding::WhenEmpty },
            Action::EnsureMarker { database, blueprint: Some("b".to_owned()), seeds: None },
        ])
        .unwrap();
    }
}

impl Drop for Shop {
    fn drop(&mut self) {
        let _ = self.run(vec![Action::StopCluster, Action::RemoveCluster]);
    }
}

fn offline() -> bool {
    let offline = std::env::var("SLATE_TESTS").is_ok_and(|value| value == "offline");
    if offline {
        eprintln!("SLATE_TESTS=offline: this test of the real Postgres did NOT run");
    }
    offline
}

fn exists(path: &Path) -> bool {
    path.exists()
}

#[test]
fn a_cluster_is_made_filled_and_found_again() {
    if offline() {
        return;
    }
    let shop = Shop::new();

    shop.up();
    shop.up();

    let found = shop.find();
    let live = found.world.live().unwrap();
    assert_eq!(found.world.server.as_ref().unwrap().state, ServerState::Running);
    assert_eq!(live.contents.as_ref().unwrap().rows, plan::Rows { count: 1, exact: true });
    assert_eq!(live.marker.as_ref().unwrap().workspace, found.world.workspace.id);
    assert!(exists(&found.world.workspace.state));
}

#[test]
fn a_stopped_cluster_keeps_its_rows() {
    if offline() {
        return;
    }
    let shop = Shop::new();
    shop.up();

    shop.run(vec![Action::StopCluster]).unwrap();
    assert_eq!(shop.find().world.server.unwrap().state, ServerState::Stopped);
    shop.up();

    assert_eq!(shop.find().world.live().unwrap().contents.as_ref().unwrap().rows.count, 1);
}

#[test]
fn a_broken_baseline_is_told_with_its_line() {
    if offline() {
        return;
    }
    let shop = Shop::new();
    shop.up();
    shop.write("migrations/1_initial.sql", "CREATE TABLE a (id int);\nCREATE TABLE b (id imt);");
    let next = DatabaseName::new("next").unwrap();
    let migrations =
        Migrations { tool: Some(Tool::Sqlx), dir: Some("migrations".to_owned()), ..Migrations::default() };

    let fault = shop
        .run(vec![
            Action::EnsureDatabase { database: next.clone() },
            Action::Migrate { database: next, migrations },
        ])
        .unwrap_err();

    assert_eq!(fault.cause.unwrap(), "migrations/1_initial.sql:2:20: type \"imt\" does not exist");
}

#[test]
fn a_machine_that_was_asked_nothing_looks_at_nothing() {
    if offline() {
        return;
    }
    let shop = Shop::new();
    let found = shop.find();

    let look = Real::new(&found.config, &found.world, Duration::from_secs(1)).look(&[]);

    assert_eq!(look, plan::Look::default());
}
