//! The catalog's facts in the form that is compared: definitions taken apart, rights by who has them, known options.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value};

use super::catalog::{Facts, Kind};
use super::token::{Node, Token, text, tokens, tree};

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

/// What a definition is taken apart into.
mod part {
    pub const COLUMNS: &str = "columns";
    pub const REFERENCES: &str = "references";
    pub const ON_DELETE: &str = "on delete";
    pub const ON_UPDATE: &str = "on update";
    pub const MATCH: &str = "match";
    pub const DEFERRABLE: &str = "deferrable";
    pub const VALIDATED: &str = "validated";
    pub const ENFORCED: &str = "enforced";
    pub const NO_INHERIT: &str = "no inherit";
    pub const NULLS: &str = "nulls";
    pub const INCLUDE: &str = "include";
    pub const CHECK: &str = "check";
    pub const EXCLUDE: &str = "exclude";
    pub const UNIQUE: &str = "unique";
    pub const METHOD: &str = "method";
    pub const WHERE: &str = "where";
}

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
        Kind::Statistics => unnamed(&mut facts, 2),
        Kind::Rule => unnamed(&mut facts, 2),
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
        "fastupdate=on",
        "user_catalog_table=false",
        "deduplicate_items=on",
    ];
    let known = |item: &&Value| {
        item.as_str().is_some_and(|item| !item.starts_with("pg_") && !DEFAULTS.contains(&item))
    };
    let items: Vec<Value> = items.iter().filter(known).cloned().collect();
    sorted(&items)
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

/// A definition without its name, which stands behind this many words.
fn unnamed(facts: &mut Facts, words: usize) {
    let Some(definition) = facts.get_mut("definition") else { return };
    let nodes = tree(tokens(definition));
    let mut rest = nodes.get(words + 1..).unwrap_or_default();
    while let Some((first, more)) = rest.split_first()
        && first.is_sign(".")
    {
        rest = more.get(1..).unwrap_or_default();
    }
    *definition = text(rest);
}

/// Words of a definition, read from its beginning.
struct Reader<'a> {
    nodes: &'a [Node],
}

impl<'a> Reader<'a> {
    /// Takes these words when they come next.
    fn takes(&mut self, words: &str) -> bool {
        let count = words.split(' ').count();
        let next = self.nodes.get(..count).unwrap_or_default();
        let there = next.len() == count && words.split(' ').zip(next).all(|(word, node)| node.is_name(word));
        if there {
            self.nodes = self.nodes.get(count..).unwrap_or_default();
        }
        there
    }

    fn group(&mut self) -> Option<&'a [Node]> {
        match self.nodes.split_first() {
            Some((Node::Group('(', inside), rest)) => {
                self.nodes = rest;
                Some(inside)
            }
            _ => None,
        }
    }

    fn word(&mut self) -> String {
        match self.nodes.split_first() {
            Some((Node::Leaf(Token::Name(name)), rest)) => {
                self.nodes = rest;
                name.clone()
            }
            _ => String::new(),
        }
    }

    /// A name with its schema.
    fn qualified(&mut self) -> String {
        let mut name = self.word();
        while let Some((first, rest)) = self.nodes.split_first()
            && first.is_sign(".")
        {
            self.nodes = rest;
            name = format!("{name}.{}", self.word());
        }
        name
    }

    fn skip(&mut self) -> bool {
        self.nodes = self.nodes.get(1..).unwrap_or_default();
        !self.nodes.is_empty()
    }
}

fn listed(nodes: &[Node]) -> String {
    nodes.split(|node| node.is_sign(",")).map(text).collect::<Vec<_>>().join(", ")
}

fn check(facts: &mut Facts) {
    let Some(definition) = facts.remove("definition") else { return };
    let nodes = tree(tokens(&definition));
    let mut reader = Reader { nodes: &nodes };
    if reader.takes("check")
        && let Some(inside) = reader.group()
    {
        facts.insert(part::CHECK, text(inside));
    }
    tail(&mut reader, facts);
}

