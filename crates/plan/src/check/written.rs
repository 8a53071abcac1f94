//! Findings as lines: for people, and for a forge.

use super::finding::{Finding, Severity, Side};
use crate::words;

/// A value longer than this is cut in a line for people.
const LONG: usize = 70;

/// Findings for people: grouped by how much they matter, side by side.
#[must_use]
pub fn table(findings: &[Finding]) -> Vec<String> {
    let mut out = Vec::new();
    for severity in [Severity::Error, Severity::Warning, Severity::Notice] {
        let group: Vec<&Finding> = findings.iter().filter(|finding| finding.severity == severity).collect();
        if group.is_empty() {
            continue;
        }
        out.push(words::count(group.len() as u64, &severity.to_string()));
        for finding in group {
            out.extend(lines(finding));
        }
    }
    out
}

fn lines(finding: &Finding) -> Vec<String> {
    let mut out = vec![format!("  {} {}: {}", finding.kind, finding.object, what(finding))];
    if !finding.with.is_empty() {
        out.push(format!("      with it: {}", shortened(&finding.with.join(", "))));
    }
    out.extend(finding.hint.iter().map(|hint| format!("      {hint}")));
    out
}

fn what(finding: &Finding) -> String {
    if finding.aspect == "missing" {
        let having = finding.sides.iter().filter_map(|(side, value)| Some((side, value.as_ref()?)));
        let having: Vec<(&Side, &String)> = having.collect();
        let value = having.first().map(|(_, value)| value.as_str()).filter(|value| *value != "present");
        let sides = having.iter().map(|(side, _)| side.to_string()).collect::<Vec<_>>().join(" and ");
        return match value {
            _ if having.is_empty() => "could not be had".to_owned(),
            Some(value) => format!("only in {sides}: {}", shortened(value)),
            None => format!("only in {sides}"),
        };
    }
    let shared = if finding.aspect == "column order" { shared(finding) } else { 0 };
    let value = |value: &Option<String>| match value.as_deref() {
        Some(text) if shared > 0 => format!("… {}", shortened(text.get(shared..).unwrap_or_default())),
        Some(text) => shortened(text),
        None => "none".to_owned(),
    };
    let sides = finding.sides.iter().map(|(side, text)| format!("{side} {}", value(text)));
    let sides = sides.collect::<Vec<_>>().join(" · ");
    let alone = finding.alone.map(|side| format!(" ({side} alone)")).unwrap_or_default();
    format!("{}: {sides}{alone}", finding.aspect)
}

/// How many bytes of a list of names all sides begin with: there is nothing to see there.
fn shared(finding: &Finding) -> usize {
    let mut values = finding.sides.values().flatten();
    let Some(first) = values.next() else { return 0 };
    let same = |value: &String| {
        let pairs = first.char_indices().zip(value.chars());
        pairs.take_while(|((_, a), b)| a == b).last().map_or(0, |((at, a), _)| at + a.len_utf8())
    };
    let same = values.map(same).min().unwrap_or(0);
    first.get(..same).and_then(|same| same.rfind(", ")).map_or(0, |comma| comma + 2)
}

fn shortened(text: &str) -> String {
    let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    if text.chars().count() <= LONG {
        return text;
    }
    text.chars().take(LONG).chain(['…']).collect()
}

/// Statements, each below the difference that it ends, for psql.
#[must_use]
pub fn script(findings: &[Finding]) -> Vec<String> {
    let mut out = Vec::new();
    for finding in findings.iter().filter(|finding| !finding.sql.is_empty() || finding.kind == "side") {
        let hint = finding.hint.as_ref().filter(|_| finding.kind == "side");
        let why = hint.map(|hint| format!(": {hint}")).unwrap_or_default();
        let told = format!("{} {}: {}{why}", finding.kind, finding.object, finding.aspect);
        out.push(format!("-- {}", told.replace(char::is_control, " ")));
        // A body of several lines is several lines.
        out.extend(finding.sql.iter().flat_map(|sql| sql.split('\n')).map(str::to_owned));
    }
    out
}

/// Findings as annotations of GitHub's: one line each.
#[must_use]
pub fn annotations(findings: &[Finding]) -> Vec<String> {
    let escape = |text: &str| text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A");
    let one = |finding: &Finding| {
        let hint = finding.hint.as_ref().map(|hint| format!(" - {hint}")).unwrap_or_default();
        let title =
            escape(&format!("{} {}", finding.kind, finding.object)).replace(':', "%3A").replace(',', "%2C");
        format!("::{} title={title}::{}", finding.severity, escape(&format!("{}{hint}", what(finding))))
    };
    findings.iter().map(one).collect()
}
