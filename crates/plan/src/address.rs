//! Where a server answers, and how that is written down.

use serde::{Deserialize, Serialize};

use crate::{DatabaseName, Secret, Server};

/// A TCP address.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Address {
    pub host: String,
    pub port: u16,
}

impl std::fmt::Display for Address {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}:{}", self.host, self.port)
    }
}

impl Server {
    /// The address with the password masked, as a URL.
    #[must_use]
    pub fn masked_url(&self) -> String {
        self.url_of(&self.name, "***")
    }

    /// The address as a URL with its password.
    #[must_use]
    pub fn url(&self, database: &DatabaseName) -> Secret {
        let password = encode(self.password.reveal());
        Secret::new(self.url_of(database, &password))
    }

    fn url_of(&self, database: &DatabaseName, password: &str) -> String {
        let address = self.address.as_ref().map(ToString::to_string).unwrap_or_default();
        let login = if password.is_empty() { String::new() } else { format!(":{password}") };
        format!("postgresql://{}{login}@{address}/{}", encode(self.user.as_str()), encode(database.as_str()))
    }
}

/// A text inside a URL, percent-encoded.
fn encode(text: &str) -> String {
    form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>().replace('+', "%20")
}
