//! Which tables a seed file fills.

use crate::carry::TableName;
use crate::check::Token;

/// The tables that statements of a text name as what they fill: `INSERT INTO` and `COPY`. What a function or a `DO` block
/// writes is not seen.
///
/// ```
/// use plan::{carry::TableName, fills};
/// let text = "INSERT INTO users VALUES (1); -- INSERT INTO no\nCOPY sales.\"Odd\" (id) FROM stdin;\n1\n\\.\n";
/// assert_eq!(fills(text), [TableName::new("public", "users"), TableName::new("sales", "Odd")]);
/// ```
#[must_use]
pub fn fills(text: &str) -> Vec<TableName> {
    let tokens = crate::check::tokens(&statements(text));
    let mut found: Vec<TableName> = Vec::new();
    let name = |at: usize| match tokens.get(at) {
        Some(Token::Name(name)) => Some(name.clone()),
        _ => None,
    };
    for (at, token) in tokens.iter().enumerate() {
        let is = |at: usize, word: &str| matches!(tokens.get(at), Some(Token::Name(name)) if name == word);
        let first = match token {
            Token::Name(word) if word == "insert" && is(at + 1, "into") => at + 2,
            Token::Name(word) if word == "copy" => at + 1,
            _ => continue,
        };
        let Some(one) = name(first) else { continue };
        let qualified = matches!(tokens.get(first + 1), Some(Token::Sign(sign)) if sign == ".");
        let table = match name(first + 2).filter(|_| qualified) {
            Some(table) => TableName::new(one, table),
            None => TableName::new("public", one),
        };
        if !found.contains(&table) {
            found.push(table);
        }
    }
    found
}

/// The text without the rows that stand inside it, which no quote of theirs closes.
fn statements(text: &str) -> String {
    let mut out = String::new();
    let mut inside = false;
    for line in text.lines() {
        let lower = line.to_ascii_lowercase();
        if !inside {
            out.extend([line, "\n"]);
        }
        inside = if inside {
            line.trim_end() != "\\."
        } else {
            lower.starts_with("copy ") && lower.contains("from stdin")
        };
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_inside_the_text_hide_nothing_that_follows() {
        let text = "COPY a FROM stdin;\n1\tit's\n\\.\ninsert into b values ('insert into c');\n";

        assert_eq!(fills(text), ["a", "b"].map(|name| TableName::new("public", name)));
    }
}
