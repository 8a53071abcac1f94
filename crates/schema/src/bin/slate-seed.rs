//! slate-seed: see [`schema::Seed`].

fn main() -> std::process::ExitCode {
    shell::main::<schema::Seed>()
}
