//! A compose project: its files merged, its name, its services.

use std::collections::BTreeMap;

use serde_json::Value;

use super::load::Loader;
use super::merge::scalar;
use super::service::Service;
use crate::tree::{Tree, file_name, folder, has_ending, words};
use crate::variables::{Variables, env_file};
use crate::yaml::Outline;

/// A compose project as its files describe it.
#[derive(Default)]
pub(crate) struct Stack {
    /// From the root, in their order.
    pub files: Vec<String>,
    pub project: String,
    /// Why the project is called so.
    pub project_because: String,
    pub services: Vec<Service>,
    /// Volume keys of the files: the name that the engine knows, and whether it is external.
    pub volumes: BTreeMap<String, (String, bool)>,
    /// Env files of the services that have an example, with it.
    pub env_files: Vec<(String, String)>,
    outlines: Vec<(String, Outline)>,
}

impl Stack {
    /// Reads the files as one project. `told` is a project name that a script of the project's own gives.
    pub fn read(tree: &Tree<'_>, files: Vec<String>, told: Option<(String, String)>) -> Self {
        let home = files.first().map(|file| folder(file)).unwrap_or_default().to_owned();
        let own = own_variables(tree, &home);
        let mut all = if home.is_empty() { Variables::new() } else { own_variables(tree, "") };
        all.extend(own.clone());
        all.extend(tree.variables.clone());
        let value = |name: &str| all.get(name).cloned();
        let mut loader = Loader::new(tree, &value);
        let whole = loader.project(&files);
        let outlines = std::mem::take(&mut loader.outlines);
        let (project, project_because) = project(tree, &home, &own, &whole, &files, told);
        let mut services: Vec<Service> = Vec::new();
        let mut bases: Vec<String> = Vec::new();
        let mut env_files: Vec<(String, String)> = Vec::new();
        for (name, value) in whole.get("services").and_then(Value::as_object).into_iter().flatten() {
            let mut service = Service::read(name, value);
            let bare = value.get("environment").and_then(Value::as_object).into_iter().flatten();
            for (name, _) in bare.filter(|(_, value)| value.is_null()) {
                // A name without a value takes the one around Compose.
                service.environment.extend(all.get(name).map(|value| (name.clone(), value.clone())));
            }
            for path in value.get("env_file").and_then(Value::as_array).into_iter().flatten().rev() {
                let path = path.as_str().unwrap_or_default();
                let from = env_file_of(tree, path, &all);
                // One that git ignores is on this machine and not on the next.
                env_files.extend(example_of(tree, path).map(|example| (path.to_owned(), example)));
                for (name, value) in from {
                    service.environment.entry(name).or_insert(value);
                }
            }
            match value.get("extends") {
                Some(Value::String(name)) => bases.push(name.clone()),
                Some(extends) => bases.extend(extends.get("service").and_then(scalar)),
                None => {}
            }
            services.push(service);
        }
        for service in &mut services {
            service.is_base = bases.contains(&service.name);
        }
        let volumes = volumes(&whole, &project);
        env_files.sort();
        env_files.dedup();
        env_files.retain(|(file, example)| file != example);
        Self { files, project, project_because, services, volumes, env_files, outlines }
    }

    pub fn service(&self, name: &str) -> Option<&Service> {
        self.services.iter().find(|service| service.name == name)
    }

    /// Where a service's key stands: `compose.yml:3`; the file that says it last, else the nearest key above.
    pub fn place(&self, service: &str, key: &str) -> String {
        let whole = ["services", service, key];
        let exact = self.outlines.iter().rev().find_map(|(file, outline)| {
            let line = outline.line(&whole)?;
            (Some(line) != outline.line(&["services", service])).then(|| format!("{file}:{line}"))
        });
        let near = || {
            self.outlines.iter().rev().find_map(|(file, outline)| {
                let line = outline.line(&["services", service])?;
                (Some(line) != outline.line(&["services"])).then(|| format!("{file}:{line}"))
            })
        };
        exact.or_else(near).unwrap_or_else(|| self.files.first().cloned().unwrap_or_default())
    }
}

