//! The law: at every prefix of a plan, and with any reply lost, the user's data exists whole under a name that we can
//! print, or is gone because that was agreed; and running again is safe, and leaves nothing behind.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test fails by panicking")]

use std::collections::{BTreeMap, BTreeSet};

use clap::Parser as _;
use databases::{Rebuild, Reset, Snapshot, Switch, Undo};
use plan::{
    Action, Config, Confirm, DatabaseName, Exit, Fault, Flags, Label, LabelKind, Plan, World, approve,
    execute, mend, withdraw,
};
use proptest::prelude::*;
use shell::Command as _;
use testkit::{Fake, Held, Trouble};

const TROUBLES: [Trouble; 5] =
    [Trouble::Fails, Trouble::LosesReply, Trouble::DiesBefore, Trouble::DiesWithin, Trouble::DiesAfter];

/// What a person runs, and what a reset leaves to the background.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Run {
    Reset,
    Rebuild,
    NoSeed,
    To,
    NoUndo,
    Drop,
    Undo,
    Gc,
    Tidy,
    Save,
    Restore,
    Delete,
    Import,
    Export,
    ExportSaved,
    /// To the one branch or the other.
    Switch,
    Back,
}

const RUNS: [Run; 17] = [
    Run::Reset,
    Run::Rebuild,
    Run::NoSeed,
    Run::To,
    Run::NoUndo,
    Run::Drop,
    Run::Undo,
    Run::Gc,
    Run::Tidy,
    Run::Save,
    Run::Restore,
    Run::Delete,
    Run::Import,
    Run::Export,
    Run::ExportSaved,
    Run::Switch,
    Run::Back,
];

/// A name that nothing else has, and that SQL must not read.
const SAVED: &str = "it's \"; drop";

impl Run {
    /// What is made first, where a plan needs that.
    fn prepare(self, world: &World) -> Result<Option<Plan>, Fault> {
        if self == Self::Rebuild {
            Rebuild::parse_from(["slate-rebuild"]).prepare(&config(), world)
        } else {
            Ok(None)
        }
    }

    fn plan(self, world: &World) -> Result<Plan, Fault> {
        let config = config();
        let reset = |words: &[&str]| {
            Reset::parse_from(std::iter::once(&"slate-reset").chain(words)).plan(&config, world)
        };
        let undo = |words: &[&str]| {
            Undo::parse_from(std::iter::once(&"slate-undo").chain(words)).plan(&config, world)
        };
        let snapshot = |words: &[&str]| {
            Snapshot::parse_from(std::iter::once(&"slate-snapshot").chain(words)).plan(&config, world)
        };
        let switch = |words: &[&str]| {
            Switch::parse_from(std::iter::once(&"slate-switch").chain(words)).plan(&config, world)
        };
        match self {
            Self::Save => snapshot(&["save", SAVED]),
            Self::Restore => snapshot(&["restore", SAVED]),
            Self::Delete => snapshot(&["delete", SAVED]),
            Self::Import => snapshot(&["import", "a.dump"]),
            Self::Export => snapshot(&["export", "b.dump"]),
            Self::ExportSaved => snapshot(&["export", "c.dump", "--of", SAVED]),
            Self::Switch => switch(&["feature"]),
            Self::Back => switch(&["main"]),
            Self::Reset => reset(&[]),
            Self::Rebuild => Rebuild::parse_from(["slate-rebuild"]).plan(&config, world),
            Self::NoSeed => reset(&["--no-seed"]),
            Self::To => reset(&["--to", "1"]),
            Self::NoUndo => reset(&["--no-undo"]),
            Self::Drop => reset(&["--drop"]),
            Self::Tidy => reset(&["--tidy"]),
            Self::Undo => undo(&[]),
            Self::Gc => undo(&["--gc", "--older-than", "0"]),
        }
    }

    /// Whether somebody agreed that the rows go which are in the live database, or in one with a label of this kind.
    fn gives_up(self, kind: Option<LabelKind>) -> bool {
        match kind {
            None => matches!(self, Self::NoUndo | Self::Drop),
            Some(LabelKind::Kept) => self == Self::Gc,
            Some(LabelKind::Saved) => self == Self::Delete,
            Some(_) => false,
        }
    }

    /// Whether it has to find something that may not be there: what is kept, what is saved, a free name.
    fn may_not_fit(self) -> bool {
        matches!(self, Self::Undo | Self::Save | Self::Restore | Self::Delete | Self::ExportSaved)
    }

