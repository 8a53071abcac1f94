//! slate-undo: what a reset replaced or a clean took comes back.

use clap::Parser;
use plan::{
    Action, Config, EngineFacts, Exit, Fact, Fault, Kept, LabelKind, Plan, Reading, Wants, World, guard,
    words,
};
use shell::{Command, Shared};

use crate::around::Around;
use crate::kept::{self, Entry};
use crate::replace::{self, Swap};
use crate::{copies, gc};

/// Brings back what the last reset replaced or the last clean took
///
/// What stands in its place now is kept in turn, so that undo is itself undone by another one.
#[derive(Debug, Parser)]
#[command(
    name = "slate-undo",
    version,
    after_help = "\
Examples:
  slate-undo                  the newest that is kept
  slate-undo --list           what is kept, with its numbers
  slate-undo --to 3           number 3
  slate-undo --gc             remove what is older than undo.days or above undo.max_size, for good

A kept database takes its name back in one transaction. It removes nothing that has no complete, compared copy, and \
nothing that is not proved to be this workspace's. Unnamed volumes keep their copy: Compose could not mount them again."
)]
pub struct Undo {
    /// Show what is kept, and stop
    #[arg(long, conflicts_with = "to")]
    list: bool,
    /// Bring this number back instead of the newest
    #[arg(long, value_name = "N")]
    to: Option<u32>,
    /// Remove what is old or too much, for good
    #[arg(long, conflicts_with_all = ["to", "list"])]
    gc: bool,
    /// With --gc: what is at least so many days old [default: undo.days]
    #[arg(long, value_name = "DAYS", requires = "gc")]
    older_than: Option<u32>,
    #[command(flatten)]
    shared: Shared,
}

impl Command for Undo {
    const NAME: &'static str = "slate-undo";

    fn shared(&self) -> &Shared {
        &self.shared
    }

    fn wants(&self) -> Wants {
        // A list needs no look into volumes.
        let only_labels = self.list || self.gc;
        let engine = if only_labels { EngineFacts::Server } else { EngineFacts::Files };
        let contents = match (self.gc, self.list) {
            (true, _) => Reading::All,
            (false, true) => Reading::Nothing,
            (false, false) => Reading::Rows,
        };
        let base =
            Wants { contents, databases: true, blueprint: true, where_copies_are: true, ..Wants::default() };
        Wants { engine, sizes: !only_labels, lock: !self.list, git: self.gc, ..base }
    }

    fn plan(&self, config: &Config, world: &World) -> Result<Plan, Fault> {
        let subject = world.name().map(ToString::to_string).unwrap_or_default();
        let mut plan = Plan::new(Self::NAME, subject);
        if self.list {
            plan.facts = kept::list(world);
            return Ok(plan);
        }
        if self.gc {
            gc::collect(&mut plan, config, world, self.older_than);
            return Ok(plan);
        }
        if self.shared.no_undo {
            return Err(replace::always_kept("undo"));
        }
        let entries = kept::entries(world);
        let n = self.number(world)?;
        let Some(entry) = entries.get(&n) else { return Ok(plan) };
        plan.facts.extend(entry.lines(world).into_iter().map(|line| Fact::new("brings back", line)));
        match entry {
            Entry::Copies(kept) => bring_back(&mut plan, world, kept)?,
            Entry::Database { .. } => swap_back(&mut plan, config, world, entry)?,
        }
        Ok(plan)
    }
}

impl Undo {
    /// The number to bring back.
    fn number(&self, world: &World) -> Result<u32, Fault> {
        let entries = kept::entries(world);
        let numbers = || entries.iter().filter(|(_, entry)| entry.is_restorable()).map(|(n, _)| *n);
        match self.to {
            Some(n) if numbers().any(|known| known == n) => Ok(n),
            Some(n) => Err(Fault::new(Exit::Usage, format!("nothing is kept under number {n}"))
                .cause(format!("there is {}", words::list(numbers())))
                .state("nothing was changed")
                .hint(world.workspace.command("undo --list"))),
            None => numbers().next_back().ok_or_else(|| {
                Fault::new(Exit::Usage, "there is nothing to undo")
                    .cause("nothing is kept of this workspace")
                    .state("nothing was changed")
            }),
        }
    }
}

