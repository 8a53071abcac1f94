//! The journal: one JSON line for each thing that we did to a workspace, so that next day somebody can tell.

use std::fs::{File, OpenOptions};
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt;

use jiff::Timestamp;
use plan::{Event, Workspace};
use serde_json::json;

/// Writes events down. A journal that can't be written stops nobody's work.
#[derive(Debug)]
pub struct Journal {
    file: Option<File>,
}

impl Journal {
    #[must_use]
    pub fn open(workspace: &Workspace) -> Self {
        let path = workspace.state.join("journal.jsonl");
        Self { file: OpenOptions::new().append(true).create(true).mode(0o600).open(path).ok() }
    }

    /// Writes one event, before its step begins or after it ended. Progress and what programs say stay out.
    pub fn write(&mut self, event: &Event<'_>) {
        if matches!(event, Event::Progress { .. } | Event::Said { .. }) {
            return;
        }
        let line = json!({"at": Timestamp::now().to_string(), "process": std::process::id(), "event": event});
        if let Some(file) = &mut self.file {
            // One write for a line: two runs never share one.
            let _ = file.write_all(format!("{line}\n").as_bytes());
        }
    }
}
