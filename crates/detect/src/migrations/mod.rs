//! The migration tool: what it is, where its files lie, and with which words the project applies them.

mod files;
mod javascript;
mod others;
mod python;

use crate::compose::service::Service;
use crate::compose::stack::Stack;
use crate::scripts::Line;
use crate::tree::{Tree, folder, words};

/// One way of migrating that was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Candidate {
    pub tool: &'static str,
    pub dir: String,
    /// The folder that the tool is called in.
    pub home: String,
    pub files: usize,
    /// What a project says that uses it, where nothing of its own was found.
    pub command: String,
    /// Words that a script must have for its line to be the command.
    pub marks: &'static [&'static str],
    pub because: String,
    /// How sure the sign is, and how much of the whole project the tool tells: a framework's own is more than a folder.
    pub weight: i32,
}

/// What was chosen, with the command.
pub(crate) struct Chosen {
    pub candidate: Candidate,
    pub command: String,
    pub command_because: String,
    pub service: Option<String>,
    /// A service that applies them when it starts.
    pub at_start: Option<String>,
}

/// The migrations of the application that uses the database.
pub(crate) fn choose(
    tree: &Tree<'_>,
    stack: Option<&Stack>,
    backend: Option<&str>,
    lines: &[Line],
) -> Option<Chosen> {
    let mut all = python::candidates(tree);
    all.extend(others::candidates(tree));
    all.extend(javascript::candidates(tree));
    all.extend(files::candidates(tree));
    let context =
        backend.and_then(|name| stack?.service(name)?.build.as_ref()).map(|build| build.context.clone());
    let mut best: Option<(i32, Candidate)> = None;
    for candidate in all {
        let rank = rank(tree, &candidate, backend, context.as_deref(), lines);
        if best.as_ref().is_none_or(|(most, _)| rank > *most) {
            best = Some((rank, candidate));
        }
    }
    let (rank, candidate) = best?;
    if rank <= LEAST {
        return None;
    }
    Some(with_command(candidate, stack, backend, lines))
}

/// Below this it is a guess.
const LEAST: i32 = -20;

/// Parts of a path that say that these are not the application's own migrations.
const ASIDE: [&str; 21] = [
    "test",
    "tests",
    "testing",
    "testdata",
    "example",
    "examples",
    "fixtures",
    "e2e",
    "clickhouse",
    "sqlite",
    "sqlite3",
    "mysql",
    "mariadb",
    "mssql",
    "mongo",
    "mongodb",
    "cassandra",
    "scylla",
    "oracle",
    "cockroach",
    "duckdb",
];

/// As [`ASIDE`], where it is the whole of a folder's name: a project may be called after documents.
const ASIDE_WHOLE: [&str; 16] = [
    "docs",
    "doc",
    "demo",
    "sample",
    "samples",
    "template",
    "templates",
    "bench",
    "benchmarks",
    "sdk",
    "sdks",
    "spec",
    "stubs",
    "playground",
    "tutorial",
    "legacy",
];

fn rank(
    tree: &Tree<'_>,
    candidate: &Candidate,
    backend: Option<&str>,
    context: Option<&str>,
    lines: &[Line],
) -> i32 {
    let mut rank = candidate.weight;
    let parts: Vec<&str> = candidate.dir.split('/').collect();
    for part in &parts {
        if says_aside(tree, part) {
            rank -= 70;
        }
    }
    rank -= i32::try_from(parts.len().min(8)).unwrap_or(8);
    let many = usize::BITS - candidate.files.min(512).leading_zeros();
    rank += i32::try_from(many).unwrap_or(0) * 2;
    if candidate.files == 0 {
        rank -= 12;
    }
    let in_context = context
        .is_some_and(|context| !context.is_empty() && candidate.dir.starts_with(&format!("{context}/")));
    if in_context || backend.is_some_and(|name| parts.iter().any(|part| part == &name)) {
        rank += 15;
    }
    if parts.iter().any(|part| ["postgres", "postgresql", "pg", "migrations_postgres"].contains(part)) {
        rank += 4;
    }
    let says = |line: &&Line| candidate.marks.iter().all(|mark| line.text.contains(mark));
    if !candidate.marks.is_empty() && lines.iter().any(|line| says(&line)) {
        rank += 6;
    }
    rank
}

