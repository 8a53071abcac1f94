//! Statements that bring a database to what it should be, where one is safe to write: no row can get lost by any of
//! them. Where none is, a remark says why.

use super::catalog::{Catalog, Facts, Identity, Kind};
use super::fold::Cause;
use super::mention::rank;
use super::pair::{Change, Difference};
use super::remedy::{commented, differs, renamed};

/// Statements for one cause and all that follows from it, in an order that works.
pub(crate) fn statements(cause: &Cause, expected: &Catalog) -> Vec<String> {
    let own = statement(&cause.difference, expected);
    let signature = ["returns", "arguments", "argument types", "is"];
    let signed = |difference: &&Difference| matches!(&difference.change, Change::Differs { aspect, .. } if signature.contains(aspect));
    let of = &cause.difference;
    if of.of.kind == Kind::Routine
        && let Some(other) = std::iter::once(of).chain(&cause.follows).find(signed)
    {
        // It has to be dropped first, and what uses it with it.
        return vec![remark(other, "its arguments or result are left to you")];
    }
    let holds_others = matches!(cause.difference.of.kind, Kind::Relation | Kind::Schema | Kind::Type);
    if holds_others && own.iter().all(|line| line.starts_with("--")) {
        return own;
    }
    let mut all: Vec<&Difference> = std::iter::once(&cause.difference).chain(&cause.follows).collect();
    all.sort_by_key(|difference| order(difference));
    let mut made: Vec<&Identity> = Vec::new();
    let mut out = Vec::new();
    for difference in &all {
        // What is made as a whole is made once, and its columns with it.
        let whole = difference.of.is_on_relation() && made.contains(&&difference.of.owner());
        if made.contains(&&difference.of)
            || is_inherited(difference, &cause.difference)
            || (whole && difference.of.kind == Kind::Column)
        {
            continue;
        }
        let told = statement(difference, expected);
        if matches!(difference.change, Change::Lone { .. }) || is_made_whole(difference.of.kind) {
            made.push(&difference.of);
        }
        out.extend(told);
    }
    out.extend(all.iter().filter_map(|difference| owned(difference)));
    out
}

/// A child's column changes with its parent's.
fn is_inherited(difference: &Difference, cause: &Difference) -> bool {
    let (of, parent) = (&difference.of, &cause.of);
    of.kind == Kind::Column
        && (of.kind, &of.name) == (parent.kind, &parent.name)
        && of.owner() != parent.owner()
}

fn statement(difference: &Difference, expected: &Catalog) -> Vec<String> {
    match &difference.change {
        Change::Lone { in_first: true } => match create(&difference.of, &difference.facts, expected) {
            Ok(sql) => {
                let facts = &difference.facts;
                let comment = facts.get("comment");
                let comment = comment.and_then(|text| commented(&difference.of, &difference.is, Some(text)));
                let grants = facts.get("grants").map(|_| remark(difference, "its grants are left to you"));
                std::iter::once(sql).chain(comment).chain(grants).collect()
            }
            Err(why) => vec![remark(difference, why)],
        },
        Change::Lone { in_first: false } => vec![remove(difference)],
        Change::Renamed { to } => vec![renamed(difference, to)],
        Change::Differs { aspect, first, second } => {
            differs(difference, aspect, (first.as_deref(), second.as_deref()), expected)
        }
    }
}

fn is_made_whole(kind: Kind) -> bool {
    use Kind::{Constraint, Index, Routine, Rule, Statistics, Trigger};
    matches!(kind, Constraint | Index | Routine | Rule | Statistics | Trigger)
}

/// What is built on others comes after them: a view after the columns that it shows, its index after it.
fn order(difference: &Difference) -> (u8, bool) {
    let is_view = difference.of.kind == Kind::Relation && difference.is.ends_with("view");
    let rank = if is_view { rank(Kind::Constraint) } else { rank(difference.of.kind) };
    (rank, is_view || difference.is == "foreign key")
}

