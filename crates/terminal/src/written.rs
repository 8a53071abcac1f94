//! Plans, steps and faults as text. Pure: the same value gives the same text.

use std::time::Duration;

use plan::{Action, Confirm, Effect, Fact, Fault, Finding, Need, Outcome, Plan, Report, Step, Undo, words};

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
    plan.steps.iter().for_each(|step| change(sheet, &mut out, &step.action));
    if with_steps && !plan.steps.is_empty() {
        out.push_str(&steps(sheet, plan));
    }
    out
}

/// The results. A plan that had nothing to do has its facts as its result. Then what the steps have to say, and the
/// closing, which ends with the way back.
pub(crate) fn results(sheet: Sheet, plan: &Plan, report: &Report) -> String {
    let mut out = if plan.steps.is_empty() { proposal(sheet, plan, false) } else { String::new() };
    plan.findings.iter().for_each(|found| out.push_str(&finding(sheet, found)));
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

/// A file as it would be, against what it is.
fn change(sheet: Sheet, out: &mut String, action: &Action) {
    let Action::WriteFile { path, before, after, .. } = action else { return };
    let (before, after) = (before.as_deref().unwrap_or_default(), after.as_deref().unwrap_or_default());
    sheet.line(out, "");
    let name = visible(path);
    sheet.row(out, &sheet.paint.bold(&name), width(&name), 0, "");
    for line in plan::difference(before, after) {
        sheet.line(out, &format!("  {line}"));
    }
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
            Some(Undo::Copies { volumes }) => {
                format!("destroys; the copies {} take it back", words::list(volumes))
            }
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
    let share = progress.and_then(|(done, total)| (u128::from(done) * 100).checked_div(total.into()));
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

/// What is wrong, how that is known, and what mends it. The last has to survive being pasted.
fn finding(sheet: Sheet, found: &Finding) -> String {
    let Sheet { paint, .. } = sheet;
    let mut out = format!("{} {}\n", paint.red("wrong:"), visible(&found.what));
    for (label, text) in [("seen: ", &found.because), ("mend: ", &found.mend)] {
        if !text.is_empty() {
            out.extend([&paint.bold(label), " ", &visible(text), "\n"]);
        }
    }
    out.push('\n');
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

#[cfg(test)]
mod tests {
    use plan::{DatabaseName, Exit, VolumeName};

    use super::*;
    use crate::paint::Paint;

    const PIPE: Sheet = Sheet { width: None, paint: Paint { on: false } };
    const TERMINAL: Sheet = Sheet { width: Some(80), paint: Paint { on: false } };

    fn database(name: &str) -> DatabaseName {
        DatabaseName::new(name).unwrap()
    }

    fn reset() -> Plan {
        let mut plan = Plan::new("slate-reset", "vinyldigger");
        plan.target =
            "Reset vinyldigger on postgres:5432 (compose project vinyldigger, Postgres 16.4)".to_owned();
        plan.facts = vec![
            Fact::new("replaces", "14 tables, 31,204 rows, 48 MB, last write 12 minutes ago"),
            Fact::new("yours", "saved_searches +12 rows, users +1 row; the rest is as seeded"),
            Fact::new("disconnects", "backend (5), worker (3), DBeaver 24.1 (idle 2 h)"),
            Fact::new("no way back", "--no-undo was given"),
        ];
        plan.steps = vec![
            Step::new(Action::CloseDatabase { database: database("vinyldigger") }, "renaming wants it empty"),
            Step::new(Action::DropDatabase { database: database("vinyldigger") }, "it is replaced"),
        ];
        plan.closing = vec!["Back to baseline and seeds.".to_owned()];
        plan
    }

    #[test]
    fn a_reset_is_shown_as_on_its_screen() {
        insta::assert_snapshot!(proposal(TERMINAL, &reset(), false), @r"
        Reset vinyldigger on postgres:5432 (compose project vinyldigger, Postgres 16.4)
          replaces     14 tables, 31,204 rows, 48 MB, last write 12 minutes ago
          yours        saved_searches +12 rows, users +1 row; the rest is as seeded
          disconnects  backend (5), worker (3), DBeaver 24.1 (idle 2 h)
          no way back  --no-undo was given
        ");
    }

    #[test]
    fn a_clean_without_a_target_has_its_labels_at_the_edge() {
        let mut plan = Plan::new("slate-clean", "shop");
        plan.facts = vec![Fact::new("Removes", "6 containers · 1 network"), Fact::new("In it", "1,483 rows")];

        insta::assert_snapshot!(proposal(TERMINAL, &plan, false), @r"
        Removes  6 containers · 1 network
        In it    1,483 rows
        ");
    }

    #[test]
    fn why_it_asks_and_whose_work_is_in_the_way_are_shown() {
        let mut plan = reset();
        plan.facts.clear();
        plan.asks = vec!["it is the first reset here".to_owned()];
        plan.in_the_way = vec!["DBeaver has a transaction open".to_owned()];

        insta::assert_snapshot!(proposal(PIPE, &plan, false), @r"
        Reset vinyldigger on postgres:5432 (compose project vinyldigger, Postgres 16.4)
          in the way  DBeaver has a transaction open
          asks        it is the first reset here
        ");
    }

    #[test]
    fn a_plan_with_nothing_to_do_has_its_facts_as_its_result() {
        let mut plan = reset();
        assert_eq!(results(PIPE, &plan, &Report::default()), "Back to baseline and seeds.\n");

        plan.steps.clear();

        let text = results(PIPE, &plan, &Report::default());
        assert!(text.starts_with("Reset vinyldigger on") && text.ends_with("Back to baseline and seeds.\n"));
    }

    #[test]
    fn steps_say_why_and_what_becomes_of_what_was_there() {
        insta::assert_snapshot!(steps(PIPE, &reset()), @r"
          1  close  `vinyldigger` to new sessions · renaming wants it empty
          2  drop   `vinyldigger` · it is replaced · destroys for good
        ");
    }

    #[test]
    fn a_fault_is_four_lines_however_long_and_hostile() {
        let fault = fault(
            Sheet { width: Some(20), paint: Paint { on: false } },
            &Fault::new(Exit::Failed, "`shop` was not reset\nerror: forged")
                .cause("connection lost while renaming")
                .state("your data is whole in `shop__kept_4`\u{1b}[1A")
                .hint("just db undo"),
        );

        insta::assert_snapshot!(fault, @r"
        error: `shop` was not reset\nerror: forged
        cause: connection lost while renaming
        state: your data is whole in `shop__kept_4`\u{1b}[1A
        hint:  just db undo
        ");
    }

    #[test]
    fn quick_steps_do_not_tell_their_time() {
        let action = Action::RemoveVolume { volume: VolumeName::new("v").unwrap() };
        let line = |ms| finished(PIPE, 8, &action, &Outcome::default(), Duration::from_millis(ms));

        assert_eq!(line(99), "removed   volume `v`\n");
        assert_eq!(line(100), "removed   volume `v`, 100 ms\n");
    }

    #[test]
    fn a_sign_of_life_tells_how_far_it_is_where_that_is_known() {
        let (long, action) = (Duration::from_secs(20), Action::AwaitServer);

        assert_eq!(heartbeat(&action, long, None), "still awaiting Postgres: 20 s");
        assert_eq!(heartbeat(&action, long, Some((1, 3))), "still awaiting Postgres: 20 s, 33 %");
        assert_eq!(heartbeat(&action, long, Some((0, 0))), "still awaiting Postgres: 20 s");
    }

    #[test]
    fn time_is_told_where_something_changed() {
        let mut plan = reset();
        assert_eq!(took(PIPE, &plan, Duration::from_millis(4_300)), "done in 4.3 s\n");

        plan.steps = vec![Step::new(Action::AwaitServer, "")];

        assert_eq!(took(PIPE, &plan, Duration::from_millis(4_300)), "");
    }
}
