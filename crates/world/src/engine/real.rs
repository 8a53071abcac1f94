//! The real engine, with small projects of random names. Everything else on it is the same before and after.

use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use plan::{
    Action, Config, Container, Engine, EngineFacts, Exit, Expect, Fault, Kept, KeptPlace, Outcome, Secret,
    ServerState, VolumeName, Wants, Workspace,
};

use super::*;

/// A compose project of its own. Removed when dropped, with everything in it.
struct Trial {
    name: String,
    folder: tempfile::TempDir,
    state: tempfile::TempDir,
    config: Config,
}

const TIMEOUT: Duration = Duration::from_mins(1);

/// Whether these tests run; they fail where there is no engine, and say so loudly where somebody switched them off.
fn offline() -> bool {
    let offline = std::env::var("SLATE_TESTS").is_ok_and(|value| value == "offline");
    if offline {
        eprintln!("NOT TESTED: SLATE_TESTS=offline, and this test needs a container engine");
    }
    offline
}

impl Trial {
    fn new(compose: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let word: String =
            folder.path().to_string_lossy().chars().filter(char::is_ascii_alphanumeric).collect();
        let name = format!("slatetest{}", word.to_lowercase());
        std::fs::write(folder.path().join("compose.yml"), compose).unwrap();
        let mut config = Config::default();
        config.compose.project = Some(name.clone());
        config.restart.grace = Some(1);
        Self { name, folder, state: tempfile::tempdir().unwrap(), config }
    }

    fn root(&self) -> PathBuf {
        self.folder.path().canonicalize().unwrap()
    }

    fn workspace(&self) -> Workspace {
        Workspace {
            root: self.root(),
            id: "0123456789abcdef".to_owned(),
            state: self.state.path().to_owned(),
            first: true,
            called: "slate-".to_owned(),
            on_top: Vec::new(),
        }
    }

    fn wants(engine: EngineFacts, sizes: bool) -> Wants {
        Wants { engine, sizes, ..Wants::default() }
    }

    fn found(&self, wants: Wants) -> Engine {
        discover(&self.config, &self.workspace(), wants, TIMEOUT).unwrap()
    }

    fn all(&self) -> Engine {
        self.found(Self::wants(EngineFacts::Files, true))
    }

    fn docker(&self, words: &str) -> String {
        run("docker", &words.replace("NAME", &self.name), &self.root())
    }

    fn compose(&self, version: u8, words: &str) -> String {
        let words = format!("-p {} {words}", self.name);
        match version {
            1 => run("docker-compose", &words, &self.root()),
            _ => run("docker", &format!("compose {words}"), &self.root()),
        }
    }

    fn perform(&self, action: &Action) -> Result<Outcome, Fault> {
        let (engine, workspace) = (self.all(), self.workspace());
        let context =
            Context { config: &self.config, workspace: &workspace, engine: &engine, timeout: TIMEOUT };
        perform(action, &context, &mut |_| ())
    }

    fn volume(&self, thing: &str) -> VolumeName {
        VolumeName::new(format!("{}_{thing}", self.name)).unwrap()
    }

    fn copy(&self, from: &str, to: &str, n: u32) -> Result<Outcome, Fault> {
        let image = "postgres:17".to_owned();
        self.perform(&Action::CopyVolume { from: self.volume(from), to: self.volume(to), n, image })
    }
}

impl Drop for Trial {
    fn drop(&mut self) {
        let list = |words: &str| self.docker(words).split_whitespace().collect::<Vec<_>>().join(" ");
        for (what, remove) in
            [("ps -aq", "rm -f -v"), ("network ls -q", "network rm"), ("volume ls -q", "volume rm -f")]
        {
            let own = list(&format!("{what} --filter name=NAME"));
            if !own.is_empty() {
                self.docker(&format!("{remove} {own}"));
            }
        }
    }
}

fn run(program: &str, words: &str, folder: &std::path::Path) -> String {
    let words: Vec<&str> = words.split_whitespace().collect();
    let said = Command::new(program).args(words).current_dir(folder).output().unwrap();
    String::from_utf8_lossy(&said.stdout).trim().to_owned() + String::from_utf8_lossy(&said.stderr).trim()
}

