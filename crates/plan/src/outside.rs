//! What is particular to a server that somebody else runs: what its URL says, and what it lets us do.

use serde::Serialize;

/// Beside the address. Empty for a server of the workspace's own.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Outside {
    /// As the URL begins, its driver with it: `postgresql+asyncpg`.
    pub scheme: Option<String>,
    /// The URL's parameters, which every URL made from it has too.
    #[serde(skip)]
    pub parameters: Vec<(String, String)>,
    /// Our own note says that this workspace adopted its database there: for when that is not there to tell.
    pub adopted: bool,
    /// Why nothing can be changed over this address at all: a pooler that gives each statement another session.
    pub pooled: Option<String>,
    /// What our role lacks, with the statement that gives it.
    pub lacks: Vec<Lack>,
    /// Statements that this server does not take from us, as it was found when the database was adopted.
    pub cannot: Vec<String>,
}

/// A right that is missing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Lack {
    /// As a cause: `role "app" may not create databases`.
    pub what: String,
    /// What a superuser types.
    pub grant: String,
}

impl Outside {
    /// A parameter of the URL.
    ///
    /// ```
    /// let url = plan::Url::read("postgres://app@db.example/shop?sslmode=require").unwrap();
    /// let outside = plan::Outside { parameters: url.parameters, ..plan::Outside::default() };
    /// assert_eq!(outside.parameter("sslmode"), Some("require"));
    /// ```
    #[must_use]
    pub fn parameter(&self, name: &str) -> Option<&str> {
        self.parameters.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }
}
