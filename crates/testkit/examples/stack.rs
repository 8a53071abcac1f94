//! The whole stack side by side with what a project documents for it, interleaved: the clean slate against `down`,
//! `docker volume rm` and `up -d`, `slate-up` against `up -d --wait` on a stopped stack and against an `up -d` that finds
//! nothing to do. Looks after each that all answer and that a plain `up -d` makes no container anew. Prints medians and
//! ratios.
//!
//! `scripts/bench` runs it with both Composes; by hand: `stack "docker compose" 5`.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a bench stops at the first thing that is not as it should be"
)]

use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::time::{Duration, Instant};

const PROJECT: &str = "slatebench";
const COMPOSE: &str = include_str!("compose.yml");
const SETTINGS: &str = "[migrations]\ntool = \"alembic\"\ndir = \"backend/alembic/versions\"\ncommand = \"alembic upgrade head\"\n\
                        in = \"service:backend\"\nat_start = \"backend\"\n[ready]\nbackend = \"http://127.0.0.1:18460/users\"\n";
const SERVICES: usize = 6;

struct Stack {
    compose: Vec<String>,
    root: tempfile::TempDir,
    binaries: PathBuf,
}

/// Times of one way to the goal, round by round.
struct Race {
    title: &'static str,
    ways: Vec<(&'static str, Vec<Duration>)>,
}

fn main() {
    let mut given = std::env::args().skip(1);
    let compose = given.next().unwrap_or_else(|| "docker compose".to_owned());
    let rounds: usize = given.next().map_or(5, |rounds| rounds.parse().unwrap());
    let stack = Stack::new(&compose);
    let race = |title, ways: &[&'static str]| Race {
        title,
        ways: ways.iter().map(|way| (*way, Vec::new())).collect(),
    };
    let mut clean = race(
        "Clean slate until all answer",
        &[
            "down, docker volume rm, up -d",
            "slate-clean --yes --no-undo --up",
            "slate-clean --yes --up (copied)",
        ],
    );
    let mut stopped = race("Up on a stopped stack", &["up -d --wait", "slate-up"]);
    let mut running = race("Up on a running stack", &["up -d", "slate-up"]);
    stack.compose(&["up", "-d"]);
    for _ in 0..rounds {
        clean.ways[0].1.push(stack.recipe());
        running.ways[0].1.push(stack.compose(&["up", "-d"]));
        stack.slate("slate-up", &[]);
        running.ways[1].1.push(stack.slate("slate-up", &[]));
        stack.compose(&["stop", "-t", "1"]);
        // The first Compose has no --wait.
        let wait: &[&str] = if stack.is_v1() { &["up", "-d"] } else { &["up", "-d", "--wait"] };
        stopped.ways[0].1.push(stack.compose(wait));
        stack.compose(&["stop", "-t", "1"]);
        stopped.ways[1].1.push(stack.checked("slate-up", &[]));
        clean.ways[1].1.push(stack.checked("slate-clean", &["--yes", "--no-undo", "--up"]));
        clean.ways[2].1.push(stack.checked("slate-clean", &["--yes", "--up"]));
        stack.forget_copies();
    }
    for race in [clean, stopped, running] {
        race.print(&compose);
    }
}

impl Stack {
    fn new(compose: &str) -> Self {
        let binaries = std::env::current_exe().unwrap().ancestors().nth(2).unwrap().to_owned();
        let root = tempfile::Builder::new().prefix("slate-bench").tempdir_in("/tmp").unwrap();
        let fixture = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/alembic/backend");
        let stack = Self { compose: compose.split(' ').map(str::to_owned).collect(), root, binaries };
        stack.run("cp", &["-r", &fixture.to_string_lossy(), "backend"]);
        stack.run("cp", &["backend/.env.example", "backend/.env"]);
        stack.run("docker", &["build", "-q", "-t", "slate-bench-backend", "backend"]);
        std::fs::write(stack.root.path().join("docker-compose.yml"), COMPOSE).unwrap();
        std::fs::write(stack.root.path().join("cleanslate.toml"), SETTINGS).unwrap();
        stack
    }

