//! Runs a command where a service's code is: in its container when that runs, in a passing one when it does not.

use plan::{Fault, Secret, guard};

use super::docker::docker;
use super::{Context, compose, server};
use crate::program::Program;

/// The program that runs `words` in a service, with a variable set where one is given. Its value travels by inherited environment, never
/// in a command line.
///
/// # Errors
/// There is no such service.
pub(crate) fn in_service(
    context: &Context<'_>,
    service: &str,
    variable: Option<(&str, &Secret)>,
    words: &[&str],
) -> Result<Program, Fault> {
    let named = variable.iter().flat_map(|(name, _)| ["-e", name]).collect::<Vec<_>>();
    let given = |program: Program| match variable {
        Some((name, value)) => program.env(name, value.clone()),
        None => program,
    };
    let compose = &context.engine.compose;
    let container = server::container_of(context.engine, context.workspace, service);
    if let Some(container) = container.filter(|container| container.running) {
        let program = docker(["exec"]).args(named).arg(container.id.as_str());
        return Ok(given(program.args(words.iter().copied())));
    }
    if !compose.services.is_empty() {
        guard::service(service, &compose.services)?;
    }
    let Some((first, rest)) = words.split_first() else { return Ok(docker(["version"])) };
    let program = compose::on(context.config, compose).args(["run", "--rm", "--no-deps", "-T"]);
    let program = program.args(named).args(["--entrypoint", first, service]);
    Ok(given(program.args(rest.iter().copied())))
}
