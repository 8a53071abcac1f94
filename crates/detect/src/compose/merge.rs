//! How Compose lays one file over another.

use serde_json::{Map, Value};

use crate::yaml::{Outline, Tag};

/// Lists that the later file replaces.
const REPLACED: [&str; 3] = ["command", "entrypoint", "test"];

/// Lays `over` on `under`.
pub(super) fn merge(under: &mut Value, over: Value, key: &str) {
    match (under, over) {
        (Value::Object(under), Value::Object(over)) => {
            for (key, value) in over {
                match under.get_mut(&key) {
                    Some(there) => merge(there, value, &key),
                    None => drop(under.insert(key, value)),
                }
            }
        }
        (Value::Array(under), Value::Array(over)) if !REPLACED.contains(&key) => {
            if key == "volumes" {
                under.retain(|mount| over.iter().all(|new| target(new) != target(mount)));
            }
            let added: Vec<Value> = over.into_iter().filter(|new| !under.contains(new)).collect();
            under.extend(added);
        }
        (_, Value::Null) => {}
        (under, over) => *under = over,
    }
}

/// Where a mount is mounted: what tells one mount from another.
fn target(mount: &Value) -> Option<&str> {
    match mount {
        Value::String(text) => {
            let mut parts = text.split(':');
            let first = parts.next();
            parts.next().or(first)
        }
        mount => mount.get("target")?.as_str(),
    }
}

/// Removes from `under` what `over`'s file marks with `!reset` or `!override`.
pub(super) fn clear(under: &mut Value, over: &mut Value, outline: &Outline) {
    for (path, tag) in outline.tagged() {
        let Some((last, above)) = path.split_last() else { continue };
        let find = |value: &mut Value| -> Option<()> {
            let mut value = value;
            for key in above {
                value = value.get_mut(key)?;
            }
            value.as_object_mut()?.remove(last);
            Some(())
        };
        find(under);
        if tag == Tag::Reset {
            find(over);
        }
    }
}

/// Both styles of a service's lists become one: `environment`, `depends_on` and `labels` as mappings.
pub(super) fn normalise(service: &mut Value) {
    let Some(service) = service.as_object_mut() else { return };
    for key in ["environment", "depends_on", "labels", "extra_hosts"] {
        let Some(Value::Array(list)) = service.get(key) else { continue };
        let pairs = list.iter().filter_map(|item| {
            let text = scalar(item)?;
            Some(match text.split_once('=') {
                Some((name, value)) => (name.to_owned(), Value::String(value.to_owned())),
                None => (text, Value::Null),
            })
        });
        let pairs: Map<String, Value> = pairs.collect();
        service.insert(key.to_owned(), Value::Object(pairs));
    }
    if let Some(text @ Value::String(_)) = service.get("build") {
        let build = Map::from_iter([("context".to_owned(), text.clone())]);
        service.insert("build".to_owned(), Value::Object(build));
    }
}

/// A value that stands for a text.
pub(crate) fn scalar(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(truth) => Some(truth.to_string()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_later_file_adds_replaces_and_resets() {
        let mut under = json!({ "a": { "ports": ["1:1"], "volumes": ["x:/d", "y:/e"], "command": ["one"],
            "environment": { "A": "1" }, "image": "i" } });
        let mut over = json!({ "a": { "ports": ["2:2"], "volumes": [{ "source": "z", "target": "/d" }],
            "command": ["two"], "environment": { "B": "2" }, "image": null } });
        clear(&mut under, &mut over, &Outline::of("a:\n  ports: !override\n    - 2:2\n"));

        merge(&mut under, over, "");

        let expected = json!({ "a": { "volumes": ["y:/e", { "source": "z", "target": "/d" }], "command": ["two"],
            "environment": { "A": "1", "B": "2" }, "image": "i", "ports": ["2:2"] } });
        assert_eq!(under, expected);
    }

    #[test]
    fn lists_become_mappings() {
        let mut service = json!({ "environment": ["A=1=2", "B"], "depends_on": ["db"], "build": "." });

        normalise(&mut service);

        let expected = json!({ "environment": { "A": "1=2", "B": null }, "depends_on": { "db": null },
            "build": { "context": "." } });
        assert_eq!(service, expected);
    }
}
