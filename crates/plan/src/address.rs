//! Where a server answers, and how that is written down.

use serde::Serialize;

use crate::{DatabaseName, Secret, Server};

/// A TCP address.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Address {
    pub host: String,
    pub port: u16,
}

impl std::fmt::Display for Address {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}:{}", self.host, self.port)
    }
}

/// How an address begins where nothing tells how the project begins its own.
const SCHEME: &str = "postgresql";

impl Server {
    /// The address with the password masked, as a URL.
    #[must_use]
    pub fn masked_url(&self) -> String {
        self.masked_url_in(SCHEME, &self.name)
    }

    /// The address as a URL with its password.
    #[must_use]
    pub fn url(&self, database: &DatabaseName) -> Secret {
        self.url_in(SCHEME, database)
    }

    /// As [`Self::masked_url`], in the project's own form: `postgresql+asyncpg`.
    #[must_use]
    pub fn masked_url_in(&self, scheme: &str, database: &DatabaseName) -> String {
        self.url_of(scheme, database, "***")
    }

    /// As [`Self::url`], in the project's own form.
    #[must_use]
    pub fn url_in(&self, scheme: &str, database: &DatabaseName) -> Secret {
        let password = encode(self.password.reveal());
        Secret::new(self.url_of(scheme, database, &password))
    }

    fn url_of(&self, scheme: &str, database: &DatabaseName, password: &str) -> String {
        let address = self.address.as_ref().map(ToString::to_string).unwrap_or_default();
        let login = if password.is_empty() { String::new() } else { format!(":{password}") };
        format!("{scheme}://{}{login}@{address}/{}", encode(self.user.as_str()), encode(database.as_str()))
    }
}

/// A text inside a URL, percent-encoded.
fn encode(text: &str) -> String {
    form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>().replace('+', "%20")
}

/// A text out of a URL. A plus stays one: only forms write a space so.
pub(crate) fn decode(text: &str) -> String {
    let form = text.replace('+', "%2B");
    form_urlencoded::parse(form.as_bytes()).next().map(|(name, _)| name.into_owned()).unwrap_or_default()
}
