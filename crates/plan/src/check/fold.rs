//! One finding for one cause: what follows from another difference goes along with it.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::catalog::{Identity, Kind};
use super::finding::Severity;
use super::meaning::without_casts;
use super::mention::{collect, dotted, mentions, names, rank};
use super::pair::{Change, Difference};
use super::severity::severity;
use super::token::{Token, tokens};

/// A difference with what follows from it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Cause {
    pub difference: Difference,
    pub severity: Severity,
    /// Names of what goes along.
    pub with: BTreeSet<String>,
    pub follows: Vec<Difference>,
}

/// Folds what follows into what it follows from.
pub(crate) fn fold(differences: &[Difference], parents: &Parents) -> Vec<Cause> {
    let fold = Fold::new(differences, parents);
    let causes: Vec<Option<usize>> = (0..differences.len()).map(|at| fold.cause(at)).collect();
    let root = |mut at: usize| {
        // A cause may follow from another one; never in a circle, but a bound costs nothing.
        for _ in 0..8 {
            match causes.get(at).copied().flatten() {
                Some(next) => at = next,
                None => break,
            }
        }
        at
    };
    let roots: Vec<usize> = (0..differences.len()).map(root).collect();
    let mut out: BTreeMap<usize, Cause> = BTreeMap::new();
    for (at, difference) in differences.iter().enumerate() {
        let root = roots.get(at).copied().unwrap_or(at);
        let Some(of) = differences.get(root) else { continue };
        let cause = out.entry(root).or_insert_with(|| Cause {
            difference: of.clone(),
            severity: severity(of),
            with: BTreeSet::new(),
            follows: Vec::new(),
        });
        if root != at {
            // A domain's rules are part of it, and a view that tells a column's other name gives the same rows.
            let retold = of.of.kind == Kind::Column
                && matches!(of.change, Change::Renamed { .. })
                && difference.of.kind == Kind::Relation;
            if difference.of.kind != Kind::DomainConstraint && !retold {
                cause.severity = cause.severity.max(severity(difference));
            }
            cause.follows.push(difference.clone());
            cause.with.insert(match &difference.change {
                Change::Differs { aspect, .. } if difference.of == of.of => format!("its {aspect}"),
                Change::Renamed { to } => to.shown(),
                _ => difference.of.shown(),
            });
        }
    }
    grouped(out.into_values().collect())
}

/// Schema and name of a relation to what it is a partition or a child of.
pub(crate) type Parents = BTreeMap<(String, String), String>;

struct Fold<'a> {
    parents: &'a Parents,
    all: &'a [Difference],
    /// Lone objects by the words that mention them.
    by_word: HashMap<String, Vec<usize>>,
    by_identity: HashMap<&'a Identity, Vec<usize>>,
    types_changed: bool,
}

impl<'a> Fold<'a> {
    fn new(all: &'a [Difference], parents: &'a Parents) -> Self {
        let mut by_word: HashMap<String, Vec<usize>> = HashMap::new();
        let mut by_identity: HashMap<&Identity, Vec<usize>> = HashMap::new();
        for (at, difference) in all.iter().enumerate() {
            by_identity.entry(&difference.of).or_default().push(at);
            if !matches!(difference.change, Change::Lone { .. }) {
                continue;
            }
            for word in names(difference) {
                by_word.entry(word).or_default().push(at);
            }
        }
        let types_changed = all.iter().any(|difference| {
            matches!(difference.change, Change::Differs { aspect: "type" | "base type", .. })
        });
        Self { parents, all, by_word, by_identity, types_changed }
    }

    fn get(&self, identity: &Identity) -> impl Iterator<Item = (usize, &'a Difference)> {
        let found = self.by_identity.get(identity).cloned().unwrap_or_default();
        let all = self.all;
        found.into_iter().filter_map(move |at| Some((at, all.get(at)?)))
    }

    /// What this difference follows from.
    fn cause(&self, at: usize) -> Option<usize> {
        let this = self.all.get(at)?;
        self.relation(at, this)
            .or_else(|| self.column(at, this))
            .or_else(|| self.schema(at, this))
            .or_else(|| self.parent(at, this))
            .or_else(|| self.mentioned(at, this))
            .or_else(|| self.retold(at, this))
            .or_else(|| self.casts(at, this))
    }

