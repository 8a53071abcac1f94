//! A compose project of its own on the real engine, beside things of others that must stay as they are.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use testkit::{Launch, Output, Sandbox, Stdin};

/// Postgres on a named volume, a cache on an unnamed one, a folder and an external volume mounted.
pub const SHOP: &str = "
services:
  db:
    image: postgres:17
    environment: {POSTGRES_USER: app, POSTGRES_PASSWORD: hunter2word, POSTGRES_DB: shop}
    ports: ['127.0.0.1::5432']
    volumes: ['pgdata:/var/lib/postgresql/data', './mounted:/mounted']
    healthcheck: {test: ['CMD-SHELL', 'pg_isready -h 127.0.0.1 -U app'], interval: 1s, retries: 100}
  cache:
    image: redis:7
    depends_on: {db: {condition: service_healthy}}
    healthcheck: {test: ['CMD', 'redis-cli', 'ping'], interval: 1s, retries: 100}
volumes:
  pgdata:
";

pub const TOML: &str = "[migrations]\ntool = \"sql\"\ndir = \"migrations\"\n[restart]\ngrace = 2\n";

/// Whether these tests run; they fail where there is no engine, and say so loudly where somebody switched them off.
pub fn offline() -> bool {
    let offline = std::env::var("SLATE_TESTS").is_ok_and(|value| value == "offline");
    if offline {
        eprintln!("NOT TESTED: SLATE_TESTS=offline, and this test needs a container engine");
    }
    offline
}

pub struct Trial {
    pub sandbox: Sandbox,
    pub project: String,
    /// `docker compose` or `docker-compose`.
    compose: &'static str,
    /// Volumes that nobody named, seen so far: `down` leaves them behind, and then nothing tells whose they were.
    unnamed: RefCell<BTreeSet<String>>,
}

impl Trial {
    /// A workspace with these compose files, under a project name that nobody else has.
    pub fn new(compose: &'static str) -> Self {
        let sandbox = Sandbox::new();
        let word: String =
            sandbox.work().to_string_lossy().chars().filter(char::is_ascii_alphanumeric).collect();
        let project = format!("slatetest{}", word.to_lowercase());
        sandbox.write("compose.yml", SHOP);
        sandbox.write("cleanslate.toml", TOML);
        sandbox.write("migrations/1.sql", "CREATE TABLE item (id int PRIMARY KEY, name text NOT NULL);");
        sandbox.write("mounted/file", "yours");
        let trial = Self { sandbox, project, compose, unnamed: RefCell::default() };
        docker(&["volume", "create", &trial.named("bystander")]);
        let mount = format!("{}:/data", trial.named("bystander"));
        let name = trial.named("stranger");
        docker(&["run", "-d", "--name", &name, "-v", &mount, "redis:7"]);
        trial
    }

    pub fn named(&self, thing: &str) -> String {
        format!("{}_{thing}", self.project)
    }

    pub fn slate(&self, binary: &str, args: &[&str]) -> Output {
        self.launch(binary, args).run(Stdin::Silent)
    }

    /// As [`Self::slate`], and it ends with this code; no password is in what it says.
    #[track_caller]
    pub fn ends(&self, binary: &str, args: &[&str], code: i32) -> Output {
        self.remember_unnamed();
        let output = self.slate(binary, args).expect_code(code);
        assert!(
            !output.stdout.contains("hunter2word") && !output.stderr.contains("hunter2word"),
            "{output:?}"
        );
        output
    }

    /// Its exit code after a Ctrl-C that comes once `reached` is true.
    pub fn interrupted(&self, binary: &str, args: &[&str], reached: impl Fn() -> bool) -> i32 {
        let up = PathBuf::from(env!("CARGO_BIN_EXE_slate-up"));
        let mut child = Command::new(up.with_file_name(binary))
            .args(args)
            .current_dir(self.sandbox.work())
            .env("XDG_STATE_HOME", self.sandbox.state())
            .env("COMPOSE_PROJECT_NAME", &self.project)
            .env("SLATE_COMPOSE_COMMAND", self.compose)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let deadline = Instant::now() + Duration::from_mins(1);
        while !reached() {
            assert!(Instant::now() < deadline, "{binary} never came so far");
        }
        assert!(Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap().success());
        child.wait().unwrap().code().unwrap()
    }

