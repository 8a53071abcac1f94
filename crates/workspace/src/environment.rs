//! `slate-status --env`: the address as variables, for a shell or a file.

use clap::ValueEnum;
use plan::{Config, Disclosed, Disclosure, Exit, Fault, Form, Server, World};

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Env {
    Shell,
    Dotenv,
    Json,
}

/// The address as the project's own variable and as libpq's.
pub(crate) fn environment(
    config: &Config,
    world: &World,
    server: &Server,
    form: Env,
    shown: bool,
) -> Result<Disclosure, Fault> {
    let not_ready = |error: String| Fault::new(Exit::NotReady, error).state("nothing was changed");
    let address = server.address.as_ref().ok_or_else(|| {
        not_ready(format!("`{}` has no address yet", server.name))
            .cause("its server was not made, or publishes no port")
            .hint(world.workspace.command("up"))
    })?;
    let name = config.migrations.variable.as_deref().unwrap_or("DATABASE_URL");
    let is_letter = |c: char| c.is_ascii_alphanumeric() || c == '_';
    if !name.chars().all(is_letter) || name.starts_with(|c: char| c.is_ascii_digit()) || name.is_empty() {
        return Err(Fault::new(Exit::Usage, format!("`{name}` is no name for a variable"))
            .cause("migrations.variable says so")
            .state("nothing was changed"));
    }
    let scheme = plan::own_scheme(config, world);
    let url = Disclosed {
        name: name.to_owned(),
        value: server.url_in(&scheme, &server.name),
        masked: server.masked_url_in(&scheme, &server.name),
    };
    let mut values = vec![
        url,
        Disclosed::plain("PGHOST", address.host.as_str()),
        Disclosed::plain("PGPORT", address.port.to_string()),
        Disclosed::plain("PGUSER", server.user.as_str()),
        Disclosed::plain("PGDATABASE", server.name.as_str()),
    ];
    if !server.password.is_empty() {
        let (name, value) = ("PGPASSWORD".to_owned(), server.password.clone());
        values.push(Disclosed { name, value, masked: "***".to_owned() });
    }
    let form = match form {
        Env::Shell => Form::Shell,
        Env::Dotenv => Form::Dotenv,
        Env::Json => Form::Json,
    };
    Ok(Disclosure { values, form, shown })
}
