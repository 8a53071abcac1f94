//! What a shell and `man` know of the binaries: every one of them, as it is now.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::fs;
use std::path::PathBuf;

use testkit::{Launch, Stdin, repository};

/// The binaries, by the files that they are built from.
fn binaries() -> Vec<String> {
    let crates = fs::read_dir(repository().join("crates")).unwrap().flatten();
    let files =
        crates.flat_map(|one| fs::read_dir(one.path().join("src/bin")).into_iter().flatten().flatten());
    files.map(|file| file.path().file_stem().unwrap().to_string_lossy().into_owned()).collect()
}

#[test]
fn every_binary_has_completions_and_a_man_page() {
    let folder = tempfile::tempdir().unwrap();
    let share = folder.path();

    let _ = Launch::example("pages").args([share]).run(Stdin::Null).expect_code(0);

    let names = binaries();
    assert!(names.len() > 15, "{names:?}");
    for name in names {
        let files = [
            format!("bash-completion/completions/{name}"),
            format!("zsh/site-functions/_{name}"),
            format!("fish/vendor_completions.d/{name}.fish"),
            format!("man/man1/{name}.1"),
        ];
        for file in files.map(|file| share.join(file)) {
            let text = fs::read_to_string(&file).unwrap_or_default();
            assert!(text.contains("dry-run") || text.contains(r"dry\-run"), "{}: {text}", file.display());
        }
    }
    let bash: Vec<PathBuf> = fs::read_dir(share.join("bash-completion/completions"))
        .unwrap()
        .map(|file| file.unwrap().path())
        .collect();
    for file in bash {
        let _ = Launch::new("bash").args(["-n"]).args([file]).run(Stdin::Null).expect_code(0);
    }
}
