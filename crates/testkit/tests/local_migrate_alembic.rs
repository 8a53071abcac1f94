//! slate-migrate with alembic itself, on the fixture's models and its one migration.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::fs;
use std::path::Path;

use serde_json::{Value, json};
use testkit::{Output, Shop, Stdin, offline, repository};

const MODEL: &str = "models/searching.py";

/// The fixture's backend over a private cluster.
fn shop() -> Shop {
    let shop = Shop::new();
    let bin = repository().join("target/tools/alembic/bin/alembic");
    assert!(bin.is_file(), "no alembic: run `scripts/need alembic` first");
    copied(&repository().join("fixtures/alembic/backend"), &shop.sandbox().work());
    let command = format!("{} upgrade head", bin.display());
    let toml = format!(
        "[database]\nserver = \"local\"\nname = \"shop\"\n\n[migrations]\ntool = \"alembic\"\n\
         dir = \"alembic/versions\"\ncommand = {command:?}\n"
    );
    shop.write("cleanslate.toml", &toml);
    shop
}

fn copied(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap().flatten() {
        let target = to.join(entry.file_name());
        if entry.file_name() == "__pycache__" {
            continue;
        }
        if entry.path().is_dir() {
            copied(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).unwrap();
        }
    }
}

fn run(shop: &Shop, name: &str, words: &[&str]) -> Output {
    // The driver's name is taken from it, and nothing else.
    shop.launch(name, words)
        .env("DATABASE_URL", "postgresql+asyncpg://nobody@db.invalid/decoy")
        .run(Stdin::Null)
}

fn status(shop: &Shop, code: i32) -> Value {
    run(shop, "slate-migrate", &["--json"]).expect_code(code).json()
}

/// A column more in the models.
fn with_notes(shop: &Shop) {
    let model = fs::read_to_string(shop.sandbox().work().join(MODEL)).unwrap();
    let notes = "    notes: Mapped[str | None] = mapped_column(String(200))\n    name:";
    shop.write(MODEL, &model.replacen("    name:", notes, 1));
}

fn versions(shop: &Shop) -> Vec<String> {
    let folder = fs::read_dir(shop.sandbox().work().join("alembic/versions")).unwrap().flatten();
    let names = folder.map(|file| file.file_name().into_string().unwrap());
    let mut names: Vec<String> = names.filter(|name| name != "__pycache__").collect();
    names.sort();
    names
}

#[test]
fn a_changed_model_becomes_a_revision_then_a_baseline_of_both() {
    if offline("alembic's own migrations") {
        return;
    }
    let shop = shop();
    let _ = run(&shop, "slate-up", &[]).expect_code(0);
    assert_eq!(status(&shop, 0)["applied"], json!(["initial"]));
    with_notes(&shop);
    let databases = shop.databases();

    let asked = run(&shop, "slate-migrate", &["new", "add notes"]);
    assert_eq!((asked.code, versions(&shop).len()), (3, 1), "{asked:?}");
    assert_eq!(shop.databases(), databases, "what a draft was made with stayed");
    let kept = run(&shop, "slate-migrate", &["new", "add notes", "--yes"]).expect_code(0);
    assert!(kept.stderr.contains("console_scripts.black"), "the hook's reason is not told: {}", kept.stderr);
    let names = versions(&shop);
    assert_eq!(names.len(), 2);
    let text = fs::read_to_string(shop.sandbox().work().join("alembic/versions").join(&names[0])).unwrap();
    assert!(text.contains("op.add_column('saved_searches'"), "{text}");

    let _ = run(&shop, "slate-migrate", &["review"]).expect_code(0);
    let _ = run(&shop, "slate-migrate", &["up"]).expect_code(0);
    let _ = run(&shop, "slate-check", &[]).expect_code(0);
    let head = status(&shop, 0)["heads"].clone();

    // One file stands for both, and every database at the end of the chain is at it already.
    let _ = run(&shop, "slate-migrate", &["baseline", "--yes"]).expect_code(0);
    assert_eq!(versions(&shop), ["initial_schema.py"]);
    assert_eq!(status(&shop, 0)["applied"], head);
    // The models have the column elsewhere among the others: alembic adds it last.
    let found = run(&shop, "slate-check", &["--only", "migrations,live", "--json"]).expect_code(0).json();
    assert_eq!(found["findings"], json!([]));
}

#[test]
fn the_one_migration_is_written_anew_from_the_models_under_its_own_id() {
    if offline("alembic's baseline from models") {
        return;
    }
    let shop = shop();
    let _ = run(&shop, "slate-up", &[]).expect_code(0);
    with_notes(&shop);

    let _ = run(&shop, "slate-migrate", &["baseline", "--from", "models", "--yes"]).expect_code(0);

    assert_eq!(versions(&shop), ["initial_schema.py"]);
    let text = fs::read_to_string(shop.sandbox().work().join("alembic/versions/initial_schema.py")).unwrap();
    assert!(text.contains("revision = 'initial'") && text.contains("'notes'"), "{text}");
    assert!(text.lines().all(|line| line == line.trim_end()), "{text}");
    let _ = run(&shop, "slate-check", &["--only", "models,migrations"]).expect_code(0);
    assert_eq!(status(&shop, 10)["edited"], json!(["initial"]));

    // Released, it is not edited any more, and the check says which revision to write.
    let _ = run(&shop, "slate-migrate", &["freeze"]).expect_code(0);
    shop.write("alembic/versions/initial_schema.py", &text.replacen("length=200", "length=201", 1));
    assert!(run(&shop, "slate-reset", &["--yes"]).told(4).error.contains("is released"));
}
