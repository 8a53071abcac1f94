//! What came of writing and reading each model.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::finding::{Finding, Severity, Side};

/// One mapped model that was inserted, read and updated.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct Tried {
    pub table: String,
    /// File and line.
    pub place: Option<String>,
    /// How far it came: `fill`, `insert`, `read`, `update`.
    pub stage: String,
    pub error: Option<String>,
    /// Its SQLSTATE, where Postgres said it.
    pub code: Option<String>,
    /// Columns that no value was known for.
    pub unfilled: Vec<String>,
}

/// Models that the migrations' tables do not take, and what could not be filled.
///
/// ```
/// use plan::check::{Severity, Tried, refused};
/// let error = Some("column \"notes\" does not exist".to_owned());
/// let tried = Tried { stage: "insert".to_owned(), error, code: Some("42703".to_owned()), ..Tried::default() };
/// let found = refused(&[("shop.Search".to_owned(), tried)].into());
/// assert_eq!((found[0].severity, found[0].object.as_str()), (Severity::Error, "shop.Search"));
/// ```
#[must_use]
pub fn refused(tried: &BTreeMap<String, Tried>) -> Vec<Finding> {
    let of = |name: &String, severity, aspect: String, told: String, tried: &Tried| Finding {
        severity,
        kind: "model".to_owned(),
        object: name.clone(),
        aspect,
        sides: [(Side::Models, Some(tried.table.clone())), (Side::Migrations, Some(told))].into(),
        alone: None,
        with: Vec::new(),
        hint: tried.place.as_ref().map(|place| format!("model: {place}")),
        sql: Vec::new(),
    };
    let mut out = Vec::new();
    for (name, tried) in tried {
        if !tried.unfilled.is_empty() {
            let told = format!("no value was known for {}", tried.unfilled.join(", "));
            out.push(of(name, Severity::Notice, "not filled".to_owned(), told, tried));
        }
        if let Some(error) = &tried.error {
            let severity = severity(tried.code.as_deref());
            out.push(of(name, severity, tried.stage.clone(), error.clone(), tried));
        }
    }
    out
}

/// No such column or type, or a value of another type: the model is wrong. What a rule of the table's refuses, a value of
/// ours may have broken.
fn severity(code: Option<&str>) -> Severity {
    match code {
        Some(code) if code.starts_with("42") || code == "22P02" => Severity::Error,
        _ => Severity::Notice,
    }
}
