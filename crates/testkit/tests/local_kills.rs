//! `kill -9` at random moments of everything that moves databases, the background of a reset included: every row that
//! somebody typed stays whole under a name that is told, the next run succeeds, and nothing is left behind.
//!
//! `SLATE_KILLS=300 cargo test -p cleanslate-testkit --test local_kills` does it 300 times.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::collections::BTreeMap;
use std::process::Command;
use std::time::{Duration, Instant};

use testkit::{Shop, offline};

/// Kills when nobody says how many.
const KILLS: u32 = 26;

const BASELINE: &str = "CREATE TABLE goods (id serial PRIMARY KEY, name text NOT NULL);\n";
const SEEDS: &str =
    "INSERT INTO goods (name) VALUES ('lamp'), ('rug');\nSELECT lo_from_bytea(4711, 'a drawing');\n";

/// Rows, sequences and large objects.
const CONTENT: &str = "SELECT md5(concat((SELECT string_agg(g::text, ',' ORDER BY id) FROM goods g),
    (SELECT last_value FROM goods_id_seq), (SELECT string_agg(lo_get(oid)::text, ',' ORDER BY oid) FROM pg_largeobject_metadata)))";

/// What was exported at the beginning, and the name of what was saved.
const FILE: &str = "first.dump";
const SAVED: &str = "the first";

const VICTIMS: [(&str, &[&str]); 16] = [
    ("slate-switch", &["feature"]),
    ("slate-snapshot", &["restore", SAVED]),
    ("slate-snapshot", &["import", FILE]),
    ("slate-rebuild", &["--yes"]),
    ("rebuilt", &[]),
    ("slate-switch", &["main"]),
    ("saved", &[]),
    ("slate-reset", &["--yes"]),
    ("slate-undo", &["--yes"]),
    ("edited", &[]),
    ("background", &[]),
    ("slate-clean", &["--yes"]),
    ("slate-up", &[]),
    ("slate-reset", &["--drop", "--yes", "--no-undo"]),
    ("slate-reset", &["--yes", "--no-undo"]),
    ("slate-undo", &["--gc", "--older-than", "0", "--yes", "--no-undo"]),
];

/// Numbers without an order, the same each time.
struct Dice(u64);

impl Dice {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % limit
    }
}

/// A shop and what must stay in it.
struct Trial {
    shop: Shop,
    dice: Dice,
    /// How long each victim works when nobody kills it.
    length: BTreeMap<String, Duration>,
    /// By the identity of a database in which somebody typed: what it holds.
    precious: BTreeMap<String, String>,
    edits: u32,
}

impl Trial {
    fn new() -> Self {
        let shop = Shop::new();
        shop.write("migrations/1_baseline.sql", BASELINE);
        shop.write("seeds/1_goods.sql", SEEDS);
        shop.up();
        branches(&shop);
        let _ = shop.swap();
        for words in [["save", SAVED], ["export", FILE]] {
            let _ = shop.run("slate-snapshot", &words).expect_code(0);
        }
        let saved = "SELECT oid, datname FROM pg_database WHERE datname LIKE '%saved%'";
        let saved = shop.ask_in("postgres", saved);
        let (oid, name) = saved.split_once('|').unwrap();
        let precious = BTreeMap::from([(oid.to_owned(), content_of(&shop, name))]);
        Self { shop, dice: Dice(0x5eed), length: BTreeMap::new(), precious, edits: 0 }
    }

    /// Somebody types a row; from here on it must not go.
    fn types(&mut self, round: u32) {
        let _ = self.shop.ask(&format!("INSERT INTO goods (name) VALUES ('vase {round}')"));
        let live = self.shop.ask("SELECT oid FROM pg_database WHERE datname = current_database()");
        self.precious.insert(live, self.shop.ask(CONTENT));
    }

