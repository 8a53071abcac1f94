//! Which Compose to use, and what it makes of the project's files.

use std::path::Path;
use std::time::Duration;

use plan::{Compose, Config, Container, Exit, Fault};

use super::docker::{fault, lacks_compose, no_compose};
use super::model::Model;
use super::project::{self, Project};
use crate::program::{Program, Run};

const V2: [&str; 2] = ["docker", "compose"];
const V1: [&str; 1] = ["docker-compose"];

/// A Compose on this machine: its words and, as far as it is known, its version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Choice {
    pub program: Vec<String>,
    pub version: String,
}

impl Choice {
    fn of(words: &[&str], version: impl Into<String>) -> Self {
        Self { program: words.iter().map(ToString::to_string).collect(), version: version.into() }
    }

    fn is_v2(&self) -> bool {
        self.program.len() > 1
    }
}

/// The Composes to try, best first: the configured one alone; else the one that made the project's containers, since
/// another would make them all anew; else v2, then v1.
pub(super) fn choices(config: &Config, containers: &[&Container]) -> Vec<Choice> {
    if let Some(command) = &config.compose.command {
        return vec![Choice::of(&command.split_whitespace().collect::<Vec<_>>(), "")];
    }
    let made_by = containers.iter().find_map(|container| container.compose_version.as_deref());
    match made_by {
        Some(version) if version.starts_with("1.") => vec![Choice::of(&V1, version), Choice::of(&V2, "2")],
        Some(version) => vec![Choice::of(&V2, version), Choice::of(&V1, "1")],
        None => vec![Choice::of(&V2, "2"), Choice::of(&V1, "1")],
    }
}

/// What a Compose makes of the files.
pub(super) struct Described {
    pub choice: Choice,
    pub model: Model,
    /// As it printed it.
    pub text: String,
}

/// Reads the files through the first Compose that is there.
///
/// # Errors
/// No Compose is there, or it does not accept the files.
pub(super) fn describe(
    config: &Config,
    project: &Project,
    choices: &[Choice],
    limit: Duration,
) -> Result<Described, Fault> {
    let mut missing = "neither `docker compose` nor `docker-compose` is there".to_owned();
    for choice in choices {
        match printed(config, project, choice, limit) {
            Ok(text) => {
                let profiles = project::setting("COMPOSE_PROFILES", &project.folder).unwrap_or_default();
                let profiles: Vec<String> = profiles.split(',').map(|name| name.trim().to_owned()).collect();
                let model = Model::read(&text, &project.name, &profiles)?;
                return Ok(Described { choice: choice.clone(), model, text });
            }
            Err(run) if is_absent(&run) => missing = run.to_string(),
            Err(run) => return Err(refused(&run, project)),
        }
    }
    Err(no_compose(&missing))
}

fn printed(config: &Config, project: &Project, choice: &Choice, limit: Duration) -> Result<String, Run> {
    let program = command(config, &choice.program, project);
    if choice.is_v2() {
        // v2 leaves out what a profile switches off. What only a profile's service lacks does not matter here.
        match program.clone().args(["--profile", "*", "config"]).deadline(limit).output() {
            Ok(spoken) => return Ok(spoken.stdout),
            Err(run) if is_absent(&run) => return Err(run),
            Err(_) => {}
        }
    }
    program.arg("config").deadline(limit).output().map(|spoken| spoken.stdout)
}

fn is_absent(run: &Run) -> bool {
    match run {
        Run::Missing(program) => program != "docker",
        Run::Failed { said, .. } => lacks_compose(said),
        _ => false,
    }
}

/// Compose on this project, as a person in its folder would call it: what they start afterwards is the same then.
fn command(config: &Config, words: &[String], project: &Project) -> Program {
    let mut program = Program::words(words.iter().map(String::as_str)).folder(&project.folder);
    if config.compose.project.is_some() {
        program = program.args(["-p", &project.name]);
    }
    // An `-f` turns the automatic override off, so it is given only where Compose would read other files.
    let told = project::setting("COMPOSE_FILE", &project.folder).is_some();
    if told || project::by_default(&project.folder) != project.files {
        for file in &project.files {
            program = program.arg("-f").arg(file.as_os_str());
        }
    }
    program
}

/// As [`command`], for a project that was found.
pub(super) fn on(config: &Config, compose: &Compose) -> Program {
    let project = Project {
        name: compose.project.clone(),
        files: compose.files.clone(),
        folder: compose.folder.clone(),
    };
    command(config, &compose.program, &project)
}

/// Whether this is the first Compose. A `docker-compose` that made nothing here yet is asked.
pub(super) fn is_v1(config: &Config, compose: &Compose) -> bool {
    if compose.program.first().is_some_and(|program| program == "docker") {
        return false;
    }
    if compose.version.contains('.') {
        return compose.version.starts_with("1.");
    }
    let said = on(config, compose).args(["version", "--short"]).deadline(super::docker::ANSWER).output();
    said.is_ok_and(|spoken| spoken.stdout.trim_start_matches('v').starts_with("1."))
}

fn refused(run: &Run, project: &Project) -> Fault {
    let Run::Failed { said, .. } = run else { return fault(run, "the compose files were not read") };
    if let Some(file) = missing_env_file(said) {
        let fault = Fault::new(Exit::Usage, format!("env file `{file}` is missing"))
            .cause(said)
            .state("nothing was changed");
        let example = [".example", ".sample", ".dist"].map(|suffix| format!("{file}{suffix}"));
        return match example.iter().find(|example| Path::new(example).exists()) {
            Some(example) => {
                fault.hint(format!("cp {} {}", plan::words::shell(example), plan::words::shell(file)))
            }
            None => fault,
        };
    }
    let names = project.files.iter().filter_map(|file| file.file_name()).map(|name| name.to_string_lossy());
    Fault::new(Exit::Usage, format!("Compose does not accept {}", plan::words::list(names)))
        .cause(said)
        .state("nothing was changed")
}

/// `env file /x/.env not found: …` (v2), `Couldn't find env file: /x/.env` (v1).
fn missing_env_file(said: &str) -> Option<&str> {
    let v2 = || said.split_once("env file ")?.1.split_once(" not found").map(|(file, _)| file);
    let v1 = || said.split_once("Couldn't find env file: ")?.1.lines().next();
    v2().or_else(v1).map(str::trim)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_env_file_is_found_in_both_composes_words() {
        let v2 = "env file /x/.env not found: stat /x/.env: no such file or directory";

        assert_eq!(missing_env_file(v2), Some("/x/.env"));
        assert_eq!(missing_env_file("Couldn't find env file: /x/.env"), Some("/x/.env"));
        assert_eq!(missing_env_file("yaml: line 3: no"), None);
    }

    #[test]
    fn the_configured_command_is_the_only_choice() {
        let mut config = Config::default();
        config.compose.command = Some("docker-compose".to_owned());

        assert_eq!(choices(&config, &[]), [Choice::of(&V1, "")]);
        assert_eq!(choices(&Config::default(), &[]), [Choice::of(&V2, "2"), Choice::of(&V1, "1")]);
    }
}
