//! Statements for what both sides have, and have otherwise.

use super::catalog::{Catalog, Facts, Identity, Kind};
use super::pair::Difference;
use super::statement::{create, index_path, labels, literal, path, quoted, remark};

/// The live one gets the name that it should have.
pub(crate) fn renamed(difference: &Difference, to: &Identity) -> String {
    let of = &difference.of;
    let moved = of.schema != to.schema && (&of.relation, &of.name) == (&to.relation, &to.name);
    let word = match (of.kind, difference.is.as_str()) {
        (Kind::Relation, "view") => "VIEW",
        (Kind::Relation, "materialized view") => "MATERIALIZED VIEW",
        (Kind::Relation, _) => "TABLE",
        (Kind::Sequence, _) => "SEQUENCE",
        (Kind::Type, "domain") => "DOMAIN",
        (Kind::Type, _) => "TYPE",
        (Kind::Index, _) => return format!("ALTER INDEX {} RENAME TO {};", index_path(to), quoted(&of.name)),
        (Kind::Schema, _) => {
            return format!("ALTER SCHEMA {} RENAME TO {};", quoted(&to.schema), quoted(&of.schema));
        }
        (Kind::Column | Kind::Constraint, is) if is != "view column" => {
            let part = if of.kind == Kind::Column { "COLUMN" } else { "CONSTRAINT" };
            let (old, new) = (quoted(&to.name), quoted(&of.name));
            return format!("ALTER TABLE {} RENAME {part} {old} TO {new};", path(to));
        }
        _ => return remark(difference, "rename it by hand"),
    };
    if moved {
        return format!("ALTER {word} {} SET SCHEMA {};", path(to), quoted(&of.schema));
    }
    let name = if of.relation.is_empty() { &of.name } else { &of.relation };
    format!("ALTER {word} {} RENAME TO {};", path(to), quoted(name))
}

/// What both have, brought to what it should be.
pub(crate) fn differs(
    difference: &Difference,
    aspect: &str,
    (wanted, live): (Option<&str>, Option<&str>),
    expected: &Catalog,
) -> Vec<String> {
    let of = &difference.of;
    let by_hand = || {
        let what = if aspect == "is" { "what it is".to_owned() } else { format!("its {aspect}") };
        vec![remark(difference, &format!("{what} is left to you"))]
    };
    let alter =
        |what: String| vec![format!("ALTER TABLE {} ALTER COLUMN {} {what};", path(of), quoted(&of.name))];
    match (of.kind, aspect) {
        (_, "comment") => commented(of, &difference.is, wanted).map_or_else(by_hand, |sql| vec![sql]),
        (_, "owner" | "grants") => by_hand(),
        (Kind::Column, "default") if difference.is != "view column" => match wanted {
            Some(value) => alter(format!("SET DEFAULT {value}")),
            None => alter("DROP DEFAULT".to_owned()),
        },
        (Kind::Column, "not null") if wanted.is_some() => alter("SET NOT NULL".to_owned()),
        (Kind::Column, "not null") => alter("DROP NOT NULL".to_owned()),
        (Kind::Column, "type") if is_wider(live, wanted) => {
            alter(format!("TYPE {}", wanted.unwrap_or_default()))
        }
        (Kind::Column, "type") => {
            vec![remark(
                difference,
                "not written: the rows that are there may not fit its type, or lose by it",
            )]
        }
        (Kind::Type, "labels") => added(of, (wanted, live))
            .unwrap_or_else(|| vec![remark(difference, "not written: labels can only be added")]),
        (Kind::Relation, "definition") if difference.is == "view" => again(of, &difference.facts, expected)
            .map_or_else(by_hand, |sql| vec![sql.replacen("CREATE VIEW", "CREATE OR REPLACE VIEW", 1)]),
        (Kind::Relation, "row security") => {
            let word = if wanted.is_some() { "ENABLE" } else { "DISABLE" };
            vec![format!("ALTER TABLE {} {word} ROW LEVEL SECURITY;", path(of))]
        }
        (Kind::Relation, "persistence") => {
            let word = if wanted.is_some() { "UNLOGGED" } else { "LOGGED" };
            vec![format!("ALTER TABLE {} SET {word};", path(of))]
        }
        (Kind::Trigger | Kind::Rule, "fires") => match wanted {
            None => {
                let word = of.kind.word().to_uppercase();
                vec![format!("ALTER TABLE {} ENABLE {word} {};", path(of), quoted(&of.name))]
            }
            Some(_) => by_hand(),
        },
        (
            Kind::Index | Kind::Constraint | Kind::Trigger | Kind::Rule | Kind::Statistics | Kind::Routine,
            _,
        ) => made_again(difference, expected).unwrap_or_else(by_hand),
        _ => by_hand(),
    }
}

