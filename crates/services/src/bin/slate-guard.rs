//! slate-guard: see [`services::Guard`].

fn main() -> std::process::ExitCode {
    shell::main::<services::Guard>()
}