    pub fn launch(&self, binary: &str, args: &[&str]) -> Launch {
        let up = PathBuf::from(env!("CARGO_BIN_EXE_slate-up"));
        let launch = self.sandbox.launch(up.with_file_name(binary)).args(args);
        launch
            .env("COMPOSE_PROJECT_NAME", &self.project)
            .env("SLATE_COMPOSE_COMMAND", self.compose)
            .deadline(Duration::from_mins(3))
    }

    /// Compose as a person calls it in the workspace, or in another folder.
    #[track_caller]
    pub fn compose(&self, folder: &str, words: &[&str]) -> String {
        self.remember_unnamed();
        let mut program = self.compose.split(' ');
        let output = Command::new(program.next().unwrap())
            .args(program)
            .args(words)
            .env("COMPOSE_PROJECT_NAME", &self.project)
            .current_dir(self.sandbox.work().join(folder))
            .output()
            .unwrap();
        assert!(output.status.success(), "{words:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr)
    }

    fn remember_unnamed(&self) {
        let label = format!("label=com.docker.compose.project={}", self.project);
        let containers = docker(&["ps", "-aq", "--filter", &label]);
        for container in containers.split_whitespace() {
            let format = "{{range .Mounts}}{{if eq .Type \"volume\"}}{{.Name}} {{end}}{{end}}";
            let volumes = docker(&["inspect", "--format", format, container]);
            let unnamed = volumes.split_whitespace().filter(|name| name.len() == 64).map(str::to_owned);
            self.unnamed.borrow_mut().extend(unnamed);
        }
    }

    pub fn container(&self, service: &str) -> String {
        let project = format!("label=com.docker.compose.project={}", self.project);
        let service = format!("label=com.docker.compose.service={service}");
        docker(&["ps", "-aq", "--filter", &project, "--filter", &service])
    }

    /// psql in the database's container.
    pub fn sql(&self, statement: &str) -> String {
        let container = self.container("db");
        docker(&["exec", &container, "psql", "-h", "127.0.0.1", "-U", "app", "-d", "shop", "-Atc", statement])
    }

    /// Containers and volumes of the trial, with ids.
    pub fn things(&self) -> String {
        let name = format!("name={}", self.project);
        let containers = docker(&[
            "ps",
            "-a",
            "--no-trunc",
            "--filter",
            &name,
            "--format",
            "{{.ID}} {{.Names}} {{.State}}",
        ]);
        let volumes = docker(&["volume", "ls", "-q", "--filter", &name]);
        let mut things: Vec<String> = containers.lines().chain(volumes.lines()).map(str::to_owned).collect();
        things.sort();
        things.join("\n")
    }

    /// What is others' is as it was.
    #[track_caller]
    pub fn assert_others_untouched(&self) {
        let state = docker(&["inspect", "--format", "{{.State.Running}}", &self.named("stranger")]);
        assert_eq!(state, "true");
        docker(&["volume", "inspect", &self.named("bystander")]);
        assert!(self.sandbox.work().join("mounted/file").exists());
    }
}

/// `docker`, whose failure is the test's.
#[track_caller]
pub fn docker(words: &[&str]) -> String {
    let output = Command::new("docker").args(words).output().unwrap();
    assert!(output.status.success(), "docker {words:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

impl Drop for Trial {
    fn drop(&mut self) {
        self.remember_unnamed();
        let name = format!("name={}", self.project);
        let label = format!("label=com.docker.compose.project={}", self.project);
        let list = |words: &[&str]| {
            let output = Command::new("docker").args(words).output().unwrap();
            String::from_utf8(output.stdout)
                .unwrap()
                .split_whitespace()
                .map(str::to_owned)
                .collect::<Vec<_>>()
        };
        let remove = |words: &[&str], names: Vec<String>| {
            if !names.is_empty() {
                Command::new("docker").args(words).args(names).output().unwrap();
            }
        };
        remove(&["rm", "-f", "-v"], list(&["ps", "-aq", "--filter", &label]));
        remove(&["rm", "-f", "-v"], list(&["ps", "-aq", "--filter", &name]));
        let unnamed = self.unnamed.borrow().iter().cloned().collect::<Vec<_>>();
        for volume in unnamed {
            remove(&["volume", "rm"], vec![volume]);
        }
        remove(&["network", "rm"], list(&["network", "ls", "-q", "--filter", &label]));
        remove(&["volume", "rm"], list(&["volume", "ls", "-q", "--filter", &name]));
        // A folder that a container wrote to is root's or Postgres'.
        let _ = std::fs::remove_dir_all(self.sandbox.work());
    }
}