fn again(of: &Identity, facts: &Facts, expected: &Catalog) -> Option<String> {
    create(of, facts, expected).ok()
}

/// What holds no rows goes and comes again.
fn made_again(difference: &Difference, expected: &Catalog) -> Option<Vec<String>> {
    let of = &difference.of;
    let made = again(of, &difference.facts, expected)?;
    let name = quoted(&of.name);
    // What is said of it goes with it, and comes again.
    let comment = difference.facts.get("comment");
    let comment = comment.and_then(|text| commented(of, &difference.is, Some(text)));
    let again = match of.kind {
        Kind::Constraint => {
            let add = made.strip_prefix(&format!("ALTER TABLE {} ", path(of)))?.to_owned();
            vec![format!("ALTER TABLE {} DROP CONSTRAINT {name}, {add}", path(of))]
        }
        Kind::Index => vec![format!("DROP INDEX {};", index_path(of)), made],
        Kind::Trigger => vec![format!("DROP TRIGGER {name} ON {};", path(of)), made],
        Kind::Rule => vec![made.replacen("CREATE RULE", "CREATE OR REPLACE RULE", 1)],
        Kind::Statistics => vec![format!("DROP STATISTICS {};", index_path(of)), made],
        _ => vec![made],
    };
    Some(again.into_iter().chain(comment).collect())
}

/// Every value of the one is a value of the other, and none gets another meaning.
fn is_wider(live: Option<&str>, wanted: Option<&str>) -> bool {
    let (Some(live), Some(wanted)) = (live, wanted) else { return false };
    let whole = ["smallint", "integer", "bigint"];
    let place = |name: &str| whole.iter().position(|kind| *kind == name);
    if let (Some(from), Some(to)) = (place(live), place(wanted)) {
        return from < to;
    }
    let length = |kind: &str| -> Option<u32> {
        kind.strip_prefix("character varying")?.strip_prefix('(')?.strip_suffix(')')?.parse().ok()
    };
    match (length(live), length(wanted)) {
        (Some(from), Some(to)) => from < to,
        (Some(_), None) => ["text", "character varying"].contains(&wanted),
        _ => false,
    }
}

/// Labels that are missing, each after the one that it should stand behind.
fn added(of: &Identity, (wanted, live): (Option<&str>, Option<&str>)) -> Option<Vec<String>> {
    let (wanted, live) = (labels(wanted), labels(live));
    let kept: Vec<&String> = wanted.iter().filter(|label| live.contains(label)).collect();
    if kept.len() != live.len() || kept.iter().zip(&live).any(|(one, other)| *one != other) {
        return None;
    }
    let mut out = Vec::new();
    let mut before: Option<&String> = None;
    for label in &wanted {
        if !live.contains(label) {
            let place = match (before, live.first()) {
                (Some(before), _) => format!(" AFTER {}", literal(before)),
                (None, Some(first)) => format!(" BEFORE {}", literal(first)),
                (None, None) => String::new(),
            };
            out.push(format!("ALTER TYPE {} ADD VALUE {}{place};", path(of), literal(label)));
        }
        before = Some(label);
    }
    Some(out)
}

pub(crate) fn commented(of: &Identity, is: &str, wanted: Option<&str>) -> Option<String> {
    let on = match (of.kind, is) {
        (Kind::Column, _) => format!("COLUMN {}.{}", path(of), quoted(&of.name)),
        (Kind::Relation, "table" | "partitioned table") => format!("TABLE {}", path(of)),
        (Kind::Relation, "view") => format!("VIEW {}", path(of)),
        (Kind::Relation, "materialized view") => format!("MATERIALIZED VIEW {}", path(of)),
        (Kind::Type, "domain") => format!("DOMAIN {}", path(of)),
        (Kind::Type, _) => format!("TYPE {}", path(of)),
        (Kind::Schema, _) => format!("SCHEMA {}", quoted(&of.schema)),
        (Kind::Index, _) => format!("INDEX {}", index_path(of)),
        (Kind::Constraint, _) => format!("CONSTRAINT {} ON {}", quoted(&of.name), path(of)),
        (Kind::Trigger, _) => format!("TRIGGER {} ON {}", quoted(&of.name), path(of)),
        (Kind::Sequence, _) => format!("SEQUENCE {}", path(of)),
        _ => return None,
    };
    Some(format!("COMMENT ON {on} IS {};", wanted.map_or_else(|| "NULL".to_owned(), literal)))
}
