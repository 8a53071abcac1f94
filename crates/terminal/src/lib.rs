//! What a person sees and is asked, and what a script reads: plans, questions, progress, results, faults.
//!
//! Results go to stdout; plan, question, progress and errors to stderr. With `--json` stdout is one JSON object, or
//! one event a line, and there is no question. Text is written by pure functions; this file says where it goes.

mod json;
mod meter;
mod options;
mod paint;
mod progress;
mod question;
mod sheet;
mod text;
mod written;

use std::io::{self, Write as _};
use std::time::Duration;

use dialoguer::console::Term;
use plan::{Confirm, Disclosure, Event, Exit, Fault, Plan, Question, Report};
use serde_json::Value;

pub use options::{Color, Json, Options};
pub use text::visible;

use options::Streams;
use progress::{Manner, Progress};
use sheet::Sheet;

/// How to talk to whoever started the binary.
#[derive(Debug)]
pub struct Terminal {
    options: Options,
    streams: Streams,
    out: Sheet,
    err: Sheet,
    progress: Option<Progress>,
    /// How long each finished step took.
    times: Vec<Duration>,
    /// A plan that `--quiet` held back: a question is never asked without it.
    unshown: String,
    /// Why stdout does not take what is written to it.
    broken: Option<io::Error>,
}

impl Terminal {
    /// Looks at what stdin, stdout and stderr are.
    #[must_use]
    pub fn new(options: Options) -> Self {
        let streams = Streams::detect();
        Self {
            options,
            streams,
            out: options.sheet(&Term::stdout(), streams.stdout),
            err: options.sheet(&Term::stderr(), streams.stderr),
            progress: None,
            times: Vec::new(),
            unshown: String::new(),
            broken: None,
        }
    }

    /// Shows a plan before it is agreed to. One without steps has nothing to agree to: its facts are its result, and
    /// [`Self::report`] shows them.
    pub fn show(&mut self, plan: &Plan) {
        if plan.steps.is_empty() || self.options.json == Some(Json::Stream) {
            return;
        }
        let text = written::proposal(self.err, plan, self.options.verbose);
        if self.options.quiet {
            self.unshown = text;
        } else {
            write_err(&text);
        }
    }

    /// Asks a person. `None` where nobody can be asked: stdin and stderr have to be terminals, and `--json`, CI and
    /// hooks ask nobody. There is no time limit.
    ///
    /// # Errors
    /// The question could not be shown.
    pub fn ask(&mut self, question: &Question) -> Result<Option<bool>, Fault> {
        if !self.has_someone() {
            return Ok(None);
        }
        write_err(&std::mem::take(&mut self.unshown));
        question::ask(question).map(Some).map_err(|error| could_not_ask(&error))
    }

    /// Asks a person for what they may know. `None` where nobody can be asked, or nothing was answered.
    ///
    /// # Errors
    /// The question could not be shown, or was broken off.
    pub fn inquire(&mut self, question: &str) -> Result<Option<String>, Fault> {
        if !self.has_someone() {
            return Ok(None);
        }
        match question::inquire(question).map_err(|error| could_not_ask(&error))? {
            Some(answer) => Ok(Some(answer).filter(|answer| !answer.is_empty())),
            None => Err(Fault::new(Exit::Declined, "declined").state("nothing was changed")),
        }
    }

    fn has_someone(&self) -> bool {
        self.streams.stdin && self.streams.stderr && self.options.can_ask && self.options.json.is_none()
    }

    /// The whole plan as a result: nothing else will happen.
    ///
    /// # Errors
    /// stdout does not take it.
    pub fn dry_run(&mut self, plan: &Plan, confirm: Confirm) -> Result<(), Fault> {
        if let Some(how) = self.options.json {
            self.write_json(how, "planned", json::dry_run(plan, confirm));
        } else {
            self.write_out(&written::dry_run(self.out, plan, confirm));
            self.disclose(plan.discloses.as_ref().filter(|_| plan.steps.is_empty()));
        }
        self.written()
    }

