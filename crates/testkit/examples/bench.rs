//! Whole processes side by side, interleaved: reset against sqlx-cli on one server and the same files, and the start of
//! every binary against `/bin/true`. Prints medians and ratios; ratios are what a machine's mood does not change.
//!
//! `scripts/bench` builds what it needs and runs it.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a bench stops at the first thing that is not as it should be"
)]

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

const ROUNDS: usize = 15;

/// The binaries of one build, a workspace on a local cluster, and the server's URL.
struct Bench {
    binaries: PathBuf,
    root: tempfile::TempDir,
    url: String,
}

/// Something that is timed: its name and its command line.
struct Contender {
    name: String,
    words: Vec<String>,
}

impl Contender {
    fn new(name: &str, words: &[&str]) -> Self {
        Self { name: name.to_owned(), words: words.iter().map(|word| (*word).to_owned()).collect() }
    }
}

fn main() {
    let bench = Bench::begin();
    let starts: Vec<Contender> =
        std::iter::once(Contender::new("/bin/true", &["/bin/true"])).chain(bench.versions()).collect();
    table("Start of a process", &bench.race(&starts, 5 * ROUNDS));
    let reset = bench.binary("slate-reset");
    let resets = [
        Contender::new("sqlx database reset -y --force", &["sqlx", "database", "reset", "-y", "--force"]),
        Contender::new(
            "slate-reset --drop (no seeds)",
            &[&reset, "--drop", "--no-seed", "--yes", "--no-undo", "--quiet"],
        ),
    ];
    table("Reset by drop and create, nobody connected", &bench.race(&resets, ROUNDS));
    bench.end();
}

impl Bench {
    fn begin() -> Self {
        let binaries = std::env::current_exe().unwrap().ancestors().nth(2).unwrap().to_owned();
        let root = tempfile::Builder::new().prefix("slate-bench").tempdir_in("/tmp").unwrap();
        let repository = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).unwrap();
        let copied = Command::new("cp")
            .arg("-r")
            .args(["migrations", "seeds"])
            .arg(root.path())
            .current_dir(repository)
            .status();
        assert!(copied.unwrap().success());
        let settings = "[database]\nserver = \"local\"\nname = \"bench\"\n[migrations]\ntool = \"sqlx\"\ndir = \"migrations\"\n";
        std::fs::write(root.path().join("cleanslate.toml"), settings).unwrap();
        let mut bench = Self { binaries, root, url: String::new() };
        bench.run(&[&bench.binary("slate-up")]);
        bench.url = bench.address();
        // The first reset in a workspace asks.
        bench.run(&[&bench.binary("slate-reset"), "--drop", "--no-seed", "--yes", "--no-undo"]);
        bench
    }

    /// sqlx needs the address with its password, which cleanslate keeps in its own files.
    fn address(&self) -> String {
        let state = self.root.path().join("state/cleanslate");
        let folders = std::fs::read_dir(state).unwrap().flatten();
        let notes =
            folders.map(|folder| folder.path().join("local.json")).find(|file| file.is_file()).unwrap();
        let notes: serde_json::Value = serde_json::from_slice(&std::fs::read(notes).unwrap()).unwrap();
        format!(
            "postgresql://bench:{}@127.0.0.1:{}/bench",
            notes["password"].as_str().unwrap(),
            notes["port"]
        )
    }

    fn binary(&self, name: &str) -> String {
        self.binaries.join(name).to_string_lossy().into_owned()
    }

    fn versions(&self) -> Vec<Contender> {
        let mut names: Vec<String> = std::fs::read_dir(&self.binaries)
            .unwrap()
            .flatten()
            .map(|entry| entry.file_name().to_string_lossy().into_owned())
            .filter(|name| name.starts_with("slate-") && !name.contains('.'))
            .collect();
        names.sort();
        names
            .iter()
            .map(|name| Contender::new(&format!("{name} --version"), &[&self.binary(name), "--version"]))
            .collect()
    }

    fn run(&self, words: &[&str]) -> Duration {
        let mut command = Command::new(words.first().unwrap());
        command
            .args(words.iter().skip(1))
            .current_dir(self.root.path())
            .env("DATABASE_URL", &self.url)
            .env("XDG_STATE_HOME", self.root.path().join("state"))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        let begun = Instant::now();
        let status = command.status().unwrap();
        let took = begun.elapsed();
        assert!(status.success(), "{words:?} ended with {status}");
        took
    }

    /// The medians of interleaved rounds: whatever slows the machine slows all.
    fn race(&self, contenders: &[Contender], rounds: usize) -> Vec<(String, Duration)> {
        let mut times: Vec<Vec<Duration>> = vec![Vec::new(); contenders.len()];
        for _ in 0..rounds {
            for (contender, times) in contenders.iter().zip(&mut times) {
                let words: Vec<&str> = contender.words.iter().map(String::as_str).collect();
                times.push(self.run(&words));
            }
        }
        let median = |times: &mut Vec<Duration>| {
            times.sort();
            *times.get(times.len() / 2).unwrap()
        };
        contenders
            .iter()
            .zip(&mut times)
            .map(|(contender, times)| (contender.name.clone(), median(times)))
            .collect()
    }

    fn end(&self) {
        self.run(&[&self.binary("slate-clean"), "--yes", "--no-undo"]);
    }
}

fn table(title: &str, medians: &[(String, Duration)]) {
    let first = medians.first().unwrap().1.as_secs_f64();
    println!("\n{title}");
    for (name, median) in medians {
        let seconds = median.as_secs_f64();
        println!("  {name:<40} {:>8.1} ms   {:.2}x", seconds * 1_000.0, seconds / first);
    }
}
