//! Two worktrees of one repository on one Postgres server: neither touches what is the other's, under whatever name.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::fs;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, symlink};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread;

use testkit::{Output, Shop, Stdin, binary, offline, program};

/// Every database by its identity, with its name, label and settings, but those of the other worktree.
const OTHERS: &str = "SELECT oid, datname, datallowconn, shobj_description(oid, 'pg_database'),
        (SELECT string_agg(setconfig::text, ',') FROM pg_db_role_setting WHERE setdatabase = d.oid)
    FROM pg_database d WHERE datname NOT LIKE 'other%' ORDER BY 1";

fn git(folder: &Path, words: &[&str]) {
    let mut git = Command::new("git");
    git.args(["-c", "user.name=a", "-c", "user.email=a@b"]).args(words).current_dir(folder);
    let said = git.output().unwrap();
    assert!(said.status.success(), "{words:?}: {said:?}");
}

/// A second worktree, with a home of its own for cleanslate's files.
struct Worktree<'a> {
    shop: &'a Shop,
    folder: PathBuf,
    state: PathBuf,
}

impl<'a> Worktree<'a> {
    fn of(shop: &'a Shop) -> Self {
        let (folder, state) = (shop.root().join("other"), shop.root().join("other-state"));
        git(&shop.sandbox().work(), &["worktree", "add", "-q", "-b", "feature", folder.to_str().unwrap()]);
        fs::create_dir(&state).unwrap();
        fs::set_permissions(&state, fs::Permissions::from_mode(0o755)).unwrap();
        let other = Self { shop, folder, state };
        other.joins_the_server();
        other
    }

    /// A `local` server is one workspace's alone, so by hand: this one's cluster is a link to the first one's, whose
    /// server is started with both folders in its command line, by which each workspace knows its own.
    fn joins_the_server(&self) {
        let _ = self.run("slate-status", "other", &[]).expect_code(0);
        let base = self.state.join("cleanslate");
        let is_ours = |path: &PathBuf| path.join("workspace.json").exists();
        let notes = fs::read_dir(&base).unwrap().map(|entry| entry.unwrap().path()).find(is_ours).unwrap();
        let id = notes.file_name().unwrap();
        assert_ne!(Some(id), self.shop.notes().file_name(), "each worktree is a workspace of its own");
        fs::copy(self.shop.notes().join("local.json"), notes.join("local.json")).unwrap();
        fs::create_dir_all(base.join("clusters")).unwrap();
        let (cluster, link) = (self.shop.cluster(), base.join("clusters").join(id));
        symlink(&cluster, &link).unwrap();
        let _ = self.shop.run("slate-down", &[]).expect_code(0);
        let owner = fs::metadata(&cluster).unwrap();
        let mut start = Command::new(program("pg_ctl"));
        start.args(["start", "--silent", "--wait"]).current_dir("/").uid(owner.uid()).gid(owner.gid());
        start.arg("--pgdata").arg(&cluster).arg("--log").arg(cluster.join("server.log"));
        start.arg("--options").arg(format!("-c cluster_name={}", link.display()));
        assert!(start.stdin(Stdio::null()).status().unwrap().success());
    }

    fn run(&self, name: &str, database: &str, words: &[&str]) -> Output {
        let launch = self.shop.sandbox().launch(binary(name)).args(words).folder(&self.folder);
        let launch = launch.env("XDG_STATE_HOME", &self.state);
        launch.env("SLATE_DATABASE_NAME", database).env("SLATE_DATABASE_USER", "shop").run(Stdin::Null)
    }

    fn done(&self, name: &str, words: &[&str]) {
        let _ = self.run(name, "other", words).expect_code(0);
    }
}

#[test]
fn two_worktrees_on_one_server_leave_each_other_alone() {
    if offline("two worktrees on one server") {
        return;
    }
    let shop = Shop::new();
    git(&shop.sandbox().work(), &["init", "-q", "-b", "main"]);
    git(&shop.sandbox().work(), &["add", "."]);
    git(&shop.sandbox().work(), &["commit", "-qm", "one"]);
    shop.up();
    let _ = shop.ask("INSERT INTO goods VALUES (3, 'vase')");
    let _ = shop.swap();
    let _ = shop.ask("INSERT INTO goods VALUES (4, 'bowl')");
    let _ = shop.run("slate-switch", &["parked"]).expect_code(0);
    let _ = shop.run("slate-snapshot", &["save", "mine"]).expect_code(0);
    shop.settle();
    let other = Worktree::of(&shop);
    let (before, rows) = (shop.ask_in("postgres", OTHERS), shop.contents());

    // By the same name it is the first one's, whatever the second one is asked to do.
    for (name, words) in [
        ("slate-reset", &["--yes", "--no-undo", "--force"][..]),
        ("slate-rebuild", &["--yes", "--no-undo"]),
        ("slate-switch", &["--from", "main"]),
        ("slate-snapshot", &["save", "theirs"]),
    ] {
        let _ = other.run(name, "shop", words).told(4);
    }
    let _ =
        other.run("slate-undo", "shop", &["--gc", "--older-than", "0", "--yes", "--no-undo"]).expect_code(0);
    assert_eq!((shop.ask_in("postgres", OTHERS), shop.contents()), (before.clone(), rows));

    // By a name of its own it has all that the first one has.
    other.done("slate-up", &[]);
    other.done("slate-reset", &["--yes"]);
    let _ = shop.ask_in("other", "INSERT INTO goods VALUES (5, 'clock')");
    other.done("slate-switch", &["main", "--from", "feature"]);
    let _ = shop.ask_in("other", "INSERT INTO goods VALUES (6, 'chair')");
    other.done("slate-switch", &[]);
    assert_eq!(shop.ask_in("other", "SELECT string_agg(id::text, ',') FROM goods"), "1,2,5");
    other.done("slate-undo", &["--gc", "--older-than", "0", "--yes", "--no-undo"]);
    let list = other.run("slate-undo", "other", &["--list"]).expect_code(0).stdout;
    assert!(!list.contains("shop__"), "{list}");
    assert_eq!(shop.ask_in("postgres", OTHERS), before);

    // And at the same time.
    thread::scope(|scope| {
        let first = scope.spawn(|| shop.run("slate-switch", &["main"]));
        let second = scope.spawn(|| other.run("slate-switch", "other", &["main"]));
        assert_eq!(first.join().unwrap().expect_code(0).code, second.join().unwrap().expect_code(0).code);
    });
    assert_eq!(shop.ask("SELECT string_agg(id::text, ',') FROM goods"), "1,2,4");
    assert_eq!(shop.ask_in("other", "SELECT string_agg(id::text, ',') FROM goods"), "1,2,6");
}
