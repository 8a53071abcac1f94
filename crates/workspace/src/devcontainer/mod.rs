//! The workspace's Dev Container: an existing devcontainer.json is edited, a missing one is made. Pure.

mod edit;
mod fresh;

use plan::{Detected, Files};

/// Where a devcontainer.json may be, and where one is made.
const PLACES: [&str; 2] = [".devcontainer/devcontainer.json", ".devcontainer.json"];
const MADE: &str = ".devcontainer/devcontainer.json";
/// What the container is, laid over the project's own compose files.
const LAID: &str = ".devcontainer/compose.yml";

/// The devcontainer.json that is there.
pub(crate) fn file(files: &Files) -> Option<&'static str> {
    PLACES.into_iter().find(|place| files.texts.contains_key(*place))
}

/// The files with the Feature in them, by path.
///
/// # Errors
/// Why the devcontainer.json that is there can't be edited.
pub(crate) fn wiring(
    found: &Detected,
    files: &Files,
    feature: &str,
) -> Result<Vec<(&'static str, String)>, String> {
    let there = file(files).and_then(|name| Some((name, files.texts.get(name)?)));
    if let Some((name, text)) = there {
        if fresh::is_ours(text) {
            return Ok(Vec::new());
        }
        return edit::with(text, feature)
            .map(|text| vec![(name, text)])
            .map_err(|why| format!("{name}: {why}"));
    }
    if files.texts.contains_key(LAID) {
        return Err(format!("{LAID} is there, and no devcontainer.json"));
    }
    let mut made = vec![(MADE, fresh::configuration(found, feature))];
    made.extend(fresh::compose(found).map(|text| (LAID, text)));
    Ok(made)
}

/// A file's path, its text now, and what stays of it.
type Unwired = (&'static str, String, Option<String>);

/// The files with nothing of ours in them.
pub(crate) fn unwiring(files: &Files) -> Vec<Unwired> {
    let Some((name, text)) = file(files).and_then(|name| Some((name, files.texts.get(name)?))) else {
        return Vec::new();
    };
    if fresh::is_ours(text) {
        let laid = files.texts.get(LAID).map(|text| (LAID, text.clone(), None));
        return std::iter::once((name, text.clone(), None)).chain(laid).collect();
    }
    let rest = edit::without(text);
    if rest == *text { Vec::new() } else { vec![(name, text.clone(), Some(rest))] }
}

#[cfg(test)]
mod tests {
    use plan::FoundDatabase;

    use super::*;

    fn found() -> Detected {
        Detected {
            project: "shop".to_owned(),
            compose_files: vec!["docker/compose.yml".to_owned()],
            database: Some(FoundDatabase { service: "db".to_owned(), ..FoundDatabase::default() }),
            env_files: vec![("back end/.env".to_owned(), "back end/.env.example".to_owned())],
            ..Detected::default()
        }
    }

    fn files(texts: &[(&str, &str)]) -> Files {
        let texts = texts.iter().map(|(path, text)| ((*path).to_owned(), (*text).to_owned()));
        Files { texts: texts.collect(), ..Files::default() }
    }

    #[test]
    fn where_there_is_none_one_is_made_and_taken_out_again() {
        let made = wiring(&found(), &Files::default(), "./cleanslate").unwrap();

        let [(MADE, json), (LAID, yaml)] = made.as_slice() else { panic!("{made:?}") };
        let read: serde_json::Value = serde_json::from_str(json).unwrap();
        assert_eq!(read["dockerComposeFile"], serde_json::json!(["../docker/compose.yml", "compose.yml"]));
        assert_eq!(
            read["initializeCommand"],
            "[ -e 'back end/.env' ] || cp 'back end/.env.example' 'back end/.env'"
        );
        assert!(yaml.contains("- ..:/workspaces/shop\n"), "from the first file's folder: {yaml}");
        let there = files(&[(MADE, json), (LAID, yaml)]);
        assert_eq!(wiring(&found(), &there, "./cleanslate").unwrap(), []);
        assert!(unwiring(&there).iter().all(|(_, _, rest)| rest.is_none()));
    }

    #[test]
    fn one_that_is_there_is_edited_and_comes_out_again() {
        let theirs = "{\n  \"image\": \"debian\" // small\n}\n";
        let there = files(&[(".devcontainer.json", theirs)]);

        let wired = wiring(&found(), &there, "./cleanslate").unwrap();

        let [(name, text)] = wired.as_slice() else { panic!("{wired:?}") };
        assert_eq!(*name, ".devcontainer.json");
        let back = unwiring(&files(&[(name, text)]));
        assert_eq!(back, [(".devcontainer.json", text.clone(), Some(theirs.to_owned()))]);
        assert!(unwiring(&there).is_empty());
    }

    #[test]
    fn a_file_like_the_one_that_we_make_is_not_taken_for_it() {
        let alone = Detected { project: "shop".to_owned(), ..Detected::default() };
        let made = wiring(&alone, &Files::default(), "./cleanslate").unwrap();
        let theirs =
            "{\n  \"name\": \"shop\",\n  \"image\": \"mcr.microsoft.com/devcontainers/base:debian\"\n}\n";
        let wired = wiring(&alone, &files(&[(MADE, theirs)]), "./cleanslate").unwrap();

        assert!(fresh::is_ours(&made[0].1) && !fresh::is_ours(&wired[0].1));
        assert_eq!(unwiring(&files(&[(MADE, &wired[0].1)]))[0].2.as_deref(), Some(theirs));
    }
}
