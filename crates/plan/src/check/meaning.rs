//! Expressions by what they mean: Postgres prints one meaning in several ways.

use super::alias::unaliased;
use super::negation::negations;
use super::token::{Node, Token, text, tokens, tree};

/// An expression in the one form that all of its spellings share.
///
/// ```
/// use plan::check::meaning;
/// assert_eq!(meaning("CURRENT_TIMESTAMP"), meaning("now()"));
/// assert_eq!(meaning("timezone('utc'::text, now())"), meaning("(now() AT TIME ZONE 'UTC'::text)"));
/// assert_eq!(
///     meaning("((a)::text = ANY ((ARRAY['x'::character varying, 'y'::character varying])::text[]))"),
///     meaning("((a)::text = ANY (ARRAY['y'::text, ('x'::character varying)::text]))"),
/// );
/// assert_ne!(meaning("(a > 0)"), meaning("(a >= 0)"));
/// assert_ne!(meaning("(a)::integer"), meaning("(a)::text"));
/// ```
#[must_use]
pub fn meaning(expression: &str) -> String {
    text(&nodes(expression))
}

/// As [`meaning`], with every cast left out: for what only changed because a column's type did.
pub(crate) fn without_casts(expression: &str) -> String {
    text(&canonical(drop_casts(&tree(tokens(expression)))))
}

/// A default by its meaning for a column of this type: an outermost cast to that type is what an assignment does anyway.
pub(crate) fn default_for(expression: &str, kind: &str) -> String {
    let mut nodes = nodes(expression);
    let base = kind.split('(').next().unwrap_or_default().trim().to_owned();
    let wanted = text(&canonical(tree(tokens(&base))));
    while let Some(at) = nodes.iter().rposition(|node| node.is_sign("::")) {
        let (value, cast) = nodes.split_at(at);
        let cast_to = text(cast.get(1..).unwrap_or_default());
        let names_it = cast_to == wanted;
        let number = is_number_type(&base) && is_number_type(cast_to.split(" (").next().unwrap_or_default());
        if !(names_it || number) || value.iter().any(is_operator) {
            break;
        }
        nodes = match value {
            [Node::Group('(', inside)] => inside.clone(),
            value => value.to_vec(),
        };
    }
    match nodes.as_slice() {
        [Node::Leaf(Token::Number(number) | Token::Text(number))] if is_number_type(&base) => plain(number),
        [Node::Leaf(Token::Name(name))] if name == "null" => String::new(),
        _ => text(&nodes),
    }
}

fn is_number_type(name: &str) -> bool {
    ["integer", "bigint", "smallint", "numeric", "real", "double precision"].contains(&name)
}

fn nodes(expression: &str) -> Vec<Node> {
    canonical(tree(unaliased(tokens(expression))))
}

fn is_operator(node: &Node) -> bool {
    matches!(node, Node::Leaf(Token::Sign(sign)) if sign != "." && sign != "::" && sign != ",")
}

/// Rewrites a level, the levels inside it first.
fn canonical(nodes: Vec<Node>) -> Vec<Node> {
    let mut out: Vec<Node> = Vec::with_capacity(nodes.len());
    for node in nodes {
        match node {
            Node::Group(bracket, inside) => {
                let inside = canonical(inside);
                let group = Node::Group(bracket, inside);
                push_group(&mut out, group);
            }
            leaf @ Node::Leaf(_) => out.push(leaf),
        }
    }
    let out = times(out);
    let out = casts(&out);
    let out = lists(out);
    let out = zones(out);
    junctions(negations(out))
}

/// Brackets that nothing needs: around one thing, a name, or a call.
fn push_group(out: &mut Vec<Node>, group: Node) {
    let Node::Group('(', inside) = &group else {
        out.push(group);
        return;
    };
    let negative = matches!(inside.as_slice(), [minus, Node::Leaf(Token::Number(_))] if minus.is_sign("-"));
    if negative && !is_called(out.last()) {
        let number = text(inside).replace(' ', "");
        out.push(Node::Leaf(Token::Number(number)));
    } else if !is_called(out.last()) && is_one_thing(inside) {
        let Node::Group(_, inside) = group else { return };
        out.extend(inside);
    } else {
        out.push(group);
    }
}

