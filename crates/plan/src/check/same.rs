//! Whether two values of an attribute mean the same.

use super::catalog::Kind;
use super::meaning::{default_for, meaning};
use super::token::{Token, tokens};

/// Words of the second side that stand for words of the first, because something was renamed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Renames {
    pub pairs: Vec<(String, String)>,
}

impl Renames {
    pub(crate) fn add(&mut self, first: &str, second: &str) {
        if first != second {
            self.pairs.push((first.to_owned(), second.to_owned()));
        }
    }

    fn word(&self, first: &str, second: &str) -> bool {
        first == second || self.pairs.iter().any(|(a, b)| a == first && b == second)
    }

    /// The same tokens, but for what was renamed.
    pub(crate) fn join(&self, first: &str, second: &str) -> bool {
        if first == second {
            return true;
        }
        if self.pairs.is_empty() {
            return false;
        }
        let (a, b) = (tokens(first), tokens(second));
        a.len() == b.len() && a.iter().zip(&b).all(|(a, b)| self.token(a, b))
    }

    fn token(&self, first: &Token, second: &Token) -> bool {
        match (first, second) {
            (Token::Text(a), Token::Text(b)) => {
                a == b || self.word(a, b) || (tokens(a).len() > 1 && self.join(a, b))
            }
            (Token::Name(a), Token::Name(b)) => self.word(a, b),
            (a, b) => a == b,
        }
    }
}

/// Whether the two say the same about an object of this kind; `types` are those of the column.
pub(crate) fn same(
    kind: Kind,
    aspect: &str,
    types: (&str, &str),
    first: Option<&str>,
    second: Option<&str>,
    renames: &Renames,
) -> bool {
    let (a, b) = (first.unwrap_or_default(), second.unwrap_or_default());
    if a == b {
        return true;
    }
    match (kind, aspect) {
        (Kind::Column, "default") => renames.join(&default_for(a, types.0), &default_for(b, types.1)),
        (Kind::Routine, "body") => lines(a) == lines(b),
        // The words of a moved extension's schemas are the same in what it provides, not in its own place.
        (_, "comment" | "owner" | "labels" | "value" | "version" | "grants")
        | (Kind::Extension, "schema") => false,
        _ if first.is_none() || second.is_none() => false,
        (
            _,
            "default" | "definition" | "check" | "using" | "with check" | "generated" | "where" | "columns"
            | "exclude" | "arguments" | "partition key" | "partition bound" | "tables" | "body",
        ) => renames.join(&meaning(a), &meaning(b)),
        _ => renames.join(a, b),
    }
}

/// A body without what no language reads: line ends, blanks behind lines, empty lines around it.
fn lines(body: &str) -> Vec<&str> {
    let lines: Vec<&str> = body.lines().map(str::trim_end).collect();
    let from = lines.iter().position(|line| !line.is_empty()).unwrap_or(lines.len());
    let to = lines.iter().rposition(|line| !line.is_empty()).map_or(from, |at| at + 1);
    lines.get(from..to).unwrap_or_default().to_vec()
}
