//! Columns of text, as wide as where they go. Pure.

use plan::Fact;

use crate::paint::Paint;
use crate::text::{padded, visible, width, wrapped};

/// Labels wider than this push their own text, not everybody's.
const WIDEST_LABEL: usize = 16;

/// Where text goes: how wide it may be, and whether it is painted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Sheet {
    /// Columns; `None` where lines are as long as they are: a file, a pipe.
    pub(crate) width: Option<usize>,
    pub(crate) paint: Paint,
}

impl Sheet {
    /// Facts as two aligned columns, each row behind an indent.
    pub(crate) fn facts<'a>(self, indent: usize, facts: impl Iterator<Item = &'a Fact> + Clone) -> String {
        let labels = facts.clone().map(|fact| width(&visible(&fact.label)));
        let column = labels.filter(|&label| label <= WIDEST_LABEL).max().unwrap_or(0);
        let mut out = String::new();
        for fact in facts {
            let label = padded(&visible(&fact.label), column);
            // Without any label a row is plain text.
            let gap = if column == 0 && fact.label.is_empty() { 0 } else { 2 };
            let start = format!("{}{}{}", " ".repeat(indent), self.paint.bold(&label), " ".repeat(gap));
            self.row(&mut out, &start, indent + width(&label) + gap, indent + column + gap, &fact.text);
        }
        out
    }

    /// A start that takes `used` columns, and a text behind it that goes on under column `hang`.
    pub(crate) fn row(self, out: &mut String, start: &str, used: usize, hang: usize, text: &str) {
        let text = visible(text);
        let Some(columns) = self.width else {
            return push(out, &format!("{start}{text}"));
        };
        let lines = if used * 2 > columns && used + width(&text) > columns {
            // Too narrow for a second column: the text goes below, under a small indent.
            let indent = 4.min(columns / 4);
            push(out, start);
            indented(&text, columns, indent)
        } else {
            let mut lines = indented(&text, columns.saturating_sub(used - hang), hang);
            if let Some(first) = lines.first_mut() {
                *first = format!("{start}{}", first.trim_start());
            }
            lines
        };
        for line in &lines {
            push(out, line);
        }
    }

    /// A line of its own.
    pub(crate) fn line(self, out: &mut String, text: &str) {
        self.row(out, "", 0, 0, text);
    }
}

/// A text in lines of at most `columns`, each behind an indent.
fn indented(text: &str, columns: usize, indent: usize) -> Vec<String> {
    let lines = wrapped(text, columns.saturating_sub(indent));
    lines.into_iter().map(|line| format!("{}{line}", " ".repeat(indent))).collect()
}

fn push(out: &mut String, line: &str) {
    out.push_str(line.trim_end());
    out.push('\n');
}

#[cfg(test)]
mod tests {
    use super::*;

    const PLAIN: Paint = Paint { on: false };

    fn facts() -> Vec<Fact> {
        vec![
            Fact::new("replaces", "14 tables, 31,204 rows, 48.0 MB, last write 12 minutes ago"),
            Fact::new("yours", "saved_searches +12 rows"),
        ]
    }

    #[test]
    fn labels_and_texts_are_two_columns() {
        let sheet = Sheet { width: None, paint: PLAIN };

        insta::assert_snapshot!(sheet.facts(2, facts().iter()), @r"
          replaces  14 tables, 31,204 rows, 48.0 MB, last write 12 minutes ago
          yours     saved_searches +12 rows
        ");
    }

    #[test]
    fn a_long_text_goes_on_under_its_column() {
        let sheet = Sheet { width: Some(40), paint: PLAIN };

        insta::assert_snapshot!(sheet.facts(2, facts().iter()), @r"
        replaces  14 tables, 31,204 rows, 48.0
                  MB, last write 12 minutes
                  ago
        yours     saved_searches +12 rows
        ");
    }

    #[test]
    fn a_very_narrow_terminal_still_gets_every_word() {
        for columns in 1..60 {
            let sheet = Sheet { width: Some(columns), paint: PLAIN };

            let text = sheet.facts(0, facts().iter());

            let letters = |text: &str| text.replace([' ', '\n'], "");
            assert_eq!(
                letters(&text),
                letters(&Sheet { width: None, paint: PLAIN }.facts(0, facts().iter()))
            );
        }
    }

    #[test]
    fn no_line_is_wider_than_the_terminal() {
        for columns in 20..60 {
            let text = Sheet { width: Some(columns), paint: PLAIN }.facts(2, facts().iter());

            assert!(text.lines().all(|line| width(line) <= columns), "{columns}:\n{text}");
        }
    }

    #[test]
    fn colour_adds_nothing_but_escapes() {
        let painted = Sheet { width: None, paint: Paint { on: true } }.facts(2, facts().iter());
        let plain = Sheet { width: None, paint: PLAIN }.facts(2, facts().iter());

        assert_ne!(painted, plain);
        assert_eq!(painted.replace("\u{1b}[1m", "").replace("\u{1b}[0m", ""), plain);
    }
}
