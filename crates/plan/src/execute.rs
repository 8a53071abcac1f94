//! Runs an approved plan on a machine, step by step, and says truthfully where it stopped.

use std::time::{Duration, Instant};

use crate::step::Data;
use crate::{Action, Approved, DatabaseName, Effect, Event, Exit, Expect, Fault, Outcome, Plan, Step, words};

/// What can perform actions: the real world, or a fake that the same contract tests prove.
pub trait Machine {
    /// # Errors
    /// What was expected does not hold any more.
    fn verify(&mut self, expect: &Expect) -> Result<(), Fault>;

    /// # Errors
    /// The action failed, or its reply was lost: it may still have happened.
    fn perform(&mut self, action: &Action, said: &mut dyn FnMut(Said<'_>)) -> Result<Outcome, Fault>;

    /// Where each piece of data is now; read afresh, since a lost reply hides whether a step happened.
    fn look(&mut self, data: &[Data]) -> Look;

    /// Whether the person wants it to stop.
    fn interrupted(&self) -> bool;
}

/// What an action tells while it works.
#[derive(Debug, Clone, Copy)]
pub enum Said<'a> {
    Progress { done: u64, total: u64 },
    Line(&'a str),
}

/// What a fresh look found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Look {
    /// Names under which the data stands whole.
    pub there: Vec<String>,
    /// Data that is under no name any more.
    pub gone: Vec<String>,
    /// Data that could not be looked for.
    pub unknown: Vec<String>,
}

/// What came of a plan.
#[derive(Debug, Default)]
pub struct Report {
    pub outcomes: Vec<Outcome>,
    pub took: Duration,
}

/// Runs the plan. A step that fails before the point of no return has those before it taken back; after that point the
/// next run goes on from what it finds.
///
/// # Errors
/// The first fault, with its `state:` from what was done and a fresh look.
pub fn execute(
    approved: &Approved,
    machine: &mut dyn Machine,
    tell: &mut dyn FnMut(&Event<'_>),
) -> Result<Report, Fault> {
    let plan = approved.plan();
    let begun = Instant::now();
    tell(&Event::Planned { plan });
    let mut report = Report::default();
    for (step, index) in plan.steps.iter().zip(0..) {
        if !step.bound && machine.interrupted() {
            let fault = Fault::new(Exit::Declined, "interrupted");
            return Err(stopped(plan, index, index, machine, tell, fault));
        }
        let started = Instant::now();
        tell(&Event::Started { step: index });
        let done =
            step.expects.iter().try_for_each(|expect| machine.verify(expect)).map_err(|fault| (fault, index));
        let done = done.and_then(|()| {
            let mut said = |said: Said<'_>| match said {
                Said::Progress { done, total } => tell(&Event::Progress { step: index, done, total }),
                Said::Line(line) => tell(&Event::Said { step: index, line }),
            };
            machine.perform(&step.action, &mut said).map_err(|fault| (fault, index + 1))
        });
        match done {
            Ok(outcome) => {
                tell(&Event::Finished { step: index, outcome: &outcome, took: started.elapsed() });
                report.outcomes.push(outcome);
            }
            Err((fault, begun)) => {
                tell(&Event::Failed { step: index, fault: &fault });
                return Err(stopped(plan, index, begun, machine, tell, fault));
            }
        }
    }
    report.took = begun.elapsed();
    tell(&Event::Ended { took: report.took });
    Ok(report)
}

/// Takes back a plan that was carried out only so that another one could be made, which nobody wants now.
pub fn withdraw(approved: &Approved, machine: &mut dyn Machine) {
    let plan = approved.plan();
    // What it can't the next run does, as after a crash.
    let _ = amend(plan, plan.steps.len(), machine, &mut |_| ());
}

/// `done` steps are complete; those before `begun` may have happened.
fn stopped(
    plan: &Plan,
    done: usize,
    begun: usize,
    machine: &mut dyn Machine,
    tell: &mut dyn FnMut(&Event<'_>),
    fault: Fault,
) -> Fault {
    // A swap that was refused changed nothing, so what was done for it is taken back; one whose reply was lost is final.
    let refused = plan.steps.get(done).is_some_and(|step| match &step.action {
        Action::Swap { live, .. } => machine.look(&plan.data).there.contains(&live.to_string()),
        _ => false,
    });
    let (amended, failed) = amend(plan, if refused { done } else { begun }, machine, tell);
    let look = machine.look(&plan.data);
    fault.or_state(state(plan, (done, begun), &amended, &failed, &look))
}

/// Takes back what was begun since the last step that can't be.
fn amend(
    plan: &Plan,
    begun: usize,
    machine: &mut dyn Machine,
    tell: &mut dyn FnMut(&Event<'_>),
) -> (Vec<usize>, Vec<Action>) {
    let (mut amended, mut failed) = (Vec::new(), Vec::new());
    let steps = plan.steps.iter().enumerate().take(begun).rev();
    // A destructive step that only began may not have happened; where it did, the look says so.
    for (index, step) in steps.take_while(|(_, step)| !is_final(&step.action)) {
        let Some(action) = &step.amend else { continue };
        match machine.perform(action, &mut |_| ()) {
            Ok(_) => {
                tell(&Event::Amended { action });
                amended.push(index);
            }
            Err(_) => failed.push(action.clone()),
        }
    }
    (amended, failed)
}

/// From here on a plan is carried to its end, not back.
fn is_final(action: &Action) -> bool {
    action.effect() == Effect::Destroys
        || matches!(action, Action::RenameDatabase { .. } | Action::Swap { .. } | Action::KeepCluster { .. })
}

fn state(
    plan: &Plan,
    (done, begun): (usize, usize),
    amended: &[usize],
    failed: &[Action],
    look: &Look,
) -> String {
    let undone: Vec<&DatabaseName> = amended
        .iter()
        .filter_map(|index| match plan.steps.get(*index)?.amend.as_ref()? {
            Action::DiscardDatabase { database } => Some(database),
            _ => None,
        })
        .collect();
    let lasts = |index: usize, step: &Step| {
        step.action.effect() != Effect::Reads
            && !amended.contains(&index)
            // What was put into a database went with it.
            && !step.action.fills().is_some_and(|database| undone.contains(&database))
    };
    let lasting = plan.steps.iter().enumerate().take(done).filter(|(index, step)| lasts(*index, step));
    let mut told: Vec<String> = lasting.map(|(_, step)| phrase(&step.action)).collect();
    let halfway = plan
        .steps
        .iter()
        .enumerate()
        .take(begun)
        .skip(done)
        .filter(|(index, step)| is_of_many(&step.action) && !amended.contains(index));
    told.extend(halfway.map(|(_, step)| {
        let (verb, what) = step.action.doing();
        format!("began to {verb} {what}")
    }));
    if told.is_empty() {
        told.push(if amended.is_empty() { "nothing was changed" } else { "all is as it was" }.to_owned());
    }
    told.extend(failed.iter().map(|action| {
        let (verb, what) = action.doing();
        format!("could not {verb} {what}: the next run does")
    }));
    if !look.there.is_empty() {
        told.push(format!("your data is whole in {}", words::list(&look.there)));
    }
    if !look.gone.is_empty() {
        told.push(format!("{} is gone, as agreed", words::list(&look.gone)));
    }
    if !look.unknown.is_empty() {
        told.push(format!(
            "could not look at {}, which no finished step touched",
            words::list(&look.unknown)
        ));
    }
    told.join("; ")
}

/// Made of several things: where it fails, some of them may have been done.
fn is_of_many(action: &Action) -> bool {
    matches!(
        action,
        Action::MakeServices { .. }
            | Action::StartServices { .. }
            | Action::StartContainers { .. }
            | Action::StopContainers { .. }
            | Action::RemoveContainers { .. }
            | Action::RemoveRest { .. }
            | Action::RestartContainer { .. }
    )
}

fn phrase(action: &Action) -> String {
    let (verb, what) = action.done();
    format!("{verb} {what}")
}
