//! A question to a person, read as one line.
//!
//! Why not by dialoguer's own prompts: docs/decisions/0002-the-question.md. The terminal stays in its line mode all the
//! time and the cursor is never hidden, so there is nothing to put back, whatever ends the process.

use std::io::{self, BufRead as _, Write as _};
use std::sync::mpsc::{Sender, channel};
use std::thread;

use dialoguer::console::Term;
use dialoguer::theme::{SimpleTheme, Theme as _};
use plan::Question;
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::iterator::Signals;

use crate::text::visible;

/// What came first.
enum Answer {
    Line(String),
    /// End of input, or it can't be read.
    Nothing,
    /// Ctrl-C and its kin.
    Signal,
}

/// Asks on stderr and reads a line of stdin. Enter, the end of input, and a signal are no.
///
/// # Errors
/// stderr can't be written, or signals can't be listened to: then nothing was agreed to.
pub(crate) fn ask(question: &Question) -> io::Result<bool> {
    Ok(matches!(answer(&prompt(question))?, Answer::Line(line) if agrees(question, &line)))
}

/// Asks for something that nobody has to know: `Some("")` for Enter and for the end of the input, `None` for a signal.
///
/// # Errors
/// As [`ask`].
pub(crate) fn inquire(question: &str) -> io::Result<Option<String>> {
    Ok(match answer(&format!("{}: ", visible(question)))? {
        Answer::Line(line) => Some(line.trim().to_owned()),
        Answer::Nothing => Some(String::new()),
        Answer::Signal => None,
    })
}

fn answer(prompt: &str) -> io::Result<Answer> {
    let mut term = Term::stderr();
    let mut signals = Signals::new([SIGINT, SIGTERM, SIGHUP])?;
    let handle = signals.handle();
    let (answer, answers) = channel();
    let signalled = answer.clone();
    let listener = thread::spawn(move || {
        if signals.forever().next().is_some() {
            let _ = signalled.send(Answer::Signal);
        }
    });
    term.write_all(prompt.as_bytes())?;
    term.flush()?;
    // A read of a terminal can't be broken off, so it gets a thread. After a signal the thread ends with the process.
    thread::spawn(move || read(&answer));
    let answer = answers.recv().unwrap_or(Answer::Nothing);
    handle.close();
    let _ = listener.join();
    if !matches!(answer, Answer::Line(_)) {
        // The terminal echoes Ctrl-C, and says nothing at Ctrl-D: what follows starts on a line of its own.
        term.write_all(b"\n")?;
    }
    Ok(answer)
}

fn read(answer: &Sender<Answer>) {
    let mut line = String::new();
    let read = io::stdin().lock().read_line(&mut line);
    let answered = match read {
        // Ctrl-D behind some characters hands them over without a newline: half a line is no answer.
        Ok(1..) if line.ends_with('\n') => Answer::Line(line),
        _ => Answer::Nothing,
    };
    let _ = answer.send(answered);
}

fn prompt(question: &Question) -> String {
    let mut out = String::new();
    let written = match question {
        Question::YesNo(text) => SimpleTheme.format_confirm_prompt(&mut out, &visible(text), Some(false)),
        Question::Name { prompt, .. } => SimpleTheme.format_input_prompt(&mut out, &visible(prompt), None),
    };
    debug_assert!(written.is_ok(), "a String takes all text");
    out
}

/// `y` or `yes`; or the name, letter for letter, where it can't be typed as it is shown.
fn agrees(question: &Question, line: &str) -> bool {
    let typed = line.trim();
    match question {
        Question::YesNo(_) => typed.eq_ignore_ascii_case("y") || typed.eq_ignore_ascii_case("yes"),
        Question::Name { name, .. } => !typed.is_empty() && [name.trim(), &visible(name)].contains(&typed),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_yes_is_yes() {
        let question = Question::YesNo("Reset shop?".to_owned());

        assert!(["y\n", "Y\n", "yes\n", " YES \r\n"].iter().all(|line| agrees(&question, line)));
        assert!(
            ["\n", "n\n", "no\n", "yy\n", "yeah\n", "ja\n", "1\n", "y n\n"]
                .iter()
                .all(|line| !agrees(&question, line))
        );
    }

    #[test]
    fn a_name_is_typed_letter_for_letter() {
        let question = Question::Name { name: "we\"ird; drop".to_owned(), prompt: String::new() };

        assert!(agrees(&question, "we\"ird; drop\n"));
        assert!(
            ["\n", "weird; drop\n", "WE\"IRD; DROP\n", "y\n", "yes\n"]
                .iter()
                .all(|line| !agrees(&question, line))
        );
    }

    #[test]
    fn a_name_that_no_key_types_is_typed_as_it_is_shown() {
        let question = Question::Name { name: "a\nb".to_owned(), prompt: String::new() };

        assert!(agrees(&question, "a\\nb\n"));
        assert!(!agrees(&question, "a\n"));
    }

    #[test]
    fn an_empty_name_agrees_to_nothing() {
        let question = Question::Name { name: String::new(), prompt: String::new() };

        assert!(!agrees(&question, "\n"));
    }

    #[test]
    fn prompts_are_as_on_the_screens() {
        let name = Question::Name { name: "shop".to_owned(), prompt: "Type shop to reset it".to_owned() };

        assert_eq!(prompt(&Question::YesNo("Clean shop?".to_owned())), "Clean shop? [y/N] ");
        assert_eq!(prompt(&name), "Type shop to reset it: ");
    }
}
