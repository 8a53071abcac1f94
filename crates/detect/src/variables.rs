//! Compose's variables: env files as Compose reads them, and `${…}` as it replaces it.
//!
//! dotenvy does not fit here: it refuses an unquoted value with a space and a name without a value, knows no
//! `${NAME:-default}`, and replaces names from this process' own environment.

use std::collections::BTreeMap;

/// Names and values, in the order in which they win: a later insert wins.
pub(crate) type Variables = BTreeMap<String, String>;

/// A default inside a default inside a default is read, not without end.
const DEEPEST: usize = 8;

/// Nothing that is meant to be read is longer.
const LONGEST: usize = 65_536;

/// Reads an env file's text. A line that is no assignment is left out; `outer` gives values for `${…}`.
pub(crate) fn env_file(text: &str, outer: &Variables) -> Variables {
    let mut found = Variables::new();
    let mut lines = text.lines();
    while let Some(line) = lines.next() {
        let line = line.trim();
        if line.starts_with('#') || line.is_empty() {
            continue;
        }
        let line = line.strip_prefix("export ").map_or(line, str::trim_start);
        let Some((name, value)) = line.split_once(['=', ':']) else { continue };
        let name = name.trim_end();
        if name.is_empty() || !name.chars().all(|c| c.is_alphanumeric() || "_.-".contains(c)) {
            continue;
        }
        let value = value.trim();
        let value = match value.chars().next() {
            Some('\'') => quoted(value, '\'', &mut lines),
            Some('"') => {
                let value = quoted(value, '"', &mut lines).replace("\\n", "\n").replace("\\\"", "\"");
                interpolate(&value, &|name| found.get(name).or_else(|| outer.get(name)).cloned())
            }
            _ => {
                let value = value.split(" #").next().unwrap_or_default().trim_end();
                let value = if value.starts_with('#') { "" } else { value };
                interpolate(value, &|name| found.get(name).or_else(|| outer.get(name)).cloned())
            }
        };
        found.insert(name.to_owned(), value);
    }
    found
}

/// What stands between two quotes, over several lines where it must.
fn quoted<'a>(value: &str, quote: char, lines: &mut impl Iterator<Item = &'a str>) -> String {
    let mut rest = value.get(1..).unwrap_or_default().to_owned();
    loop {
        let mut escaped = false;
        let end = rest.char_indices().find(|(_, c)| {
            let is_end = *c == quote && !(escaped && quote == '"');
            escaped = *c == '\\' && !escaped;
            is_end
        });
        if let Some((end, _)) = end {
            rest.truncate(end);
            return rest;
        }
        match lines.next() {
            Some(line) if rest.len() < LONGEST => {
                rest.push('\n');
                rest.push_str(line);
            }
            _ => return rest,
        }
    }
}

/// Replaces `$NAME`, `${NAME}`, `${NAME:-default}`, `${NAME:?message}`, `${NAME:+other}` and their forms without the
/// colon. A name without a value is empty, as in Compose; what is no variable stays as it is.
pub(crate) fn interpolate(text: &str, value: &dyn Fn(&str) -> Option<String>) -> String {
    replaced(text, value, 0)
}

fn replaced(text: &str, value: &dyn Fn(&str) -> Option<String>, depth: usize) -> String {
    if depth > DEEPEST || !text.contains('$') {
        return text.to_owned();
    }
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('$') {
        out.push_str(before);
        if out.len() > LONGEST {
            return out;
        }
        if let Some(after) = after.strip_prefix('$') {
            out.push('$');
            rest = after;
        } else if let Some((inside, after)) = braced(after) {
            out.push_str(&expression(inside, value, depth));
            rest = after;
        } else {
            let length =
                after.find(|c: char| !(c.is_ascii_alphanumeric() || c == '_')).unwrap_or(after.len());
            let (name, after) = after.split_at(length);
            if name.is_empty() || name.starts_with(|c: char| c.is_ascii_digit()) {
                out.push('$');
                out.push_str(name);
            } else {
                out.push_str(&value(name).unwrap_or_default());
            }
            rest = after;
        }
    }
    out.push_str(rest);
    out
}

/// What is between the braces that begin here, and what comes after them.
fn braced(text: &str) -> Option<(&str, &str)> {
    let inside = text.strip_prefix('{')?;
    let mut depth = 1_usize;
    for (at, c) in inside.char_indices() {
        match c {
            '{' => depth += 1,
            '}' => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return Some((inside.get(..at)?, inside.get(at + 1..)?));
        }
    }
    None
}

fn expression(inside: &str, value: &dyn Fn(&str) -> Option<String>, depth: usize) -> String {
    let length = inside.find(|c: char| !(c.is_ascii_alphanumeric() || c == '_')).unwrap_or(inside.len());
    let (name, rest) = inside.split_at(length);
    let found = value(name);
    let (colon, operator) = match rest.strip_prefix(':') {
        Some(operator) => (true, operator),
        None => (false, rest),
    };
    let is_set = found.as_ref().is_some_and(|found| !colon || !found.is_empty());
    let mut operator = operator.chars();
    match (operator.next(), is_set) {
        (Some('-'), false) | (Some('+'), true) => replaced(operator.as_str(), value, depth + 1),
        (Some('+'), false) => String::new(),
        _ => found.unwrap_or_default(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(pairs: &[(&str, &str)]) -> Variables {
        pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }

    #[test]
    fn an_env_file_is_read_as_compose_reads_it() {
        let text = "# a\r\nexport A=1\r\nB = two words # said\r\nC='$A ${B}'\r\nD=\"x \\\"y\\\" ${A:-9}\"\r\nE=${NONE:-d}\r\n\
                    NOTHING\r\nF=\r\nG=a#b\r\nH=\"two\r\nlines\"\r\n";

        let found = env_file(text, &Variables::new());

        let expected = of(&[
            ("A", "1"),
            ("B", "two words"),
            ("C", "$A ${B}"),
            ("D", "x \"y\" 1"),
            ("E", "d"),
            ("F", ""),
            ("G", "a#b"),
            ("H", "two\nlines"),
        ]);
        assert_eq!(found, expected);
    }

    #[test]
    fn every_form_of_a_variable_is_replaced() {
        let set = of(&[("A", "a"), ("E", "")]);
        let value = |name: &str| set.get(name).cloned();
        for (text, expected) in [
            ("$A-${A}", "a-a"),
            ("${N:-x}${N-y}${E:-z}${E-w}", "xyz"),
            ("${A:?no}${N:?no}", "a"),
            ("${A:+o}${N:+o}${E+o}", "oo"),
            ("${N:-${M:-deep}}", "deep"),
            ("${N:-:latest}", ":latest"),
            ("$$A $1 $", "$A $1 $"),
            ("${N:-$(shell)}", "$(shell)"),
            ("${broken", "${broken"),
        ] {
            assert_eq!(interpolate(text, &value), expected, "{text}");
        }
    }
}
