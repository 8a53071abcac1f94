//! Speaks to the engine through `docker`, and turns what it says into faults.

use std::path::Path;
use std::time::Duration;

use plan::{Exit, Fault};

use crate::program::{Program, Run, Spoken};

/// Longest wait for an answer that the engine has at hand.
pub(super) const ANSWER: Duration = Duration::from_secs(30);

pub(super) fn docker<'a>(words: impl IntoIterator<Item = &'a str>) -> Program {
    Program::new("docker").args(words)
}

/// Asks the engine something that it has at hand.
pub(super) fn ask<'a>(error: &str, words: impl IntoIterator<Item = &'a str>) -> Result<String, Fault> {
    let spoken = docker(words).deadline(ANSWER).output().map_err(|run| fault(&run, error))?;
    Ok(spoken.stdout)
}

/// As [`ask`], where "there is no such thing" is an answer too.
pub(super) fn ask_for<'a>(
    error: &str,
    words: impl IntoIterator<Item = &'a str>,
) -> Result<Option<String>, Fault> {
    match docker(words).deadline(ANSWER).output() {
        Ok(spoken) => Ok(Some(spoken.stdout)),
        Err(run) if is_missing(&run) => Ok(None),
        Err(run) => Err(fault(&run, error)),
    }
}

/// Changes something: goes on to its end although somebody wants us to stop, since half of it helps nobody.
pub(super) fn change<'a>(words: impl IntoIterator<Item = &'a str>) -> Result<Spoken, Run> {
    docker(words).unstoppable().output()
}

/// The engine says that it does not have it.
pub(super) fn is_missing(run: &Run) -> bool {
    let words = ["No such", "no such volume", "not found", "no such container", "no such network"];
    matches!(run, Run::Failed { said, .. } if words.iter().any(|word| said.contains(word)))
}

/// What a program's failure means, with the exit code it asks for.
pub(super) fn fault(run: &Run, error: impl Into<String>) -> Fault {
    match run {
        Run::Missing(program) => missing(program),
        Run::Interrupted => Fault::new(Exit::Declined, "interrupted"),
        Run::Late { .. } => {
            Fault::new(Exit::NotReady, "Docker gives no answer").cause(run.to_string()).hint("docker info")
        }
        Run::Failed { said, .. } if is_down(said) => down(said),
        Run::Failed { said, .. } if lacks_compose(said) => no_compose(last_line(said)),
        Run::Failed { said, .. } => Fault::new(Exit::Failed, error).cause(said),
        Run::Start { .. } => Fault::new(Exit::Failed, error).cause(run.to_string()),
    }
}

fn missing(program: &str) -> Fault {
    let fault = Fault::new(Exit::NotReady, format!("`{program}` is not installed"))
        .cause(format!("`{program}` is not on PATH"));
    match program {
        "docker" => fault.hint("https://docs.docker.com/engine/install tells how, for each system"),
        "docker-compose" => no_compose("`docker-compose` is not on PATH"),
        _ => fault,
    }
}

/// Neither Compose is there.
pub(super) fn no_compose(cause: &str) -> Fault {
    Fault::new(Exit::NotReady, "Compose is missing").cause(cause).hint(if cfg!(target_os = "macos") {
        "brew install docker-compose"
    } else {
        "sudo apt-get install docker-compose-plugin"
    })
}

/// This `docker` has no `compose`.
pub(super) fn lacks_compose(said: &str) -> bool {
    let words = [
        "'compose' is not a docker command",
        "unknown command: docker compose",
        "unknown shorthand flag",
        "unknown flag: --profile",
        "unknown flag: --project",
    ];
    words.iter().any(|word| said.contains(word))
}

fn is_down(said: &str) -> bool {
    let words = [
        "Cannot connect to the Docker daemon",
        "Couldn't connect to Docker daemon",
        "Is the docker daemon running",
        "permission denied while trying to connect",
        "error during connect",
        "Error while fetching server API version",
        "failed to connect to the docker API",
    ];
    words.iter().any(|word| said.contains(word))
}

fn down(said: &str) -> Fault {
    let hint = if said.contains("permission denied") || said.contains("Permission denied") {
        "sudo usermod -aG docker \"$USER\", then log in again"
    } else if cfg!(target_os = "macos") {
        "open -a Docker"
    } else if Path::new("/run/systemd/system").exists() {
        "sudo systemctl start docker"
    } else {
        "sudo service docker start"
    };
    Fault::new(Exit::NotReady, "Docker does not answer").cause(last_line(said)).hint(hint)
}

pub(super) fn last_line(said: &str) -> &str {
    said.lines().map(str::trim).rfind(|line| !line.is_empty()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn failed(said: &str) -> Run {
        Run::Failed { program: "docker ps".to_owned(), code: 1, said: said.to_owned() }
    }

    #[test]
    fn an_engine_that_is_down_is_not_ready() {
        let said =
            "Cannot connect to the Docker daemon at unix:///run/docker.sock. Is the docker daemon running?";

        let fault = fault(&failed(said), "containers were not listed");

        assert_eq!((fault.exit, fault.error.as_str()), (Exit::NotReady, "Docker does not answer"));
        assert!(fault.hint.is_some());
    }

    #[test]
    fn a_docker_without_compose_is_named() {
        for said in ["docker: 'compose' is not a docker command.", "unknown shorthand flag: 'p' in -p"] {
            assert_eq!(fault(&failed(said), "").error, "Compose is missing");
        }
    }

    #[test]
    fn a_missing_docker_is_not_ready() {
        assert_eq!(fault(&Run::Missing("docker".to_owned()), "").error, "`docker` is not installed");
        assert_eq!(fault(&Run::Missing("docker-compose".to_owned()), "").error, "Compose is missing");
    }
}
