//! Has a service take its new code without an engine: a signal, a file's time, a request, a command.

use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

use plan::{Outcome, Reload, Signal, Signalled, masked, words};
use rustix::fs::{Timespec, Timestamps, UTIME_NOW, futimens};
use rustix::process::{Pid, geteuid, kill_process};

use super::Real;
use super::swap::HOOK;
use crate::program::Program;

/// Seconds that an answer to a request may take.
const ANSWER: u64 = 30;

impl Real<'_> {
    /// The database is there by now: one that can't be reached stops nothing, is told, and decides the exit code.
    pub(super) fn reload(&self, service: &str, by: &Reload) -> Outcome {
        outcome(service, reload(&self.world.workspace.root, by), &self.host_command("restart"))
    }
}

fn outcome(service: &str, done: Result<Option<String>, String>, elsewhere: &str) -> Outcome {
    match done {
        Ok(detail) => Outcome { detail, ..Outcome::default() },
        Err(why) => Outcome {
            detail: Some("failed".to_owned()),
            lines: vec![format!("`{service}` may hold the old code: {}; {elsewhere}", masked(&why, &[]))],
            code: Some(1),
            ..Outcome::default()
        },
    }
}

fn reload(root: &Path, by: &Reload) -> Result<Option<String>, String> {
    match by {
        Reload::None => Ok(None),
        Reload::Signal(signalled) => signal(root, signalled).map(Some),
        Reload::Touch(path) => touch(&root.join(path)).map(|()| None).map_err(|why| format!("{path}: {why}")),
        Reload::Http(request) => ask(request).map(Some),
        Reload::Command(command) => {
            let program = Program::words(["sh", "-c", command.as_str()]).folder(root).deadline(HOOK);
            program.output().map(|_| None).map_err(|why| format!("`{command}` failed: {why}"))
        }
    }
}

/// As `touch` does it: opened for writing too, since some reloaders watch for that, and never made.
fn touch(path: &Path) -> std::io::Result<()> {
    let file = fs::File::options().write(true).open(path)?;
    let now = Timespec { tv_sec: 0, tv_nsec: UTIME_NOW };
    Ok(futimens(&file, &Timestamps { last_access: now, last_modification: now })?)
}

fn ask(request: &str) -> Result<String, String> {
    let (verb, url) = request.split_once(' ').unwrap_or(("POST", request));
    let method = match verb {
        "GET" => minreq::Method::Get,
        "PUT" => minreq::Method::Put,
        "POST" => minreq::Method::Post,
        other => minreq::Method::Custom(other.to_owned()),
    };
    match minreq::Request::new(method, url.trim()).with_timeout(ANSWER).send() {
        Ok(answer) if (200..300).contains(&answer.status_code) => {
            Ok(format!("answered {}", answer.status_code))
        }
        Ok(answer) => Err(format!("{request} is answered by {}", answer.status_code)),
        Err(why) => Err(format!("{request}: {why}")),
    }
}

fn signal(root: &Path, signalled: &Signalled) -> Result<String, String> {
    let named = signalled.process.as_deref();
    let found = match &signalled.pid_file {
        Some(path) => {
            let text = fs::read_to_string(root.join(path)).map_err(|why| format!("{path}: {why}"))?;
            let process = text.trim().parse().ok().and_then(Process::of);
            let is_it = |process: &Process| named.is_none_or(|name| process.is(name));
            let process = process
                .filter(is_it)
                .ok_or_else(|| format!("{path} names no such process of this user's"))?;
            vec![process]
        }
        None => first(processes(named.unwrap_or_default())),
    };
    if found.is_empty() {
        return Err(format!(
            "no process of this user's in this container is called `{}`",
            named.unwrap_or_default()
        ));
    }
    for process in &found {
        let pid = Pid::from_raw(process.pid).ok_or("it has no number")?;
        kill_process(pid, number(signalled.name)).map_err(|why| format!("process {}: {why}", process.pid))?;
    }
    Ok(words::joined(found.iter().map(|process| format!("process {}", process.pid))))
}

