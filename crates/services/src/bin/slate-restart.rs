//! slate-restart: see [`services::Restart`].

fn main() -> std::process::ExitCode {
    shell::main::<services::Restart>()
}
