//! A program in a real pseudo-terminal, and what a person would see there.

use std::io::{Read, Write};
use std::num::NonZeroU16;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread;
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill, killpg};
use nix::sys::termios::LocalFlags;
use nix::unistd::Pid;
use portable_pty::{CommandBuilder, MasterPty, PtySize, native_pty_system};
use vt100::Parser;

use crate::{Launch, Theme, launch, picture};

/// After a program's end its last words are here within this, or somebody else holds the terminal.
const LAST_WORDS: Duration = Duration::from_secs(1);

/// A key that is no text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Key {
    Enter,
    Backspace,
    CtrlC,
    CtrlD,
}

/// A program in a terminal of its own. Dropped, it is killed with all that it started in its session's group.
pub struct Screen {
    parser: Parser,
    raw: Vec<u8>,
    happens: Receiver<Happened>,
    writer: Box<dyn Write + Send>,
    master: Box<dyn MasterPty + Send>,
    leader: Option<Pid>,
    deadline: Duration,
    code: Option<i32>,
    closed: bool,
}

enum Happened {
    Written(Vec<u8>),
    Closed,
    Exited(i32),
}

impl Screen {
    pub(crate) fn start(launch: &Launch, columns: u16, rows: u16) -> Self {
        let size = PtySize { rows, cols: columns, pixel_width: 0, pixel_height: 0 };
        let pair = native_pty_system().openpty(size).expect("a pseudo-terminal");
        let mut command = CommandBuilder::new(&launch.program);
        command.args(&launch.args);
        command.cwd(&launch.folder);
        command.env("TERM", "xterm-256color");
        for (name, value) in &launch.env {
            match value {
                Some(value) => command.env(name, value),
                None => command.env_remove(name),
            }
        }
        let mut child = {
            let _quiet = launch::spawning();
            pair.slave.spawn_command(command).expect("the program")
        };
        // The last to close it is then the program, and its end is seen.
        drop(pair.slave);
        let leader = child.process_id().and_then(|id| i32::try_from(id).ok()).map(Pid::from_raw);
        let (happened, happens) = channel();
        let reader = pair.master.try_clone_reader().expect("a reader");
        let written = happened.clone();
        thread::spawn(move || read(reader, &written));
        thread::spawn(move || {
            let code = child.wait().map_or(-1, |status| match status.signal() {
                Some(_) => -1,
                None => i32::try_from(status.exit_code()).unwrap_or(-1),
            });
            happened.send(Happened::Exited(code))
        });
        let size = |cells| NonZeroU16::new(cells).expect("a terminal has cells");
        Self {
            parser: Parser::new(size(rows), size(columns), 10_000),
            raw: Vec::new(),
            happens,
            writer: pair.master.take_writer().expect("a writer"),
            master: pair.master,
            leader,
            deadline: launch.deadline,
            code: None,
            closed: false,
        }
    }

    /// Waits until the screen shows a text.
    ///
    /// # Panics
    /// It does not within the deadline, or the program ended without it.
    #[track_caller]
    pub fn wait_for(&mut self, text: &str) -> &mut Self {
        self.wait_until(text, |screen| screen.text().contains(text))
    }

    /// Waits until something holds; `what` names it in a failure.
    ///
    /// # Panics
    /// As [`Self::wait_for`].
    #[track_caller]
    pub fn wait_until(&mut self, what: &str, holds: impl Fn(&Self) -> bool) -> &mut Self {
        let until = Instant::now() + self.deadline;
        while !holds(self) {
            let over = self.code.is_some() && self.closed;
            assert!(!over, "it ended with {:?}, and never: {what}\n{}", self.code, self.text());
            if let Err(error) = self.next(until.saturating_duration_since(Instant::now())) {
                panic!("{error}: never: {what}\n{}", self.text());
            }
        }
        self
    }

    /// # Panics
    /// The terminal is gone.
    pub fn type_text(&mut self, text: &str) -> &mut Self {
        self.writer.write_all(text.as_bytes()).and_then(|()| self.writer.flush()).expect("a terminal");
        self
    }

    /// # Panics
    /// The terminal is gone.
    pub fn press(&mut self, key: Key) -> &mut Self {
        self.type_text(match key {
            Key::Enter => "\r",
            Key::Backspace => "\u{7f}",
            Key::CtrlC => "\u{3}",
            Key::CtrlD => "\u{4}",
        })
    }

    /// Asks the program to end, as `kill` does.
    ///
    /// # Panics
    /// It is gone.
    pub fn terminate(&mut self) -> &mut Self {
        let leader = self.leader.expect("a process");
        kill(leader, Signal::SIGTERM).expect("a process that runs");
        self
    }

    /// What the screen shows now.
    #[must_use]
    pub fn text(&self) -> String {
        let rows = self.parser.screen().rows(0, self.parser.screen().size().1.into());
        let rows: Vec<String> = rows.map(|row| row.trim_end().to_owned()).collect();
        rows.join("\n").trim_end().to_owned()
    }

    /// What it shows now as an SVG picture, below what was typed.
    #[must_use]
    pub fn picture(&self, typed: &str, theme: &Theme) -> String {
        picture::svg(self.parser.screen(), typed, theme)
    }

    /// Every byte that was written so far, escape sequences and all.
    #[must_use]
    pub fn raw(&self) -> String {
        String::from_utf8_lossy(&self.raw).into_owned()
    }

    #[must_use]
    pub fn cursor_visible(&self) -> bool {
        !self.parser.screen().hide_cursor()
    }

    /// Whether the terminal gathers lines, echoes, and turns Ctrl-C into a signal, as a shell expects to find it.
    ///
    /// # Panics
    /// The terminal is gone.
    #[must_use]
    pub fn is_cooked(&self) -> bool {
        let cooked = LocalFlags::ICANON | LocalFlags::ECHO | LocalFlags::ISIG;
        self.master.get_termios().expect("a terminal").local_flags.contains(cooked)
    }

    /// Waits for the program's end; its code, or -1 where a signal ended it.
    ///
    /// # Panics
    /// It outlives the deadline.
    #[track_caller]
    pub fn wait_exit(&mut self) -> i32 {
        let until = Instant::now() + self.deadline;
        loop {
            let left = match self.code {
                Some(code) if self.closed => return code,
                Some(_) => LAST_WORDS,
                None => until.saturating_duration_since(Instant::now()),
            };
            match (self.next(left), self.code) {
                (Ok(()), _) => {}
                (Err(_), Some(code)) => return code,
                (Err(error), None) => panic!("{error}: it does not end\n{}", self.text()),
            }
        }
    }

    fn next(&mut self, within: Duration) -> Result<(), RecvTimeoutError> {
        match self.happens.recv_timeout(within)? {
            Happened::Written(bytes) => {
                self.parser.process(&bytes);
                self.raw.extend(bytes);
            }
            Happened::Closed => self.closed = true,
            Happened::Exited(code) => self.code = Some(code),
        }
        Ok(())
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        if let (Some(leader), None) = (self.leader, self.code) {
            let _ = killpg(leader, Signal::SIGKILL);
        }
    }
}

fn read(mut reader: Box<dyn Read + Send>, written: &Sender<Happened>) {
    let mut buffer = [0; 8192];
    while let Ok(read @ 1..) = reader.read(&mut buffer) {
        let bytes = buffer.get(..read).unwrap_or_default().to_vec();
        if written.send(Happened::Written(bytes)).is_err() {
            return;
        }
    }
    let _ = written.send(Happened::Closed);
}