    fn is_v1(&self) -> bool {
        self.compose.len() == 1
    }

    fn command(&self, program: &str, words: &[&str]) -> (Output, Duration) {
        let mut command = Command::new(program);
        command
            .args(words)
            .current_dir(self.root.path())
            .env("COMPOSE_PROJECT_NAME", PROJECT)
            .env("SLATE_COMPOSE_COMMAND", self.compose.join(" "))
            .env("XDG_STATE_HOME", self.root.path().join("state"));
        let begun = Instant::now();
        let output = command.output().unwrap();
        (output, begun.elapsed())
    }

    fn run(&self, program: &str, words: &[&str]) -> (String, Duration) {
        let (output, took) = self.command(program, words);
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.success(), "{program} {words:?}: {said}");
        (String::from_utf8_lossy(&output.stdout).into_owned(), took)
    }

    fn compose(&self, words: &[&str]) -> Duration {
        let mut all: Vec<&str> = self.compose.iter().skip(1).map(String::as_str).collect();
        all.extend(words);
        self.run(&self.compose[0], &all).1
    }

    fn recipe(&self) -> Duration {
        let down = self.compose(&["down"]);
        let (_, removed) = self.run("docker", &["volume", "rm", &format!("{PROJECT}_postgres_data")]);
        down + removed + self.compose(&["up", "-d"])
    }

    fn slate(&self, binary: &str, words: &[&str]) -> Duration {
        self.run(&self.binaries.join(binary).to_string_lossy(), words).1
    }

    /// As [`Self::slate`]; then all services run, the backend reads from the database, and Compose makes none anew.
    fn checked(&self, binary: &str, words: &[&str]) -> Duration {
        let took = self.slate(binary, words);
        self.run(
            "python3",
            &["-c", "from urllib.request import urlopen; urlopen('http://127.0.0.1:18460/users')"],
        );
        let before = self.containers();
        assert_eq!(before.lines().count(), SERVICES, "{before}");
        self.compose(&["up", "-d"]);
        assert_eq!(self.containers(), before, "a plain `up -d` made something anew");
        took
    }

    fn containers(&self) -> String {
        let filter = format!("label=com.docker.compose.project={PROJECT}");
        let words = ["ps", "--no-trunc", "--filter", &filter, "--format", "{{.Names}} {{.ID}}"];
        let mut lines: Vec<String> = self.run("docker", &words).0.lines().map(str::to_owned).collect();
        lines.sort();
        lines.join("\n")
    }

    fn forget_copies(&self) {
        let filter = "label=dev.cleanslate.kind=kept".to_owned();
        let (copies, _) = self.run("docker", &["volume", "ls", "-q", "--filter", &filter]);
        for copy in copies.lines().filter(|copy| copy.starts_with(PROJECT)) {
            self.run("docker", &["volume", "rm", copy]);
        }
    }
}

impl Drop for Stack {
    fn drop(&mut self) {
        self.command(&self.binaries.join("slate-clean").to_string_lossy(), &["--yes", "--no-undo"]);
        self.forget_copies();
    }
}

impl Race {
    fn print(mut self, compose: &str) {
        println!("\n{} ({compose})", self.title);
        let median = |times: &mut Vec<Duration>| {
            times.sort();
            times[times.len() / 2].as_secs_f64()
        };
        let first = median(&mut self.ways[0].1);
        for (name, times) in &mut self.ways {
            let seconds = median(times);
            let all: Vec<String> = times.iter().map(|time| format!("{:.1}", time.as_secs_f64())).collect();
            println!("  {name:<34} {seconds:>6.2} s   {:.2}x   ({})", seconds / first, all.join(" "));
        }
    }
}
