//! slate-ensure: see [`workspace::Ensure`].

fn main() -> std::process::ExitCode {
    shell::main::<workspace::Ensure>()
}
