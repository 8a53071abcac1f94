//! slate-psql: see [`databases::Psql`].

fn main() -> std::process::ExitCode {
    shell::main::<databases::Psql>()
}
