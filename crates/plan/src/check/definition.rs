//! Definitions as Postgres prints them, taken apart: constraints, indexes, and whatever only has to lose its name.

use super::catalog::Facts;
use super::token::{Node, Token, text, tokens, tree};

/// What a definition is taken apart into.
mod part {
    pub const COLUMNS: &str = "columns";
    pub const REFERENCES: &str = "references";
    pub const ON_DELETE: &str = "on delete";
    pub const ON_UPDATE: &str = "on update";
    pub const MATCH: &str = "match";
    pub const DEFERRABLE: &str = "deferrable";
    pub const VALIDATED: &str = "validated";
    pub const ENFORCED: &str = "enforced";
    pub const NO_INHERIT: &str = "no inherit";
    pub const NULLS: &str = "nulls";
    pub const INCLUDE: &str = "include";
    pub const CHECK: &str = "check";
    pub const EXCLUDE: &str = "exclude";
    pub const UNIQUE: &str = "unique";
    pub const METHOD: &str = "method";
    pub const WHERE: &str = "where";
    /// The whole as it was printed: to write it again, not to compare it.
    pub const STATEMENT: &str = "statement";
}

/// A definition without its name, which stands behind this many words.
pub(crate) fn unnamed(facts: &mut Facts, words: usize) {
    let Some(definition) = facts.get_mut("definition") else { return };
    let statement = definition.clone();
    let nodes = tree(tokens(definition));
    let mut rest = nodes.get(words + 1..).unwrap_or_default();
    while let Some((first, more)) = rest.split_first()
        && first.is_sign(".")
    {
        rest = more.get(1..).unwrap_or_default();
    }
    *definition = text(rest);
    facts.insert(part::STATEMENT, statement);
}

/// Words of a definition, read from its beginning.
struct Reader<'a> {
    nodes: &'a [Node],
}

impl<'a> Reader<'a> {
    /// Takes these words when they come next.
    fn takes(&mut self, words: &str) -> bool {
        let count = words.split(' ').count();
        let next = self.nodes.get(..count).unwrap_or_default();
        let there = next.len() == count && words.split(' ').zip(next).all(|(word, node)| node.is_name(word));
        if there {
            self.nodes = self.nodes.get(count..).unwrap_or_default();
        }
        there
    }

    fn group(&mut self) -> Option<&'a [Node]> {
        match self.nodes.split_first() {
            Some((Node::Group('(', inside), rest)) => {
                self.nodes = rest;
                Some(inside)
            }
            _ => None,
        }
    }

    fn word(&mut self) -> String {
        match self.nodes.split_first() {
            Some((Node::Leaf(Token::Name(name)), rest)) => {
                self.nodes = rest;
                name.clone()
            }
            _ => String::new(),
        }
    }

    /// A name with its schema.
    fn qualified(&mut self) -> String {
        let mut name = self.word();
        while let Some((first, rest)) = self.nodes.split_first()
            && first.is_sign(".")
        {
            self.nodes = rest;
            name = format!("{name}.{}", self.word());
        }
        name
    }

    fn skip(&mut self) -> bool {
        self.nodes = self.nodes.get(1..).unwrap_or_default();
        !self.nodes.is_empty()
    }
}

fn listed(nodes: &[Node]) -> String {
    nodes.split(|node| node.is_sign(",")).map(text).collect::<Vec<_>>().join(", ")
}

pub(crate) fn check(facts: &mut Facts) {
    let Some(definition) = facts.remove("definition") else { return };
    let nodes = tree(tokens(&definition));
    let mut reader = Reader { nodes: &nodes };
    if reader.takes("check")
        && let Some(inside) = reader.group()
    {
        facts.insert(part::CHECK, text(inside));
    }
    tail(&mut reader, facts);
    facts.insert(part::STATEMENT, definition);
}

