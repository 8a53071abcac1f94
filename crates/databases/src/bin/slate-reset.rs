//! slate-reset: see [`databases::Reset`].

fn main() -> std::process::ExitCode {
    shell::main::<databases::Reset>()
}
