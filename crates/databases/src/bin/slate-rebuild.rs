//! slate-rebuild: see [`databases::Rebuild`].

fn main() -> std::process::ExitCode {
    shell::main::<databases::Rebuild>()
}