/// Compose's own order: a given name, the environment, `.env` beside the files, `name:`, the folder.
fn project(
    tree: &Tree<'_>,
    home: &str,
    own: &Variables,
    whole: &Value,
    files: &[String],
    told: Option<(String, String)>,
) -> (String, String) {
    const VARIABLE: &str = "COMPOSE_PROJECT_NAME";
    let folder = if home.is_empty() { tree.name.as_str() } else { file_name(home) };
    let variable = || {
        let set = tree.variables.get(VARIABLE).map(|name| (name.clone(), format!("${VARIABLE}")));
        set.or_else(|| {
            Some((own.get(VARIABLE)?.clone(), format!("{VARIABLE} in {}", env_place(tree, home, VARIABLE))))
        })
    };
    let written = || {
        let name = whole.get("name").and_then(scalar)?;
        Some((name, format!("name: in {}", files.last().map(String::as_str).unwrap_or_default())))
    };
    let (name, because) = told
        .or_else(variable)
        .filter(|(name, _)| !name.is_empty())
        .or_else(written)
        .unwrap_or_else(|| (folder.to_owned(), "the folder's name".to_owned()));
    (normalised(&name), because)
}

/// Compose's own rule for a project's name.
fn normalised(name: &str) -> String {
    let lower = name.to_lowercase();
    let kept: String = lower.chars().filter(|c| c.is_ascii_alphanumeric() || "-_".contains(*c)).collect();
    kept.trim_start_matches(['-', '_']).to_owned()
}

fn volumes(whole: &Value, project: &str) -> BTreeMap<String, (String, bool)> {
    let all = whole.get("volumes").and_then(Value::as_object).into_iter().flatten();
    all.map(|(key, volume)| {
        let external = volume.get("external").unwrap_or(&Value::Null);
        let is_external = external.as_bool().unwrap_or(external.is_object());
        let given = volume.get("name").and_then(scalar).or_else(|| external.get("name").and_then(scalar));
        let name =
            given.unwrap_or_else(|| if is_external { key.clone() } else { format!("{project}_{key}") });
        (key.clone(), (name, is_external))
    })
    .collect()
}

/// The variables that Compose finds beside its files: `.env`, and under it what an example of it says.
fn own_variables(tree: &Tree<'_>, home: &str) -> Variables {
    let mut all = Variables::new();
    for path in env_files(tree, home).into_iter().rev() {
        if let Some(text) = tree.text(&path) {
            let found = env_file(&text, &tree.variables);
            all.extend(found);
        }
    }
    all
}

/// The env file that gives a variable its value.
fn env_place(tree: &Tree<'_>, home: &str, name: &str) -> String {
    let gives = |path: &String| {
        tree.text(path).is_some_and(|text| env_file(&text, &tree.variables).contains_key(name))
    };
    env_files(tree, home).into_iter().find(gives).unwrap_or_default()
}

/// Words that say that an env file stands for another one.
const EXAMPLE: [&str; 9] =
    ["example", "sample", "template", "dist", "default", "defaults", "tpl", "tmpl", "shared"];
const DEVELOPMENT: [&str; 4] = ["dev", "development", "local", "docker"];
const ELSEWHERE: [&str; 14] = [
    "prod",
    "production",
    "test",
    "testing",
    "tests",
    "ci",
    "staging",
    "e2e",
    "windows",
    "dusk",
    "release",
    "deploy",
    "preview",
    "qa",
];