/// A line that says what is left to a person, and why.
pub(crate) fn remark(difference: &Difference, why: &str) -> String {
    let what = format!("{} {}: {why}", difference.is, difference.of.shown());
    // A name may hold the end of a line, and what follows would be run.
    format!("-- {}", what.chars().map(|c| if c.is_control() { ' ' } else { c }).collect::<String>())
}

/// A name as SQL takes it, whatever is in it.
pub(crate) fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

pub(crate) fn literal(text: &str) -> String {
    let odd = |c: char| c == '\\' || (c.is_control() && c != '\n');
    let quoted = format!("'{}'", text.replace('\'', "''"));
    if !text.contains(odd) {
        return quoted;
    }
    let escaped = |c: char| if odd(c) { c.escape_default().to_string() } else { c.to_string() };
    format!("E{}", quoted.chars().map(escaped).collect::<String>())
}

/// Schema and name of a relation, a sequence, a type.
pub(crate) fn path(of: &Identity) -> String {
    let name = if of.relation.is_empty() { &of.name } else { &of.relation };
    format!("{}.{}", quoted(&of.schema), quoted(name))
}

/// An index, whose name stands in the schema of its table.
pub(crate) fn index_path(of: &Identity) -> String {
    format!("{}.{}", quoted(&of.schema), quoted(&of.name))
}

/// What makes it.
pub(crate) fn create(of: &Identity, facts: &Facts, expected: &Catalog) -> Result<String, &'static str> {
    let get = |name: &str| facts.get(name).map(String::as_str);
    let given = || get("statement").ok_or("write it by hand");
    match of.kind {
        Kind::Schema => Ok(format!("CREATE SCHEMA {};", quoted(&of.schema))),
        Kind::Extension => Ok(format!("CREATE EXTENSION {};", quoted(&of.name))),
        Kind::Type => kind(of, facts),
        Kind::Sequence => Ok(sequence(of, facts)),
        Kind::Relation => relation(of, facts, expected),
        Kind::Column => column(of, facts).and_then(|column| {
            let unfilled = facts.contains_key("not null")
                && !["default", "identity", "generated"].iter().any(|key| facts.contains_key(key));
            if unfilled {
                return Err("not written: the rows that are there would have no value for it");
            }
            Ok(format!("ALTER TABLE {} ADD COLUMN {column};", path(of)))
        }),
        Kind::Constraint => {
            Ok(format!("ALTER TABLE {} ADD CONSTRAINT {} {};", path(of), quoted(&of.name), given()?))
        }
        Kind::DomainConstraint => {
            Ok(format!("ALTER DOMAIN {} ADD CONSTRAINT {} {};", path(of), quoted(&of.name), given()?))
        }
        // An index of a partitioned table is printed as of that table alone.
        Kind::Index => Ok(format!("{};", given()?.replacen(" ON ONLY ", " ON ", 1))),
        Kind::Trigger | Kind::Rule | Kind::Statistics => Ok(format!("{};", given()?.trim_end_matches(';'))),
        Kind::Routine => routine(of, facts),
        _ => Err("write it by hand"),
    }
}

fn kind(of: &Identity, facts: &Facts) -> Result<String, &'static str> {
    let get = |name: &str| facts.get(name).map(String::as_str);
    match get("is") {
        Some("enum") => {
            let labels: Vec<String> = labels(get("labels")).iter().map(|label| literal(label)).collect();
            Ok(format!("CREATE TYPE {} AS ENUM ({});", path(of), labels.join(", ")))
        }
        Some("domain") => {
            let base = get("base type").ok_or("write it by hand")?;
            let default = get("default").map(|value| format!(" DEFAULT {value}")).unwrap_or_default();
            let not_null = if facts.contains_key("not null") { " NOT NULL" } else { "" };
            Ok(format!("CREATE DOMAIN {} AS {base}{default}{not_null};", path(of)))
        }
        Some("composite type") => {
            let parts: Vec<(String, String)> =
                get("attributes").and_then(|parts| serde_json::from_str(parts).ok()).unwrap_or_default();
            let parts: Vec<String> =
                parts.iter().map(|(name, kind)| format!("{} {kind}", quoted(name))).collect();
            Ok(format!("CREATE TYPE {} AS ({});", path(of), parts.join(", ")))
        }
        _ => Err("write it by hand"),
    }
}

