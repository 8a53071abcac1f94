//! One side of a comparison: what a database's catalog says, as facts about objects.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::{Map, Value};

use super::shape;

/// What an object is, as the catalog query calls it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    Database,
    Setting,
    Extension,
    Schema,
    Collation,
    Type,
    DomainConstraint,
    Sequence,
    Routine,
    /// Tables, views, and what else holds rows.
    Relation,
    Column,
    Constraint,
    Index,
    Statistics,
    Trigger,
    Rule,
    Policy,
    EventTrigger,
    Operator,
    OperatorClass,
    OperatorFamily,
    Cast,
    Transform,
    Language,
    Conversion,
    TextSearchConfiguration,
    TextSearchDictionary,
    TextSearchParser,
    TextSearchTemplate,
    Publication,
    Subscription,
    ForeignDataWrapper,
    ForeignServer,
    UserMapping,
    DefaultPrivileges,
    SecurityLabel,
}

impl Kind {
    /// Every kind, in the order in which a reader wants them.
    const ALL: [Self; 36] = [
        Self::Database,
        Self::Setting,
        Self::Extension,
        Self::Schema,
        Self::Collation,
        Self::Type,
        Self::DomainConstraint,
        Self::Sequence,
        Self::Routine,
        Self::Relation,
        Self::Column,
        Self::Constraint,
        Self::Index,
        Self::Statistics,
        Self::Trigger,
        Self::Rule,
        Self::Policy,
        Self::EventTrigger,
        Self::Operator,
        Self::OperatorClass,
        Self::OperatorFamily,
        Self::Cast,
        Self::Transform,
        Self::Language,
        Self::Conversion,
        Self::TextSearchConfiguration,
        Self::TextSearchDictionary,
        Self::TextSearchParser,
        Self::TextSearchTemplate,
        Self::Publication,
        Self::Subscription,
        Self::ForeignDataWrapper,
        Self::ForeignServer,
        Self::UserMapping,
        Self::DefaultPrivileges,
        Self::SecurityLabel,
    ];

    /// As a person calls it.
    #[must_use]
    pub fn word(self) -> String {
        let mut out = String::new();
        for c in format!("{self:?}").chars() {
            if c.is_uppercase() && !out.is_empty() {
                out.push(' ');
            }
            out.extend(c.to_lowercase());
        }
        out
    }

    fn of(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.word() == word)
    }
}

/// What tells an object from all others. A part that a kind does not have is empty.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Identity {
    pub kind: Kind,
    pub schema: String,
    /// The relation, for what is one or belongs to one; the domain, for a constraint of a domain.
    pub relation: String,
    pub name: String,
}

impl Identity {
    /// The name as a person reads it; `public` goes without saying.
    #[must_use]
    pub fn shown(&self) -> String {
        let schema = if self.schema == "public" && self.kind != Kind::Schema { "" } else { &self.schema };
        let parts = [schema, &self.relation, &self.name];
        parts.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(".")
    }

    /// The relation that it belongs to.
    pub(crate) fn owner(&self) -> Self {
        Self { kind: Kind::Relation, name: String::new(), ..self.clone() }
    }

    /// Whether it stands or falls with a relation.
    pub(crate) fn is_on_relation(&self) -> bool {
        use Kind::{Column, Constraint, Index, Policy, Rule, Statistics, Trigger};
        matches!(self.kind, Column | Constraint | Index | Policy | Rule | Statistics | Trigger)
    }
}

/// Attribute to value, in the form that is compared.
pub type Facts = BTreeMap<&'static str, String>;

/// Everything that a catalog says.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Catalog {
    pub(crate) objects: BTreeMap<Identity, Facts>,
    /// The columns of each relation, in their order.
    pub(crate) order: BTreeMap<(String, String), Vec<(i64, String)>>,
    /// What the role that read it was not shown.
    pub unseen: Vec<Unseen>,
    /// Tables of migration tools that were left out.
    pub(crate) books: Vec<String>,
}

/// A kind of objects that a role may not look at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unseen {
    pub(crate) kind: Kind,
    /// What Postgres said.
    pub(crate) why: String,
}

impl Unseen {
    /// The kind as the catalog query calls it; `None` when it is none.
    #[must_use]
    pub fn of(kind: &str, why: &str) -> Option<Self> {
        Some(Self { kind: Kind::of_query(kind)?, why: why.to_owned() })
    }
}

/// Tables in which migration tools keep their own books.
pub(crate) const BOOKKEEPING: [&str; 20] = [
    "_sqlx_migrations",
    "alembic_version",
    "schema_migrations",
    "__diesel_schema_migrations",
    "django_migrations",
    "ar_internal_metadata",
    "flyway_schema_history",
    "databasechangelog",
    "databasechangeloglock",
    "goose_db_version",
    "knex_migrations",
    "knex_migrations_lock",
    "_prisma_migrations",
    "SequelizeMeta",
    "refinery_schema_history",
    "gorp_migrations",
    "kysely_migration",
    "kysely_migration_lock",
    "typeorm_migrations",
    "__drizzle_migrations",
];

