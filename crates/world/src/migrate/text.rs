//! What `pg_dump` prints, as a migration that somebody reads: SQL, or Python that runs it.

/// The statements of a dump, without what it sets for itself and what a database has from its first moment.
pub(crate) fn cleaned(dump: &str) -> Vec<String> {
    let begins = |statement: &str, words: &[&str]| words.iter().any(|word| statement.starts_with(word));
    let own = ["SET ", "SELECT pg_catalog.set_config", "CREATE SCHEMA public", "COMMENT ON SCHEMA public"];
    statements(dump).into_iter().filter(|statement| !begins(statement, &own)).collect()
}

/// A text of SQL statement by statement, each without comments around it and without its semicolon.
fn statements(text: &str) -> Vec<String> {
    let text: String =
        text.lines().filter(|line| !line.starts_with('\\')).flat_map(|line| [line, "\n"]).collect();
    let (mut out, mut present) = (Vec::new(), String::new());
    let mut rest = text.as_str();
    while let Some(first) = rest.chars().next() {
        let length = match first {
            '\'' | '"' => closed(rest, &first.to_string()),
            '$' => dollar(rest).map_or(1, |mark| closed(rest, mark)),
            '-' if rest.starts_with("--") => {
                let (comment, after) = rest.split_once('\n').unwrap_or((rest, ""));
                // Inside a statement it is part of what somebody wrote.
                if !present.trim().is_empty() {
                    present.push_str(comment);
                    present.push('\n');
                }
                rest = after;
                continue;
            }
            _ => first.len_utf8(),
        };
        let (part, after) = rest.split_at_checked(length).unwrap_or((rest, ""));
        rest = after;
        // The body of a function in standard SQL has semicolons of its own.
        let is_body = present.contains("BEGIN ATOMIC") && !present.trim_end().ends_with("END");
        if part == ";" && !is_body {
            out.push(std::mem::take(&mut present).trim().to_owned());
        } else {
            present.push_str(part);
        }
    }
    out.push(present.trim().to_owned());
    out.retain(|statement| !statement.is_empty());
    out
}

/// The bytes up to the end of what begins with this mark.
fn closed(text: &str, mark: &str) -> usize {
    let inside = text.get(mark.len()..).unwrap_or_default();
    inside.find(mark).map_or(text.len(), |at| at + 2 * mark.len())
}

/// `$$` or `$tag$` at the beginning of a text.
fn dollar(text: &str) -> Option<&str> {
    let end = text.get(1..)?.find('$')? + 2;
    let mark = text.get(..end)?;
    mark.chars().all(|c| c == '$' || c == '_' || c.is_alphanumeric()).then_some(mark)
}

/// A revision of alembic that runs these statements, one at a time: an async driver takes no more.
pub(crate) fn python(title: &str, id: &str, statements: &[String]) -> String {
    let title = title.replace(['\\', '"'], "");
    let id = serde_json::to_string(id).unwrap_or_default();
    let runs: String = statements
        .iter()
        .flat_map(|sql| ["    op.execute(r\"\"\"".to_owned(), bound(sql), "\"\"\")\n".to_owned()])
        .collect();
    let runs = if runs.is_empty() { "    pass\n" } else { &runs };
    format!(
        "\"\"\"{title}\n\nThe schema as one revision, as pg_dump prints it.\n\"\"\"\n\nfrom alembic import op\n\n\
         revision = {id}\ndown_revision = None\nbranch_labels = None\ndepends_on = None\n\n\n\
         def upgrade() -> None:\n{runs}\n\n\
         def downgrade() -> None:\n    raise NotImplementedError(\"nothing stands before the baseline\")\n"
    )
}

/// `SQLAlchemy` takes `:name` for a parameter, and Python three quotes for an end.
fn bound(sql: &str) -> String {
    let mut out = String::new();
    let mut before = ' ';
    let mut rest = sql.chars().peekable();
    while let Some(c) = rest.next() {
        let names = rest.peek().is_some_and(|next| next.is_alphanumeric() || *next == '_');
        if c == ':' && before != ':' && names {
            out.push('\\');
        }
        out.push(c);
        before = c;
    }
    let out = out.replace("\"\"\"", "\"\" \"");
    if out.ends_with('"') { out + " " } else { out }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dump_is_taken_apart_where_statements_end() {
        let dump = "\\restrict x\n--\n-- Name: a\n--\nSET x = 1;\nCREATE TABLE a (b text DEFAULT ';');\n\n\
                    CREATE FUNCTION f() AS $f$ SELECT 1; -- no\n $f$;\nCREATE FUNCTION g() BEGIN ATOMIC\n SELECT 1;\nEND;\n";

        assert_eq!(
            cleaned(dump),
            [
                "CREATE TABLE a (b text DEFAULT ';')",
                "CREATE FUNCTION f() AS $f$ SELECT 1; -- no\n $f$",
                "CREATE FUNCTION g() BEGIN ATOMIC\n SELECT 1;\nEND"
            ]
        );
        for odd in ["'", "$x", "\"a", "--", "é;ü", "$$"] {
            let _ = statements(odd);
        }
    }

    #[test]
    fn a_colon_is_no_parameter() {
        assert_eq!(bound("a::text ':b' x:y"), r"a::text '\:b' x\:y");
        assert_eq!(bound("\"a\""), "\"a\" ");
    }
}
