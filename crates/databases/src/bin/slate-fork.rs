//! slate-fork: see [`databases::Fork`].

fn main() -> std::process::ExitCode {
    shell::main::<databases::Fork>()
}
