//! `slate-undo --gc`: kept copies that are old enough leave, for good.

use plan::{Action, Config, Expect, Fact, Kept, KeptPlace, Plan, Step, UNDO_DAYS, VolumeLoss, World, words};

/// Plans the end of every copy that is at least so many days old.
pub(crate) fn collect(plan: &mut Plan, config: &Config, world: &World, days: Option<u32>) {
    let days = days.or(config.undo.days).unwrap_or(UNDO_DAYS);
    let limit = i64::from(days) * 86_400;
    let old = |kept: &&Kept| world.now.as_second() - kept.at.as_second() >= limit;
    for kept in world.kept.iter().filter(old) {
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
    if plan.steps.is_empty() {
        plan.facts.push(Fact::new(
            "Removes",
            format!("nothing: no copy is {} old", words::count(days.into(), "day")),
        ));
    } else {
        "Remove these copies?".clone_into(&mut plan.question);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn world(age_in_days: i64) -> World {
        let now = jiff::Timestamp::from_second(100 * 86_400).unwrap();
        let at = jiff::Timestamp::from_second((100 - age_in_days) * 86_400).unwrap();
        let place = KeptPlace::Cluster { folder: "/state/x.kept_1".into() };
        let workspace = plan::Workspace {
            root: "/shop".into(),
            id: "w".to_owned(),
            state: "/state".into(),
            first: false,
            called: "slate-".to_owned(),
        };
        World {
            now,
            workspace,
            blueprint: None,
            server: None,
            engine: None,
            kept: vec![Kept { n: 1, at, bytes: 5, place }],
            last_kept: 1,
            unfinished: Vec::new(),
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
}
