//! A Dev Container for a workspace that has none: beside the project's own services where there are compose files.

use plan::{Detected, words};
use serde_json::{Map, Value, json};

/// The service that the container is.
const SERVICE: &str = "devcontainer";
const IMAGE: &str = "mcr.microsoft.com/devcontainers/base:debian";

fn folder(found: &Detected) -> String {
    format!("/workspaces/{}", found.project)
}

pub(super) fn configuration(found: &Detected, feature: &str) -> String {
    let mut all = Map::new();
    all.insert("name".to_owned(), json!(found.project));
    if found.database.is_some() {
        let own = found.compose_files.iter().map(|file| format!("../{file}"));
        let files: Vec<String> = own.chain(["compose.yml".to_owned()]).collect();
        all.insert("dockerComposeFile".to_owned(), json!(files));
        all.insert("service".to_owned(), json!(SERVICE));
        all.insert("workspaceFolder".to_owned(), json!(folder(found)));
    } else {
        all.insert("image".to_owned(), json!(IMAGE));
    }
    // Compose stops at an env file that is missing, before any container is there.
    let copies = found.env_files.iter().map(|(file, example)| {
        let (file, example) = (words::shell(file), words::shell(example));
        format!("[ -e {file} ] || cp {example} {file}")
    });
    let copies: Vec<String> = copies.collect();
    if !copies.is_empty() {
        all.insert("initializeCommand".to_owned(), json!(copies.join("; ")));
    }
    all.insert("features".to_owned(), json!({ feature: {} }));
    printed(&Value::Object(all))
}

/// The container itself, where the project has compose files.
pub(super) fn compose(found: &Detected) -> Option<String> {
    found.database.as_ref()?;
    // Compose takes paths from the first file's folder.
    let depth = found.compose_files.first().map_or(0, |file| file.matches('/').count());
    let root = if depth == 0 { ".".to_owned() } else { vec![".."; depth].join("/") };
    let folder = folder(found);
    Some(format!(
        "services:\n  {SERVICE}:\n    image: {IMAGE}\n    command: sleep infinity\n    volumes:\n      - {root}:{folder}\n"
    ))
}

/// Whether we made the whole file, and nobody touched it since: an edit of ours stands on one line, and a person's file
/// with this very layout has no Feature of ours as its last key.
pub(super) fn is_ours(text: &str) -> bool {
    let Ok(Value::Object(all)) = serde_json::from_str(text) else { return false };
    let is_made = all.get("service") == Some(&json!(SERVICE)) || all.get("image") == Some(&json!(IMAGE));
    let features = all.get("features").and_then(Value::as_object);
    let alone = features.is_some_and(|features| {
        features.len() == 1 && features.keys().all(|name| super::edit::is_ours(name))
    });
    is_made && alone && printed(&Value::Object(all)) == text
}

fn printed(value: &Value) -> String {
    let text = serde_json::to_string_pretty(value).unwrap_or_default();
    format!("{text}\n")
}
