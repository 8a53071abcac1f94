//! Whose is it? Judged from labels, mounts and folders, never from names.

use std::path::Path;

use crate::{Compose, Container, Engine, MountKind, Volume};

/// Whose a thing is, with the reason where it is not ours.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Whose {
    Ours,
    /// Why it is not, in words that go after "because".
    NotOurs(String),
}

impl Whose {
    #[must_use]
    pub fn is_ours(&self) -> bool {
        *self == Self::Ours
    }
}

/// Which stack a container of the project's name belongs to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Stack {
    /// This workspace's, from the configured files.
    Ours,
    /// The same folder, from other compose files.
    OtherFiles(String),
    /// Another folder.
    OtherFolder(String),
    /// It does not carry the project's name.
    Unrelated,
}

/// Judges a container by its labels.
#[must_use]
pub fn stack(container: &Container, compose: &Compose, root: &Path) -> Stack {
    if container.project.as_deref() != Some(&compose.project) {
        return Stack::Unrelated;
    }
    let Some(folder) = &container.working_dir else {
        return Stack::OtherFolder("an unknown folder".to_owned());
    };
    if !folder.starts_with(root) {
        return Stack::OtherFolder(folder.display().to_string());
    }
    let files: Vec<_> = container.config_files.iter().map(|file| folder.join(file)).collect();
    if !compose.files.is_empty() && !files.is_empty() && files != compose.files {
        let names = files.iter().filter_map(|file| file.file_name()).map(|name| name.to_string_lossy());
        return Stack::OtherFiles(names.collect::<Vec<_>>().join(", "));
    }
    Stack::Ours
}

/// Judges a volume: ours when only our containers mount it, or when our own `up` recorded making it and nothing
/// foreign mounts it.
#[must_use]
pub fn volume(volume: &Volume, engine: &Engine, root: &Path) -> Whose {
    if engine.compose.external.contains(&volume.name) {
        return Whose::NotOurs("it is external".to_owned());
    }
    let mounts = |container: &&Container| {
        container
            .mounts
            .iter()
            .any(|mount| mount.kind == MountKind::Volume && mount.source == volume.name.as_str())
    };
    let mut ours = false;
    for container in engine.containers.iter().filter(mounts) {
        match stack(container, &engine.compose, root) {
            Stack::Ours => ours = true,
            Stack::OtherFiles(files) => {
                return Whose::NotOurs(format!("container `{}` from {files} mounts it", container.name));
            }
            Stack::OtherFolder(folder) => {
                return Whose::NotOurs(format!("container `{}` from {folder} mounts it", container.name));
            }
            Stack::Unrelated => return Whose::NotOurs(format!("container `{}` mounts it", container.name)),
        }
    }
    match (ours, volume.recorded) {
        (true, _) | (_, true) => Whose::Ours,
        _ => {
            Whose::NotOurs("no container of this workspace mounts it, and no `up` of ours made it".to_owned())
        }
    }
}
