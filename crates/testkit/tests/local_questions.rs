//! What a person answers, in a terminal and without one: whatever is no consent leaves everything as it is.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::thread;

use testkit::{Key, Screen, Shop, Stdin, offline};

/// Everything that a decline may not change.
fn everything(shop: &Shop) -> String {
    let server = std::fs::read_to_string(shop.cluster().join("postmaster.pid")).unwrap();
    let mut clusters: Vec<_> =
        std::fs::read_dir(shop.clusters()).unwrap().map(|entry| entry.unwrap().path()).collect();
    clusters.sort();
    format!("{server}\n{clusters:?}\n{}", shop.contents())
}

/// Declines on a screen: the cursor is there, the terminal as a shell expects it, and the code says declined.
#[track_caller]
fn declined(screen: &mut Screen, shop: &Shop, before: &str) {
    assert_eq!(screen.wait_exit(), 130, "{}", screen.text());
    assert!(screen.cursor_visible() && screen.is_cooked(), "{}", screen.text());
    let text = screen.text();
    assert!(text.contains("nothing was changed"), "{text}");
    assert_eq!(everything(shop), before);
}

const CLEAN: (&str, &[&str], &str) = ("slate-clean", &[], "Clean shop? [y/N]");
const RESET: (&str, &[&str], &str) = ("slate-reset", &["--drop"], "Type shop to go on");
const FOR_GOOD: (&str, &[&str], &str) = ("slate-clean", &["--no-undo"], "Type shop to go on");

#[test]
fn declining_in_a_terminal_leaves_everything() {
    if offline("declining in a terminal") {
        return;
    }
    let shop = Shop::open();
    let before = everything(&shop);

    for (name, arguments, question) in [CLEAN, RESET, FOR_GOOD] {
        let ask = |answer: &dyn Fn(&mut Screen)| {
            let mut screen = shop.launch(name, arguments).screen(100, 30);
            screen.wait_for(question);
            answer(&mut screen);
            declined(&mut screen, &shop, &before);
        };
        ask(&|screen| {
            screen.press(Key::Enter);
        });
        ask(&|screen| {
            screen.press(Key::CtrlC);
        });
        ask(&|screen| {
            screen.press(Key::CtrlD);
        });
        ask(&|screen| {
            screen.type_text("no").press(Key::Enter);
        });
        ask(&|screen| {
            screen.type_text("shops").press(Key::Enter);
        });
    }
    // What a question of yes or no takes is no name.
    for (name, arguments, question) in [RESET, FOR_GOOD] {
        let mut screen = shop.launch(name, arguments).screen(100, 30);
        screen.wait_for(question).type_text("y").press(Key::Enter);
        declined(&mut screen, &shop, &before);
    }
}

#[test]
fn agreeing_in_a_terminal_does_it() {
    if offline("agreeing in a terminal") {
        return;
    }
    let shop = Shop::open();
    let _ = shop.ask("INSERT INTO goods VALUES (3, 'vase')");

    let mut screen = shop.launch("slate-reset", &["--drop"]).screen(100, 30);
    screen.wait_for("Type shop to go on").type_text("shop").press(Key::Enter);
    assert_eq!(screen.wait_exit(), 0, "{}", screen.text());
    assert!(screen.cursor_visible());
    assert_eq!(shop.ask("SELECT count(*) FROM goods"), "2");

    let mut screen = shop.launch("slate-clean", &[]).screen(100, 30);
    screen.wait_for("Clean shop? [y/N]").type_text("y").press(Key::Enter);
    assert_eq!(screen.wait_exit(), 0, "{}", screen.text());
    assert!(screen.text().contains("slate-undo"), "{}", screen.text());
    assert!(!shop.cluster().exists());
}

