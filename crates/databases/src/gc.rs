//! `slate-undo --gc`: what is kept and old enough, or more than there may be, leaves for good.

use jiff::Timestamp;
use plan::{Action, Config, Expect, Fact, Kept, KeptPlace, Plan, Step, VolumeLoss, World, words};

use crate::{kept, leases};

/// Plans the end of everything that was kept for at least so many days, and of the oldest databases above the limit.
pub(crate) fn collect(plan: &mut Plan, config: &Config, world: &World, days: Option<u32>) {
    let days = days.unwrap_or_else(|| config.undo.days());
    let limit = i64::from(days) * 86_400;
    let is_old = |at: Timestamp| world.now.as_second() - at.as_second() >= limit;
    for kept in world.kept.iter().filter(|kept| is_old(kept.at)) {
        copy(plan, kept, world);
    }
    let mut databases: Vec<_> = kept::passing(world).collect();
    let bytes = databases.iter().filter_map(|(_, label)| Some(label.kept.as_ref()?.bytes));
    let mut total: u64 = bytes.sum();
    databases.sort_by_key(|(_, label)| label.at);
    for (database, label) in databases {
        let Some(kept) = &label.kept else { continue };
        if !is_old(label.at) && total <= config.undo.bytes() {
            continue;
        }
        total = total.saturating_sub(kept.bytes);
        let since = words::ago(label.at, world.now);
        let what = format!("database {}, {}, kept {since}", database.name, words::bytes(kept.bytes));
        plan.facts.push(Fact::new("Removes", what));
        kept::give_up(plan, database, label, "it is old enough, or too much");
    }
    leases::sweep(plan, leases::over(world));
    if plan.steps.is_empty() {
        let text = format!(
            "nothing: none is {} old, and all together take less than {}",
            words::count(days.into(), "day"),
            words::bytes(config.undo.bytes())
        );
        plan.facts.push(Fact::new("Removes", text));
    } else {
        "Remove these for good?".clone_into(&mut plan.question);
    }
}

fn copy(plan: &mut Plan, kept: &Kept, world: &World) {
    let size = words::bytes(kept.bytes);
    let since = words::ago(kept.at, world.now);
    let (what, step) = match &kept.place {
        KeptPlace::Volume { copy, of, .. } => {
            let loss = VolumeLoss { volume: copy.clone(), bytes: Some(kept.bytes), last_write: None };
            plan.loss.volumes.push(loss);
            let forget = Action::GiveUpCopy { copy: copy.clone(), n: kept.n };
            let copied = Expect::Copied { volume: of.clone(), copy: copy.clone() };
            (format!("volume {copy}"), Step::new(forget, "it is old enough").expects(copied))
        }
        KeptPlace::Cluster { folder } => {
            plan.loss.unread.push(folder.display().to_string());
            let forget = Action::ForgetCluster { folder: folder.clone(), n: kept.n };
            (format!("local cluster {}", kept.n), Step::new(forget, "it is old enough"))
        }
    };
    plan.facts.push(Fact::new("Removes", format!("{what}, {size}, kept {since}")));
    plan.steps.push(step);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn world(age_in_days: i64) -> World {
        let now = Timestamp::from_second(100 * 86_400).unwrap();
        let at = Timestamp::from_second((100 - age_in_days) * 86_400).unwrap();
        let place = KeptPlace::Cluster { folder: "/state/x.kept_1".into() };
        let workspace = plan::Workspace {
            root: "/shop".into(),
            id: "w".to_owned(),
            state: "/state".into(),
            first: false,
            called: "slate-".to_owned(),
            on_top: Vec::new(),
        };
        World {
            now,
            workspace,
            surroundings: plan::Surroundings::default(),
            detected: None,
            files: None,
            blueprint: None,
            server: None,
            engine: None,
            kept: vec![Kept { n: 1, at, bytes: 5, place }],
            last_kept: 1,
            journal: Vec::new(),
            unfinished: Vec::new(),
            examined: plan::Examined::default(),
            carried: None,
            captured: None,
            git: None,
            revisions: None,
            draft: None,
        }
    }

    fn steps(age_in_days: i64, days: Option<u32>) -> Plan {
        let mut plan = Plan::new("slate-undo", "shop");
        collect(&mut plan, &Config::default(), &world(age_in_days), days);
        plan
    }

    #[test]
    fn only_what_is_old_enough_leaves() {
        assert_eq!(steps(13, None).steps.len(), 0);
        assert_eq!(steps(14, None).steps.len(), 1);
        assert_eq!(steps(13, Some(0)).steps.len(), 1);
    }

    #[test]
    fn a_copy_leaves_for_good_and_the_name_must_be_typed() {
        assert_eq!(steps(20, None).need(plan::Confirm::Loss), plan::Need::Name);
    }

    #[test]
    fn databases_above_the_limit_leave_from_the_oldest_on() {
        let aged = |n: u32, second: i64| {
            let mut database = crate::sample::kept_database(n, "reset", None);
            database.label.as_mut().unwrap().at = Timestamp::from_second(second).unwrap();
            database
        };
        let world = crate::sample::with_databases(&[aged(1, -30), aged(2, -90), aged(3, -60)]);
        let config = Config::read("[undo]\nmax_size = \"10 MB\"\n", []).unwrap();
        let mut plan = Plan::new("slate-undo", "shop");

        collect(&mut plan, &config, &world, None);

        assert_eq!(crate::sample::steps(&plan), ["drop kept shop__kept_2", "drop kept shop__kept_3"]);
        assert_eq!(plan.loss.words(), "62 rows");
        assert_eq!(plan.need(plan::Confirm::Loss), plan::Need::Name);
    }
}
