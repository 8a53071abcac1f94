//! What a migration would do to a database in use: locks, rewrites, lost rows. By squawk's parser and linter.

use plan::{Fact, Finding};
use squawk_linter::{Linter, Rule, Violation};
use squawk_syntax::SourceFile;

/// What takes long under a lock, and what breaks those who read or write meanwhile.
const RULES: [Rule; 20] = [
    Rule::RequireLockTimeout,
    Rule::RequireConcurrentIndexCreation,
    Rule::RequireConcurrentIndexDeletion,
    Rule::RequireConcurrentPartitionDetach,
    Rule::RequireConcurrentReindex,
    Rule::BanConcurrentIndexCreationInTransaction,
    Rule::ConstraintMissingNotValid,
    Rule::AddingFieldWithDefault,
    Rule::AddingForeignKeyConstraint,
    Rule::AddingNotNullableField,
    Rule::AddingRequiredField,
    Rule::AddingSerialPrimaryKeyField,
    Rule::ChangingColumnType,
    Rule::DisallowedUniqueConstraint,
    Rule::RenamingColumn,
    Rule::RenamingTable,
    Rule::BanDropColumn,
    Rule::BanDropTable,
    Rule::BanTruncateCascade,
    Rule::IdentifierTooLong,
];

/// Statements that destroy no row and rewrite none, by their first word.
const ADDING: [&str; 17] = [
    "CREATE", "ALTER", "COMMENT", "INSERT", "GRANT", "REVOKE", "SET", "RESET", "BEGIN", "START", "COMMIT",
    "ANALYZE", "LOCK", "REINDEX", "SHOW", "REFRESH", "VACUUM",
];

/// What is known of some statements.
#[derive(Debug, Default)]
pub(crate) struct Review {
    /// Which lock each statement takes.
    pub locks: Vec<Fact>,
    pub findings: Vec<Finding>,
    /// Statements that destroy or rewrite rows.
    pub loses: Vec<String>,
    /// Statements of which it can't be told.
    pub unclear: Vec<String>,
}

impl Review {
    /// Whether every statement is known to leave all rows as they are.
    pub fn only_adds(&self) -> bool {
        self.loses.is_empty() && self.unclear.is_empty()
    }

    /// Looks through the statements of one file.
    pub fn of(sql: &str, place: &str) -> Self {
        let mut review = Self::default();
        let parsed = SourceFile::parse(sql);
        let line = |at: usize| sql.get(..at).unwrap_or_default().matches('\n').count() + 1;
        for error in parsed.errors() {
            review.unclear.push(format!("{place}:{}: not understood", line(error.range().start().into())));
        }
        for statement in parsed.syntax_node().children() {
            let at = format!("{place}:{}", line(statement.text_range().start().into()));
            let words = words(&statement.text().to_string());
            match fate(&words) {
                Fate::Adds => {}
                Fate::Loses(how) => {
                    let what = format!("{at}: {}", shown(&words));
                    let mend = "keep what it holds elsewhere first, or leave it for a later migration";
                    review.findings.push(Finding::new("rows are lost", &what, how, mend));
                    review.loses.push(what);
                }
                Fate::Unclear => review.unclear.push(format!("{at}: {}", shown(&words))),
            }
        }
        for violation in Linter::from(RULES).lint(&parsed, sql) {
            let at = format!("{place}:{}", line(violation.text_range.start().into()));
            review.hear(&at, violation);
        }
        review
    }

    fn hear(&mut self, at: &str, violation: Violation) {
        let help = violation.help.unwrap_or_default();
        if violation.code == Rule::RequireLockTimeout {
            let lock = help.split_once("requires: ").map_or(help.as_str(), |(_, lock)| lock);
            self.locks.push(Fact::new("locks", format!("{at}: {}", lock.trim_end_matches('.'))));
            return;
        }
        // Told above, with what is lost.
        if !matches!(violation.code, Rule::BanDropColumn | Rule::BanDropTable) {
            let what = format!("{at}: {}", violation.code);
            self.findings.push(Finding::new("it is in the way", what, violation.message, help));
        }
    }

    pub fn add(&mut self, other: Self) {
        self.locks.extend(other.locks);
        self.findings.extend(other.findings);
        self.loses.extend(other.loses);
        self.unclear.extend(other.unclear);
    }

    /// As lines before a question.
    pub fn facts(&self) -> Vec<Fact> {
        let mut out = self.locks.clone();
        let told = |finding: &Finding| Fact::new("review", format!("{}: {}", finding.what, finding.because));
        out.extend(self.findings.iter().map(told));
        out.extend(self.unclear.iter().map(|what| Fact::new("can't tell", what)));
        out
    }
}