/// A bracket behind this is an argument list, or belongs to a keyword.
fn is_called(before: Option<&Node>) -> bool {
    const OPEN: [&str; 14] = [
        "and", "or", "not", "when", "then", "else", "case", "where", "on", "having", "select", "distinct",
        "by", "check",
    ];
    matches!(before, Some(Node::Leaf(Token::Name(name))) if !OPEN.contains(&name.as_str()))
}

fn is_one_thing(nodes: &[Node]) -> bool {
    match nodes {
        [_] => true,
        [Node::Leaf(Token::Name(name)), Node::Group(_, _)] => name != "any" && name != "all",
        [Node::Leaf(Token::Name(_)), dot, rest @ ..] if dot.is_sign(".") => is_one_thing(rest),
        _ => false,
    }
}

/// The several names of the present moment.
fn times(nodes: Vec<Node>) -> Vec<Node> {
    let mut out = Vec::with_capacity(nodes.len());
    let mut nodes = nodes.into_iter().peekable();
    let now = || [Node::name("now"), Node::Group('(', Vec::new())];
    while let Some(node) = nodes.next() {
        let has_precision = matches!(nodes.peek(), Some(Node::Group('(', inside)) if !inside.is_empty());
        let cast = |kind: &str| now().into_iter().chain([Node::sign("::")]).chain(tree(tokens(kind)));
        match &node {
            Node::Leaf(Token::Name(name)) if name == "current_timestamp" && !has_precision => {
                out.extend(now());
            }
            Node::Leaf(Token::Name(name)) if name == "localtimestamp" && !has_precision => {
                out.extend(cast("timestamp without time zone"));
            }
            Node::Leaf(Token::Name(name)) if name == "current_date" => out.extend(cast("date")),
            Node::Leaf(Token::Name(name)) if name == "transaction_timestamp" => out.push(Node::name("now")),
            _ => out.push(node),
        }
    }
    out
}

/// Casts of constants to the type that they have anyway.
fn casts(nodes: &[Node]) -> Vec<Node> {
    let mut out: Vec<Node> = Vec::with_capacity(nodes.len());
    let mut at = 0;
    while let Some(node) = nodes.get(at) {
        at += 1;
        if !node.is_sign("::") {
            push_number(&mut out, node.clone());
            continue;
        }
        let length = type_length(nodes.get(at..).unwrap_or_default());
        let kind = nodes.get(at..at + length).unwrap_or_default();
        at += length;
        let told = text(kind);
        let (element, array) =
            told.strip_suffix(" [ ]").map_or((told.as_str(), false), |element| (element, true));
        let texts = ["text", "character varying", "varchar", "bpchar", "name"].contains(&element);
        match out.last() {
            Some(Node::Leaf(Token::Name(name))) if name == "null" => continue,
            Some(Node::Leaf(Token::Text(_))) if texts && !array => continue,
            Some(Node::Leaf(Token::Text(_))) if texts && array => continue,
            Some(Node::Group('[', elements)) if texts && array && is_literals(elements) => {
                if elements.is_empty() {
                    out.truncate(out.len().saturating_sub(2));
                    out.push(Node::Leaf(Token::Text("{}".to_owned())));
                }
                continue;
            }
            Some(Node::Group('[', elements)) if array && elements.is_empty() => {
                out.truncate(out.len().saturating_sub(2));
                out.push(Node::Leaf(Token::Text("{}".to_owned())));
            }
            Some(Node::Leaf(Token::Text(value))) if is_number_type(&told) && value.parse::<f64>().is_ok() => {
                let value = plain(value);
                out.pop();
                out.push(Node::Leaf(Token::Number(value)));
                if told == "integer" {
                    continue;
                }
            }
            _ => {}
        }
        out.push(Node::sign("::"));
        out.extend(kind.iter().cloned());
    }
    out
}

/// A decimal number is numeric without a cast.
fn push_number(out: &mut Vec<Node>, node: Node) {
    match node {
        Node::Leaf(Token::Number(number)) if number.contains('.') => {
            out.extend([Node::Leaf(Token::Number(plain(&number))), Node::sign("::"), Node::name("numeric")]);
        }
        node => out.push(node),
    }
}

