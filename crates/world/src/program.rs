//! Runs other programs: no terminal for their input, a process group of their own, a deadline, and no secret in argv.

use std::ffi::OsString;
use std::fs::File;
use std::io::{BufRead, BufReader};
use std::os::fd::OwnedFd;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::time::{Duration, Instant};

use duct::{Expression, Handle};
use plan::{Secret, masked};
use rustix::process::{Pid, Signal, kill_process_group};

use crate::interrupt;
use crate::workspace::Held;

/// How soon an interrupt is noticed while a program runs. A program's end is noticed at once.
const NOTICE: Duration = Duration::from_millis(20);

/// A program to be run.
#[derive(Debug, Clone)]
pub struct Program {
    name: String,
    arguments: Vec<OsString>,
    environment: Vec<(String, Secret)>,
    plain: Vec<(String, OsString)>,
    folder: Option<PathBuf>,
    stdin: Option<Vec<u8>>,
    deadline: Option<Duration>,
    account: Option<(u32, u32)>,
    unstoppable: bool,
    holds: Option<Held>,
    input: Option<Arc<File>>,
    output: Option<Arc<File>>,
}

/// Why a program gave us nothing.
#[derive(Debug, thiserror::Error)]
pub enum Run {
    #[error("`{0}` is not on PATH")]
    Missing(String),
    #[error("`{program}` could not be started: {why}")]
    Start { program: String, why: std::io::Error },
    #[error("`{program}` gave no answer within {} s", limit.as_secs())]
    Late { program: String, limit: Duration },
    #[error("interrupted")]
    Interrupted,
    #[error("{said}")]
    Failed { program: String, code: i32, said: String },
}

/// What a program said before it ended with 0.
#[derive(Debug, Clone, Default)]
pub struct Spoken {
    pub stdout: String,
    pub stderr: String,
}

