//! Everything that is kept of this workspace, in one list: databases that a reset replaced, volumes and clusters that a
//! clean took.

use std::collections::BTreeMap;

use plan::{Database, Fact, Kept, KeptAs, KeptPlace, Label, LabelKind, World, words};

/// What is kept under one number.
#[derive(Debug, Clone)]
pub(crate) enum Entry<'a> {
    Database {
        database: &'a Database,
        label: &'a Label,
        kept: &'a KeptAs,
    },
    /// Of one clean, together.
    Copies(Vec<&'a Kept>),
}

/// All of it by number.
pub(crate) fn entries(world: &World) -> BTreeMap<u32, Entry<'_>> {
    let mut entries: BTreeMap<u32, Entry<'_>> = BTreeMap::new();
    for kept in &world.kept {
        match entries.entry(kept.n).or_insert_with(|| Entry::Copies(Vec::new())) {
            Entry::Copies(copies) => copies.push(kept),
            Entry::Database { .. } => {}
        }
    }
    for (database, label) in world.beside(LabelKind::Kept) {
        if let Some(kept) = &label.kept {
            entries.insert(kept.n, Entry::Database { database, label, kept });
        }
    }
    entries
}

/// By number, the newest first.
pub(crate) fn list(world: &World) -> Vec<Fact> {
    let entries = entries(world);
    if entries.is_empty() {
        return vec![Fact::new("Kept", "nothing")];
    }
    let lines = entries.iter().rev().flat_map(|(n, entry)| {
        let labels = std::iter::once(n.to_string()).chain(std::iter::repeat(String::new()));
        entry.lines(world).into_iter().zip(labels).map(|(line, label)| Fact::new(label, line))
    });
    lines.collect()
}

/// Bytes of all kept databases together.
pub(crate) fn bytes(world: &World) -> u64 {
    world.beside(LabelKind::Kept).filter_map(|(_, label)| Some(label.kept.as_ref()?.bytes)).sum()
}

impl Entry<'_> {
    /// Whether undo can bring it back.
    pub fn is_restorable(&self) -> bool {
        match self {
            Self::Database { .. } => true,
            Self::Copies(copies) => copies.iter().any(|kept| is_restorable(kept)),
        }
    }

    /// One for each thing.
    pub fn lines(&self, world: &World) -> Vec<String> {
        match self {
            Self::Copies(copies) => copies.iter().map(|kept| copy_line(kept, world)).collect(),
            Self::Database { database, label, kept } => vec![database_line(database, label, kept, world)],
        }
    }
}

/// A volume that nobody named stays as its copy: a new container gets a new one, whatever lies under the old name.
pub(crate) fn is_restorable(kept: &Kept) -> bool {
    match &kept.place {
        KeptPlace::Volume { of, .. } => !of.is_made_up(),
        KeptPlace::Cluster { .. } => true,
    }
}

fn database_line(database: &Database, label: &Label, kept: &KeptAs, world: &World) -> String {
    let rows = kept.rows.map(|rows| format!("{rows}, ")).unwrap_or_default();
    let size = words::bytes(kept.bytes);
    let age = words::ago(label.at, world.now);
    let current = world.blueprint.as_ref().map(|blueprint| blueprint.hash.as_str());
    let built = match label.blueprint() {
        None => "not built by us",
        Some(built) if Some(built) == current => "from the present baseline",
        Some(_) => "from an earlier baseline",
    };
    let why = kept.why.as_ref().map(|why| format!("; {why}")).unwrap_or_default();
    format!("{}, {rows}{size}, {built}, replaced by {} {age}{why}", database.name, kept.by)
}

fn copy_line(kept: &Kept, world: &World) -> String {
    let what = match &kept.place {
        KeptPlace::Volume { of, copy, .. } if of.is_made_up() => {
            format!("an unnamed volume, as volume {copy}")
        }
        KeptPlace::Volume { of, .. } => format!("volume {of}"),
        KeptPlace::Cluster { .. } => "the local cluster".to_owned(),
    };
    format!("{what}, {}, kept {}", words::bytes(kept.bytes), words::ago(kept.at, world.now))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample::{kept, kept_database, with_databases};

    #[test]
    fn a_list_says_of_each_its_number_rows_size_baseline_age_and_why() {
        let newer = kept_database(7, "undo", None);
        let older = kept_database(3, "reset", Some("users +1 row; the rest is as seeded"));
        let mut world = with_databases(&[older, newer]);
        world.kept = vec![kept(5, "shop_data"), kept(5, "shop_cache")];

        let lines: Vec<(String, String)> =
            list(&world).into_iter().map(|fact| (fact.label, fact.text)).collect();

        let line = |label: &str, text: &str| (label.to_owned(), text.to_owned());
        assert_eq!(
            lines,
            [
                line(
                    "7",
                    "shop__kept_7, 31 rows, 8.0 MB, from an earlier baseline, replaced by undo just now"
                ),
                line("5", "volume shop_data, 5.0 MB, kept just now"),
                line("", "volume shop_cache, 5.0 MB, kept just now"),
                line(
                    "3",
                    "shop__kept_3, 31 rows, 8.0 MB, from an earlier baseline, replaced by reset just now; \
                     users +1 row; the rest is as seeded"
                ),
            ]
        );
    }

    #[test]
    fn nothing_kept_is_said() {
        assert_eq!(list(&with_databases(&[])), [Fact::new("Kept", "nothing")]);
    }

    #[test]
    fn another_databases_kept_ones_are_not_listed() {
        let mut other = kept_database(3, "reset", None);
        let label = other.label.as_mut().unwrap();
        label.of = plan::DatabaseName::new("bakery").unwrap();

        assert!(entries(&with_databases(&[other])).is_empty());
    }
}
