//! The law: at every prefix of a plan, and with any reply lost, the user's data exists whole under a name that we can
//! print, or is gone because that was agreed; and running again is safe.

use clap::Parser as _;
use databases::Reset;
use plan::{Config, Confirm, DatabaseName, Fault, Flags, Migrations, Plan, Tool, approve, execute};
use proptest::prelude::*;
use shell::Command as _;
use testkit::{Fake, Trouble};

const TROUBLES: [Trouble; 4] = [Trouble::Fails, Trouble::LosesReply, Trouble::DiesBefore, Trouble::DiesAfter];

fn config() -> Config {
    let migrations =
        Migrations { tool: Some(Tool::Sql), dir: Some("migrations".to_owned()), ..Migrations::default() };
    Config { migrations, ..Config::default() }
}

fn plan(fake: &Fake) -> Result<Plan, Fault> {
    Reset::parse_from(["slate-reset", "--drop"]).plan(&config(), &fake.world())
}

fn run(fake: &mut Fake) -> Result<(), Fault> {
    let flags = Flags { yes: true, no_undo: true, ..Flags::default() };
    let approved = approve(plan(fake)?, Confirm::Loss, &flags, |_| Ok(None))?;
    execute(&approved, fake, &mut |_| ()).map(|_| ())
}

/// The rows of the user's are under the live name, or were dropped by the step that says so.
fn is_whole(fake: &Fake, rows: u64, fault: &Fault) -> Result<(), TestCaseError> {
    let held = fake.databases.iter().find(|(_, held)| held.oid == 1);
    let state = fault.state.clone().unwrap_or_default();
    match held {
        Some((name, held)) => {
            prop_assert_eq!(held.mine, rows);
            prop_assert!(state.contains(&format!("your data is whole in `{name}`")), "{}", state);
        }
        None => prop_assert!(state.contains("is gone, as agreed"), "{}", state),
    }
    Ok(())
}

proptest! {
    #[test]
    fn a_reset_in_trouble_loses_nothing_and_the_next_one_works(
        rows in 0_u64..3,
        first in (0_usize..16, prop::sample::select(&TROUBLES[..])),
        second in (0_usize..16, prop::sample::select(&TROUBLES[..])),
    ) {
        let name = DatabaseName::new("shop").unwrap();
        let mut fake = Fake::with(&name, rows);

        for trouble in [first, second] {
            fake.heal();
            fake.trouble = Some(trouble);
            if let Err(fault) = run(&mut fake) {
                let still = fake.databases.values().any(|held| held.oid == 1);
                if still {
                    is_whole(&fake, rows, &fault)?;
                }
            }
        }
        fake.heal();
        run(&mut fake).unwrap();

        prop_assert_eq!(fake.databases.len(), 1, "{:?}", fake.databases);
        let live = &fake.databases[&name];
        prop_assert!(live.open && live.built && live.mine == 0 && live.comment.is_none());
    }
}

#[test]
fn a_failure_before_the_drop_leaves_all_as_it_was() {
    let name = DatabaseName::new("shop").unwrap();
    let before = Fake::with(&name, 5);
    let steps = plan(&before).unwrap().steps;
    let drop =
        steps.iter().position(|step| matches!(step.action, plan::Action::DropDatabase { .. })).unwrap();

    for step in 0..drop {
        let mut fake = before.clone();
        fake.trouble = Some((step, Trouble::Fails));
        let fault = run(&mut fake).unwrap_err();

        assert_eq!(fake.databases, before.databases, "after a failure of step {step}");
        let state = fault.state.unwrap();
        assert!(state.ends_with("your data is whole in `shop`"), "{state}");
    }
}
