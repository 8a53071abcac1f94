//! The same for machines. Pure.

use std::fmt::Write as _;
use std::time::Duration;

use plan::{Confirm, Event, Fault, Need, Outcome, Plan, Report};
use serde::Serialize;
use serde_json::{Map, Value, json};

use crate::text::is_safe;

/// A plan that is only shown, what it needs, and the token that agrees to it.
pub(crate) fn dry_run(plan: &Plan, confirm: Confirm) -> Value {
    let needs = match plan.need(confirm) {
        Need::Nothing => "nothing",
        Need::YesNo => "yes",
        Need::Name => "name",
    };
    json!({ "command": plan.command, "ok": true, "plan": plan, "needs": needs, "token": plan.token() })
}

/// What was done. `times` are those of the steps, as far as they were told.
pub(crate) fn report(plan: &Plan, report: &Report, times: &[Duration]) -> Value {
    if let Some(answer) = &plan.answer {
        return answer.clone();
    }
    let times = times.iter().copied().map(Some).chain(std::iter::repeat(None));
    let steps = plan.steps.iter().zip(&report.outcomes).zip(times);
    let steps: Vec<Value> = steps
        .map(|((step, outcome), took)| {
            let mut fields = fields(&step.action);
            fields.insert("outcome".to_owned(), json!(outcome));
            fields.insert("ms".to_owned(), json!(took.map(milliseconds)));
            Value::Object(fields)
        })
        .collect();
    let lines = report.outcomes.iter().flat_map(|outcome| &outcome.lines).chain(&plan.closing);
    let findings = report.outcomes.iter().find_map(|outcome| outcome.findings.as_ref());
    let mut value = json!({
        "command": plan.command,
        "ok": true,
        "plan": plan,
        "steps": steps,
        "lines": lines.collect::<Vec<_>>(),
        "facts": facts(&report.outcomes),
        "ms": milliseconds(report.took),
    });
    if let (Some(findings), Some(fields)) = (findings, value.as_object_mut()) {
        fields.insert("findings".to_owned(), json!(findings));
    }
    value
}

/// Why it was not done.
pub(crate) fn fault(command: &str, fault: &Fault) -> Value {
    let mut error = fields(fault);
    error.insert("code".to_owned(), json!(fault.exit as i32));
    json!({ "command": command, "ok": false, "error": error })
}

/// One event.
pub(crate) fn event(event: &Event<'_>) -> Value {
    serde_json::to_value(event).unwrap_or_default()
}

/// A last word as an event of the stream.
pub(crate) fn last(name: &str, value: Value) -> Value {
    let mut fields = Map::from_iter([("event".to_owned(), json!(name))]);
    if let Value::Object(value) = value {
        fields.extend(value);
    }
    Value::Object(fields)
}

/// A value on one line, with nothing in it that a terminal obeys: JSON itself lets C1 controls and reversed text be.
pub(crate) fn line(value: &Value) -> String {
    let text = value.to_string();
    if text.chars().all(is_safe) {
        return text;
    }
    let escape = |mut out: String, c: char| {
        if is_safe(c) {
            out.push(c);
        } else {
            // Into a String: never an error.
            let _ = c.encode_utf16(&mut [0; 2]).iter().try_for_each(|unit| write!(out, "\\u{unit:04x}"));
        }
        out
    };
    text.chars().fold(String::with_capacity(text.len()), escape)
}

fn facts(outcomes: &[Outcome]) -> Map<String, Value> {
    outcomes.iter().flat_map(|outcome| outcome.facts.clone()).collect()
}

fn fields(value: &impl Serialize) -> Map<String, Value> {
    match serde_json::to_value(value) {
        Ok(Value::Object(fields)) => fields,
        _ => Map::new(),
    }
}

fn milliseconds(time: Duration) -> f64 {
    (time.as_secs_f64() * 10_000.0).round() / 10.0
}

#[cfg(test)]
mod tests {
    use plan::Exit;

    use super::*;

    #[test]
    fn a_line_holds_nothing_that_a_terminal_obeys_and_means_the_same() {
        let value = json!({ "name": "a\u{1b}[2J\u{9b}31m\u{202e}\u{7f}\n\"é\" 日本 \u{e0001}" });

        let line = line(&value);

        assert!(line.chars().all(is_safe), "{line:?}");
        assert!(line.contains("é") && line.contains("日本"));
        assert_eq!(serde_json::from_str::<Value>(&line).unwrap(), value);
    }

    #[test]
    fn a_fault_has_its_exit_code() {
        let value =
            fault("slate-up", &Fault::new(Exit::NotReady, "the engine does not answer").hint("start it"));

        assert_eq!(
            value,
            json!({ "command": "slate-up", "ok": false, "error": {
                "exit": "not-ready", "error": "the engine does not answer", "hint": "start it", "code": 5 } })
        );
    }

    #[test]
    fn what_steps_found_is_together_and_times_stay_with_their_steps() {
        let mut plan = Plan::new("slate-up", "shop");
        plan.steps = [plan::Action::AwaitServer, plan::Action::StartCluster]
            .map(|action| plan::Step::new(action, ""))
            .to_vec();
        let found = |name: &str| Outcome {
            facts: Map::from_iter([(name.to_owned(), json!(1))]),
            ..Outcome::default()
        };
        let outcomes = vec![found("port"), found("rows")];
        let done = Report { outcomes, took: Duration::from_micros(1_234) };

        let value = report(&plan, &done, &[Duration::from_millis(7)]);

        assert_eq!(value["facts"], json!({ "port": 1, "rows": 1 }));
        assert_eq!(value["ms"], 1.2);
        assert_eq!((&value["steps"][0]["ms"], &value["steps"][1]["ms"]), (&json!(7.0), &Value::Null));
    }

    #[test]
    fn the_last_word_of_a_stream_says_what_it_is() {
        assert_eq!(last("report", json!({ "ok": true })), json!({ "event": "report", "ok": true }));
    }
}
