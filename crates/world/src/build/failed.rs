//! What is told of a migration or seed that failed: file, line, column, and the reason without what surrounds it.

use std::borrow::Cow;
use std::path::{Path, PathBuf};

use plan::{Exit, Fault};
use sqlx::migrate::MigrateError;
use sqlx::postgres::{PgDatabaseError, PgErrorPosition};

use crate::blueprint::text;
use crate::databases::fault;
use crate::postgres::{is_stopped, said};
use crate::program::Run;

pub(super) fn not_migrated(attempt: &str, why: MigrateError, folder: &Path) -> Fault {
    let (error, version) = match why {
        MigrateError::ExecuteMigration(error, version) => (error, version),
        MigrateError::Execute(error) => return fault(attempt, &error),
        why => return Fault::new(Exit::Failed, attempt).cause(why.to_string()),
    };
    let prefix = version.to_string();
    let files = std::fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path());
    let is_it = |file: &PathBuf| {
        let name = file.file_name().unwrap_or_default().to_string_lossy();
        name.split('_').next().is_some_and(|number| number.trim_start_matches('0') == prefix)
            && !name.ends_with(".down.sql")
    };
    match files.into_iter().find(is_it).and_then(|file| Some((text(&file).ok()?, file))) {
        Some((text, file)) => {
            let folder = folder.file_name().unwrap_or_default().to_string_lossy().into_owned();
            let name = file.file_name().unwrap_or_default().to_string_lossy().into_owned();
            in_file(attempt, &error, &text, &format!("{folder}/{name}"))
        }
        None => fault(attempt, &error),
    }
}

/// An error with the file, line and column that it is about.
pub(super) fn in_file(attempt: &str, error: &sqlx::Error, text: &str, file: &str) -> Fault {
    if is_stopped(error) {
        return fault(attempt, error);
    }
    let position =
        error.as_database_error().and_then(|error| error.try_downcast_ref::<PgDatabaseError>()?.position());
    let place: Cow<'_, str> = match position {
        Some(PgErrorPosition::Original(position)) => {
            let before: String = text.chars().take(position.saturating_sub(1)).collect();
            let line = before.matches('\n').count() + 1;
            let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
            format!("{file}:{line}:{column}").into()
        }
        _ => file.into(),
    };
    Fault::new(Exit::Failed, attempt).cause(format!("{place}: {}", said(error)))
}

/// An error with the file of rows and the line that it is about.
pub(super) fn in_rows(attempt: &str, error: &sqlx::Error, file: &str) -> Fault {
    if is_stopped(error) {
        return fault(attempt, error);
    }
    let told =
        error.as_database_error().and_then(|error| error.try_downcast_ref::<PgDatabaseError>()?.r#where());
    let line = told.and_then(|told| told.split_once(", line ")).map(|(_, rest)| rest);
    let line = line.map(|rest| rest.chars().take_while(char::is_ascii_digit).collect::<String>());
    let place = line.map_or_else(|| file.to_owned(), |line| format!("{file}:{line}"));
    Fault::new(Exit::Failed, attempt).cause(format!("{place}: {}", said(error)))
}

pub(crate) fn told(attempt: &str, run: &Run) -> Fault {
    match run {
        Run::Interrupted => Fault::new(Exit::Declined, "interrupted"),
        Run::Missing(_) => Fault::new(Exit::NotReady, attempt).cause(run.to_string()),
        _ => Fault::new(Exit::Failed, attempt).cause(end_of(&run.to_string())),
    }
}

/// The last line that says something: a traceback ends with its reason.
pub(super) fn end_of(said: &str) -> String {
    let lines: Vec<&str> = said.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    // What follows a reason: where to read on, the statement, and a sign below the place in it.
    let around =
        |line: &str| ["(Background on", "[SQL:", "LINE "].iter().any(|start| line.starts_with(start));
    let telling = |line: &&&str| line.contains(char::is_alphanumeric) && !around(line);
    lines.iter().rev().find(telling).map_or_else(String::new, |line| (*line).to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_traceback_is_told_by_its_last_line() {
        assert_eq!(
            end_of("Traceback:\n  File x\nValueError: no\n(Background on this error at: x)\n"),
            "ValueError: no"
        );
        assert_eq!(
            end_of("psql: ERROR: no such column\nLINE 1: SELECT nothing\n               ^\n"),
            "psql: ERROR: no such column"
        );
    }
}
