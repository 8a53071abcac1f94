//! Findings over all sides: each side against one of them, joined where the same thing differs.

use std::collections::BTreeMap;

use super::catalog::{Catalog, Identity, Kind, Unseen};
use super::finding::{Finding, Severity, Side};
use super::fold::{Cause, Parents, fold};
use super::pair::{Change, differences};
use super::statement::statements;

/// Kinds that models need not describe: where they describe none at all, they are not compared.
const OPTIONAL: [Kind; 25] = [
    Kind::Extension,
    Kind::Collation,
    Kind::DomainConstraint,
    Kind::Routine,
    Kind::Statistics,
    Kind::Trigger,
    Kind::Rule,
    Kind::Policy,
    Kind::EventTrigger,
    Kind::Operator,
    Kind::OperatorClass,
    Kind::OperatorFamily,
    Kind::Cast,
    Kind::Transform,
    Kind::Language,
    Kind::Conversion,
    Kind::TextSearchConfiguration,
    Kind::TextSearchDictionary,
    Kind::TextSearchParser,
    Kind::TextSearchTemplate,
    Kind::Publication,
    Kind::ForeignDataWrapper,
    Kind::ForeignServer,
    Kind::DefaultPrivileges,
    Kind::SecurityLabel,
];

/// What the sides disagree about, the worst first. The first of `sides` that is the migrations is what the others are
/// held against.
///
/// ```
/// use plan::check::{Catalog, Side, findings};
/// let facts = |text| serde_json::from_str(text).unwrap();
/// let mut first = Catalog::default();
/// first.add("relation", "public", "users", "", &facts(r#"{"is": "table"}"#));
/// let found = findings(&[(Side::First, first), (Side::Second, Catalog::default())]);
/// assert_eq!((found[0].object.as_str(), found[0].aspect.as_str()), ("users", "missing"));
/// ```
#[must_use]
pub fn findings(sides: &[(Side, Catalog)]) -> Vec<Finding> {
    let at = sides.iter().position(|(side, _)| *side == Side::Migrations).unwrap_or(0);
    let Some((reference, expected)) = sides.get(at) else { return Vec::new() };
    let mut merged: BTreeMap<(Identity, String), Finding> = BTreeMap::new();
    for (side, catalog) in sides.iter().enumerate().filter(|(other, _)| *other != at).map(|(_, side)| side) {
        let (a, b) = comparable((*reference, expected), (*side, catalog), sides);
        let (found, _) = differences(&a, &b);
        for cause in fold(&found, &parents(&[&a, &b])) {
            let (key, mut finding) = told(&cause, *reference, *side);
            if *side != Side::Models && *reference != Side::Models {
                finding.sql = statements(&cause, &a);
            }
            merged.entry(key).and_modify(|earlier| join(earlier, &finding)).or_insert(finding);
        }
    }
    let all: Vec<Side> = sides.iter().map(|(side, _)| *side).collect();
    let mut out: Vec<(Identity, Finding)> = merged
        .into_iter()
        .map(|((identity, _), finding)| (identity, completed(finding, *reference, &all)))
        .collect();
    out.sort_by(|(a, one), (b, two)| {
        two.severity.cmp(&one.severity).then_with(|| a.kind.cmp(&b.kind)).then_with(|| a.cmp(b))
    });
    out.into_iter().map(|(_, finding)| finding).chain(sides.iter().flat_map(unseen)).collect()
}

/// What a side's role was not shown: it is compared on no side, and silence would look like agreement.
fn unseen((side, catalog): &(Side, Catalog)) -> Vec<Finding> {
    let one = |unseen: &Unseen| Finding {
        severity: Severity::Warning,
        kind: "side".to_owned(),
        object: side.to_string(),
        aspect: format!("{} not visible", unseen.kind.word()),
        sides: [(*side, None)].into(),
        alone: Some(*side),
        with: Vec::new(),
        hint: Some(format!("{}: no {} was compared", unseen.why, unseen.kind.word())),
        sql: Vec::new(),
    };
    catalog.unseen.iter().map(one).collect()
}

/// The two without what one of them can't be asked about: settings and rights that a scratch database never had, kinds
/// that the models leave to the migrations.
fn comparable(
    first: (Side, &Catalog),
    second: (Side, &Catalog),
    sides: &[(Side, Catalog)],
) -> (Catalog, Catalog) {
    let pairs_any = first.0 == Side::First;
    let models =
        [first, second].into_iter().find(|(side, _)| *side == Side::Models).map(|(_, catalog)| catalog);
    let leave = |identity: &Identity| {
        let of_database =
            matches!(identity.kind, Kind::Setting | Kind::Database | Kind::Subscription | Kind::UserMapping);
        let undescribed = models.is_some_and(|models| is_undescribed(models, identity));
        let hidden =
            sides.iter().flat_map(|(_, side)| &side.unseen).any(|unseen| unseen.kind == identity.kind);
        (of_database && !pairs_any) || undescribed || hidden
    };
    let mut out = (first.1.without(leave), second.1.without(leave));
    if let Some(models) = models {
        out.0.keep_described(models);
        out.1.keep_described(models);
    }
    out
}

