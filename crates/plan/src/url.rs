//! A Postgres URL, as libpq and the drivers of most languages write it.

use crate::{Address, Secret};

/// How `sslmode` may be set, from none to proved.
const MODES: [&str; 6] = ["disable", "allow", "prefer", "require", "verify-ca", "verify-full"];

/// What a URL says. What it leaves out is `None`, but for the port.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Url {
    /// With its driver: `postgresql+asyncpg`.
    pub scheme: String,
    pub address: Address,
    pub user: Option<String>,
    pub password: Secret,
    pub database: Option<String>,
    /// What it says else, in its order: `sslmode`, `application_name`.
    pub parameters: Vec<(String, String)>,
}

impl Url {
    /// Reads `postgresql[+driver]://[user[:password]@]host[:port]/database[?name=value&…]`. A host may be an IPv6 address in
    /// brackets or, percent-encoded or as a parameter, the folder of a socket.
    ///
    /// # Errors
    /// Why it is no address of one Postgres, in words that hold nothing of it.
    ///
    /// ```
    /// use plan::Url;
    /// let url = Url::read("postgresql+asyncpg://me%40home:p%3Aw@[::1]:6432/my%20shop?sslmode=require").unwrap();
    /// assert_eq!((url.scheme.as_str(), url.address.to_string().as_str()), ("postgresql+asyncpg", "[::1]:6432"));
    /// assert_eq!((url.user.as_deref(), url.password.reveal()), (Some("me@home"), "p:w"));
    /// assert_eq!(url.database.as_deref(), Some("my shop"));
    /// let socket = Url::read("postgres:///shop?host=/run/postgresql&user=app").unwrap();
    /// assert_eq!((socket.address.host.as_str(), socket.address.port), ("/run/postgresql", 5432));
    /// assert_eq!(Url::read("mysql://db/shop").unwrap_err(), "it does not begin with postgresql://");
    /// ```
    pub fn read(text: &str) -> Result<Self, String> {
        let not_postgres = || "it does not begin with postgresql://".to_owned();
        let (scheme, rest) = text.trim().split_once("://").ok_or_else(not_postgres)?;
        if !["postgresql", "postgres"].contains(&scheme.split('+').next().unwrap_or_default()) {
            return Err(not_postgres());
        }
        let (place, query) = rest.split_once('?').unwrap_or((rest, ""));
        // A password may hold an `@`, or a slash that nobody encoded.
        let (login, place) = place.rsplit_once('@').unwrap_or(("", place));
        let (user, password) = login.split_once(':').unwrap_or((login, ""));
        let (host, database) = place.split_once('/').unwrap_or((place, ""));
        let (host, port) = split(host)?;
        let mut url = Self {
            scheme: scheme.to_owned(),
            address: Address { host: decoded(host)?, port },
            user: some(decoded(user)?),
            password: Secret::new(decoded(password)?),
            database: some(decoded(database)?),
            parameters: Vec::new(),
        };
        for (name, value) in form_urlencoded::parse(query.as_bytes()) {
            url.parameter(&name, value.into_owned())?;
        }
        if url.address.host.is_empty() {
            "localhost".clone_into(&mut url.address.host);
        }
        if url.address.host.contains(',') {
            return Err("it names several hosts: name the primary alone".to_owned());
        }
        Ok(url)
    }

    fn parameter(&mut self, name: &str, value: String) -> Result<(), String> {
        match name {
            "host" => self.address.host = value,
            "port" => self.address.port = number(&value)?,
            "user" => self.user = some(value),
            "password" => self.password = Secret::new(value),
            "dbname" => self.database = some(value),
            "sslmode" if !MODES.contains(&value.as_str()) => {
                return Err(format!("its sslmode is none of {}", MODES.join(", ")));
            }
            // They aim elsewhere, or change what our own SQL means.
            "hostaddr" | "service" | "options" => return Err(format!("it has the parameter `{name}`")),
            _ => self.parameters.push((name.to_owned(), value)),
        }
        Ok(())
    }
}

fn some(text: String) -> Option<String> {
    Some(text).filter(|text| !text.is_empty())
}

fn split(place: &str) -> Result<(&str, u16), String> {
    let (host, port) = match place.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        Some((host, port)) => (host, port.strip_prefix(':').unwrap_or(port)),
        None => place.split_once(':').unwrap_or((place, "")),
    };
    Ok((host, if port.is_empty() { 5432 } else { number(port)? }))
}

fn number(port: &str) -> Result<u16, String> {
    port.parse().ok().filter(|port| *port > 0).ok_or_else(|| "its port is no port".to_owned())
}

fn decoded(text: &str) -> Result<String, String> {
    // Signs that mean something in a form mean themselves here.
    let plain = text.replace('+', "%2B").replace('&', "%26").replace('=', "%3D");
    let text = form_urlencoded::parse(plain.as_bytes()).next().unwrap_or_default().0.into_owned();
    if text.contains(['\0', '\u{fffd}']) { Err("it is not UTF-8".to_owned()) } else { Ok(text) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_address_of_one_postgres_is_told_without_what_it_holds() {
        for (text, why) in [
            ("shop", "postgresql://"),
            ("postgres://app:secret@db:port/shop", "port"),
            ("postgres://app:secret@db:0/shop", "port"),
            ("postgres://app:secret@a,b/shop", "several hosts"),
            ("postgres://app:secret@db/shop?sslmode=secret", "sslmode"),
            ("postgres://app:secret@db/shop?hostaddr=10.0.0.1", "hostaddr"),
            ("postgres://app:secret%ff@db/shop", "UTF-8"),
        ] {
            let told = Url::read(text).unwrap_err();

            assert!(told.contains(why) && !told.contains("secret"), "{text}: {told}");
        }
    }

    #[test]
    fn passwords_that_nobody_encoded_are_read_as_they_are_meant() {
        for (text, password) in [
            ("postgres://app:a@b/c@db/shop", "a@b/c"),
            ("postgres://app:a+b=c&d@db/shop", "a+b=c&d"),
            ("postgres://app:100%25@db/shop", "100%"),
            ("postgres://app@db/shop", ""),
        ] {
            let url = Url::read(text).unwrap();

            assert_eq!((url.password.reveal(), url.address.host.as_str()), (password, "db"), "{text}");
        }
    }

    #[test]
    fn a_socket_has_its_folder_for_a_host() {
        for text in [
            "postgres://app@%2Frun%2Fpg:5433/shop",
            "postgres://app@/shop?host=/run/pg&port=5433&dbname=shop",
        ] {
            let url = Url::read(text).unwrap();

            assert_eq!(url.address, Address { host: "/run/pg".to_owned(), port: 5433 }, "{text}");
            assert_eq!(url.database.as_deref(), Some("shop"));
        }
    }
}
