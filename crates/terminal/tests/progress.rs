//! Progress on a terminal, on a narrow one, and where there is none.

use testkit::{Launch, Sandbox, Stdin};

fn ask() -> Launch {
    Launch::example("ask")
}

fn gate(sandbox: &Sandbox) -> (testkit::Gate, String) {
    let gate = sandbox.gate("gate");
    let wait = format!("wait:{}", gate.path().display());
    (gate, wait)
}

#[test]
fn a_bar_shows_what_is_done_and_what_is_left() {
    let sandbox = Sandbox::new();
    let (mut gate, wait) = gate(&sandbox);
    let words = format!("begin start:0 progress:3/4 {wait} finish:0 start:1 {wait} finish:1 ended report");
    let mut screen = ask().args(words.split(' ')).screen(80, 24);

    screen.wait_for("copying   ██████████████░░░░░░░░░░  0/3   volume `shop_pgdata` to");
    gate.open();
    screen.wait_for("removing  ███████████████████░░░░░  1/3   volume `shop_pgdata`");
    assert!(
        screen.text().starts_with("copied   volume `shop_pgdata` to `shop_pgdata_kept_1`: 84.0 MB, 250 ms\n")
    );
    gate.open();

    assert_eq!(screen.wait_exit(), 0);
    insta::assert_snapshot!(screen.text(), @r"
    copied   volume `shop_pgdata` to `shop_pgdata_kept_1`: 84.0 MB, 250 ms
    removed  volume `shop_pgdata`: 84.0 MB, 250 ms
    done in 4.3 s
    a result
    Your data is kept until 6 Dec: just db undo
    ");
    assert!(screen.cursor_visible());
}

#[test]
fn nothing_is_wider_than_a_narrow_terminal() {
    let sandbox = Sandbox::new();
    let (mut gate, wait) = gate(&sandbox);
    let said = format!("said:{}", "a·long·line·of·somebody's·".repeat(9));
    let words =
        format!("--verbose plan begin start:0 progress:1/2 {said} {wait} {said} finish:0 start:1 {wait}");
    let mut screen = ask().args(words.split(' ')).screen(40, 40);

    screen.wait_for("copying   ███");
    gate.open();
    screen.wait_for("removing  ██████░░  1/3   volume");

    let bars = screen.text().lines().filter(|line| line.contains('█')).count();
    assert_eq!(bars, 1, "{}", screen.text());
    insta::assert_snapshot!(screen.text(), @r"
    Clean shop (compose project shop,
    Postgres 16.4)
      removes  2 containers, volume
               `shop_pgdata` (84.0 MB)
      in it    14 tables, 31,204 rows, last
               write 4 minutes ago
      1  copy    volume `shop_pgdata` to
                 `shop_pgdata_kept_1` · undo
                 needs it
      2  remove  volume `shop_pgdata` · it
                 is what `clean` is for ·
                 destroys; the copy
                 `shop_pgdata_kept_1` takes
                 it back
      3  drop    `shop\u{1b}[2J\u{7}` · it
                 is replaced · destroys for
                 good
      | a·long·line·of·somebody's·a·long·li…
      | a·long·line·of·somebody's·a·long·li…
    copied   volume `shop_pgdata` to
             `shop_pgdata_kept_1`: 84.0 MB,
             250 ms
    removing  ██████░░  1/3   volume `shop_p
    ");
}

#[test]
fn a_quick_plan_shows_no_bar() {
    let words = "begin start:0 progress:1/2 finish:0 start:1 finish:1 start:2 finish:2 ended";
    let mut screen = ask().args(["--color=never"]).args(words.split(' ')).screen(80, 24);

    assert_eq!(screen.wait_exit(), 0);
    assert!(!screen.raw().contains(['█', '░', '\u{1b}']), "{:?}", screen.raw());
}

#[test]
fn nothing_is_drawn_after_a_fault() {
    let sandbox = Sandbox::new();
    let (mut gate, wait) = gate(&sandbox);
    let words = format!("begin start:0 progress:1/2 {wait} failed:0 progress:2/2 {wait} fault");
    let mut screen = ask().args(words.split(' ')).screen(80, 24);
    screen.wait_for("copying   ████");

    gate.open();
    screen.wait_until("the bar goes", |screen| screen.text().is_empty());
    gate.open();

    assert_eq!(screen.wait_exit(), 0);
    insta::assert_snapshot!(screen.text(), @r"
    error: volume `shop_pgdata` was not removed
    state: it is untouched
    hint:  docker ps
    ");
}

#[test]
fn an_interrupt_without_a_failed_step_takes_the_bar_away_too() {
    let sandbox = Sandbox::new();
    let (mut gate, wait) = gate(&sandbox);
    let mut screen = ask().args(["begin", "start:0", "progress:1/2", &wait, "fault"]).screen(80, 24);
    screen.wait_for("copying   ████");

    gate.open();

    assert_eq!(screen.wait_exit(), 0);
    assert!(screen.text().starts_with("error: volume"), "{}", screen.text());
}

#[test]
fn without_a_terminal_each_finished_step_is_a_line() {
    let words =
        "plan begin start:0 progress:1/2 said:x finish:0 start:1 idle:1 start:2 finish:2 ended report";

    let output = ask().args(words.split(' ')).run(Stdin::Null).expect_code(0);

    insta::assert_snapshot!(output.stderr, @r"
    Clean shop (compose project shop, Postgres 16.4)
      removes  2 containers, volume `shop_pgdata` (84.0 MB)
      in it    14 tables, 31,204 rows, last write 4 minutes ago
    copied   volume `shop_pgdata` to `shop_pgdata_kept_1`: 84.0 MB, 250 ms
    dropped  `shop\u{1b}[2J\u{7}`: 84.0 MB, 250 ms
    done in 4.3 s
    ");
    insta::assert_snapshot!(output.stdout, @r"
    a result
    Your data is kept until 6 Dec: just db undo
    ");
}

#[test]
fn verbose_shows_what_programs_say_without_obeying_it() {
    let output =
        ask().args(["--verbose", "begin", "start:0", "said:\u{1b}[2Jgone", "finish:0"]).run(Stdin::Null);

    assert!(output.stderr.contains(r"  | \u{1b}[2Jgone"), "{}", output.stderr);
}

#[test]
fn a_long_step_gives_a_sign_of_life() {
    let sandbox = Sandbox::new();
    let (_gate, wait) = gate(&sandbox);
    let line = format!("'{}' begin start:0 progress:1/2 '{wait}' 2>&1 | cat", ask().program().display());
    let mut screen = Launch::new("/bin/sh").args(["-c", &line]).screen(120, 24);

    screen.wait_for("still copying volume `shop_pgdata` to `shop_pgdata_kept_1`: 10 s, 50 %");
}

#[test]
fn quiet_keeps_results_and_faults() {
    let words = "--quiet plan begin start:0 finish:0 ended report fault";

    let output = ask().args(words.split(' ')).run(Stdin::Null);

    assert_eq!(output.stdout, "a result\nYour data is kept until 6 Dec: just db undo\n");
    assert!(output.stderr.starts_with("error: "), "{}", output.stderr);
}

#[test]
fn json_is_one_object_on_stdout() {
    let words = "--json plan begin start:0 finish:0 ended report";

    let output = ask().args(words.split(' ')).run(Stdin::Null);

    let json = output.json();
    assert_eq!(output.stdout.lines().count(), 1);
    assert_eq!((&json["command"], &json["ok"]), (&"slate-clean".into(), &true.into()));
    assert_eq!(json["steps"][0]["action"], "copy-volume");
    assert_eq!(json["steps"][0]["ms"], 250.0);
    assert_eq!(json["steps"][0]["outcome"]["detail"], "84.0 MB");
    assert_eq!(json["lines"][0], "a result");
    assert!(!output.stdout.contains(['\u{1b}', '\u{7}']));
}

#[test]
fn a_fault_is_an_object_too_and_still_four_lines_for_a_person() {
    let output = ask().args(["--json", "fault"]).run(Stdin::Null);

    let json = output.json();
    assert_eq!((&json["ok"], &json["error"]["code"]), (&false.into(), &1.into()));
    assert_eq!(json["error"]["error"], "volume `shop_pgdata` was not removed");
    assert!(output.stderr.starts_with("error: volume `shop_pgdata` was not removed\n"));
}

#[test]
fn a_stream_is_one_event_a_line() {
    let words = "--json=stream plan begin start:0 progress:1/2 finish:0 ended report";

    let output = ask().args(words.split(' ')).run(Stdin::Null);

    let events: Vec<serde_json::Value> =
        output.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let names: Vec<_> = events.iter().map(|event| event["event"].as_str().unwrap()).collect();
    assert_eq!(names, ["planned", "started", "progress", "finished", "ended", "report"]);
    assert_eq!(output.stderr, "");
}

#[test]
fn a_dry_run_is_the_result_and_has_the_token() {
    let shown = ask().args(["dry-run"]).run(Stdin::Null).expect_code(0);
    let json = ask().args(["--json", "dry-run"]).run(Stdin::Null).json();

    let token = json["token"].as_str().unwrap();
    insta::assert_snapshot!(shown.stdout.replace(token, "TOKEN"), @r"
    Clean shop (compose project shop, Postgres 16.4)
      removes  2 containers, volume `shop_pgdata` (84.0 MB)
      in it    14 tables, 31,204 rows, last write 4 minutes ago
      1  copy    volume `shop_pgdata` to `shop_pgdata_kept_1` · undo needs it
      2  remove  volume `shop_pgdata` · it is what `clean` is for · destroys; the copy `shop_pgdata_kept_1` takes it back
      3  drop    `shop\u{1b}[2J\u{7}` · it is replaced · destroys for good
    Nothing was changed. It would want `shop` typed; --yes --no-undo or --confirm TOKEN stands for that.
    ");
    assert_eq!(shown.stderr, "");
    assert_eq!(
        (&json["needs"], &json["plan"]["steps"][1]["action"]),
        (&"name".into(), &"remove-volume".into())
    );
}

#[test]
fn colour_is_only_an_addition() {
    let words = "plan begin start:0 finish:0 ended report fault";

    let plain = ask().args(["--color=never"]).args(words.split(' ')).run(Stdin::Null);
    let painted = ask().args(["--color=always"]).args(words.split(' ')).run(Stdin::Null);

    let mut stripped = painted.stderr.clone();
    for code in ["\u{1b}[0m", "\u{1b}[1m", "\u{1b}[2m", "\u{1b}[31m"] {
        stripped = stripped.replace(code, "");
    }
    assert_ne!(painted.stderr, plain.stderr);
    assert_eq!(stripped, plain.stderr);
    assert!(!plain.stderr.contains('\u{1b}'));
}

#[test]
fn a_reader_that_has_enough_is_no_failure_and_a_full_disk_is() {
    let ask = ask();
    let run = |line: &str| {
        let line = line.replace("ask", &format!("'{}'", ask.program().display()));
        Launch::new("/bin/bash").args(["-o", "pipefail", "-c", &line]).run(Stdin::Null)
    };

    assert_eq!(run("ask report report report | true").code, 0);
    assert_eq!(run("ask report >/dev/full").code, 1);
}