    /// Its relation is another thing, or is not there.
    fn relation(&self, at: usize, this: &Difference) -> Option<usize> {
        let owner = this.of.owner();
        let whole = |difference: &Difference| match &difference.change {
            Change::Lone { in_first } => {
                matches!(&this.change, Change::Lone { in_first: mine } if mine == in_first)
            }
            Change::Differs { aspect: "is", .. } => true,
            // What it had from its parent it has by itself now, or the other way round.
            Change::Differs { aspect: "parents", .. } => matches!(this.change, Change::Lone { .. }),
            _ => false,
        };
        if this.of.is_on_relation() || this.of.kind == Kind::Relation {
            return self
                .get(&owner)
                .find(|(other, difference)| *other != at && whole(difference))
                .map(|(other, _)| other);
        }
        if this.of.kind == Kind::DomainConstraint {
            let domain = Identity {
                kind: Kind::Type,
                name: this.of.relation.clone(),
                relation: String::new(),
                ..this.of.clone()
            };
            return self
                .get(&domain)
                .find(|(_, difference)| is_lone(difference) == is_lone(this))
                .map(|(other, _)| other);
        }
        None
    }

    /// Several aspects of one column that change together, and the sequence behind it.
    fn column(&self, at: usize, this: &Difference) -> Option<usize> {
        let aspect = match &this.change {
            Change::Differs { aspect, .. } => aspect,
            Change::Renamed { .. } if this.is == "view column" => return self.view(at, this),
            Change::Renamed { .. } => return self.made_again(at, this),
            Change::Lone { .. } => return self.sequence(at, this),
        };
        let follows: &[&str] = match (this.of.kind, *aspect) {
            (Kind::Column, "default" | "identity options" | "not null" | "kept") => {
                &["generated", "identity"]
            }
            (Kind::Column, "collation" | "storage" | "compression") => &["type"],
            (Kind::Column, "identity") => &["generated"],
            (Kind::Relation, "partition bound") => &["parents", "is"],
            (Kind::Type, _) | (Kind::Relation, "partition key") => &["is"],
            _ => return self.made_again(at, this),
        };
        self.get(&this.of)
            .find(|(other, difference)| {
                *other != at && matches!(&difference.change, Change::Differs { aspect, .. } if follows.contains(aspect))
            })
            .map(|(other, _)| other)
    }

    /// A view's column is renamed by its definition.
    fn view(&self, at: usize, this: &Difference) -> Option<usize> {
        let defined = |difference: &Difference| {
            matches!(difference.change, Change::Differs { aspect: "definition", .. })
        };
        self.get(&this.of.owner())
            .find(|(other, difference)| *other != at && defined(difference))
            .map(|(other, _)| other)
    }

    /// A view that tells a renamed column by its new name.
    fn retold(&self, at: usize, this: &Difference) -> Option<usize> {
        let Change::Differs { aspect: "definition", first: Some(first), second: Some(second) } = &this.change
        else {
            return None;
        };
        let mut names = (BTreeSet::new(), BTreeSet::new());
        collect(first, &mut names.0);
        collect(second, &mut names.1);
        let renamed = |difference: &Difference| {
            let Change::Renamed { to } = &difference.change else { return false };
            difference.is == "column" && names.0.contains(&difference.of.name) && names.1.contains(&to.name)
        };
        self.all.iter().position(renamed).filter(|other| *other != at)
    }

    /// Several aspects of an object that is made in one statement: the worst of them tells.
    fn made_again(&self, at: usize, this: &Difference) -> Option<usize> {
        use Kind::{
            Constraint, DomainConstraint, Index, Operator, Policy, Routine, Sequence, Statistics, Trigger,
        };
        let beside = |difference: &Difference| {
            matches!(difference.change, Change::Differs { aspect: "comment" | "owner" | "grants", .. })
        };
        if !matches!(
            this.of.kind,
            Constraint
                | DomainConstraint
                | Index
                | Operator
                | Policy
                | Routine
                | Sequence
                | Statistics
                | Trigger
        ) || beside(this)
        {
            return None;
        }
        let rank = |at: usize, difference: &Difference| {
            let renamed = matches!(difference.change, Change::Renamed { .. });
            (severity(difference), !renamed, std::cmp::Reverse(at))
        };
        let all =
            self.get(&this.of).filter(|(_, difference)| !beside(difference) && is_lone(difference).is_none());
        let (worst, _) = all.max_by_key(|(at, difference)| rank(*at, difference))?;
        (worst != at).then_some(worst)
    }

