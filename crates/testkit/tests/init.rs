//! slate-init on justfiles as people have them: only what was meant changes, and all of it comes out again, with just 1.40
//! and the newest.

#![expect(clippy::panic, clippy::unwrap_used, reason = "a test fails by panicking")]

use std::fmt::Write as _;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use serde_json::Value;
use testkit::{Key, Launch, Output, Sandbox, Stdin, binary, repository};

const COMPOSE: &str = "services:\n  db:\n    image: postgres:16\n    environment: {POSTGRES_USER: app, POSTGRES_PASSWORD: x}\n    \
                       volumes: ['data:/var/lib/postgresql/data']\n  api:\n    build: .\n    depends_on: [db]\nvolumes:\n  data:\n";

/// A justfile with every name taken, as projects have it.
const THEIRS: &str = "set dotenv-load\n\n# start\nup *args:\n\techo their up {{args}}\n\ndown:\n\techo down\n\n# all of it\nclean: \
                      clean-docker clean-files\n\nclean-docker: (say \"a: b\")\n\techo clean-docker\n\nclean-files:\n\techo files\n\n\
                      clean-all: clean\n\techo all\n\nmigrate:\n\techo migrate\n\nshell-db:\n\techo psql\n\nsay what:\n\t@echo \
                      {{what}}\n\nalias u := up\n";

/// The `just`s to try: 1.40, and what scripts/need installed or PATH has.
fn justs() -> Vec<PathBuf> {
    let tools = repository().join("target/tools");
    let path = std::env::var_os("PATH").unwrap();
    let on_path = std::env::split_paths(&path).map(|folder| folder.join("just")).find(|just| just.is_file());
    let newest = Some(tools.join("bin/just")).filter(|just| just.is_file()).or(on_path);
    let all = [Some(tools.join("just-1.40")).filter(|just| just.is_file()), newest];
    all.into_iter()
        .map(|just| just.unwrap_or_else(|| panic!("run `scripts/need just just-1.40` first")))
        .collect()
}

/// A workspace in a sandbox whose `just` is the given one.
fn workspace(just: &Path, justfile: Option<&str>) -> Sandbox {
    let sandbox = Sandbox::new();
    sandbox.stub("just", &format!("#!/bin/sh\nexec '{}' \"$@\"\n", just.display()));
    sandbox.write("compose.yml", COMPOSE);
    if let Some(text) = justfile {
        sandbox.write("justfile", text);
    }
    sandbox
}

fn init(sandbox: &Sandbox, args: &[&str]) -> Output {
    sandbox.launch(binary("slate-init")).args(args).run(Stdin::Null)
}

fn dump(just: &Path, sandbox: &Sandbox) -> Value {
    let output =
        Launch::new(just).args(["--dump", "--dump-format", "json"]).folder(sandbox.work()).run(Stdin::Null);
    serde_json::from_str(&output.expect_code(0).stdout).unwrap()
}

fn text(sandbox: &Sandbox, name: &str) -> String {
    fs::read_to_string(sandbox.work().join(name)).unwrap()
}

#[test]
fn a_first_run_adds_and_changes_no_recipe() {
    for just in justs() {
        let sandbox = workspace(&just, Some(THEIRS));
        let before = dump(&just, &sandbox);

        let _ = init(&sandbox, &["--yes"]).expect_code(0);

        let after = dump(&just, &sandbox);
        for (name, recipe) in before["recipes"].as_object().unwrap() {
            assert_eq!(&after["recipes"][name], recipe, "{name}");
        }
        assert_eq!((&after["first"], &after["settings"]), (&before["first"], &before["settings"]));
        assert!(after["recipes"]["restart"].is_object() && after["modules"]["db"].is_object());
        assert!(text(&sandbox, "cleanslate.toml").contains("service = \"db\""));
    }
}

#[test]
fn what_is_taken_and_guarded_is_what_changes() {
    for just in justs() {
        let sandbox = workspace(&just, Some(THEIRS));
        let before = dump(&just, &sandbox);

        let _ =
            init(&sandbox, &["--yes", "--take", "up,down,clean", "--guard", "clean-docker"]).expect_code(0);

        let after = dump(&just, &sandbox);
        for name in ["migrate", "shell-db", "clean-all", "clean-files", "say"] {
            assert_eq!(after["recipes"][name], before["recipes"][name], "{name}");
        }
        assert_eq!(after["recipes"]["up-original"]["body"], before["recipes"]["up"]["body"]);
        assert_eq!(after["recipes"]["up-original"]["private"], true);
        let first = &after["recipes"]["clean-docker"]["dependencies"][0]["recipe"];
        assert_eq!(first, "_slate-guard-clean-docker");
        assert_eq!(after["recipes"]["clean-docker"]["body"], before["recipes"]["clean-docker"]["body"]);
    }
}