/// PRIMARY KEY, UNIQUE, FOREIGN KEY, CHECK or EXCLUDE, as `pg_get_constraintdef` prints them.
pub(crate) fn constraint(facts: &mut Facts) {
    let is = match facts.get("is").map(String::as_str) {
        Some("p") => "primary key",
        Some("u") => "unique constraint",
        Some("f") => "foreign key",
        Some("x") => "exclusion constraint",
        _ => "check constraint",
    };
    facts.insert("is", is.to_owned());
    if is == "check constraint" {
        return check(facts);
    }
    let Some(definition) = facts.remove("definition") else { return };
    let nodes = tree(tokens(&definition));
    let mut reader = Reader { nodes: &nodes };
    if reader.takes("exclude using") {
        let method = reader.word();
        let inside = reader.group().map(listed).unwrap_or_default();
        facts.insert(part::EXCLUDE, format!("{method} ({inside})"));
    } else {
        let _ = reader.takes("primary key") || reader.takes("foreign key") || reader.takes("unique");
        if reader.takes("nulls not distinct") {
            facts.insert(part::NULLS, "not distinct".to_owned());
        }
        facts.insert(part::COLUMNS, reader.group().map(listed).unwrap_or_default());
    }
    if reader.takes("references") {
        let table = reader.qualified();
        let columns = reader.group().map(listed).unwrap_or_default();
        facts.insert(part::REFERENCES, format!("{table} ({columns})"));
    }
    tail(&mut reader, facts);
    facts.insert(part::STATEMENT, definition);
}

/// What may follow the columns of a constraint or an index.
fn tail(reader: &mut Reader<'_>, facts: &mut Facts) {
    loop {
        if reader.takes("include") {
            facts.insert(part::INCLUDE, reader.group().map(listed).unwrap_or_default());
        } else if reader.takes("nulls not distinct") {
            facts.insert(part::NULLS, "not distinct".to_owned());
        } else if reader.takes("with") {
            let options =
                reader.group().map(listed).unwrap_or_default().replace(" = ", "=").replace('\'', "");
            let mut options: Vec<&str> = options
                .split(", ")
                .filter(|option| !["fillfactor=90", "deduplicate_items=on", "fastupdate=on"].contains(option))
                .collect();
            options.sort_unstable();
            if !options.is_empty() {
                facts.insert("options", options.join(", "));
            }
        } else if reader.takes("where") {
            facts.insert(
                part::WHERE,
                text(reader.nodes.split(|node| node.is_name("deferrable")).next().unwrap_or_default()),
            );
            while reader.nodes.first().is_some_and(|node| !node.is_name("deferrable")) && reader.skip() {}
        } else if reader.takes("match") {
            facts.insert(part::MATCH, reader.word());
        } else if reader.takes("on delete") {
            let action = action(reader);
            facts.insert(part::ON_DELETE, action);
        } else if reader.takes("on update") {
            let action = action(reader);
            facts.insert(part::ON_UPDATE, action);
        } else if reader.takes("deferrable") {
            let deferred = reader.takes("initially deferred");
            facts.insert(part::DEFERRABLE, if deferred { "initially deferred" } else { "yes" }.to_owned());
        } else if reader.takes("not valid") {
            facts.insert(part::VALIDATED, "no".to_owned());
        } else if reader.takes("not enforced") {
            facts.insert(part::ENFORCED, "no".to_owned());
        } else if reader.takes("no inherit") {
            facts.insert(part::NO_INHERIT, "yes".to_owned());
        } else if !reader.skip() {
            return;
        }
    }
}

fn action(reader: &mut Reader<'_>) -> String {
    let mut words = vec![reader.word()];
    if matches!(words.first().map(String::as_str), Some("set" | "no")) {
        words.push(reader.word());
    }
    let mut action = words.join(" ");
    if let Some(columns) = reader.group() {
        action = format!("{action} ({})", listed(columns));
    }
    action
}

/// `CREATE [UNIQUE] INDEX name ON table USING method (…) …`, as `pg_get_indexdef` prints it.
pub(crate) fn index(facts: &mut Facts) {
    let Some(definition) = facts.remove("definition") else { return };
    let nodes = tree(tokens(&definition));
    let mut reader = Reader { nodes: &nodes };
    let _ = reader.takes("create");
    if reader.takes("unique") {
        facts.insert(part::UNIQUE, "yes".to_owned());
    }
    let _ = reader.takes("index");
    let _ = reader.word();
    let _ = reader.takes("on") && reader.takes("only");
    let _ = reader.qualified();
    let _ = reader.takes("using");
    facts.insert(part::METHOD, reader.word());
    facts.insert(part::COLUMNS, reader.group().map(listed).unwrap_or_default());
    tail(&mut reader, facts);
    facts.insert(part::STATEMENT, definition);
}
