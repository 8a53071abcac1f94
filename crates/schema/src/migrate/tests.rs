//! What is planned, by the files and what is in the database.

use plan::{
    Blueprint, Contents, DatabaseName, Draft, Effect, Kind, Marker, Origin, RoleName, Rows, Secret,
    ServerState, Since, Workspace,
};

use super::*;

fn file(n: u32, text: &str) -> Revision {
    Revision {
        id: format!("{n}_x.sql"),
        parents: if n == 1 { Vec::new() } else { vec![format!("{}_x.sql", n - 1)] },
        path: format!("migrations/{n}_x.sql"),
        title: String::new(),
        text: text.to_owned(),
        hash: text.to_owned(),
        applied: n == 1,
        edited: false,
        released: false,
    }
}

fn config() -> Config {
    Config::read("[migrations]\ntool = \"sql\"\ndir = \"migrations\"\n", []).unwrap()
}

/// A server with a database that holds rows.
fn server() -> Server {
    let name = DatabaseName::new("shop").unwrap();
    let marker = Marker {
        workspace: "w".to_owned(),
        system_identifier: "7".to_owned(),
        origin: Origin::Built,
        blueprint: Some("old".to_owned()),
        seeds: None,
        at: jiff::Timestamp::UNIX_EPOCH,
        fingerprint: None,
        models: None,
        counted: false,
        rows: None,
    };
    let contents = Contents {
        database: name.clone(),
        tables: 1,
        rows: Rows { count: 2, exact: true },
        bytes: 1,
        last_write: None,
        since: Since::default(),
    };
    let live = Database {
        name: name.clone(),
        oid: 1,
        owner: RoleName::new("app").unwrap(),
        bytes: 1,
        open: true,
        broken: false,
        comment: None,
        label: None,
        marker: Some(marker),
        contents: Some(contents),
        sessions: Vec::new(),
        prepared: 0,
        slots: Vec::new(),
        active_slots: Vec::new(),
        stale_collation: false,
        subscriptions: 0,
        branch: None,
    };
    Server {
        kind: Kind::Local,
        state: ServerState::Running,
        address: None,
        user: RoleName::new("app").unwrap(),
        password: Secret::default(),
        name,
        maintenance: DatabaseName::new("postgres").unwrap(),
        system_identifier: "7".to_owned(),
        version: "17.1".to_owned(),
        standby: false,
        databases: vec![live],
        outside: plan::Outside::default(),
    }
}

/// A database that was built from the first file; the second one is pending.
fn world(pending: &str) -> World {
    let workspace = Workspace {
        root: "/shop".into(),
        id: "w".to_owned(),
        state: "/state".into(),
        first: false,
        called: "slate-".to_owned(),
        on_top: Vec::new(),
    };
    let files = vec![file(1, "CREATE TABLE a (b int);"), file(2, pending)];
    World {
        now: jiff::Timestamp::UNIX_EPOCH,
        workspace,
        surroundings: plan::Surroundings::default(),
        detected: None,
        files: None,
        blueprint: None::<Blueprint>,
        server: Some(server()),
        engine: None,
        kept: Vec::new(),
        last_kept: 0,
        journal: Vec::new(),
        unfinished: Vec::new(),
        examined: plan::Examined::default(),
        carried: None,
        captured: None,
        git: None,
        revisions: Some(Revisions { files, told: true, ..Revisions::default() }),
        draft: None,
    }
}

fn planned(words: &[&str], world: &World) -> Result<Plan, Fault> {
    Migrate::parse_from(std::iter::once(&"slate-migrate").chain(words)).plan(&config(), world)
}

fn chain(world: &mut World) -> &mut Revisions {
    world.revisions.as_mut().unwrap()
}

fn verbs(plan: &Plan) -> Vec<&'static str> {
    plan.steps.iter().map(|step| step.action.doing().0).collect()
}

#[test]
fn what_only_adds_is_applied_without_a_copy() {
    let plan = planned(&["up"], &world("CREATE TABLE c (d int);")).unwrap();

    assert_eq!(verbs(&plan), ["migrate", "note"]);
    assert!(plan.steps.iter().all(|step| step.action.effect() != Effect::Destroys));
}

