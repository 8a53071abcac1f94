//! What the machine's own files tell: free room, owners, the graph of the migrations.

use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use plan::{Config, Engine, Home, MountKind, Room, Tool, Workspace, World};

use crate::engine;
use crate::program::{Program, Run};
use crate::revisions;

/// Where the engine keeps its volumes, unless it was told otherwise.
const ENGINE: &str = "/var/lib/docker";

pub(super) fn room(workspace: &Workspace) -> Vec<Room> {
    let places = [
        ("cleanslate's own files", workspace.state.clone()),
        ("the engine's volumes", PathBuf::from(ENGINE)),
    ];
    let free = |(what, folder): (&'static str, PathBuf)| {
        let there = folder.ancestors().find(|folder| folder.exists())?;
        let found = rustix::fs::statvfs(there).ok()?;
        Some(Room { what, free: found.f_bavail.saturating_mul(found.f_frsize), folder: there.to_owned() })
    };
    places
        .into_iter()
        .filter(|(what, folder)| *what != "the engine's volumes" || folder.exists())
        .filter_map(free)
        .collect()
}

/// Alembic's revisions that no other one follows.
pub(super) fn heads(config: &Config, root: &Path) -> Vec<String> {
    let migrations = &config.migrations;
    let (Some(Tool::Alembic), Some(dir)) = (migrations.tool, &migrations.dir) else { return Vec::new() };
    let (revisions, followed) = revisions::alembic(&root.join(dir));
    revisions.difference(&followed).cloned().collect()
}

/// A data folder of the host that belongs to somebody else than the workspace: Postgres gave it to its own account.
pub(super) fn foreign_folder(engine: &Engine, root: &Path) -> Option<(PathBuf, u32)> {
    let service =
        engine.compose.services.iter().find(|one| Some(&one.name) == engine.compose.database.as_ref())?;
    if engine::place::remote().is_some() {
        // The folder is on the engine's machine, and what has its name here is another one.
        return None;
    }
    let own = fs::metadata(root).ok()?.uid();
    let data = service
        .mounts
        .iter()
        .filter(|mount| mount.kind == MountKind::Bind && mount.target.contains("/postgresql"));
    data.map(|mount| PathBuf::from(&mount.source)).find_map(|folder| {
        let owner = fs::metadata(&folder).ok()?.uid();
        (owner != own).then_some((folder, owner))
    })
}

/// What the project's own tool says of models that no migration describes; `None` where it says that all is well.
pub(super) fn models(config: &Config, world: &World, timeout: Duration) -> Option<String> {
    let migrations = &config.migrations;
    if migrations.tool != Some(Tool::Alembic) {
        return None;
    }
    let command =
        migrations.command.as_deref().unwrap_or("alembic upgrade head").replace("upgrade head", "check");
    let command = format!("PYTHONDONTWRITEBYTECODE=1 {command}");
    let words = ["sh", "-c", &command];
    let program = match migrations.home().ok()? {
        Home::Host => Program::words(words).folder(&world.workspace.root),
        Home::Service(service) => {
            let engine = world.engine.as_ref()?;
            let context = engine::Context { config, workspace: &world.workspace, engine, timeout };
            let variable = migrations.variable.as_deref().unwrap_or("DATABASE_URL");
            let own = engine::variable(&context, &service, variable)?;
            engine::in_service(&context, &service, Some((variable, &own)), &words).ok()?
        }
    };
    match program.deadline(timeout).output() {
        Ok(_) => None,
        Err(Run::Failed { said, .. }) => {
            said.lines().map(str::trim).rfind(|line| !line.is_empty()).map(str::to_owned)
        }
        Err(run) => Some(run.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn heads_of(files: &[&str]) -> Vec<String> {
        let root = tempfile::tempdir().unwrap();
        for (text, at) in files.iter().zip(0..) {
            fs::write(root.path().join(format!("{at}.py")), text).unwrap();
        }
        let config = Config::read("[migrations]\ntool = \"alembic\"\ndir = \".\"\n", []).unwrap();
        heads(&config, root.path())
    }

    #[test]
    fn one_line_of_revisions_has_one_head() {
        let typed = "revision: str = \"b\"\ndown_revision: str | None = \"a\"  # not \"c\"\n";

        assert_eq!(heads_of(&["revision = 'a'\ndown_revision = None\n", typed]), ["b"]);
    }

    #[test]
    fn two_branches_have_two_until_they_are_merged() {
        let branches = [
            "revision = 'a'\n",
            "revision = 'b'\ndown_revision = 'a'\n",
            "revision = 'c'\ndown_revision = 'a'\n",
        ];
        let merge = "revision = 'd'\ndown_revision = ('b', 'c')\n";

        assert_eq!(heads_of(&branches), ["b", "c"]);
        assert_eq!(heads_of(&[&branches[..], &[merge]].concat()), ["d"]);
    }
}