fn number(signal: Signal) -> rustix::process::Signal {
    match signal {
        Signal::Hup => rustix::process::Signal::HUP,
        Signal::Usr1 => rustix::process::Signal::USR1,
        Signal::Usr2 => rustix::process::Signal::USR2,
        Signal::Int => rustix::process::Signal::INT,
        Signal::Term => rustix::process::Signal::TERM,
    }
}

/// One of this user's that has not ended.
struct Process {
    pid: i32,
    parent: i32,
    /// As the kernel knows it, cut at 15 bytes, and as it was started.
    names: [String; 2],
}

impl Process {
    fn of(pid: i32) -> Option<Self> {
        let folder = Path::new("/proc").join(pid.to_string());
        let is_own = fs::metadata(&folder).ok()?.uid() == geteuid().as_raw();
        let stat = fs::read_to_string(folder.join("stat")).ok().filter(|_| is_own && pid > 0)?;
        let (before, after) = stat.rsplit_once(')')?;
        let mut fields = after.split_whitespace();
        let is_over = matches!(fields.next()?, "Z" | "X");
        let parent = fields.next()?.parse().ok()?;
        let line = fs::read(folder.join("cmdline")).unwrap_or_default();
        let program = String::from_utf8_lossy(line.split(|byte| *byte == 0).next()?).into_owned();
        let program = program.rsplit('/').next().unwrap_or_default().to_owned();
        let names = [before.split_once('(')?.1.to_owned(), program];
        (!is_over).then_some(Self { pid, parent, names })
    }

    fn is(&self, name: &str) -> bool {
        self.names.iter().any(|own| own == name)
    }
}

fn processes(name: &str) -> Vec<Process> {
    let numbers = fs::read_dir("/proc").into_iter().flatten().flatten();
    let found = numbers.filter_map(|entry| Process::of(entry.file_name().to_str()?.parse().ok()?));
    found.filter(|process| process.is(name)).collect()
}

/// Those that no other of them started: a worker of a server is the server's to reload.
fn first(found: Vec<Process>) -> Vec<Process> {
    let pids: Vec<i32> = found.iter().map(|process| process.pid).collect();
    found.into_iter().filter(|process| !pids.contains(&process.parent)).collect()
}

#[cfg(test)]
mod tests {
    use std::io::{BufRead as _, BufReader, Read as _, Write as _};
    use std::net::TcpListener;
    use std::os::unix::process::CommandExt as _;
    use std::process::{Child, ChildStdout, Command, Stdio};
    use std::thread;
    use std::time::SystemTime;

    use super::*;

    /// A server with a worker of the same name; each says when it takes a SIGHUP. Both end at the end of their input.
    const SERVER: &str = "trap 'echo reloaded; exit 0' HUP\nexec 3<&0\n\
        (trap 'echo worker' HUP; echo ready; read -r line <&3) &\nwait\n";

    fn server(name: &str) -> (Child, BufReader<ChildStdout>) {
        let mut command = Command::new("sh");
        command.arg0(name).args(["-c", SERVER]).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let mut said = BufReader::new(child.stdout.take().unwrap());
        let mut line = String::new();
        said.read_line(&mut line).unwrap();
        assert_eq!(line, "ready\n");
        (child, said)
    }

    /// All that they say from now on.
    fn rest(mut child: Child, mut said: BufReader<ChildStdout>) -> String {
        let mut text = String::new();
        said.read_line(&mut text).unwrap();
        drop(child.stdin.take());
        said.read_to_string(&mut text).unwrap();
        child.wait().unwrap();
        text
    }

    fn by_name(process: &str) -> Reload {
        Reload::Signal(Signalled { process: Some(process.to_owned()), ..Signalled::default() })
    }