/// A number without the zeros that say nothing.
fn plain(number: &str) -> String {
    if number.contains('.') && number.parse::<f64>().is_ok() {
        number.trim_end_matches('0').trim_end_matches('.').to_owned()
    } else {
        number.to_owned()
    }
}

fn is_literals(elements: &[Node]) -> bool {
    elements.iter().all(|node| matches!(node, Node::Leaf(Token::Text(_))) || node.is_sign(","))
}

/// How many nodes the type at the beginning takes.
fn type_length(nodes: &[Node]) -> usize {
    let mut length = 0;
    let name = |at: usize| match nodes.get(at) {
        Some(Node::Leaf(Token::Name(name))) => name.as_str(),
        _ => "",
    };
    if name(0).is_empty() {
        return 0;
    }
    length += 1;
    while nodes.get(length).is_some_and(|node| node.is_sign(".")) {
        length += 2;
    }
    let group = |at: usize| matches!(nodes.get(at), Some(Node::Group('(', _)));
    match (name(0), name(1)) {
        ("character" | "bit", "varying") | ("double", "precision") => length += 1,
        ("timestamp" | "time", _) => {
            if group(length) {
                length += 1;
            }
            if matches!(name(length), "with" | "without")
                && name(length + 1) == "time"
                && name(length + 2) == "zone"
            {
                length += 3;
            }
        }
        ("interval", _) => {
            while matches!(name(length), "year" | "month" | "day" | "hour" | "minute" | "second" | "to") {
                length += 1;
            }
        }
        _ => {}
    }
    if group(length) {
        length += 1;
    }
    while matches!(nodes.get(length), Some(Node::Group('[', inside)) if inside.is_empty()) {
        length += 1;
    }
    length
}

/// `x = ANY (ARRAY[…])` and `x <> ALL (ARRAY[…])`: lists, whose order says nothing.
fn lists(nodes: Vec<Node>) -> Vec<Node> {
    let mut out: Vec<Node> = Vec::with_capacity(nodes.len());
    let mut nodes = nodes.into_iter().peekable();
    while let Some(node) = nodes.next() {
        let quantified = node.is_name("any") || node.is_name("all");
        let elements = match nodes.peek() {
            Some(Node::Group('(', inside)) if quantified => elements(inside),
            _ => None,
        };
        let Some(mut elements) = elements else {
            out.push(node);
            continue;
        };
        nodes.next();
        elements.sort();
        elements.dedup();
        if let [only] = elements.as_slice() {
            out.extend(only.iter().cloned());
        } else {
            let list = elements.join(&Node::sign(","));
            out.extend([node, Node::Group('(', list)]);
        }
    }
    out
}

/// The elements of an array that is written out.
fn elements(inside: &[Node]) -> Option<Vec<Vec<Node>>> {
    match inside {
        [array, Node::Group('[', elements)] if array.is_name("array") => {
            Some(elements.split(|node| node.is_sign(",")).map(<[Node]>::to_vec).collect())
        }
        [array, Node::Group('[', elements), cast, ..] if array.is_name("array") && cast.is_sign("::") => {
            Some(elements.split(|node| node.is_sign(",")).map(<[Node]>::to_vec).collect())
        }
        [Node::Leaf(Token::Text(literal))] => {
            let plain = literal.strip_prefix('{')?.strip_suffix('}')?;
            let simple = !plain.is_empty() && !plain.contains(['"', '{', '\\']);
            simple.then(|| {
                plain.split(',').map(|text| vec![Node::Leaf(Token::Text(text.to_owned()))]).collect()
            })
        }
        _ => None,
    }
}

