//! The journal: one JSON line for each thing that we did to a workspace, so that next day somebody can tell.

use std::fs::{self, File, OpenOptions};
use std::io::{IsTerminal as _, Write as _};
use std::os::unix::fs::OpenOptionsExt;

use jiff::Timestamp;
use plan::{Event, Logged, Workspace};
use rustix::process::getppid;
use serde_json::{Value, json};

/// How many of the last runs a log shows.
const SHOWN: usize = 50;

const FILE: &str = "journal.jsonl";

/// Writes events down. A journal that can't be written stops nobody's work.
#[derive(Debug)]
pub struct Journal {
    file: Option<File>,
}

impl Journal {
    #[must_use]
    pub fn open(workspace: &Workspace) -> Self {
        let path = workspace.state.join(FILE);
        Self { file: OpenOptions::new().append(true).create(true).mode(0o600).open(path).ok() }
    }

    /// Writes one event, before its step begins or after it ended. Progress and what programs say stay out.
    pub fn write(&mut self, event: &Event<'_>) {
        if matches!(event, Event::Progress { .. } | Event::Said { .. }) {
            return;
        }
        let mut line =
            json!({"at": Timestamp::now().to_string(), "process": std::process::id(), "event": event});
        if let (Event::Planned { .. }, Some(fields)) = (event, line.as_object_mut()) {
            fields.insert("by".to_owned(), by().into());
        }
        if let Some(file) = &mut self.file {
            // One write for a line: two runs never share one.
            let _ = file.write_all(format!("{line}\n").as_bytes());
        }
    }
}

/// Who started this run: the user, from a terminal or through which program.
fn by() -> String {
    let user =
        std::env::var("USER").unwrap_or_else(|_| format!("user {}", rustix::process::getuid().as_raw()));
    if std::io::stdin().is_terminal() {
        return format!("{user}, at a terminal");
    }
    let parent = getppid().map(|parent| format!("/proc/{}/comm", parent.as_raw_nonzero()));
    let parent = parent.and_then(|file| fs::read_to_string(file).ok());
    match parent {
        Some(parent) => format!("{user}, through {}", parent.trim()),
        None => user,
    }
}

/// The last runs, oldest first. Lines that can't be read are left out.
pub(crate) fn read(workspace: &Workspace) -> Vec<Logged> {
    let text = fs::read_to_string(workspace.state.join(FILE)).unwrap_or_default();
    let mut runs: Vec<(u64, Logged)> = Vec::new();
    for line in text.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok()) {
        let process = line.pointer("/process").and_then(Value::as_u64).unwrap_or(0);
        if word(&line, "/event/event") == "planned" {
            let run = Logged {
                at: word(&line, "/at").parse().unwrap_or(Timestamp::UNIX_EPOCH),
                command: word(&line, "/event/plan/again").to_owned(),
                subject: word(&line, "/event/plan/subject").to_owned(),
                by: word(&line, "/by").to_owned(),
                done: Vec::new(),
                end: None,
            };
            runs.push((process, run));
        } else if let Some((_, run)) = runs.iter_mut().rev().find(|(known, _)| *known == process) {
            tell(run, &line);
        }
    }
    let skipped = runs.len().saturating_sub(SHOWN);
    runs.into_iter().skip(skipped).map(|(_, run)| run).collect()
}

fn tell(run: &mut Logged, line: &Value) {
    match word(line, "/event/event") {
        "finished" if line.pointer("/event/outcome/idle") != Some(&Value::Bool(true)) => {
            let detail = word(line, "/event/outcome/detail");
            run.done.extend((!detail.is_empty()).then(|| detail.to_owned()));
        }
        "failed" => run.end = Some(format!("failed: {}", word(line, "/event/fault/error"))),
        "ended" => run.end = Some("done".to_owned()),
        _ => {}
    }
}

/// A text in a line; empty where there is none.
fn word<'a>(line: &'a Value, at: &str) -> &'a str {
    line.pointer(at).and_then(Value::as_str).unwrap_or_default()
}
