//! Everything that is kept of this workspace, in one list: databases that were replaced, parked, saved or forked, volumes
//! and clusters that a clean took.

use std::collections::BTreeMap;

use plan::{
    Action, Contents, Database, Expect, Fact, Kept, KeptPlace, Label, LabelKind, Plan, ServerState, Step,
    World, words,
};

use crate::replace;

/// What is kept under one number.
#[derive(Debug, Clone)]
pub(crate) enum Entry<'a> {
    Database {
        database: &'a Database,
        label: &'a Label,
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
    for (database, label) in world.put_by() {
        if let Some(kept) = &label.kept {
            entries.insert(kept.n, Entry::Database { database, label });
        }
    }
    entries
}

/// By number, the newest first.
pub(crate) fn list(world: &World) -> Vec<Fact> {
    let entries = entries(world);
    let unseen = world.server.as_ref().filter(|server| server.state == ServerState::Stopped).map(|_| {
        let up = world.workspace.command("up");
        Fact::new("not seen", format!("kept databases: the server does not run ({up} starts it)"))
    });
    if entries.is_empty() {
        return vec![unseen.unwrap_or_else(|| Fact::new("Kept", "nothing"))];
    }
    let lines = entries.iter().rev().flat_map(|(n, entry)| {
        let labels = std::iter::once(n.to_string()).chain(std::iter::repeat(String::new()));
        entry.lines(world).into_iter().zip(labels).map(|(line, label)| Fact::new(label, line))
    });
    lines.chain(unseen).collect()
}

/// What time and size may take away, by `--gc` alone: what was replaced, and the databases of branches that are gone. A
/// saved one stays until it is deleted, a fork until it is dropped, a parked one as long as its branch.
pub(crate) fn passing(world: &World) -> impl Iterator<Item = (&Database, &Label)> {
    let has_branch = |label: &Label| {
        let (git, branch) = (world.git.as_ref(), label.name.as_ref());
        git.zip(branch).is_some_and(|(git, branch)| git.branches.contains(branch))
    };
    let parked = world.beside(LabelKind::Parked).filter(move |(_, label)| !has_branch(label));
    world.beside(LabelKind::Kept).chain(parked)
}

/// Gives one up for good: as a step, and as loss.
pub(crate) fn give_up(plan: &mut Plan, database: &Database, label: &Label, why: &'static str) {
    let Some(kept) = &label.kept else { return };
    // A look into it beats what was noted when it was put by: it takes sessions like any other.
    let rows = database.contents.as_ref().map(|contents| contents.rows).or(kept.rows);
    match rows {
        Some(rows) => plan.loss.databases.push(Contents {
            database: database.name.clone(),
            tables: 0,
            rows,
            bytes: kept.bytes,
            last_write: None,
            since: database.contents.as_ref().map(|contents| contents.since.clone()).unwrap_or_default(),
        }),
        None => plan.loss.unread.push(database.name.to_string()),
    }
    let expect = Expect::Database { name: database.name.clone(), oid: database.oid };
    let give_up = Action::GiveUpDatabase { database: database.name.clone(), n: kept.n };
    let step = Step::new(give_up, why).expects(expect);
    // Nobody writes to a closed one.
    let writable = rows.filter(|_| database.open);
    plan.steps.push(replace::agreed(step, database.name.clone(), writable));
}

impl Entry<'_> {
    /// Whether undo can bring it back.
    pub fn is_restorable(&self) -> bool {
        match self {
            Self::Database { label, .. } => !matches!(label.kind, LabelKind::Saved | LabelKind::Forked),
            Self::Copies(copies) => copies.iter().any(|kept| is_restorable(kept)),
        }
    }

    /// One for each thing.
    pub fn lines(&self, world: &World) -> Vec<String> {
        match self {
            Self::Copies(copies) => copies.iter().map(|kept| copy_line(kept, world)).collect(),
            Self::Database { database, label, .. } => vec![line(database, label, world)],
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

/// A database that is put by, in one line.
pub(crate) fn line(database: &Database, label: &Label, world: &World) -> String {
    let Some(kept) = &label.kept else { return database.name.to_string() };
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
    let how = match (label.kind, &label.name) {
        (LabelKind::Saved, Some(name)) => format!("saved as `{name}`"),
        (LabelKind::Forked, Some(name)) => format!("forked as `{name}`"),
        (LabelKind::Parked, Some(branch)) => format!("parked for branch `{branch}`"),
        _ => format!("replaced by {}", kept.by),
    };
    format!("{}, {rows}{size}, {built}, {how} {age}{why}", database.name)
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
    fn a_server_that_does_not_run_keeps_what_nobody_sees() {
        let mut world = with_databases(&[]);
        world.server.iter_mut().for_each(|server| server.state = ServerState::Stopped);

        assert_eq!(list(&world)[0].label, "not seen");
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
