//! Finds what two sides have under two names, so that it is one finding and what refers to it is none.

use super::catalog::{Catalog, Facts, Identity, Kind};
use super::pair::{Change, Difference, word};
use super::same::{Renames, same};

/// The second catalog, more and more under the first one's names.
pub(crate) struct Pairing<'a> {
    first: &'a Catalog,
    pub second: Catalog,
    pub renames: Renames,
    pub found: Vec<Difference>,
}

/// What says nothing about whether two objects are one.
const BESIDE: [&str; 13] = [
    "statement",
    "comment",
    "owner",
    "grants",
    "options",
    "clustered",
    "valid",
    "tablespace",
    "statistics target",
    "fires",
    "serves",
    "validated",
    "replica identity",
];

impl<'a> Pairing<'a> {
    pub(crate) fn new(first: &'a Catalog, second: &Catalog) -> Self {
        Self { first, second: second.clone(), renames: Renames::default(), found: Vec::new() }
    }

    /// From the large to the small: a renamed table's columns are looked at under its new name.
    pub(crate) fn find(&mut self) {
        self.labels();
        self.moved_extensions();
        for kind in [
            Kind::Schema,
            Kind::Type,
            Kind::Relation,
            Kind::Sequence,
            Kind::Column,
            Kind::Routine,
            Kind::Collation,
        ] {
            self.of(kind);
        }
        for kind in [
            Kind::Constraint,
            Kind::DomainConstraint,
            Kind::Index,
            Kind::Trigger,
            Kind::Policy,
            Kind::Rule,
            Kind::Statistics,
            Kind::Extension,
        ] {
            self.of(kind);
        }
        self.unique();
    }

    /// What an extension that moved provides is spoken of by its new schema.
    fn moved_extensions(&mut self) {
        let extensions = self.first.objects.iter().filter(|(identity, _)| identity.kind == Kind::Extension);
        for (identity, facts) in extensions {
            if let (Some(here), Some(there)) = (facts.get("schema"), self.second.fact(identity, "schema")) {
                self.renames.add(here, there);
            }
        }
    }

    /// A label of an enum that is another word in the second: what uses it differs with it.
    fn labels(&mut self) {
        for (identity, facts) in self.first.objects.iter().filter(|(identity, _)| identity.kind == Kind::Type)
        {
            let labels = |facts: &Facts| -> Vec<String> {
                facts.get("labels").and_then(|labels| serde_json::from_str(labels).ok()).unwrap_or_default()
            };
            let (a, b) = (labels(facts), self.second.objects.get(identity).map(labels).unwrap_or_default());
            if a.len() == b.len() {
                for (a, b) in a.iter().zip(&b).filter(|(one, _)| !b.contains(one)) {
                    self.renames.add(a, b);
                }
            }
        }
    }

    fn lone(&self, kind: Kind) -> (Vec<Identity>, Vec<Identity>) {
        let only = |one: &Catalog, other: &Catalog| -> Vec<Identity> {
            let ids = one.objects.keys().filter(|identity| identity.kind == kind);
            ids.filter(|identity| !other.objects.contains_key(*identity)).cloned().collect()
        };
        (only(self.first, &self.second), only(&self.second, self.first))
    }

    /// Pairs the best first, each once.
    fn of(&mut self, kind: Kind) {
        let (first, second) = self.lone(kind);
        // Two large sides that share nothing have nothing renamed; every pair of them would take long.
        if first.is_empty() || second.is_empty() || first.len() * second.len() > 250_000 {
            return;
        }
        let mut scored: Vec<(u32, Identity, Identity)> = Vec::new();
        for a in &first {
            for b in &second {
                let score = self.score(a, b);
                if score > 0 {
                    scored.push((score, a.clone(), b.clone()));
                }
            }
        }
        scored.sort_by(|(one, a, b), (two, c, d)| two.cmp(one).then_with(|| (a, b).cmp(&(c, d))));
        let mut taken: Vec<Identity> = Vec::new();
        for (_, a, b) in scored {
            if taken.contains(&a) || taken.contains(&b) {
                continue;
            }
            self.pair(&a, &b);
            taken.extend([a, b]);
        }
    }

