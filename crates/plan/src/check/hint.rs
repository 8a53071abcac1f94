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
    /// The migrations are released, and not edited any more.
    pub released: bool,
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
    // Nothing where a side was not compared.
    let of = |side: Side| finding.sides.get(&side);
    // Who has it decides, not who stands alone: of three sides that may be the one without it.
    match (finding.aspect.as_str(), of(Side::Models), of(Side::Migrations)) {
        ("missing", Some(Some(_)), Some(None)) if finding.kind == "column" => {
            let line = described?.line.as_deref()?;
            let from = model.map(|model| format!(" ({model})")).unwrap_or_default();
            if sources.released {
                let table = finding.object.rsplit('.').nth(1).unwrap_or_default();
                let new = command("migrate new NAME");
                return Some(format!("released; {new} writes `op.add_column('{table}', {line})`{from}"));
            }
            let at = migration_line(finding, described?, &sources.files);
            Some(format!("{at}add `{line},`{from}"))
        }
        ("missing", Some(Some(_)), Some(None)) => {
            let new = if sources.released { format!("; {} writes it", command("migrate new NAME")) } else { String::new() };
            model.map(|model| format!("the model is {model}: the migrations do not make it{new}"))
        }
        ("missing", Some(None), Some(Some(_))) => {
            Some("the migrations make it, the models do not: add it to the models, or take it out of the migrations".to_owned())
        }
        (_, models, migrations @ Some(_))
            if models.is_none_or(|models| Some(models) == migrations)
                && of(Side::Live).is_some_and(|live| Some(live) != migrations) =>
        {
            Some(format!("live alone: {}", command("rebuild")))
        }
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

#[cfg(test)]
mod tests {
    use super::*;

    /// What is said where these sides have something, and those have not.
    fn told(aspect: &str, sides: &[(Side, Option<&str>)]) -> Option<String> {
        told_when(false, aspect, sides)
    }

    fn told_when(released: bool, aspect: &str, sides: &[(Side, Option<&str>)]) -> Option<String> {
        let sides = sides.iter().map(|(side, value)| (*side, value.map(str::to_owned))).collect();
        let finding = Finding {
            severity: crate::check::Severity::Error,
            kind: "column".to_owned(),
            object: "users.b".to_owned(),
            aspect: aspect.to_owned(),
            sides,
            alone: None,
            with: Vec::new(),
            hint: None,
            sql: Vec::new(),
        };
        let described = Described {
            line: Some("sa.Column('b')".to_owned()),
            place: Some("models.py:7".to_owned()),
            after: Some("a".to_owned()),
        };
        let migration = "op.create_table(\n    \"users\",\n    sa.Column(\"a\"),\n)";
        let sources = Sources {
            models: [("public.users.b".to_owned(), described)].into(),
            files: vec![("1.py".to_owned(), migration.to_owned())],
            released,
        };
        let command = |verb: &str| format!("slate-{verb}");
        hinted(vec![finding], &sources, &command).remove(0).hint
    }

    #[test]
    fn a_forgotten_column_is_told_with_its_line_whether_live_has_it_or_not() {
        let line = Some("after a, 1.py:3: add `sa.Column('b'),` (models.py:7)".to_owned());
        let (models, migrations) = ((Side::Models, Some("text")), (Side::Migrations, None));

        assert_eq!(told("missing", &[models, migrations]), line);
        assert_eq!(told("missing", &[models, migrations, (Side::Live, None)]), line);
        assert_eq!(told("missing", &[models, migrations, (Side::Live, Some("text"))]), line);
    }

    #[test]
    fn what_is_released_gets_a_revision_of_its_own() {
        let sides = [(Side::Models, Some("text")), (Side::Migrations, None)];

        let said = told_when(true, "missing", &sides);

        let line =
            "released; slate-migrate new NAME writes `op.add_column('users', sa.Column('b'))` (models.py:7)";
        assert_eq!(said.as_deref(), Some(line));
    }

    #[test]
    fn what_the_models_lack_belongs_in_them_and_what_live_lacks_in_live() {
        let (has, lacks) = (Some("text"), None);
        let said = |aspect: &str, models, migrations, live| {
            let sides = [(Side::Models, models), (Side::Migrations, migrations), (Side::Live, live)];
            told(aspect, &sides).unwrap_or_default()
        };

        assert!(said("missing", lacks, has, has).contains("add it to the models"));
        assert!(said("missing", lacks, has, lacks).contains("add it to the models"));
        assert_eq!(said("missing", has, has, lacks), "live alone: slate-rebuild");
        assert_eq!(said("missing", lacks, lacks, has), "live alone: slate-rebuild");
        assert_eq!(said("type", has, has, Some("int")), "live alone: slate-rebuild");
        assert_eq!(said("type", Some("int"), has, has), "model: models.py:7");
        let two = [(Side::Migrations, has), (Side::Live, lacks)];
        assert_eq!(told("missing", &two).unwrap_or_default(), "live alone: slate-rebuild");
    }
}
