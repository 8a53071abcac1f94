//! slate-check: see [`schema::Check`].

fn main() -> std::process::ExitCode {
    shell::main::<schema::Check>()
}
