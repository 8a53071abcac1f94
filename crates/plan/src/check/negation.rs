//! NOT in front of a comparison, as the opposite comparison.

use super::token::{Node, text};

/// Words that make more of a bracket than one comparison.
const MORE: [&str; 8] = ["and", "or", "not", "is", "case", "select", "between", "distinct"];

/// `NOT (a = b)` as `a <> b`, `NOT (a = ANY (…))` as `a <> ALL (…)`, and the reverse: with a null all of them are null.
pub(crate) fn negations(nodes: Vec<Node>) -> Vec<Node> {
    let mut out: Vec<Node> = Vec::with_capacity(nodes.len());
    for node in nodes {
        let is_negated = out.last().is_some_and(|last| last.is_name("not"));
        match &node {
            Node::Group('(', inside) if is_negated && let Some(opposite) = opposite(inside) => {
                out.pop();
                out.push(Node::Group('(', opposite));
            }
            _ => out.push(node),
        }
    }
    out
}

fn opposite(inside: &[Node]) -> Option<Vec<Node>> {
    if inside.iter().any(|node| MORE.iter().any(|word| node.is_name(word))) {
        return None;
    }
    let mut out = inside.to_vec();
    let mut compared = false;
    for node in &mut out {
        let swapped = match text(std::slice::from_ref(node)).as_str() {
            "=" if !compared => Node::sign("<>"),
            "<>" if !compared => Node::sign("="),
            "=" | "<>" => return None,
            "any" if compared => Node::name("all"),
            "all" if compared => Node::name("any"),
            _ => continue,
        };
        compared |= node.is_sign("=") || node.is_sign("<>");
        *node = swapped;
    }
    let others = |node: &Node| matches!(node, Node::Leaf(super::token::Token::Sign(sign)) if !["=", "<>", ".", "::"].contains(&sign.as_str()));
    (compared && !out.iter().any(others)).then_some(out)
}

#[cfg(test)]
mod tests {
    use crate::check::meaning;

    #[test]
    fn not_in_front_of_a_comparison_is_its_opposite() {
        let same = |first: &str, second: &str| assert_eq!(meaning(first), meaning(second));

        same("(NOT (a = ANY (ARRAY[3, 4])))", "(a <> ALL (ARRAY[4, 3]))");
        same("(NOT (a <> ALL (ARRAY[3, 4])))", "(a = ANY (ARRAY[3, 4]))");
        same("((b > 0) AND (NOT (a = 3)))", "((a <> 3) AND (b > 0))");
        same(
            "(NOT ((a)::text = ANY ((ARRAY['x'::character varying, 'y'::character varying])::text[])))",
            "((a)::text <> ALL ((ARRAY['x'::character varying, 'y'::character varying])::text[]))",
        );
    }

    #[test]
    fn not_in_front_of_more_than_one_comparison_stays() {
        let differ = |first: &str, second: &str| assert_ne!(meaning(first), meaning(second));

        differ("(NOT ((a = 1) OR (b = 2)))", "((a <> 1) OR (b <> 2))");
        differ("(NOT (a = ANY (ARRAY[3, 4])))", "(a <> ANY (ARRAY[3, 4]))");
        differ("(NOT (a = 3))", "(a = 3)");
        differ("(NOT (a > 3))", "(a <> 3)");
    }
}
