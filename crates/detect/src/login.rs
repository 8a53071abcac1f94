//! How the compose files say that one logs in to their Postgres. For those who reach it without the engine.

use plan::Secret;

use crate::compose::stack::Stack;
use crate::postgres;
use crate::tree::Tree;

/// What the Postgres of a compose project is called in its network, and who is let in.
#[derive(Debug, Clone)]
pub struct Login {
    pub service: String,
    pub user: String,
    pub password: Secret,
    pub name: String,
    pub port: u16,
    /// Another service lives in its network, where it is `localhost`.
    pub shared: bool,
}

/// The login of a service of these files, else of the one that runs Postgres.
#[must_use]
pub fn login(tree: &Tree<'_>, files: Vec<String>, service: Option<&str>) -> Option<Login> {
    let stack = Stack::read(tree, files, None);
    let name = match service {
        Some(name) => name.to_owned(),
        None => postgres::choose(tree, &stack)?.name,
    };
    let service = stack.service(&name)?;
    let found = postgres::login(&stack, service, service.image.as_deref().unwrap_or_default());
    let password = service.variable(&["POSTGRES_PASSWORD", "POSTGRESQL_PASSWORD"]);
    let shared = stack.services.iter().any(|one| one.joins.as_deref() == Some(&name));
    Some(Login {
        user: found.user.0,
        password: Secret::new(password.unwrap_or_default()),
        name: found.name.0,
        port: found.port.0,
        shared,
        service: name,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: &str = "
services:
  db:
    image: postgres:17
    environment: {POSTGRES_USER: app, POSTGRES_PASSWORD: '${SECRET:-a$$b}', POSTGRES_DB: shop}
  dev:
    image: debian
    network_mode: service:db
";

    #[test]
    fn a_login_is_what_the_files_say() {
        let tree = Tree::new("shop", ["compose.yml".to_owned()], |_| Ok(FILE.to_owned()));

        let found = login(&tree, vec!["compose.yml".to_owned()], None).unwrap();

        assert_eq!((found.service.as_str(), found.user.as_str(), found.name.as_str()), ("db", "app", "shop"));
        assert_eq!((found.password.reveal(), found.port, found.shared), ("a$b", 5432, true));
        assert!(login(&tree, vec!["compose.yml".to_owned()], Some("nobody")).is_none());
    }
}
