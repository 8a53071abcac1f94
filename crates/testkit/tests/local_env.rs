//! `slate-status --env`: what a shell, a `.env` reader and a program make of it is what stands there.

use plan::{Disclosed, Disclosure, Form, Secret};
use testkit::{Launch, Shop, Stdin, offline};

/// What a shell, a file and a terminal would each take apart.
const HOSTILE: [&str; 9] = [
    "plain",
    "it's",
    "two words",
    "$HOME `id` $(id) ${PATH}",
    "\"; touch owned; \"",
    "back\\slash\\n 'and quote'",
    "line\nbreak's",
    "#hash=sign&more;|",
    "ünïcode \u{1b}[31m",
];

fn disclosed(value: &str, form: Form) -> String {
    let value = Disclosed { name: "X".to_owned(), value: Secret::new(value), masked: "***".to_owned() };
    Disclosure { values: vec![value], form, shown: false }.text(false)
}

#[test]
fn a_shell_reads_every_value_as_it_is() {
    for value in HOSTILE {
        let script = "eval \"$1\"; printf %s \"$X\"";
        let shell = Launch::new("sh").args(["-c", script, "sh", &disclosed(value, Form::Shell)]);

        assert_eq!(shell.run(Stdin::Null).expect_code(0).stdout, value);
    }
}

#[test]
fn a_reader_of_env_files_reads_every_value_as_it_is() {
    for value in HOSTILE {
        let text = disclosed(value, Form::Dotenv);

        let read: Vec<_> = dotenvy::from_read_iter(text.as_bytes()).map(Result::unwrap).collect();

        assert_eq!(read, [("X".to_owned(), value.to_owned())], "{text}");
    }
}

/// A database whose name wants quoting everywhere.
const NAME: &str = "it's $HOME";

fn odd() -> Shop {
    let shop = Shop::new();
    let toml = "[database]\nserver = \"local\"\nname = \"it's $HOME\"\nuser = \"an app\"\n[migrations]\ntool = \"sql\"\n\
                dir = \"migrations\"\n";
    shop.write("cleanslate.toml", toml);
    shop.up();
    shop
}

#[test]
fn what_is_printed_leads_to_the_database() {
    if offline("the environment of a database") {
        return;
    }
    let shop = odd();
    let status = |words: &[&str]| shop.run("slate-status", words).expect_code(0);

    let eval = status(&["--env"]).stdout;
    let ask = "eval \"$1\"; \"$2\" -XAtqc 'SELECT current_user, current_database()'";
    let psql = testkit::program("psql");
    let asked = Launch::new("sh").args(["-c", ask, "sh", &eval]).args([psql]).run(Stdin::Null).expect_code(0);
    let json: serde_json::Value = serde_json::from_str(&status(&["--env=json"]).stdout).unwrap();
    let dotenv = status(&["--env=dotenv"]).stdout;

    assert_eq!(asked.stdout.trim(), format!("an app|{NAME}"));
    assert_eq!((&json["PGDATABASE"], &json["PGPORT"]), (&NAME.into(), &shop.port().into()));
    assert_eq!(json["PGPASSWORD"], shop.password());
    let url = format!("postgresql://an%20app:{}@127.0.0.1:{}/it%27s%20%24HOME", shop.password(), shop.port());
    assert_eq!(json["DATABASE_URL"], url);
    let read: Vec<_> = dotenvy::from_read_iter(dotenv.as_bytes()).map(Result::unwrap).collect();
    assert!(read.contains(&("DATABASE_URL".to_owned(), url)), "{dotenv}");
    assert!(read.contains(&("PGUSER".to_owned(), "an app".to_owned())), "{dotenv}");
}

#[test]
fn the_address_has_the_projects_own_form_and_is_masked_on_a_terminal() {
    if offline("the form of an address") {
        return;
    }
    let shop = Shop::open();
    let url = |output: &str| output.lines().next().unwrap().to_owned();
    shop.write(".env", "OTHER=1\nDATABASE_URL=postgresql+asyncpg://x:y@db/shop\n");

    let by_file = shop.run("slate-status", &["--env"]).expect_code(0).stdout;
    let own = shop.launch("slate-status", &["--env"]).env("DATABASE_URL", "postgres://x@elsewhere/y");
    let by_variable = own.run(Stdin::Null).expect_code(0).stdout;
    let lease = shop.run("slate-fork", &["lease", "--for", "1h"]).expect_code(0).stdout;
    let mut masked = shop.launch("slate-status", &["--env"]).screen(120, 20);
    let mut shown = shop.launch("slate-status", &["--env", "--show-password"]).screen(120, 20);

    let rest = format!("://shop:{}@127.0.0.1:{}/shop", shop.password(), shop.port());
    assert_eq!(url(&by_file), format!("export DATABASE_URL=postgresql+asyncpg{rest}"));
    assert_eq!(url(&by_variable), format!("export DATABASE_URL=postgres{rest}"));
    assert!(lease.starts_with(&format!("postgresql+asyncpg{rest}__lease_")), "{lease}");
    assert_eq!((masked.wait_exit(), shown.wait_exit()), (0, 0));
    assert!(masked.text().contains("PGPASSWORD=***") || masked.text().contains("PGPASSWORD='***'"));
    assert!(!masked.raw().contains(&shop.password()), "{}", masked.text());
    assert!(shown.text().contains(&format!("PGPASSWORD={}", shop.password())), "{}", shown.text());
}

#[test]
fn without_a_server_it_says_what_is_missing() {
    if offline("the environment of no server") {
        return;
    }
    let shop = Shop::new();

    let told = shop.run("slate-status", &["--env"]).told(5);

    assert_eq!(told.hint, "slate-up");
}
