//! Inside a container that has no engine: the compose files say what the server is called, and the network finds it.

use std::fs;
use std::net::{IpAddr, Ipv4Addr, TcpStream, ToSocketAddrs as _, UdpSocket};
use std::path::Path;
use std::time::Duration;

use detect::Login;
use plan::{
    Address, Config, DatabaseName, Exit, Fault, Kind, Outside, RoleName, Secret, Server, ServerState,
    Surroundings, Told,
};

use crate::cluster::maintenance;
use crate::engine::compose_files;
use crate::tree;

/// What Docker and Podman leave in every container.
const SIGNS: [&str; 2] = ["/.dockerenv", "/run/.containerenv"];

/// Where an engine that this container may use has its socket.
const SOCKETS: [&str; 2] = ["/var/run/docker.sock", "/run/docker.sock"];

/// A server in the next container takes a connection at once, or is not there.
const KNOCK: Duration = Duration::from_millis(500);

/// What surrounds this run, as far as the environment tells.
pub(crate) fn surroundings(config: &Config, root: &Path) -> Surroundings {
    let variable = config.migrations.variable.as_deref().unwrap_or("DATABASE_URL");
    let own = std::env::var(variable).ok();
    let told = own.as_ref().and_then(|url| Told::read(variable, url));
    let scheme =
        plan::scheme(own.as_deref()).or_else(|| plan::scheme(in_env_file(root, variable).as_deref()));
    let service = config.database.service.clone();
    Surroundings { service, told, scheme, ..Surroundings::default() }
}

/// What the project's own `.env` gives a variable.
fn in_env_file(root: &Path, variable: &str) -> Option<String> {
    let mut pairs = dotenvy::from_path_iter(root.join(".env")).ok()?.flatten();
    pairs.find_map(|(name, value)| (name == variable).then_some(value))
}

/// Whether this is a container, and one that can't speak to its engine.
pub(crate) fn is_inside() -> bool {
    let is_container = SIGNS.iter().any(|sign| Path::new(sign).exists());
    let has_engine = std::env::var_os("DOCKER_HOST").is_some()
        || SOCKETS.iter().any(|socket| Path::new(socket).exists())
        || which::which("docker").is_ok();
    is_container && !has_engine
}

/// The server of the compose files, as this container's own network knows it.
///
/// # Errors
/// No compose file, no Postgres in it, or its name leads out of the networks that this container is in.
pub(crate) fn server(config: &Config, root: &Path, surroundings: &mut Surroundings) -> Result<Server, Fault> {
    let found = login(config, root)?;
    surroundings.service = Some(found.service.clone());
    let at = |host: &str| Address { host: host.to_owned(), port: found.port };
    let named = at(&found.service);
    let ips = resolved(&named);
    if let Some(far) = ips.iter().find(|ip| !is_near(**ip)) {
        return Err(Fault::new(Exit::Refused, format!("`{named}` is not proved to be this workspace's"))
            .cause(format!("the name leads to {far}, in no network that this container is part of"))
            .state("nothing was changed"));
    }
    // A container that lives in the server's network knows it as itself, if not by name.
    let address = if ips.is_empty() && found.shared { at("localhost") } else { named };
    let state = if answers(&address) { ServerState::Running } else { ServerState::Stopped };
    let name = config.database.name.clone().unwrap_or(found.name);
    let user = config.database.user.clone().unwrap_or(found.user);
    let name = DatabaseName::new(name).map_err(|odd| bad(&odd))?;
    Ok(Server {
        kind: Kind::Compose,
        state,
        address: Some(address),
        user: RoleName::new(user).map_err(|odd| bad(&odd))?,
        password: found.password,
        maintenance: maintenance(&name),
        name,
        system_identifier: String::new(),
        version: String::new(),
        standby: false,
        outside: Outside::default(),
        databases: Vec::new(),
    })
}

