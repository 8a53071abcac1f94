//! A query without the other names that it gives its tables: they say nothing about its rows.

use super::token::Token;

/// What may follow a table's other name.
const FOLLOWS: [&str; 17] = [
    "where", "join", "left", "right", "full", "inner", "cross", "natural", "on", "group", "having", "order",
    "limit", "offset", "fetch", "union", "window",
];

/// What else may stand behind a name after FROM, which IS DISTINCT FROM ends with too.
const OTHER: [&str; 10] =
    ["and", "or", "then", "else", "end", "as", "using", "except", "intersect", "tablesample"];

/// A query's tokens, each table by its own name. One name for two things, or two for one, stays as it is.
pub(crate) fn unaliased(tokens: Vec<Token>) -> Vec<Token> {
    if !tokens.first().is_some_and(|first| is_name(first, "select")) {
        return tokens;
    }
    let aliases = (0..tokens.len()).filter_map(|at| alias(&tokens, at));
    let aliases: Vec<(usize, usize)> =
        aliases.filter(|(table, alias)| is_plain(&tokens, *table, *alias)).collect();
    let named = |token: &Token| {
        let (table, _) = aliases.iter().find(|(_, alias)| tokens.get(*alias) == Some(token))?;
        tokens.get(*table).cloned()
    };
    let kept = tokens.iter().enumerate().filter(|(at, _)| !aliases.iter().any(|(_, alias)| alias == at));
    kept.map(|(at, token)| named(token).filter(|_| is_owner(&tokens, at)).unwrap_or_else(|| token.clone()))
        .collect()
}

/// Where the table and its other name stand, if this is the table of a FROM or a JOIN and has one.
fn alias(tokens: &[Token], at: usize) -> Option<(usize, usize)> {
    let mut before = tokens.get(..at)?.iter().rev().skip_while(|token| is_sign(token, "("));
    let opens = before.next().is_some_and(|before| is_name(before, "from") || is_name(before, "join"));
    let mut table = at;
    while opens && tokens.get(table + 1).is_some_and(|next| is_sign(next, ".")) {
        table += 2;
    }
    let (Token::Name(_), Token::Name(alias)) = (tokens.get(table)?, tokens.get(table + 1)?) else {
        return None;
    };
    let keyword = FOLLOWS.iter().chain(&OTHER).any(|word| word == alias);
    let ends = match tokens.get(table + 2) {
        Some(Token::Name(name)) => FOLLOWS.contains(&name.as_str()),
        Some(token) => [",", ")", ";"].iter().any(|sign| is_sign(token, sign)),
        None => true,
    };
    (opens && ends && !keyword).then_some((table, table + 1))
}

/// Whether the table is named once in the whole query, and its other name only there and in front of columns.
fn is_plain(tokens: &[Token], table: usize, alias: usize) -> bool {
    let (name, other) = (tokens.get(table), tokens.get(alias));
    (0..tokens.len()).filter(|at| !is_part(tokens, *at)).all(|at| {
        let token = tokens.get(at);
        (token != name || at == table) && (token != other || at == alias || is_owner(tokens, at))
    })
}

/// Whether a column of what stands here follows.
fn is_owner(tokens: &[Token], at: usize) -> bool {
    !is_part(tokens, at) && tokens.get(at + 1).is_some_and(|next| is_sign(next, "."))
}

/// Whether this belongs to the name before it, as a column does.
fn is_part(tokens: &[Token], at: usize) -> bool {
    let before = at.checked_sub(1).and_then(|before| tokens.get(before));
    before.is_some_and(|before| is_sign(before, "."))
}

fn is_name(token: &Token, name: &str) -> bool {
    matches!(token, Token::Name(own) if own == name)
}

fn is_sign(token: &Token, sign: &str) -> bool {
    matches!(token, Token::Sign(own) if own == sign)
}

#[cfg(test)]
mod tests {
    use crate::check::meaning;

    #[test]
    fn a_table_is_the_same_by_any_other_name() {
        let plain = meaning("SELECT goods.id, goods.name FROM goods WHERE (goods.id > 1);");
        let joined = meaning("SELECT goods.id FROM (goods JOIN app.sold ON ((sold.goods = goods.id)));");

        assert_eq!(meaning("SELECT g.id, g.name FROM goods g WHERE (g.id > 1);"), plain);
        assert_eq!(meaning("SELECT g.id FROM (goods g JOIN app.sold s ON ((s.goods = g.id)));"), joined);
        assert_eq!(meaning("SELECT id FROM goods g;"), meaning("SELECT id FROM goods;"));
    }

    #[test]
    fn a_name_that_tells_two_things_apart_stays() {
        let differ = |first: &str, second: &str| assert_ne!(meaning(first), meaning(second));

        differ(
            "SELECT a.id FROM (goods a JOIN goods b ON ((a.id = b.above)));",
            "SELECT b.id FROM (goods a JOIN goods b ON ((a.id = b.above)));",
        );
        differ("SELECT g.id FROM goods g;", "SELECT g.id FROM sold g;");
        differ("SELECT g.id FROM goods g;", "SELECT g.id FROM app.goods g;");
        differ(
            "SELECT a.id FROM (a JOIN b ON ((a.id = b.id)));",
            "SELECT b.id FROM (a JOIN b ON ((a.id = b.id)));",
        );
        differ(
            "SELECT a.id FROM (a LEFT JOIN b ON ((a.id = b.id)));",
            "SELECT a.id FROM (a JOIN b ON ((a.id = b.id)));",
        );
        // Exchanged names are other columns.
        differ(
            "SELECT b.id FROM (a b JOIN b a ON ((a.id = b.id)));",
            "SELECT b.id FROM (a JOIN b ON ((a.id = b.id)));",
        );
    }
}
