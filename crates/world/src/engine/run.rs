//! Runs a command where a service's code is: in its container when that runs, in a passing one when it does not.

use plan::{Fault, Secret, guard};

use super::docker::docker;
use super::{Context, compose, server};
use crate::program::Program;

/// The program that runs `words` in a service with a variable set. Its value travels by inherited environment, never
/// in a command line.
///
/// # Errors
/// There is no such service.
pub(crate) fn in_service(
    context: &Context<'_>,
    service: &str,
    variable: (&str, Secret),
    words: &[&str],
) -> Result<Program, Fault> {
    let (name, value) = variable;
    let compose = &context.engine.compose;
    let container = server::container_of(context.engine, context.workspace, service);
    if let Some(container) = container.filter(|container| container.running) {
        let program = docker(["exec", "-e", name, container.id.as_str()]);
        return Ok(program.args(words.iter().copied()).env(name, value));
    }
    if !compose.services.is_empty() {
        guard::service(service, &compose.services)?;
    }
    let Some((first, rest)) = words.split_first() else { return Ok(docker(["version"])) };
    let program = compose::on(context.config, compose).args(["run", "--rm", "--no-deps", "-T"]);
    let program = program.args(["-e", name, "--entrypoint", first, service]);
    Ok(program.args(rest.iter().copied()).env(name, value))
}
