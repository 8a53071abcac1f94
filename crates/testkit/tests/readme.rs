//! README's main job, typed as it stands there: every command works, and nothing is left behind.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::fmt::Write as _;
use std::fs;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

use testkit::{Launch, Sandbox, Stdin, binary, offline, repository};

/// scripts/test builds the release itself, so it is left out here; the binaries are those beside this test.
const BUILD: &str = "cargo build --release";

/// All that a workspace needs; nothing else of the repository is there.
const WORKSPACE: [&str; 6] =
    ["migrations", "seeds", "justfile", "cleanslate.just", "cleanslate.toml", "devcontainer/compose.yml"];

/// The commands of a page's console blocks, in order.
fn commands(page: &str) -> Vec<&str> {
    let blocks = page.split("\n```console\n").skip(1).filter_map(|rest| rest.split("\n```").next());
    blocks.flat_map(str::lines).filter_map(|line| line.strip_prefix("$ ")).collect()
}

/// One shell for all of them, as a person has; the first that fails ends it, and is named.
fn script(commands: &[&str]) -> String {
    commands.iter().fold(String::new(), |mut script, command| {
        let told = command.replace('\'', r"'\''");
        // Into a String: never an error.
        let _ = write!(
            script,
            "printf '%s\\n' '$ {told}' >&2\n{command}\ncode=$?; if [ $code != 0 ]; then echo \"exit $code\" >&2; exit $code; fi\n"
        );
        script
    })
}

/// A copy of the sample workspace; whatever a test leaves running in it is stopped and removed.
struct Copy {
    sandbox: Sandbox,
}

impl Copy {
    fn new() -> Self {
        let sandbox = Sandbox::new();
        // Postgres does not run as root: its own account has to get through to the cluster.
        let root = sandbox.work().parent().unwrap().to_owned();
        fs::set_permissions(root, fs::Permissions::from_mode(0o755)).unwrap();
        for path in WORKSPACE {
            copy(&repository().join(path), &sandbox.work().join(path));
        }
        Self { sandbox }
    }

    fn launch(&self, program: impl AsRef<Path>) -> Launch {
        let built = binary("slate-up").parent().unwrap().to_owned();
        let tools = repository().join("target/tools/bin");
        let path = std::env::var("PATH").unwrap();
        self.sandbox.launch(program).env("PATH", format!("{}:{}:{path}", built.display(), tools.display()))
    }

    fn clusters(&self) -> PathBuf {
        self.sandbox.state().join("cleanslate/clusters")
    }

    fn clusters_left(&self) -> Vec<String> {
        let left = fs::read_dir(self.clusters()).unwrap().flatten();
        left.map(|one| one.path().display().to_string()).collect()
    }

    /// Processes that have the sandbox on their command line, as a server has its data directory.
    fn processes(&self) -> Vec<String> {
        let root = self.sandbox.state().display().to_string();
        let processes = fs::read_dir("/proc").unwrap().flatten();
        let lines = processes.filter_map(|one| fs::read(one.path().join("cmdline")).ok());
        let lines = lines.map(|line| String::from_utf8_lossy(&line).replace('\0', " "));
        lines.filter(|line| line.contains(&root)).collect()
    }

    /// Folders of sockets are short, so they are outside.
    fn sockets(&self) -> Vec<String> {
        let user = fs::metadata(self.sandbox.work()).unwrap().uid();
        let workspaces = fs::read_dir(self.sandbox.state().join("cleanslate")).unwrap().flatten();
        let ids = workspaces.map(|one| one.file_name().to_string_lossy().into_owned());
        let folder = |id: String| Some(format!("/tmp/cleanslate-{user}-{}", id.get(..8)?));
        ids.filter_map(folder).filter(|folder| Path::new(folder).exists()).collect()
    }
}

impl Drop for Copy {
    fn drop(&mut self) {
        if self.clusters().is_dir() {
            let clean = self.launch(binary("slate-clean")).env("SLATE_DATABASE_SERVER", "local");
            let _ = clean.args(["--yes", "--no-undo"]).run(Stdin::Null);
        }
    }
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to.parent().unwrap()).unwrap();
    if from.is_file() {
        fs::copy(from, to).unwrap();
        return;
    }
    for file in fs::read_dir(from).unwrap().flatten() {
        copy(&file.path(), &to.join(file.file_name()));
    }
}

#[test]
fn commands_are_read_from_console_blocks_alone() {
    let page = "a\n\n```sh\n$ no\n```\n\n```console\n$ one 'x'\nsaid\n$ two\n```\n\n$ no\n";

    assert_eq!(commands(page), ["one 'x'", "two"]);
}

#[test]
fn a_command_that_fails_ends_it_and_is_named() {
    let script = script(&["export A='x y'", "test \"$A\" = 'x y'", "(exit 7)", "echo never"]);

    let output = Launch::new("bash").args(["-c", &script]).run(Stdin::Null).expect_code(7);

    assert!(output.stderr.ends_with("$ (exit 7)\nexit 7\n"), "{}", output.stderr);
    assert_eq!(output.stdout, "");
}

#[test]
fn the_readme_works_as_it_is_typed_and_leaves_nothing() {
    if offline("README's commands") {
        return;
    }
    let readme = fs::read_to_string(repository().join("README.md")).unwrap();
    let mut typed = commands(&readme);
    assert!(typed.len() > 5, "the main job is missing: {typed:?}");
    assert!(typed.contains(&BUILD), "{typed:?}");
    typed.retain(|command| *command != BUILD);
    let copy = Copy::new();

    let shell = copy.launch("bash").args(["-c", &script(&typed)]).deadline(Duration::from_mins(4));
    let output = shell.run(Stdin::Null).expect_code(0);

    assert!(!output.held, "something that was started holds the terminal");
    let left = [copy.clusters_left(), copy.processes(), copy.sockets()].concat();
    assert!(left.is_empty(), "left behind: {left:?}");
}