pub(crate) fn labels(facts: Option<&str>) -> Vec<String> {
    facts.and_then(|labels| serde_json::from_str(labels).ok()).unwrap_or_default()
}

fn sequence(of: &Identity, facts: &Facts) -> String {
    let mut sql = format!("CREATE SEQUENCE {}", path(of));
    let parts = [
        ("type", "AS"),
        ("increment", "INCREMENT BY"),
        ("minimum", "MINVALUE"),
        ("maximum", "MAXVALUE"),
        ("start", "START WITH"),
        ("cache", "CACHE"),
    ];
    for (fact, word) in parts {
        if let Some(value) = facts.get(fact) {
            sql = format!("{sql} {word} {value}");
        }
    }
    if facts.contains_key("cycle") { format!("{sql} CYCLE;") } else { format!("{sql};") }
}

/// A sequence belongs to its column once that is there.
fn owned(difference: &Difference) -> Option<String> {
    let made =
        difference.of.kind == Kind::Sequence && matches!(difference.change, Change::Lone { in_first: true });
    let by = difference.facts.get("owned by").filter(|_| made)?;
    let names: Vec<String> = by.split('.').map(quoted).collect();
    let by = names.join(".");
    (names.len() == 3).then(|| format!("ALTER SEQUENCE {} OWNED BY {by};", path(&difference.of)))
}

fn relation(of: &Identity, facts: &Facts, expected: &Catalog) -> Result<String, &'static str> {
    let get = |name: &str| facts.get(name).map(String::as_str);
    let definition = get("definition").map(|text| text.trim_end().trim_end_matches(';'));
    match (get("is"), definition) {
        (Some("view"), Some(definition)) => {
            let options = ["security barrier", "security invoker", "check option"].into_iter();
            let options = options
                .filter_map(|name| Some(format!("{} = {}", name.replace(' ', "_"), get(name)?)))
                .collect::<Vec<_>>()
                .join(", ");
            let with = if options.is_empty() { options } else { format!(" WITH ({options})") };
            Ok(format!("CREATE VIEW {}{with} AS{definition};", path(of)))
        }
        (Some("materialized view"), Some(definition)) => {
            Ok(format!("CREATE MATERIALIZED VIEW {} AS{definition};", path(of)))
        }
        (Some("table"), _) if !facts.contains_key("parents") && !facts.contains_key("of type") => {
            let columns: Result<Vec<String>, _> = expected
                .columns(of)
                .into_iter()
                .map(|name| {
                    let of = Identity { kind: Kind::Column, name: name.to_owned(), ..of.clone() };
                    column(&of, expected.objects.get(&of).ok_or("write it by hand")?)
                })
                .collect();
            let unlogged = if facts.contains_key("persistence") { "UNLOGGED " } else { "" };
            Ok(format!("CREATE {unlogged}TABLE {} ({});", path(of), columns?.join(", ")))
        }
        _ => Err("write it by hand"),
    }
}

