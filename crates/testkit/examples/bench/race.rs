//! What is timed, and how: contenders take turns, so that whatever slows the machine slows all of them.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// Something that is timed: its name, its command line and its surroundings.
pub struct Contender {
    name: String,
    words: Vec<String>,
    folder: PathBuf,
    variables: Vec<(String, String)>,
    /// Done before each time, untimed.
    before: Option<Box<dyn Fn()>>,
    /// A file that a process in the background holds locked until the next run may begin.
    lock: Option<PathBuf>,
}

/// A contender's median, and that of the time until its background is done, where it has one.
pub struct Median {
    name: String,
    took: Duration,
    ready: Option<Duration>,
}

impl Contender {
    pub fn new(name: &str, words: &[&str]) -> Self {
        Self {
            name: name.to_owned(),
            words: words.iter().map(|word| (*word).to_owned()).collect(),
            folder: PathBuf::from("/"),
            variables: Vec::new(),
            before: None,
            lock: None,
        }
    }

    pub fn called(self, name: &str) -> Self {
        Self { name: name.to_owned(), ..self }
    }

    pub fn folder(self, folder: &Path) -> Self {
        Self { folder: folder.to_owned(), ..self }
    }

    pub fn variable(mut self, name: &str, value: &str) -> Self {
        self.variables.push((name.to_owned(), value.to_owned()));
        self
    }

    pub fn before(self, before: impl Fn() + 'static) -> Self {
        Self { before: Some(Box::new(before)), ..self }
    }

    pub fn lock(self, lock: PathBuf) -> Self {
        Self { lock: Some(lock), ..self }
    }

    fn command(&self) -> Command {
        let mut command = Command::new(&self.words[0]);
        command.args(&self.words[1..]).current_dir(&self.folder);
        command.envs(self.variables.iter().map(|(name, value)| (name, value)));
        command.stdin(Stdio::null()).stderr(Stdio::null());
        command
    }

    /// Runs it once, and says how long it took until the prompt would be back, and how long its background took then.
    pub fn run(&self) -> (Duration, Option<Duration>) {
        if let Some(before) = &self.before {
            before();
        }
        let mut command = self.command();
        command.stdout(Stdio::null());
        let begun = Instant::now();
        let status = command.status().unwrap();
        let took = begun.elapsed();
        assert!(status.success(), "{:?} ended with {status}", self.words);
        let begun = Instant::now();
        let ready = self.lock.as_ref().map(|lock| {
            File::open(lock).unwrap().lock().unwrap();
            begun.elapsed()
        });
        (took, ready)
    }

    /// What it says.
    pub fn said(&self, folder: &Path) -> String {
        let output = self.command().current_dir(folder).output().unwrap();
        assert!(output.status.success(), "{:?}: {}", self.words, String::from_utf8_lossy(&output.stderr));
        String::from_utf8_lossy(&output.stdout).into_owned()
    }
}

/// The medians of interleaved rounds.
pub fn race(contenders: &[Contender], rounds: usize) -> Vec<Median> {
    let mut times = vec![(Vec::new(), Vec::new()); contenders.len()];
    for _ in 0..rounds {
        for (contender, (took, ready)) in contenders.iter().zip(&mut times) {
            let (time, background) = contender.run();
            took.push(time);
            ready.extend(background);
        }
    }
    let medians = contenders.iter().zip(&mut times);
    medians
        .map(|(contender, (took, ready))| Median {
            name: contender.name.clone(),
            took: median(took).unwrap(),
            ready: median(ready),
        })
        .collect()
}

pub fn median(times: &mut [Duration]) -> Option<Duration> {
    times.sort();
    times.get(times.len() / 2).copied()
}

/// The first is what the others are compared with.
pub fn table(title: &str, medians: &[Median]) {
    let first = medians[0].took.as_secs_f64();
    println!("\n{title}");
    for Median { name, took, ready } in medians {
        let seconds = took.as_secs_f64();
        let ready =
            ready.map(|ready| format!("   the next is ready {:.0} ms later", ready.as_secs_f64() * 1_000.0));
        println!(
            "  {name:<40} {:>8.1} ms   {:.3}x{}",
            seconds * 1_000.0,
            seconds / first,
            ready.unwrap_or_default()
        );
    }
}

/// A binary of the same build as the bench.
pub fn binary(name: &str) -> String {
    let folder = std::env::current_exe().unwrap().ancestors().nth(2).unwrap().to_owned();
    folder.join(name).to_string_lossy().into_owned()
}

pub fn starts() -> Vec<Contender> {
    let folder = std::env::current_exe().unwrap().ancestors().nth(2).unwrap().to_owned();
    let names = std::fs::read_dir(folder).unwrap().flatten();
    let names = names.map(|entry| entry.file_name().to_string_lossy().into_owned());
    let mut names: Vec<String> =
        names.filter(|name| name.starts_with("slate-") && !name.contains('.')).collect();
    names.sort();
    let versions =
        names.iter().map(|name| Contender::new(&format!("{name} --version"), &[&binary(name), "--version"]));
    std::iter::once(Contender::new("/bin/true", &["/bin/true"])).chain(versions).collect()
}
