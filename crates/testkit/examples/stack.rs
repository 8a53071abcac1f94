//! The whole stack side by side with what a project documents for it, interleaved: the clean slate against `down`,
//! `docker volume rm` and `up -d`, `slate-up` against `up -d --wait` on a stopped stack and against an `up -d` that finds
//! nothing to do; and a reset after an edited baseline against dropping the database and restarting the backend. Looks
//! after each that all answer and that a plain `up -d` makes no container anew. Prints medians and ratios, and the longest
//! time in which the database took no login while it was reset.
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
/// Connects again and again, and prints the longest pause between two that worked, in milliseconds.
const WATCH: &str = "
import asyncio, asyncpg, os, time
async def main():
    url = os.environ['DATABASE_URL'].replace('+asyncpg', '')
    last, worst = time.monotonic(), 0
    while not os.path.exists('/tmp/watched'):
        try:
            one = await asyncpg.connect(url, timeout=5)
            await one.fetch('SELECT 1 FROM alembic_version')
            await one.close()
        except Exception:
            continue
        now = time.monotonic()
        worst, last = max(worst, now - last), now
        open('/tmp/watching', 'w').close()
    print(round(worst * 1000))
asyncio.run(main())
";

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
    let mut edited = race(
        "Edited baseline until the backend answers",
        &["DROP, CREATE, restart backend", "slate-reset --yes"],
    );
    let mut pauses = Vec::new();
    stack.compose(&["up", "-d"]);
    for round in 0..rounds {
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
        stack.edit(2 * round);
        edited.ways[0].1.push(stack.by_hand());
        stack.slate("slate-reset", &["--yes"]);
        stack.edit(2 * round + 1);
        let (took, pause) = stack.watched(|| stack.slate("slate-reset", &["--yes"]) + stack.answers());
        edited.ways[1].1.push(took);
        pauses.push(pause);
    }
    for race in [clean, stopped, running, edited] {
        race.print(&compose);
    }
    println!("  longest pause between two logins, ms: {}", pauses.join(" "));
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
        eprintln!("{:>7.2} s  {program} {}", took.as_secs_f64(), words.first().unwrap_or(&""));
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

    /// One more table in the baseline.
    fn edit(&self, n: usize) {
        let file = self.root.path().join("backend/alembic/versions/initial_schema.py");
        let text = std::fs::read_to_string(&file).unwrap();
        let table =
            format!("    op.create_table(\"note_{n}\", sa.Column(\"id\", sa.Integer, primary_key=True))\n");
        let head = "def upgrade() -> None:\n";
        let logs: Vec<&str> =
            self.compose.iter().skip(1).map(String::as_str).chain(["logs", "backend"]).collect();
        let starts = || self.run(&self.compose[0], &logs).0.matches("Application startup complete").count();
        let before = starts();
        std::fs::write(file, text.replacen(head, &format!("{head}{table}"), 1)).unwrap();
        // The backend reloads its code, whoever edited it.
        let begun = Instant::now();
        while starts() == before && begun.elapsed() < Duration::from_secs(10) {}
    }

    fn by_hand(&self) -> Duration {
        let sql = ["DROP DATABASE digger WITH (FORCE)", "CREATE DATABASE digger"];
        let psql =
            ["exec", "-T", "postgres", "psql", "-U", "digger", "-d", "postgres", "-c", sql[0], "-c", sql[1]];
        self.compose(&psql) + self.compose(&["restart", "backend"]) + self.answers()
    }

    /// Until /health answers.
    fn answers(&self) -> Duration {
        let begun = Instant::now();
        while !self.command("curl", &["-sf", "-m", "2", "http://127.0.0.1:18460/health"]).0.status.success() {
            assert!(begun.elapsed() < Duration::from_mins(2), "the backend does not answer");
        }
        begun.elapsed()
    }

    /// With the longest pause between two logins meanwhile.
    fn watched(&self, what: impl FnOnce() -> Duration) -> (Duration, String) {
        let (name, network) = (format!("{PROJECT}-watch"), format!("{PROJECT}_default"));
        let url = "DATABASE_URL=postgresql://digger:digger@postgres:5432/digger";
        let image = "slate-bench-backend";
        let watcher =
            ["run", "-d", "--name", &name, "--network", &network, "-e", url, image, "python", "-c", WATCH];
        self.run("docker", &watcher);
        let begun = Instant::now();
        while !self.command("docker", &["exec", &name, "test", "-e", "/tmp/watching"]).0.status.success() {
            assert!(begun.elapsed() < Duration::from_mins(1), "nobody watches");
        }
        let took = what();
        self.run("docker", &["exec", &name, "touch", "/tmp/watched"]);
        self.run("docker", &["wait", &name]);
        let pause = self.run("docker", &["logs", &name]).0.trim().to_owned();
        self.run("docker", &["rm", "-f", &name]);
        (took, pause)
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