    /// Listens to a plan at work.
    pub fn hear(&mut self, event: &Event<'_>) {
        if self.options.json == Some(Json::Stream) {
            let line = json::line(&json::event(event));
            self.write_out(&format!("{line}\n"));
        }
        if let Event::Planned { plan } = event {
            self.times.clear();
            let manner =
                Manner { sheet: self.err, draws: self.streams.can_draw(), verbose: self.options.verbose };
            let silent = self.options.quiet || self.options.json == Some(Json::Stream);
            self.progress = (!silent).then(|| Progress::begin(plan, manner));
        }
        if let Event::Finished { took, .. } = event {
            self.times.push(*took);
        }
        let Some(progress) = &mut self.progress else { return };
        match event {
            Event::Planned { .. } => {}
            Event::Started { step } => progress.start(*step),
            Event::Progress { done, total, .. } => progress.progress(*done, *total),
            Event::Said { line, .. } => progress.said(line),
            Event::Finished { step, outcome, took } => progress.finish(*step, outcome, *took),
            Event::Amended { action } => progress.amended(action),
            Event::Failed { .. } | Event::Ended { .. } => progress.end(),
        }
    }

    /// What came of a plan: results, and the way back last.
    ///
    /// # Errors
    /// stdout does not take it.
    pub fn report(&mut self, plan: &Plan, report: &Report) -> Result<(), Fault> {
        self.progress = None;
        if let Some(how) = self.options.json {
            let mut value = json::report(plan, report, &self.times);
            if let (Some(disclosure), Some(facts)) =
                (&plan.discloses, value.get_mut("facts").and_then(Value::as_object_mut))
            {
                facts.extend(disclosure.fields(self.streams.stdout));
            }
            self.write_json(how, "report", value);
        } else {
            if !self.options.quiet {
                write_err(&written::took(self.err, plan, report.took));
            }
            self.write_out(&written::results(self.out, plan, report));
            self.disclose(plan.discloses.as_ref());
        }
        self.written().map_err(|fault| {
            if plan.only_reads() { fault } else { fault.state("the plan itself was carried out") }
        })
    }

    /// Why it was not done: four lines on stderr, and with `--json` an object on stdout.
    pub fn fault(&mut self, fault: &Fault) {
        self.progress = None;
        if let Some(how) = self.options.json {
            self.write_json(how, "fault", json::fault(self.options.command, fault));
        }
        write_err(&written::fault(self.err, fault));
    }

    /// A program gets every byte; a person gets what a terminal only prints.
    fn disclose(&mut self, disclosure: Option<&Disclosure>) {
        let Some(disclosure) = disclosure else { return };
        let text = disclosure.text(self.streams.stdout);
        if !self.streams.stdout {
            return self.write_out(&text);
        }
        for line in text.lines() {
            self.write_out(&format!("{}\n", visible(line)));
        }
    }

    fn write_json(&mut self, how: Json, name: &str, value: Value) {
        let value = match how {
            Json::Object => value,
            Json::Stream => json::last(name, value),
        };
        self.write_out(&format!("{}\n", json::line(&value)));
    }

    fn write_out(&mut self, text: &str) {
        let mut out = io::stdout().lock();
        if let Err(error) = out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
            self.broken.get_or_insert(error);
        }
    }

    /// Whether stdout took all. A reader that has read enough (`| head`) is no failure.
    fn written(&mut self) -> Result<(), Fault> {
        match self.broken.take() {
            Some(error) if error.kind() != io::ErrorKind::BrokenPipe => {
                Err(Fault::new(Exit::Failed, "the result was not written to stdout").cause(error.to_string()))
            }
            _ => Ok(()),
        }
    }
}

/// A stderr that is gone is no reason to do, or to leave, anything.
fn write_err(text: &str) {
    let _ = io::stderr().lock().write_all(text.as_bytes());
}

fn could_not_ask(error: &io::Error) -> Fault {
    Fault::new(Exit::Unconfirmed, "could not ask").cause(error.to_string()).state("nothing was changed")
}