#[test]
fn a_second_run_changes_nothing_and_removal_leaves_no_trace() {
    for just in justs() {
        for text_before in [THEIRS, THEIRS.trim_end(), &THEIRS.replace('\n', "\r\n")] {
            let sandbox = workspace(&just, Some(text_before));
            let _ = init(&sandbox, &["--yes", "--take", "up,down", "--guard", "clean-docker"]).expect_code(0);
            let written = text(&sandbox, "justfile");

            let _ = init(&sandbox, &[]).expect_code(0);
            assert_eq!(text(&sandbox, "justfile"), written);
            let _ = init(&sandbox, &["--remove", "--yes"]).expect_code(0);

            assert_eq!(text(&sandbox, "justfile"), text_before);
            assert!(!sandbox.work().join("cleanslate.toml").exists());
            assert!(!sandbox.work().join("cleanslate.just").exists());
        }
    }
}

#[test]
fn without_the_binaries_their_recipes_go_on() {
    for just in justs() {
        let sandbox = workspace(&just, Some(THEIRS));
        let _ = init(&sandbox, &["--yes", "--guard", "clean-docker"]).expect_code(0);

        let run = |recipe: &str| {
            Launch::new(&just).args([recipe]).folder(sandbox.work()).run(Stdin::Null).expect_code(0)
        };

        assert_eq!(run("up").stdout, "their up\n");
        let cleaned = run("clean-all");
        assert!(cleaned.stdout.contains("clean-docker\n") && cleaned.stdout.contains("all\n"));
        let told = "cleanslate: slate-guard is not on PATH, so `clean-docker` is not guarded";
        assert!(cleaned.stderr.contains(told), "{}", cleaned.stderr);

        let _ = init(&sandbox, &["--yes", "--take", "up,down,clean"]).expect_code(0);

        let taken = run("up");
        assert_eq!(taken.stdout, "their up\n");
        assert!(taken.stderr.contains("slate-up is not on PATH, so `up-original` runs"), "{}", taken.stderr);
        assert!(run("clean-all").stdout.contains("clean-docker\n"));
    }
}

#[test]
fn without_a_justfile_one_is_made_and_removed() {
    for just in justs() {
        let sandbox = workspace(&just, None);

        let _ = init(&sandbox, &["--yes"]).expect_code(0);

        let made = dump(&just, &sandbox);
        assert!(["up", "down", "clean", "restart"].iter().all(|name| made["recipes"][name].is_object()));
        let _ = init(&sandbox, &["--remove", "--yes"]).expect_code(0);
        assert!(!sandbox.work().join("justfile").exists());
    }
}

#[test]
fn a_justfile_that_does_not_parse_is_left_alone() {
    let just = justs().remove(0);
    let broken = "up:\n\techo\nup:\n\techo\n";
    let sandbox = workspace(&just, Some(broken));

    let output = init(&sandbox, &["--yes"]).expect_code(2);

    assert!(
        output.stderr.contains("redefined") || output.stderr.contains("Recipe `up`"),
        "{}",
        output.stderr
    );
    assert_eq!(text(&sandbox, "justfile"), broken);
    assert!(!sandbox.work().join("cleanslate.toml").exists());
}

#[test]
fn a_just_without_modules_gets_prefixed_recipes_and_an_older_one_an_upgrade() {
    for just in justs() {
        let sandbox = workspace(&just, Some(THEIRS));
        let says = |version: &str| {
            let text = "#!/bin/sh\nif [ \"$1\" = --version ]; then echo 'just VERSION'; else exec 'JUST' \"$@\"; fi\n";
            let text = text.replace("VERSION", version).replace("JUST", &just.display().to_string());
            sandbox.stub("just", &text);
        };
        let before = dump(&just, &sandbox);

        says("1.20.0");
        let refused = init(&sandbox, &["--yes"]).expect_code(0);
        assert!(
            refused.stderr.contains("just 1.20 can't join recipes, 1.21 or newer can"),
            "{}",
            refused.stderr
        );
        assert_eq!(text(&sandbox, "justfile"), THEIRS);
        says("1.25.0");
        let _ = init(&sandbox, &["--yes"]).expect_code(0);

        let after = dump(&just, &sandbox);
        for (name, recipe) in before["recipes"].as_object().unwrap() {
            assert_eq!(&after["recipes"][name], recipe, "{name}");
        }
        assert!(after["recipes"]["db-reset"].is_object() && after["aliases"]["db"].is_object());
        assert_eq!((&after["first"], &after["settings"]), (&before["first"], &before["settings"]));
        says("1.31.0");
        let again = init(&sandbox, &["--yes"]).expect_code(0);
        assert!(again.stdout.contains("Nothing to do"), "somebody's older just goes on reading it");
        let _ = init(&sandbox, &["--remove", "--yes"]).expect_code(0);
        assert_eq!(text(&sandbox, "justfile"), THEIRS);
    }
}