/// PRIMARY KEY, UNIQUE, FOREIGN KEY, CHECK or EXCLUDE, as `pg_get_constraintdef` prints them.
fn constraint(facts: &mut Facts) {
    let is = match facts.get("is").map(String::as_str) {
        Some("p") => "primary key",
        Some("u") => "unique constraint",
        Some("f") => "foreign key",
        Some("x") => "exclusion constraint",
        _ => "check constraint",
    };
    facts.insert("is", is.to_owned());
    if is == "check constraint" {
        return check(facts);
    }
    let Some(definition) = facts.remove("definition") else { return };
    let nodes = tree(tokens(&definition));
    let mut reader = Reader { nodes: &nodes };
    if reader.takes("exclude using") {
        let method = reader.word();
        let inside = reader.group().map(listed).unwrap_or_default();
        facts.insert(part::EXCLUDE, format!("{method} ({inside})"));
    } else {
        let _ = reader.takes("primary key") || reader.takes("foreign key") || reader.takes("unique");
        if reader.takes("nulls not distinct") {
            facts.insert(part::NULLS, "not distinct".to_owned());
        }
        facts.insert(part::COLUMNS, reader.group().map(listed).unwrap_or_default());
    }
    if reader.takes("references") {
        let table = reader.qualified();
        let columns = reader.group().map(listed).unwrap_or_default();
        facts.insert(part::REFERENCES, format!("{table} ({columns})"));
    }
    tail(&mut reader, facts);
}

/// What may follow the columns of a constraint or an index.
fn tail(reader: &mut Reader<'_>, facts: &mut Facts) {
    loop {
        if reader.takes("include") {
            facts.insert(part::INCLUDE, reader.group().map(listed).unwrap_or_default());
        } else if reader.takes("nulls not distinct") {
            facts.insert(part::NULLS, "not distinct".to_owned());
        } else if reader.takes("with") {
            let options =
                reader.group().map(listed).unwrap_or_default().replace(" = ", "=").replace('\'', "");
            let mut options: Vec<&str> = options
                .split(", ")
                .filter(|option| !["fillfactor=90", "deduplicate_items=on", "fastupdate=on"].contains(option))
                .collect();
            options.sort_unstable();
            if !options.is_empty() {
                facts.insert("options", options.join(", "));
            }
        } else if reader.takes("where") {
            facts.insert(
                part::WHERE,
                text(reader.nodes.split(|node| node.is_name("deferrable")).next().unwrap_or_default()),
            );
            while reader.nodes.first().is_some_and(|node| !node.is_name("deferrable")) && reader.skip() {}
        } else if reader.takes("match") {
            facts.insert(part::MATCH, reader.word());
        } else if reader.takes("on delete") {
            let action = action(reader);
            facts.insert(part::ON_DELETE, action);
        } else if reader.takes("on update") {
            let action = action(reader);
            facts.insert(part::ON_UPDATE, action);
        } else if reader.takes("deferrable") {
            let deferred = reader.takes("initially deferred");
            facts.insert(part::DEFERRABLE, if deferred { "initially deferred" } else { "yes" }.to_owned());
        } else if reader.takes("not valid") {
            facts.insert(part::VALIDATED, "no".to_owned());
        } else if reader.takes("not enforced") {
            facts.insert(part::ENFORCED, "no".to_owned());
        } else if reader.takes("no inherit") {
            facts.insert(part::NO_INHERIT, "yes".to_owned());
        } else if !reader.skip() {
            return;
        }
    }
}

fn action(reader: &mut Reader<'_>) -> String {
    let mut words = vec![reader.word()];
    if matches!(words.first().map(String::as_str), Some("set" | "no")) {
        words.push(reader.word());
    }
    let mut action = words.join(" ");
    if let Some(columns) = reader.group() {
        action = format!("{action} ({})", listed(columns));
    }
    action
}

/// `CREATE [UNIQUE] INDEX name ON table USING method (…) …`, as `pg_get_indexdef` prints it.
fn index(facts: &mut Facts) {
    let Some(definition) = facts.remove("definition") else { return };
    let nodes = tree(tokens(&definition));
    let mut reader = Reader { nodes: &nodes };
    let _ = reader.takes("create");
    if reader.takes("unique") {
        facts.insert(part::UNIQUE, "yes".to_owned());
    }
    let _ = reader.takes("index");
    let _ = reader.word();
    let _ = reader.takes("on") && reader.takes("only");
    let _ = reader.qualified();
    let _ = reader.takes("using");
    facts.insert(part::METHOD, reader.word());
    facts.insert(part::COLUMNS, reader.group().map(listed).unwrap_or_default());
    tail(&mut reader, facts);
}
