//! Leases as a list shows them, and the end of those that are over.

use plan::{Action, Database, DatabaseName, Fact, LabelKind, Lease, Plan, Step, World, words};

/// Leases that are over.
pub(crate) fn over(world: &World) -> impl Iterator<Item = &Database> {
    world.leases(true).map(|(database, _)| database)
}

/// As [`over`], with what a run that was killed left before it had a label: only our note knows it.
pub(crate) fn left(world: &World) -> impl Iterator<Item = &Database> {
    let half = world.beside(LabelKind::Building).map(|(database, _)| database);
    over(world).chain(half.filter(|database| database.comment.is_none()))
}

/// Drops them. What can't go now the next run drops.
pub(crate) fn sweep<'a>(plan: &mut Plan, gone: impl Iterator<Item = &'a Database>) {
    let databases: Vec<DatabaseName> = gone.map(|database| database.name.clone()).collect();
    if !databases.is_empty() {
        let sweep = Action::SweepLeases { databases };
        plan.steps.push(Step::new(sweep, "nobody holds them, and nobody is connected"));
    }
}

/// Every fork by its name, then every lease.
pub(crate) fn list(world: &World) -> Vec<Fact> {
    let forks = world.beside(LabelKind::Forked).map(|(database, label)| {
        let size = words::bytes(database.bytes);
        let (made, users) = (words::ago(label.at, world.now), connected(database));
        let text = format!("{}, {size}, made {made}{users}", database.name);
        Fact::new(label.name.clone().unwrap_or_default(), text)
    });
    let lease = |(database, lease): (&Database, &Lease)| {
        let term =
            if lease.over { "over; the next lease or release drops it".to_owned() } else { held(lease) };
        let text =
            format!("{}, {}, {term}{}", database.name, words::bytes(database.bytes), connected(database));
        Fact::new("leased", text)
    };
    let leases = world.leases(false).chain(world.leases(true)).map(lease);
    let facts: Vec<Fact> = forks.chain(leases).collect();
    if facts.is_empty() { vec![Fact::new("Forks", "none")] } else { facts }
}

/// Who holds it, or for how long.
pub(crate) fn held(lease: &Lease) -> String {
    match lease.holder {
        Some(_) => format!("by {}", lease.by()),
        None => lease.by(),
    }
}

fn connected(database: &Database) -> String {
    match database.sessions.len() as u64 {
        0 => String::new(),
        many => format!(", {} on it", words::count(many, "session")),
    }
}
