//! Passwords, and addresses that hold one. Whatever prints them prints `***`.

use std::fmt;

/// A password. Neither `Display` nor `Debug` nor serialisation shows it.
///
/// ```
/// let password = plan::Secret::new("hunter2");
/// assert_eq!(format!("{password} {password:?}"), "*** ***");
/// assert_eq!(password.reveal(), "hunter2");
/// ```
#[derive(Clone, PartialEq, Eq, Default)]
pub struct Secret(String);

impl Secret {
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The password itself, for a connection or a child's environment: never for argv, output or a log.
    #[must_use]
    pub fn reveal(&self) -> &str {
        &self.0
    }

    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl fmt::Display for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

impl<'de> serde::Deserialize<'de> for Secret {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(Self)
    }
}

impl serde::Serialize for Secret {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str("***")
    }
}

/// A text of somebody else's (a program's last words, a log line) with every password in a URL and every one of
/// `secrets` replaced.
///
/// ```
/// use plan::{Secret, masked};
/// let said = "could not connect to postgres://app:s3cret@db/app (s3cret)";
/// assert_eq!(masked(said, &[Secret::new("s3cret")]), "could not connect to postgres://app:***@db/app (***)");
/// assert_eq!(masked("redis://:p%40ss@h and mailto:a@b", &[]), "redis://:***@h and mailto:a@b");
/// ```
#[must_use]
pub fn masked(text: &str, secrets: &[Secret]) -> String {
    let mut out = mask_urls(text);
    for secret in secrets.iter().filter(|secret| !secret.is_empty()) {
        out = out.replace(secret.reveal(), "***");
    }
    out
}

fn mask_urls(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find("://") {
        let (before, after) = rest.split_at(at + 3);
        out.push_str(before);
        let authority =
            after.find(|c: char| c.is_whitespace() || "/?#\"'`<>".contains(c)).unwrap_or(after.len());
        let (authority, tail) = after.split_at(authority);
        // The last `@` ends the password: one that is not percent-encoded may hold an `@` of its own.
        match authority.rsplit_once('@').and_then(|(login, host)| Some((login.split_once(':')?.0, host))) {
            Some((user, host)) => out.extend([user, ":***@", host]),
            None => out.push_str(authority),
        }
        rest = tail;
    }
    out.push_str(rest);
    out
}