    /// A sequence goes with the column that owns it, and with the default that used it.
    fn sequence(&self, at: usize, this: &Difference) -> Option<usize> {
        if this.of.kind != Kind::Sequence {
            return None;
        }
        let owned_by = this.facts.get("owned by")?;
        self.all.iter().enumerate().find_map(|(other, difference)| {
            let mine = difference.of.kind == Kind::Column && dotted(&difference.of) == *owned_by
                || difference.of.kind == Kind::Relation
                    && owned_by.starts_with(&format!("{}.", dotted(&difference.of)));
            let counts = match &difference.change {
                Change::Lone { .. } => is_lone(difference) == is_lone(this),
                Change::Differs { aspect, .. } => ["default", "identity", "type", "is"].contains(aspect),
                Change::Renamed { .. } => false,
            };
            (other != at && mine && counts).then_some(other)
        })
    }

    fn schema(&self, at: usize, this: &Difference) -> Option<usize> {
        if this.of.kind == Kind::Schema
            || this.of.schema.is_empty()
            || !matches!(this.change, Change::Lone { .. })
        {
            return None;
        }
        let schema = Identity {
            kind: Kind::Schema,
            schema: this.of.schema.clone(),
            relation: String::new(),
            name: String::new(),
        };
        self.get(&schema)
            .find(|(other, difference)| *other != at && is_lone(difference) == is_lone(this))
            .map(|(other, _)| other)
    }

    /// What a partition or a child has from its parent.
    fn parent(&self, at: usize, this: &Difference) -> Option<usize> {
        let (kind, child) = (this.of.kind, this.of.owner());
        let parents = self.parents.get(&(child.schema.clone(), child.relation.clone()))?;
        parents.split(", ").find_map(|parent| {
            let (schema, relation) = parent.split_once('.').unwrap_or(("public", parent));
            let owner = Identity {
                kind: Kind::Relation,
                schema: schema.to_owned(),
                relation: relation.trim_matches('"').to_owned(),
                name: String::new(),
            };
            let same = Identity { kind, name: this.of.name.clone(), ..owner.clone() };
            let alike = |difference: &Difference| match (&difference.change, &this.change) {
                (Change::Differs { aspect, .. }, Change::Differs { aspect: mine, .. }) => {
                    aspect == mine && kind != Kind::Relation
                }
                (Change::Lone { in_first }, Change::Lone { in_first: mine }) => in_first == mine,
                (Change::Renamed { .. }, Change::Renamed { .. }) => kind != Kind::Relation,
                _ => false,
            };
            let keyed = |difference: &Difference| {
                let bound = matches!(&this.change, Change::Differs { aspect: "partition bound", .. });
                bound && matches!(difference.change, Change::Differs { aspect: "partition key", .. })
            };
            let order = |difference: &Difference| {
                let is = |change: &Change| matches!(change, Change::Differs { aspect: "column order", .. });
                is(&difference.change) && is(&this.change)
            };
            let inherited = self.get(&same).find(|(other, difference)| *other != at && alike(difference));
            let of_key = || {
                self.get(&owner)
                    .find(|(other, difference)| *other != at && (keyed(difference) || order(difference)))
            };
            inherited.or_else(of_key).map(|(other, _)| other)
        })
    }

