//! An SQL dump on its way to psql: what would leave the one database, or reach the machine, stops it.

use std::io::{self, BufRead as _, BufReader, BufWriter, Read, Write};

/// What went through.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Filtered {
    /// Why the rest was held back.
    pub refused: Option<String>,
    /// It begins as `pg_dump` begins, and the end that `pg_dump` writes did not come; or it stops in the middle of rows.
    pub cut_off: bool,
    /// The version of the server that was dumped.
    pub from: Option<String>,
}

const BEGINS: &[u8] = b"-- PostgreSQL database dump";
const ENDS: &[u8] = b"-- PostgreSQL database dump complete";
const FROM: &[u8] = b"-- Dumped from database version ";

/// Statements about databases: a dump of one has none, unless it was made to create it.
const DATABASES: [&str; 3] = ["create database ", "drop database ", "alter database "];

/// Statements that reach the whole server; mappings of users to foreign servers are the database's own.
const SERVER: [&str; 10] = [
    "alter system ",
    "create role ",
    "alter role ",
    "drop role ",
    "create user ",
    "alter user ",
    "drop user ",
    "create tablespace ",
    "alter tablespace ",
    "drop tablespace ",
];

const MAPPINGS: [&str; 3] = ["create user mapping ", "alter user mapping ", "drop user mapping "];

/// Copies line by line until the end, or until a line that may not pass.
///
/// # Errors
/// The source can't be read. A reader that is gone is none: what it said tells.
pub(super) fn filter(source: impl Read, sink: impl Write) -> io::Result<Filtered> {
    let (mut source, mut sink) =
        (BufReader::with_capacity(1 << 18, source), BufWriter::with_capacity(1 << 18, sink));
    let mut filtered = Filtered::default();
    let (mut line, mut number) = (Vec::new(), 0_u64);
    let (mut begun, mut ended, mut rows) = (false, false, false);
    loop {
        line.clear();
        if source.read_until(b'\n', &mut line)? == 0 {
            break;
        }
        number += 1;
        let text = line.trim_ascii_end();
        if rows {
            rows = text != b"\\.";
        } else if text == ENDS {
            ended = true;
        } else if text == BEGINS {
            begun = true;
        } else if let Some(version) = text.strip_prefix(FROM) {
            filtered.from = Some(String::from_utf8_lossy(version).into_owned());
        } else if text.starts_with(b"\\") {
            // Newer dumps lock psql against commands of its own; here none passes anyway.
            if text.starts_with(b"\\restrict ") || text.starts_with(b"\\unrestrict ") {
                continue;
            }
            filtered.refused =
                Some(refusal(number, text, "a command of psql, which may reach more than the database"));
            break;
        } else if begins(text, &SERVER) && !begins(text, &MAPPINGS) {
            filtered.refused = Some(refusal(
                number,
                text,
                "about the whole server: dump one database alone, without its roles",
            ));
            break;
        } else if begins(text, &DATABASES) {
            filtered.refused =
                Some(refusal(number, text, "about a database as a whole: dump it without --create"));
            break;
        } else {
            rows = starts_rows(text);
        }
        if sink.write_all(&line).is_err() {
            return Ok(filtered);
        }
    }
    let _ = sink.flush();
    filtered.cut_off = filtered.refused.is_none() && (rows || (begun && !ended));
    Ok(filtered)
}

fn refusal(number: u64, text: &[u8], what: &str) -> String {
    let shown: String = String::from_utf8_lossy(text).chars().take(60).collect();
    format!("line {number} is `{shown}`: {what}")
}

fn begins(text: &[u8], statements: &[&str]) -> bool {
    let start = text.get(..20).unwrap_or(text).to_ascii_lowercase();
    statements.iter().any(|statement| start.starts_with(statement.as_bytes()))
}

/// `COPY public.goods (id, name) FROM stdin;`
fn starts_rows(text: &[u8]) -> bool {
    text.get(..5).is_some_and(|start| start.eq_ignore_ascii_case(b"copy "))
        && text.to_ascii_lowercase().ends_with(b"from stdin;")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn filtered(text: &str) -> (Filtered, String) {
        let mut passed = Vec::new();
        let filtered = filter(text.as_bytes(), &mut passed).unwrap();
        (filtered, String::from_utf8(passed).unwrap())
    }

    #[test]
    fn rows_that_look_like_commands_pass_and_commands_do_not() {
        let mapping = "CREATE USER MAPPING FOR PUBLIC SERVER shops;\n";
        assert_eq!(filtered(mapping), (Filtered::default(), mapping.to_owned()));
        let rows = "COPY goods (name) FROM stdin;\n\\connect\ndrop database shop;\n\\.\nSELECT 1;\n";

        assert_eq!(filtered(rows), (Filtered::default(), rows.to_owned()));
        for line in [
            "\\connect postgres",
            "\\! rm -rf /",
            "DROP DATABASE shop;",
            "Create Database x;",
            "ALTER SYSTEM SET x = 1;",
            "Create Role x;",
        ] {
            let (told, passed) = filtered(&format!("SELECT 1;\n{line}\nSELECT 2;\n"));
            assert!(told.refused.unwrap().starts_with(&format!("line 2 is `{line}`")));
            assert_eq!(passed, "SELECT 1;\n");
        }
    }

    #[test]
    fn a_dump_without_its_end_is_cut_off_and_a_text_of_other_origin_is_not() {
        let whole = "--\n-- PostgreSQL database dump\n--\n\n\\restrict x\n\n-- Dumped from database version 17.2\nSELECT 1;\n\
                     --\n-- PostgreSQL database dump complete\n--\n\n\\unrestrict x\n";

        let (told, passed) = filtered(whole);
        assert!(
            !told.cut_off && told.from.as_deref() == Some("17.2") && !passed.contains("restrict"),
            "{told:?}"
        );
        assert!(filtered(&whole[..100]).0.cut_off);
        assert!(!filtered("SELECT 1;\n").0.cut_off);
        assert!(filtered("COPY goods FROM stdin;\n1\n").0.cut_off);
    }
}
