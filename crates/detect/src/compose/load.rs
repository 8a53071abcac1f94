//! Reads compose files with what they include and extend.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value};

use super::merge::{clear, merge, normalise, scalar};
use crate::tree::{Tree, folder, join};
use crate::variables::interpolate;
use crate::yaml::{self, Outline};

/// Longer chains of `include` and `extends` than this are no project's.
const DEEPEST: usize = 12;

/// What a file names once and all of its services use.
const TOP: [&str; 5] = ["name", "services", "volumes", "networks", "secrets"];

/// Reads files for one project.
pub(super) struct Loader<'a> {
    pub tree: &'a Tree<'a>,
    pub value: &'a dyn Fn(&str) -> Option<String>,
    /// Every file that was read, and where its keys stand.
    pub outlines: Vec<(String, Outline)>,
    parsed: BTreeMap<String, Option<Value>>,
    /// Files of the present chain of includes, and those before it: none is included twice.
    included: BTreeSet<String>,
    /// Services resolved so far: a file that extends without end costs no more than this.
    budget: usize,
}

impl<'a> Loader<'a> {
    pub fn new(tree: &'a Tree<'a>, value: &'a dyn Fn(&str) -> Option<String>) -> Self {
        Self {
            tree,
            value,
            outlines: Vec::new(),
            parsed: BTreeMap::new(),
            included: BTreeSet::new(),
            budget: 2_000,
        }
    }

    /// All files, merged in their order.
    pub fn project(&mut self, files: &[String]) -> Value {
        let mut whole = Value::Object(Map::new());
        let home = files.first().map(|file| folder(file)).unwrap_or_default().to_owned();
        for file in files {
            let Some(mut value) = self.file(file, &home, 0) else { continue };
            let at = self.outlines.iter().position(|(path, _)| path == file);
            if let Some((_, outline)) = at.and_then(|at| self.outlines.get(at)) {
                clear(&mut whole, &mut value, outline);
            }
            merge(&mut whole, value, "");
        }
        whole
    }

    /// One file with what it includes under it, its services' `extends` resolved. Paths in it are seen from `home`.
    fn file(&mut self, path: &str, home: &str, depth: usize) -> Option<Value> {
        let value = self.read(path)?;
        self.included.insert(path.to_owned());
        let mut whole = Value::Object(Map::new());
        if depth < DEEPEST {
            for included in includes(&value) {
                let Some(path) = join(home, &included).filter(|path| !self.included.contains(path)) else {
                    continue;
                };
                let there = folder(&path).to_owned();
                if let Some(mut value) = self.file(&path, &there, depth + 1) {
                    // The project is called as the including file has it.
                    value.as_object_mut().and_then(|value| value.remove("name"));
                    merge(&mut whole, value, "");
                }
            }
        }
        // A file may do nothing but include others.
        let services = value.get("services").and_then(Value::as_object);
        let names: Vec<String> =
            services.map(|services| services.keys().cloned().collect()).unwrap_or_default();
        let mut services = Map::new();
        for name in names {
            if let Some(service) = self.service(path, &name, home, 0) {
                services.insert(name, service);
            }
        }
        let mut own: Map<String, Value> =
            TOP.iter().filter_map(|key| Some(((*key).to_owned(), value.get(*key)?.clone()))).collect();
        own.insert("services".to_owned(), Value::Object(services));
        merge(&mut whole, Value::Object(own), "");
        Some(whole)
    }

    /// One service, laid over what it extends.
    fn service(&mut self, path: &str, name: &str, home: &str, depth: usize) -> Option<Value> {
        self.budget = self.budget.checked_sub(1)?;
        let value = self.read(path)?;
        let mut service = value.get("services")?.get(name)?.clone();
        if service.is_null() {
            service = Value::Object(Map::new());
        }
        normalise(&mut service);
        settle(&mut service, home);
        let extends = service.get("extends").cloned();
        let Some(extends) = extends.filter(|_| depth < DEEPEST) else { return Some(service) };
        let (file, wanted) = match &extends {
            Value::String(name) => (None, name.clone()),
            extends => (extends.get("file").and_then(scalar), extends.get("service").and_then(scalar)?),
        };
        let base = match file {
            None => self.service(path, &wanted, home, depth + 1),
            Some(file) => {
                let file = join(home, &file).unwrap_or_default();
                let there = folder(&file).to_owned();
                self.service(&file, &wanted, &there, depth + 1)
            }
        };
        let Some(mut base) = base else { return Some(service) };
        merge(&mut base, service, "");
        Some(base)
    }