    /// How much speaks for one object under two names; 0 when it is two.
    fn score(&self, a: &Identity, b: &Identity) -> u32 {
        let (Some(one), Some(two)) = (self.first.objects.get(a), self.second.objects.get(b)) else {
            return 0;
        };
        let near = nearness(last(a), last(b));
        match a.kind {
            Kind::Schema => {
                self.overlap(&|identity| identity.schema == a.schema, &|identity| identity.schema == b.schema)
            }
            Kind::Relation if one.get("is") == two.get("is") || a.relation == b.relation => {
                let columns = self.overlap(
                    &|identity| identity.kind == Kind::Column && identity.owner() == *a,
                    &|identity| identity.kind == Kind::Column && identity.owner() == *b,
                );
                let defined =
                    one.contains_key("definition") && one.get("definition") == two.get("definition");
                if columns >= 60 || defined { columns + near + 1 } else { 0 }
            }
            Kind::Type => {
                let alike = self.alike(a.kind, one, two);
                let labels = one.get("is") == two.get("is") && near >= 70;
                if alike {
                    200 + near
                } else if labels {
                    near
                } else {
                    0
                }
            }
            Kind::Column => self.column(a, b, one, two, near),
            Kind::Sequence => {
                let owned = one.contains_key("owned by") && one.get("owned by") == two.get("owned by");
                if owned || (near >= 60 && self.alike(a.kind, one, two)) { 100 + near } else { 0 }
            }
            Kind::Routine => {
                let name =
                    |identity: &Identity| identity.name.split('(').next().unwrap_or_default().to_owned();
                if name(a) == name(b) && a.schema == b.schema {
                    100 + u32::from(one.get("body") == two.get("body"))
                } else if self.alike(a.kind, one, two)
                    && one.get("body").is_some_and(|body| body.len() > 8 || near >= 60)
                {
                    50 + near / 4
                } else {
                    0
                }
            }
            Kind::Extension => 0,
            _ if a.owner() != b.owner() && a.is_on_relation() => 0,
            Kind::DomainConstraint if a.relation != b.relation => 0,
            _ if self.alike(a.kind, one, two) => 200 + near,
            Kind::Constraint | Kind::Index if self.same_key(one, two) => 100 + near,
            _ => 0,
        }
    }

    fn column(&self, a: &Identity, b: &Identity, one: &Facts, two: &Facts, near: u32) -> u32 {
        if a.owner() != b.owner() {
            return 0;
        }
        let is = |attribute: &str| {
            let (one, two) = (one.get(attribute).map(String::as_str), two.get(attribute).map(String::as_str));
            same(Kind::Column, attribute, ("", ""), one, two, &self.renames)
        };
        if !is("type") {
            return if near >= 80 { near } else { 0 };
        }
        let place = |side: &Catalog, identity: &Identity| {
            side.columns(&identity.owner()).iter().position(|name| *name == identity.name)
        };
        let in_place = place(self.first, a) == place(&self.second, b);
        let alike = is("not null") && is("default") && is("identity") && is("generated");
        if near >= 60 || (alike && in_place) { 100 + near + 50 * u32::from(in_place) } else { 0 }
    }

    /// Hundredths of the smaller set that both have, by name and type.
    fn overlap(&self, of_first: &dyn Fn(&Identity) -> bool, of_second: &dyn Fn(&Identity) -> bool) -> u32 {
        let key = |(identity, facts): (&Identity, &Facts)| {
            (identity.kind, identity.name.clone(), facts.get("type").cloned().unwrap_or_default())
        };
        let a: Vec<_> =
            self.first.objects.iter().filter(|(identity, _)| of_first(identity)).map(key).collect();
        let b: Vec<_> =
            self.second.objects.iter().filter(|(identity, _)| of_second(identity)).map(key).collect();
        let both = a.iter().filter(|key| b.contains(key)).count();
        let most = a.len().max(b.len());
        (both * 100).checked_div(most).and_then(|share| u32::try_from(share).ok()).unwrap_or(0)
    }

    fn alike(&self, kind: Kind, one: &Facts, two: &Facts) -> bool {
        let keys = one.keys().chain(two.keys()).filter(|key| !BESIDE.contains(*key));
        keys.into_iter().all(|key| {
            let (one, two) = (one.get(key).map(String::as_str), two.get(key).map(String::as_str));
            same(kind, key, ("", ""), one, two, &self.renames)
        })
    }

    /// Constraints of one kind on the same columns, indexes on the same columns.
    fn same_key(&self, one: &Facts, two: &Facts) -> bool {
        let is = |attribute: &str| {
            let (one, two) = (one.get(attribute).map(String::as_str), two.get(attribute).map(String::as_str));
            same(Kind::Index, attribute, ("", ""), one, two, &self.renames)
        };
        let has_columns = one.contains_key("columns");
        has_columns && is("is") && is("columns") && is("references") && is("method")
    }