    /// Whether the present files' contents have the live name after it.
    fn is_fresh(self) -> bool {
        matches!(self, Self::Reset | Self::NoSeed | Self::To | Self::NoUndo | Self::Drop)
    }

    /// Whether it has something to do with the live database.
    fn concerns_live(self) -> bool {
        !matches!(self, Self::Gc | Self::Tidy | Self::Delete | Self::ExportSaved)
    }

    fn on(self, fake: &mut Fake) -> Result<(), Fault> {
        let for_good = [None, Some(LabelKind::Kept), Some(LabelKind::Saved)];
        let no_undo = for_good.into_iter().any(|kind| self.gives_up(kind));
        let flags = Flags { yes: true, no_undo, ..Flags::default() };
        let agreed = |plan| approve(plan, Confirm::Loss, &flags, |_| Ok(None));
        if let Some(mend) = mend("slate-reset", &fake.world()) {
            execute(&agreed(mend)?, fake, &mut |_| ())?;
        }
        let Some(first) = self.prepare(&fake.world())? else {
            return execute(&agreed(self.plan(&fake.world())?)?, fake, &mut |_| ()).map(|_| ());
        };
        let first = agreed(first)?;
        execute(&first, fake, &mut |_| ())?;
        let done = self.plan(&fake.world()).and_then(agreed);
        let done = done.and_then(|approved| execute(&approved, fake, &mut |_| ()).map(|_| ()));
        if done.is_err() {
            withdraw(&first, fake);
        }
        done
    }

    /// More steps than it has.
    fn steps(self, world: &World) -> usize {
        let first = self.prepare(world).ok().flatten().map_or(0, |plan| plan.steps.len() + 8);
        let mend = mend("slate-reset", world).map_or(0, |plan| plan.steps.len());
        mend + first + self.plan(world).map_or(0, |plan| plan.steps.len())
    }
}

fn config() -> Config {
    let text = "[migrations]\ntool = \"sql\"\ndir = \"migrations\"\n[seeds]\ndir = \"seeds\"\n";
    Config::read(text, []).unwrap()
}

fn shop() -> DatabaseName {
    DatabaseName::new("shop").unwrap()
}

/// Every database in which somebody typed a row; a copy of one that is still being made is nobody's yet.
fn rows(fake: &Fake) -> BTreeMap<u32, u64> {
    let world = fake.world();
    let databases = world.server.iter().flat_map(|server| &server.databases);
    let half =
        databases.filter(|one| one.label.as_ref().is_some_and(|label| label.kind == LabelKind::Building));
    let half: BTreeSet<u32> = half.map(|database| database.oid).collect();
    let with_rows = fake.databases.values().filter(|held| held.mine > 0 && !half.contains(&held.oid));
    with_rows.map(|held| (held.oid, held.mine)).collect()
}

/// The names that a person is told of: the live one, and what `slate-undo --list` prints.
fn printed(fake: &Fake) -> String {
    let list = Undo::parse_from(["slate-undo", "--list"]).plan(&Config::default(), &fake.world()).unwrap();
    let lines = list.facts.iter().map(|fact| format!("{} ", fact.text.replace(',', " ")));
    std::iter::once("shop ".to_owned()).chain(lines).collect()
}

/// Nobody's rows went without consent, and every place of them is told.
#[track_caller]
fn assert_whole(before: &Fake, after: &Fake, run: Run, ended: Result<(), &Fault>, what: &str) {
    let was_live = before.databases.get(&shop()).map(|held| held.oid);
    let printed = printed(after);
    for (oid, mine) in rows(before) {
        let is_live = Some(oid) == was_live;
        let was = before.databases.values().find(|held| held.oid == oid);
        let label = was.and_then(|held| Label::read(held.comment.as_deref()?));
        let agreed = run.gives_up(label.map(|label| label.kind).filter(|_| !is_live));
        let now = after.databases.iter().find(|(_, held)| held.oid == oid);
        let Some((name, held)) = now else {
            assert!(agreed, "{what}: the rows of database {oid} are gone");
            continue;
        };
        assert_eq!(held.mine, mine, "{what}");
        assert!(printed.contains(&format!("{name} ")), "{what}: nobody is told of {name}: {printed}");
        let state = ended.err().and_then(|fault| fault.state.clone()).unwrap_or_default();
        let told = state.contains(&format!("`{name}`")) || state == "nothing was changed";
        // What a run has nothing to do with it need not tell of.
        let concerned = is_live && run.concerns_live();
        assert!(ended.is_ok() || !concerned || told, "{what}: {state}");
    }
}