enum Fate {
    Adds,
    Loses(&'static str),
    Unclear,
}

/// A statement's words, comments left out, in capitals.
fn words(statement: &str) -> Vec<String> {
    let lines = statement.lines().map(|line| line.split("--").next().unwrap_or_default());
    let text = lines.collect::<Vec<_>>().join(" ").to_uppercase();
    let apart = |c: char| c.is_whitespace() || c == ',' || c == ';';
    text.split(apart).filter(|word| !word.is_empty()).map(str::to_owned).collect()
}

fn shown(words: &[String]) -> String {
    let text = words.join(" ");
    if text.chars().count() > 80 { text.chars().take(79).chain(['…']).collect() } else { text }
}

fn fate(words: &[String]) -> Fate {
    let mut words = words.iter().map(String::as_str);
    let Some(first) = words.next() else { return Fate::Adds };
    let rest: Vec<&str> = words.collect();
    // Alembic's own book.
    if rest.iter().any(|word| word.trim_start_matches('(') == "ALEMBIC_VERSION") {
        return Fate::Adds;
    }
    let kind = rest.first().copied().unwrap_or_default();
    match first {
        "TRUNCATE" | "DELETE" => Fate::Loses("it deletes rows"),
        "UPDATE" | "MERGE" => Fate::Loses("it rewrites rows"),
        "INSERT" if rest.windows(2).any(|pair| pair == ["DO", "UPDATE"]) => Fate::Loses("it rewrites rows"),
        "DROP" if matches!(kind, "TABLE" | "SCHEMA" | "DATABASE" | "OWNED") => {
            Fate::Loses("what it holds goes with it")
        }
        "DROP" if rest.contains(&"CASCADE") => Fate::Loses("columns that need it go with it"),
        "DROP" => Fate::Adds,
        "ALTER" if matches!(kind, "TABLE" | "FOREIGN") => altered(&rest),
        "ALTER" if kind == "TYPE" && rest.contains(&"ATTRIBUTE") => Fate::Loses("it rewrites rows"),
        // A materialized view is made again from its tables; what a query calls is not known.
        word if ADDING.contains(&word) => Fate::Adds,
        _ => Fate::Unclear,
    }
}

fn altered(words: &[&str]) -> Fate {
    let keeps = ["CONSTRAINT", "DEFAULT", "NOT", "IDENTITY", "EXPRESSION"];
    let drops = words.windows(2).any(|pair| matches!(pair, ["DROP", what] if !keeps.contains(what)));
    if drops {
        Fate::Loses("the column's values go with it")
    } else if words.contains(&"TYPE") && words.contains(&"ALTER") {
        Fate::Loses("each value is made another")
    } else {
        Fate::Adds
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn loses(sql: &str) -> (usize, usize) {
        let review = Review::of(sql, "x.sql");
        (review.loses.len(), review.unclear.len())
    }

    #[test]
    fn what_destroys_or_rewrites_rows_is_seen() {
        for sql in [
            "DROP TABLE a;",
            "ALTER TABLE a DROP COLUMN b;",
            "ALTER TABLE a DROP b;",
            "ALTER TABLE a ADD c int, DROP IF EXISTS b;",
            "ALTER TABLE a ALTER COLUMN b TYPE bigint;",
            "ALTER TABLE a ALTER b TYPE bigint;",
            "UPDATE a SET b = 1;",
            "DELETE FROM a;",
            "TRUNCATE a;",
            "INSERT INTO a VALUES (1) ON CONFLICT (b) DO UPDATE SET b = 2;",
            "DROP TYPE t CASCADE;",
        ] {
            assert_eq!(loses(sql), (1, 0), "{sql}");
        }
    }

    #[test]
    fn what_only_adds_is_no_loss() {
        let sql = "CREATE TABLE a (b int); ALTER TABLE a ADD c int; ALTER TABLE a DROP CONSTRAINT d;
                   -- DROP TABLE a;
                   ALTER TABLE a ALTER c DROP DEFAULT; INSERT INTO a VALUES (1); COMMENT ON TABLE a IS 'DROP TABLE x';
                   UPDATE alembic_version SET version_num = '2';";

        assert_eq!(loses(sql), (0, 0));
    }

    #[test]
    fn what_runs_code_can_not_be_told() {
        assert_eq!(loses("DO $$ BEGIN DELETE FROM a; END $$;"), (0, 1));
        assert_eq!(loses("SELECT f();"), (0, 1));
        assert!(loses("ALTER TABEL a;").1 > 0);
    }

    #[test]
    fn locks_and_missing_concurrently_are_told_with_their_line() {
        let review = Review::of("ALTER TABLE a ADD b int;\nCREATE INDEX i ON a (b);\n", "x.sql");

        assert!(
            review.locks.iter().any(|fact| fact.text.starts_with("x.sql:1: ACCESS EXCLUSIVE")),
            "{review:?}"
        );
        let index = review.findings.iter().find(|finding| finding.what.contains("concurrent")).unwrap();
        assert!(index.what.starts_with("x.sql:2: "), "{index:?}");
    }
}
