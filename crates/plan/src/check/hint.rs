//! What to do about a finding: the line to add and its place, or the command.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::finding::{Finding, Side};

/// Where the models and the migrations say what they say.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Sources {
    /// `schema.table.column` to what its model says; `schema.table` for the model itself.
    pub models: BTreeMap<String, Described>,
    /// Path and text of each migration, in their order.
    pub files: Vec<(String, String)>,
}

/// A column or table in the models.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
pub struct Described {
    /// As a migration would write it.
    pub line: Option<String>,
    /// File and line.
    pub place: Option<String>,
    /// The column before it.
    pub after: Option<String>,
}

/// The findings with what to do about each, where that can be told. `command` names a command of ours as a person types
/// it.
#[must_use]
pub fn hinted(
    mut findings: Vec<Finding>,
    sources: &Sources,
    command: &dyn Fn(&str) -> String,
) -> Vec<Finding> {
    for finding in &mut findings {
        finding.hint = quoted_twice(finding).or_else(|| hint(finding, sources, command));
    }
    findings
}

fn hint(finding: &Finding, sources: &Sources, command: &dyn Fn(&str) -> String) -> Option<String> {
    let key = if finding.object.split('.').count() > 2 {
        finding.object.clone()
    } else {
        format!("public.{}", finding.object)
    };
    let described = sources.models.get(&key);
    let model = described.and_then(|described| described.place.as_deref());
    match (finding.aspect.as_str(), finding.alone) {
        ("missing", Some(Side::Models)) if finding.kind == "column" => {
            let line = described?.line.as_deref()?;
            let at = migration_line(finding, described?, &sources.files);
            let from = model.map(|model| format!(" ({model})")).unwrap_or_default();
            Some(format!("{at}add `{line},`{from}"))
        }
        ("missing", Some(Side::Models)) => {
            model.map(|model| format!("the model is {model}: the migrations do not make it"))
        }
        ("missing", Some(Side::Migrations)) => {
            Some("only the migrations make it: add it to the models, or take it out there".to_owned())
        }
        (_, Some(Side::Live)) => Some(format!("live alone: {}", command("reset --drop"))),
        _ => model.map(|model| format!("model: {model}")),
    }
}

/// `after X, FILE:LINE: `, where the migration that makes the table is found.
fn migration_line(finding: &Finding, described: &Described, files: &[(String, String)]) -> String {
    let mut names = finding.object.rsplit('.');
    let (_, Some(table)) = (names.next(), names.next()) else { return String::new() };
    let Some(before) = described.after.as_deref() else { return String::new() };
    let quoted =
        |text: &str, name: &str| text.contains(&format!("\"{name}\"")) || text.contains(&format!("'{name}'"));
    for (file, text) in files {
        let mut inside = false;
        for (number, line) in (1..).zip(text.lines()) {
            if line.contains("create_table(") {
                inside = quoted(line, table);
            } else if !inside && quoted(line, table) && !line.contains("Column(") {
                let above = text
                    .lines()
                    .nth(number - 2)
                    .is_some_and(|above| above.trim_end().ends_with("create_table("));
                inside = above;
            }
            if inside && line.contains("Column(") && quoted(line, before) {
                return format!("after {before}, {file}:{number}: ");
            }
        }
    }
    format!("after {before}: ")
}

/// A default whose value holds its own quotes: somebody quoted a value that was quoted already.
fn quoted_twice(finding: &Finding) -> Option<String> {
    if finding.aspect != "default" {
        return None;
    }
    let twice = |value: &&String| value.starts_with("'''") || value.starts_with("'\"");
    let (side, _) = finding
        .sides
        .iter()
        .filter_map(|(side, value)| Some((side, value.as_ref()?)))
        .find(|(_, value)| twice(value))?;
    Some(format!("the value in {side} holds quotes of its own: was it quoted twice?"))
}
