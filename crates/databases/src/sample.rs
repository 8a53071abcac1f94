//! Sample worlds for the planners' tests: a Postgres whose volume was cleaned away before, and one with databases.

use std::collections::BTreeMap;
use std::path::PathBuf;

use jiff::Timestamp;
use plan::{
    Blueprint, Built, Compose, Config, Container, ContainerName, Database, DatabaseName, Engine, Health,
    Kept, KeptAs, KeptPlace, Kind, Label, LabelKind, Marker, Mount, MountKind, Origin, Plan, RoleName, Rows,
    Secret, Server, ServerState, Volume, VolumeName, Workspace, World,
};

fn name(name: &str) -> VolumeName {
    VolumeName::new(name).unwrap()
}

pub(crate) fn kept(n: u32, of: &str) -> Kept {
    let place =
        KeptPlace::Volume { copy: name(&format!("{of}_kept_{n}")), of: name(of), labels: BTreeMap::new() };
    Kept { n, at: Timestamp::UNIX_EPOCH, bytes: 5_000_000, place }
}

fn volume(of: &str) -> Volume {
    Volume {
        name: name(of),
        created: "then".to_owned(),
        labels: BTreeMap::from([("com.docker.compose.project".to_owned(), "shop".to_owned())]),
        driver: "local".to_owned(),
        bytes: Some(1),
        last_write: None,
        recorded: true,
        half: false,
        anonymous: false,
    }
}

fn container(of: &str) -> Container {
    let mount = Mount { kind: MountKind::Volume, source: of.to_owned(), target: "/data".to_owned() };
    Container {
        id: "id".to_owned(),
        name: ContainerName::new("shop-db-1").unwrap(),
        service: None,
        project: Some("shop".to_owned()),
        working_dir: Some(PathBuf::from("/shop")),
        config_files: vec![PathBuf::from("/shop/compose.yml")],
        compose_version: None,
        one_off: false,
        image: "postgres:17".to_owned(),
        running: true,
        health: Health::None,
        exit_code: 0,
        mounts: vec![mount],
        ports: BTreeMap::new(),
        addresses: Vec::new(),
        environment: BTreeMap::new(),
        healthcheck: Vec::new(),
    }
}

fn engine() -> Engine {
    let compose = Compose {
        program: vec!["docker".to_owned(), "compose".to_owned()],
        version: "2".to_owned(),
        project: "shop".to_owned(),
        files: vec![PathBuf::from("/shop/compose.yml")],
        folder: PathBuf::from("/shop"),
        services: Vec::new(),
        database: None,
        external: Vec::new(),
        injects: false,
    };
    let copier = Some("postgres:17".to_owned());
    Engine {
        compose,
        containers: vec![container("shop_data")],
        volumes: vec![volume("shop_data")],
        networks: Vec::new(),
        copier,
        free: Some(1_000_000_000),
        described: None,
        made: Vec::new(),
    }
}

pub(crate) fn world(kept: Vec<Kept>) -> World {
    let server = Server {
        kind: Kind::Compose,
        state: ServerState::Running,
        address: None,
        user: RoleName::new("app").unwrap(),
        password: Secret::default(),
        name: DatabaseName::new("shop").unwrap(),
        maintenance: DatabaseName::new("postgres").unwrap(),
        system_identifier: String::new(),
        version: String::new(),
        standby: false,
        outside: plan::Outside::default(),
        databases: Vec::new(),
    };
    World {
        now: Timestamp::UNIX_EPOCH,
        workspace: Workspace {
            root: PathBuf::from("/shop"),
            id: "0123456789abcdef".to_owned(),
            state: PathBuf::from("/state"),
            first: false,
            called: "slate-".to_owned(),
            on_top: Vec::new(),
        },
        surroundings: plan::Surroundings::default(),
        detected: None,
        files: None,
        blueprint: None,
        server: Some(server),
        engine: Some(engine()),
        last_kept: kept.iter().map(|kept| kept.n).max().unwrap_or(0),
        kept,
        journal: Vec::new(),
        unfinished: Vec::new(),
        examined: plan::Examined::default(),
        carried: None,
        captured: None,
        git: None,
        revisions: None,
        draft: None,
    }
}

/// A database that is there, open and unlabelled.
pub(crate) fn database(suffix: &str, oid: u32) -> Database {
    Database {
        name: DatabaseName::new(format!("shop{suffix}")).unwrap(),
        oid,
        owner: RoleName::new("owner").unwrap(),
        bytes: 8_000_000,
        open: true,
        broken: false,
        comment: None,
        label: None,
        marker: None,
        contents: None,
        sessions: Vec::new(),
        prepared: 0,
        slots: Vec::new(),
        active_slots: Vec::new(),
        stale_collation: false,
        subscriptions: 0,
        branch: None,
    }
}

/// One of ours beside it, of this blueprint; closed, unless it is kept.
pub(crate) fn labelled(suffix: &str, oid: u32, kind: LabelKind, blueprint: &str) -> Database {
    let built = Built { blueprint: blueprint.to_owned(), fingerprint: Some("same".to_owned()), bytes: 7 };
    let of = DatabaseName::new("shop").unwrap();
    let label = Label::new("0123456789abcdef", kind, &of, Timestamp::UNIX_EPOCH);
    let label = Label { built: Some(built), ..label };
    Database { open: kind == LabelKind::Kept, label: Some(label), ..database(suffix, oid) }
}

/// A kept database with its number; `why` once it was weighed.
pub(crate) fn kept_database(n: u32, by: &str, why: Option<&str>) -> Database {
    let mut database = labelled(&format!("__kept_{n}"), 100 + n, LabelKind::Kept, "old");
    let rows = Some(Rows { count: 31, exact: true });
    let why = why.map(str::to_owned);
    let kept = KeptAs { n, bytes: 8_000_000, rows, by: by.to_owned(), why };
    let label = database.label.take();
    database.label = label.map(|label| Label { kept: Some(kept), ..label });
    database
}

/// A private cluster with the live database, marked as built from `old`, and these beside it. The files are `new`.
pub(crate) fn with_databases(beside: &[Database]) -> World {
    let marker = Marker {
        workspace: "0123456789abcdef".to_owned(),
        system_identifier: "7".to_owned(),
        origin: Origin::Built,
        blueprint: Some("old".to_owned()),
        seeds: None,
        at: Timestamp::UNIX_EPOCH,
        fingerprint: Some("same".to_owned()),
        models: None,
        counted: false,
        rows: None,
    };
    let live = Database { marker: Some(marker), ..database("", 1) };
    let mut world = world(Vec::new());
    world.engine = None;
    world.blueprint = Some(Blueprint {
        hash: "new".to_owned(),
        bare: "bare".to_owned(),
        seeds: None,
        models: None,
        migrations: Vec::new(),
        seed_files: Vec::new(),
    });
    world.server.iter_mut().for_each(|server| {
        server.kind = Kind::Local;
        server.databases = std::iter::once(&live).chain(beside).cloned().collect();
    });
    world
}

/// Migrations and seeds in their folders.
pub(crate) fn config() -> Config {
    let text = "[migrations]\ntool = \"sql\"\ndir = \"migrations\"\n[seeds]\ndir = \"seeds\"\n";
    Config::read(text, []).unwrap()
}

/// Each step in a few words.
pub(crate) fn steps(plan: &Plan) -> Vec<String> {
    let told = plan.steps.iter().map(|step| step.action.doing());
    told.map(|(verb, what)| format!("{verb} {}", what.replace('`', ""))).collect()
}
