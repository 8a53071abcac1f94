//! The kit itself: stubs, silent pipes, deadlines, screens.

use std::time::Duration;

use testkit::{Key, Launch, Sandbox, Stdin};

#[test]
fn a_stub_is_found_first_and_its_calls_are_recorded_in_order() {
    let sandbox = Sandbox::new();
    sandbox.stub("docker", "#!/bin/sh\necho \"stub says $1\"; exit 3\n");

    let run = sandbox.launch("/bin/sh").env("SECRET", "hunter2");
    let output = run.args(["-c", "docker ps; docker rm 'two words' ''"]).run(Stdin::Null).expect_code(3);

    assert_eq!(output.stdout, "stub says ps\nstub says rm\n");
    let calls = sandbox.calls();
    assert_eq!(calls.iter().map(|call| call.tool.as_str()).collect::<Vec<_>>(), ["docker", "docker"]);
    assert_eq!(calls[1].args, ["rm", "two words", ""]);
    assert_eq!(calls[0].env["SECRET"], "hunter2");
    sandbox.assert_not_in_argv("hunter2");
}

#[test]
#[should_panic(expected = "a secret is in argv")]
fn a_secret_in_argv_is_seen() {
    let sandbox = Sandbox::new();
    sandbox.stub("psql", "#!/bin/sh\n");
    let _ = sandbox.launch("/bin/sh").args(["-c", "psql postgres://app:hunter2@db"]).run(Stdin::Null);

    sandbox.assert_not_in_argv("hunter2");
}

#[test]
fn calls_side_by_side_are_recorded_apart() {
    let sandbox = Sandbox::new();
    sandbox.stub("docker", "#!/bin/sh\n");

    let line = "for i in 1 2 3 4 5 6 7 8; do docker $i & done; wait";
    let _ = sandbox.launch("/bin/sh").args(["-c", line]).run(Stdin::Null).expect_code(0);

    let mut args: Vec<String> = sandbox.calls().into_iter().flat_map(|call| call.args).collect();
    args.sort();
    assert_eq!(args, ["1", "2", "3", "4", "5", "6", "7", "8"]);
}

#[test]
fn only_the_named_tools_are_there() {
    let mut sandbox = Sandbox::new();
    sandbox.only(&["cat"]);

    let line = "command -v cat && ! command -v ls";
    let output = sandbox.launch("/bin/sh").args(["-c", line]).run(Stdin::Null);

    assert_eq!(output.code, 0, "{output:?}");
}

#[test]
fn home_and_state_are_its_own() {
    let sandbox = Sandbox::new();
    sandbox.write("a/b.txt", "text");

    let line = "echo $HOME $XDG_STATE_HOME; cat a/b.txt";
    let output = sandbox.launch("/bin/sh").args(["-c", line]).run(Stdin::Null);

    let (home, state) = (sandbox.home(), sandbox.state());
    assert_eq!(output.stdout, format!("{} {}\ntext", home.display(), state.display()));
}

#[test]
fn stdin_is_what_was_asked_for() {
    let cat = Launch::new("/bin/cat");

    assert_eq!(cat.run(Stdin::Null).stdout, "");
    assert_eq!(cat.run(Stdin::Text("y\n")).stdout, "y\n");
}

#[test]
#[should_panic(expected = "still ran after")]
fn who_reads_a_silent_pipe_is_killed_at_the_deadline() {
    let _ = Launch::new("/bin/cat").deadline(Duration::from_millis(200)).run(Stdin::Silent);
}

#[test]
fn a_process_left_behind_that_holds_the_output_is_seen() {
    let output = Launch::new("/bin/sh").args(["-c", "sleep 5 & echo done"]).run(Stdin::Null);

    assert_eq!((output.stdout.as_str(), output.held), ("done\n", true));
}

#[test]
fn a_signal_is_told_as_a_shell_does() {
    assert_eq!(Launch::new("/bin/sh").args(["-c", "kill -TERM $$"]).run(Stdin::Null).code, 143);
}

#[test]
fn a_gate_holds_until_it_is_opened() {
    let sandbox = Sandbox::new();
    let mut gate = sandbox.gate("gate");
    let line = format!("echo before; read word <'{}'; echo $word", gate.path().display());
    let mut screen = sandbox.launch("/bin/sh").args(["-c", &line]).screen(80, 24);
    screen.wait_for("before");

    gate.open();

    assert_eq!(screen.wait_exit(), 0);
    assert_eq!(screen.text(), "before\ngo");
}

#[test]
fn a_hidden_cursor_and_a_raw_terminal_are_seen() {
    let line = "printf '\\033[?25l'; stty raw; echo ready; read x";
    let mut screen = Launch::new("/bin/sh").args(["-c", line]).screen(80, 24);

    screen.wait_for("ready");

    assert!(!screen.cursor_visible());
    assert!(!screen.is_cooked());
}

#[test]
fn ctrl_c_reaches_the_program() {
    let mut screen =
        Launch::new("/bin/sh").args(["-c", "trap 'exit 42' INT; echo ready; read x"]).screen(80, 24);
    screen.wait_for("ready");

    screen.press(Key::CtrlC);

    assert_eq!(screen.wait_exit(), 42);
}

#[test]
#[should_panic(expected = "and never: more")]
fn a_text_that_never_comes_fails_when_the_program_ends() {
    let mut screen = Launch::new("/bin/sh").args(["-c", "echo less"]).screen(80, 24);

    screen.wait_for("more");
}
