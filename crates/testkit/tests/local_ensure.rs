//! slate-ensure, as a hook calls it: what fails is told with what to do, and nobody else's server is written to.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::process::Command;

use testkit::{Guest, Shop, Stdin, offline, program};

#[test]
fn a_migration_that_fails_is_told_with_what_to_do_and_the_next_run_heals() {
    if offline("a hook on a private cluster") {
        return;
    }
    let shop = Shop::new();
    shop.write("migrations/2_broken.sql", "SELECT nothing_like_it();\n");

    let told = shop.run("slate-ensure", &[]).told(1);
    let forgiven = shop.run("slate-ensure", &["--exit-zero"]).expect_code(0);
    shop.write("migrations/2_broken.sql", "SELECT 1;\n");
    let healed = shop.run("slate-ensure", &[]).expect_code(0);

    assert!(told.cause.starts_with("migrations/2_broken.sql:1:8: "), "{told:?}");
    assert_eq!(told.hint, "mend that, then slate-ensure; the next start of a dev container calls it too");
    assert!(forgiven.stderr.contains("2_broken.sql:1:8: ") && forgiven.stderr.contains("hint:  mend that"));
    assert!(healed.stdout.contains("`shop` is ready"), "{healed:?}");
    assert_eq!(shop.ask("SELECT string_agg(name, ' ' ORDER BY id) FROM public.goods"), "lamp rug");
}

/// All that a server holds: roles, databases with their settings, tables, rows.
fn dumped(host: &Shop) -> String {
    let mut command = Command::new(program("pg_dumpall"));
    command.args(["-w", "-h", "127.0.0.1", "-U", "shop", "-l", "postgres", "-p", &host.port()]);
    let output = command.env("PGPASSWORD", host.password()).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout).unwrap();
    // Another one each time.
    let lines = text.lines().filter(|line| !line.contains("restrict "));
    lines.collect::<Vec<_>>().join("\n")
}

#[test]
fn a_foreign_server_that_answers_and_holds_rows_is_left_as_it_is() {
    if offline("two private clusters") {
        return;
    }
    let host = Shop::open();
    let foreign = Guest::of(&host, "store");
    let before = dumped(&host);
    let (told, guessed) = (Shop::new(), Shop::new());
    guessed.write("cleanslate.toml", "[migrations]\ntool = \"sql\"\ndir = \"migrations\"\n");
    let ensure = |shop: &Shop, arguments: &[&str]| {
        shop.launch("slate-ensure", arguments).env("DATABASE_URL", foreign.url()).run(Stdin::Null)
    };

    let own = ensure(&told, &[]).expect_code(0);
    let refused = ensure(&guessed, &[]).told(4);
    let forgiven = ensure(&guessed, &["--exit-zero"]).expect_code(0);

    let address = format!("DATABASE_URL names 127.0.0.1:{}", host.port());
    let left = format!("{address}: not this workspace's server, nothing is written there");
    assert!(own.stderr.contains(&left), "{own:?}");
    assert_eq!(told.ask("SELECT string_agg(name, ' ' ORDER BY id) FROM public.goods"), "lamp rug");
    assert_eq!(refused.error, format!("{address}, which is left as it is"));
    assert_eq!(refused.state, "nothing was written");
    assert!(!guessed.cluster().exists(), "a cluster was made");
    assert!(forgiven.stderr.contains(&refused.error) && !forgiven.stderr.contains("-secret"), "{forgiven:?}");
    assert!(before.contains("vase"), "the dump shows the rows");
    assert_eq!(dumped(&host), before);
}
