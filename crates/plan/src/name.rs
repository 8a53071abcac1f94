//! Names that reach SQL or a command line. Each has its own type, and quoting lives on it.

use std::fmt;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

/// Postgres keeps 63 bytes of a name and cuts the rest without a word, in RENAME too.
const LONGEST: usize = 63;

/// Why a text is no name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BadName {
    pub name: String,
    pub why: String,
}

impl fmt::Display for BadName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}` {}", self.name.escape_debug(), self.why)
    }
}

macro_rules! name {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(String);

        impl $name {
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

name!(
    /// The name of a database: 1 to 63 bytes without NUL, any character else.
    DatabaseName
);
name!(
    /// The name of a role, under the rule of [`DatabaseName`].
    RoleName
);
name!(
    /// A Compose service.
    ServiceName
);
name!(
    /// A container's name or id, as the engine gave it to us.
    ContainerName
);
name!(
    /// A volume, as the engine knows it.
    VolumeName
);

impl DatabaseName {
    /// # Errors
    /// An empty name, one over 63 bytes, or one with a NUL.
    ///
    /// ```
    /// use plan::DatabaseName;
    /// assert_eq!(DatabaseName::new(r#"we"ird; drop"#).unwrap().quoted(), r#""we""ird; drop""#);
    /// assert!(DatabaseName::new("x".repeat(64)).unwrap_err().to_string().contains("64 bytes"));
    /// ```
    pub fn new(name: impl Into<String>) -> Result<Self, BadName> {
        checked(name.into()).map(Self)
    }

    /// As an SQL identifier.
    #[must_use]
    pub fn quoted(&self) -> String {
        identifier(&self.0)
    }

    /// As an SQL string, where SQL wants the name as a value.
    #[must_use]
    pub fn literal(&self) -> String {
        literal(&self.0)
    }

    /// This name with a suffix, within Postgres' 63 bytes: a long base is shortened by bytes and gets a few digits of
    /// its hash, so that two long names that start alike stay two.
    ///
    /// ```
    /// use plan::DatabaseName;
    /// assert_eq!(DatabaseName::new("shop").unwrap().suffixed("__next").as_str(), "shop__next");
    /// let long = DatabaseName::new("é".repeat(31)).unwrap().suffixed("__kept_12");
    /// assert!(long.as_str().len() <= 63 && long.as_str().ends_with("__kept_12"));
    /// ```
    #[must_use]
    pub fn suffixed(&self, suffix: &str) -> Self {
        if self.0.len() + suffix.len() <= LONGEST {
            return Self(format!("{}{suffix}", self.0));
        }
        let hash = hex(&Sha256::digest(&self.0), 3);
        let room = LONGEST.saturating_sub(suffix.len() + hash.len() + 1);
        let cut = (0..=room).rev().find(|&at| self.0.is_char_boundary(at)).unwrap_or(0);
        Self(format!("{}_{hash}{suffix}", self.0.get(..cut).unwrap_or_default()))
    }
}

impl RoleName {
    /// # Errors
    /// As [`DatabaseName::new`].
    pub fn new(name: impl Into<String>) -> Result<Self, BadName> {
        checked(name.into()).map(Self)
    }

    /// As an SQL identifier.
    #[must_use]
    pub fn quoted(&self) -> String {
        identifier(&self.0)
    }
}

impl ServiceName {
    /// # Errors
    /// A name that Compose would not take either: `[a-zA-Z0-9._-]+`, and none that a command line takes for a flag.
    ///
    /// ```
    /// assert!(plan::ServiceName::new("web-1").is_ok());
    /// assert!(plan::ServiceName::new("--privileged").is_err());
    /// ```
    pub fn new(name: impl Into<String>) -> Result<Self, BadName> {
        docker(name.into()).map(Self)
    }
}

impl ContainerName {
    /// # Errors
    /// A name that Docker would not take either.
    pub fn new(name: impl Into<String>) -> Result<Self, BadName> {
        docker(name.into()).map(Self)
    }
}

impl VolumeName {
    /// # Errors
    /// A name that Docker would not take either.
    pub fn new(name: impl Into<String>) -> Result<Self, BadName> {
        docker(name.into()).map(Self)
    }
}

impl VolumeName {
    /// The name as a person reads it: one that the engine made up is cut to its beginning, as `docker ps` does.
    ///
    /// ```
    /// # use plan::VolumeName;
    /// assert_eq!(VolumeName::new("0123456789abcdef".repeat(4)).unwrap().shown(), "0123456789ab");
    /// assert_eq!(VolumeName::new("shop_data").unwrap().shown(), "shop_data");
    /// ```
    #[must_use]
    pub fn shown(&self) -> &str {
        if self.is_made_up() { self.0.get(..12).unwrap_or_default() } else { &self.0 }
    }

    /// Whether the engine made the name up: nobody gave the volume one.
    #[must_use]
    pub fn is_made_up(&self) -> bool {
        self.0.len() == 64 && self.0.bytes().all(|byte| byte.is_ascii_hexdigit())
    }
}

fn checked(name: String) -> Result<String, BadName> {
    let why = match name.len() {
        0 => "is empty".to_owned(),
        bytes if bytes > LONGEST => format!("has {bytes} bytes, and Postgres keeps {LONGEST}"),
        _ if name.contains('\0') => "holds a NUL".to_owned(),
        _ => return Ok(name),
    };
    Err(BadName { name, why })
}

fn docker(name: String) -> Result<String, BadName> {
    let first = name.starts_with(|c: char| c.is_ascii_alphanumeric());
    if first && name.chars().all(|c| c.is_ascii_alphanumeric() || "._-".contains(c)) {
        return Ok(name);
    }
    Err(BadName { name, why: "is no name that Docker would take".to_owned() })
}

pub(crate) fn identifier(text: &str) -> String {
    format!("\"{}\"", text.replace('"', "\"\""))
}

/// A text as an SQL string, whatever `standard_conforming_strings` says.
///
/// ```
/// assert_eq!(plan::literal("it's"), "'it''s'");
/// assert_eq!(plan::literal(r"a\b"), r" E'a\\b'");
/// ```
#[must_use]
pub fn literal(text: &str) -> String {
    let quoted = text.replace('\'', "''");
    if quoted.contains('\\') {
        format!(" E'{}'", quoted.replace('\\', "\\\\"))
    } else {
        format!("'{quoted}'")
    }
}

/// The first `bytes` bytes of a digest in hexadecimal.
pub(crate) fn hex(digest: &[u8], bytes: usize) -> String {
    use std::fmt::Write as _;

    digest.iter().take(bytes).fold(String::new(), |mut out, byte| {
        let _ = write!(out, "{byte:02x}");
        out
    })
}
