//! Changes the files of real projects at random for a time, and asks detection about each: it has to answer, soon.
//! `cargo run --release -p cleanslate-testkit --example fuzz -- SECONDS PROJECT...`

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use detect::{Tree, detect};

/// An answer that takes longer is a fault like a crash.
const LONGEST: Duration = Duration::from_secs(5);

/// What is written into the files beside parts of them.
const PIECES: [&str; 18] = [
    "${A:-${A}}",
    "${",
    "}",
    "&a ",
    "*a",
    "<<: *a\n",
    "\"",
    "'",
    "\r\n",
    "\t",
    "[",
    "{",
    ": ",
    "- ",
    "!reset ",
    "\u{301}",
    "include: [compose.yml]\n",
    "extends: {file: compose.yml, service: db}\n",
];

type Texts = BTreeMap<String, String>;

fn main() -> ExitCode {
    let mut arguments = std::env::args().skip(1);
    let seconds = arguments.next().and_then(|text| text.parse().ok()).unwrap_or(60);
    let projects: Vec<Texts> = arguments.map(|folder| read(Path::new(&folder))).collect();
    let end = Instant::now() + Duration::from_secs(seconds);
    let (mut cases, mut slowest) = (0_u64, Duration::ZERO);
    while !projects.is_empty() && Instant::now() < end {
        for project in &projects {
            let mut random = Numbers::of(cases);
            let texts = changed(project, &mut random);
            let begun = Instant::now();
            let tree = Tree::new("shop", texts.keys().cloned(), |path| {
                texts.get(path).cloned().ok_or_else(String::new)
            });
            let found = detect(&tree);
            slowest = slowest.max(begun.elapsed());
            if found.database.is_some() != found.because.contains_key("database.service") || slowest > LONGEST
            {
                println!("case {cases}: {slowest:?}\n{found:#?}");
                return ExitCode::FAILURE;
            }
            cases += 1;
        }
    }
    println!("{cases} trees of {} projects, slowest answer {slowest:?}", projects.len());
    ExitCode::SUCCESS
}

/// Numbers without an order; the same case gives the same ones.
struct Numbers(u64);

impl Numbers {
    fn of(case: u64) -> Self {
        Self(case.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    /// A number below `limit`; 0 where there is none.
    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 >> 16).unwrap_or_default().checked_rem(limit).unwrap_or_default()
    }
}

/// The small texts of a project, near its root.
fn read(root: &Path) -> Texts {
    let mut texts = Texts::new();
    let mut folders = vec![root.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).into_iter().flatten().flatten() {
            let path = entry.path();
            let below =
                path.strip_prefix(root).map(|path| path.to_string_lossy().into_owned()).unwrap_or_default();
            if path.is_dir() && below.matches('/').count() < 4 {
                folders.push(path);
            } else if let Some(text) = fs::read_to_string(&path).ok().filter(|text| text.len() < 60_000) {
                texts.insert(below, text);
            }
        }
    }
    texts
}

/// Some files cut, doubled, mixed or written over.
fn changed(project: &Texts, random: &mut Numbers) -> Texts {
    let mut texts = project.clone();
    let wanted = |path: &&String| {
        let name = path.rsplit('/').next().unwrap_or_default().to_lowercase();
        [
            ".y",
            "env",
            ".toml",
            ".json",
            ".ini",
            "dockerfile",
            "justfile",
            "makefile",
            ".prisma",
            "config",
            "rc",
            ".sql",
            "gemfile",
        ]
        .iter()
        .any(|part| name.contains(part))
    };
    let paths: Vec<String> = project.keys().filter(wanted).cloned().collect();
    for _ in 0..=random.below(11) {
        let Some(path) = paths.get(random.below(paths.len())) else { continue };
        let other = paths
            .get(random.below(paths.len()))
            .and_then(|path| texts.get(path))
            .cloned()
            .unwrap_or_default();
        let Some(text) = texts.get_mut(path) else { continue };
        let (start, end) = (place(text, random), place(text, random));
        let (start, end) = (start.min(end), start.max(end));
        let part = text.get(start..end).unwrap_or_default().to_owned();
        match random.below(6) {
            0 => text.truncate(start),
            1 => text.replace_range(start..end, ""),
            2 => text.insert_str(start, &part),
            3 => text.insert_str(start, other.get(..place(&other, random)).unwrap_or_default()),
            4 => *text = other,
            _ => {
                let piece = PIECES.get(random.below(PIECES.len())).copied().unwrap_or_default();
                text.insert_str(start, &piece.repeat(1 + random.below(200)));
            }
        }
    }
    texts
}

/// Somewhere in a text, between two characters.
fn place(text: &str, random: &mut Numbers) -> usize {
    let mut at = random.below(text.len() + 1);
    while !text.is_char_boundary(at) {
        at -= 1;
    }
    at
}
