//! slate-down: see [`services::Down`].

fn main() -> std::process::ExitCode {
    shell::main::<services::Down>()
}