    #[test]
    fn a_server_takes_the_signal_and_its_worker_does_not() {
        let folder = tempfile::tempdir().unwrap();
        let name = format!("reloaded-by-name-{}", std::process::id());
        let (child, said) = server(&name);

        let prefix = reload(folder.path(), &by_name(name.trim_end_matches(char::is_numeric)));
        let done = reload(folder.path(), &by_name(&name));

        assert_eq!(done, Ok(Some(format!("process {}", child.id()))));
        assert!(prefix.unwrap_err().starts_with("no process of this user's in this container is called `"));
        assert_eq!(rest(child, said), "reloaded\n");
    }

    #[test]
    fn a_pid_file_names_the_process_and_one_of_another_is_left() {
        let folder = tempfile::tempdir().unwrap();
        let (child, said) = server("reloaded-by-file");
        fs::write(folder.path().join("pid"), format!("{}\n", child.id())).unwrap();
        let by_file = |process: Option<&str>| {
            let process = process.map(str::to_owned);
            Reload::Signal(Signalled { process, pid_file: Some("pid".to_owned()), ..Signalled::default() })
        };

        let other = reload(folder.path(), &by_file(Some("celery")));
        let done = reload(folder.path(), &by_file(Some("reloaded-by-file")));

        assert_eq!(other, Err("pid names no such process of this user's".to_owned()));
        assert_eq!(done, Ok(Some(format!("process {}", child.id()))));
        assert_eq!(rest(child, said), "reloaded\n");
        assert!(reload(folder.path(), &by_file(None)).is_err(), "it has ended");
    }

    #[test]
    fn a_touched_file_is_new_and_holds_what_it_held() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("main.py");
        fs::write(&file, "print()").unwrap();
        fs::File::open(&file).unwrap().set_modified(SystemTime::UNIX_EPOCH).unwrap();

        let done = reload(folder.path(), &Reload::Touch("main.py".to_owned()));
        let missing = reload(folder.path(), &Reload::Touch("other.py".to_owned()));

        assert_eq!(done, Ok(None));
        assert!(fs::metadata(&file).unwrap().modified().unwrap() > SystemTime::UNIX_EPOCH);
        assert_eq!(fs::read_to_string(&file).unwrap(), "print()");
        assert!(missing.unwrap_err().starts_with("other.py: ") && !folder.path().join("other.py").exists());
    }

    #[test]
    fn a_request_is_made_and_its_answer_counts() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}/reload", listener.local_addr().unwrap());
        let heard = thread::spawn(move || {
            ["204 No Content", "503 Service Unavailable"].map(|answer| {
                let (mut stream, _) = listener.accept().unwrap();
                // All of it: what is left unread when the connection ends would cut the answer off.
                let mut lines = BufReader::new(&stream).lines().map(Result::unwrap);
                let line = lines.next().unwrap();
                assert!(lines.any(|line| line.is_empty()));
                write!(stream, "HTTP/1.1 {answer}\r\nContent-Length: 0\r\n\r\n").unwrap();
                line
            })
        });
        let http = |request: String| reload(Path::new("/"), &Reload::Http(request));

        let done = http(url.clone());
        let refused = http(format!("PUT {url}"));

        assert_eq!(done, Ok(Some("answered 204".to_owned())));
        assert_eq!(refused, Err(format!("PUT {url} is answered by 503")));
        assert_eq!(heard.join().unwrap(), ["POST /reload HTTP/1.1", "PUT /reload HTTP/1.1"]);
    }

    #[test]
    fn a_command_that_fails_is_told_and_decides_the_exit_code() {
        let folder = tempfile::tempdir().unwrap();
        let command = |words: &str| reload(folder.path(), &Reload::Command(words.to_owned()));

        let done = outcome("web", command("echo >made"), "just restart");
        let failed = outcome("web", command("echo no such program >&2; exit 3"), "just restart");

        assert!(folder.path().join("made").exists() && done.code.is_none());
        let told = "`web` may hold the old code: `echo no such program >&2; exit 3` failed: no such program; just restart";
        assert_eq!((failed.code, failed.lines), (Some(1), vec![told.to_owned()]));
    }
}