#[test]
fn nobody_to_ask_writes_nothing() {
    let just = justs().remove(0);
    let sandbox = workspace(&just, Some(THEIRS));

    let _ = init(&sandbox, &[]).expect_code(3);
    let _ = init(&sandbox, &["--dry-run"]).expect_code(0);

    assert_eq!(text(&sandbox, "justfile"), THEIRS);
    assert!(!sandbox.work().join("cleanslate.toml").exists());
}

#[test]
fn bad_files_are_told_in_bounded_time_and_nothing_is_written() {
    let sandbox = Sandbox::new();
    let work = sandbox.work();
    let mut bomb = "a0: &a0 [x,x,x,x,x,x,x,x,x]\n".to_owned();
    for n in 1..30 {
        writeln!(bomb, "a{n}: &a{n} [{}]", vec![format!("*a{}", n - 1); 9].join(",")).unwrap();
    }
    sandbox.write("compose.yml", &bomb);
    sandbox.write("a/compose.yml", &format!("services:\n{}", "  x: {image: 'postgres:16'}\n".repeat(70_000)));
    sandbox.write("b/compose.yml", "include: [compose.yml, ../c/compose.yml]\nservices: {x: {extends: {file: ../c/compose.yml, service: x}}}\n");
    sandbox.write(
        "c/compose.yml",
        "include: [../b/compose.yml]\nservices: {x: {extends: {file: ../b/compose.yml, service: x}}}\n",
    );
    sandbox.write(".env", "A=\"b c\"\r\nB='it''s\r\nC=${C:-${C:-${C}}}\r\n");
    fs::write(work.join("docker-compose.dev.yml"), [0xff, 0xfe, b's', 0]).unwrap();
    symlink(".", work.join("loop")).unwrap();
    symlink("compose.override.yml", work.join("compose.override.yml")).unwrap();
    let begun = Instant::now();

    let output = init(&sandbox, &["--detect", "--json"]).expect_code(0);

    assert!(begun.elapsed() < Duration::from_secs(10), "{:?}", begun.elapsed());
    let found: Value = serde_json::from_str(&output.stdout).unwrap();
    assert!(found["database"].is_null(), "{found}");
    let unread = found["unread"].to_string();
    for (file, why) in
        [("compose.yml", "alias"), ("a/compose.yml", "longer"), ("docker-compose.dev.yml", "UTF-8")]
    {
        assert!(unread.contains(file) && unread.contains(why), "{file}: {unread}");
    }
}

#[test]
fn a_path_with_spaces_and_quotes_is_no_obstacle() {
    let just = justs().remove(0);
    let sandbox = workspace(&just, None);
    let odd = sandbox.work().join("it's a \"shop\"");
    fs::create_dir(&odd).unwrap();
    fs::write(odd.join("compose.yml"), COMPOSE).unwrap();
    fs::write(odd.join("justfile"), THEIRS).unwrap();

    let root = odd.to_str().unwrap();
    let _ = init(&sandbox, &["--root", root, "--yes"]).expect_code(0);

    assert!(odd.join("cleanslate.just").exists());
    let listed = Launch::new(&just).args(["--list", "db"]).folder(&odd).run(Stdin::Null).expect_code(0);
    assert!(listed.stdout.contains("reset"));
}

#[test]
fn what_nothing_tells_is_asked_on_a_terminal_and_left_as_comments_without_one() {
    let just = justs().remove(0);
    let sandbox = workspace(&just, None);
    let launch = || sandbox.launch(binary("slate-init"));

    let mut screen = launch().screen(100, 60);
    screen.wait_for("Folder of SQL migrations, where there is one:").press(Key::CtrlC);
    assert_eq!(screen.wait_exit(), 130, "{}", screen.text());
    assert!(!sandbox.work().join("cleanslate.toml").exists());
    let mut screen = launch().screen(100, 60);
    screen.wait_for("Folder of SQL migrations, where there is one:").type_text("db/sql").press(Key::Enter);
    screen.wait_for("Folder of SQL seed files, where there is one:").press(Key::Enter);
    screen.wait_for("Write this? [y/N]").type_text("y").press(Key::Enter);
    assert_eq!(screen.wait_exit(), 0, "{}", screen.text());

    let written = text(&sandbox, "cleanslate.toml");
    assert!(written.contains("\ntool = \"sql\"") && written.contains("\ndir = \"db/sql\"\n"), "{written}");
    assert!(written.contains("\n# dir = \"seeds\""), "{written}");
    let _ = init(&sandbox, &["--remove", "--yes"]).expect_code(0);
    let _ = init(&sandbox, &["--yes"]).expect_code(0);
    assert!(text(&sandbox, "cleanslate.toml").contains("\n# tool = "), "nobody was there to answer");
}
