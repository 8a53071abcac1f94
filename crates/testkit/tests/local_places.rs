//! Where a workspace may be, and who may run it: root's home, long paths, spaces and quotes, root and anybody else.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::fs;
use std::os::unix::fs::{PermissionsExt as _, chown};
use std::path::{Path, PathBuf};

use nix::unistd::geteuid;
use testkit::{Launch, Output, Sandbox, Stdin, binary, offline};

/// A workspace at a path of a sandbox, run by somebody. Dropped, its cluster is removed by `slate-clean`.
struct Place {
    sandbox: Sandbox,
    folder: PathBuf,
    /// For somebody else than us.
    user: Option<u32>,
}

impl Place {
    fn at(path: &str, user: Option<u32>) -> Self {
        let sandbox = Sandbox::new();
        let home = sandbox.home();
        let folder = home.join(path);
        fs::create_dir_all(folder.join("migrations")).unwrap();
        fs::create_dir_all(folder.join("seeds")).unwrap();
        fs::write(folder.join("cleanslate.toml"), "[database]\nserver = \"local\"\nname = \"shop\"\n[migrations]\ntool = \"sqlx\"\ndir = \"migrations\"\n[seeds]\ndir = \"seeds\"\n").unwrap();
        fs::write(folder.join("migrations/1_baseline.sql"), "CREATE TABLE goods (id int, name text);\n")
            .unwrap();
        fs::write(folder.join("seeds/1.sql"), "INSERT INTO goods VALUES (1, 'lamp');\n").unwrap();
        fs::write(folder.join("seeds/2.sql"), "\\set n 2\nINSERT INTO goods VALUES (:n, 'rug');\n").unwrap();
        // As root's own home is: closed to the account that runs Postgres.
        fs::set_permissions(&home, fs::Permissions::from_mode(0o700)).unwrap();
        if let Some(user) = user {
            fs::set_permissions(home.parent().unwrap(), fs::Permissions::from_mode(0o755)).unwrap();
            let binaries = home.join("bin");
            fs::create_dir(&binaries).unwrap();
            for name in ["slate-up", "slate-reset", "slate-status", "slate-clean", "slate-undo", "slate-down"]
            {
                fs::copy(binary(name), binaries.join(name)).unwrap();
            }
            give(&home, user);
        }
        Self { sandbox, folder, user }
    }

    fn run(&self, name: &str, arguments: &[&str]) -> Output {
        let launch: Launch = match self.user {
            None => self.sandbox.launch(binary(name)),
            Some(user) => {
                let account =
                    [format!("--reuid={user}"), format!("--regid={user}"), "--clear-groups".to_owned()];
                let program = self.sandbox.home().join("bin").join(name);
                self.sandbox.launch("setpriv").args(account).args([program])
            }
        };
        // No state folder of its own: what belongs to the workspace goes under the home.
        launch.without_env("XDG_STATE_HOME").folder(&self.folder).args(arguments).run(Stdin::Null)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let _ = self.run("slate-clean", &["--yes", "--no-undo"]);
    }
}

fn give(folder: &Path, user: u32) {
    chown(folder, Some(user), Some(user)).unwrap();
    for entry in fs::read_dir(folder).unwrap().flatten() {
        if entry.path().is_dir() {
            give(&entry.path(), user);
        } else {
            chown(entry.path(), Some(user), Some(user)).unwrap();
        }
    }
}

/// All that a day brings.
#[track_caller]
fn works(place: &Place) {
    let rows = || {
        let status = place.run("slate-status", &[]).expect_code(0);
        assert!(status.stdout.contains("current, built"), "{status:?}");
        status.stdout.contains("1 table, 2 rows")
    };
    for (name, arguments) in [
        ("slate-up", &[][..]),
        ("slate-reset", &["--drop", "--yes", "--no-undo"]),
        ("slate-down", &[]),
        ("slate-up", &[]),
        ("slate-clean", &["--yes"]),
        ("slate-undo", &["--yes"]),
        ("slate-up", &[]),
    ] {
        let output = place.run(name, arguments);
        assert_eq!(output.code, 0, "{name} {arguments:?} in {}: {output:?}", place.folder.display());
    }
    assert!(rows());
}

/// A folder with everything in its name that has to be quoted somewhere, 120 bytes long from its home on.
fn long() -> String {
    let start = "it's a \"long\" $path\\ with spaces; and ünïcode/";
    format!("{start}{}", "x".repeat(120 - start.len()))
}

#[test]
fn under_a_home_that_is_closed_to_others() {
    if offline("a workspace under root's home") {
        return;
    }
    works(&Place::at("work/shop", None));
}

#[test]
fn on_a_long_path_with_spaces_and_quotes() {
    if offline("a long path with spaces and quotes") {
        return;
    }
    works(&Place::at(&long(), None));
}

#[test]
fn as_an_ordinary_user() {
    if offline("an ordinary user") {
        return;
    }
    if !geteuid().is_root() {
        // Then every other test here is this one.
        return;
    }
    works(&Place::at(&long(), Some(65_534)));
}
