//! Where we run, as far as it decides what may be done: inside a container without its engine, and beside an address
//! that somebody put into the environment.

use serde::Serialize;

use crate::{Address, Server};

/// What surrounds this run.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Surroundings {
    /// Inside a container that has no engine: the compose server is reached over its network, and nothing is started.
    pub inside: bool,
    /// What the service that runs Postgres is called in that network.
    pub service: Option<String>,
    /// The address in the environment variable that the migrations read.
    pub told: Option<Told>,
}

/// An address that an environment variable holds, without its login.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Told {
    pub variable: String,
    pub address: Address,
}

impl Told {
    /// Reads `scheme://login@host:port/database`; `None` where it is no address.
    ///
    /// ```
    /// let told = plan::Told::read("DATABASE_URL", "postgresql+asyncpg://a:b@c@db.example/shop?x=y").unwrap();
    /// assert_eq!(told.address.to_string(), "db.example:5432");
    /// ```
    #[must_use]
    pub fn read(variable: &str, url: &str) -> Option<Self> {
        let (scheme, rest) = url.split_once("://")?;
        let place = rest.split(['?', '#']).next()?;
        // A password may hold an `@`, or a slash that nobody encoded.
        let place = place.rsplit_once('@').map_or(place, |(_, place)| place);
        let place = place.split('/').next()?;
        let (host, port) = match place.rsplit_once(':') {
            Some((host, port)) if port.chars().all(|c| c.is_ascii_digit()) => (host, port.parse().ok()?),
            _ => (place, 5432),
        };
        let is_address = scheme.starts_with("postgres") && !host.is_empty();
        let address = Address { host: host.to_owned(), port };
        is_address.then(|| Self { variable: variable.to_owned(), address })
    }
}

impl Surroundings {
    /// The address in the environment, where it names another server than the workspace's own.
    #[must_use]
    pub fn elsewhere(&self, server: &Server) -> Option<&Told> {
        let told = self.told.as_ref()?;
        let host = told.address.host.as_str();
        let is_loopback = |host: &str| ["localhost", "127.0.0.1", "[::1]", "::1"].contains(&host);
        let by_service = self.service.as_deref() == Some(host);
        let by_address = server.address.as_ref().is_some_and(|own| {
            let same = own.host == host || is_loopback(&own.host) && is_loopback(host);
            same && own.port == told.address.port
        });
        (!by_service && !by_address).then_some(told)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{DatabaseName, Kind, RoleName, Secret, ServerState};

    fn server(host: &str, port: u16) -> Server {
        let name = DatabaseName::new("shop").unwrap();
        Server {
            kind: Kind::Compose,
            state: ServerState::Running,
            address: Some(Address { host: host.to_owned(), port }),
            user: RoleName::new("app").unwrap(),
            password: Secret::default(),
            name: name.clone(),
            maintenance: name,
            system_identifier: String::new(),
            version: String::new(),
            standby: false,
            outside: crate::Outside::default(),
            databases: Vec::new(),
        }
    }

    fn is_elsewhere(url: &str, server: &Server) -> bool {
        let told = Told::read("DATABASE_URL", url);
        let around = Surroundings { service: Some("db".to_owned()), told, ..Surroundings::default() };
        around.elsewhere(server).is_some()
    }

    #[test]
    fn an_address_of_ours_is_known_by_service_and_by_port() {
        let ours = server("127.0.0.1", 5433);

        assert!(!is_elsewhere("postgresql://app@db:5432/shop", &ours));
        assert!(!is_elsewhere("postgresql://app:x@localhost:5433/shop", &ours));
        assert!(is_elsewhere("postgresql://app@localhost:5432/shop", &ours));
        assert!(is_elsewhere("postgres://app@staging.example/shop", &ours));
        assert!(!is_elsewhere("sqlite:///shop.db", &ours), "no Postgres address at all");
    }
}
