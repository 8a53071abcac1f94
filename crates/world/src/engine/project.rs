//! What Compose would work with here: its files, its folder, the project's name. Found by Compose's own rules, without
//! starting it.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};

use plan::{Config, Exit, Fault};

/// In the order in which Compose prefers them.
const FILES: [&str; 4] = ["compose.yaml", "compose.yml", "docker-compose.yml", "docker-compose.yaml"];
const OVERRIDES: [&str; 4] = [
    "compose.override.yml",
    "compose.override.yaml",
    "docker-compose.override.yml",
    "docker-compose.override.yaml",
];

/// A compose project as configured.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Project {
    pub name: String,
    /// Absolute, links resolved.
    pub files: Vec<PathBuf>,
    /// The first file's.
    pub folder: PathBuf,
}

impl Project {
    /// # Errors
    /// There is no compose file, or a configured one is missing.
    pub fn find(config: &Config, root: &Path) -> Result<Self, Fault> {
        let files = files(config, root)?;
        let Some(folder) = files.first().and_then(|file| file.parent()).map(Path::to_owned) else {
            return Err(Fault::new(Exit::Usage, "there is no compose file")
                .cause(format!("neither {} is in {}", FILES.join(", "), root.display()))
                .state("nothing was changed")
                .hint("name it in cleanslate.toml: [compose] files = [\"path/compose.yml\"]"));
        };
        let name = name(config, &folder, &files)?;
        Ok(Self { name, files, folder })
    }
}

/// `"${IMAGE:-postgres:17}"` as `postgres:17`.
fn without_variables(value: &str) -> String {
    let value = value.split(" #").next().unwrap_or_default().trim().trim_matches(['"', '\'']);
    let Some((before, rest)) = value.split_once("${") else { return value.to_owned() };
    let (variable, after) = rest.split_once('}').unwrap_or((rest, ""));
    let default =
        variable.split_once(":-").or_else(|| variable.split_once('-')).map_or("", |(_, default)| default);
    format!("{before}{default}{after}")
}

fn files(config: &Config, root: &Path) -> Result<Vec<PathBuf>, Fault> {
    if !config.compose.files.is_empty() {
        return config.compose.files.iter().map(|file| existing(&root.join(file), "compose.files")).collect();
    }
    if let Some(given) = setting("COMPOSE_FILE", root) {
        let separator = setting("COMPOSE_PATH_SEPARATOR", root).unwrap_or_else(|| ":".to_owned());
        return given.split(&separator).map(|file| existing(&root.join(file), "COMPOSE_FILE")).collect();
    }
    Ok(by_default(root))
}

/// The files that Compose would read in a folder without being told.
pub(super) fn by_default(folder: &Path) -> Vec<PathBuf> {
    let first = |names: &[&str]| names.iter().map(|name| folder.join(name)).find(|path| path.is_file());
    let Some(file) = first(&FILES) else { return Vec::new() };
    std::iter::once(file).chain(first(&OVERRIDES)).filter_map(|path| path.canonicalize().ok()).collect()
}

fn existing(path: &Path, source: &str) -> Result<PathBuf, Fault> {
    path.canonicalize().map_err(|why| {
        Fault::new(Exit::Usage, format!("compose file `{}` can't be read", path.display()))
            .cause(format!("{source} names it: {why}"))
            .state("nothing was changed")
    })
}

/// A variable of Compose's own: from the environment, else from the `.env` that Compose reads.
pub(super) fn setting(name: &str, folder: &Path) -> Option<String> {
    let from_file = || {
        let lines = dotenvy::from_path_iter(folder.join(".env")).ok()?;
        // A line that is no assignment is Compose's to complain about.
        lines.flatten().find(|(key, _)| key == name).map(|(_, value)| value)
    };
    env::var(name).ok().or_else(from_file).filter(|value| !value.is_empty())
}

fn name(config: &Config, folder: &Path, files: &[PathBuf]) -> Result<String, Fault> {
    let given = config.compose.project.clone().or_else(|| setting("COMPOSE_PROJECT_NAME", folder));
    let base = folder.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let found = given.or_else(|| written_name(files)).unwrap_or(base);
    let name = normalised(&found);
    if name.is_empty() {
        return Err(Fault::new(Exit::Usage, "the compose project has no name")
            .cause(format!("nothing is left of `{found}` by Compose's rule: a to z, 0 to 9, - and _"))
            .state("nothing was changed")
            .hint("set it in cleanslate.toml: [compose] project = \"name\""));
    }
    Ok(name)
}

/// The top-level `name:` of the last file that has one.
fn written_name(files: &[PathBuf]) -> Option<String> {
    files.iter().rev().find_map(|file| {
        let text = fs::read_to_string(file).ok()?;
        let name = text.lines().find_map(|line| line.strip_prefix("name:"))?;
        Some(without_variables(name)).filter(|name| !name.is_empty())
    })
}

/// Compose's own rule for a project's name.
fn normalised(name: &str) -> String {
    let lower = name.to_lowercase();
    let kept: String = lower.chars().filter(|c| c.is_ascii_alphanumeric() || "-_".contains(*c)).collect();
    kept.trim_start_matches(['-', '_']).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_gives_the_name_by_composes_rule() {
        assert_eq!(normalised("My Shop.v2"), "myshopv2");
        assert_eq!(normalised("__shop-1"), "shop-1");
    }

    #[test]
    fn an_image_with_a_variable_is_read_by_its_default() {
        assert_eq!(without_variables(" \"${PG:-postgres:17}\" # the server"), "postgres:17");
        assert_eq!(without_variables(" postgres:${TAG-16}-alpine"), "postgres:16-alpine");
    }
}
