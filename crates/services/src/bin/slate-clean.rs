//! slate-clean: see [`services::Clean`].

fn main() -> std::process::ExitCode {
    shell::main::<services::Clean>()
}
