//! Writes what a shell and `man` know of every command, from the commands themselves: `pages FOLDER`.

#![expect(clippy::unwrap_used, reason = "what can't be written ends it")]

use std::fs;
use std::path::Path;

use clap_complete::{Shell, generate_to};

/// Where each shell looks, below `share`.
const SHELLS: [(Shell, &str); 3] = [
    (Shell::Bash, "bash-completion/completions"),
    (Shell::Zsh, "zsh/site-functions"),
    (Shell::Fish, "fish/vendor_completions.d"),
];

fn main() {
    let folder = std::env::args().nth(1).unwrap();
    let folder = Path::new(&folder);
    // Every binary, as build.rs found them.
    let commands: Vec<clap::Command> = include!(concat!(env!("OUT_DIR"), "/commands.rs"));
    for mut command in commands {
        let name = command.get_name().to_owned();
        for (shell, place) in SHELLS {
            fs::create_dir_all(folder.join(place)).unwrap();
            let file = generate_to(shell, &mut command, &name, folder.join(place)).unwrap();
            // Bash looks for a file that is called like the command.
            if shell == Shell::Bash {
                fs::rename(&file, folder.join(place).join(&name)).unwrap();
            }
        }
        let man = folder.join("man/man1");
        fs::create_dir_all(&man).unwrap();
        clap_mangen::Man::new(command).generate_to(&man).unwrap();
    }
}
