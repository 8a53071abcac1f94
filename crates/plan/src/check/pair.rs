//! Two catalogs side by side: what only one has, what both have under two names, and what differs.

use std::collections::BTreeSet;

use super::catalog::{Catalog, Facts, Identity, Kind};
use super::rename;
use super::same::{Renames, same};

/// What is different about an object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Change {
    /// Only the first has it, or only the second.
    Lone {
        in_first: bool,
    },
    /// The second has it under this name.
    Renamed {
        to: Identity,
    },
    Differs {
        aspect: &'static str,
        first: Option<String>,
        second: Option<String>,
    },
}

/// One difference between two catalogs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Difference {
    /// As the first calls it, where it has it.
    pub of: Identity,
    /// `table`, `foreign key`: the object's kind in words.
    pub is: String,
    pub change: Change,
    /// The object's own facts on the side that has it, the first's where both do.
    pub facts: Facts,
}

/// Attributes that help to compare, and are not compared.
const ASIDE: [&str; 3] = ["provides", "serves", "statement"];

/// Every difference, unfolded and ungraded.
pub(crate) fn differences(first: &Catalog, second: &Catalog) -> (Vec<Difference>, Renames) {
    let mut pair = rename::Pairing::new(first, second);
    pair.find();
    let rename::Pairing { second: renamed, renames, found, .. } = pair;
    let mut out: Vec<Difference> = found;
    for (identity, facts) in &first.objects {
        match renamed.objects.get(identity) {
            Some(other) => compare(identity, facts, other, &renames, &mut out),
            None => out.push(lone(identity, facts, true)),
        }
    }
    let only_second = renamed.objects.iter().filter(|(identity, _)| !first.objects.contains_key(*identity));
    out.extend(only_second.map(|(identity, facts)| lone(identity, facts, false)));
    order(first, &renamed, &mut out);
    for difference in out.iter_mut().filter(|difference| difference.of.kind == Kind::Column) {
        if is_view(first, &renamed, &difference.of.owner()) {
            "view column".clone_into(&mut difference.is);
        }
    }
    // Columns of a view are its definition's.
    out.retain(|difference| {
        let is_lone = matches!(difference.change, Change::Lone { .. });
        !(is_lone && difference.is == "view column")
    });
    (out, renames)
}

fn is_view(first: &Catalog, second: &Catalog, relation: &Identity) -> bool {
    [first, second].iter().any(|side| side.fact(relation, "is").is_some_and(|is| is.ends_with("view")))
}

fn lone(identity: &Identity, facts: &Facts, in_first: bool) -> Difference {
    Difference {
        of: identity.clone(),
        is: word(identity.kind, facts),
        change: Change::Lone { in_first },
        facts: facts.clone(),
    }
}

/// What an object is, in words.
pub(crate) fn word(kind: Kind, facts: &Facts) -> String {
    let unique = facts.contains_key("unique");
    match facts.get("is") {
        Some(is) => is.clone(),
        None if kind == Kind::Index && unique => "unique index".to_owned(),
        None => kind.word(),
    }
}

fn compare(identity: &Identity, facts: &Facts, other: &Facts, renames: &Renames, out: &mut Vec<Difference>) {
    if facts == other {
        return;
    }
    let mut aspects: BTreeSet<&'static str> = facts.keys().copied().collect();
    aspects.extend(other.keys().copied());
    let kind_of = |facts: &'_ Facts| facts.get("type").cloned().unwrap_or_default();
    let types = (kind_of(facts), kind_of(other));
    // A sequence that only serves its column's default has its bounds by its type, and its type from who made it.
    let serves = facts.contains_key("serves") || other.contains_key("serves");
    let by_itself =
        |aspect: &&&str| serves && identity.kind == Kind::Sequence && ["type", "maximum"].contains(*aspect);
    let aspects: Vec<&'static str> =
        aspects.into_iter().filter(|aspect| !ASIDE.contains(aspect) && !by_itself(&aspect)).collect();
    for aspect in aspects {
        let (a, b) = (facts.get(aspect), other.get(aspect));
        if a == b
            || same(
                identity.kind,
                aspect,
                (&types.0, &types.1),
                a.map(String::as_str),
                b.map(String::as_str),
                renames,
            )
        {
            continue;
        }
        out.push(Difference {
            of: identity.clone(),
            is: word(identity.kind, facts),
            change: Change::Differs { aspect, first: a.cloned(), second: b.cloned() },
            facts: facts.clone(),
        });
    }
}

/// Columns that both have, in another order.
fn order(first: &Catalog, second: &Catalog, out: &mut Vec<Difference>) {
    for (identity, facts) in first.objects.iter().filter(|(identity, _)| identity.kind == Kind::Relation) {
        let is = facts.get("is").map_or("", String::as_str);
        if !second.objects.contains_key(identity) || is.ends_with("view") {
            continue;
        }
        let (a, b) = (first.columns(identity), second.columns(identity));
        if a == b {
            continue;
        }
        let a: Vec<&str> = a.iter().copied().filter(|name| b.contains(name)).collect();
        let b: Vec<&str> = b.iter().copied().filter(|name| a.contains(name)).collect();
        if a != b {
            out.push(Difference {
                of: identity.clone(),
                is: is.to_owned(),
                change: Change::Differs {
                    aspect: "column order",
                    first: Some(a.join(", ")),
                    second: Some(b.join(", ")),
                },
                facts: facts.clone(),
            });
        }
    }
}
