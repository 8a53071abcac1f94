//! The one way through: config → discover → plan → confirm → execute → report.

use std::process::ExitCode;

use plan::{Approved, Confirm, Exit, Fault, Flags, Plan, Report, approve, execute};
use terminal::Terminal;
use world::{Found, Journal, Options, Real};

use crate::{Color, Command, Json, help};

/// Runs a command to its exit code.
#[must_use]
pub fn main<C: Command>() -> ExitCode {
    let command = match C::from_arg_matches(&help::on_one_screen(C::command()).get_matches()) {
        Ok(command) => command,
        Err(error) => error.exit(),
    };
    let mut terminal = Terminal::new(options(&command));
    let alone = world::surroundings::leave_behind()
        .map_err(|why| Fault::new(Exit::Failed, "cleanslate did not start").cause(why.to_string()));
    match alone.and_then(|()| run(&command, &mut terminal)) {
        Ok(code) => code,
        Err(fault) => {
            terminal.fault(&fault);
            ExitCode::from(if command.forgives() { 0 } else { fault.exit as u8 })
        }
    }
}

fn run<C: Command>(command: &C, terminal: &mut Terminal) -> Result<ExitCode, Fault> {
    let shared = command.shared();
    let wants = plan::Wants { lock: command.wants().lock && !shared.dry_run, ..command.wants() };
    world::interrupt::listen();
    let options = Options { root: shared.root.clone(), timeout: shared.timeout, command: C::NAME };
    let mut found = world::discover(&options, wants)?;
    if !shared.dry_run && !shared.consent().yes {
        for unknown in command.unknown(&found.world) {
            if let Some(answer) = terminal.inquire(&unknown.question)? {
                (unknown.learn)(&mut found.world, answer);
            }
        }
    }
    if let Some(mend) = plan::mend(C::NAME, &found.world).filter(|_| wants.lock) {
        carry_out(&unasked(mend, &found)?, &found, shared.timeout, terminal)?;
        found = look_again(&options, wants, &mut found)?;
    }
    let mut first = command.prepare(&found.config, &found.world)?;
    if first.is_some() && !wants.lock && !shared.dry_run {
        // One run makes what many want at once; those that waited for it find it made.
        found = world::discover(&options, plan::Wants { lock: true, ..wants })?;
        first = command.prepare(&found.config, &found.world)?;
    }
    let Some(first) = first else {
        found.held = found.held.filter(|_| wants.lock);
        return finish(command, &found, terminal);
    };
    if shared.dry_run {
        return show(first, &found, terminal);
    }
    let first = unasked(first, &found)?;
    carry_out(&first, &found, shared.timeout, terminal)?;
    let done = look_again(&options, wants, &mut found).and_then(|again| finish(command, &again, terminal));
    if done.is_err() && wants.lock {
        plan::withdraw(&first, &mut Real::new(&found, shared.timeout));
    }
    done
}

/// What destroys nothing, and only makes it possible to plan.
fn unasked(plan: Plan, found: &Found) -> Result<Approved, Fault> {
    approve(named(plan, found), Confirm::Loss, &Flags::default(), |_| Ok(None))
}

/// After something was made: everything is looked at anew, under the same hold on the workspace.
fn look_again(options: &Options, wants: plan::Wants, found: &mut Found) -> Result<Found, Fault> {
    let held = found.held.take().filter(|_| wants.lock);
    let mut again = world::discover(options, plan::Wants { lock: false, ..wants })?;
    again.held = held;
    Ok(again)
}

fn finish<C: Command>(command: &C, found: &Found, terminal: &mut Terminal) -> Result<ExitCode, Fault> {
    let shared = command.shared();
    let plan = command.plan(&found.config, &found.world)?;
    if shared.dry_run {
        return show(plan, found, terminal);
    }
    let plan = named(plan, found);
    let confirm = found.config.confirm.unwrap_or(Confirm::Loss);
    terminal.show(&plan);
    let approved = approve(plan, confirm, &shared.consent(), |question| terminal.ask(question))?;
    let report = carry_out(&approved, found, shared.timeout, terminal).map_err(|fault| {
        if command.is_hook() && fault.exit == Exit::Failed { fault.or_hint(mended(found)) } else { fault }
    })?;
    terminal.report(approved.plan(), &report)?;
    // A program that was run for the user, and failed without stopping the plan.
    let code =
        report.outcomes.iter().find_map(|outcome| outcome.code).and_then(|code| u8::try_from(code).ok());
    let found = (!approved.plan().findings.is_empty()).then_some(Exit::Differs as u8);
    Ok(code.or(found).map_or(ExitCode::SUCCESS, ExitCode::from))
}

/// Whoever reads what a hook says may not know what called it.
fn mended(found: &Found) -> String {
    let again = found.world.workspace.command("ensure");
    format!("mend that, then {again}; the next start of a dev container calls it too")
}

fn carry_out(
    approved: &Approved,
    found: &Found,
    timeout: std::time::Duration,
    terminal: &mut Terminal,
) -> Result<Report, Fault> {
    let mut journal = journal(approved, &found.world.workspace);
    let mut machine = Real::new(found, timeout);
    execute(approved, &mut machine, &mut |event| {
        if let Some(journal) = &mut journal {
            journal.write(event);
        }
        terminal.hear(event);
    })
}

fn show(plan: Plan, found: &Found, terminal: &mut Terminal) -> Result<ExitCode, Fault> {
    terminal.dry_run(&named(plan, found), found.config.confirm.unwrap_or(Confirm::Loss))?;
    Ok(ExitCode::SUCCESS)
}

fn named(plan: Plan, found: &Found) -> Plan {
    Plan { again: again(plan.command, &found.world.workspace), ..plan }
}

/// This command line as the person would type it again.
fn again(name: &str, workspace: &plan::Workspace) -> String {
    let command = workspace.command(name.trim_start_matches("slate-"));
    let arguments = std::env::args().skip(1).map(|argument| plan::words::shell(&argument));
    plan::masked(&std::iter::once(command).chain(arguments).collect::<Vec<_>>().join(" "), &[])
}

/// What only reads leaves no trace.
fn journal(approved: &Approved, workspace: &plan::Workspace) -> Option<Journal> {
    let plan: &Plan = approved.plan();
    (!plan.only_reads()).then(|| Journal::open(workspace))
}

fn options<C: Command>(command: &C) -> terminal::Options {
    let shared = command.shared();
    let in_ci = std::env::var_os("CI").is_some_and(|value| !value.is_empty() && value != "false");
    terminal::Options {
        command: C::NAME,
        json: shared.json.map(|how| match how {
            Json::Object => terminal::Json::Object,
            Json::Stream => terminal::Json::Stream,
        }),
        quiet: shared.quiet,
        verbose: shared.verbose,
        color: match (shared.color, std::env::var_os("NO_COLOR")) {
            (Color::Always, _) => terminal::Color::Always,
            (Color::Never, _) => terminal::Color::Never,
            (Color::Auto, Some(value)) if !value.is_empty() => terminal::Color::Never,
            (Color::Auto, _) => terminal::Color::Auto,
        },
        can_ask: !in_ci && !command.is_hook(),
    }
}
