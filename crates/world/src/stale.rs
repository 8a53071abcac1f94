//! What a command that migrates is watched for: whether the files that its container holds are those of the workspace, and
//! whether the live database stays as it was.

use std::fs;
use std::path::Path;

use plan::{DatabaseName, Exit, Fault, Home, Migrations};
use sha2::{Digest as _, Sha256};

use crate::build::Builder;
use crate::engine;
use crate::postgres::definitions;
use crate::workspace::hex;

/// Sums of the files in the first of the given folders that is there, seen from where a service's commands start.
const SUMS: &str =
    r#"for d in "$@"; do [ -d "$d" ] && cd "$d" && exec sha256sum -- *.[ps][yq]* 2>/dev/null; done; exit 9"#;

impl Builder<'_> {
    /// What the live database is defined as while another one is built beside it; nothing where it can't be read.
    pub fn live(&mut self, beside: &DatabaseName) -> Option<String> {
        let live = &self.server.name;
        if live == beside {
            return None;
        }
        let found = definitions(self.postgres, live).ok();
        self.postgres.leave(live);
        found
    }

    /// A command in a service reads the files that its container has: an image that was built before the last edit holds
    /// others than the workspace.
    pub fn same_files(&self, migrations: &Migrations, home: &Home, attempt: &str) -> Result<(), Fault> {
        let (Home::Service(service), Some(context), Some(dir)) = (home, &self.engine, &migrations.dir) else {
            return Ok(());
        };
        let words: Vec<&str> = ["sh", "-c", SUMS, "sh"].into_iter().chain(places(dir)).collect();
        let there = engine::in_service(context, service, None, &words)?.output();
        // No such folder there, or no program that sums: nothing can be said.
        let Ok(there) = there else { return Ok(()) };
        match different(&there.stdout, &self.root.join(dir)) {
            None => Ok(()),
            Some(file) => Err(Fault::new(Exit::Refused, attempt)
                .cause(format!("`{service}` has another {file} than {dir} here"))
                .hint(format!("docker compose build {service}, or mount the folder into it"))),
        }
    }
}

/// Where a folder may be in a container: an image often holds only what is below its service's own part of the tree.
fn places(dir: &str) -> impl Iterator<Item = &str> {
    let below = dir.match_indices('/').filter_map(|(at, _)| dir.get(at + 1..));
    std::iter::once(dir).chain(below)
}

/// The first file that is not the same on both sides.
fn different(sums: &str, here: &Path) -> Option<String> {
    let is_one = |name: &str| Path::new(name).extension().is_some_and(|end| end == "py" || end == "sql");
    let there = sums.lines().filter_map(|line| line.split_once("  ")).filter(|(_, name)| is_one(name));
    let mut there: Vec<(&str, &str)> = there.collect();
    there.sort_by_key(|(_, name)| *name);
    let differs = |(sum, name): &&(&str, &str)| {
        fs::read(here.join(name)).map_or(true, |text| hex(&Sha256::digest(text)) != *sum)
    };
    if let Some((_, name)) = there.iter().find(differs) {
        return Some((*name).to_owned());
    }
    let mut names: Vec<String> = fs::read_dir(here)
        .into_iter()
        .flatten()
        .flatten()
        .map(|entry| entry.file_name().to_string_lossy().into_owned())
        .filter(|name| is_one(name) && !name.starts_with('.'))
        .collect();
    names.sort();
    names.into_iter().find(|name| !there.iter().any(|(_, known)| known == name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_is_other_or_missing_on_one_side_is_named() {
        let here = tempfile::tempdir().unwrap();
        fs::write(here.path().join("1.sql"), "SELECT 1;\n").unwrap();
        let sum = hex(&Sha256::digest("SELECT 1;\n"));
        let same = format!("{sum}  1.sql\n");

        assert_eq!(different(&same, here.path()), None);
        assert_eq!(different(&same.replace(&sum, "0"), here.path()).as_deref(), Some("1.sql"));
        assert_eq!(different(&format!("{same}{sum}  2.sql\n"), here.path()).as_deref(), Some("2.sql"));
        fs::write(here.path().join("3.py"), "").unwrap();
        assert_eq!(different(&same, here.path()).as_deref(), Some("3.py"));
    }

    #[test]
    fn a_folder_is_looked_for_below_each_part_of_its_path() {
        let places: Vec<&str> = places("backend/alembic/versions").collect();

        assert_eq!(places, ["backend/alembic/versions", "alembic/versions", "versions"]);
    }
}
