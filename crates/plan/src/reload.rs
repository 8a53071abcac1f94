//! How a service comes to its new code where no engine can restart it: `restart.inside` in cleanslate.toml.

use std::fmt;

use serde::{Deserialize, Serialize, Serializer};

use crate::{Action, Config, Exit, Fact, Fault, Step, masked};

/// One way for one service.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Reload {
    /// It needs nothing: it notices by itself, or holds nothing.
    None,
    /// To a process of this container.
    Signal(Signalled),
    /// A file that a reloader watches gets a new time and keeps what it holds; relative to the workspace.
    Touch(String),
    /// A request that is answered by 2xx, as in `POST http://api:8000/reload`; without a verb it is a POST.
    Http(String),
    /// Words for a shell, in the workspace's folder.
    Command(String),
}

/// A process of this user's in this container, and what it is sent.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Signalled {
    /// Its exact name. One that a process of the same name started is that one's to reload.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub process: Option<String>,
    /// The file that holds its number, relative to the workspace. With `process` too, both have to fit.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pid_file: Option<String>,
    pub name: Signal,
}

/// What a program can take for a wish to reload, or to end and be started again.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Signal {
    #[default]
    Hup,
    Usr1,
    Usr2,
    Int,
    Term,
}

impl Reload {
    /// The way of a service, where `restart.inside` has one.
    ///
    /// # Errors
    /// A signal for no process, a request to no address, no path, no command.
    ///
    /// ```
    /// use plan::{Config, Reload};
    /// let config = Config::read("[restart.inside]\napi = { touch = \"main.py\" }\ncache = \"none\"\n", []).unwrap();
    /// assert_eq!(Reload::of("api", &config).unwrap(), Some(&Reload::Touch("main.py".into())));
    /// assert_eq!(Reload::of("cache", &config).unwrap(), Some(&Reload::None));
    /// assert_eq!(Reload::of("worker", &config).unwrap(), None);
    /// ```
    pub fn of<'a>(service: &str, config: &'a Config) -> Result<Option<&'a Self>, Fault> {
        let Some(way) = config.restart.inside.get(service) else { return Ok(None) };
        let lacks = match way {
            Self::Signal(Signalled { process: None, pid_file: None, .. }) => "`process` or `pid_file`",
            Self::Touch(path) if path.trim().is_empty() => "a path",
            Self::Http(request) if !request.contains("://") => {
                "an address, as in `POST http://api:8000/reload`"
            }
            Self::Command(command) if command.trim().is_empty() => "a command",
            _ => return Ok(Some(way)),
        };
        Err(Fault::new(Exit::Usage, format!("restart.inside.{service} does not say how"))
            .cause(format!("it lacks {lacks}"))
            .state("nothing was changed"))
    }

    /// What a person reads of it before anything happens.
    #[must_use]
    pub fn fact(&self, service: &str) -> Fact {
        match self {
            Self::None => Fact::new("reloads", format!("{service} by itself, says restart.inside")),
            way => Fact::new("reloads", format!("{service} by {way}")),
        }
    }

    /// The step that does it, where there is one to do.
    #[must_use]
    pub fn step(&self, service: &str, why: &'static str) -> Option<Step> {
        let reload = || Action::Reload { service: service.to_owned(), by: self.clone() };
        (*self != Self::None).then(|| Step::new(reload(), why).weight(2))
    }
}

/// As a person reads it: an address may hold a password.
pub(crate) fn shown<S: Serializer>(by: &Reload, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(by)
}

impl fmt::Display for Reload {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::None => f.write_str("nothing"),
            Self::Signal(Signalled { process: Some(name), name: signal, .. }) => {
                write!(f, "{signal} to `{name}`")
            }
            Self::Signal(Signalled { pid_file, name: signal, .. }) => {
                write!(f, "{signal} to the process of {}", pid_file.as_deref().unwrap_or_default())
            }
            Self::Touch(path) => write!(f, "a new time of {path}"),
            Self::Http(request) => f.write_str(&masked(request, &[])),
            Self::Command(command) => write!(f, "`{}`", masked(command, &[])),
        }
    }
}

impl fmt::Display for Signal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Hup => "SIGHUP",
            Self::Usr1 => "SIGUSR1",
            Self::Usr2 => "SIGUSR2",
            Self::Int => "SIGINT",
            Self::Term => "SIGTERM",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALL: &str = "[restart.inside]\n\
        worker = { signal = { process = \"celery\" } }\n\
        clock = { signal = { pid_file = \"run/clock.pid\", name = \"USR1\" } }\n\
        api = { touch = \"app/main.py\" }\n\
        mail = { http = \"POST http://a:secret@mail:8025/reload\" }\n\
        web = { command = \"supervisorctl restart web\" }\n\
        cache = \"none\"\n";

    #[test]
    fn every_way_is_told_without_a_password() {
        let config = Config::read(ALL, []).unwrap();

        let told: Vec<String> = config.restart.inside.values().map(ToString::to_string).collect();

        let all = "a new time of app/main.py | nothing | SIGUSR1 to the process of run/clock.pid | \
                   POST http://a:***@mail:8025/reload | `supervisorctl restart web` | SIGHUP to `celery`";
        assert_eq!(told.join(" | "), all);
        let step = config.restart.inside["mail"].step("mail", "").unwrap();
        assert!(!serde_json::to_string(&step.action).unwrap().contains("secret"));
    }

    #[test]
    fn a_variable_beside_them_leaves_them_whole() {
        let variables = [("SLATE_RESTART_SERVICES".to_owned(), "api".to_owned())];

        let config = Config::read(ALL, variables).unwrap();

        assert_eq!(config.restart.inside, Config::read(ALL, []).unwrap().restart.inside);
        assert_eq!(config.restart.services, ["api"]);
    }

    #[test]
    fn a_way_that_says_too_little_is_refused_and_an_unknown_one_with_its_line() {
        let vague = Config::read("[restart.inside]\nworker = { signal = {} }\n", []).unwrap();
        let unknown = Config::read("[restart.inside]\nworker = { signl = {} }\n", []).unwrap_err();

        let fault = Reload::of("worker", &vague).unwrap_err();

        assert_eq!(fault.cause.as_deref(), Some("it lacks `process` or `pid_file`"));
        assert!(unknown.error.contains("line 2"), "{unknown}");
    }
}
