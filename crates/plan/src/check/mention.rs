//! Who speaks of whom: the names in what is said of an object, and what is built on what.

use std::collections::BTreeSet;

use super::catalog::{Identity, Kind};
use super::pair::{Change, Difference};
use super::token::{Token, tokens};

/// The lower, the more is built on it.
pub(crate) fn rank(kind: Kind) -> u8 {
    match kind {
        Kind::Schema => 0,
        Kind::Extension => 1,
        Kind::Collation | Kind::ForeignDataWrapper => 2,
        Kind::ForeignServer => 3,
        Kind::Type => 4,
        Kind::DomainConstraint => 5,
        Kind::Routine => 6,
        Kind::Operator | Kind::Language => 7,
        Kind::Sequence => 8,
        Kind::Relation => 9,
        Kind::Column => 10,
        Kind::Constraint => 11,
        _ => 12,
    }
}

/// The words by which others speak of a lone object.
pub(crate) fn names(difference: &Difference) -> Vec<String> {
    let of = &difference.of;
    let own = match of.kind {
        Kind::Schema => of.schema.clone(),
        Kind::Relation | Kind::Sequence => of.relation.clone(),
        Kind::Routine | Kind::Operator => of.name.split('(').next().unwrap_or_default().to_owned(),
        _ => of.name.clone(),
    };
    let provided = difference.facts.get("provides").map(String::as_str).unwrap_or_default();
    std::iter::once(own).chain(provided.split_whitespace().map(str::to_owned)).collect()
}

/// Every name in what a side says of an object.
pub(crate) fn mentions(difference: &Difference, in_first: bool) -> BTreeSet<String> {
    let mut out = BTreeSet::new();
    let mut told: Vec<&str> = Vec::new();
    match &difference.change {
        Change::Differs { first, second, .. } => {
            told.extend(if in_first { first.as_deref() } else { second.as_deref() });
        }
        _ => told.extend(
            difference
                .facts
                .iter()
                .filter(|(key, _)| !["body", "comment", "provides", "statement"].contains(*key))
                .map(|(_, value)| value.as_str()),
        ),
    }
    let other = match &difference.change {
        Change::Differs { first, second, .. } => {
            if in_first {
                second.as_deref()
            } else {
                first.as_deref()
            }
        }
        _ => None,
    };
    for text in told {
        collect(text, &mut out);
    }
    let mut there = BTreeSet::new();
    collect(other.unwrap_or_default(), &mut there);
    out.difference(&there).cloned().collect()
}

pub(crate) fn collect(text: &str, out: &mut BTreeSet<String>) {
    for token in tokens(text) {
        match token {
            Token::Name(name) | Token::Sign(name) => drop(out.insert(name)),
            Token::Text(text) => {
                for token in tokens(&text) {
                    if let Token::Name(name) = token {
                        out.insert(name);
                    }
                }
            }
            Token::Number(_) => {}
        }
    }
}

pub(crate) fn dotted(identity: &Identity) -> String {
    let parts = [&identity.schema, &identity.relation, &identity.name];
    parts.into_iter().filter(|part| !part.is_empty()).cloned().collect::<Vec<_>>().join(".")
}
