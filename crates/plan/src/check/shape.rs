//! The catalog's facts in the form that is compared: definitions taken apart, rights by who has them, known options.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value};

use super::catalog::{Facts, Kind};
use super::definition::{check, constraint, index, unnamed};

/// Every attribute that is compared. What is not here goes no further.
const ATTRIBUTES: &[&str] = &[
    "access method",
    "aggregate",
    "all tables",
    "arguments",
    "attributes",
    "base type",
    "binary",
    "body",
    "cache",
    "canonical",
    "character type",
    "check",
    "clustered",
    "collate",
    "collation",
    "command",
    "comment",
    "commutator",
    "compression",
    "context",
    "cost",
    "cycle",
    "data",
    "default",
    "definition",
    "detaching",
    "deterministic",
    "enabled",
    "encoding",
    "event",
    "fires",
    "for",
    "forced row security",
    "foreign options",
    "from",
    "function",
    "functions",
    "generated",
    "generated columns",
    "grants",
    "handler",
    "hashes",
    "identity",
    "identity options",
    "increment",
    "init",
    "is",
    "join",
    "kept",
    "label",
    "labels",
    "language",
    "leakproof",
    "locale",
    "mappings",
    "maximum",
    "members",
    "merges",
    "method",
    "minimum",
    "multirange",
    "negator",
    "not null",
    "not null rule",
    "of type",
    "options",
    "owned by",
    "owner",
    "parallel",
    "parents",
    "parser",
    "partition bound",
    "partition key",
    "permissive",
    "persistence",
    "provider",
    "provides",
    "publications",
    "publishes",
    "replica identity",
    "restrict",
    "returns",
    "roles",
    "row security",
    "rows",
    "rules",
    "schema",
    "schemas",
    "security",
    "server",
    "serves",
    "settings",
    "slot",
    "start",
    "statistics target",
    "storage",
    "stored as",
    "strict",
    "subtype",
    "subtype class",
    "subtype collation",
    "subtype difference",
    "support",
    "tables",
    "tablespace",
    "tags",
    "target",
    "template",
    "through the root",
    "to",
    "toast options",
    "transforms",
    "triggers",
    "trusted",
    "type",
    "using",
    "valid",
    "validator",
    "value",
    "version",
    "volatility",
    "with check",
    "wrapper",
];

/// The facts of one object.
pub(crate) fn facts(kind: Kind, raw: &Map<String, Value>) -> Facts {
    let mut facts = Facts::new();
    for (name, value) in raw {
        if name == "acl" || name == "default acl" || name == "grantor" || name == "at" {
            continue;
        }
        let attribute = ATTRIBUTES.iter().copied().find(|known| known == name);
        if let (Some(attribute), Some(value)) = (attribute, value_of(name, value)) {
            facts.insert(attribute, value);
        }
    }
    if let Some(grants) = grants(raw) {
        facts.insert("grants", grants);
    }
    match kind {
        Kind::Constraint => constraint(&mut facts),
        Kind::DomainConstraint => check(&mut facts),
        Kind::Index => index(&mut facts),
        Kind::Relation => relation(&mut facts),
        Kind::Statistics | Kind::Rule => unnamed(&mut facts, 2),
        Kind::Trigger => {
            let constraint =
                facts.get("definition").is_some_and(|text| text.starts_with("CREATE CONSTRAINT"));
            unnamed(&mut facts, if constraint { 3 } else { 2 });
        }
        _ => {}
    }
    facts
}

fn value_of(name: &str, value: &Value) -> Option<String> {
    let text = match value {
        Value::String(text) => text.clone(),
        Value::Array(items) if name.ends_with("options") => options(items),
        Value::Array(items) if name == "settings" => sorted(items),
        other => other.to_string(),
    };
    // `DEFAULT NULL` with a cast is none.
    let is_null = name == "default" && text.starts_with("NULL::");
    (!text.is_empty() && !is_null && text != "[]").then_some(text)
}

fn sorted(items: &[Value]) -> String {
    let mut items: Vec<&str> = items.iter().filter_map(Value::as_str).collect();
    items.sort_unstable();
    items.join(", ")
}