#[test]
fn what_loses_rows_or_can_not_be_told_keeps_a_copy_first() {
    for sql in ["DROP TABLE a;", "DO $$ BEGIN END $$;"] {
        let plan = planned(&["up"], &world(sql)).unwrap();

        assert_eq!(
            verbs(&plan),
            ["close", "end", "clone", "open", "give", "close", "label", "migrate", "note"]
        );
        assert!(!plan.is_for_good());
        let plan = planned(&["up", "--no-undo"], &world(sql)).unwrap();
        assert_eq!(verbs(&plan), ["migrate", "note"]);
        assert_eq!(plan.need(plan::Confirm::Loss), plan::Need::Name);
    }
}

#[test]
fn an_empty_database_has_nothing_to_lose() {
    let mut world = world("DROP TABLE a;");
    let live = world.server.iter_mut().flat_map(|server| &mut server.databases).next().unwrap();
    live.contents.as_mut().unwrap().rows.count = 0;

    assert_eq!(verbs(&planned(&["up"], &world).unwrap()), ["migrate", "note"]);
}

#[test]
fn a_status_that_is_not_clean_has_findings() {
    let mut world = world("SELECT 1;");
    assert_eq!(planned(&[], &world).unwrap().findings.len(), 1);

    chain(&mut world).files.iter_mut().for_each(|file| file.applied = true);
    assert!(planned(&["status"], &world).unwrap().findings.is_empty());

    let chain = chain(&mut world);
    chain.files[0].edited = true;
    chain.unknown = vec!["x".to_owned()];
    chain.missing = vec!["y".to_owned()];
    assert_eq!(planned(&["status"], &world).unwrap().findings.len(), 3);
}

#[test]
fn several_heads_and_an_edit_of_what_is_released_are_refused() {
    let mut forked = world("SELECT 1;");
    chain(&mut forked).files[1].parents.clear();
    assert_eq!(planned(&["up"], &forked).unwrap_err().exit, Exit::Refused);

    let mut edited = world("SELECT 1;");
    chain(&mut edited).broken = vec!["migrations/1_x.sql".to_owned()];
    for verb in ["up", "down", "freeze"] {
        let fault = planned(&[verb], &edited).unwrap_err();
        assert_eq!(fault.exit, Exit::Refused, "{verb}");
        assert!(fault.error.contains("migrations/1_x.sql"), "{fault}");
    }
}

#[test]
fn a_folder_of_sql_has_no_way_down() {
    assert_eq!(planned(&["down"], &world("")).unwrap_err().exit, Exit::Usage);
}

#[test]
fn a_baseline_that_was_not_proved_is_not_kept() {
    let mut world = world("SELECT 1;");
    let draft = Draft { path: "migrations/1_x.sql".to_owned(), text: "new".to_owned(), ..Draft::default() };
    world.draft = Some(Draft { differs: vec!["table a: missing".to_owned()], ..draft.clone() });
    assert_eq!(planned(&["baseline"], &world).unwrap_err().exit, Exit::Differs);

    world.draft = Some(draft);
    chain(&mut world).files.iter_mut().for_each(|file| file.applied = true);
    let plan = planned(&["baseline"], &world).unwrap();
    assert_eq!(verbs(&plan), ["edit", "remove", "put", "note"]);
    assert_eq!(plan.need(plan::Confirm::Loss), plan::Need::YesNo);
}

#[test]
fn the_next_file_is_named_as_those_before_it() {
    let mut world = world("");
    let config = config();
    let path = |world: &World| {
        let plan = Migrate::parse_from(["slate-migrate", "new", "Add Notes"])
            .prepare(&config, world)
            .unwrap()
            .unwrap();
        let path = plan.steps.iter().find_map(|step| match &step.action {
            Action::DraftRevision { path, .. } => Some(path.clone()),
            _ => None,
        });
        path.unwrap()
    };

    assert_eq!(path(&world), "migrations/3_add_notes.sql");
    chain(&mut world).files[1].path = "migrations/19690101000000_x.up.sql".to_owned();
    assert_eq!(path(&world), "migrations/19700101000000_add_notes.up.sql");
}