/// The env files of a folder, the one that counts first.
pub(crate) fn env_files(tree: &Tree<'_>, home: &str) -> Vec<String> {
    let mut found: Vec<(usize, bool, &str)> = tree
        .inside(home)
        .filter_map(|path| {
            let name = file_name(path);
            let words: Vec<String> = words(name).collect();
            let has = |list: &[&str]| words.iter().any(|word| list.contains(&word.as_str()));
            let is_env = name.starts_with(".env")
                || has_ending(name, ".env")
                || words.iter().any(|word| word == "env" || word == "dotenv");
            let is_code = [
                "ts", "js", "py", "rb", "go", "rs", "sh", "d", "exs", "ex", "php", "json", "yml", "yaml",
                "md", "mjs", "cjs", "toml",
            ]
            .contains(&name.rsplit('.').next().unwrap_or_default());
            if !is_env || is_code || has(&ELSEWHERE) {
                return None;
            }
            let rank = match (name == ".env", has(&EXAMPLE), has(&DEVELOPMENT)) {
                (true, ..) => 0,
                (_, true, false) if words.len() <= 2 => 1,
                (_, true, true) => 2,
                (_, false, true) => 3,
                (_, true, false) => 4,
                _ => 5,
            };
            // Of several examples the one for Postgres.
            let other = !tree.text(path).is_some_and(|text| text.to_lowercase().contains("postgres"));
            Some((rank, other, path))
        })
        .collect();
    found.sort_unstable();
    found.into_iter().map(|(_, _, path)| path.to_owned()).collect()
}

/// An env file's variables; of a missing one, what the example of it says.
fn env_file_of(tree: &Tree<'_>, path: &str, outer: &Variables) -> Variables {
    let found = if tree.has(path) { Some(path.to_owned()) } else { example_of(tree, path) };
    found.and_then(|path| tree.text(&path)).map(|text| env_file(&text, outer)).unwrap_or_default()
}

/// The file that is meant to be copied to `path`.
pub(crate) fn example_of(tree: &Tree<'_>, path: &str) -> Option<String> {
    let (home, name) = (folder(path), file_name(path));
    let parts: Vec<String> = words(name).collect();
    let mut best: Option<(usize, String)> = None;
    for other in tree.inside(home) {
        let theirs: Vec<String> = words(file_name(other)).collect();
        let all_there = parts.iter().all(|part| theirs.contains(part));
        let mut more = theirs.iter().filter(|word| !parts.contains(word)).peekable();
        if !all_there || more.peek().is_none() {
            continue;
        }
        if more.all(|word| EXAMPLE.contains(&word.as_str())) {
            let rank = theirs.len();
            if best.as_ref().is_none_or(|(least, _)| rank < *least) {
                best = Some((rank, other.to_owned()));
            }
        }
    }
    let plain = || env_files(tree, home).into_iter().next();
    best.map(|(_, path)| path).or_else(|| if words(name).any(|word| word == "env") { plain() } else { None })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tree(paths: &[&str]) -> Tree<'static> {
        Tree::new("Shop.v2", paths.iter().map(ToString::to_string), |_| Ok(String::new()))
    }

    #[test]
    fn a_missing_env_file_has_an_example() {
        let tree =
            tree(&[".env.local.example", ".env.example", ".env.production", "docker/server.env.template"]);

        assert_eq!(example_of(&tree, ".env.local").as_deref(), Some(".env.local.example"));
        assert_eq!(example_of(&tree, ".env").as_deref(), Some(".env.example"));
        assert_eq!(example_of(&tree, "docker/server.env").as_deref(), Some("docker/server.env.template"));
    }

    #[test]
    fn the_env_file_itself_counts_first_and_production_never() {
        let tree = tree(&[".env.production", ".env.dev", ".env.example", ".env", ".envrc", "env.d.ts"]);

        assert_eq!(env_files(&tree, ""), [".env", ".env.example", ".env.dev", ".envrc"]);
    }

    #[test]
    fn a_folder_gives_the_name_by_composes_rule() {
        assert_eq!(normalised("My Shop.v2"), "myshopv2");
        assert_eq!(normalised("__shop-1"), "shop-1");
    }
}