/// All that one clean kept.
fn bring_back(plan: &mut Plan, world: &World, kept: &[&Kept]) -> Result<(), Fault> {
    let kept: Vec<&Kept> = kept.iter().copied().filter(|kept| kept::is_restorable(kept)).collect();
    let next = world.next_kept();
    copies::bring_back(plan, world, &kept, next)?;
    let keeps = |action: &Action| matches!(action, Action::CopyVolume { .. } | Action::KeepCluster { .. });
    if plan.steps.iter().any(|step| keeps(&step.action)) {
        let back = world.workspace.command(&format!("undo --to {next}"));
        plan.closing.push(format!("What stood there is kept: {back}"));
    }
    plan.closing.push(format!("Next: {}", world.workspace.command("up")));
    Ok(())
}

/// The kept database takes the live name; the live one is kept.
fn swap_back(plan: &mut Plan, config: &Config, world: &World, entry: &Entry<'_>) -> Result<(), Fault> {
    let Entry::Database { database, label } = entry else { return Ok(()) };
    let server = guard::writable(world)?;
    guard::renamable(database)?;
    plan.target = format!("Undo on {}", replace::place(server, world));
    plan.question = format!("Bring {} back?", database.name);
    replace::looked_into(plan, database);
    let Some(live) = world.live() else {
        plan.steps.extend(replace::alone(database));
        replace::take_name(plan, server, &database.name, label.comment.clone());
        return Ok(());
    };
    guard::own_database(live, &world.workspace)?;
    guard::renamable(live)?;
    replace::tell(plan, live, world);
    let built = live.marker.as_ref().and_then(|marker| marker.blueprint.as_deref());
    // Its own queue was flushed when it went; that of the one which goes now is the user's.
    let unhooked = Config { before_reset: Vec::new(), after_reset: Vec::new(), ..config.clone() };
    let around = Around::new("slate-undo", &unhooked, world, built.is_none() || built != label.blueprint())?;
    around.tell(plan);
    plan.steps.extend(replace::alone(database));
    let swap = Swap { world, server, live, next: &database.name, by: "undo", carry: false, rest: None };
    match (label.kind, world.branch_of(live), &label.name) {
        // What a switch took away comes back as by another switch: the other branch's is not lost to it.
        (LabelKind::Parked, Some(from), Some(to)) => swap.park(plan, from, to),
        _ => swap.plan(plan),
    };
    around.after(plan);
    around.still(plan);
    let back = world.workspace.command("undo");
    plan.closing.push(format!("`{}` is what it was; what stood there is kept: {back}", server.name));
    if !config.after_reset.is_empty() {
        plan.closing.push("A queue that [[after_reset]] flushed does not come back".to_owned());
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use jiff::Timestamp;
    use plan::{Confirm, Effect, KeptPlace, Need};

    use super::*;
    use crate::sample::{kept, kept_database, steps, with_databases, world};

    fn undo(words: &[&str], world: &World) -> Result<Plan, Fault> {
        Undo::parse_from(std::iter::once(&"slate-undo").chain(words)).plan(&Config::default(), world)
    }

    #[test]
    fn what_stands_there_is_copied_before_it_goes() {
        let plan = undo(&[], &world(vec![kept(1, "shop_data"), kept(4, "shop_data")])).unwrap();

        assert_eq!(
            steps(&plan),
            [
                "stop shop-db-1",
                "copy volume shop_data to shop_data_kept_5",
                "remove container shop-db-1",
                "remove volume shop_data",
                "restore volume shop_data from shop_data_kept_4",
                "remove copy shop_data_kept_4",
            ]
        );
        assert!(
            plan.steps.iter().all(|step| step.action.effect() != Effect::Destroys || step.undo.is_some())
        );
        assert_eq!(plan.need(Confirm::Loss), Need::Nothing);
    }

    #[test]
    fn after_a_clean_there_is_nothing_to_make_room_for() {
        let mut world = world(vec![kept(1, "shop_data")]);
        let engine = world.engine.as_mut().unwrap();
        engine.containers.clear();
        engine.volumes.clear();

        let plan = undo(&[], &world).unwrap();

        assert_eq!(
            steps(&plan),
            ["restore volume shop_data from shop_data_kept_1", "remove copy shop_data_kept_1"]
        );
    }

    #[test]
    fn a_volume_that_is_not_ours_stays_in_the_way() {
        let mut world = world(vec![kept(1, "shop_data")]);
        let engine = world.engine.as_mut().unwrap();
        engine.containers[0].project = None;

        let fault = undo(&[], &world).unwrap_err();

        assert_eq!(fault.exit, Exit::Refused);
        assert!(fault.error.contains("shop_data"), "{fault}");
    }

    #[test]
    fn without_room_or_tools_nothing_begins() {
        let mut full = world(vec![kept(1, "shop_data")]);
        full.engine.as_mut().unwrap().free = Some(6_000_000);
        let mut bare = world(vec![kept(1, "shop_data")]);
        bare.engine.as_mut().unwrap().copier = None;

        assert!(undo(&[], &full).unwrap_err().cause.unwrap().contains("free"));
        assert_eq!(undo(&[], &bare).unwrap_err().exit, Exit::NotReady);
    }

    #[test]
    fn an_unknown_number_is_a_usage_error() {
        let world = world(vec![kept(1, "shop_data")]);

        assert_eq!(undo(&["--to", "7"], &world).unwrap_err().exit, Exit::Usage);
        assert_eq!(undo(&["--to", "1"], &world).unwrap().steps.len(), 6);
    }

    #[test]
    fn an_unnamed_volume_is_listed_and_stays_a_copy() {
        let unnamed = "a".repeat(64);
        let world = world(vec![kept(1, "shop_data"), kept(2, &unnamed)]);

        let listed = undo(&["--list"], &world).unwrap();
        let plan = undo(&[], &world).unwrap();

        assert_eq!(listed.facts.iter().map(|fact| fact.label.as_str()).collect::<Vec<_>>(), ["2", "1"]);
        assert!(steps(&plan).contains(&"restore volume shop_data from shop_data_kept_1".to_owned()));
    }

    #[test]
    fn a_cluster_that_stands_there_is_kept_in_turn() {
        let place = KeptPlace::Cluster { folder: PathBuf::from("/state/kept-3") };
        let mut world = world(vec![Kept { n: 3, at: Timestamp::UNIX_EPOCH, bytes: 1, place }]);
        world.engine = None;

        let plan = undo(&[], &world).unwrap();

        assert_eq!(
            steps(&plan),
            [
                "stop the local cluster",
                "keep the local cluster, as number 4",
                "restore the local cluster, number 3"
            ]
        );
    }

    #[test]
    fn a_kept_database_takes_the_name_back_and_the_live_one_is_kept() {
        let world = with_databases(&[kept_database(3, "reset", None), kept_database(4, "undo", None)]);

        let newest = undo(&[], &world).unwrap();
        let third = undo(&["--to", "3"], &world).unwrap();

        assert_eq!(
            steps(&newest),
            [
                "close shop__kept_4 to new sessions",
                "end the sessions on shop__kept_4",
                "close shop to new sessions",
                "end the sessions on shop",
                "swap shop, and kept the old as shop__kept_5"
            ]
        );
        let back = |plan: &Plan| {
            plan.steps.iter().find_map(|step| match &step.action {
                Action::Swap { next, .. } => Some(next.to_string()),
                _ => None,
            })
        };
        assert_eq!(
            (back(&newest).unwrap(), back(&third).unwrap()),
            ("shop__kept_4".into(), "shop__kept_3".into())
        );
        assert_eq!(newest.need(Confirm::Loss), Need::Nothing);
    }

    #[test]
    fn where_the_live_one_is_gone_the_kept_one_has_its_comment_again() {
        let mut kept = kept_database(3, "reset", None);
        kept.label.as_mut().unwrap().comment = Some("our shop".to_owned());
        let mut world = with_databases(&[kept]);
        world.server.as_mut().unwrap().databases.remove(0);

        let plan = undo(&[], &world).unwrap();

        assert!(matches!(
            &plan.steps.last().unwrap().action,
            Action::RenameDatabase { comment: Some(comment), .. } if comment == "our shop"
        ));
    }

    #[test]
    fn a_database_that_is_read_by_a_slot_does_not_come_back() {
        let mut kept = kept_database(3, "reset", None);
        kept.prepared = 1;

        assert_eq!(undo(&[], &with_databases(&[kept])).unwrap_err().exit, Exit::Refused);
    }
}