    /// Kills one run at a moment that lies anywhere in it.
    fn kill(&mut self, (name, words): (&str, &[&str])) -> Duration {
        let key = format!("{name} {}", words.join(" "));
        let length = self.length.get(&key).copied().unwrap_or(Duration::from_millis(120));
        let share = u32::try_from(self.dice.below(1000)).unwrap();
        let moment = length * share / 900;
        let begun = Instant::now();
        let ended = match name {
            "background" => {
                let _ = self.shop.run("slate-reset", &["--yes"]).expect_code(0);
                self.kill_background(moment)
            }
            "edited" | "rebuilt" => {
                self.edits += 1;
                let sql = format!("{BASELINE}CREATE TABLE edit_{} (id int);\n", self.edits);
                self.shop.write("migrations/1_baseline.sql", &sql);
                let binary = if name == "edited" { "slate-reset" } else { "slate-rebuild" };
                self.shop.launch(binary, &["--yes"]).kill_after(moment)
            }
            "saved" => {
                self.edits += 1;
                let name = format!("before edit {}", self.edits);
                self.shop.launch("slate-snapshot", &["save", &name]).kill_after(moment)
            }
            name => self.shop.launch(name, words).kill_after(moment),
        };
        if ended.is_some() {
            // It was quicker, so next time the moments lie closer.
            self.length.insert(key, begun.elapsed().max(Duration::from_millis(8)));
        } else {
            self.length.insert(key, length + length / 8);
        }
        moment
    }

    fn kill_background(&self, moment: Duration) -> Option<i32> {
        let until = Instant::now() + moment;
        while let Some(process) = self.shop.background() {
            if Instant::now() > until {
                let _ = nix::sys::signal::kill(process, nix::sys::signal::Signal::SIGKILL);
                return None;
            }
        }
        Some(0)
    }

    /// All that must stay is there, under a name that a person is told.
    fn assert_there(&self, gave_up_live: Option<&String>, what: &str) {
        // The server may still be at what a killed run asked it for.
        let until = Instant::now() + Duration::from_secs(5);
        while let Some(untold) = self.untold(gave_up_live) {
            assert!(Instant::now() < until, "{what}: {untold}");
        }
    }

    fn untold(&self, gave_up_live: Option<&String>) -> Option<String> {
        let told = self.shop.run("slate-undo", &["--list"]).expect_code(0).stdout;
        self.precious.keys().find_map(|oid| {
            let name =
                self.shop.ask_in("postgres", &format!("SELECT datname FROM pg_database WHERE oid = {oid}"));
            let is_told = match name.as_str() {
                "" => gave_up_live == Some(oid),
                name => name == "shop" || told.contains(name),
            };
            (!is_told).then(|| format!("the database {oid} is `{name}`, which is not in {told}"))
        })
    }

    /// And whole.
    fn assert_whole(&mut self, gave_up: impl Fn(&str) -> bool, what: &str) {
        let shop = &self.shop;
        self.precious.retain(|oid, content| {
            let name = shop.ask_in("postgres", &format!("SELECT datname FROM pg_database WHERE oid = {oid}"));
            if name.is_empty() {
                assert!(gave_up(oid), "{what}: the database {oid} is gone");
                return false;
            }
            assert_eq!(content_of(shop, &name), *content, "{what}: {name}");
            true
        });
    }

    /// What a reset replaced: all that `--gc` may give up while both branches are there.
    fn kept(&self) -> Vec<String> {
        let sql = "SELECT oid FROM pg_database WHERE datname LIKE '%kept%'";
        self.shop.ask_in("postgres", sql).lines().map(str::to_owned).collect()
    }

    /// A live database, what is kept, templates and one spare: nothing else.
    fn assert_no_orphans(&self, what: &str) {
        let beside = self.shop.ask_in(
            "postgres",
            "SELECT string_agg(kind || ' ' || datallowconn, ', ' ORDER BY 1) FROM (
                 SELECT DISTINCT coalesce((substr(shobj_description(oid, 'pg_database'), 12)::json)->>'kind', datname) AS kind,
                        datallowconn, CASE WHEN datname LIKE '%spare%' THEN datname END AS spare
                 FROM pg_database WHERE NOT datistemplate AND datname NOT IN ('postgres', 'shop')) d",
        );
        for one in beside.split(", ").filter(|one| !one.is_empty()) {
            let fits =
                ["kept true", "parked true", "saved false", "template false", "spare false"].contains(&one);
            assert!(fits, "{what}: {one} in {beside}: {}", self.shop.databases());
        }
        assert_eq!(beside.matches("spare").count(), 1, "{what}: {beside}");
    }
}

