//! Which compose files are the ones that people work with: every file that could be, alone or laid over another, and
//! how much speaks for it.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::stack::Stack;
use crate::postgres;
use crate::scripts::Call;
use crate::tree::{Tree, file_name, folder, has_ending, join, words};
use crate::yaml;

/// In the order in which Compose prefers them.
const DEFAULTS: [&str; 4] = ["compose.yaml", "compose.yml", "docker-compose.yml", "docker-compose.yaml"];
const OVERRIDES: [&str; 4] = [
    "compose.override.yml",
    "compose.override.yaml",
    "docker-compose.override.yml",
    "docker-compose.override.yaml",
];

const DEVELOPMENT: [&str; 6] = ["dev", "development", "local", "devel", "develop", "localdev"];

/// What shows something or proves something: never what people develop on.
const ASIDE: [&str; 30] = [
    "test",
    "tests",
    "testing",
    "e2e",
    "ci",
    "example",
    "examples",
    "sample",
    "samples",
    "template",
    "templates",
    "bench",
    "benchmark",
    "benchmarks",
    "docs",
    "doc",
    "sdk",
    "sdks",
    "integration",
    "github",
    "unit",
    "fixtures",
    "testdata",
    "playground",
    "tutorial",
    "website",
    "cypress",
    "quickstart",
    "ui-tests",
    "testsuite",
];

/// What runs somewhere else. A project that has nothing else may well develop on it.
const ELSEWHERE: [&str; 16] = [
    "prod",
    "production",
    "staging",
    "release",
    "deploy",
    "deployment",
    "deployments",
    "demo",
    "selfhost",
    "hosting",
    "k8s",
    "kubernetes",
    "helm",
    "charts",
    "terraform",
    "gitpod",
];

/// Below this a stack is none of the project's own, whoever mentions it.
const LEAST: i32 = -36;

/// Folders that are no part of their own, only the place where compose files lie.
const HOMES: [&str; 14] = [
    "docker",
    "compose",
    "dev",
    "local",
    "infra",
    "ops",
    "development",
    "docker-compose",
    "containers",
    "env",
    "devops",
    "deps",
    "tools",
    "hack",
];

/// At most this many stacks are read: a tree of examples has hundreds of them.
const MOST: usize = 24;

/// A stack that could be the one.
struct Candidate {
    files: Vec<String>,
    score: i32,
    because: String,
}

/// The stack of the development database, and why it is this one.
pub(crate) struct Chosen {
    pub stack: Stack,
    pub because: String,
}

/// The stack that most speaks for, of those with a Postgres; `None` without one.
pub(crate) fn choose(tree: &Tree<'_>, calls: &[Call]) -> Option<Chosen> {
    let mut all = candidates(tree, calls);
    all.sort_by(|one, other| other.score.cmp(&one.score).then_with(|| one.files.cmp(&other.files)));
    let mut best: Option<(i32, Chosen)> = None;
    for candidate in all.into_iter().take(MOST) {
        // What the services themselves say never outweighs this much.
        if best.as_ref().is_some_and(|(score, _)| candidate.score + 6 < *score) {
            break;
        }
        let told = project_of(calls, &candidate.files);
        let stack = Stack::read(tree, candidate.files, told);
        let Some(database) = postgres::choose(tree, &stack) else { continue };
        let builds =
            stack.services.iter().any(|service| service.build.is_some() && service.name != database.name);
        let score = candidate.score + if builds { 3 } else { 0 };
        if best.as_ref().is_none_or(|(least, _)| score > *least) {
            best = Some((score, Chosen { stack, because: candidate.because }));
        }
    }
    best.map(|(_, chosen)| chosen)
}

/// A project name that the project's own scripts give to these files.
fn project_of(calls: &[Call], files: &[String]) -> Option<(String, String)> {
    let first = files.first()?;
    let is_default = DEFAULTS.contains(&first.as_str());
    let fits = |call: &&Call| call.files.contains(first) || (call.files.is_empty() && is_default);
    let mut named = calls.iter().filter(fits).filter(|call| call.project.is_some());
    let call = named.next()?;
    // One that also goes by other names has none of its own.
    let same = |other: &Call| other.project == call.project;
    let plain = calls.iter().filter(fits).any(|call| call.project.is_none());
    (named.all(same) && !plain)
        .then(|| (call.project.clone().unwrap_or_default(), format!("-p in {}", call.place)))
}

