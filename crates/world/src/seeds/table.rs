//! A table as a capture reads it: which columns, in which order of rows, and what its rows add up to.

use plan::carry::TableName;
use plan::{Exit, Fault, words};
use serde::Deserialize;

use crate::carry::quoted;

#[derive(Debug, Clone, Deserialize)]
pub(super) struct Table {
    #[serde(flatten)]
    pub name: TableName,
    pub partitioned: bool,
    pub bytes: u64,
    columns: Vec<Column>,
    key: Vec<String>,
    pub references: Vec<Key>,
    pub triggers: Vec<Trigger>,
    /// Quoted names.
    pub sequences: Vec<String>,
    /// Columns that are not to be written.
    #[serde(skip)]
    masked: Vec<String>,
}

#[derive(Debug, Clone, Deserialize)]
#[expect(clippy::struct_excessive_bools, reason = "each is one thing that a column is or is not")]
struct Column {
    name: String,
    generated: bool,
    not_null: bool,
    default: bool,
    text: bool,
    collated: bool,
}

/// A foreign key. `table` and `name` are quoted.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct Key {
    pub table: String,
    pub name: String,
    pub schema: String,
    pub parent: String,
    pub deferrable: bool,
    pub deferred: bool,
}

/// A trigger that fires. Its name is quoted.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct Trigger {
    pub name: String,
    pub always: bool,
}

impl Table {
    /// Another table's children are tables of their own; partitions are not.
    fn rows(&self) -> String {
        let table = self.name.quoted();
        if self.partitioned { table } else { format!("ONLY {table}") }
    }

    fn is_masked(&self, column: &Column) -> bool {
        self.masked.contains(&column.name)
    }

    /// The masked columns, as a person writes them.
    pub fn masked(&self) -> impl Iterator<Item = String> {
        self.masked.iter().map(|column| format!("{}.{column}", self.name))
    }

    /// Columns that are read as they are.
    fn plain(&self) -> Vec<String> {
        let plain = self.columns.iter().filter(|column| !column.generated && !self.is_masked(column));
        plain.map(|column| quoted(&column.name)).collect()
    }

    /// By the primary key, else by all of it; by bytes, so that no collation of a machine decides.
    fn order(&self) -> String {
        let by = |name: &String| {
            let collated = self.columns.iter().any(|column| column.name == *name && column.collated);
            format!("{}{}", quoted(name), if collated { " COLLATE \"C\"" } else { "" })
        };
        if self.key.is_empty() {
            return format!("ROW({})::text COLLATE \"C\"", self.plain().join(", "));
        }
        self.key.iter().map(by).collect::<Vec<_>>().join(", ")
    }

    /// What reads its rows; `None` where there is no column to write.
    pub fn reading(&self) -> Option<String> {
        let written = self.columns.iter().filter(|column| !column.generated);
        let columns: Vec<String> = written
            .filter_map(|column| match (self.is_masked(column), column.not_null && !column.default) {
                (false, _) => Some(quoted(&column.name)),
                // Nothing stands for it: the database fills in what it would without a value.
                (true, false) => None,
                (true, true) => Some(format!(
                    "'masked-' || row_number() OVER (ORDER BY {}) AS {}",
                    self.order(),
                    quoted(&column.name)
                )),
            })
            .collect();
        let order = self.order();
        (!columns.is_empty())
            .then(|| format!("SELECT {} FROM {} ORDER BY {order}", columns.join(", "), self.rows()))
    }

    /// How many rows it holds, and a sum over them that tells any two contents apart, in whatever order they come.
    pub fn sum(&self) -> String {
        format!(
            "SELECT count(*) AS rows, coalesce(sum(hashtextextended(ROW({})::text, 0)), 0)::text AS hash FROM {}",
            self.plain().join(", "),
            self.rows()
        )
    }
}

/// Marks the masked columns.
///
/// # Errors
/// One that is not there, which would write what was to be hidden; one that the rows can't be without.
pub(super) fn mask(tables: &mut [Table], mask: &[String]) -> Result<(), Fault> {
    let usage = |error: String| Fault::new(Exit::Usage, error).state("nothing was changed");
    for masked in mask {
        let known: Vec<String> = tables
            .iter()
            .flat_map(|table| table.columns.iter().map(|column| format!("{}.{}", table.name, column.name)))
            .collect();
        let of = |table: &Table| {
            let column = table.columns.iter().find(|column| {
                *masked == format!("{}.{}", table.name, column.name)
                    || *masked == format!("{}.{}.{}", table.name.schema, table.name.name, column.name)
            });
            column.cloned()
        };
        let found = tables.iter_mut().find_map(|table| Some((of(table)?, table)));
        let Some((column, table)) = found else {
            let fault = usage(format!("seeds.mask names `{masked}`, and there is no such column"));
            return Err(match words::nearest(masked, known.iter().map(String::as_str)) {
                Some(near) => fault.hint(format!("did you mean `{near}`?")),
                None => fault.hint("seeds.mask = [\"users.password_hash\"] masks a column of a table"),
            });
        };
        let why = if table.key.contains(&column.name) {
            "it is of the primary key, by which rows refer to each other"
        } else if column.not_null && !column.default && !column.text {
            "it can't be null, has no default, and only text can be made up"
        } else {
            table.masked.push(column.name);
            continue;
        };
        return Err(usage(format!("`{masked}` can't be masked")).cause(why));
    }
    Ok(())
}