    /// What it mentions is not there on the side that has it.
    fn mentioned(&self, at: usize, this: &Difference) -> Option<usize> {
        let in_first = |in_first: bool| self.all_mentions(at, this, in_first);
        match &this.change {
            Change::Lone { in_first: side } => in_first(*side),
            Change::Renamed { .. } => None,
            Change::Differs { aspect, first, second } => {
                // A default that went, a type that went, a view that was told without it: they follow.
                let follows = [
                    "default",
                    "type",
                    "base type",
                    "definition",
                    "tables",
                    "parents",
                    "attributes",
                    "owned by",
                    "function",
                ];
                if !follows.contains(aspect) {
                    return None;
                }
                let by_first = first.as_ref().and_then(|_| in_first(true));
                by_first.or_else(|| second.as_ref().and_then(|_| in_first(false)))
            }
        }
    }

    fn all_mentions(&self, at: usize, this: &Difference, in_first: bool) -> Option<usize> {
        let words = mentions(this, in_first);
        let candidates = words.iter().filter_map(|word| self.by_word.get(word)).flatten().copied();
        let mut fits: Vec<usize> = candidates
            .filter(|other| *other != at && self.is_below(*other, this, in_first, &words))
            .collect();
        fits.sort_by_key(|other| self.all.get(*other).map(|difference| rank(difference.of.kind)));
        fits.first().copied()
    }

    /// Whether this can be built on that.
    fn is_below(&self, other: usize, this: &Difference, in_first: bool, words: &BTreeSet<String>) -> bool {
        let Some(cause) = self.all.get(other) else { return false };
        if !matches!(cause.change, Change::Lone { in_first: side } if side == in_first) {
            return false;
        }
        let below = rank(cause.of.kind) < rank(this.of.kind)
            || (cause.of.kind == Kind::Relation
                && this.of.kind == Kind::Relation
                && is_built_on(this, cause));
        match cause.of.kind {
            // A column's name says little alone: its table has to be in it too.
            Kind::Column => {
                let is_here = this.of.is_on_relation() && this.of.owner() == cause.of.owner();
                let is_told = this.of.kind != Kind::Column && words.contains(&cause.of.relation);
                (below || this.of.kind == Kind::Relation)
                    && this.of.kind != Kind::Column
                    && (is_here || is_told)
            }
            _ => below,
        }
    }

    /// A column's type changed, and what prints casts of it prints others.
    fn casts(&self, at: usize, this: &Difference) -> Option<usize> {
        let Change::Differs { aspect, first: Some(first), second: Some(second) } = &this.change else {
            return None;
        };
        let printed = [
            "check",
            "definition",
            "using",
            "with check",
            "generated",
            "where",
            "columns",
            "exclude",
            "default",
        ]
        .contains(aspect);
        if !self.types_changed || !printed || without_casts(first) != without_casts(second) {
            return None;
        }
        let of_type = |difference: &&Difference| {
            matches!(difference.change, Change::Differs { aspect: "type" | "base type", .. })
                && (difference.of.owner() == this.of.owner()
                    || tokens(first).contains(&Token::Name(difference.of.name.clone())))
        };
        let found = self.all.iter().position(|difference| of_type(&difference))?;
        (found != at).then_some(found)
    }
}

fn is_lone(difference: &Difference) -> Option<bool> {
    match difference.change {
        Change::Lone { in_first } => Some(in_first),
        _ => None,
    }
}

/// A view on a table, a partition of it.
fn is_built_on(this: &Difference, cause: &Difference) -> bool {
    let view = |difference: &Difference| difference.is.ends_with("view");
    let is_child = this.facts.get("parents").is_some_and(|parents| parents.ends_with(&cause.of.relation));
    (view(this) && !view(cause)) || is_child
}

/// What one statement changes on many objects.
const SPREADS: [&str; 7] =
    ["owner", "grants", "tablespace", "access method", "persistence", "triggers", "fires"];

/// The same change of owner, rights or place on many objects is one.
fn grouped(causes: Vec<Cause>) -> Vec<Cause> {
    let mut out: Vec<Cause> = Vec::new();
    for cause in causes {
        let same = out.iter_mut().find(|other| {
            let (one, two) = (&other.difference.change, &cause.difference.change);
            one == two && matches!(one, Change::Differs { aspect, .. } if SPREADS.contains(aspect))
        });
        match same {
            Some(other) => {
                other.with.insert(cause.difference.of.shown());
                other.follows.push(cause.difference);
                other.follows.extend(cause.follows);
            }
            None => out.push(cause),
        }
    }
    out
}
