//! slate-switch: see [`databases::Switch`].

fn main() -> std::process::ExitCode {
    shell::main::<databases::Switch>()
}