/// A column as CREATE TABLE and ADD COLUMN write it.
fn column(of: &Identity, facts: &Facts) -> Result<String, &'static str> {
    let get = |name: &str| facts.get(name).map(String::as_str);
    let mut sql = format!("{} {}", quoted(&of.name), get("type").ok_or("write it by hand")?);
    if let Some(collation) = get("collation") {
        sql = format!("{sql} COLLATE {collation}");
    }
    if let Some(value) = get("generated") {
        let kept = if get("kept") == Some("virtual") { "VIRTUAL" } else { "STORED" };
        sql = format!("{sql} GENERATED ALWAYS AS ({value}) {kept}");
    }
    if let Some(identity) = get("identity") {
        sql = format!("{sql} GENERATED {} AS IDENTITY", identity.to_uppercase());
    }
    if let Some(value) = get("default") {
        sql = format!("{sql} DEFAULT {value}");
    }
    Ok(if facts.contains_key("not null") { format!("{sql} NOT NULL") } else { sql })
}

/// A function or procedure, written anew over the one that is there.
fn routine(of: &Identity, facts: &Facts) -> Result<String, &'static str> {
    let get = |name: &str| facts.get(name).map(String::as_str);
    let odd = ["support", "transforms", "binary", "leakproof"].iter().any(|fact| facts.contains_key(fact));
    let is = get("is").filter(|is| !odd && ["function", "procedure"].contains(is));
    let (Some(is), Some(body), Some(language)) = (is, get("body"), get("language")) else {
        return Err("write it by hand");
    };
    if !["sql", "plpgsql"].contains(&language) {
        return Err("write it by hand");
    }
    let name = of.name.split('(').next().unwrap_or_default();
    let arguments = get("arguments").unwrap_or_default();
    let mut sql = format!(
        "CREATE OR REPLACE {} {}.{}({arguments})",
        is.to_uppercase(),
        quoted(&of.schema),
        quoted(name)
    );
    if is == "function" {
        sql = format!("{sql} RETURNS {}", get("returns").unwrap_or("void"));
        let volatility = get("volatility").unwrap_or("volatile").to_uppercase();
        let strict = if facts.contains_key("strict") { " STRICT" } else { "" };
        let parallel =
            get("parallel").map(|word| format!(" PARALLEL {}", word.to_uppercase())).unwrap_or_default();
        let cost = get("cost").map(|cost| format!(" COST {cost}")).unwrap_or_default();
        let rows = get("rows").map(|rows| format!(" ROWS {rows}")).unwrap_or_default();
        sql = format!("{sql} {volatility}{strict}{parallel}{cost}{rows}");
    }
    if facts.contains_key("settings") {
        return Err("write it by hand: it has settings of its own");
    }
    let security = if facts.contains_key("security") { " SECURITY DEFINER" } else { "" };
    // A body of statements, not a string, is printed with its own BEGIN ATOMIC or RETURN.
    if language == "sql" && ["BEGIN ATOMIC", "RETURN "].iter().any(|word| body.starts_with(word)) {
        return Ok(format!("{sql} LANGUAGE sql{security} {body};"));
    }
    Ok(format!("{sql} LANGUAGE {language}{security} AS {};", literal(body)))
}

/// What takes it away, where that takes no rows along.
fn remove(difference: &Difference) -> String {
    let of = &difference.of;
    match of.kind {
        Kind::Index => format!("DROP INDEX {};", index_path(of)),
        Kind::Constraint => format!("ALTER TABLE {} DROP CONSTRAINT {};", path(of), quoted(&of.name)),
        Kind::DomainConstraint => {
            format!("ALTER DOMAIN {} DROP CONSTRAINT {};", path(of), quoted(&of.name))
        }
        Kind::Trigger | Kind::Rule | Kind::Policy => {
            let word = of.kind.word().to_uppercase();
            format!("DROP {word} {} ON {};", quoted(&of.name), path(of))
        }
        Kind::Relation if difference.is == "view" => format!("DROP VIEW {};", path(of)),
        Kind::Column if difference.is != "view column" => {
            remark(difference, "not dropped: it may hold what nobody else has")
        }
        Kind::Relation | Kind::Schema | Kind::Sequence => {
            remark(difference, "not dropped: it may hold what nobody else has")
        }
        _ => remark(difference, "not dropped: something may use it"),
    }
}
