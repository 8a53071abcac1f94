//! Where a project describes its tables in code: a change there without one in the migrations is a migration forgotten.

use crate::tree::{Tree, file_name, folder, has_ending};

/// The folder of the models near the migrations, and why; nothing where several could be it.
pub(crate) fn find(tree: &Tree<'_>, tool: Option<&str>, home: &str) -> Option<(String, String)> {
    tool.filter(|tool| ["alembic", "flask-migrate"].contains(tool))?;
    let below =
        |path: &&str| home.is_empty() || path.strip_prefix(home).is_some_and(|rest| rest.starts_with('/'));
    let is_test = |path: &str| path.split('/').any(|part| part.starts_with("test"));
    let files =
        tree.paths().filter(|path| has_ending(path, ".py")).filter(below).filter(|path| !is_test(path));
    let mut dirs: Vec<&str> = files.map(folder).filter(|dir| file_name(dir) == "models").collect();
    dirs.sort_unstable();
    dirs.dedup();
    let [dir] = dirs.as_slice() else { return None };
    Some(((*dir).to_owned(), format!("Python in {dir}, the only folder of that name")))
}
