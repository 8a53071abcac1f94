//! The order in which tables are filled so that no row comes before what it refers to.

use crate::carry::TableName;

/// A foreign key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reference {
    pub child: TableName,
    pub parent: TableName,
}

/// The tables, each after those it refers to; by name where that leaves a choice. Where they refer to each other in a
/// circle the first by name comes first, and its references look ahead.
///
/// ```
/// use plan::{Reference, carry::TableName, in_order};
/// let [a, b] = ["a", "b"].map(|name| TableName::new("public", name));
/// let reference = Reference { child: a.clone(), parent: b.clone() };
/// assert_eq!(in_order(&[a.clone(), b.clone()], &[reference]), [b, a]);
/// ```
#[must_use]
pub fn in_order(tables: &[TableName], references: &[Reference]) -> Vec<TableName> {
    let mut rest = tables.to_vec();
    rest.sort();
    let mut placed: Vec<TableName> = Vec::new();
    while !rest.is_empty() {
        let waits = |table: &TableName| {
            let parents = references.iter().filter(|reference| reference.child == *table);
            parents.map(|reference| &reference.parent).any(|parent| parent != table && rest.contains(parent))
        };
        let next = rest.iter().position(|table| !waits(table)).unwrap_or_else(|| {
            // A table that only refers into the circle is not in it: one that somebody waits for is.
            let is_waited_for = |table: &TableName| {
                references
                    .iter()
                    .any(|one| one.parent == *table && one.child != *table && rest.contains(&one.child))
            };
            rest.iter().position(is_waited_for).unwrap_or(0)
        });
        placed.push(rest.remove(next));
    }
    placed
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_circle_is_cut_and_everything_else_is_in_order() {
        let table = |name: &str| TableName::new("public", name);
        let reference = |child, parent| Reference { child: table(child), parent: table(parent) };
        let tables = ["late", "b", "c", "tree"].map(table);
        let references =
            [reference("b", "c"), reference("c", "b"), reference("late", "c"), reference("tree", "tree")];

        let order = in_order(&tables, &references);

        assert_eq!(order, ["tree", "b", "c", "late"].map(table));
    }
}
