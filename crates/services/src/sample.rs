//! A sample world for the planners' tests: a shop of three services, as Compose v2 runs it.

use std::collections::BTreeMap;
use std::path::PathBuf;

use jiff::Timestamp;
use plan::{
    Address, Compose, Condition, Config, Container, ContainerName, Database, DatabaseName, Dependency,
    Engine, Health, Kind, Marker, Mount, MountKind, Network, Origin, Plan, RoleName, Secret, Server,
    ServerState, Service, ServiceName, Volume, VolumeName, Workspace, World,
};

pub(crate) fn name(name: &str) -> ServiceName {
    ServiceName::new(name).unwrap()
}

pub(crate) fn service(service: &str, needs: &[&str]) -> Service {
    Service {
        name: name(service),
        image: None,
        active: true,
        depends: needs
            .iter()
            .map(|need| Dependency { service: name(need), condition: Condition::Healthy, required: true })
            .collect(),
        environment: BTreeMap::new(),
        ports: BTreeMap::new(),
        mounts: Vec::new(),
        healthcheck: None,
    }
}

fn mount(source: &str, target: &str) -> Mount {
    Mount { kind: MountKind::Volume, source: source.to_owned(), target: target.to_owned() }
}

pub(crate) fn container(service: &str, mounts: Vec<Mount>) -> Container {
    Container {
        id: format!("id-{service}"),
        name: ContainerName::new(format!("shop-{service}-1")).unwrap(),
        service: Some(name(service)),
        project: Some("shop".to_owned()),
        working_dir: Some(PathBuf::from("/shop")),
        config_files: vec![PathBuf::from("/shop/compose.yml")],
        compose_version: Some("2.26.1".to_owned()),
        one_off: false,
        image: format!("{service}:1"),
        running: true,
        health: Health::None,
        exit_code: 0,
        mounts,
        ports: BTreeMap::new(),
        addresses: Vec::new(),
        environment: BTreeMap::new(),
        healthcheck: Vec::new(),
    }
}

pub(crate) fn volume(name: &str, bytes: u64) -> Volume {
    let labels = BTreeMap::from([("com.docker.compose.project".to_owned(), "shop".to_owned())]);
    Volume {
        name: VolumeName::new(name).unwrap(),
        created: format!("inode {name}"),
        labels,
        driver: "local".to_owned(),
        bytes: Some(bytes),
        last_write: None,
        recorded: false,
        half: false,
        anonymous: false,
    }
}

pub(crate) const UNNAMED: &str = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";

fn engine() -> Engine {
    let mut db = service("db", &[]);
    db.mounts = vec![mount("shop_data", "/var/lib/postgresql/data")];
    let compose = Compose {
        program: vec!["docker".to_owned(), "compose".to_owned()],
        version: "2.26.1".to_owned(),
        project: "shop".to_owned(),
        files: vec![PathBuf::from("/shop/compose.yml")],
        folder: PathBuf::from("/shop"),
        services: vec![db, service("cache", &[]), service("api", &["db", "cache"])],
        database: Some(name("db")),
        external: Vec::new(),
        injects: false,
    };
    let unnamed = Volume { anonymous: true, labels: BTreeMap::new(), ..volume(UNNAMED, 1_000_000) };
    Engine {
        compose,
        containers: vec![
            container("db", vec![mount("shop_data", "/var/lib/postgresql/data")]),
            container("cache", vec![mount(UNNAMED, "/data")]),
            container("api", Vec::new()),
        ],
        volumes: vec![volume("shop_data", 84_000_000), unnamed],
        networks: vec![Network {
            name: "shop_default".to_owned(),
            id: "n".to_owned(),
            labels: BTreeMap::new(),
            strangers: Vec::new(),
        }],
        copier: Some("postgres:17".to_owned()),
        free: Some(10_000_000_000),
        described: None,
        made: Vec::new(),
    }
}

pub(crate) fn world() -> World {
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
        server: Some(server(Kind::Compose)),
        engine: Some(engine()),
        kept: Vec::new(),
        last_kept: 2,
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

fn server(kind: Kind) -> Server {
    Server {
        kind,
        state: ServerState::Running,
        address: Some(Address { host: "127.0.0.1".to_owned(), port: 5433 }),
        user: RoleName::new("app").unwrap(),
        password: Secret::new("hunter2"),
        name: DatabaseName::new("shop").unwrap(),
        maintenance: DatabaseName::new("postgres").unwrap(),
        system_identifier: "7".to_owned(),
        standby: false,
        outside: plan::Outside::default(),
        version: "17.2".to_owned(),
        databases: Vec::new(),
    }
}

/// The same with a private cluster.
pub(crate) fn local() -> World {
    World { server: Some(server(Kind::Local)), engine: None, ..world() }
}

/// Somebody else's server, on which this workspace adopted its database.
pub(crate) fn external() -> World {
    let marker = Marker {
        workspace: world().workspace.id,
        system_identifier: "7".to_owned(),
        origin: Origin::Adopted,
        blueprint: None,
        seeds: None,
        at: Timestamp::UNIX_EPOCH,
        fingerprint: None,
        models: None,
        counted: false,
        rows: None,
    };
    let databases = vec![Database { marker: Some(marker), ..database() }];
    World { server: Some(Server { databases, ..server(Kind::External) }), engine: None, ..world() }
}

/// One that holds no mark.
pub(crate) fn database() -> Database {
    Database {
        name: DatabaseName::new("shop").unwrap(),
        oid: 1,
        owner: RoleName::new("app").unwrap(),
        bytes: 1,
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

pub(crate) fn config() -> Config {
    Config::read("[migrations]\ntool = \"sql\"\n[seeds]\ndir = \"seeds\"\n", []).unwrap()
}

/// Each step in a few words.
pub(crate) fn steps(plan: &Plan) -> Vec<String> {
    let told = plan.steps.iter().map(|step| {
        let (verb, what) = step.action.doing();
        format!("{verb} {}", what.replace('`', ""))
    });
    told.collect()
}
