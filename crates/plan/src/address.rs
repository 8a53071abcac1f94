//! Where a server answers, and how that is written down.

use serde::{Deserialize, Serialize};

use crate::{DatabaseName, Secret, Server};

/// A TCP address, or the folder of a socket and the port in its name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Address {
    pub host: String,
    pub port: u16,
}

impl Address {
    /// Whether it is a socket in a folder of this machine.
    #[must_use]
    pub fn is_socket(&self) -> bool {
        self.host.starts_with('/')
    }

    /// Whether it leads out of no machine; what a tunnel does with it is another matter.
    ///
    /// ```
    /// let at = |host: &str| plan::Address { host: host.into(), port: 5432 };
    /// assert!(at("127.0.0.1").is_loopback() && at("::1").is_loopback() && !at("10.0.0.7").is_loopback());
    /// ```
    #[must_use]
    pub fn is_loopback(&self) -> bool {
        self.host.starts_with("127.") || ["localhost", "::1"].contains(&self.host.as_str())
    }
}

impl std::fmt::Display for Address {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if self.host.contains(':') {
            write!(f, "[{}]:{}", self.host, self.port)
        } else {
            write!(f, "{}:{}", self.host, self.port)
        }
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
        let socket = self.address.as_ref().filter(|address| address.is_socket());
        let address = match (&self.address, socket) {
            (Some(address), None) => address.to_string(),
            _ => String::new(),
        };
        let login = if password.is_empty() { String::new() } else { format!(":{password}") };
        let folder = socket.into_iter().flat_map(|socket| {
            [("host".to_owned(), socket.host.clone()), ("port".to_owned(), socket.port.to_string())]
        });
        let parameters = folder.chain(self.outside.parameters.iter().cloned());
        let parameters: Vec<String> =
            parameters.map(|(name, value)| format!("{}={}", encode(&name), encode(&value))).collect();
        let query = if parameters.is_empty() { String::new() } else { format!("?{}", parameters.join("&")) };
        let (user, name) = (encode(self.user.as_str()), encode(database.as_str()));
        format!("{scheme}://{user}{login}@{address}/{name}{query}")
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
