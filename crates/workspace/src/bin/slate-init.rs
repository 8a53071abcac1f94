//! slate-init: see [`workspace::Init`].

fn main() -> std::process::ExitCode {
    shell::main::<workspace::Init>()
}