/// Whether a service of the compose files runs in one of this container's networks.
pub(crate) fn runs(service: &str) -> bool {
    !resolved(&Address { host: service.to_owned(), port: 1 }).is_empty()
}

/// Whether this container is the one of that service.
pub(crate) fn is_here(service: &str) -> bool {
    // Only an address of one's own can be taken.
    resolved(&Address { host: service.to_owned(), port: 0 })
        .iter()
        .any(|ip| UdpSocket::bind((*ip, 0)).is_ok())
}

fn login(config: &Config, root: &Path) -> Result<Login, Fault> {
    let files: Vec<String> = compose_files(config, root)?
        .iter()
        .filter_map(|file| Some(file.strip_prefix(root).ok()?.to_string_lossy().into_owned()))
        .collect();
    let names = files.join(", ");
    let found = tree::login(root, files, config.database.service.as_deref()).ok_or_else(|| {
        Fault::new(Exit::Usage, "the compose files describe no Postgres")
            .cause(format!("looked into {names}"))
            .state("nothing was changed")
            .hint("name its service in cleanslate.toml: [database] service = \"db\"")
    })?;
    // The one that somebody gave this container beats what the files say: a secret stands in no file.
    let given = std::env::var("POSTGRES_PASSWORD").ok().filter(|_| found.password.reveal().is_empty());
    let password = given.map_or(found.password.clone(), Secret::new);
    Ok(Login { password, ..found })
}

fn bad(bad: &plan::BadName) -> Fault {
    Fault::new(Exit::Usage, "the compose files name something that Postgres would not take")
        .cause(bad.to_string())
        .state("nothing was changed")
        .hint("set it in cleanslate.toml: [database] name, user")
}

fn resolved(address: &Address) -> Vec<IpAddr> {
    let found = (address.host.as_str(), address.port).to_socket_addrs();
    found.into_iter().flatten().map(|address| address.ip()).collect()
}

fn answers(address: &Address) -> bool {
    let found = (address.host.as_str(), address.port).to_socket_addrs().into_iter().flatten();
    found.into_iter().any(|address| TcpStream::connect_timeout(&address, KNOCK).is_ok())
}

/// Whether an address is on a network of this container's own: no gateway lies between.
fn is_near(ip: IpAddr) -> bool {
    match ip {
        IpAddr::V4(ip) if ip.is_loopback() => true,
        IpAddr::V4(ip) => fs::read_to_string("/proc/net/route").is_ok_and(|table| is_attached(&table, ip)),
        IpAddr::V6(ip) => ip.is_loopback() || ip.is_unique_local() || ip.is_unicast_link_local(),
    }
}

/// Reads the kernel's table: interface, destination, gateway, …, mask; numbers in hexadecimal, in the machine's order.
fn is_attached(table: &str, ip: Ipv4Addr) -> bool {
    let ip = u32::from_ne_bytes(ip.octets());
    table.lines().skip(1).any(|line| {
        let fields: Vec<&str> = line.split_whitespace().collect();
        let number = |at: usize| fields.get(at).and_then(|field| u32::from_str_radix(field, 16).ok());
        match (number(1), number(2), number(7)) {
            (Some(network), Some(0), Some(mask)) if mask != 0 => ip & mask == network,
            _ => false,
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_network_without_a_gateway_is_near() {
        // 0.0.0.0 through 172.18.0.1, and 172.18.0.0/16 itself.
        let table = "Iface\tDestination\tGateway\tFlags\tRefCnt\tUse\tMetric\tMask\n\
                     eth0\t00000000\t010012AC\t0003\t0\t0\t0\t00000000\n\
                     eth0\t000012AC\t00000000\t0001\t0\t0\t0\t0000FFFF\n";

        assert!(is_attached(table, Ipv4Addr::new(172, 18, 0, 7)));
        assert!(!is_attached(table, Ipv4Addr::new(172, 19, 0, 7)));
        assert!(!is_attached(table, Ipv4Addr::new(10, 0, 0, 5)), "staging, behind the gateway");
    }
}