const POSTGRES: &str = "
services:
  db:
    image: postgres:17
    environment: {POSTGRES_USER: app, POSTGRES_PASSWORD: hunter2$$x, POSTGRES_DB: shop}
    ports: ['127.0.0.1::5432']
    volumes: ['pgdata:/var/lib/postgresql/data']
  cache:
    image: redis:7
    depends_on: [db]
  tool:
    image: redis:7
    profiles: [tools]
volumes:
  pgdata:
";

#[test]
fn a_project_that_never_ran_is_read_from_its_files() {
    if offline() {
        return;
    }
    let trial = Trial::new(POSTGRES);

    let engine = trial.found(Wants::default());
    let server = server(&trial.config, &trial.workspace(), &engine).unwrap().unwrap();

    assert_eq!(server.state, ServerState::Absent);
    assert_eq!((server.user.as_str(), server.name.as_str()), ("app", "shop"));
    assert_eq!(server.password.reveal(), "hunter2$x");
    assert_eq!(engine.compose.program, ["docker", "compose"]);
    assert_eq!(engine.compose.services.len(), 3);
}

#[test]
fn both_composes_containers_are_read() {
    if offline() {
        return;
    }
    let trial = Trial::new(POSTGRES);
    for version in [2, 1] {
        trial.compose(version, "down -v");
        trial.compose(version, "up -d");

        let engine = trial.found(Wants::default());
        let server = server(&trial.config, &trial.workspace(), &engine).unwrap().unwrap();

        assert_eq!(server.state, ServerState::Running, "v{version}");
        assert_eq!(server.password.reveal(), "hunter2$x");
        assert_eq!(server.address.unwrap().host, "127.0.0.1");
        assert_eq!(engine.compose.program.len(), usize::from(version));
        let ours = |container: &Container| {
            plan::stack(container, &engine.compose, &trial.root()) == plan::Stack::Ours
        };
        assert!(
            engine.containers.len() == 2 && engine.containers.iter().all(ours),
            "{:?}",
            engine.containers
        );
        let all = trial.all();
        assert_eq!(all.volumes.len(), 2, "{:?}", all.volumes);
        assert!(
            all.volumes.iter().all(|volume| volume.bytes.is_some())
                && all.free.is_some()
                && all.copier.is_some()
        );
        assert_eq!(all.networks.len(), 1);
    }
}

/// Names with spaces and line ends, owners, modes, old times, links, a pipe, holes.
const ODD: &str = "cd /data && mkdir -p 'a b/c' && echo hi >'a b/c/x y' && echo n >'new
line' && ln -s 'a b' link && head -c 300000 /dev/urandom >big && chown 999:998 big && chmod 640 big && ln big hard \
    && touch -d 2001-01-01 'a b' && chmod 1777 . && chown 70:70 . && truncate -s 10M sparse && mkfifo pipe";

const LIST: &str = "cd /data && find . ! -type l -exec stat -c '%n %f %u:%g %Y %h' {} + | sort; cksum big sparse 'a b/c/x y'";

/// A shell with a volume at /data.
fn shell(volume: &VolumeName, script: &str) -> String {
    let mount = format!("{volume}:/data");
    let words = ["run", "--rm", "-v", &mount, "--entrypoint", "sh", "redis:7", "-c", script];
    let said = Command::new("docker").args(words).output().unwrap();
    assert!(said.status.success(), "{}", String::from_utf8_lossy(&said.stderr));
    String::from_utf8(said.stdout).unwrap()
}

#[test]
fn a_copy_is_the_same_in_every_way_and_restores_under_its_labels() {
    if offline() {
        return;
    }
    let trial = Trial::new(POSTGRES);
    let original = trial.volume("odd");
    trial.docker("volume create --label com.docker.compose.project=NAME --label a=b NAME_odd");
    shell(&original, ODD);
    let before = shell(&original, LIST);

    trial.copy("odd", "odd_kept_4", 4).unwrap();
    let kept = Records::read(&trial.workspace()).unwrap().kept();
    let [Kept { n: 4, place: KeptPlace::Volume { copy, of, labels }, .. }] = kept.as_slice() else {
        panic!("{kept:?}")
    };
    trial.perform(&Action::RemoveVolume { volume: original.clone() }).unwrap();
    let lost = trial.perform(&Action::ForgetVolume { copy: copy.clone(), n: 4 }).unwrap_err();
    let image = "postgres:17".to_owned();
    let restore = Action::RestoreVolume { from: copy.clone(), to: of.clone(), labels: labels.clone(), image };
    trial.perform(&restore).unwrap();

    assert_eq!(lost.exit, Exit::Refused, "the only copy may not go: {lost}");
    assert_eq!(shell(&original, LIST), before);
    let again = inspect::volumes(vec![original.to_string()]).unwrap();
    assert_eq!(again[0].labels["a"], "b");
    let fault = trial.perform(&restore).unwrap_err();
    assert!(fault.cause.unwrap().contains("there is a volume"));
    trial.perform(&Action::ForgetVolume { copy: copy.clone(), n: 4 }).unwrap();
    assert!(Records::read(&trial.workspace()).unwrap().kept().is_empty());
    assert!(inspect::volumes(vec![copy.to_string()]).unwrap().is_empty());
}

