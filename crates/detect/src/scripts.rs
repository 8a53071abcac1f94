//! What the project's own scripts say: how they call Compose, and with which words they run a tool.

use crate::tree::{Tree, file_name, folder, has_ending, join};

/// A line of a script, and where it stands.
pub(crate) struct Line {
    /// The script's folder: paths in the line are seen from there.
    pub home: String,
    pub place: String,
    pub text: String,
}

/// Deeper folders are parts of the project, not the project.
const DEEPEST: usize = 2;

const NAMES: [&str; 22] = [
    "justfile",
    ".justfile",
    "makefile",
    "gnumakefile",
    "taskfile.yml",
    "taskfile.yaml",
    "package.json",
    "mise.toml",
    ".mise.toml",
    "composer.json",
    "mix.exs",
    "procfile",
    "procfile.dev",
    "run",
    "readme.md",
    "contributing.md",
    "development.md",
    "tasks.py",
    "noxfile.py",
    "tox.ini",
    "rakefile",
    "developing.md",
];

/// The lines of the project's scripts and of the pages that tell how to work on it, the scripts first.
pub(crate) fn lines(tree: &Tree<'_>) -> Vec<Line> {
    let mut files: Vec<(bool, usize, &str)> = tree
        .paths()
        .filter_map(|path| {
            let name = file_name(path).to_lowercase();
            let depth = path.matches('/').count();
            let in_scripts = ["bin", "scripts", "script", "dev"].contains(&folder(path)) && depth == 1;
            let is_shell =
                in_scripts && !has_ending(&name, ".md") && (has_ending(&name, ".sh") || !name.contains('.'));
            let is_named = depth <= DEEPEST && (NAMES.contains(&name.as_str()) || is_recipe_file(&name));
            (is_named || is_shell).then_some((has_ending(&name, ".md"), depth, path))
        })
        .collect();
    files.sort_unstable();
    let mut all = Vec::new();
    for (_, _, path) in files.into_iter().take(60) {
        let Some(text) = tree.text(path) else { continue };
        for (number, line) in text.lines().take(3_000).enumerate() {
            if line.len() < 2_000 {
                let place = format!("{path}:{}", number + 1);
                all.push(Line { home: folder(path).to_owned(), place, text: line.trim().to_owned() });
            }
        }
    }
    all
}

fn is_recipe_file(name: &str) -> bool {
    [".just", ".mk"].iter().any(|ending| name.ends_with(ending))
}

/// One call of Compose: the files it names, from the root, and the project's name.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Call {
    pub files: Vec<String>,
    pub project: Option<String>,
    pub place: String,
}

/// Every call of Compose that names files or a project.
pub(crate) fn compose_calls(tree: &Tree<'_>, lines: &[Line]) -> Vec<Call> {
    lines.iter().filter_map(|line| call(tree, line)).collect()
}

fn call(tree: &Tree<'_>, line: &Line) -> Option<Call> {
    let after =
        line.text.split_once("docker-compose ").or_else(|| line.text.split_once("docker compose "))?.1;
    let mut call = Call { files: Vec::new(), project: None, place: line.place.clone() };
    let mut words =
        after.split_whitespace().map(|word| word.trim_matches(['"', '\'', '`', ',', '\\', '(', ')']));
    while let Some(word) = words.next() {
        let (flag, value) = match word.split_once('=') {
            Some((flag, value)) if flag.starts_with("--") => (flag, Some(value)),
            _ => (word, None),
        };
        match flag {
            "-f" | "--file" => {
                let given = value.or_else(|| words.next())?;
                // A script may stand anywhere and be called from the root.
                let found = [line.home.as_str(), ""].into_iter().filter_map(|home| join(home, given));
                call.files.extend(found.into_iter().find(|path| tree.has(path)));
            }
            "-p" | "--project-name" => {
                let given = value.or_else(|| words.next())?;
                call.project =
                    Some(given.to_owned()).filter(|name| !name.is_empty() && !name.contains(['$', '{', '<']));
            }
            "--env-file" | "--profile" | "--project-directory" if value.is_none() => drop(words.next()),
            flag if flag.starts_with("--") => {}
            _ => break,
        }
    }
    (!call.files.is_empty() || call.project.is_some()).then_some(call)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_call_of_compose_names_its_files() {
        let tree = Tree::new("x", ["a.yml", "dev/b.yml"].map(str::to_owned), |_| Ok(String::new()));
        let line = |text: &str| Line {
            home: "dev".to_owned(),
            place: "dev/run:1".to_owned(),
            text: text.to_owned(),
        };

        let found = call(&tree, &line("docker compose --profile x -f ./a.yml -f b.yml -p shop up -d -p 3"));

        let expected = Call {
            files: vec!["a.yml".to_owned(), "dev/b.yml".to_owned()],
            project: Some("shop".to_owned()),
            place: "dev/run:1".to_owned(),
        };
        assert_eq!(found, Some(expected));
        assert_eq!(call(&tree, &line("docker compose up -f nothing")), None);
    }
}
