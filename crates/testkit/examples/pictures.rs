//! The pictures in README and docs: real screens of the sample workspace on a real engine, light and dark, and the
//! diagram of the swap. `scripts/pictures` builds what it needs and runs it; another screen is one more line in `SCREENS`.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a recipe stops at the first thing that is not as it should be"
)]

use std::fs;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use testkit::{Key, Launch, Screen, THEMES, Theme, repository};

/// When a picture is taken.
enum When {
    Ended,
    /// The screen shows this; then Ctrl-C.
    Shows(&'static str),
}

/// A picture's name, what a person types, what runs, and when it is taken.
const SCREENS: [(&str, &str, &[&str], When); 9] = [
    ("up", "just up", &["slate-up"], When::Ended),
    ("status", "just db", &["slate-status"], When::Ended),
    ("doctor", "just db doctor", &["slate-doctor"], When::Ended),
    ("check", "just db check", &["slate-check"], When::Ended),
    ("reset", "just db reset", &["slate-reset"], When::Shows("[y/N]")),
    ("question", "just clean", &["slate-clean"], When::Shows("[y/N]")),
    ("progress", "just clean", &["slate-clean", "--yes"], When::Shows("█")),
    ("clean", "just clean --yes", &["slate-clean", "--yes"], When::Ended),
    ("undo-list", "just db undo --list", &["slate-undo", "--list"], When::Ended),
];

const DIAGRAM: &str = include_str!("swap.svg");
const SIZE: (u16, u16) = (92, 40);
/// So much that a copy of it takes long enough for its picture.
const PHOTOS: &str = "CREATE TABLE photos (id int PRIMARY KEY, pixels text); \
                      ALTER TABLE photos ALTER pixels SET STORAGE EXTERNAL; \
                      INSERT INTO photos SELECT n, repeat(md5(n::text), 2000) FROM generate_series(1, 4000) n; \
                      ANALYZE photos";
/// One service keeps another waiting: something for the doctor to find.
const SLOW: &str = "services: {backend: {healthcheck: {interval: 30s}}}\n";

struct Workspace {
    root: PathBuf,
    binaries: PathBuf,
    _state: tempfile::TempDir,
    state: PathBuf,
}

fn main() {
    let folder = repository().join("docs/pictures");
    let workspace = Workspace::new();
    workspace.run("slate-up", &[]);
    workspace.run("slate-psql", &["-qc", PHOTOS]);
    for (name, typed, words, when) in &SCREENS {
        let mut screen = workspace.screen(words);
        match when {
            When::Ended => drop(screen.wait_exit()),
            When::Shows(text) => drop(screen.wait_for(text)),
        }
        for theme in THEMES {
            let file = folder.join(format!("{name}-{}.svg", theme.name));
            fs::write(file, screen.picture(typed, &theme)).unwrap();
        }
        if let When::Shows(_) = when {
            screen.press(Key::CtrlC);
            let _ = screen.wait_exit();
        }
    }
    for theme in THEMES {
        fs::write(folder.join(format!("swap-{}.svg", theme.name)), diagram(&theme)).unwrap();
    }
}

fn diagram(theme: &Theme) -> String {
    let [_, _, green, _, blue, ..] = theme.colours;
    let colours = [
        ("GROUND", theme.ground),
        ("TEXT", theme.text),
        ("FAINT", theme.faint),
        ("LINE", theme.line),
        ("GREEN", green),
        ("BLUE", blue),
    ];
    colours.iter().fold(DIAGRAM.to_owned(), |text, (name, colour)| text.replace(name, colour))
}

impl Workspace {
    /// The sample workspace under its own name.
    fn new() -> Self {
        let root = std::env::temp_dir().join("record-shop");
        fs::create_dir(&root).unwrap_or_else(|why| panic!("{}: {why}", root.display()));
        let kept = tempfile::tempdir().unwrap();
        let binaries = std::env::current_exe().unwrap().ancestors().nth(2).unwrap().to_owned();
        let workspace = Self { root, binaries, state: kept.path().to_owned(), _state: kept };
        let copied = Command::new("cp")
            .args(["-r", "migrations", "seeds", "cleanslate.toml", "devcontainer"])
            .arg(&workspace.root)
            .current_dir(repository())
            .status();
        assert!(copied.unwrap().success());
        fs::write(workspace.root.join("devcontainer/slow.yml"), SLOW).unwrap();
        let settings = fs::read_to_string(workspace.root.join("cleanslate.toml")).unwrap();
        let files = "[\"devcontainer/compose.yml\", \"devcontainer/slow.yml\"]";
        let settings = settings
            .replace("[\"devcontainer/compose.yml\"]", &format!("{files}\nproject = \"record-shop\""));
        fs::write(workspace.root.join("cleanslate.toml"), settings).unwrap();
        workspace
    }

    fn launch(&self, words: &[&str]) -> Launch {
        let (binary, arguments) = words.split_first().unwrap();
        let launch = Launch::new(self.binaries.join(binary)).args(arguments).folder(&self.root);
        let launch = launch
            .env("SLATE_RECIPE", "db")
            .env("RECORD_SHOP_DB_PORT", "5433")
            .env("RECORD_SHOP_HTTP_PORT", "8001");
        launch
            .env("XDG_STATE_HOME", &self.state)
            .without_env("CI")
            .deadline(std::time::Duration::from_mins(5))
    }

    fn screen(&self, words: &[&str]) -> Screen {
        self.launch(words).screen(SIZE.0, SIZE.1)
    }

    fn run(&self, binary: &str, words: &[&str]) {
        let mut screen = self.screen(&[&[binary][..], words].concat());
        assert_eq!(screen.wait_exit(), 0, "{}", screen.text());
    }
}

impl Drop for Workspace {
    fn drop(&mut self) {
        let _ = self.screen(&["slate-clean", "--yes", "--no-undo"]).wait_exit();
        forget_copies();
        let _ = fs::remove_dir_all(&self.root);
    }
}

/// What the pictures' own cleans kept.
fn forget_copies() {
    let docker =
        |words: &[&str]| Command::new("docker").args(words).stdin(Stdio::null()).output().unwrap().stdout;
    let copies = docker(&[
        "volume",
        "ls",
        "-q",
        "--filter",
        "label=dev.cleanslate.kind=kept",
        "--filter",
        "name=record-shop_",
    ]);
    for copy in String::from_utf8(copies).unwrap().lines().filter(|copy| copy.starts_with("record-shop_")) {
        docker(&["volume", "rm", copy]);
    }
}
