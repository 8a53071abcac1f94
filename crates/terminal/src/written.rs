//! Plans, steps and faults as text. Pure: the same value gives the same text.

use std::time::Duration;

use plan::{Action, Confirm, Effect, Fact, Fault, Need, Outcome, Plan, Report, Step, Undo, words};

use crate::sheet::Sheet;
use crate::text::{gerund, padded, visible, width};

/// Below this a step's time says nothing to a person.
const WORTH_TELLING: Duration = Duration::from_millis(100);

/// What is shown before the question: where, the facts, and why it asks.
pub(crate) fn proposal(sheet: Sheet, plan: &Plan, with_steps: bool) -> String {
    let mut out = String::new();
    if !plan.target.is_empty() {
        sheet.line(&mut out, &plan.target);
    }
    let asks = plan.asks.iter().map(|why| Fact::new("asks", why));
    let in_the_way = plan.in_the_way.iter().map(|what| Fact::new("in the way", what));
    let facts: Vec<Fact> = plan.facts.iter().cloned().chain(in_the_way).chain(asks).collect();
    out.push_str(&sheet.facts(if plan.target.is_empty() { 0 } else { 2 }, facts.iter()));
    if with_steps && !plan.steps.is_empty() {
        out.push_str(&steps(sheet, plan));
    }
    out
}

/// The results. A plan that had nothing to do has its facts as its result. Then what the steps have to say, and the
/// closing, which ends with the way back.
pub(crate) fn results(sheet: Sheet, plan: &Plan, report: &Report) -> String {
    let mut out = if plan.steps.is_empty() { proposal(sheet, plan, false) } else { String::new() };
    let lines = report.outcomes.iter().flat_map(|outcome| &outcome.lines);
    lines.chain(&plan.closing).for_each(|line| sheet.line(&mut out, line));
    out
}

/// The whole plan, and what it needs before it may run.
pub(crate) fn dry_run(sheet: Sheet, plan: &Plan, confirm: Confirm) -> String {
    let mut out = proposal(sheet, plan, true);
    if plan.steps.is_empty() {
        plan.closing.iter().for_each(|line| sheet.line(&mut out, line));
        return out;
    }
    let token = plan.token();
    let needs = match plan.need(confirm) {
        Need::Nothing => "It would not ask.".to_owned(),
        Need::YesNo => format!("It would ask; --yes or --confirm {token} stands for the answer."),
        Need::Name => {
            let name = &plan.subject;
            format!("It would want `{name}` typed; --yes --no-undo or --confirm {token} stands for that.")
        }
    };
    sheet.line(&mut out, &format!("Nothing was changed. {needs}"));
    out
}

/// Each step: number, verb, object, why, and what becomes of what was there.
fn steps(sheet: Sheet, plan: &Plan) -> String {
    let digits = plan.steps.len().to_string().len();
    let verb = plan.steps.iter().map(|step| width(step.action.doing().0)).max().unwrap_or(0);
    let mut out = String::new();
    for (number, step) in (1..).zip(&plan.steps) {
        let (doing, what) = step.action.doing();
        let start = format!("  {number:>digits$}  {}  ", sheet.paint.bold(&padded(doing, verb)));
        let used = digits + verb + 6;
        sheet.row(&mut out, &start, used, used, &format!("{what}{}", remarks(step)));
    }
    out
}

fn remarks(step: &Step) -> String {
    let mut remarks = String::new();
    let mut remark = |text: &str| remarks.extend([" · ", text]);
    if !step.why.is_empty() {
        remark(step.why);
    }
    if step.action.effect() == Effect::Destroys {
        remark(&match &step.undo {
            Some(Undo::Copy { volume }) => format!("destroys; the copy `{volume}` takes it back"),
            Some(Undo::Up) => "destroys; the next `up` makes it again".to_owned(),
            Some(Undo::Elsewhere { name }) => format!("destroys; it stands in `{name}`"),
            None => "destroys for good".to_owned(),
        });
    }
    remarks
}

/// The width of the widest verb of a plan, once it is done.
pub(crate) fn verbs(plan: &Plan) -> usize {
    plan.steps.iter().map(|step| width(step.action.done().0)).filter(|&verb| verb <= 12).max().unwrap_or(0)
}

/// The calm line of a finished step.
pub(crate) fn finished(
    sheet: Sheet,
    verbs: usize,
    action: &Action,
    outcome: &Outcome,
    took: Duration,
) -> String {
    let (verb, what) = action.done();
    let verb = padded(verb, verbs);
    let mut text = what;
    if let Some(detail) = &outcome.detail {
        text = format!("{text}: {detail}");
    }
    if took >= WORTH_TELLING {
        text = format!("{text}, {}", words::took(took));
    }
    let mut out = String::new();
    let used = width(&verb) + 2;
    sheet.row(&mut out, &format!("{}  ", sheet.paint.bold(&verb)), used, used, &text);
    out
}

/// A step that was taken back.
pub(crate) fn amended(sheet: Sheet, verbs: usize, action: &Action) -> String {
    finished(sheet, verbs, action, &Outcome::default(), Duration::ZERO)
}

/// The line that says it still works.
pub(crate) fn heartbeat(action: &Action, running: Duration, progress: Option<(u64, u64)>) -> String {
    let (verb, what) = action.doing();
    let share = progress.and_then(|(done, total)| (done.min(total) * 100).checked_div(total));
    let share = share.map_or(String::new(), |percent| format!(", {percent} %"));
    visible(&format!("still {} {what}: {} s{share}", gerund(verb), running.as_secs()))
}

/// What was used, once all is done.
pub(crate) fn took(sheet: Sheet, plan: &Plan, took: Duration) -> String {
    let mut out = String::new();
    if !plan.only_reads() {
        let text = format!("done in {}", words::took(took));
        out = format!("{}\n", sheet.paint.dim(&text));
    }
    out
}

/// Four lines, whatever the width: a hint has to survive being pasted.
pub(crate) fn fault(sheet: Sheet, fault: &Fault) -> String {
    let Sheet { paint, .. } = sheet;
    let mut out = format!("{} {}\n", paint.red("error:"), visible(&fault.error));
    for (label, text) in [("cause:", &fault.cause), ("state:", &fault.state), ("hint: ", &fault.hint)] {
        if let Some(text) = text {
            out.extend([&paint.bold(label), " ", &visible(text), "\n"]);
        }
    }
    out
}
