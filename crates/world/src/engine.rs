//! stub
use crate::Program;
use plan::*;
use std::time::Duration;
pub(crate) struct Context<'a> {
    pub config: &'a Config,
    pub workspace: &'a Workspace,
    pub engine: &'a Engine,
    pub timeout: Duration,
}
fn no() -> Fault {
    Fault::new(Exit::NotReady, "no engine")
}
pub(crate) fn discover(_: &Config, _: &Workspace, _: Wants, _: Duration) -> Result<Engine, Fault> {
    Err(no())
}
pub(crate) fn server(_: &Config, _: &Workspace, _: &Engine) -> Result<Option<Server>, Fault> {
    Err(no())
}
pub(crate) fn has_files(_: &Config, _: &Workspace) -> bool {
    false
}
pub(crate) fn perform(_: &Action, _: &Context<'_>, _: &mut dyn FnMut(Said<'_>)) -> Result<Outcome, Fault> {
    Err(no())
}
pub(crate) fn verify(_: &Context<'_>, _: &Expect) -> Result<(), Fault> {
    Err(no())
}
pub(crate) fn look(_: &Context<'_>, _: &VolumeName) -> Result<Vec<String>, Fault> {
    Err(no())
}
pub(crate) fn lives(_: &Context<'_>) -> Result<(), Fault> {
    Err(no())
}
pub(crate) fn database_container(_: &Engine) -> Option<&str> {
    None
}
pub(crate) fn in_service(_: &Context<'_>, _: &str, _: (&str, Secret), _: &[&str]) -> Result<Program, Fault> {
    Err(no())
}
pub(crate) fn variable(_: &Context<'_>, _: &str, _: &str) -> Option<Secret> {
    None
}
pub(crate) fn await_service(_: &Context<'_>, _: &str, _: &mut dyn FnMut(Said<'_>)) -> Result<Outcome, Fault> {
    Err(no())
}
