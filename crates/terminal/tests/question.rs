//! Questions in a real pseudo-terminal, and where there is none.

use testkit::{Key, Launch, Screen, Stdin};

const ASKED: &str = "Reset shop? [y/N]";

fn ask() -> Launch {
    Launch::example("ask")
}

fn asked() -> Screen {
    let mut screen = ask().args(["yes:Reset shop?"]).screen(80, 24);
    screen.wait_for(ASKED);
    screen
}

/// What a shell needs after us, whatever happened.
#[track_caller]
fn assert_left_as_found(screen: &Screen) {
    assert!(screen.cursor_visible());
    assert!(screen.is_cooked());
    assert!(!screen.raw().contains('\u{1b}'), "{:?}", screen.raw());
}

#[test]
fn y_is_yes() {
    let mut screen = asked();

    screen.type_text("y").press(Key::Enter);

    assert_eq!(screen.wait_exit(), 0);
    assert_eq!(screen.text(), "Reset shop? [y/N] y\nanswer: Some(true)");
    assert_left_as_found(&screen);
}

#[test]
fn n_is_no() {
    let mut screen = asked();

    screen.type_text("n").press(Key::Enter);

    assert_eq!(screen.wait_exit(), 130);
    assert_left_as_found(&screen);
}

#[test]
fn enter_is_no() {
    let mut screen = asked();

    screen.press(Key::Enter);

    assert_eq!(screen.wait_exit(), 130);
    assert_eq!(screen.text(), "Reset shop? [y/N]\nanswer: Some(false)");
    assert_left_as_found(&screen);
}

#[test]
fn y_alone_is_no_answer_yet() {
    let mut screen = asked();

    screen.type_text("y");
    screen.wait_for("[y/N] y").press(Key::Backspace).type_text("n").press(Key::Enter);

    assert_eq!(screen.wait_exit(), 130);
}

#[test]
fn ctrl_c_is_no_and_leaves_the_terminal_as_it_was() {
    let mut screen = asked();

    screen.press(Key::CtrlC);

    assert_eq!(screen.wait_exit(), 130);
    assert_eq!(screen.text(), "Reset shop? [y/N] ^C\nanswer: Some(false)");
    assert_left_as_found(&screen);
}

#[test]
fn ctrl_c_behind_a_typed_y_is_no() {
    let mut screen = asked();

    screen.type_text("y");
    screen.wait_for("[y/N] y").press(Key::CtrlC);

    assert_eq!(screen.wait_exit(), 130);
    assert_left_as_found(&screen);
}

#[test]
fn ctrl_d_is_no() {
    let mut screen = asked();

    screen.press(Key::CtrlD);

    assert_eq!(screen.wait_exit(), 130);
    assert_eq!(screen.text(), "Reset shop? [y/N]\nanswer: Some(false)");
    assert_left_as_found(&screen);
}

#[test]
fn ctrl_d_behind_a_typed_y_is_no() {
    let mut screen = asked();

    screen.type_text("y");
    screen.wait_for("[y/N] y").press(Key::CtrlD).press(Key::CtrlD);

    assert_eq!(screen.wait_exit(), 130);
    assert_left_as_found(&screen);
}

#[test]
fn being_asked_to_end_is_no() {
    let mut screen = asked();

    screen.terminate();

    assert_eq!(screen.wait_exit(), 130);
    assert_left_as_found(&screen);
}

#[test]
fn an_answer_typed_before_the_question_counts() {
    let mut screen = ask().args(["yes:Reset shop?"]).screen(80, 24);

    screen.type_text("y").press(Key::Enter);

    assert_eq!(screen.wait_exit(), 0);
}

#[test]
fn the_name_is_typed_to_agree() {
    let mut screen = ask().args(["name:shop"]).screen(80, 24);
    screen.wait_for("Type shop to reset it:");

    screen.type_text("shop").press(Key::Enter);

    assert_eq!(screen.wait_exit(), 0);
    assert_left_as_found(&screen);
}

#[test]
fn anything_but_the_name_is_no() {
    for typed in ["y", "yes", "sho", "shops", "SHOP", ""] {
        let mut screen = ask().args(["name:shop"]).screen(80, 24);
        screen.wait_for("Type shop to reset it:");

        screen.type_text(typed).press(Key::Enter);

        assert_eq!(screen.wait_exit(), 130, "{typed:?}");
    }
}

#[test]
fn a_hostile_question_does_nothing_to_the_terminal() {
    let mut screen = ask().args(["yes:Reset \u{1b}[?25l\u{1b}]0;owned\u{7}shop\r?"]).screen(80, 24);
    screen.wait_for(r"Reset \u{1b}[?25l\u{1b}]0;owned\u{7}shop\r? [y/N]");

    screen.press(Key::Enter);

    assert_eq!(screen.wait_exit(), 130);
    assert_left_as_found(&screen);
}

#[test]
fn nobody_is_asked_without_a_terminal() {
    for stdin in [Stdin::Null, Stdin::Text("y\n"), Stdin::Silent] {
        let output = ask().args(["yes:Reset shop?"]).run(stdin).expect_code(3);

        assert_eq!((output.stdout.as_str(), output.stderr.as_str()), ("answer: None\n", ""));
    }
}

#[test]
fn nobody_is_asked_when_stdin_alone_is_no_terminal() {
    let ask = ask();
    for from in ["</dev/null", "<<<y"] {
        let line = format!("'{}' 'yes:Reset shop?' {from}", ask.program().display());
        let mut screen = Launch::new("/bin/bash").args(["-c", &line]).screen(80, 24);

        assert_eq!(screen.wait_exit(), 3, "{from}");
        assert_eq!(screen.text(), "answer: None");
    }
}

#[test]
fn nobody_is_asked_when_stdin_is_an_open_silent_pipe_in_a_terminal() {
    let line =
        format!("tail -f /dev/null | {{ '{}' 'yes:Reset shop?'; kill -9 0; }}", ask().program().display());
    let mut screen = Launch::new("/bin/bash").args(["-c", &line]).screen(80, 24);

    screen.wait_for("answer: None");
}

#[test]
fn nobody_is_asked_when_stderr_alone_is_no_terminal() {
    let line = format!("'{}' 'yes:Reset shop?' 2>/dev/null", ask().program().display());
    let mut screen = Launch::new("/bin/sh").args(["-c", &line]).screen(80, 24);

    assert_eq!(screen.wait_exit(), 3);
}

#[test]
fn nobody_is_asked_under_json_or_in_a_hook() {
    for flag in ["--json", "--json=stream", "--hook"] {
        let mut screen = ask().args([flag, "yes:Reset shop?"]).screen(80, 24);

        assert_eq!(screen.wait_exit(), 3, "{flag}");
        assert_eq!(screen.text(), "answer: None");
    }
}

#[test]
fn a_question_is_never_asked_without_its_plan() {
    let mut screen = ask().args(["--quiet", "plan", "yes:Reset shop?"]).screen(80, 24);

    screen.wait_for(ASKED);

    assert!(screen.text().contains("31,204 rows"), "{}", screen.text());
}

#[test]
fn thirty_times_the_same() {
    let screens: Vec<Screen> = (0..30).map(|_| ask().args(["yes:Reset shop?"]).screen(80, 24)).collect();

    for mut screen in screens {
        screen.wait_for(ASKED).press(Key::CtrlC);
        assert_eq!(screen.wait_exit(), 130);
        assert_left_as_found(&screen);
    }
}
