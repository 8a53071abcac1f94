//! The workspace's files that `slate-init` writes: reads them, asks `just` about the justfile, and writes one at a time,
//! whole or not at all.

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use plan::{Exit, Fault, Files, Just, Outcome};
use serde_json::Value;

use crate::Program;

/// `just` answers at once, or hangs in a setting of the justfile that calls a program.
const ANSWER: Duration = Duration::from_secs(10);

const OWN: [&str; 5] = [
    "cleanslate.toml",
    "cleanslate.just",
    ".devcontainer/devcontainer.json",
    ".devcontainer/compose.yml",
    ".devcontainer.json",
];

/// What is there, of what `slate-init` would write.
///
/// # Errors
/// A file is there and can't be read.
pub(crate) fn read(root: &Path) -> Result<Files, Fault> {
    let justfile = justfile(root);
    let hook = crate::git::hook(root);
    let mut files = Files { justfile: justfile.clone(), hook: hook.clone(), ..Files::default() };
    for name in OWN.into_iter().map(str::to_owned).chain(justfile).chain(hook) {
        match fs::read_to_string(root.join(&name)) {
            Ok(text) => drop(files.texts.insert(name, text)),
            Err(why) if why.kind() == std::io::ErrorKind::NotFound => {}
            Err(why) => {
                return Err(Fault::new(Exit::Usage, format!("`{name}` can't be read")).cause(why.to_string()));
            }
        }
    }
    files.just = ask(root, files.justfile.as_deref());
    Ok(files)
}

/// The file that `just` would read, as it spells it.
fn justfile(root: &Path) -> Option<String> {
    let entries = fs::read_dir(root).ok()?.flatten();
    let mut names: Vec<String> = entries
        .filter_map(|entry| entry.file_name().into_string().ok())
        .filter(|name| ["justfile", ".justfile"].contains(&name.to_lowercase().as_str()))
        .collect();
    names.sort();
    names.pop()
}

fn ask(root: &Path, justfile: Option<&str>) -> Just {
    let Ok(spoken) = Program::new("just").arg("--version").deadline(ANSWER).output() else {
        return Just::default();
    };
    let numbers = spoken.stdout.trim().rsplit(' ').next().unwrap_or_default().to_owned();
    let mut numbers = numbers.split('.').map(|number| number.parse::<u32>().unwrap_or(0));
    let version = Some((numbers.next().unwrap_or(0), numbers.next().unwrap_or(0)));
    match justfile.map(|name| dump(root, &root.join(name))) {
        None => Just { version, ..Just::default() },
        Some(Err(said)) => Just { version, fault: Some(said), ..Just::default() },
        Some(Ok(dumped)) => {
            let keys =
                ["recipes", "aliases", "modules"].map(|key| dumped.get(key).and_then(Value::as_object));
            let names = keys.into_iter().flatten().flat_map(serde_json::Map::keys).cloned().collect();
            Just { version, names, fault: None }
        }
    }
}

/// A justfile as `just` understands it, or `just`'s own message.
fn dump(root: &Path, file: &Path) -> Result<Value, String> {
    let words = ["--dump", "--dump-format", "json", "--working-directory"];
    let program = Program::new("just").arg("--justfile").arg(file).args(words).arg(root);
    let spoken = program.folder(root).deadline(ANSWER).output().map_err(|run| run.to_string())?;
    serde_json::from_str(&spoken.stdout).map_err(|why| format!("`just --dump` is not understood: {why}"))
}

