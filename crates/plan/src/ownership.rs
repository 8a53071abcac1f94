//! Whose is it? Judged from labels, mounts and folders, never from names.

use std::path::{Path, PathBuf};

use crate::{Compose, Container, Engine, Mount, MountKind, Network, Volume};

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

/// Judges a container by its labels: folder and compose files.
///
/// Compose does not label a container anew that it need not make anew, so an override file that came later is missing
/// from the label: the first file must be the configured first one, and no file a foreign one.
#[must_use]
pub fn stack(container: &Container, compose: &Compose, root: &Path) -> Stack {
    if container.project.as_deref() != Some(&compose.project) {
        return Stack::Unrelated;
    }
    let Some(folder) = &container.working_dir else {
        return Stack::OtherFolder("an unknown folder".to_owned());
    };
    if !folder.starts_with(root) && *folder != compose.folder {
        return Stack::OtherFolder(folder.display().to_string());
    }
    let files: Vec<_> = container.config_files.iter().map(|file| folder.join(file)).collect();
    let is_known = |file: &PathBuf| compose.files.contains(file) || is_of_dev_container(file, root);
    let same = files.first() == compose.files.first() && files.iter().all(is_known);
    if compose.files.is_empty() || files.is_empty() || same {
        return Stack::Ours;
    }
    let names = files.iter().filter_map(|file| file.file_name()).map(|name| name.to_string_lossy());
    Stack::OtherFiles(names.collect::<Vec<_>>().join(", "))
}

/// A file that a Dev Container lays over the configured ones: its own, or the one that its tool writes elsewhere.
fn is_of_dev_container(file: &Path, root: &Path) -> bool {
    let name = file.file_name().unwrap_or_default().to_string_lossy();
    file.starts_with(root.join(".devcontainer")) || name.starts_with("docker-compose.devcontainer.")
}

/// Judges a volume: ours when our own `up` recorded making it, or when it carries Compose's label for this project and
/// a container of ours mounts it; and nothing foreign mounts it.
#[must_use]
pub fn volume(volume: &Volume, engine: &Engine, root: &Path) -> Whose {
    let not = |why: String| Whose::NotOurs(why);
    if engine.compose.external.contains(&volume.name) {
        return not("it is external".to_owned());
    }
    let mounts = |container: &&Container| {
        let is_it = |mount: &Mount| mount.kind == MountKind::Volume && mount.source == volume.name.as_str();
        container.mounts.iter().any(is_it)
    };
    let mut mounted = false;
    for container in engine.containers.iter().filter(mounts) {
        let name = &container.name;
        match stack(container, &engine.compose, root) {
            Stack::Ours => mounted = true,
            Stack::OtherFiles(files) => return not(format!("container `{name}` from {files} mounts it")),
            Stack::OtherFolder(folder) => return not(format!("container `{name}` from {folder} mounts it")),
            Stack::Unrelated => return not(format!("container `{name}` mounts it")),
        }
    }
    if volume.recorded {
        return Whose::Ours;
    }
    match volume.labels.get(PROJECT) {
        Some(project) if *project != engine.compose.project => {
            not(format!("it belongs to the compose project `{project}`"))
        }
        None if !volume.anonymous => {
            not("it carries no label of Compose's: somebody made it by hand".to_owned())
        }
        _ if !mounted => {
            not("no container of this workspace mounts it, and no `up` of ours made it".to_owned())
        }
        _ => Whose::Ours,
    }
}

/// Judges a network of the project: ours when no other stack has the project's name, and no stranger is in it.
#[must_use]
pub fn network(network: &Network, engine: &Engine, root: &Path) -> Whose {
    if let Some(stranger) = network.strangers.first() {
        return Whose::NotOurs(format!("container `{stranger}` is in it"));
    }
    let is_foreign = |container: &&Container| {
        matches!(stack(container, &engine.compose, root), Stack::OtherFolder(_) | Stack::OtherFiles(_))
    };
    match engine.containers.iter().find(is_foreign) {
        Some(other) => {
            Whose::NotOurs(format!("container `{}` of another stack has the project's name", other.name))
        }
        None => Whose::Ours,
    }
}

