//! Text of others made safe to show, and fitted to a width. All of it is pure.

use dialoguer::console::measure_text_width;

/// A text with every character that a terminal would obey, hide or reorder written out as its escape, so that a
/// database's name can't move the cursor, forge a line, or colour one.
///
/// ```
/// assert_eq!(terminal::visible("shop\u{1b}[2J\nerror: x"), r"shop\u{1b}[2J\nerror: x");
/// assert_eq!(terminal::visible("évènements \"été\" 日本 e\u{301}"), "évènements \"été\" 日本 e\u{301}");
/// ```
#[must_use]
pub fn visible(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        if is_safe(c) {
            out.push(c);
        } else {
            out.extend(c.escape_debug());
        }
    }
    out
}

/// Whether a terminal only prints it.
pub(crate) fn is_safe(c: char) -> bool {
    if matches!(c, ' '..='~') {
        return true;
    }
    // Behind another character `escape_debug` leaves an accent be, and still escapes all that is not printable.
    let probe = String::from_iter(['x', c]);
    probe.escape_debug().nth(1) == Some(c)
}

/// The width that it takes on a terminal.
pub(crate) fn width(text: &str) -> usize {
    measure_text_width(text)
}

/// A text with spaces behind it up to a width.
pub(crate) fn padded(text: &str, to: usize) -> String {
    format!("{text}{}", " ".repeat(to.saturating_sub(width(text))))
}

/// A text cut to a width, with an ellipsis where something is missing.
pub(crate) fn cut(text: &str, to: usize) -> String {
    if width(text) <= to {
        return text.to_owned();
    }
    let mut out = String::new();
    let mut taken = 0;
    for c in text.chars() {
        let wide = width(c.encode_utf8(&mut [0; 4]));
        if taken + wide + 1 > to {
            break;
        }
        taken += wide;
        out.push(c);
    }
    if to > 0 {
        out.push('…');
    }
    out
}

/// A text in lines of at most this width, broken at spaces; a word longer than a line is broken where it must.
pub(crate) fn wrapped(text: &str, to: usize) -> Vec<String> {
    let to = to.max(1);
    let mut lines = Vec::new();
    let mut line = String::new();
    for word in text.split(' ') {
        if !line.is_empty() && width(&line) + 1 + width(word) > to {
            lines.push(std::mem::take(&mut line));
        } else if !line.is_empty() {
            line.push(' ');
        }
        for c in word.chars() {
            let wide = width(c.encode_utf8(&mut [0; 4]));
            if !line.is_empty() && width(&line) + wide > to {
                lines.push(std::mem::take(&mut line));
            }
            line.push(c);
        }
    }
    lines.push(line);
    lines
}

/// `remove` as `removing`.
pub(crate) fn gerund(verb: &str) -> String {
    let doubled = ["stop", "drop", "label", "swap", "cut", "set"];
    match (verb.strip_suffix('e'), verb.chars().last()) {
        (Some(stem), _) => format!("{stem}ing"),
        (None, Some(last)) if doubled.contains(&verb) => format!("{verb}{last}ing"),
        _ => format!("{verb}ing"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_terminal_obeys_is_written_out() {
        let hostile =
            ["\x1b]0;owned\x07", "a\rb", "\u{9b}31m", "\u{202e}txt.exe", "\u{200b}", "\u{7f}", "\u{2028}"];

        for text in hostile {
            let shown = visible(text);
            assert!(shown.chars().all(is_safe), "{shown:?}");
            assert!(shown.contains('\\'), "{shown:?}");
        }
    }

    #[test]
    fn what_is_only_text_stays() {
        for text in ["we\"ird; drop", "it's", r"C:\x", "日本語", "Ωmega — “quoted” …", "e\u{301}", "█░·→"]
        {
            assert_eq!(visible(text), text);
        }
    }

    #[test]
    fn a_wide_character_counts_twice() {
        assert_eq!(width("日本"), 4);
        assert_eq!(padded("日本", 6), "日本  ");
        assert_eq!(cut("日本語", 5), "日本…");
        assert_eq!(cut("日本語", 4), "日…");
    }

    #[test]
    fn nothing_is_cut_that_fits() {
        assert_eq!(cut("shop", 4), "shop");
        assert_eq!(cut("shops", 4), "sho…");
        assert_eq!(cut("shops", 1), "…");
        assert_eq!(cut("shops", 0), "");
    }

    #[test]
    fn lines_break_at_spaces_and_long_words_where_they_must() {
        assert_eq!(wrapped("one two three", 8), ["one two", "three"]);
        assert_eq!(wrapped("abcdefgh ij", 3), ["abc", "def", "gh", "ij"]);
        assert_eq!(wrapped("日本 語", 4), ["日本", "語"]);
        assert_eq!(wrapped("", 4), [""]);
    }

    #[test]
    fn verbs_of_actions_make_gerunds() {
        let verbs = ["remove", "stop", "drop", "end", "migrate", "await", "label", "restart", "copy", "open"];

        let gerunds = verbs.map(gerund);

        let expected = [
            "removing",
            "stopping",
            "dropping",
            "ending",
            "migrating",
            "awaiting",
            "labelling",
            "restarting",
            "copying",
            "opening",
        ];
        assert_eq!(gerunds, expected);
    }
}
