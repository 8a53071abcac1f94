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
    json!({
        "command": plan.command,
        "ok": true,
        "plan": plan,
        "steps": steps,
        "lines": lines.collect::<Vec<_>>(),
        "facts": facts(&report.outcomes),
        "ms": milliseconds(report.took),
    })
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
