//! An external server: the URL that somebody gave, the password that `~/.pgpass` holds, and whether anything answers.

use std::fs;
use std::net::{TcpStream, ToSocketAddrs as _};
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::time::Duration;

use plan::{
    Address, Config, DatabaseName, Exit, Fault, Kind, Lack, Outside, RoleName, Secret, Server, ServerState,
    Source, Url,
};

use sqlx::Row as _;

use crate::cluster::maintenance;
use crate::databases::fault;
use crate::here::home_of;
use crate::postgres::Postgres;
use crate::records::Records;

/// One that is there takes a connection well before this.
const KNOCK: Duration = Duration::from_secs(5);

/// The server that the URL names. Its version, identifier and databases are for those who connect.
///
/// # Errors
/// There is no URL, it is no address of a Postgres, or it leaves out what has to be said.
pub(crate) fn server(config: &Config, root: &Path, timeout: Duration) -> Result<Server, Fault> {
    let (from, text) = told(config, root).ok_or_else(|| {
        usage("there is no URL of the external server".to_owned())
            .cause(format!("neither database.url, {} nor .env holds one", variable(config)))
            .hint(format!("export {}=postgresql://USER@HOST/DATABASE", plan::variable_of("database.url")))
    })?;
    let url = Url::read(text.reveal())
        .map_err(|why| usage(format!("{from} is no address of a Postgres")).cause(why))?;
    if !url.password.is_empty() && matches!(config.source("database.url"), Source::File { .. }) {
        return Err(usage("there is a password in cleanslate.toml".to_owned())
            .cause("the file is committed, and everybody who has it would have the password")
            .hint(format!("put it into ~/.pgpass, or the URL into {}", plan::variable_of("database.url"))));
    }
    let missing = |what: &str| {
        usage(format!("{from} names no {what}")).hint(format!("set it there, or as database.{what}"))
    };
    let bad = |bad: plan::BadName| usage(format!("{from}: {bad}"));
    let name = config.database.name.clone().or(url.database).ok_or_else(|| missing("name"))?;
    let user = config.database.user.clone().or(url.user).ok_or_else(|| missing("user"))?;
    let name = DatabaseName::new(name).map_err(bad)?;
    let user = RoleName::new(user).map_err(bad)?;
    let password =
        if url.password.is_empty() { passed(&url.address, &name, &user) } else { Some(url.password) };
    Ok(Server {
        kind: Kind::External,
        state: if answers(&url.address, timeout) { ServerState::Running } else { ServerState::Stopped },
        address: Some(url.address),
        user,
        password: password.unwrap_or_default(),
        maintenance: maintenance(&name),
        name,
        system_identifier: String::new(),
        version: String::new(),
        standby: false,
        outside: Outside { scheme: Some(url.scheme), parameters: url.parameters, ..Outside::default() },
        databases: Vec::new(),
    })
}

/// The fault for a server that nothing answers for.
pub(crate) fn silent(server: &Server) -> Fault {
    let address = server.address.as_ref().map(ToString::to_string).unwrap_or_default();
    Fault::new(Exit::NotReady, format!("Postgres does not answer at {address}"))
        .cause("the server is external: nobody here starts it")
        .state("nothing was changed")
        .hint("slate-up --timeout 5m waits for it")
}

/// What our role and our connection are good for there. `changing`: something may be about to be changed.
///
/// # Errors
/// The server does not answer that.
pub(crate) fn look(
    postgres: &mut Postgres,
    server: &mut Server,
    records: &Records,
    changing: bool,
) -> Result<(), Fault> {
    let attempt = |error| fault("the rights were not read", &error);
    server.outside.adopted = records.is_adopted(&server.system_identifier, &server.name);
    let sql = format!(
        "SELECT r.rolsuper OR r.rolcreatedb AS creates,
                coalesce((SELECT pg_has_role(d.datdba, 'USAGE') FROM pg_database d WHERE d.datname = {}), true) AS owns
         FROM pg_roles r WHERE r.rolname = current_user",
        server.name.literal()
    );
    let rows = postgres.rows(&server.maintenance, &sql).map_err(attempt)?;
    let has = |column| rows.first().is_some_and(|row| row.get(column));
    let (user, name) = (server.user.quoted(), server.name.quoted());
    if !has("creates") {
        let what = format!("role `{}` may not create databases", server.user);
        server.outside.lacks.push(Lack { what, grant: format!("ALTER ROLE {user} CREATEDB") });
    }
    if !has("owns") {
        let what = format!("`{}` belongs to another role than `{}`", server.name, server.user);
        server.outside.lacks.push(Lack { what, grant: format!("ALTER DATABASE {name} OWNER TO {user}") });
    }
    if changing && postgres.is_pooled(&server.maintenance).map_err(attempt)? {
        let why = "each statement gets another session there, so that no lock of ours would hold";
        server.outside.pooled = Some(why.to_owned());
    }
    Ok(())
}

