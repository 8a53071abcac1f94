//! A folder of its own for a test: a home, a state folder, and a PATH whose first folder holds stub tools.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};

use tempfile::TempDir;

use crate::{Gate, Launch, launch};

/// A temporary home. Removed when dropped.
#[derive(Debug)]
pub struct Sandbox {
    root: TempDir,
    /// What stands behind the stubs.
    path: String,
}

/// One call of a stub tool.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Call {
    pub tool: String,
    pub args: Vec<String>,
    pub env: BTreeMap<String, String>,
}

impl Sandbox {
    /// # Panics
    /// There is no room for it.
    #[must_use]
    pub fn new() -> Self {
        let root = TempDir::with_prefix("slate-").expect("a temporary folder");
        for folder in ["home", "state", "bin", "stubs", "calls", "work"] {
            fs::create_dir(root.path().join(folder)).expect("a folder");
        }
        Self { root, path: std::env::var("PATH").expect("PATH") }
    }

    /// Where the workspace goes.
    #[must_use]
    pub fn work(&self) -> PathBuf {
        self.root.path().join("work")
    }

    #[must_use]
    pub fn home(&self) -> PathBuf {
        self.root.path().join("home")
    }

    /// `XDG_STATE_HOME`.
    #[must_use]
    pub fn state(&self) -> PathBuf {
        self.root.path().join("state")
    }

    /// Writes a file of the workspace, with its folders.
    ///
    /// # Panics
    /// It can't be written.
    pub fn write(&self, path: impl AsRef<Path>, text: &str) {
        let path = self.work().join(path);
        fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
        fs::write(path, text).expect("a file");
    }

    /// A tool that is found before any real one of its name. Its calls are recorded.
    ///
    /// # Panics
    /// It can't be written.
    pub fn stub(&self, tool: &str, script: &str) {
        let real = self.root.path().join("stubs").join(tool);
        executable(&real, script);
        let record = RECORD
            .replace("{calls}", &quoted(&self.root.path().join("calls")))
            .replace("{tool}", &quoted(Path::new(tool)))
            .replace("{mkdir}", &quoted(&found("mkdir")))
            .replace("{env}", &quoted(&found("env")))
            .replace("{real}", &quoted(&real));
        executable(&self.root.path().join("bin").join(tool), &record);
    }

    /// From now on nothing is found but the stubs and these real tools: a machine without the others.
    ///
    /// # Panics
    /// One of them is not there.
    pub fn only(&mut self, tools: &[&str]) {
        let folder = self.root.path().join("tools");
        fs::create_dir_all(&folder).expect("a folder");
        for tool in tools {
            symlink(found(tool), folder.join(tool)).expect("a link");
        }
        self.path = folder.display().to_string();
    }

    /// A gate that a stub or a program waits at until the test opens it.
    #[must_use]
    pub fn gate(&self, name: &str) -> Gate {
        Gate::new(&self.root.path().join(name))
    }

    /// Every call of a stub, in order.
    ///
    /// # Panics
    /// A record can't be read.
    #[must_use]
    pub fn calls(&self) -> Vec<Call> {
        let folder = self.root.path().join("calls");
        let made = fs::read_dir(&folder).expect("the calls").count();
        (0..made).map(|n| call(&folder.join(n.to_string()))).collect()
    }

    /// # Panics
    /// A recorded command line holds this text.
    #[track_caller]
    pub fn assert_not_in_argv(&self, secret: &str) {
        for call in self.calls() {
            assert!(!call.args.iter().any(|arg| arg.contains(secret)), "a secret is in argv: {call:?}");
        }
    }

    /// A program in the workspace, with the sandbox's home, state and PATH, and no consent or colour from outside.
    #[must_use]
    pub fn launch(&self, program: impl AsRef<Path>) -> Launch {
        let path = format!("{}:{}", self.root.path().join("bin").display(), self.path);
        let mut launch = Launch::new(program).folder(self.work()).env("PATH", path);
        for (name, _) in std::env::vars_os() {
            let told = name.to_string_lossy();
            let ours = ["SLATE_", "PG", "DOCKER_", "COMPOSE_", "DATABASE_URL", "GITHUB_"];
            if ours.iter().any(|prefix| told.starts_with(prefix)) {
                launch = launch.without_env(&name);
            }
        }
        launch
            .without_env("CI")
            .without_env("NO_COLOR")
            .env("HOME", self.home())
            .env("XDG_STATE_HOME", self.state())
            .without_env("XDG_CONFIG_HOME")
            .without_env("XDG_CACHE_HOME")
            .without_env("XDG_RUNTIME_DIR")
    }
}

impl Default for Sandbox {
    fn default() -> Self {
        Self::new()
    }
}

/// `mkdir` makes the number of a call its own, so that calls side by side do not mix.
const RECORD: &str = "#!/bin/sh
n=0
until {mkdir} {calls}/$n 2>/dev/null; do
  [ -d {calls} ] || exit 97
  n=$((n+1))
done
printf %s {tool} >{calls}/$n/tool
if [ $# -gt 0 ]; then printf '%s\\0' \"$@\"; fi >{calls}/$n/args
{env} >{calls}/$n/env
exec {real} \"$@\"
";

fn call(at: &Path) -> Call {
    let read = |file: &str| fs::read_to_string(at.join(file)).unwrap_or_default();
    let args = read("args");
    let env = read("env");
    Call {
        tool: read("tool"),
        args: args.split_terminator('\0').map(str::to_owned).collect(),
        env: env.lines().filter_map(|line| line.split_once('=')).map(|(k, v)| (k.into(), v.into())).collect(),
    }
}

fn executable(path: &Path, text: &str) {
    let _quiet = launch::spawning();
    fs::write(path, text).expect("a script");
    fs::set_permissions(path, fs::Permissions::from_mode(0o755)).expect("its mode");
}

fn found(tool: &str) -> PathBuf {
    let path = std::env::var_os("PATH").expect("PATH");
    let mut places = std::env::split_paths(&path).map(|folder| folder.join(tool));
    places.find(|place| place.is_file()).unwrap_or_else(|| panic!("no {tool} on PATH"))
}

fn quoted(path: &Path) -> String {
    format!("'{}'", path.display().to_string().replace('\'', r"'\''"))
}