/// What each relation is a part of, on either side.
fn parents(sides: &[&Catalog]) -> Parents {
    let mut out = Parents::new();
    for (identity, facts) in sides.iter().flat_map(|side| &side.objects) {
        if let (Kind::Relation, Some(parents)) = (identity.kind, facts.get("parents")) {
            out.insert((identity.schema.clone(), identity.relation.clone()), parents.clone());
        }
    }
    out
}

fn is_undescribed(models: &Catalog, identity: &Identity) -> bool {
    let describes = |kind: Kind| models.objects.keys().any(|other| other.kind == kind);
    if OPTIONAL.contains(&identity.kind) {
        return !describes(identity.kind);
    }
    // The schema that every database begins with.
    identity.kind == Kind::Schema && identity.schema == "public"
}

/// A difference in words.
fn told(cause: &Cause, first: Side, second: Side) -> ((Identity, String), Finding) {
    let of = &cause.difference.of;
    let (aspect, a, b) = match &cause.difference.change {
        Change::Lone { in_first } => {
            let what = || Some(present(cause));
            ("missing".to_owned(), what().filter(|_| *in_first), what().filter(|_| !*in_first))
        }
        Change::Renamed { to } => {
            let aspect = if to.schema != of.schema && to.relation == of.relation && to.name == of.name {
                "schema"
            } else {
                "name"
            };
            (aspect.to_owned(), Some(of.shown()), Some(to.shown()))
        }
        Change::Differs { aspect, first, second } => ((*aspect).to_owned(), first.clone(), second.clone()),
    };
    let finding = Finding {
        severity: cause.severity,
        kind: cause.difference.is.clone(),
        object: object(of),
        aspect: aspect.clone(),
        sides: [(first, a), (second, b)].into(),
        alone: None,
        with: cause.with.iter().cloned().collect(),
        hint: None,
        sql: Vec::new(),
    };
    ((of.clone(), aspect), finding)
}

fn object(of: &Identity) -> String {
    match of.kind {
        Kind::Database => "database".to_owned(),
        _ => of.shown(),
    }
}

/// What a lone object is, in short.
fn present(cause: &Cause) -> String {
    let facts = &cause.difference.facts;
    let of = |key: &str| facts.get(key).cloned();
    let text = match cause.difference.of.kind {
        Kind::Column => {
            let not_null = if facts.contains_key("not null") { " not null" } else { "" };
            let default = of("default").map(|default| format!(" default {default}")).unwrap_or_default();
            of("type").map(|kind| format!("{kind}{not_null}{default}"))
        }
        Kind::Constraint | Kind::Index => {
            let columns =
                of("columns").map(|columns| format!("({columns})")).or(of("check")).or(of("exclude"));
            let references = of("references").map(|to| format!(" references {to}")).unwrap_or_default();
            columns.map(|columns| format!("{columns}{references}"))
        }
        Kind::Type => of("labels").or(of("base type")),
        Kind::Setting => of("value"),
        _ => None,
    };
    text.unwrap_or_else(|| "present".to_owned())
}

/// The same thing differs on another side too.
fn join(earlier: &mut Finding, finding: &Finding) {
    earlier.severity = earlier.severity.max(finding.severity);
    for (side, value) in &finding.sides {
        earlier.sides.entry(*side).or_insert_with(|| value.clone());
    }
    if earlier.sql.is_empty() {
        earlier.sql.clone_from(&finding.sql);
    }
    for name in &finding.with {
        if !earlier.with.contains(name) {
            earlier.with.push(name.clone());
        }
    }
}

/// A side that is not in it agrees with the reference; who disagrees with all others stands alone.
fn completed(mut finding: Finding, reference: Side, all: &[Side]) -> Finding {
    let expected = finding.sides.get(&reference).cloned().flatten();
    for side in all {
        finding.sides.entry(*side).or_insert_with(|| expected.clone());
    }
    finding.alone = all.iter().copied().find(|side| {
        let others: Vec<_> =
            all.iter().filter(|other| *other != side).map(|other| finding.sides.get(other)).collect();
        all.len() > 2
            && others.iter().all(|other| Some(other) == others.first())
            && others.first() != Some(&finding.sides.get(side))
    });
    if let [a, b] = all {
        let has = |side: &Side| finding.sides.get(side).is_some_and(Option::is_some);
        finding.alone = match (finding.aspect == "missing", has(a), has(b)) {
            (true, true, false) => Some(*a),
            (true, false, true) => Some(*b),
            _ => None,
        };
    }
    finding
}

/// A side that could not be had is a finding of its own: silence would look like agreement.
#[must_use]
pub fn absent(side: Side, why: &str) -> Finding {
    Finding {
        severity: Severity::Error,
        kind: "side".to_owned(),
        object: side.to_string(),
        aspect: "missing".to_owned(),
        sides: [(side, None)].into(),
        alone: Some(side),
        with: Vec::new(),
        hint: Some(why.to_owned()),
        sql: Vec::new(),
    }
}