/// `main` and `feature`, both with a commit; `main` is checked out.
fn branches(shop: &Shop) {
    for words in [
        &["init", "-q", "-b", "main"][..],
        &["add", "."],
        &["-c", "user.name=a", "-c", "user.email=a@b", "commit", "-qm", "one"],
        &["branch", "feature"],
    ] {
        let said = Command::new("git").args(words).current_dir(shop.sandbox().work()).output().unwrap();
        assert!(said.status.success(), "{words:?}: {said:?}");
    }
}

/// A kept one whose background was killed is closed until the next reset's background opens it.
fn content_of(shop: &Shop, name: &str) -> String {
    let allow = |allowed: &str| {
        let _ = shop.ask_in("postgres", &format!("ALTER DATABASE {name} ALLOW_CONNECTIONS {allowed}"));
    };
    let open = format!("SELECT datallowconn FROM pg_database WHERE datname = '{name}'");
    if name == "shop" || shop.ask_in("postgres", &open) == "t" {
        return shop.ask_in(name, CONTENT);
    }
    allow("true");
    let content = shop.ask_in(name, CONTENT);
    allow("false");
    content
}

#[test]
fn killed_at_any_moment_no_row_is_lost_and_the_next_run_works() {
    if offline("kill -9 during resets by swap") {
        return;
    }
    let kills = std::env::var("SLATE_KILLS").ok().and_then(|kills| kills.parse().ok()).unwrap_or(KILLS);
    let mut trial = Trial::new();
    for round in 0..kills {
        trial.types(round);
        let victim = VICTIMS[usize::try_from(round).unwrap() % VICTIMS.len()];
        let live = trial.shop.ask("SELECT oid FROM pg_database WHERE datname = current_database()");
        let kept = trial.kept();

        let moment = trial.kill(victim);

        let what = format!("round {round}, {victim:?} killed after {moment:?}");
        let gives_up = victim.1.contains(&"--no-undo");
        let is_gc = victim.1.contains(&"--gc");
        let at_once = trial.dice.below(2) == 0;
        if victim.0 == "slate-clean" {
            if !trial.shop.cluster().exists() {
                let undo = trial.shop.run("slate-undo", &["--yes"]);
                assert_eq!(undo.code, 0, "{what}: {undo:?}");
            }
        } else if !at_once && !is_gc {
            trial.assert_there(gives_up.then_some(&live), &what);
        }
        let next = match (victim.0, trial.dice.below(7)) {
            ("slate-clean", _) | (_, 0) => trial.shop.run("slate-up", &[]),
            (_, 1) => match trial.shop.run("slate-undo", &["--yes"]) {
                none if none.stderr.contains("nothing to undo") => trial.shop.run("slate-up", &[]),
                undo => undo,
            },
            (_, 2) => trial.shop.run("slate-switch", &[]),
            (_, 3) => trial.shop.run("slate-snapshot", &["restore", SAVED]),
            (_, 4) => trial.shop.run("slate-snapshot", &["import", FILE]),
            (_, 5) => trial.shop.run("slate-rebuild", &["--yes"]),
            _ => trial.shop.run("slate-reset", &["--yes"]),
        };
        assert_eq!(next.code, 0, "{what}: {next:?}");
        trial.shop.settle();
        let open = "SELECT datallowconn FROM pg_database WHERE datname = 'shop'";
        assert_eq!(trial.shop.ask_in("postgres", open), "t", "{what}: {next:?}");
        trial.assert_whole(
            |oid| gives_up && if is_gc { kept.iter().any(|one| one == oid) } else { oid == live },
            &what,
        );
        if round % 4 == 3 {
            let _ = trial.shop.swap();
            trial.assert_no_orphans(&what);
        }
    }
    let _ = trial.shop.swap();
    trial.assert_whole(|_| false, "at the end");
    trial.assert_no_orphans("at the end");
}