impl Catalog {
    /// Takes one row of the catalog query. A kind that nobody knows is left out.
    ///
    /// ```
    /// use plan::check::Catalog;
    /// let mut catalog = Catalog::default();
    /// let facts = serde_json::from_str(r#"{"at": 1, "type": "integer"}"#).unwrap();
    /// catalog.add("column", "public", "users", "id", &facts);
    /// assert_eq!(catalog.tables(), 0);
    /// ```
    pub fn add(&mut self, kind: &str, schema: &str, relation: &str, name: &str, facts: &Map<String, Value>) {
        let Some(kind) = Kind::of_query(kind) else { return };
        let bookkeeping = |name: &str| {
            BOOKKEEPING
                .iter()
                .any(|book| name == *book || name.strip_prefix(book).is_some_and(|rest| rest == "_id_seq"))
        };
        if bookkeeping(relation) {
            if kind == Kind::Relation {
                self.books.push(relation.to_owned());
            }
            return;
        }
        if let (Kind::Column, Some(at)) = (kind, facts.get("at").and_then(Value::as_i64)) {
            let columns = self.order.entry((schema.to_owned(), relation.to_owned())).or_default();
            columns.push((at, name.to_owned()));
        }
        let identity = Identity {
            kind,
            schema: schema.to_owned(),
            relation: relation.to_owned(),
            name: name.to_owned(),
        };
        self.objects.insert(identity, shape::facts(kind, facts));
    }

    /// The names of a relation's columns, in their order.
    pub(crate) fn columns(&self, relation: &Identity) -> Vec<&str> {
        let key = (relation.schema.clone(), relation.relation.clone());
        let mut columns: Vec<&(i64, String)> = self.order.get(&key).into_iter().flatten().collect();
        columns.sort();
        columns.into_iter().map(|(_, name)| name.as_str()).collect()
    }

    pub(crate) fn fact(&self, identity: &Identity, attribute: &str) -> Option<&str> {
        self.objects.get(identity)?.get(attribute).map(String::as_str)
    }

    /// How many tables and views it holds.
    #[must_use]
    pub fn tables(&self) -> usize {
        self.objects.keys().filter(|identity| identity.kind == Kind::Relation).count()
    }

    /// Tables of migration tools, which are compared with nothing.
    #[must_use]
    pub fn bookkeeping(&self) -> &[String] {
        &self.books
    }

    /// The extensions, for a scratch database that has to have them first.
    #[must_use]
    pub fn extensions(&self) -> Vec<&str> {
        let extensions = self.objects.keys().filter(|identity| identity.kind == Kind::Extension);
        extensions.map(|identity| identity.name.as_str()).collect()
    }

    /// Leaves out the views and the attributes of which these models describe none at all.
    pub(crate) fn keep_described(&mut self, models: &Self) {
        const OPTIONAL: [&str; 14] = [
            "comment",
            "options",
            "toast options",
            "replica identity",
            "clustered",
            "row security",
            "forced row security",
            "statistics target",
            "storage",
            "compression",
            "persistence",
            "fires",
            "triggers",
            "tablespace",
        ];
        let is_view = |facts: &Facts| facts.get("is").is_some_and(|is| is.ends_with("view"));
        let describes = |attribute: &str| models.objects.values().any(|facts| facts.contains_key(attribute));
        let left_out: Vec<&str> = OPTIONAL
            .into_iter()
            .filter(|attribute| !describes(attribute))
            .chain(["owner", "grants"])
            .collect();
        if !models.objects.values().any(is_view) {
            let views: Vec<Identity> = self
                .objects
                .iter()
                .filter(|(_, facts)| is_view(facts))
                .map(|(identity, _)| identity.clone())
                .collect();
            self.objects.retain(|identity, _| !views.contains(&identity.owner()));
        }
        for facts in self.objects.values_mut() {
            facts.retain(|attribute, _| !left_out.contains(attribute));
        }
    }

    /// Leaves out what this tells to.
    pub(crate) fn without(&self, leave: impl Fn(&Identity) -> bool) -> Self {
        let objects = self.objects.iter().filter(|(identity, _)| !leave(identity));
        Self {
            objects: objects.map(|(identity, facts)| (identity.clone(), facts.clone())).collect(),
            order: self.order.clone(),
            ..Self::default()
        }
    }
}

impl Kind {
    /// The kind that the catalog query names; looked up often, so the common ones come first.
    fn of_query(word: &str) -> Option<Self> {
        match word {
            "column" => Some(Self::Column),
            "constraint" => Some(Self::Constraint),
            "index" => Some(Self::Index),
            "relation" => Some(Self::Relation),
            word => Self::of(word),
        }
    }
}
