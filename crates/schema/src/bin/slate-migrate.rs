//! slate-migrate: see [`schema::Migrate`].

fn main() -> std::process::ExitCode {
    shell::main::<schema::Migrate>()
}
