//! What the services' commands do with a server that somebody else runs: nothing but fill its database.

use plan::{Action, Config, Exit, Fault, Server, Step, World, guard};

use crate::up;

/// The database of a server that somebody else runs, once it is adopted: nothing is started.
pub(crate) fn up(config: &Config, world: &World, server: &Server) -> Result<Vec<Step>, Fault> {
    if !server.databases.is_empty() {
        guard::adopted(server, world)?;
    }
    let mut config = config.clone();
    config.migrations.at_start = None;
    let by_us = config.migrations.tool.is_some();
    let prove = Action::ProveUnclaimed { database: server.name.clone() };
    let mut steps = up::stand(&config, server, by_us);
    // Before anything is created there.
    steps.insert(1, Step::new(prove, "only what was adopted is filled"));
    steps.extend(up::finish(&config, world, server, by_us));
    Ok(steps)
}

/// A clean removes what a server runs on, which is somebody else's here.
pub(crate) fn clean(server: &Server, world: &World) -> Fault {
    Fault::new(Exit::Refused, format!("`{}` stays: its server is external", server.name))
        .cause("there is no container, volume or cluster of this workspace's to remove")
        .state("nothing was changed")
        .hint(format!("{} makes the database new", world.workspace.command("reset")))
}

#[cfg(test)]
mod tests {
    use plan::{Kind, Lack, Plan};
    use shell::Command;

    use super::*;
    use crate::sample::{config, database, external, steps};
    use crate::{Clean, Down, Guard, Up};

    fn planned<C: Command>(words: &[&str], world: &World) -> Result<Plan, Fault> {
        C::try_parse_from(words).unwrap().plan(&config(), world)
    }

    #[test]
    fn up_starts_nothing_and_looks_whose_it_is_before_it_creates() {
        let mut world = external();
        world.server.as_mut().unwrap().databases.clear();

        let plan = planned::<Up>(&["slate-up"], &world).unwrap();

        assert_eq!(
            steps(&plan),
            [
                "await Postgres",
                "look into shop",
                "ensure shop",
                "ensure shop",
                "seed shop",
                "mark shop as this workspace's"
            ]
        );
        assert_eq!(planned::<Up>(&["slate-up", "api"], &world).unwrap_err().exit, Exit::Usage);
    }

    #[test]
    fn up_refuses_what_is_not_adopted_and_what_the_role_may_not() {
        let with = |change: &dyn Fn(&mut Server)| {
            let mut world = external();
            world.server.iter_mut().for_each(change);
            planned::<Up>(&["slate-up"], &world)
        };

        assert!(with(&|_| ()).is_ok());
        let lack = || Lack { what: "it may not".to_owned(), grant: "GRANT it".to_owned() };
        let unmarked = with(&|server| server.databases[0].marker = None).unwrap_err();
        let copied = with(&|server| server.system_identifier = "8".to_owned()).unwrap_err();
        let pooled = with(&|server| server.outside.pooled = Some("a pooler".to_owned())).unwrap_err();
        let lacking = with(&|server| server.outside.lacks.push(lack())).unwrap_err();

        let refused = [&unmarked, &copied, &pooled, &lacking].map(|fault| fault.exit);
        assert_eq!(refused, [Exit::Refused; 4]);
        assert_eq!(unmarked.hint.as_deref(), Some("slate-init --adopt"));
        assert_eq!(copied.hint, unmarked.hint, "a dump restored elsewhere is not adopted there");
        assert_eq!(lacking.hint.as_deref(), Some("as a superuser: GRANT it"));
    }

    #[test]
    fn closed_or_gone_the_note_stands_in_for_the_mark() {
        let with = |adopted, open: Option<bool>| {
            let mut world = external();
            let server = world.server.as_mut().unwrap();
            server.outside.adopted = adopted;
            server.databases = open.map(|open| plan::Database { open, ..database() }).into_iter().collect();
            server.databases.push(plan::Database { name: server.maintenance.clone(), ..database() });
            planned::<Up>(&["slate-up"], &world).is_ok()
        };

        assert!(with(true, None) && with(true, Some(false)));
        assert!(!with(false, None) && !with(false, Some(false)));
        assert!(!with(true, Some(true)), "one without a mark that somebody put in its place");
    }

    #[test]
    fn down_clean_and_guard_touch_nothing_of_it() {
        let world = external();

        let down = planned::<Down>(&["slate-down"], &world).unwrap();
        let guard = planned::<Guard>(&["slate-guard", "wipe"], &world).unwrap();
        let clean = planned::<Clean>(&["slate-clean", "--only-db"], &world).unwrap_err();

        assert!(down.steps.is_empty() && guard.steps.is_empty());
        assert!(down.facts.iter().any(|fact| fact.text.contains("external")), "{down:?}");
        assert_eq!(clean.exit, Exit::Refused);
        assert!(world.server.is_some_and(|server| server.kind == Kind::External));
    }
}