fn with_command(
    candidate: Candidate,
    stack: Option<&Stack>,
    backend: Option<&str>,
    lines: &[Line],
) -> Chosen {
    let says =
        |text: &str| !candidate.marks.is_empty() && candidate.marks.iter().all(|mark| text.contains(mark));
    let services = stack.map(|stack| stack.services.as_slice()).unwrap_or_default();
    let starts = services.iter().find(|service| {
        let texts = [service.command.as_deref(), service.entrypoint.as_deref()];
        texts.into_iter().flatten().any(&says)
    });
    // An image that is the tool itself: only there is it called so.
    let runner = services.iter().find(|service| program_of(service, candidate.tool).is_some());
    let starts = runner.or(starts);
    let own = services.iter().find(|service| backend == Some(service.name.as_str()));
    let service = runner.or(own).or(starts).map(|service| service.name.clone());
    let in_script = || {
        let line = lines.iter().find(|line| says(&line.text) && is_plain(&line.text))?;
        Some((words_of(&line.text), format!("{}, {}", line.text.trim_start_matches('@'), line.place)))
    };
    let in_service = || {
        let service = starts?;
        let place = stack?.place(&service.name, "command");
        let because = format!("the command of {} in {place}", service.name);
        if let (Some(program), Some(arguments)) = (program_of(service, candidate.tool), &service.command) {
            let is_there = arguments.split_whitespace().next() == Some(program);
            return Some((
                if is_there { arguments.clone() } else { format!("{program} {arguments}") },
                because,
            ));
        }
        let text = service.command.as_deref().filter(|text| says(text)).or(service.entrypoint.as_deref())?;
        Some((part_of(text, candidate.marks), because))
    };
    let default = || (candidate.command.clone(), format!("how {} is called", candidate.tool));
    let (command, command_because) = match &service {
        // In a container the project's own wrappers need not be there.
        Some(_) => in_service().unwrap_or_else(default),
        None => in_script().unwrap_or_else(default),
    };
    let at_start = starts.map(|service| service.name.clone());
    Chosen { candidate, command, command_because, service, at_start }
}

/// The program that a service's image starts, where the image is this tool's own: `flyway/flyway`, `migrate/migrate`.
fn program_of<'s>(service: &'s Service, tool: &str) -> Option<&'s str> {
    let image = service.image.as_deref()?.split(['@', ':']).next()?;
    let last = image.rsplit('/').next()?;
    (service.build.is_none()
        && (last == tool || tool == "golang-migrate" && image.ends_with("migrate/migrate")))
    .then_some(last)
}

/// What a line that is a command begins with.
const PROGRAMS: [&str; 40] = [
    "alembic",
    "flask",
    "python",
    "python3",
    "uv",
    "poetry",
    "pipenv",
    "pdm",
    "hatch",
    "rye",
    "cargo",
    "sqlx",
    "diesel",
    "bin/rails",
    "./bin/rails",
    "rails",
    "rake",
    "bundle",
    "mix",
    "npx",
    "npm",
    "yarn",
    "pnpm",
    "bun",
    "bunx",
    "php",
    "dbmate",
    "goose",
    "migrate",
    "sql-migrate",
    "flyway",
    "liquibase",
    "refinery",
    "go",
    "./manage.py",
    "manage.py",
    "knex",
    "prisma",
    "./gradlew",
    "./mvnw",
];

/// A line that is a command and nothing else.
fn is_plain(text: &str) -> bool {
    let text = words_of(text);
    let is_program = text.split(' ').next().is_some_and(|word| PROGRAMS.contains(&word));
    is_program
        && !text.contains(['{', '$', '`', '|', ';', '<'])
        && text.len() < 160
        && !text.ends_with([':', '.'])
}

fn words_of(text: &str) -> String {
    text.trim_start_matches(['@', '-', ' ']).trim().to_owned()
}

/// Of `sh -c "a && b"` the part that migrates.
fn part_of(text: &str, marks: &[&str]) -> String {
    let parts = text.split("&&").flat_map(|part| part.split([';', '\n']));
    let found = parts.into_iter().find(|part| marks.iter().all(|mark| part.contains(mark))).unwrap_or(text);
    let found = found.trim().trim_matches(['"', '\'']);
    let inner = ["-c ", "-lc ", "-ec "]
        .iter()
        .find_map(|flag| found.split_once(flag).map(|(_, inner)| inner))
        .filter(|_| found.contains("sh "));
    inner.unwrap_or(found).trim().trim_matches(['"', '\'']).to_owned()
}

/// A folder's name that stands for a whole set of databases is none of ours.
pub(crate) fn is_aside(tree: &Tree<'_>, path: &str) -> bool {
    folder(path).split('/').any(|part| says_aside(tree, part))
}

/// A word of the project's own name says nothing: all of `shop-example` may lie in `shop_example`.
fn says_aside(tree: &Tree<'_>, part: &str) -> bool {
    let own = |word: &str| words(&tree.name).any(|own| own == word);
    ASIDE_WHOLE.contains(&part.to_lowercase().as_str())
        || words(part).any(|word| ASIDE.contains(&word.as_str()) && !own(&word))
}
