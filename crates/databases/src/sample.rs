//! A sample world for the planners' tests: a Postgres whose volume was cleaned away before.

use std::collections::BTreeMap;
use std::path::PathBuf;

use jiff::Timestamp;
use plan::{
    Compose, Container, ContainerName, DatabaseName, Engine, Health, Kept, KeptPlace, Kind, Mount, MountKind,
    RoleName, Secret, Server, ServerState, Volume, VolumeName, Workspace, World,
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
        detected: None,
        files: None,
        blueprint: None,
        server: Some(server),
        engine: Some(engine()),
        last_kept: kept.iter().map(|kept| kept.n).max().unwrap_or(0),
        kept,
        journal: Vec::new(),
        unfinished: Vec::new(),
    }
}
