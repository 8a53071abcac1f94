//! The name of a CSV file tells its table.

use std::fmt::Write as _;

use crate::carry::TableName;

/// A table's file: its place, and its name with everything that a file's name had better not hold as `%` and two digits.
///
/// ```
/// use plan::{carry::TableName, csv_name, csv_table};
/// assert_eq!(csv_name("020", &TableName::new("public", "users")), "020_users.csv");
/// let odd = TableName::new("my.shop", "a/b \"c\" ü");
/// assert_eq!(csv_table(&csv_name("030", &odd)).unwrap(), odd);
/// ```
#[must_use]
pub fn csv_name(place: &str, table: &TableName) -> String {
    let schema =
        if table.schema == "public" { String::new() } else { format!("{}.", written(&table.schema)) };
    format!("{place}_{schema}{}.csv", written(&table.name))
}

fn written(name: &str) -> String {
    let mut out = String::new();
    for c in name.chars() {
        if c.is_alphanumeric() || c == '_' || c == '-' {
            out.push(c);
        } else {
            for byte in c.to_string().bytes() {
                let _ = write!(out, "%{byte:02X}");
            }
        }
    }
    out
}

/// The table that a file fills: what follows the number in its name. `None` where nothing does.
#[must_use]
pub fn csv_table(file: &str) -> Option<TableName> {
    let stem = file.get(..file.len().checked_sub(4)?)?;
    let name = stem.trim_start_matches(|c: char| c.is_ascii_digit());
    let name = if name.len() < stem.len() { name.strip_prefix('_').unwrap_or(name) } else { name };
    let (schema, name) = name.split_once('.').unwrap_or(("public", name));
    let table = TableName::new(read(schema)?, read(name)?);
    (!table.schema.is_empty() && !table.name.is_empty()).then_some(table)
}

fn read(text: &str) -> Option<String> {
    let mut bytes = Vec::new();
    let mut rest = text.as_bytes();
    while let Some((byte, after)) = rest.split_first() {
        rest = after;
        let code = rest.get(..2).and_then(|code| std::str::from_utf8(code).ok());
        let code = code.filter(|_| *byte == b'%').and_then(|code| u8::from_str_radix(code, 16).ok());
        bytes.push(code.unwrap_or(*byte));
        rest = if code.is_some() { rest.get(2..).unwrap_or_default() } else { rest };
    }
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_without_a_number_and_one_with_a_schema_are_read() {
        assert_eq!(csv_table("users.csv"), Some(TableName::new("public", "users")));
        assert_eq!(csv_table("10_sales.orders.CSV"), Some(TableName::new("sales", "orders")));
        assert_eq!(csv_table("10_.csv"), None);
        assert_eq!(csv_table("100%.csv").unwrap().name, "%");
    }

    #[test]
    fn a_table_whose_name_begins_as_a_place_does_is_found_again() {
        for name in ["2024_sales", "_hidden", "__", "7"] {
            let table = TableName::new("public", name);

            assert_eq!(csv_table(&csv_name("010", &table)), Some(table));
        }
    }
}