/// Compose's label for the project, on everything that it makes.
const PROJECT: &str = "com.docker.compose.project";

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::{ContainerName, Health, ServiceName, VolumeName};

    const ROOT: &str = "/home/me/shop";

    fn engine(containers: Vec<Container>) -> Engine {
        let compose = Compose {
            program: vec!["docker".to_owned(), "compose".to_owned()],
            version: "2.26.1".to_owned(),
            project: "shop".to_owned(),
            files: vec![
                PathBuf::from(ROOT).join("compose.yml"),
                PathBuf::from(ROOT).join("compose.override.yml"),
            ],
            folder: PathBuf::from(ROOT),
            services: Vec::new(),
            database: None,
            external: vec![VolumeName::new("outside").unwrap()],
            injects: false,
        };
        Engine {
            compose,
            containers,
            volumes: Vec::new(),
            networks: Vec::new(),
            copier: None,
            free: None,
            described: None,
            made: Vec::new(),
        }
    }

    fn container(folder: &str, files: &[&str]) -> Container {
        let mount = Mount {
            kind: MountKind::Volume,
            source: "shop_data".to_owned(),
            target: "/var/lib/postgresql/data".to_owned(),
        };
        Container {
            id: "1".repeat(64),
            name: ContainerName::new("shop-db-1").unwrap(),
            service: ServiceName::new("db").ok(),
            project: Some("shop".to_owned()),
            working_dir: Some(PathBuf::from(folder)),
            config_files: files.iter().map(PathBuf::from).collect(),
            compose_version: Some("2.26.1".to_owned()),
            one_off: false,
            image: "postgres:17".to_owned(),
            running: true,
            health: Health::None,
            exit_code: 0,
            mounts: vec![mount],
            ports: BTreeMap::new(),
            addresses: Vec::new(),
            environment: BTreeMap::new(),
            healthcheck: Vec::new(),
        }
    }

    fn ours() -> Container {
        container(ROOT, &["/home/me/shop/compose.yml", "/home/me/shop/compose.override.yml"])
    }

    fn data(label: Option<&str>) -> Volume {
        Volume {
            name: VolumeName::new("shop_data").unwrap(),
            created: "then".to_owned(),
            labels: label.map(|project| (PROJECT.to_owned(), project.to_owned())).into_iter().collect(),
            driver: "local".to_owned(),
            bytes: None,
            last_write: None,
            recorded: false,
            half: false,
            anonymous: false,
        }
    }

    #[track_caller]
    fn assert_not_ours(whose: &Whose, why: &str) {
        assert!(matches!(whose, Whose::NotOurs(because) if because.contains(why)), "{whose:?}");
    }

    fn judged(container: &Container) -> Stack {
        stack(container, &engine(Vec::new()).compose, Path::new(ROOT))
    }

    #[test]
    fn labels_of_v1_and_v2_are_ours() {
        assert_eq!(judged(&ours()), Stack::Ours);
        assert_eq!(judged(&container(ROOT, &["compose.yml", "compose.override.yml"])), Stack::Ours);
    }

    #[test]
    fn an_override_that_came_later_changes_nothing() {
        assert_eq!(judged(&container(ROOT, &["compose.yml"])), Stack::Ours);
    }

    #[test]
    fn a_test_stack_in_the_same_folder_is_another() {
        for files in
            [&["compose.test.yml"][..], &["compose.yml", "compose.test.yml"], &["compose.override.yml"]]
        {
            assert!(matches!(judged(&container(ROOT, files)), Stack::OtherFiles(_)), "{files:?}");
        }
    }

    #[test]
    fn what_a_dev_container_lays_over_the_files_is_ours() {
        let laid = "/tmp/cli/docker-compose.devcontainer.build-1.yml";
        let own = "/home/me/shop/.devcontainer/compose.yml";

        assert_eq!(judged(&container(ROOT, &["compose.yml", own, laid])), Stack::Ours);
        assert!(matches!(judged(&container(ROOT, &[own, laid])), Stack::OtherFiles(_)));
        let stranger = container(ROOT, &["compose.yml", "/home/you/shop/.devcontainer/compose.yml"]);
        assert!(matches!(judged(&stranger), Stack::OtherFiles(_)));
    }

    #[test]
    fn another_folder_of_the_same_name_is_another() {
        let other = container("/home/you/shop", &["compose.yml"]);

        assert_eq!(judged(&other), Stack::OtherFolder("/home/you/shop".to_owned()));
    }

    #[test]
    fn a_folder_whose_name_begins_alike_is_another() {
        assert!(matches!(judged(&container("/home/me/shop2", &["compose.yml"])), Stack::OtherFolder(_)));
    }

    #[test]
    fn a_container_without_a_folder_is_not_ours() {
        assert!(matches!(judged(&Container { working_dir: None, ..ours() }), Stack::OtherFolder(_)));
        assert_eq!(judged(&Container { project: None, ..ours() }), Stack::Unrelated);
    }

    #[test]
    fn a_volume_that_only_we_mount_is_ours() {
        let root = Path::new(ROOT);

        assert!(volume(&data(Some("shop")), &engine(vec![ours()]), root).is_ours());
        let other = container("/home/you/shop", &["compose.yml"]);
        assert_not_ours(&volume(&data(Some("shop")), &engine(vec![ours(), other]), root), "/home/you/shop");
        let stranger = Container { project: None, ..ours() };
        assert_not_ours(&volume(&data(Some("shop")), &engine(vec![ours(), stranger]), root), "mounts it");
    }

    #[test]
    fn a_volume_that_down_left_is_ours_by_record_alone() {
        let (left, root) = (data(Some("shop")), Path::new(ROOT));

        assert_not_ours(&volume(&left, &engine(Vec::new()), root), "no `up` of ours");
        let recorded = Volume { recorded: true, ..left };
        assert!(volume(&recorded, &engine(Vec::new()), root).is_ours());
        let other = container("/home/you/shop", &["compose.yml"]);
        assert_not_ours(&volume(&recorded, &engine(vec![other]), root), "/home/you/shop");
    }

    #[test]
    fn a_volume_made_by_hand_stays_although_we_mount_it() {
        assert_not_ours(&volume(&data(None), &engine(vec![ours()]), Path::new(ROOT)), "by hand");
        let adopted = Volume { recorded: true, ..data(None) };
        assert!(volume(&adopted, &engine(vec![ours()]), Path::new(ROOT)).is_ours());
    }

    #[test]
    fn a_volume_of_another_project_stays() {
        assert_not_ours(&volume(&data(Some("mail")), &engine(vec![ours()]), Path::new(ROOT)), "`mail`");
    }

    #[test]
    fn an_unnamed_volume_that_we_mount_is_ours() {
        let unnamed = Volume { anonymous: true, ..data(None) };

        assert!(volume(&unnamed, &engine(vec![ours()]), Path::new(ROOT)).is_ours());
        assert!(!volume(&unnamed, &engine(Vec::new()), Path::new(ROOT)).is_ours());
    }

    #[test]
    fn an_external_volume_stays_whatever_else_holds() {
        let outside =
            Volume { name: VolumeName::new("outside").unwrap(), recorded: true, ..data(Some("shop")) };

        assert_not_ours(&volume(&outside, &engine(vec![ours()]), Path::new(ROOT)), "external");
    }

    #[test]
    fn a_bind_mount_of_that_name_is_no_volume() {
        let mut bound = container("/home/you/shop", &["compose.yml"]);
        bound.mounts[0].kind = MountKind::Bind;

        assert!(volume(&data(Some("shop")), &engine(vec![ours(), bound]), Path::new(ROOT)).is_ours());
    }
}