    /// Puts the second's object, and what belongs to it, under the first's name.
    fn pair(&mut self, a: &Identity, b: &Identity) {
        let Some(facts) = self.first.objects.get(a) else { return };
        let of_routine = a.kind == Kind::Routine && a.name.split('(').next() == b.name.split('(').next();
        let change = if of_routine {
            let told = |identity: &Identity| Some(identity.name.clone());
            Change::Differs { aspect: "argument types", first: told(a), second: told(b) }
        } else {
            Change::Renamed { to: b.clone() }
        };
        self.found.push(Difference { of: a.clone(), is: word(a.kind, facts), change, facts: facts.clone() });
        self.renames.add(&a.schema, &b.schema);
        self.renames.add(
            last(a).split('(').next().unwrap_or_default(),
            last(b).split('(').next().unwrap_or_default(),
        );
        let renamed = |identity: &Identity| -> Option<Identity> {
            match a.kind {
                _ if identity == b => Some(a.clone()),
                Kind::Schema if identity.schema == b.schema => {
                    Some(Identity { schema: a.schema.clone(), ..identity.clone() })
                }
                Kind::Relation if identity.is_on_relation() && identity.owner() == *b => Some(Identity {
                    schema: a.schema.clone(),
                    relation: a.relation.clone(),
                    ..identity.clone()
                }),
                Kind::Type if identity.kind == Kind::DomainConstraint && identity.relation == b.name => {
                    Some(Identity { schema: a.schema.clone(), relation: a.name.clone(), ..identity.clone() })
                }
                _ => None,
            }
        };
        let objects = std::mem::take(&mut self.second.objects);
        self.second.objects = objects
            .into_iter()
            .map(|(identity, facts)| (renamed(&identity).unwrap_or(identity), facts))
            .collect();
        self.reorder(a, b);
    }

    fn reorder(&mut self, a: &Identity, b: &Identity) {
        let key = |identity: &Identity| (identity.schema.clone(), identity.relation.clone());
        match a.kind {
            Kind::Relation => {
                if let Some(columns) = self.second.order.remove(&key(b)) {
                    self.second.order.insert(key(a), columns);
                }
            }
            Kind::Schema => {
                let order = std::mem::take(&mut self.second.order);
                let moved = |(schema, relation): (String, String)| {
                    if schema == b.schema { (a.schema.clone(), relation) } else { (schema, relation) }
                };
                self.second.order = order.into_iter().map(|(at, columns)| (moved(at), columns)).collect();
            }
            Kind::Column => {
                for (_, name) in self.second.order.get_mut(&key(a)).into_iter().flatten() {
                    if *name == b.name {
                        name.clone_from(&a.name);
                    }
                }
            }
            _ => {}
        }
    }

    /// A unique constraint of one side that is a unique index on the other.
    fn unique(&mut self) {
        for constraint_first in [true, false] {
            let (constraints, other) = self.lone(Kind::Constraint);
            let (indexes, more) = self.lone(Kind::Index);
            let (constraints, indexes) =
                if constraint_first { (constraints, more) } else { (other, indexes) };
            for constraint in constraints {
                let (of_constraint, of_index) =
                    if constraint_first { (self.first, &self.second) } else { (&self.second, self.first) };
                let columns = of_constraint.fact(&constraint, "columns").filter(|_| {
                    of_constraint.fact(&constraint, "is").is_some_and(|is| is == "unique constraint")
                });
                let Some(columns) = columns else { continue };
                let found = indexes.iter().find(|index| {
                    index.owner() == constraint.owner()
                        && of_index.fact(index, "unique").is_some()
                        && of_index.fact(index, "where").is_none()
                        && of_index.fact(index, "columns") == Some(columns)
                });
                if let Some(index) = found.cloned() {
                    self.as_one(&constraint, &index, constraint_first);
                }
            }
        }
    }

    fn as_one(&mut self, constraint: &Identity, index: &Identity, constraint_first: bool) {
        let (mine, other) = if constraint_first { (constraint, index) } else { (index, constraint) };
        let Some(facts) = self.first.objects.get(mine).cloned() else { return };
        let told = |identity: &Identity| {
            let is = if identity.kind == Kind::Index { "unique index" } else { "unique constraint" };
            Some(format!("{is} {}", identity.name))
        };
        let change = Change::Differs { aspect: "made as", first: told(mine), second: told(other) };
        self.second.objects.remove(other);
        self.second.objects.insert(mine.clone(), facts.clone());
        self.found.push(Difference { of: mine.clone(), is: word(mine.kind, &facts), change, facts });
    }
}

/// The part of a name that makes it one.
fn last(identity: &Identity) -> &str {
    match identity.kind {
        Kind::Schema => &identity.schema,
        Kind::Relation | Kind::Sequence => &identity.relation,
        _ => &identity.name,
    }
}

/// Two names by how much they are alike, in hundredths.
fn nearness(a: &str, b: &str) -> u32 {
    if is_slip(a, b) {
        return 100;
    }
    let longest = a.chars().count().max(b.chars().count()).max(1);
    let distance = strsim::damerau_levenshtein(a, b).min(longest);
    u32::try_from((longest - distance) * 100 / longest).unwrap_or(0)
}

/// Two spellings of one name: `userId`, `user_id`, `UserID`.
pub(crate) fn is_slip(a: &str, b: &str) -> bool {
    let plain = |name: &str| name.replace(['_', '-', ' '], "").to_lowercase();
    plain(a) == plain(b)
}