/// One whole live database with its own comment and limit; beside it what is kept, templates, and one spare.
#[track_caller]
fn assert_sound(fake: &Fake, what: &str) {
    let world = fake.world();
    let live = &fake.databases[&shop()];
    assert!(live.open && live.built, "{what}: {live:#?}");
    assert_eq!(live.comment.as_deref(), Some("our shop"), "{what}");
    assert_eq!(live.limit, Some(17), "{what}");
    let mut spares = 0;
    for database in world.server.iter().flat_map(|server| &server.databases) {
        if database.name == shop() {
            continue;
        }
        let kind = database.label.as_ref().map(|label| label.kind);
        let fits = match kind {
            Some(LabelKind::Kept | LabelKind::Parked) => database.open,
            Some(LabelKind::Template | LabelKind::Spare | LabelKind::Saved) => !database.open,
            _ => false,
        };
        assert!(fits, "{what}: {} is left behind: {:#?}", database.name, fake.databases);
        spares += u32::from(kind == Some(LabelKind::Spare));
    }
    assert!(spares <= 1, "{what}: {spares} spares");
}

/// The present files' contents under the live name, and nothing else in it.
#[track_caller]
fn assert_fresh(fake: &Fake, run: Run, what: &str) {
    let live = &fake.databases[&shop()];
    assert_eq!((live.mine, live.seeded), (0, !matches!(run, Run::NoSeed | Run::To)), "{what}");
    let blueprint = live.marker.as_ref().and_then(|marker| marker.blueprint.clone());
    assert_eq!(blueprint, (run != Run::To).then(|| fake.blueprint.clone()), "{what}");
}

/// Every place that a run may begin at.
fn starts() -> Vec<(&'static str, Fake)> {
    let mut first = Fake::with(&shop(), 5);
    let live = first.databases.get_mut(&shop()).unwrap();
    (live.comment, live.limit) = (Some("our shop".to_owned()), Some(17));
    let after = |fake: &Fake, runs: &[Run]| {
        let mut fake = fake.clone();
        for run in runs {
            run.on(&mut fake).unwrap();
        }
        fake.heal();
        fake
    };
    let typed = |mut fake: Fake| {
        fake.databases.get_mut(&shop()).unwrap().mine = 7;
        fake
    };
    let unchanged = after(&first, &[Run::Reset, Run::Tidy]);
    let mut template_only = typed(unchanged.clone());
    template_only.databases.retain(|name, _| !name.as_str().contains("spare"));
    let mut edited = typed(unchanged.clone());
    "second".clone_into(&mut edited.blueprint);
    let mut closed = typed(unchanged.clone());
    closed.databases.get_mut(&shop()).unwrap().open = false;
    let untidied = typed(after(&typed(unchanged.clone()), &[Run::Reset]));
    let undone = typed(after(&typed(unchanged.clone()), &[Run::Reset, Run::Tidy, Run::Undo]));
    let saved = typed(after(&undone, &[Run::Save, Run::Switch, Run::Tidy]));
    vec![
        ("nothing is ready", first),
        ("nobody changed anything", unchanged.clone()),
        ("a spare is ready", typed(unchanged)),
        ("a template alone", template_only),
        ("an edited baseline", edited),
        ("closed by a run that was killed", closed),
        ("not tidied up yet", untidied),
        ("undone", undone),
        ("saved, and another branch's parked", saved),
    ]
}

#[test]
fn with_trouble_at_any_step_nothing_is_lost_and_any_next_run_works() {
    // Many troubles leave the same behind; once is enough to go on from there.
    let (mut troubles, mut left) = (0, BTreeSet::new());
    for (start, before) in starts() {
        for run in RUNS {
            let steps = run.steps(&before.world());
            // Two more than it has: what is taken back is a step too.
            for (step, trouble) in (0..steps + 2).flat_map(|step| TROUBLES.map(|trouble| (step, trouble))) {
                let what = format!("{start}, {run:?}, {trouble:?} at step {step}");
                let mut fake = before.clone();
                fake.trouble = Some((step, trouble));
                let ended = run.on(&mut fake);
                assert_whole(&before, &fake, run, ended.as_ref().map(|&()| ()), &what);
                fake.heal();
                troubles += 1;
                if left.insert(format!("{fake:?}")) {
                    for next in RUNS {
                        assert_goes_on(&fake, next, &format!("{what}, then {next:?}"));
                    }
                }
            }
        }
    }
    assert!(troubles > 2_000 && left.len() > 100, "{troubles} troubles, {} states", left.len());
}

