//! Lists every binary of the workspace for `examples/pages.rs`, from the files that they are.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

fn main() {
    let mut all = String::new();
    println!("cargo::rerun-if-changed=build.rs");
    for folder in fs::read_dir("..").into_iter().flatten().flatten() {
        let folder = folder.path().join("src/bin");
        if !folder.is_dir() {
            continue;
        }
        println!("cargo::rerun-if-changed={}", folder.display());
        for file in fs::read_dir(folder).into_iter().flatten().flatten() {
            let text = fs::read_to_string(file.path()).unwrap_or_default();
            // `shell::main::<databases::Reset>()`
            let command = text.split_once("main::<").and_then(|(_, rest)| rest.split_once('>'));
            if let Some((command, _)) = command {
                // Into a String: never an error.
                let _ = writeln!(all, "<{command} as clap::CommandFactory>::command(),");
            }
        }
    }
    let out = std::env::var("OUT_DIR").unwrap_or_default();
    let list = format!("vec![{all}]");
    if let Err(why) = fs::write(Path::new(&out).join("commands.rs"), list) {
        println!("cargo::error=the list of the binaries was not written: {why}");
    }
}
