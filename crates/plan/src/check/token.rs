//! SQL text as tokens, and tokens as a tree of what brackets hold.

/// The smallest part of a statement.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Token {
    /// A keyword or name: folded to lower case, unless it is quoted.
    Name(String),
    /// A string, without its quotes.
    Text(String),
    Number(String),
    Sign(String),
}

/// A token, or what a pair of brackets holds.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Node {
    Leaf(Token),
    /// The opening bracket, and what is inside.
    Group(char, Vec<Node>),
}

impl Node {
    pub(crate) fn is_name(&self, name: &str) -> bool {
        matches!(self, Self::Leaf(Token::Name(own)) if own == name)
    }

    pub(crate) fn is_sign(&self, sign: &str) -> bool {
        matches!(self, Self::Leaf(Token::Sign(own)) if own == sign)
    }

    pub(crate) fn name(name: &str) -> Self {
        Self::Leaf(Token::Name(name.to_owned()))
    }

    pub(crate) fn sign(sign: &str) -> Self {
        Self::Leaf(Token::Sign(sign.to_owned()))
    }
}

/// The tokens of a text; comments and blanks are none.
pub(crate) fn tokens(text: &str) -> Vec<Token> {
    let mut rest = text;
    let mut out = Vec::new();
    while let Some(first) = rest.chars().next() {
        let next = rest.get(first.len_utf8()..).unwrap_or_default();
        rest = if first.is_whitespace() {
            next
        } else if rest.starts_with("--") {
            rest.split_once('\n').map_or("", |(_, after)| after)
        } else if rest.starts_with("/*") {
            rest.split_once("*/").map_or("", |(_, after)| after)
        } else if first == '\'' || first == '"' {
            let (inside, after) = quoted(next, first);
            out.push(if first == '"' { Token::Name(inside) } else { Token::Text(inside) });
            after
        } else if first == 'E' && next.starts_with('\'') {
            let (inside, after) = quoted(next.get(1..).unwrap_or_default(), '\'');
            out.push(Token::Text(inside.replace(r"\\", r"\")));
            after
        } else if first.is_ascii_digit() {
            let end = rest.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(rest.len());
            let (number, after) = rest.split_at(end);
            out.push(Token::Number(number.to_owned()));
            after
        } else if first.is_alphabetic() || first == '_' {
            let end = rest.find(|c: char| !c.is_alphanumeric() && c != '_' && c != '$').unwrap_or(rest.len());
            let (name, after) = rest.split_at(end);
            out.push(Token::Name(name.to_lowercase()));
            after
        } else {
            let sign = sign(rest);
            out.push(Token::Sign(sign.to_owned()));
            rest.get(sign.len()..).unwrap_or_default()
        };
    }
    out
}

/// What stands up to the closing quote, which is doubled inside, and what follows.
fn quoted(text: &str, quote: char) -> (String, &str) {
    let mut inside = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once(quote) {
        inside.push_str(before);
        match after.strip_prefix(quote) {
            Some(more) => {
                inside.push(quote);
                rest = more;
            }
            None => return (inside, after),
        }
    }
    inside.push_str(rest);
    (inside, "")
}

/// An operator is as long as its characters go; brackets, commas and the like stand alone.
fn sign(text: &str) -> &str {
    let operator = |c: char| "+-*/<>=~!@#%^&|`?:".contains(c);
    let end = if text.starts_with(operator) {
        text.find(|c| !operator(c)).unwrap_or(text.len())
    } else {
        text.chars().next().map_or(0, char::len_utf8)
    };
    text.get(..end).unwrap_or_default()
}

/// The tree of a list of tokens. A bracket without its partner is a token like others.
pub(crate) fn tree(tokens: Vec<Token>) -> Vec<Node> {
    let mut open: Vec<(char, Vec<Node>)> = Vec::new();
    let mut here = Vec::new();
    for token in tokens {
        match &token {
            Token::Sign(sign) if sign == "(" || sign == "[" => {
                let bracket = if sign == "(" { '(' } else { '[' };
                open.push((bracket, std::mem::take(&mut here)));
            }
            Token::Sign(sign) if sign == ")" || sign == "]" => match open.pop() {
                Some((bracket, outer)) => {
                    let inside = std::mem::replace(&mut here, outer);
                    here.push(Node::Group(bracket, inside));
                }
                None => here.push(Node::Leaf(token)),
            },
            _ => here.push(Node::Leaf(token)),
        }
    }
    while let Some((bracket, mut outer)) = open.pop() {
        outer.push(Node::Group(bracket, std::mem::take(&mut here)));
        here = outer;
    }
    here
}

/// The tree as one list of tokens again.
pub(crate) fn flat(nodes: &[Node]) -> Vec<Token> {
    let mut out = Vec::new();
    flatten(nodes, &mut out);
    out
}

fn flatten(nodes: &[Node], out: &mut Vec<Token>) {
    for node in nodes {
        match node {
            Node::Leaf(token) => out.push(token.clone()),
            Node::Group(bracket, inside) => {
                let close = if *bracket == '(' { ")" } else { "]" };
                out.push(Token::Sign(bracket.to_string()));
                flatten(inside, out);
                out.push(Token::Sign(close.to_owned()));
            }
        }
    }
}

/// The tree as text, one blank between tokens.
pub(crate) fn text(nodes: &[Node]) -> String {
    let word = |token: Token| match token {
        Token::Name(text) | Token::Number(text) | Token::Sign(text) => text,
        Token::Text(text) => format!("'{}'", text.replace('\'', "''")),
    };
    flat(nodes).into_iter().map(word).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(sql: &str) -> String {
        text(&tree(tokens(sql)))
    }

    #[test]
    fn blanks_comments_and_case_of_keywords_are_no_part_of_a_text() {
        assert_eq!(words("SELECT  a -- b\n /* c */ FROM \"T\""), "select a from T");
    }

    #[test]
    fn quotes_inside_quotes_stay() {
        assert_eq!(words(r#"'it''s' "a""b" E'a\\b'"#), r#"'it''s' a"b 'a\b'"#);
    }

    #[test]
    fn a_bracket_without_its_partner_is_no_trouble() {
        for odd in ["a ) b", "( a [ b", "')'", "((", "'", "\"", "/*", "--", "é.ü::x", "1.5e"] {
            let _ = words(odd);
        }
    }
}