#[test]
fn what_is_written_to_is_not_copied() {
    if offline() {
        return;
    }
    let trial = Trial::new(POSTGRES);
    trial.docker("run -d --name NAME_writer -v NAME_data:/data redis:7");

    let fault = trial.copy("data", "data_kept_1", 1).unwrap_err();

    assert!(fault.cause.unwrap().contains("still writes to it"));
    assert!(inspect::volumes(vec![trial.volume("data_kept_1").to_string()]).unwrap().is_empty());
}

#[test]
fn a_copy_that_was_never_completed_is_no_way_back() {
    if offline() {
        return;
    }
    let trial = Trial::new(POSTGRES);
    trial.docker("volume create NAME_data");
    trial.docker("volume create NAME_data_kept_1");
    let (engine, workspace) = (trial.all(), trial.workspace());
    let context = Context { config: &trial.config, workspace: &workspace, engine: &engine, timeout: TIMEOUT };

    let (volume, copy) = (trial.volume("data"), trial.volume("data_kept_1"));
    let expect = Expect::Copied { volume: volume.clone(), copy: copy.clone() };

    assert!(verify(&context, &expect).is_err());
    assert_eq!(look(&context, &volume).unwrap(), [volume.to_string()]);
    let image = "postgres:17".to_owned();
    let restore = Action::RestoreVolume { from: copy, to: trial.volume("new"), labels: [].into(), image };
    assert!(trial.perform(&restore).is_err());
}

#[test]
fn a_volume_made_anew_is_told_from_the_one_before() {
    if offline() {
        return;
    }
    let trial = Trial::new(POSTGRES);
    let name = trial.volume("data");
    trial.docker("volume create NAME_data");
    let (engine, workspace) = (trial.all(), trial.workspace());
    let context = Context { config: &trial.config, workspace: &workspace, engine: &engine, timeout: TIMEOUT };
    let images = ["redis:7".to_owned()];
    let created = volumes::identity(&name, &images).unwrap().unwrap();
    let same = || verify(&context, &Expect::Volume { name: name.clone(), created: created.clone() });

    shell(&name, "touch /data/new");
    same().unwrap();
    trial.docker("run -d --name NAME_stranger -v NAME_data:/data redis:7");
    assert!(same().unwrap_err().error.contains("_stranger"));
    trial.docker("rm -f NAME_stranger");
    trial.docker("volume rm NAME_data");
    trial.docker("volume create NAME_data");

    assert!(same().is_err());
    assert!(verify(&context, &Expect::NoVolume { name: name.clone() }).is_err());
}

#[test]
fn a_command_runs_in_a_service_and_its_secret_is_in_no_command_line() {
    if offline() {
        return;
    }
    let trial = Trial::new(POSTGRES);
    for version in [2, 1] {
        trial.compose(version, "down");
        for running in [false, true] {
            if running {
                trial.compose(version, "up -d cache");
            }
            let (engine, workspace) = (trial.all(), trial.workspace());
            let program =
                if version == 1 { vec!["docker-compose".to_owned()] } else { engine.compose.program.clone() };
            let engine = Engine { compose: Compose { program, ..engine.compose.clone() }, ..engine };
            let context =
                Context { config: &trial.config, workspace: &workspace, engine: &engine, timeout: TIMEOUT };

            let secret = Secret::new("hunter2word");
            let words = ["sh", "-c", "printf %s $WORD | cksum"];
            let program = in_service(&context, "cache", Some(("WORD", &secret)), &words).unwrap();

            let told = format!("{program:?}");
            assert!(!told.contains("hunter2word"), "{told}");
            assert!(program.output().unwrap().stdout.contains("562469792 11"), "v{version} {running}");
        }
    }
}
