//! slate-snapshot: see [`databases::Snapshot`].

fn main() -> std::process::ExitCode {
    shell::main::<databases::Snapshot>()
}
