//! What stands in a user's environment leads nobody elsewhere, and no password is seen anywhere.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use testkit::{Launch, Shop, Stdin, offline};

const ALL: [(&str, &[&str]); 9] = [
    ("slate-up", &["-v"]),
    ("slate-status", &["--json"]),
    ("slate-reset", &["--drop", "--yes", "--no-undo", "-v"]),
    ("slate-reset", &["--drop", "--yes", "--no-undo", "--json=stream"]),
    ("slate-psql", &["-c", "SELECT 1"]),
    ("slate-down", &["--json"]),
    ("slate-clean", &["--yes", "-v"]),
    ("slate-undo", &["--yes", "--json"]),
    ("slate-up", &["--json=stream"]),
];

/// A surrounding that would lead every program of Postgres to another server, and make SQL mean something else.
fn misled(launch: Launch, elsewhere: &Shop) -> Launch {
    let service = elsewhere.root().join("service.conf");
    fs::write(
        &service,
        format!(
            "[other]\nhost=127.0.0.1\nport={}\nuser=shop\ndbname=shop\npassword={}\n",
            elsewhere.port(),
            elsewhere.password()
        ),
    )
    .unwrap();
    let strange = [
        ("PGHOST", "127.0.0.1".to_owned()),
        ("PGHOSTADDR", "127.0.0.1".to_owned()),
        ("PGPORT", elsewhere.port()),
        ("PGUSER", "shop".to_owned()),
        ("PGPASSWORD", elsewhere.password()),
        ("PGDATABASE", "shop".to_owned()),
        ("PGSERVICE", "other".to_owned()),
        ("PGSERVICEFILE", service.display().to_string()),
        ("PGOPTIONS", "-c search_path=elsewhere -c default_transaction_read_only=on".to_owned()),
        ("PGDATA", elsewhere.cluster().display().to_string()),
        ("PGCLIENTENCODING", "LATIN1".to_owned()),
        ("PGSSLMODE", "verify-full".to_owned()),
        ("PGTZ", "Asia/Kathmandu".to_owned()),
        ("TZ", "Asia/Kathmandu".to_owned()),
        ("LANG", "xx".to_owned()),
        ("LC_ALL", "tr_TR.UTF-8".to_owned()),
    ];
    strange.into_iter().fold(launch, |launch, (name, value)| launch.env(name, value))
}

#[test]
fn variables_of_the_user_lead_nobody_elsewhere() {
    if offline("PGHOST and its kin in the environment") {
        return;
    }
    let (elsewhere, shop) = (Shop::open(), Shop::new());
    let _ = elsewhere.ask("INSERT INTO goods VALUES (3, 'vase')");
    let before = elsewhere.contents();
    // The second seed goes through psql.
    shop.write("seeds/2_psql.sql", "\\set name 'füße'\nINSERT INTO goods VALUES (5, :'name');\n");

    for (name, arguments) in ALL {
        let output = misled(shop.launch(name, arguments), &elsewhere).run(Stdin::Null);

        assert_eq!(output.code, 0, "{name} {arguments:?}: {output:?}");
        assert_eq!(elsewhere.contents(), before, "{name} {arguments:?}");
    }
    assert_eq!(shop.ask("SELECT string_agg(name, ' ' ORDER BY id) FROM public.goods"), "lamp rug füße");
    let counted =
        misled(shop.launch("slate-psql", &["-At", "-c", "SELECT count(*) FROM public.goods"]), &elsewhere)
            .run(Stdin::Null);
    assert_eq!((counted.code, counted.stdout.trim()), (0, "3"), "{counted:?}");
}

/// Every command line of this machine that holds one of the secrets, while the watch goes on.
fn watch(secrets: &[String], over: &AtomicBool) -> BTreeSet<String> {
    let mut seen = BTreeSet::new();
    while !over.load(Ordering::Relaxed) {
        for process in fs::read_dir("/proc").into_iter().flatten().flatten() {
            let line = fs::read(process.path().join("cmdline")).unwrap_or_default();
            let line = String::from_utf8_lossy(&line).replace('\0', " ");
            if secrets.iter().any(|secret| line.contains(secret.as_str())) {
                seen.insert(line);
            }
        }
    }
    seen
}

fn files(folder: &Path, found: &mut Vec<std::path::PathBuf>) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        if entry.path().is_dir() { files(&entry.path(), found) } else { found.push(entry.path()) }
    }
}

#[test]
fn no_password_is_in_a_command_line_an_output_a_log_or_the_journal() {
    if offline("passwords in /proc while it runs") {
        return;
    }
    let shop = Shop::open();
    let secret = shop.password();
    let over = AtomicBool::new(false);

    thread::scope(|scope| {
        let watched = scope.spawn(|| watch(std::slice::from_ref(&secret), &over));
        for (name, arguments) in ALL {
            let output = shop.run(name, arguments).expect_code(0);
            let said = format!("{}{}", output.stdout, output.stderr);
            assert!(!said.contains(&secret), "{name} {arguments:?}:\n{said}");
        }
        let refused = shop.launch("slate-psql", &["-c", "SELECT nothing"]).run(Stdin::Null);
        assert!(!refused.stderr.contains(&secret));
        over.store(true, Ordering::Relaxed);
        let seen = watched.join().unwrap();
        assert!(seen.is_empty(), "{seen:?}");
    });
    let mut all = Vec::new();
    files(&shop.sandbox().state(), &mut all);
    let holders: Vec<_> = all
        .iter()
        .filter(|file| {
            fs::read(file)
                .is_ok_and(|bytes| bytes.windows(secret.len()).any(|part| part == secret.as_bytes()))
        })
        .collect();
    assert_eq!(holders, [&shop.notes().join("local.json")]);
    assert!(
        all.iter().any(|file| file.ends_with("server.log"))
            && all.iter().any(|file| file.ends_with("journal.jsonl"))
    );
    for private in
        [shop.notes(), shop.notes().join("local.json"), shop.notes().join("journal.jsonl"), shop.cluster()]
    {
        let mode = std::os::unix::fs::PermissionsExt::mode(&fs::metadata(&private).unwrap().permissions());
        assert_eq!(mode & 0o077, 0, "{}", private.display());
    }
}