/// Writes, or removes, a file that is still as the plan saw it. Where `recipes` are given, `just` has to agree that
/// nothing but these changes.
///
/// # Errors
/// The file changed since, `just` does not agree, or the disk does not.
pub(crate) fn write(
    root: &Path,
    path: &str,
    (before, after): (Option<&str>, Option<&str>),
    recipes: Option<&[String]>,
) -> Result<Outcome, Fault> {
    let failed = |why: String| Fault::new(Exit::Failed, format!("`{path}` was not written")).cause(why);
    let target = root.join(path);
    // A link stays a link.
    let target = target.canonicalize().unwrap_or(target);
    let present = match fs::read_to_string(&target) {
        Ok(text) => Some(text),
        Err(why) if why.kind() == std::io::ErrorKind::NotFound => None,
        Err(why) => return Err(failed(why.to_string())),
    };
    if present.as_deref() != before {
        return Err(failed("it was changed since the plan was made".to_owned()).hint("run it again"));
    }
    let Some(after) = after else {
        fs::remove_file(&target).map_err(|why| failed(why.to_string()))?;
        if let Some(folder) = target.parent().filter(|folder| *folder != root) {
            // One that holds more stays.
            let _ = fs::remove_dir(folder);
        }
        return Ok(Outcome::default());
    };
    if let Some(folder) = target.parent() {
        fs::create_dir_all(folder).map_err(|why| failed(why.to_string()))?;
    }
    let name = target.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let beside = Beside(target.with_file_name(format!("{name}.cleanslate-{}", std::process::id())));
    fs::write(&beside.0, after).map_err(|why| failed(why.to_string()))?;
    if let Ok(about) = fs::metadata(&target) {
        fs::set_permissions(&beside.0, about.permissions()).map_err(|why| failed(why.to_string()))?;
    } else if after.starts_with("#!") {
        let runs = fs::Permissions::from_mode(0o755);
        fs::set_permissions(&beside.0, runs).map_err(|why| failed(why.to_string()))?;
    }
    if let Some(recipes) = recipes {
        let earlier = before.map(|_| dump(root, &target)).transpose();
        let agreed = earlier.and_then(|earlier| Ok((earlier, dump(root, &beside.0)?)));
        let (earlier, later) = agreed.map_err(&failed)?;
        if let Some(strange) = beyond(earlier.as_ref(), &later, recipes) {
            return Err(failed(format!("more than intended would change: {strange}")));
        }
    }
    fs::rename(&beside.0, &target).map_err(|why| failed(why.to_string()))?;
    Ok(Outcome::default())
}

/// A file that is gone when nobody renamed it.
struct Beside(PathBuf);

impl Drop for Beside {
    fn drop(&mut self) {
        // After the rename there is none.
        let _ = fs::remove_file(&self.0);
    }
}

/// What differs between two dumps beyond the intended names.
fn beyond(earlier: Option<&Value>, later: &Value, intended: &[String]) -> Option<String> {
    let empty = Value::Null;
    let earlier = earlier.unwrap_or(&empty);
    for key in ["recipes", "aliases", "modules", "assignments", "settings"] {
        let names = |dump: &Value| -> BTreeSet<String> {
            dump.get(key)
                .and_then(Value::as_object)
                .into_iter()
                .flat_map(serde_json::Map::keys)
                .cloned()
                .collect()
        };
        let value = |dump: &Value, name: &str| dump.get(key).and_then(|all| all.get(name)).cloned();
        let all: BTreeSet<String> = names(earlier).union(&names(later)).cloned().collect();
        let is_new = earlier.is_null() && key == "settings";
        let strange = all
            .into_iter()
            .find(|name| !is_new && !intended.contains(name) && value(earlier, name) != value(later, name));
        if let Some(name) = strange {
            return Some(format!("`{name}` of the {key}"));
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_was_not_intended_is_found() {
        let before = json!({ "recipes": { "up": { "body": 1 }, "x": {} }, "settings": { "a": 1 } });
        let after = json!({ "recipes": { "up": { "body": 2 }, "x": {}, "new": {} }, "settings": { "a": 1 } });
        let intended = |names: &[&str]| names.iter().map(ToString::to_string).collect::<Vec<_>>();

        assert_eq!(beyond(Some(&before), &after, &intended(&["up", "new"])), None);
        assert_eq!(beyond(Some(&before), &after, &intended(&["new"])).unwrap(), "`up` of the recipes");
        assert!(beyond(Some(&before), &json!({ "recipes": {} }), &[]).is_some());
    }

    #[test]
    fn a_file_that_changed_since_is_left() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("a"), "theirs").unwrap();

        let fault = write(folder.path(), "a", (Some("seen"), Some("ours")), None).unwrap_err();

        assert!(fault.cause.unwrap().contains("changed since"));
        assert_eq!(fs::read_to_string(folder.path().join("a")).unwrap(), "theirs");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }
}
