//! Where a private cluster is, what it is called, and who runs it.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use plan::{DatabaseName, Exit, Fault};
use rustix::process::geteuid;

use crate::workspace::{make_folder, state_base};

/// The database for commands about databases: never the workspace's own.
pub(crate) fn maintenance(name: &DatabaseName) -> DatabaseName {
    let other = if name.as_str() == "postgres" { "cleanslate" } else { "postgres" };
    DatabaseName::new(other).unwrap_or_else(|_| name.clone())
}

/// The workspace folder's name in a form that needs no quoting.
pub(super) fn default_name(root: &Path) -> String {
    let name = root.file_name().unwrap_or_default().to_string_lossy().to_lowercase();
    let plain: String =
        name.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '_' }).take(40).collect();
    let plain = plain.trim_matches('_').to_owned();
    match plain.chars().next() {
        None => "app".to_owned(),
        Some(first) if first.is_ascii_digit() => format!("app_{plain}"),
        // Postgres keeps names with `pg_` and this one for itself.
        Some(_) if plain == "postgres" || plain.starts_with("pg_") => format!("app_{plain}"),
        Some(_) => plain,
    }
}

/// The account that runs Postgres when we are root: `postgres` where there is one, else `nobody`.
pub(super) fn account() -> Result<Option<(u32, u32)>, Fault> {
    if !geteuid().is_root() {
        return Ok(None);
    }
    let users = fs::read_to_string("/etc/passwd").unwrap_or_default();
    let of = |name: &str| {
        let line = users.lines().find(|line| line.split(':').next() == Some(name))?;
        let mut fields = line.split(':').skip(2);
        Some((fields.next()?.parse().ok()?, fields.next()?.parse().ok()?))
    };
    of("postgres").or_else(|| of("nobody")).map(Some).ok_or_else(|| {
        Fault::new(Exit::NotReady, "Postgres does not run as root")
            .cause("there is no user `postgres` or `nobody` to run it as")
            .hint("useradd --system postgres")
    })
}

/// The folder of all clusters. As root one that another account can reach: root's own home is closed to it.
pub(super) fn clusters(other_account: bool) -> Result<PathBuf, Fault> {
    let own = state_base()?;
    let reachable = |folder: &Path| {
        folder
            .ancestors()
            .all(|part| fs::metadata(part).is_ok_and(|found| found.permissions().mode() & 0o001 != 0))
    };
    let base = if !other_account || reachable(&own) { own } else { PathBuf::from("/var/lib/cleanslate") };
    let folder = base.join("clusters");
    make_folder(&folder, 0o711)?;
    Ok(folder)
}

pub(super) fn socket_folder(id: &str) -> PathBuf {
    let short = id.get(..8).unwrap_or(id);
    let runtime = std::env::var_os("XDG_RUNTIME_DIR")
        .map(PathBuf::from)
        .filter(|path| path.is_absolute() && path.as_os_str().len() < 60 && !geteuid().is_root());
    match runtime {
        Some(folder) => folder.join(format!("cleanslate-{short}")),
        None => PathBuf::from(format!("/tmp/cleanslate-{}-{short}", geteuid().as_raw())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_gives_a_plain_name() {
        let of = |path: &str| default_name(Path::new(path));

        assert_eq!(of("/w/Record Shop!"), "record_shop");
        assert_eq!(of("/w/2fast"), "app_2fast");
        assert_eq!(of("/w/postgres"), "app_postgres");
        assert_eq!(of("/"), "app");
    }
}
