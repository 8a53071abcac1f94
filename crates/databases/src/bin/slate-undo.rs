//! slate-undo: see [`databases::Undo`].

fn main() -> std::process::ExitCode {
    shell::main::<databases::Undo>()
}
