//! slate-up: see [`services::Up`].

fn main() -> std::process::ExitCode {
    shell::main::<services::Up>()
}
