//! What decides what Compose reads: its files and every variable that they name. A look at these takes a few
//! milliseconds, where Compose itself takes up to a second.

use std::collections::{BTreeMap, BTreeSet};
use std::env;
use std::ffi::OsString;
use std::fs;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use serde_json::Value;
use sha2::{Digest, Sha256};

use super::compose::Choice;
use super::project::Project;
use crate::workspace::hex;

/// Where `docker` looks for its plugins, after the user's own folder.
const PLUGINS: [&str; 4] = [
    "/usr/local/lib/docker/cli-plugins",
    "/usr/local/libexec/docker/cli-plugins",
    "/usr/lib/docker/cli-plugins",
    "/usr/libexec/docker/cli-plugins",
];

/// One hash for all of it; `None` where the files lead to others that only Compose finds.
pub(super) fn hash(project: &Project, choice: &Choice) -> Option<String> {
    if env::var_os("COMPOSE_ENV_FILES").is_some() {
        return None;
    }
    let mut texts = BTreeMap::from([read(project.folder.join(".env"))]);
    for file in &project.files {
        let (path, text) = read(file.clone());
        let text = text?;
        let value: Value = serde_saphyr::from_str(std::str::from_utf8(&text).ok()?).ok()?;
        let mut named = BTreeSet::new();
        walk(&value, &mut named)?;
        // v1 looks beside the file that names it, v2 in the project's folder.
        for folder in [file.parent(), Some(project.folder.as_path())].into_iter().flatten() {
            texts.extend(named.iter().map(|name| read(folder.join(name))));
        }
        texts.insert(path, Some(text));
    }
    let mut hash = Sha256::new();
    let mut add = |part: &[u8]| {
        hash.update(part.len().to_le_bytes());
        hash.update(part);
    };
    add(project.name.as_bytes());
    project.files.iter().for_each(|file| add(file.as_os_str().as_bytes()));
    choice.program.iter().for_each(|word| add(word.as_bytes()));
    for program in programs(choice) {
        add(program.as_bytes());
    }
    for (path, text) in &texts {
        add(path.as_os_str().as_bytes());
        add(if text.is_some() { b"there" } else { b"absent" });
        add(text.as_deref().unwrap_or_default());
    }
    for (name, value) in variables(texts.values().flatten()) {
        add(name.as_bytes());
        add(value.as_bytes());
    }
    Some(hex(&hash.finalize()))
}

fn read(path: PathBuf) -> (PathBuf, Option<Vec<u8>>) {
    let text = fs::read(&path).ok();
    (path, text)
}

/// The env files that a compose file names; `None` where it takes in others, or names one by a variable.
fn walk(value: &Value, named: &mut BTreeSet<String>) -> Option<()> {
    match value {
        Value::Array(items) => items.iter().try_for_each(|item| walk(item, named)),
        Value::Object(fields) => fields.iter().try_for_each(|(key, value)| match key.as_str() {
            "include" | "extends" | "label_file" => None,
            "env_file" => env_files(value, named),
            _ => walk(value, named),
        }),
        _ => Some(()),
    }
}

/// `a.env`, `[a.env, b.env]`, `[{path: a.env, required: false}]`.
fn env_files(value: &Value, named: &mut BTreeSet<String>) -> Option<()> {
    match value {
        Value::Null => Some(()),
        Value::String(path) if path.contains('$') || path.starts_with('~') => None,
        Value::String(path) => {
            named.insert(path.clone());
            Some(())
        }
        Value::Array(items) => items.iter().try_for_each(|item| env_files(item, named)),
        other => env_files(other.get("path")?, named),
    }
}

/// Every exported variable that a word of the texts names, whether it is taken in there or not, and those that Compose
/// and Docker read by themselves.
fn variables<'a>(texts: impl Iterator<Item = &'a Vec<u8>>) -> BTreeMap<OsString, OsString> {
    let is_word = |byte: &u8| byte.is_ascii_alphanumeric() || *byte == b'_';
    let words: BTreeSet<&[u8]> = texts.flat_map(|text| text.split(move |byte| !is_word(byte))).collect();
    let by_itself = |name: &[u8]| {
        name == b"HOME" || [&b"COMPOSE_"[..], b"DOCKER_"].iter().any(|prefix| name.starts_with(prefix))
    };
    env::vars_os().filter(|(name, _)| words.contains(name.as_bytes()) || by_itself(name.as_bytes())).collect()
}

/// Which Compose it is: another one may read the same files otherwise.
fn programs(choice: &Choice) -> Vec<String> {
    let program = choice.program.first().and_then(|word| which::which(word).ok());
    let own = env::var_os("DOCKER_CONFIG")
        .map(PathBuf::from)
        .or_else(|| Some(Path::new(&env::var_os("HOME")?).join(".docker")))
        .map(|folder| folder.join("cli-plugins"));
    let plugins = own.into_iter().chain(PLUGINS.iter().map(PathBuf::from));
    let plugins = plugins.map(|folder| folder.join("docker-compose"));
    let there = program.into_iter().chain(plugins).filter_map(|path| {
        let found = fs::metadata(&path).ok()?;
        Some(format!("{} {} {}.{}", path.display(), found.len(), found.mtime(), found.mtime_nsec()))
    });
    there.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hashed(folder: &Path) -> Option<String> {
        let files = vec![folder.join("compose.yml"), folder.join("more/other.yml")];
        let project = Project { name: "shop".to_owned(), files, folder: folder.to_owned() };
        hash(&project, &Choice { program: vec!["docker-compose".to_owned()], version: String::new() })
    }

    #[test]
    fn every_file_that_compose_reads_counts_and_no_other() {
        let folder = tempfile::tempdir().unwrap();
        let write = |name: &str, text: &str| {
            let path = folder.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        };
        write(
            "compose.yml",
            "services: {api: {image: x, env_file: [a.env, {path: b.env, required: false}]}}",
        );
        write("more/other.yml", "x-all: &all {env_file: c.env}\nservices: {api: {<<: *all}}");

        let mut seen = vec![hashed(folder.path()).unwrap()];
        for name in [".env", "a.env", "b.env", "c.env", "more/c.env", "more/other.yml"] {
            let text = fs::read_to_string(folder.path().join(name)).unwrap_or_default();
            write(name, &format!("{text}\n"));
            let now = hashed(folder.path()).unwrap();
            assert!(!seen.contains(&now), "{name}");
            seen.push(now);
        }
        write("beside.env", "A=1");

        assert_eq!(hashed(folder.path()), seen.last().cloned());
    }

    #[test]
    fn what_leads_to_files_that_only_compose_finds_is_left_to_it() {
        for text in [
            "include: [other.yml]",
            "services: {api: {extends: {file: base.yml, service: api}}}",
            "services: {api: {env_file: '${NAME}.env'}}",
            "services: {api: {label_file: labels}}",
            "services: [",
        ] {
            let folder = tempfile::tempdir().unwrap();
            fs::create_dir(folder.path().join("more")).unwrap();
            fs::write(folder.path().join("more/other.yml"), "services: {}").unwrap();
            fs::write(folder.path().join("compose.yml"), text).unwrap();

            assert_eq!(hashed(folder.path()), None, "{text}");
        }
    }

    #[test]
    fn a_variable_counts_by_its_name_in_the_text() {
        let named = |text: &str| {
            variables([text.as_bytes().to_vec()].iter()).contains_key(std::ffi::OsStr::new("PATH"))
        };

        assert!(named("a: ${PATH:-x}") && named("- PATH") && named("$PATH"));
        assert!(!named("MY_PATH PATHS"));
    }
}
