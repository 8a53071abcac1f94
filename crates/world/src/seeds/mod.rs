//! Seeds: their files, loading them, and writing them from the rows that are there.

mod capture;
mod changes;
mod load;
mod proof;
mod table;

use std::io::{self, BufRead as _, BufReader, Read};
use std::path::{Path, PathBuf};

use plan::{Exit, Fault, csv_table};

pub(crate) use capture::{Failure, Order, capture};
pub(crate) use changes::{captured, discard, folder, keep, names, proved};
pub(crate) use proof::{Record, prove, unproved};

use crate::blueprint::{is, listed, text};
use crate::carry::quoted;
use crate::psql::Script;

/// The files of a set, in the order in which they are loaded.
///
/// # Errors
/// A folder that can't be read; a CSV file whose name tells no table.
pub(crate) fn files(root: &Path, dir: &str) -> Result<Vec<PathBuf>, Fault> {
    Ok(listed(root, dir, "seeds.dir")?
        .into_iter()
        .filter(|file| is(file, "sql") || is(file, "csv"))
        .collect())
}

/// A file as it is loaded, told by its path below the root.
///
/// # Errors
/// It can't be read; it is a CSV file without a table or a header.
pub(crate) fn script(file: &Path, root: &Path) -> Result<Script, Fault> {
    let shown = PathBuf::from(file.strip_prefix(root).unwrap_or(file));
    if is(file, "sql") {
        // Editors of one system begin a text with a mark that Postgres takes for a word.
        let text = text(file)?.trim_start_matches('\u{feff}').to_owned();
        return Ok(Script::Sql { file: shown, text });
    }
    let unread = |why: String| {
        Fault::new(Exit::Usage, format!("`{}` can't be loaded", shown.display()))
            .cause(why)
            .state("nothing was changed")
    };
    let name = file.file_name().unwrap_or_default().to_string_lossy();
    let table = csv_table(&name)
        .ok_or_else(|| unread("its name tells no table: 10_users.csv fills `users`".to_owned()))?;
    let source = std::fs::File::open(file).map_err(|why| unread(why.to_string()))?;
    let columns = header(source).map_err(|why| unread(why.to_string()))?;
    if columns.iter().any(String::is_empty) {
        return Err(unread("its first line does not name each column".to_owned()));
    }
    let columns: Vec<String> = columns.iter().map(|column| quoted(column)).collect();
    let into = format!("{} ({})", table.quoted(), columns.join(", "));
    Ok(Script::Rows { file: shown, path: file.to_owned(), into })
}

/// The names in the first record of a CSV text, which may stand in quotes.
fn header(source: impl Read) -> io::Result<Vec<String>> {
    let mut source = BufReader::new(source);
    let mut line = Vec::new();
    // A quoted name may hold the end of a line.
    while source.read_until(b'\n', &mut line)? > 0 {
        if line.split(|byte| *byte == b'"').count() % 2 == 1 {
            break;
        }
    }
    let line = String::from_utf8(line).map_err(|why| io::Error::new(io::ErrorKind::InvalidData, why))?;
    let (mut names, mut name, mut inside) = (Vec::new(), String::new(), false);
    let mut rest = line.trim_start_matches('\u{feff}').trim_end_matches(['\n', '\r']).chars().peekable();
    while let Some(c) = rest.next() {
        match c {
            '"' if inside && rest.peek() == Some(&'"') => name.extend(rest.next()),
            '"' => inside = !inside,
            ',' if !inside => names.push(std::mem::take(&mut name)),
            c => name.push(c),
        }
    }
    names.push(name);
    Ok(names)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_header_may_be_quoted_and_begin_with_a_mark() {
        let read = |text: &str| header(text.as_bytes()).unwrap();

        assert_eq!(read("\u{feff}id,name\r\n1,x\r\n"), ["id", "name"]);
        assert_eq!(read("\"a,\"\"b\",\"two\nlines\"\n1,2\n"), ["a,\"b", "two\nlines"]);
        assert_eq!(read(""), [""]);
    }
}
