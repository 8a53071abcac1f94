//! slate-doctor: see [`workspace::Doctor`].

fn main() -> std::process::ExitCode {
    shell::main::<workspace::Doctor>()
}