fn usage(error: String) -> Fault {
    Fault::new(Exit::Usage, error).state("nothing was changed")
}

fn variable(config: &Config) -> &str {
    config.migrations.variable.as_deref().unwrap_or("DATABASE_URL")
}

/// The URL and where it stands: ours, else the variable that the project's own commands read.
fn told(config: &Config, root: &Path) -> Option<(String, Secret)> {
    if let Some(url) = &config.database.url {
        let from = match config.source("database.url") {
            Source::Variable(name) => name,
            _ => "database.url".to_owned(),
        };
        return Some((from, url.clone()));
    }
    let name = variable(config);
    if let Ok(url) = std::env::var(name) {
        return Some((name.to_owned(), Secret::new(url)));
    }
    let folders = [root.to_owned(), home_of(root, &config.migrations)];
    folders.iter().map(|folder| folder.join(".env")).find_map(|file| {
        let lines = dotenvy::from_path_iter(&file).ok()?;
        let (_, url) = lines.filter_map(Result::ok).find(|(key, _)| key == name)?;
        Some((format!("{name} in {}", file.strip_prefix(root).unwrap_or(&file).display()), Secret::new(url)))
    })
}

fn answers(address: &Address, timeout: Duration) -> bool {
    if address.is_socket() {
        let socket = Path::new(&address.host).join(format!(".s.PGSQL.{}", address.port));
        return UnixStream::connect(socket).is_ok();
    }
    let found = (address.host.as_str(), address.port).to_socket_addrs().into_iter().flatten();
    let limit = KNOCK.min(timeout);
    found.into_iter().any(|address| TcpStream::connect_timeout(&address, limit).is_ok())
}

/// The password that libpq would find.
fn passed(address: &Address, database: &DatabaseName, user: &RoleName) -> Option<Secret> {
    let file = PathBuf::from(std::env::var_os("HOME")?).join(".pgpass");
    // libpq ignores one that others may read, and nobody should get used to such a one here.
    if fs::metadata(&file).ok()?.permissions().mode() & 0o077 != 0 {
        return None;
    }
    let host = if address.is_socket() { "localhost" } else { &address.host };
    let wanted = [host, &address.port.to_string(), database.as_str(), user.as_str()];
    fs::read_to_string(file).ok()?.lines().find_map(|line| fits(line, wanted))
}

/// The password of a line `host:port:database:user:password`, where `*` stands for any and `\` takes a colon's meaning.
fn fits(line: &str, wanted: [&str; 4]) -> Option<Secret> {
    let mut rest = line.strip_suffix('\r').unwrap_or(line);
    if rest.starts_with('#') {
        return None;
    }
    for wanted in wanted {
        let (field, after) = field(rest)?;
        if field != "*" && field != wanted {
            return None;
        }
        rest = after;
    }
    let password = field(&format!("{rest}:"))?.0;
    (!password.is_empty()).then(|| Secret::new(password))
}

/// A field without its escapes, and what follows its colon.
fn field(text: &str) -> Option<(String, &str)> {
    let mut plain = String::new();
    let mut signs = text.char_indices();
    while let Some((at, sign)) = signs.next() {
        match sign {
            ':' => return Some((plain, text.get(at + 1..)?)),
            '\\' => plain.push(signs.next()?.1),
            sign => plain.push(sign),
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_of_pgpass_is_read_as_libpq_reads_it() {
        let wanted = ["::1", "5432", "my:shop", "app"];
        for (line, password) in [
            (r"\:\:1:5432:my\:shop:app:se\:cr\\et", Some(r"se:cr\et")),
            ("*:*:*:app:any", Some("any")),
            ("*:*:*:other:any", None),
            ("*:5433:*:app:any", None),
            ("# *:*:*:app:any", None),
            ("*:*:*", None),
        ] {
            let found = fits(line, wanted);

            assert_eq!(found.as_ref().map(Secret::reveal), password, "{line}");
        }
    }
}
