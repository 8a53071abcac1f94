//! What the environment may not tell us: libpq's variables would lead us, psql or a migration to another server.

use std::ffi::OsStr;
use std::io;
use std::os::unix::process::CommandExt as _;
use std::process::Command;

/// Begins this program again without libpq's variables, when there are any. A service file named by `PGSERVICE` beats
/// the host that we give, `PGHOSTADDR` beats it too, and `PGOPTIONS` changes what our own SQL means.
///
/// # Errors
/// The program can't be started again.
pub fn leave_behind() -> io::Result<()> {
    let strange: Vec<_> = std::env::vars_os().map(|(name, _)| name).filter(|name| is_libpq(name)).collect();
    if strange.is_empty() {
        return Ok(());
    }
    let mut again = Command::new(std::env::current_exe()?);
    again.args(std::env::args_os().skip(1));
    for name in strange {
        again.env_remove(name);
    }
    // Only a failure comes back.
    Err(again.exec())
}

/// `PGHOST`, `PGSERVICE`, `PGDATA` and all the others: none of them has an underscore.
fn is_libpq(name: &OsStr) -> bool {
    let letters = name.to_str().and_then(|name| name.strip_prefix("PG"));
    letters.is_some_and(|letters| !letters.is_empty() && letters.chars().all(|c| c.is_ascii_uppercase()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn libpqs_variables_are_known_by_their_form() {
        for (name, is) in [
            ("PGHOSTADDR", true),
            ("PGSERVICE", true),
            ("PG_COLOR", false),
            ("PGADMIN_MAIL", false),
            ("PG", false),
        ] {
            assert_eq!(is_libpq(OsStr::new(name)), is, "{name}");
        }
    }
}