#[test]
fn without_a_terminal_nothing_is_asked_and_nothing_hangs() {
    if offline("no terminal") {
        return;
    }
    let shop = Shop::open();
    let before = everything(&shop);

    for (name, arguments, _) in [CLEAN, RESET, FOR_GOOD] {
        for stdin in [Stdin::Null, Stdin::Text("y\n"), Stdin::Text("shop\n"), Stdin::Silent] {
            let told = shop.launch(name, arguments).run(stdin).told(3);

            assert_eq!((told.error.as_str(), told.state.as_str()), ("not confirmed", "nothing was changed"));
            assert!(!told.hint.is_empty(), "{told:?}");
            assert_eq!(everything(&shop), before);
        }
        let json = shop.launch(name, arguments).args(["--json"]).run(Stdin::Null).expect_code(3).json();
        assert_eq!(json["error"]["code"], 3, "{json}");
    }
    // --yes covers what can be undone, and no more.
    let told = shop.run("slate-reset", &["--drop", "--yes"]).told(3);
    assert!(told.cause.contains("2 rows"), "{told:?}");
    let _ = shop
        .launch("slate-clean", &["--no-undo"])
        .args(["--yes", "--json"])
        .env("SLATE_YES", "1")
        .run(Stdin::Null);
    assert!(!shop.cluster().exists(), "--yes --no-undo is consent");
}

#[test]
fn consent_comes_from_the_command_line_alone() {
    if offline("consent from the environment") {
        return;
    }
    let shop = Shop::open();
    let before = everything(&shop);

    let launch = shop.launch("slate-reset", &["--drop"]);
    let launch = ["SLATE_YES", "SLATE_NO_UNDO", "SLATE_FORCE", "CI"]
        .iter()
        .fold(launch, |launch, name| launch.env(name, "1"));
    let _ = launch.run(Stdin::Null).told(3);

    assert_eq!(everything(&shop), before);
    let token = || {
        let plan = shop.run("slate-reset", &["--drop", "--dry-run", "--json"]).expect_code(0).json();
        let token = plan["token"].as_str().or_else(|| plan["plan"]["token"].as_str());
        token.unwrap_or_else(|| panic!("{plan}")).to_owned()
    };
    let old = token();
    let _ = shop.ask("INSERT INTO goods VALUES (3, 'vase')");
    let told = shop.run("slate-reset", &["--drop", "--confirm", &old]).told(3);
    assert!(told.error.contains("token"), "{told:?}");
    let _ = shop.run("slate-reset", &["--drop", "--confirm", &token()]).expect_code(0);
}

#[test]
fn rows_that_come_after_the_plan_are_nobodys_to_give_up() {
    if offline("rows between a plan and its end") {
        return;
    }
    let shop = Shop::open();
    shop.write("migrations/2_slow.sql", "SELECT pg_sleep(2);\n");
    for words in [["--drop", "--yes", "--no-undo"].as_slice(), &["--yes", "--no-undo"]] {
        let before = shop.ask("SELECT count(*) FROM goods");
        let reset = thread::scope(|scope| {
            let reset = scope.spawn(|| shop.run("slate-reset", words));
            let building = "SELECT count(*) > 0 FROM pg_stat_activity WHERE query LIKE '%pg_sleep(2)%' AND pid <> pg_backend_pid()";
            shop.wait_until(building, "t");
            let _ = shop.ask("INSERT INTO goods VALUES (77, 'vase')");
            reset.join().unwrap()
        });

        let told = reset.told(4);

        assert!(told.error.starts_with("there is more in `shop__kept_"), "{told:?}");
        assert!(told.state.contains("your data is whole in `shop__kept_"), "{told:?}");
        let _ = shop.run("slate-undo", &["--yes"]).expect_code(0);
        shop.settle();
        assert_eq!(shop.ask("SELECT name FROM goods WHERE id = 77"), "vase");
        let _ = shop.ask("DELETE FROM goods WHERE id = 77");
        assert_eq!(shop.ask("SELECT count(*) FROM goods"), before);
        // For the next round it is built anew.
        shop.write("migrations/3_more.sql", "SELECT pg_sleep(2);\n");
    }
}

#[test]
fn rows_that_somebody_typed_into_what_is_kept_are_asked_about() {
    if offline("rows in a kept database") {
        return;
    }
    let shop = Shop::open();
    let _ = shop.swap();
    let _ = shop.ask("DELETE FROM sold; DELETE FROM goods");
    let _ = shop.swap();
    let kept = shop.ask_in("postgres", "SELECT max(datname) FROM pg_database WHERE datname LIKE '%kept%'");
    let _ = shop.ask_in(&kept, "INSERT INTO goods VALUES (78, 'bowl')");

    let told = shop.run("slate-undo", &["--gc", "--older-than", "0", "--yes"]).told(3);

    assert!(told.cause.starts_with("1 row"), "{told:?}");
    assert_eq!(shop.ask_in(&kept, "SELECT name FROM goods"), "bowl");
}