fn candidates(tree: &Tree<'_>, calls: &[Call]) -> Vec<Candidate> {
    let files: BTreeSet<&str> = tree.paths().filter(|path| is_compose(tree, path)).collect();
    let mut found: BTreeMap<Vec<String>, Candidate> = BTreeMap::new();
    let mut add = |files: Vec<String>, score: i32, because: String| {
        let there = found.get(&files).map(|candidate| candidate.score);
        if there.is_none_or(|there| there < score) {
            found.insert(files.clone(), Candidate { files, score, because });
        }
    };
    for path in &files {
        let (stack, name_score) = stack_of(tree, path);
        if name_score + place_score(path) < LEAST {
            continue;
        }
        let mentions = calls.iter().filter(|call| call.files == stack).count().min(4);
        let score = name_score + place_score(path) + i32::try_from(mentions).unwrap_or(0) * 2;
        let because = match calls.iter().find(|call| call.files == stack) {
            Some(call) => format!("-f in {}", call.place),
            None if DEFAULTS.contains(&file_name(path)) => "Compose's own default".to_owned(),
            None => "its name".to_owned(),
        };
        add(stack, score, because);
    }
    if let Some((files, because)) = told(tree) {
        // Where somebody wrote it down for Compose itself, nothing else is read.
        add(files, 100, because);
    }
    for call in calls.iter().filter(|call| call.files.len() > 1) {
        let names = call.files.iter().map(|file| name_score(file_name(file))).min().unwrap_or(0);
        let place = call.files.first().map_or(0, |file| place_score(file));
        if names + place >= LEAST {
            add(call.files.clone(), names + place + 1, format!("-f in {}", call.place));
        }
    }
    for (files, because) in devcontainers(tree) {
        let place = files.first().map_or(0, |file| place_score(file));
        add(files, place - 8, because);
    }
    found.into_values().collect()
}

/// Whether a file is a compose file: by its name, or near the root by what it says.
fn is_compose(tree: &Tree<'_>, path: &str) -> bool {
    let name = file_name(path).to_lowercase();
    if !(has_ending(&name, ".yml") || has_ending(&name, ".yaml")) || path.starts_with(".github/") {
        return false;
    }
    if OVERRIDES.contains(&name.as_str()) {
        return false;
    }
    if words(&name).any(|word| word == "compose") {
        return true;
    }
    let is_near = path.matches('/').count() <= 1 && !name.starts_with('.');
    let in_home =
        path.matches('/').count() <= 3 && words(file_name(folder(path))).any(|word| word == "compose");
    let may_be = in_home
        || is_near
            && words(&name).any(|word| {
                DEVELOPMENT.contains(&word.as_str())
                    || ["stack", "services", "docker", "infra", "db", "postgres", "database"]
                        .contains(&word.as_str())
            });
    may_be && tree.text(path).is_some_and(|text| text.lines().any(|line| line.trim_end() == "services:"))
}

/// The files that go with this one: its override, or what it is laid over.
fn stack_of(tree: &Tree<'_>, path: &str) -> (Vec<String>, i32) {
    let home = folder(path);
    let in_home = |names: &[&str]| {
        let paths = names.iter().map(|name| join(home, name).unwrap_or_default());
        paths.into_iter().find(|path| tree.has(path))
    };
    let base = in_home(&DEFAULTS);
    if base.as_deref() == Some(path) {
        let files = std::iter::once(path.to_owned()).chain(in_home(&OVERRIDES)).collect();
        return (files, 10);
    }
    let score = name_score(file_name(path));
    match base {
        Some(base) if is_overlay(tree, path) => (vec![base, path.to_owned()], score),
        _ => (vec![path.to_owned()], score),
    }
}

/// Whether a file alone is no whole project: some service of it has nothing to run.
fn is_overlay(tree: &Tree<'_>, path: &str) -> bool {
    let Some(Ok(value)) = tree.text(path).map(|text| yaml::parse(&text)) else { return false };
    let services = value.get("services").and_then(Value::as_object).into_iter().flatten();
    services
        .into_iter()
        .any(|(_, service)| !["image", "build", "extends"].iter().any(|key| service.get(*key).is_some()))
}