/// `x AT TIME ZONE z` and `timezone(z, x)`. Zones have no case.
fn zones(nodes: Vec<Node>) -> Vec<Node> {
    let at = nodes.windows(3).position(
        |three| matches!(three, [a, b, c] if a.is_name("at") && b.is_name("time") && c.is_name("zone")),
    );
    let zone = |node: &Node| match node {
        Node::Leaf(Token::Text(zone)) => Node::Leaf(Token::Text(zone.to_lowercase())),
        node => node.clone(),
    };
    if let Some(at) = at {
        let (moment, rest) = nodes.split_at(at);
        let mut arguments: Vec<Node> = rest.iter().skip(3).map(zone).collect();
        arguments.push(Node::sign(","));
        arguments.extend(moment.iter().cloned());
        return vec![Node::name("timezone"), Node::Group('(', arguments)];
    }
    let mut out = Vec::with_capacity(nodes.len());
    for node in nodes {
        match (out.last(), node) {
            (Some(before), Node::Group('(', arguments)) if Node::is_name(before, "timezone") => {
                let mut arguments = arguments;
                if let Some(first) = arguments.first_mut() {
                    *first = zone(first);
                }
                out.push(Node::Group('(', arguments));
            }
            (_, node) => out.push(node),
        }
    }
    out
}

/// Conditions joined by AND or OR: neither order nor brackets among equals say anything.
fn junctions(nodes: Vec<Node>) -> Vec<Node> {
    let is_query = nodes
        .first()
        .is_some_and(|node| node.is_name("select") || node.is_name("with") || node.is_name("case"));
    let word = ["or", "and"].into_iter().find(|word| nodes.iter().any(|node| node.is_name(word)));
    let Some(word) = word
        .filter(|_| !is_query && !nodes.iter().any(|node| node.is_name("between") || node.is_name("case")))
    else {
        return nodes;
    };
    let mut parts: Vec<Vec<Node>> = Vec::new();
    for part in nodes.split(|node| node.is_name(word)) {
        match part {
            [Node::Group('(', inside)]
                if inside.iter().any(|node| node.is_name(word)) && !is_mixed(inside) =>
            {
                parts.extend(inside.split(|node| node.is_name(word)).map(<[Node]>::to_vec));
            }
            part => parts.push(part.to_vec()),
        }
    }
    parts.sort();
    parts.dedup();
    if word == "or"
        && let Some(list) = as_list(&parts)
    {
        return list;
    }
    parts.join(&Node::name(word))
}

fn is_mixed(nodes: &[Node]) -> bool {
    nodes.iter().any(|node| node.is_name("and")) && nodes.iter().any(|node| node.is_name("or"))
}

/// `x = 'a' OR x = 'b'` as the list that it is.
fn as_list(parts: &[Vec<Node>]) -> Option<Vec<Node>> {
    let mut of: Option<Vec<Node>> = None;
    let mut values = Vec::new();
    for part in parts {
        let inside = match part.as_slice() {
            [Node::Group('(', inside)] => inside.as_slice(),
            other => other,
        };
        let at = inside.iter().position(|node| node.is_sign("="))?;
        let (left, right) = inside.split_at(at);
        let right = right.get(1..)?;
        if !matches!(right, [Node::Leaf(Token::Text(_) | Token::Number(_))])
            || *of.get_or_insert_with(|| left.to_vec()) != left
        {
            return None;
        }
        values.push(right.to_vec());
    }
    let mut out = of?;
    out.extend([Node::sign("="), Node::name("any"), Node::Group('(', values.join(&Node::sign(",")))]);
    Some(out)
}

fn drop_casts(nodes: &[Node]) -> Vec<Node> {
    let mut out = Vec::with_capacity(nodes.len());
    let mut at = 0;
    while let Some(node) = nodes.get(at) {
        at += 1;
        match node {
            cast @ Node::Leaf(_) if cast.is_sign("::") => {
                at += type_length(nodes.get(at..).unwrap_or_default());
            }
            Node::Group(bracket, inside) => {
                push_group(&mut out, Node::Group(*bracket, drop_casts(inside)));
            }
            leaf @ Node::Leaf(_) => out.push(leaf.clone()),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_is_the_same_default_however_it_is_written() {
        for spelling in ["1.50", "1.5", "'1.5'::numeric", "(1.5)::numeric(10,2)", "'1.50'::numeric(10,2)"] {
            assert_eq!(default_for(spelling, "numeric(10,2)"), "1.5", "{spelling}");
        }
        assert_ne!(default_for("2.5", "numeric(10,2)"), default_for("1.5", "numeric(10,2)"));
    }
}
