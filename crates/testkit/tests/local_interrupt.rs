//! Ctrl-C while something takes long: it stops soon, and nothing half-built or running is left.

use std::time::{Duration, Instant};

use testkit::{Key, Shop, offline};

const SLOW: &str = "SELECT pg_sleep(120)";
const ACTIVE: &str =
    "SELECT count(*) FROM pg_stat_activity WHERE query LIKE '%pg_sleep(120)%' AND pid <> pg_backend_pid()";

/// Interrupts a command once the server sleeps; how long it then took to end.
#[track_caller]
fn interrupted(shop: &Shop, name: &str, arguments: &[&str]) -> (Duration, String) {
    let mut screen = shop.launch(name, arguments).screen(120, 30);
    shop.wait_until(ACTIVE, "1");
    let asked = Instant::now();
    screen.press(Key::CtrlC);
    assert_eq!(screen.wait_exit(), 130, "{}", screen.text());
    let took = asked.elapsed();
    assert!(screen.cursor_visible() && screen.is_cooked());
    shop.wait_until(ACTIVE, "0");
    (took, screen.text())
}

const SOON: Duration = Duration::from_secs(5);

#[test]
fn a_reset_that_is_interrupted_leaves_the_live_database_and_nothing_else() {
    if offline("Ctrl-C during a reset") {
        return;
    }
    let shop = Shop::open();
    let _ = shop.ask("INSERT INTO goods VALUES (3, 'vase')");
    let before = shop.contents();
    let slow = [
        ("seeds/2_slow.sql", format!("{SLOW};\n")),
        ("seeds/2_slow.sql", format!("\\set x 1\n{SLOW};\n")),
        ("migrations/2_slow.sql", format!("{SLOW};\n")),
    ];
    for (file, text) in slow {
        shop.write(file, &text);

        let (took, said) = interrupted(&shop, "slate-reset", &["--drop", "--yes", "--no-undo"]);

        assert!(took < SOON, "{took:?}");
        assert!(said.contains("error: interrupted"), "{said}");
        assert!(said.contains("your data is whole in `shop`"), "{said}");
        assert_eq!(shop.contents(), before);
        std::fs::remove_file(shop.sandbox().work().join(file)).unwrap();
    }
    let _ = shop.reset().expect_code(0);
}

#[test]
fn an_up_that_is_interrupted_goes_on_the_next_time() {
    if offline("Ctrl-C during an up") {
        return;
    }
    let shop = Shop::open();
    for tool in ["sql", "sqlx"] {
        shop.configure("");
        let toml = std::fs::read_to_string(shop.sandbox().work().join("cleanslate.toml")).unwrap();
        shop.write("cleanslate.toml", &toml.replace("\"sql\"", &format!("\"{tool}\"")));
        let _ = shop.ask_in("postgres", "DROP DATABASE shop");
        shop.write("migrations/2_slow.sql", &format!("{SLOW};\n"));

        let (took, said) = interrupted(&shop, "slate-up", &[]);

        assert!(took < SOON, "{tool}: {took:?}\n{said}");
        std::fs::remove_file(shop.sandbox().work().join("migrations/2_slow.sql")).unwrap();
        shop.up();
        assert_eq!(shop.ask("SELECT count(*) FROM goods"), "2", "{tool}");
    }
}

#[test]
fn a_runner_that_is_interrupted_ends_with_its_children() {
    if offline("Ctrl-C during a migration command") {
        return;
    }
    let shop = Shop::open();
    let psql = testkit::program("psql").display().to_string();
    let run = format!(
        "{psql} -q \"$DATABASE_URL\" -v ON_ERROR_STOP=1 -f migrations/1_baseline.sql -c \"$(cat slow.sql)\""
    );
    shop.write("cleanslate.toml", &format!("[database]\nserver = \"local\"\nname = \"shop\"\n[migrations]\ntool = \"command\"\ncommand = '''{run}'''\n"));
    shop.write("slow.sql", SLOW);

    let (took, _) = interrupted(&shop, "slate-reset", &["--drop", "--yes", "--no-undo"]);

    assert!(took < SOON, "{took:?}");
    assert_eq!(shop.databases(), "shop");
    assert_eq!(shop.ask("SELECT count(*) FROM goods"), "2");
}