/// What a file's name says about what it is for.
fn name_score(name: &str) -> i32 {
    if DEFAULTS.contains(&name) {
        return 10;
    }
    let mut score = 8;
    for word in words(name).filter(|word| !["docker", "compose", "yml", "yaml"].contains(&word.as_str())) {
        score += match word.as_str() {
            word if DEVELOPMENT.contains(&word) => 12,
            word if ASIDE.contains(&word) => -50,
            word if ELSEWHERE.contains(&word) => -25,
            "db" | "postgres" | "database" | "infra" | "services" | "deps" | "dependencies" => -2,
            _ => -6,
        };
    }
    score
}

/// What the folder says: the nearer to the root, the more it is the project's own.
fn place_score(path: &str) -> i32 {
    let mut score = 0;
    for part in folder(path).split('/').filter(|part| !part.is_empty()) {
        let lower = part.to_lowercase();
        let is = |list: &[&str]| words(&lower).any(|word| list.contains(&word.as_str()));
        score -= if is(&ASIDE) {
            50
        } else if is(&ELSEWHERE) {
            25
        } else if lower == ".devcontainer" {
            15
        } else if HOMES.contains(&lower.as_str()) {
            5
        } else {
            11
        };
    }
    score
}

/// `COMPOSE_FILE`, from the environment or the `.env` that Compose reads.
fn told(tree: &Tree<'_>) -> Option<(Vec<String>, String)> {
    let from_file = || {
        let text = tree.text(".env")?;
        let set = crate::variables::env_file(&text, &tree.variables);
        Some((set.get("COMPOSE_FILE")?.clone(), "COMPOSE_FILE in .env".to_owned()))
    };
    let set = tree.variables.get("COMPOSE_FILE").map(|files| (files.clone(), "$COMPOSE_FILE".to_owned()));
    let (given, because) = set.or_else(from_file).filter(|(files, _)| !files.is_empty())?;
    let separator = tree.variables.get("COMPOSE_PATH_SEPARATOR").map_or(":", String::as_str);
    let files: Vec<String> = given.split(separator).filter_map(|file| join("", file)).collect();
    files.iter().all(|file| tree.has(file)).then_some((files, because))
}

/// What dev containers are made of.
fn devcontainers(tree: &Tree<'_>) -> Vec<(Vec<String>, String)> {
    let configurations = tree.paths().filter(|path| {
        path.starts_with(".devcontainer") && file_name(path).trim_start_matches('.') == "devcontainer.json"
    });
    let files = configurations.filter_map(|path| {
        let text = tree.text(path)?;
        // Comments are allowed there, so it is no JSON; YAML's reader takes the value alone.
        let after = text.split_once("\"dockerComposeFile\"")?.1.split_once(':')?.1.trim_start();
        let end = if after.starts_with('[') { after.find(']')? + 1 } else { after.get(1..)?.find('"')? + 2 };
        let value = yaml::parse(after.get(..end)?).ok()?;
        let names = match value {
            Value::Array(names) => names,
            one => vec![one],
        };
        let names = names.iter().filter_map(Value::as_str);
        let files: Vec<String> = names.filter_map(|name| join(folder(path), name)).collect();
        (!files.is_empty() && files.iter().all(|file| tree.has(file)))
            .then(|| (files, format!("dockerComposeFile in {path}")))
    });
    files.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_tells_what_a_file_is_for() {
        let best = |names: &[&str]| {
            names.iter().max_by_key(|name| name_score(name)).map(ToString::to_string).unwrap()
        };

        assert_eq!(
            best(&["docker-compose.yml", "docker-compose.dev.yml", "docker-compose.dev-azure.yml"]),
            "docker-compose.dev.yml"
        );
        assert_eq!(
            best(&["compose.prod.yml", "compose.yml", "compose.test.yml", "compose.infra.yml"]),
            "compose.yml"
        );
        assert!(place_score("docker/compose.yml") > place_score(".devcontainer/compose.yml"));
        assert!(place_score("apps/api/compose.yml") > place_score("examples/compose.yml"));
    }
}
