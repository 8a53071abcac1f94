//! What holds a password and is printed all the same, because somebody asked for an address that works.

use serde_json::{Map, Value};

use crate::{Secret, words};

/// Values for a program, with their names. A terminal shows them masked, unless somebody asked for the password.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Disclosure {
    pub values: Vec<Disclosed>,
    pub form: Form,
    /// `--show-password`: to a terminal too.
    pub shown: bool,
}

/// One value. Its name is a shell's: letters, digits and underscores.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Disclosed {
    pub name: String,
    pub value: Secret,
    /// The same for a person.
    pub masked: String,
}

/// How values are written down.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// The first value alone.
    Value,
    /// `export NAME='value'`, for a shell's `eval`.
    Shell,
    /// `NAME=value`, for a `.env` file.
    Dotenv,
    /// One object.
    Json,
}

impl Disclosed {
    /// A value without a secret in it.
    pub fn plain(name: &str, value: impl Into<String>) -> Self {
        let masked = value.into();
        Self { name: name.to_owned(), value: Secret::new(masked.as_str()), masked }
    }
}

impl Disclosure {
    /// All of it, each value on a line of its own.
    ///
    /// ```
    /// # use plan::{Disclosed, Disclosure, Form, Secret};
    /// let password = Disclosed { name: "PGPASSWORD".into(), value: Secret::new("it's $1"), masked: "***".into() };
    /// let env = |form| Disclosure { values: vec![password.clone()], form, shown: false };
    /// assert_eq!(env(Form::Shell).text(false), "export PGPASSWORD='it'\\''s $1'\n");
    /// assert_eq!(env(Form::Dotenv).text(false), "PGPASSWORD=\"it's \\$1\"\n");
    /// assert_eq!(env(Form::Json).text(false), "{\"PGPASSWORD\":\"it's $1\"}\n");
    /// assert_eq!(env(Form::Value).text(true), "***\n");
    /// ```
    #[must_use]
    pub fn text(&self, is_terminal: bool) -> String {
        let line = |one: &Disclosed| {
            let (name, value) = (&one.name, self.seen(one, is_terminal));
            match self.form {
                Form::Dotenv => format!("{name}={}\n", dotenv(value)),
                _ => format!("export {name}={}\n", words::shell(value)),
            }
        };
        match self.form {
            Form::Value => self
                .values
                .first()
                .map(|one| format!("{}\n", self.seen(one, is_terminal)))
                .unwrap_or_default(),
            Form::Shell | Form::Dotenv => self.values.iter().map(line).collect(),
            Form::Json => format!("{}\n", Value::Object(self.fields(is_terminal))),
        }
    }

    /// The same for machines.
    #[must_use]
    pub fn fields(&self, is_terminal: bool) -> Map<String, Value> {
        self.values.iter().map(|one| (one.name.clone(), self.seen(one, is_terminal).into())).collect()
    }

    fn seen<'a>(&self, one: &'a Disclosed, is_terminal: bool) -> &'a str {
        if is_terminal && !self.shown { &one.masked } else { one.value.reveal() }
    }
}

/// A value as readers of `.env` files agree on: in single quotes nothing means anything, but none may be in it.
fn dotenv(value: &str) -> String {
    let quoted = words::shell(value);
    if !value.contains(['\'', '\n', '\r', '\\']) {
        return quoted;
    }
    let mut out = String::from('"');
    for c in value.chars() {
        match c {
            '\n' => out.push_str("\\n"),
            '"' | '\\' | '$' => out.extend(['\\', c]),
            _ => out.push(c),
        }
    }
    out.push('"');
    out
}