    /// A file's own text as a value, variables replaced.
    fn read(&mut self, path: &str) -> Option<Value> {
        if let Some(known) = self.parsed.get(path) {
            return known.clone();
        }
        let read = || {
            let text = self.tree.text(path)?;
            match yaml::parse(&text) {
                Ok(mut value) if value.is_object() => {
                    replace(&mut value, self.value);
                    Some((value, Outline::of(&text)))
                }
                Ok(_) => None,
                Err(why) => {
                    self.tree.complain(path, why);
                    None
                }
            }
        };
        let value = read().map(|(value, outline)| {
            self.outlines.push((path.to_owned(), outline));
            value
        });
        self.parsed.insert(path.to_owned(), value.clone());
        value
    }
}

/// The paths that `include` names, in either of its forms.
fn includes(value: &Value) -> Vec<String> {
    let entries = value.get("include").and_then(Value::as_array).cloned().unwrap_or_default();
    let paths = entries.into_iter().flat_map(|entry| match entry.get("path") {
        Some(Value::Array(paths)) => paths.clone(),
        Some(path) => vec![path.clone()],
        None => vec![entry],
    });
    paths.filter_map(|path| scalar(&path)).collect()
}

/// `env_file` and `build.context` as paths from the root, since files that lie elsewhere may extend this service.
fn settle(service: &mut Value, home: &str) {
    let Some(service) = service.as_object_mut() else { return };
    if let Some(given) = service.remove("env_file") {
        let list = match given {
            Value::Array(list) => list,
            one => vec![one],
        };
        let path = |entry: &Value| match entry.get("path") {
            Some(path) => scalar(path),
            None => scalar(entry),
        };
        let paths = list.iter().filter_map(path).filter_map(|path| join(home, &path)).map(Value::String);
        service.insert("env_file".to_owned(), paths.collect());
    }
    if let Some(Value::Object(build)) = service.get_mut("build") {
        let given = build.get("context").and_then(scalar).unwrap_or_default();
        if let Some(context) = join(home, &given) {
            build.insert("context".to_owned(), Value::String(context));
        }
    }
}

fn replace(value: &mut Value, with: &dyn Fn(&str) -> Option<String>) {
    match value {
        Value::String(text) if text.contains('$') => *text = interpolate(text, with),
        Value::Array(items) => items.iter_mut().for_each(|item| replace(item, with)),
        Value::Object(fields) => fields.values_mut().for_each(|field| replace(field, with)),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn load(files: &[(&'static str, &'static str)], first: &str) -> Value {
        let texts: BTreeMap<&str, &str> = files.iter().copied().collect();
        let paths = texts.keys().map(ToString::to_string);
        let tree = Tree::new("x", paths, |path| Ok(texts[path].to_owned()));
        Loader::new(&tree, &|_| None).project(&[first.to_owned()])
    }

    #[test]
    fn what_is_extended_and_included_lies_under_it() {
        let files = [
            (
                "dev/a.yml",
                "include: [../b.yml]\nservices:\n  db:\n    extends: {file: base/c.yml, service: pg}\n    ports: ['1:2']\n",
            ),
            ("b.yml", "services:\n  cache: {image: redis}\n"),
            ("dev/base/c.yml", "services:\n  pg: {image: postgres, env_file: .env}\n"),
        ];

        let value = load(&files, "dev/a.yml");

        assert_eq!(value["services"]["cache"]["image"], "redis");
        let expected = serde_json::json!({ "image": "postgres", "env_file": ["dev/base/.env"],
            "extends": { "file": "base/c.yml", "service": "pg" }, "ports": ["1:2"] });
        assert_eq!(value["services"]["db"], expected);
    }

    #[test]
    fn circles_end() {
        let files = [
            ("a.yml", "include: [b.yml, a.yml]\nservices:\n  x: {extends: y, image: i}\n  y: {extends: x}\n"),
            ("b.yml", "include: [a.yml]\nservices:\n  z: {extends: {file: a.yml, service: x}}\n"),
        ];

        let value = load(&files, "a.yml");

        assert_eq!(value["services"]["z"]["image"], "i");
    }
}