/// Options by their names. Those that a build of Postgres makes up for itself, and those at their default, are none.
fn options(items: &[Value]) -> String {
    const DEFAULTS: [&str; 6] = [
        "security_barrier=false",
        "security_invoker=false",
        "autovacuum_enabled=true",
        "fastupdate=true",
        "user_catalog_table=false",
        "deduplicate_items=true",
    ];
    let told = |item: &str| match item.rsplit_once('=') {
        Some((name, "on" | "yes")) => format!("{name}=true"),
        Some((name, "off" | "no")) => format!("{name}=false"),
        _ => item.to_owned(),
    };
    let known = |item: &String| !item.starts_with("pg_") && !DEFAULTS.contains(&item.as_str());
    let mut items: Vec<String> = items.iter().filter_map(Value::as_str).map(told).filter(known).collect();
    items.sort_unstable();
    items.join(", ")
}

/// Who may do what beside the owner's own and the usual: `vd_app: select, insert; public: not execute`.
fn grants(raw: &Map<String, Value>) -> Option<String> {
    let items = |name: &str| -> Vec<&str> {
        raw.get(name).and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str).collect()
    };
    raw.get("acl")?;
    let owner = raw.get("owner").or(raw.get("grantor")).and_then(Value::as_str).unwrap_or_default();
    let given = rights(&items("acl"), owner);
    let usual = rights(&items("default acl"), owner);
    let mut by_grantee: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for (grantee, right) in given.difference(&usual) {
        by_grantee.entry(grantee).or_default().push(right.clone());
    }
    for (grantee, right) in usual.difference(&given) {
        by_grantee.entry(grantee).or_default().push(format!("not {right}"));
    }
    let told: Vec<String> =
        by_grantee.iter().map(|(who, what)| format!("{who}: {}", what.join(", "))).collect();
    (!told.is_empty()).then(|| told.join("; "))
}

/// `grantee=letters/grantor`, taken apart. Who granted it says nothing.
fn rights(items: &[&str], owner: &str) -> BTreeSet<(String, String)> {
    let mut out = BTreeSet::new();
    for item in items {
        let Some((grantee, letters)) = item.rsplit_once('/').and_then(|(left, _)| left.rsplit_once('='))
        else {
            continue;
        };
        let grantee = grantee.trim_matches('"').replace("\"\"", "\"");
        let grantee = match grantee.as_str() {
            "" => "public".to_owned(),
            name if name == owner => "the owner".to_owned(),
            name => name.to_owned(),
        };
        let mut letters = letters.chars().peekable();
        while let Some(letter) = letters.next() {
            let passed_on = if letters.next_if_eq(&'*').is_some() { " with grant option" } else { "" };
            out.insert((grantee.clone(), format!("{}{passed_on}", right(letter))));
        }
    }
    out
}

fn right(letter: char) -> String {
    let word = match letter {
        'r' => "select",
        'a' => "insert",
        'w' => "update",
        'd' => "delete",
        'D' => "truncate",
        'x' => "references",
        't' => "trigger",
        'm' => "maintain",
        'X' => "execute",
        'U' => "usage",
        'C' => "create",
        'c' => "connect",
        'T' => "temporary",
        other => return other.to_string(),
    };
    word.to_owned()
}

/// View options each have a severity of their own.
fn relation(facts: &mut Facts) {
    let Some(options) = facts.remove("options") else { return };
    let is_view = facts.get("is").is_some_and(|is| is == "view");
    let mut rest = Vec::new();
    for option in options.split(", ") {
        let taken = match option.split_once('=') {
            Some(("security_barrier", value)) => Some(("security barrier", value)),
            Some(("security_invoker", value)) => Some(("security invoker", value)),
            Some(("check_option", value)) => Some(("check option", value)),
            Some(("fillfactor", "100")) => continue,
            _ => None,
        };
        match taken {
            Some((name, value)) if is_view => drop(facts.insert(name, value.to_owned())),
            _ => rest.push(option),
        }
    }
    if !rest.is_empty() {
        facts.insert("options", rest.join(", "));
    }
}
