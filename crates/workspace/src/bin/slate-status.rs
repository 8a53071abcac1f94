//! slate-status: see [`workspace::Status`].

fn main() -> std::process::ExitCode {
    shell::main::<workspace::Status>()
}