/// A run succeeds whatever an earlier one left, and what the background does then puts everything right.
#[track_caller]
fn assert_goes_on(fake: &Fake, next: Run, what: &str) {
    let mut fake = fake.clone();
    let before = fake.clone();
    let ended = next.on(&mut fake);
    assert_whole(&before, &fake, next, ended.as_ref().map(|&()| ()), what);
    match &ended {
        Ok(()) => {}
        Err(fault) => {
            let unknown = matches!(next, Run::Switch | Run::Back) && fault.exit == Exit::NotReady;
            assert!(unknown || (next.may_not_fit() && fault.exit == Exit::Usage), "{what}: {fault}");
        }
    }
    if ended.is_ok() && next == Run::Rebuild {
        let was = before.databases.get(&shop()).map_or(0, |held| held.mine);
        assert_eq!(fake.databases[&shop()].mine, was, "{what}: rows stayed behind");
    } else if ended.is_ok() && next.is_fresh() {
        assert_fresh(&fake, next, what);
    }
    if fake.databases.contains_key(&shop()) {
        Run::Tidy.on(&mut fake).unwrap();
    }
    Run::Reset.on(&mut fake).unwrap();
    assert_whole(&before, &fake, next, Ok(()), what);
    Run::Tidy.on(&mut fake).unwrap();
    assert_sound(&fake, what);
}

#[test]
fn a_failure_before_the_names_change_leaves_the_live_database_as_it_was() {
    for (start, before) in starts() {
        for run in [Run::Reset, Run::NoUndo, Run::Drop, Run::Undo, Run::Restore, Run::Import, Run::Switch] {
            let Ok(plan) = run.plan(&before.world()) else { continue };
            let changes =
                |step: &plan::Step| matches!(step.action, Action::DropDatabase { .. } | Action::Swap { .. });
            let last = plan.steps.iter().position(changes);
            // A switch to where it is already changes no name.
            for step in 0..last.unwrap_or(0) {
                let mut fake = before.clone();
                fake.trouble = Some((step, Trouble::Fails));
                let fault = run.on(&mut fake).unwrap_err();

                let was = Held { open: fake.databases[&shop()].open, ..before.databases[&shop()].clone() };
                assert_eq!(fake.databases[&shop()], was, "{start}, {run:?}, step {step}");
                assert!(was.open || !before.databases[&shop()].open, "{start}, {run:?}, step {step}");
                let state = fault.state.unwrap();
                assert!(state.ends_with("your data is whole in `shop`"), "{state}");
            }
        }
    }
}

/// What happens between two runs.
#[derive(Debug, Clone, Copy)]
enum Meanwhile {
    Nothing,
    Types(u64),
    Edits(u8),
}

fn meanwhile() -> impl Strategy<Value = Meanwhile> {
    prop_oneof![
        Just(Meanwhile::Nothing),
        (1_u64..9).prop_map(Meanwhile::Types),
        (0_u8..6).prop_map(Meanwhile::Edits),
    ]
}

fn trouble() -> impl Strategy<Value = Option<(usize, Trouble)>> {
    prop::option::of((0_usize..16, prop::sample::select(&TROUBLES[..])))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_days_with_any_troubles_lose_nothing(
        start in 0_usize..9,
        days in prop::collection::vec((meanwhile(), prop::sample::select(&RUNS[..]), trouble()), 1..9),
    ) {
        let (_, mut fake) = starts().swap_remove(start);
        for (meanwhile, run, trouble) in days {
            match (meanwhile, fake.databases.get_mut(&shop())) {
                (Meanwhile::Types(mine), Some(live)) => live.mine += mine,
                (Meanwhile::Edits(n), _) => fake.blueprint = format!("edit {n}"),
                _ => {}
            }
            let before = fake.clone();
            fake.trouble = trouble;
            let ended = run.on(&mut fake);
            assert_whole(&before, &fake, run, ended.as_ref().map(|&()| ()), &format!("{run:?} {trouble:?}"));
            fake.heal();
        }
        for next in RUNS {
            assert_goes_on(&fake, next, &format!("{next:?}"));
        }
    }
}
