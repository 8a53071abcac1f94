//! Where we run, as far as it decides what may be done: inside a container without its engine, and beside an address
//! that somebody put into the environment.

use serde::Serialize;

use crate::address::decode;
use crate::{Address, Config, Engine, Holder, Server, Stack, World, stack};

/// What surrounds this run.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Surroundings {
    /// Inside a container that has no engine: the compose server is reached over its network, and nothing is started.
    pub inside: bool,
    /// What the service that runs Postgres is called in that network.
    pub service: Option<String>,
    /// The address in the environment variable that the migrations read.
    pub told: Option<Told>,
    /// How the project begins its addresses, where the environment or its `.env` tells: `postgresql+asyncpg`.
    pub scheme: Option<String>,
    /// The process that is to hold a lease, where one was wanted and is there.
    pub holder: Option<Holder>,
    /// A few letters that no other run has, for a name.
    pub fresh: String,
}

/// An address that an environment variable holds, without its login.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Told {
    pub variable: String,
    pub address: Address,
    /// Its database, decoded.
    pub database: Option<String>,
}

impl Told {
    /// Reads `scheme://login@host:port/database`; `None` where it is no address.
    ///
    /// ```
    /// let told = plan::Told::read("DATABASE_URL", "postgresql+asyncpg://a:b@c@db.example/shop?x=y").unwrap();
    /// assert_eq!(told.address.to_string(), "db.example:5432");
    /// assert_eq!(told.database.as_deref(), Some("shop"));
    /// ```
    #[must_use]
    pub fn read(variable: &str, url: &str) -> Option<Self> {
        let (scheme, rest) = url.split_once("://")?;
        let place = rest.split(['?', '#']).next()?;
        // A password may hold an `@`, or a slash that nobody encoded.
        let place = place.rsplit_once('@').map_or(place, |(_, place)| place);
        let (place, database) = place.split_once('/').unwrap_or((place, ""));
        let (host, port) = match place.rsplit_once(':') {
            Some((host, port)) if port.chars().all(|c| c.is_ascii_digit()) => (host, port.parse().ok()?),
            _ => (place, 5432),
        };
        let is_address = scheme.starts_with("postgres") && !host.is_empty();
        let address = Address { host: host.to_owned(), port };
        let database = Some(decode(database)).filter(|database| !database.is_empty());
        is_address.then(|| Self { variable: variable.to_owned(), address, database })
    }
}

/// How an address begins, where it is one of a Postgres: `postgresql+asyncpg`.
///
/// ```
/// assert_eq!(plan::scheme(Some("postgresql+asyncpg://db/shop")).as_deref(), Some("postgresql+asyncpg"));
/// assert_eq!(plan::scheme(Some("sqlite:///shop.db")), None);
/// ```
#[must_use]
pub fn scheme(url: Option<&str>) -> Option<String> {
    let (scheme, _) = url?.split_once("://")?;
    let is_plain = |c: char| c.is_ascii_alphanumeric() || c == '+';
    (scheme.starts_with("postgres") && scheme.chars().all(is_plain)).then(|| scheme.to_owned())
}

/// How this project begins its addresses: as its environment says, else as its services are told; `postgresql` where
/// nothing tells.
#[must_use]
pub fn own_scheme(config: &Config, world: &World) -> String {
    let variable = config.migrations.variable.as_deref().unwrap_or("DATABASE_URL");
    let own = |engine: &Engine| {
        let ours = engine
            .containers
            .iter()
            .filter(|one| stack(one, &engine.compose, &world.workspace.root) == Stack::Ours);
        let made = ours.map(|one| &one.environment);
        let described = engine.compose.services.iter().map(|one| &one.environment);
        let mut told = made.chain(described).filter_map(|environment| environment.get(variable));
        told.find_map(|url| scheme(Some(url.reveal())))
    };
    let of_services = || world.engine.as_ref().and_then(own);
    world.surroundings.scheme.clone().or_else(of_services).unwrap_or_else(|| "postgresql".to_owned())
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
