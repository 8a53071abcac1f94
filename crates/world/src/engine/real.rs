//! The real engine, with small projects of random names. Everything else on it is the same before and after.

use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use plan::{
    Action, Config, Container, Engine, EngineFacts, Exit, Expect, Outcome, Said, ServerState, Wants,
    Workspace,
};

use super::*;

/// A compose project of its own. Removed when dropped, with everything in it.
struct Trial {
    name: String,
    folder: tempfile::TempDir,
    state: tempfile::TempDir,
    config: Config,
    others: Option<String>,
}

const TIMEOUT: Duration = Duration::from_secs(60);

/// Whether these tests run; they fail where there is no engine, and say so loudly where somebody switched them off.
fn offline() -> bool {
    let offline = std::env::var("SLATE_TESTS").is_ok_and(|value| value == "offline");
    if offline {
        eprintln!("NOT TESTED: SLATE_TESTS=offline, and this test needs a container engine");
    }
    offline
}

impl Trial {
    fn new(compose: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let word: String =
            folder.path().to_string_lossy().chars().filter(char::is_ascii_alphanumeric).collect();
        let name = format!("slatetest{}", word.to_lowercase());
        std::fs::write(folder.path().join("compose.yml"), compose).unwrap();
        let mut config = Config::default();
        config.compose.project = Some(name.clone());
        config.restart.grace = Some(1);
        let mut trial = Self { name, folder, state: tempfile::tempdir().unwrap(), config, others: None };
        trial.others = Some(trial.others());
        trial
    }

    fn root(&self) -> PathBuf {
        self.folder.path().canonicalize().unwrap()
    }

    fn workspace(&self) -> Workspace {
        Workspace {
            root: self.root(),
            id: "0123456789abcdef".to_owned(),
            state: self.state.path().to_owned(),
            first: true,
            called: "slate-".to_owned(),
        }
    }

    fn wants(engine: EngineFacts, sizes: bool) -> Wants {
        Wants { engine, sizes, ..Wants::default() }
    }

    fn found(&self, wants: Wants) -> Engine {
        discover(&self.config, &self.workspace(), wants, TIMEOUT).unwrap()
    }

    fn all(&self) -> Engine {
        self.found(Self::wants(EngineFacts::Files, true))
    }

    fn docker(&self, words: &str) -> String {
        run("docker", &words.replace("NAME", &self.name), &self.root())
    }

    fn compose(&self, version: u8, words: &str) -> String {
        let words = format!("-p {} {words}", self.name);
        match version {
            1 => run("docker-compose", &words, &self.root()),
            _ => run("docker", &format!("compose {words}"), &self.root()),
        }
    }

    /// Every container and volume that is not of a test.
    fn others(&self) -> String {
        let mut seen: Vec<String> = Vec::new();
        for words in
            ["ps -a --format {{.ID}}:{{.Names}}:{{.Label&&\"com.docker.compose.project\"}}", "volume ls -q"]
        {
            let words: Vec<String> = words.split(' ').map(|word| word.replace("&&", " ")).collect();
            let said = Command::new("docker").args(&words).output().unwrap();
            seen.extend(String::from_utf8_lossy(&said.stdout).lines().map(str::to_owned));
        }
        seen.retain(|line| !line.contains("slatetest") && !line.contains("cleanslate-"));
        seen.sort();
        seen.join("\n")
    }
}

impl Drop for Trial {
    fn drop(&mut self) {
        let list = |words: &str| self.docker(words).split_whitespace().collect::<Vec<_>>().join(" ");
        for (what, remove) in
            [("ps -aq", "rm -f -v"), ("network ls -q", "network rm"), ("volume ls -q", "volume rm -f")]
        {
            let own = list(&format!("{what} --filter name=NAME"));
            if !own.is_empty() {
                self.docker(&format!("{remove} {own}"));
            }
        }
    }
}

fn run(program: &str, words: &str, folder: &std::path::Path) -> String {
    let words: Vec<&str> = words.split_whitespace().collect();
    let said = Command::new(program).args(words).current_dir(folder).output().unwrap();
    String::from_utf8_lossy(&said.stdout).trim().to_owned() + String::from_utf8_lossy(&said.stderr).trim()
}

const POSTGRES: &str = "
services:
  db:
    image: postgres:17
    environment: {POSTGRES_USER: app, POSTGRES_PASSWORD: hunter2$$x, POSTGRES_DB: shop}
    ports: ['127.0.0.1::5432']
    volumes: ['pgdata:/var/lib/postgresql/data']
  cache:
    image: redis:7
    depends_on: [db]
  tool:
    image: redis:7
    profiles: [tools]
volumes:
  pgdata:
";

#[test]
fn a_project_that_never_ran_is_read_from_its_files() {
    if offline() {
        return;
    }
    let trial = Trial::new(POSTGRES);

    let engine = trial.found(Wants::default());
    let server = server(&trial.config, &trial.workspace(), &engine).unwrap().unwrap();

    assert_eq!(server.state, ServerState::Absent);
    assert_eq!((server.user.as_str(), server.name.as_str()), ("app", "shop"));
    assert_eq!(server.password.reveal(), "hunter2$x");
    assert_eq!(engine.compose.program, ["docker", "compose"]);
    assert_eq!(engine.compose.services.len(), 3);
}

#[test]
fn both_composes_containers_are_read() {
    if offline() {
        return;
    }
    let trial = Trial::new(POSTGRES);
    for version in [2, 1] {
        trial.compose(version, "up -d");

        let engine = trial.found(Wants::default());
        let server = server(&trial.config, &trial.workspace(), &engine).unwrap().unwrap();

        assert_eq!(server.state, ServerState::Running, "v{version}");
        assert_eq!(server.password.reveal(), "hunter2$x");
        assert_eq!(server.address.unwrap().host, "127.0.0.1");
        assert_eq!(engine.compose.program.len(), usize::from(version));
        let ours = |container: &Container| {
            plan::stack(container, &engine.compose, &trial.root()) == plan::Stack::Ours
        };
        assert!(
            engine.containers.len() == 2 && engine.containers.iter().all(ours),
            "{:?}",
            engine.containers
        );
        let all = trial.all();
        assert_eq!(all.volumes.len(), 2, "{:?}", all.volumes);
        assert!(
            all.volumes.iter().all(|volume| volume.bytes.is_some())
                && all.free.is_some()
                && all.copier.is_some()
        );
        assert_eq!(all.networks.len(), 1);
    }
}
