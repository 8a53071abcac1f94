//! The severity table.

#![expect(clippy::match_same_arms, reason = "a table reads by its groups, not by its values")]

use super::catalog::Kind;
use super::finding::Severity::{self, Error, Notice, Warning};
use super::pair::{Change, Difference};
use super::rename::is_slip;

/// How much one difference matters.
///
/// An error is what a statement of the application's can fail on or get another result from; a warning makes it slower,
/// less safe, or changes who may do it; a notice is seen by no statement at all.
pub(crate) fn severity(difference: &Difference) -> Severity {
    match &difference.change {
        Change::Lone { .. } => lone(difference),
        Change::Renamed { to } => {
            let of = &difference.of;
            let slip = is_slip(&of.shown(), &to.shown());
            match of.kind {
                Kind::Schema
                | Kind::Type
                | Kind::Relation
                | Kind::Column
                | Kind::Routine
                | Kind::Collation
                    if !slip =>
                {
                    Error
                }
                _ => Notice,
            }
        }
        Change::Differs { aspect, first, second } => {
            differs(difference, aspect, first.as_deref(), second.as_deref())
        }
    }
}

/// One side does not have it.
fn lone(difference: &Difference) -> Severity {
    let unique = difference.facts.contains_key("unique");
    match difference.of.kind {
        Kind::Index if unique => Error,
        // What nothing uses harms nobody; what something uses takes it along, with its own severity.
        Kind::Index
        | Kind::Type
        | Kind::EventTrigger
        | Kind::Collation
        | Kind::Conversion
        | Kind::Cast
        | Kind::Transform => Warning,
        Kind::Operator | Kind::OperatorClass | Kind::OperatorFamily | Kind::Language => Warning,
        Kind::TextSearchConfiguration
        | Kind::TextSearchDictionary
        | Kind::TextSearchParser
        | Kind::TextSearchTemplate => Warning,
        Kind::DefaultPrivileges => Warning,
        Kind::Extension | Kind::Schema | Kind::Relation | Kind::Column | Kind::Routine | Kind::Sequence => {
            Error
        }
        Kind::Constraint | Kind::DomainConstraint | Kind::Trigger | Kind::Rule | Kind::Policy => Error,
        Kind::Database | Kind::Setting | Kind::Statistics | Kind::Publication | Kind::Subscription => Notice,
        Kind::ForeignDataWrapper | Kind::ForeignServer | Kind::UserMapping | Kind::SecurityLabel => Notice,
    }
}

fn differs(difference: &Difference, aspect: &str, first: Option<&str>, second: Option<&str>) -> Severity {
    let kind = difference.of.kind;
    let is_view = difference.is.ends_with("view");
    match (kind, aspect) {
        (
            _,
            "comment" | "owner" | "tablespace" | "storage" | "compression" | "statistics target"
            | "clustered",
        ) => Notice,
        (_, "options" | "toast options" | "column order" | "replica identity" | "data" | "target") => Notice,
        (_, "grants" | "no inherit" | "validated" | "persistence" | "access method") => Warning,
        (Kind::Database | Kind::Setting | Kind::Statistics | Kind::Publication | Kind::Subscription, _) => {
            Notice
        }
        (Kind::ForeignDataWrapper | Kind::ForeignServer | Kind::UserMapping | Kind::SecurityLabel, _) => {
            Notice
        }
        (Kind::Extension | Kind::EventTrigger | Kind::Cast | Kind::Operator | Kind::OperatorClass, _) => {
            Warning
        }
        (Kind::OperatorFamily | Kind::Language | Kind::Transform | Kind::Conversion, _) => Warning,
        (Kind::TextSearchConfiguration | Kind::TextSearchDictionary, _) => Warning,
        (Kind::TextSearchParser | Kind::TextSearchTemplate | Kind::DefaultPrivileges, _) => Warning,
        (Kind::Sequence, "cache" | "start") => Notice,
        (Kind::Sequence, "increment" | "owned by") => Warning,
        (Kind::Column, "identity options" | "foreign options" | "not null rule") => Warning,
        // Only a view's own: the columns of a table are the application's.
        (Kind::Column, _) if difference.is == "view column" => Notice,
        (Kind::Relation, "security barrier" | "foreign options") => Warning,
        (Kind::Relation, "check option") if is_view => Error,
        (Kind::Routine, "cost" | "rows" | "support") => Notice,
        (Kind::Routine, "leakproof" | "parallel") => Warning,
        (Kind::Routine, "body") if same_words(first, second) => Notice,
        (Kind::Type, "multirange" | "subtype difference") => Warning,
        (_, "made as") => Warning,
        (Kind::Index, "valid") => Error,
        (Kind::Constraint, "columns") if is_reordered(difference, first, second) => Warning,
        (Kind::Index, _) => {
            if difference.facts.contains_key("unique") || aspect == "unique" {
                Error
            } else {
                Warning
            }
        }
        _ => Error,
    }
}

/// The same columns in another order hold the same rows apart.
fn is_reordered(difference: &Difference, first: Option<&str>, second: Option<&str>) -> bool {
    let sorted = |columns: Option<&str>| {
        let mut columns: Vec<String> = columns.unwrap_or_default().split(", ").map(str::to_owned).collect();
        columns.sort();
        columns
    };
    difference.is == "unique constraint" && sorted(first) == sorted(second)
}

/// Two bodies that differ in comments, blanks and the case of keywords alone.
fn same_words(first: Option<&str>, second: Option<&str>) -> bool {
    let words = |body: Option<&str>| super::token::tokens(body.unwrap_or_default());
    words(first) == words(second)
}