impl Program {
    pub fn new(name: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            arguments: Vec::new(),
            environment: Vec::new(),
            plain: Vec::new(),
            folder: None,
            stdin: None,
            deadline: None,
            account: None,
            unstoppable: false,
            holds: None,
            input: None,
            output: None,
        }
    }

    /// A program and its first arguments, as in `["docker", "compose"]`.
    pub fn words<'a>(words: impl IntoIterator<Item = &'a str>) -> Self {
        let mut words = words.into_iter();
        Self::new(words.next().unwrap_or_default()).args(words)
    }

    #[must_use]
    pub fn arg(mut self, argument: impl Into<OsString>) -> Self {
        self.arguments.push(argument.into());
        self
    }

    #[must_use]
    pub fn args<A: Into<OsString>>(mut self, arguments: impl IntoIterator<Item = A>) -> Self {
        self.arguments.extend(arguments.into_iter().map(Into::into));
        self
    }

    /// Adds a variable to the environment it inherits.
    #[must_use]
    pub fn variable(mut self, name: impl Into<String>, value: impl Into<OsString>) -> Self {
        self.plain.push((name.into(), value.into()));
        self
    }

    /// Adds a secret to the environment it inherits. What it holds is masked in everything the program says.
    #[must_use]
    pub fn env(mut self, name: impl Into<String>, value: Secret) -> Self {
        self.environment.push((name.into(), value));
        self
    }

    #[must_use]
    pub fn folder(mut self, folder: impl AsRef<Path>) -> Self {
        self.folder = Some(folder.as_ref().to_owned());
        self
    }

    #[must_use]
    pub fn stdin(mut self, bytes: impl Into<Vec<u8>>) -> Self {
        self.stdin = Some(bytes.into());
        self
    }

    /// For a program that only looks. Work that makes progress has no deadline.
    #[must_use]
    pub fn deadline(mut self, limit: Duration) -> Self {
        self.deadline = Some(limit);
        self
    }

    /// Runs it as this user and group, which only root can.
    #[must_use]
    pub fn account(mut self, account: Option<(u32, u32)>) -> Self {
        self.account = account;
        self
    }

    /// Goes on although somebody wants us to stop: for a short change, and for taking one back.
    #[must_use]
    pub fn unstoppable(mut self) -> Self {
        self.unstoppable = true;
        self
    }

    /// Has it hold the workspace with us, as its input: should we be killed, the next run waits until it has ended too.
    /// For a program that reads no input, and leaves nothing running behind.
    #[must_use]
    pub fn holds(mut self, held: Option<&Held>) -> Self {
        self.holds = held.cloned();
        self
    }

    /// Has it read this file, or this end of a pipe. What it has read of a file moves our own place in it, too.
    #[must_use]
    pub(crate) fn reads(mut self, file: impl Into<OwnedFd>) -> Self {
        self.input = Some(Arc::new(File::from(file.into())));
        self
    }

    /// Has it write what it prints into this file, or this end of a pipe.
    #[must_use]
    pub(crate) fn writes(mut self, file: impl Into<OwnedFd>) -> Self {
        self.output = Some(Arc::new(File::from(file.into())));
        self
    }

    /// Runs it to its end.
    ///
    /// # Errors
    /// See [`Run`]; an exit code other than 0 is [`Run::Failed`].
    pub fn output(&self) -> Result<Spoken, Run> {
        let stoppable = self.is_stoppable();
        let handle = self.start(&self.expression().stdout_capture().stderr_capture())?;
        self.wait(&handle, stoppable)?;
        let output = handle.into_output().map_err(|why| self.not_started(why))?;
        let spoken = Spoken { stdout: text(&output.stdout), stderr: text(&output.stderr) };
        match output.status.code() {
            Some(0) => Ok(spoken),
            code => Err(self
                .failed(code, if spoken.stderr.trim().is_empty() { &spoken.stdout } else { &spoken.stderr })),
        }
    }

    /// Runs it to its end and hands on each line that it says on either stream, masked.
    ///
    /// # Errors
    /// As [`Self::output`]; [`Run::Failed`] holds the last lines.
    pub fn lines(&self, said: &mut dyn FnMut(&str)) -> Result<(), Run> {
        self.watched(&mut |line| line.into_iter().for_each(&mut *said))
    }

    /// As [`Self::lines`], and calls every now and then without a line.
    ///
    /// # Errors
    /// As [`Self::lines`].
    pub(crate) fn watched(&self, said: &mut dyn FnMut(Option<&str>)) -> Result<(), Run> {
        let (reader, writer) = std::io::pipe().map_err(|why| self.not_started(why))?;
        let copy = writer.try_clone().map_err(|why| self.not_started(why))?;
        let stoppable = self.is_stoppable();
        let output = match &self.output {
            Some(file) => {
                // Whoever reads waits until nobody can write any more.
                drop(writer);
                OwnedFd::from(file.try_clone().map_err(|why| self.not_started(why))?)
            }
            None => OwnedFd::from(writer),
        };
        let handle = self.start(&self.expression().stdout_file(output).stderr_file(copy))?;
        let (send, lines) = mpsc::channel();
        std::thread::spawn(move || {
            let mut reader = BufReader::new(reader);
            let mut line = Vec::new();
            while reader.read_until(b'\n', &mut line).is_ok_and(|read| read > 0) {
                if send.send(text(&line)).is_err() {
                    break;
                }
                line.clear();
            }
        });
        let mut last: Vec<String> = Vec::new();
        let begun = Instant::now();
        loop {
            match lines.recv_timeout(NOTICE) {
                Ok(line) => {
                    let line = self.masked(line.trim_end());
                    said(Some(&line));
                    last.push(line);
                    last.drain(..last.len().saturating_sub(20));
                }
                Err(RecvTimeoutError::Timeout) => said(None),
                Err(RecvTimeoutError::Disconnected) => break,
            }
            self.check(&handle, begun, stoppable)?;
        }
        let output = handle.into_output().map_err(|why| self.not_started(why))?;
        match output.status.code() {
            Some(0) => Ok(()),
            code => Err(self.failed(code, &last.join("\n"))),
        }
    }

    /// Becomes this program: it has the terminal, its signals and our exit code from then on.
    #[must_use]
    pub fn replace(&self) -> Run {
        let path = match self.path() {
            Ok(path) => path,
            Err(run) => return run,
        };
        let mut command = std::process::Command::new(path);
        command
            .args(&self.arguments)
            .envs(self.environment.iter().map(|(name, value)| (name, value.reveal())));
        command.envs(self.plain.iter().map(|(name, value)| (name, value)));
        self.not_started(command.exec())
    }

    fn path(&self) -> Result<PathBuf, Run> {
        which::which(&self.name).map_err(|_| Run::Missing(self.name.clone()))
    }

    fn expression(&self) -> Expression {
        let mut expression = duct::cmd(&self.name, &self.arguments).unchecked();
        let held = self.holds.as_ref().and_then(Held::handle);
        let input = self.input.as_ref().and_then(|file| file.try_clone().ok());
        expression = match (&self.stdin, input.or(held)) {
            (Some(bytes), _) => expression.stdin_bytes(bytes.clone()),
            (None, Some(held)) => expression.stdin_file(held),
            (None, None) => expression.stdin_null(),
        };
        for (name, value) in &self.environment {
            expression = expression.env(name, value.reveal());
        }
        for (name, value) in &self.plain {
            expression = expression.env(name, value);
        }
        if let Some(folder) = &self.folder {
            expression = expression.dir(folder);
        }
        let account = self.account;
        // A group of its own: Ctrl-C reaches us alone, and we decide what it means for the program.
        expression.before_spawn(move |command| {
            command.process_group(0);
            if let Some((user, group)) = account {
                command.uid(user).gid(group);
            }
            Ok(())
        })
    }

    fn start(&self, expression: &Expression) -> Result<Handle, Run> {
        expression.start().map_err(|why| match why.kind() {
            std::io::ErrorKind::NotFound if self.path().is_err() => Run::Missing(self.name.clone()),
            _ => self.not_started(why),
        })
    }

    /// What starts after somebody asked us to stop takes something back, or looks what is true now: it goes on.
    fn is_stoppable(&self) -> bool {
        !self.unstoppable && !interrupt::asked()
    }

    fn wait(&self, handle: &Handle, stoppable: bool) -> Result<(), Run> {
        let begun = Instant::now();
        while handle.wait_timeout(NOTICE).map_err(|why| self.not_started(why))?.is_none() {
            self.check(handle, begun, stoppable)?;
        }
        Ok(())
    }

    /// Ends the program, its children too, when it is late or somebody wants us to stop.
    fn check(&self, handle: &Handle, begun: Instant, stoppable: bool) -> Result<(), Run> {
        let late = self.deadline.filter(|limit| begun.elapsed() > *limit);
        if late.is_none() && !(stoppable && interrupt::asked()) {
            return Ok(());
        }
        for pid in handle.pids() {
            if let Some(group) = i32::try_from(pid).ok().and_then(Pid::from_raw) {
                // It may have ended by itself in this moment.
                let _ = kill_process_group(group, Signal::KILL);
            }
        }
        Err(late.map_or(Run::Interrupted, |limit| Run::Late { program: self.shown(), limit }))
    }

    fn failed(&self, code: Option<i32>, said: &str) -> Run {
        let said = match said.trim() {
            "" => format!("`{}` ended with {} and said nothing", self.shown(), code.unwrap_or(-1)),
            words => self.masked(words),
        };
        Run::Failed { program: self.shown(), code: code.unwrap_or(-1), said }
    }

    fn not_started(&self, why: std::io::Error) -> Run {
        Run::Start { program: self.shown(), why }
    }

    fn masked(&self, said: &str) -> String {
        let secrets: Vec<Secret> = self.environment.iter().map(|(_, value)| value.clone()).collect();
        masked(said, &secrets)
    }

    /// Its name and its first plain word: `docker inspect`.
    fn shown(&self) -> String {
        let word =
            self.arguments.first().map(|word| word.to_string_lossy()).filter(|word| !word.starts_with('-'));
        let name = self.name.rsplit('/').next().unwrap_or(&self.name);
        word.map_or_else(|| name.to_owned(), |word| format!("{name} {word}"))
    }
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_reads_nothing_of_our_input() {
        let spoken = Program::new("sh").args(["-c", "cat; echo end"]).output().unwrap();

        assert_eq!(spoken.stdout, "end\n");
    }

    #[test]
    fn a_program_that_is_late_ends_with_its_children() {
        let run = Program::new("sh")
            .args(["-c", "sleep 60 & sleep 60"])
            .deadline(Duration::from_millis(50))
            .output();

        assert!(matches!(run, Err(Run::Late { .. })), "{run:?}");
    }

    #[test]
    fn a_secret_is_masked_in_what_a_program_says() {
        let mut said = Vec::new();

        let run = Program::new("sh")
            .args(["-c", "echo \"it is $WORD\"; exit 3"])
            .env("WORD", Secret::new("hunter2"))
            .lines(&mut |line| said.push(line.to_owned()));

        assert_eq!(said, ["it is ***"]);
        assert!(matches!(run, Err(Run::Failed { code: 3, said, .. }) if said == "it is ***"));
    }

    #[test]
    fn a_missing_program_is_named() {
        let run = Program::new("no-such-program").output();

        assert_eq!(run.unwrap_err().to_string(), "`no-such-program` is not on PATH");
    }
}
