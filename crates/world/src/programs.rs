//! Finds the Postgres programs on this machine: PATH first, then the places where packages put them.

use std::path::{Path, PathBuf};
use std::time::Duration;

use plan::{Exit, Fault};

use crate::Program;

/// What a private cluster needs in one folder: a wrapper on PATH is no use without the server beside it.
const SERVER: [&str; 3] = ["initdb", "pg_ctl", "postgres"];

/// Folders of versions, `*` being the version.
const PLACES: [(&str, &str); 6] = [
    ("/usr/lib/postgresql", "bin"),
    ("/usr", "bin"),
    ("/opt/homebrew/opt", "bin"),
    ("/usr/local/opt", "bin"),
    ("/Applications/Postgres.app/Contents/Versions", "bin"),
    ("/opt", "bin"),
];

/// A folder of Postgres programs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Programs {
    pub folder: PathBuf,
    pub major: u32,
}

impl Programs {
    /// One of its programs.
    pub fn path(&self, name: &str) -> String {
        self.folder.join(name).to_string_lossy().into_owned()
    }
}

/// The programs for a cluster: of this major where one is given, else the newest.
pub(crate) fn server(configured: Option<&str>, major: Option<u32>) -> Result<Programs, Fault> {
    if let Some(folder) = configured {
        return known(Path::new(folder))
            .filter(|found| major.is_none_or(|major| found.major == major))
            .ok_or_else(|| {
                let wanted = major.map(|major| format!(" of Postgres {major}")).unwrap_or_default();
                missing(format!("`{folder}` does not hold `initdb`, `pg_ctl` and `postgres`{wanted}"))
            });
    }
    let mut found: Vec<Programs> = folders().iter().filter_map(|folder| known(folder)).collect();
    // Stable: what PATH names goes before another of the same major.
    found.sort_by_key(|programs| std::cmp::Reverse(programs.major));
    let wanted = |programs: &Programs| major.is_none_or(|major| programs.major == major);
    found.into_iter().find(wanted).ok_or_else(|| match major {
        Some(major) => missing(format!(
            "the cluster was made by Postgres {major}, which is not on this machine any more"
        )),
        None => {
            missing("neither PATH nor the usual folders hold `initdb`, `pg_ctl` and `postgres`".to_owned())
        }
    })
}

/// psql itself: a distribution's wrapper costs as much again.
pub(crate) fn psql(configured: Option<&str>) -> Option<String> {
    let beside = configured.map(PathBuf::from).into_iter().chain(folders());
    let real = beside.map(|folder| folder.join("psql")).find(|path| path.is_file() && !is_script(path));
    let any = || which::which("psql").ok();
    real.or_else(any).map(|path| path.to_string_lossy().into_owned())
}

/// `pg_dump` with `pg_restore` and `psql` beside it, of this major or a newer one: the oldest that will do.
pub(crate) fn tools(configured: Option<&str>, major: u32) -> Option<String> {
    let beside = configured.map(PathBuf::from).into_iter().chain(folders());
    let on_path = which::which("pg_dump").ok().and_then(|path| path.parent().map(Path::to_owned));
    let dumps = beside.chain(on_path).map(|folder| folder.join("pg_dump"));
    let mut found: Vec<(u32, PathBuf)> = dumps
        .filter(|path| path.with_file_name("pg_restore").is_file() && path.with_file_name("psql").is_file())
        .filter_map(|path| Some((major_of(&path)?, path)))
        .filter(|(found, _)| *found >= major)
        .collect();
    found.sort_by_key(|(major, _)| *major);
    found.into_iter().next().map(|(_, path)| path.to_string_lossy().into_owned())
}

fn is_script(path: &Path) -> bool {
    use std::io::Read as _;

    let mut start = [0; 2];
    std::fs::File::open(path).and_then(|mut file| file.read_exact(&mut start)).is_ok() && start == *b"#!"
}

fn folders() -> Vec<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let mut folders: Vec<PathBuf> = std::env::split_paths(&path)
        .filter_map(|folder| folder.join("initdb").canonicalize().ok()?.parent().map(Path::to_owned))
        .collect();
    let mut versions: Vec<PathBuf> = PLACES
        .iter()
        .flat_map(|(place, bin)| {
            std::fs::read_dir(place).into_iter().flatten().flatten().map(move |found| found.path().join(bin))
        })
        .filter(|folder| folder.join("initdb").is_file())
        .collect();
    versions.sort_by_key(|folder| std::cmp::Reverse(number_in(folder)));
    folders.extend(versions);
    folders
}

/// `17` of `/usr/lib/postgresql/17/bin` and of `postgresql@17`: only to look at the newest first.
fn number_in(folder: &Path) -> u32 {
    let name = folder.parent().and_then(Path::file_name).unwrap_or_default().to_string_lossy().into_owned();
    name.rsplit(|c: char| !c.is_ascii_digit()).next().and_then(|digits| digits.parse().ok()).unwrap_or(0)
}

fn known(folder: &Path) -> Option<Programs> {
    if !SERVER.iter().all(|name| folder.join(name).is_file()) {
        return None;
    }
    let major = major_of(&folder.join("postgres"))?;
    Some(Programs { folder: folder.to_owned(), major })
}

fn major_of(program: &Path) -> Option<u32> {
    let says = Program::new(program.to_string_lossy()).arg("--version").deadline(Duration::from_secs(5));
    let said = says.output().ok()?.stdout;
    let version = said.split_whitespace().find(|word| word.starts_with(|c: char| c.is_ascii_digit()))?;
    version.split(|c: char| !c.is_ascii_digit()).next()?.parse().ok()
}

fn missing(cause: String) -> Fault {
    let hint =
        if cfg!(target_os = "macos") { "brew install postgresql@17" } else { "apt-get install postgresql" };
    Fault::new(Exit::NotReady, "a local server needs the Postgres programs")
        .cause(cause)
        .state("nothing was changed")
        .hint(hint)
}
