//! A workspace whose Postgres somebody else runs: the cluster of another [`Shop`], reached by a URL.

use crate::{Output, Sandbox, Shop};

const TOML: &str = "[database]\nserver = \"external\"\n\n[migrations]\ntool = \"sql\"\ndir = \"migrations\"\n\n\
                    [seeds]\ndir = \"seeds\"\n";

/// A [`Shop`] without a cluster: its role has the name and password of its database, which holds goods of somebody's.
#[derive(Debug)]
pub struct Guest<'a> {
    host: &'a Shop,
    shop: Shop,
    name: &'static str,
}

impl<'a> Guest<'a> {
    /// With a database of this name on the host's server, and `.env` telling its URL. Nothing is adopted.
    ///
    /// # Panics
    /// The host's server does not take it.
    #[must_use]
    #[track_caller]
    pub fn of(host: &'a Shop, name: &'static str) -> Self {
        for sql in [
            format!("CREATE ROLE {name} LOGIN CREATEDB PASSWORD '{name}-secret'"),
            format!("CREATE DATABASE {name} OWNER {name}"),
        ] {
            let _ = host.ask_in("postgres", &sql);
        }
        let sql = format!(
            "SET ROLE {name}; CREATE TABLE goods (id int PRIMARY KEY, name text NOT NULL);
             CREATE TABLE sold (id int PRIMARY KEY, goods int REFERENCES goods);
             INSERT INTO goods VALUES (1, 'lamp'), (2, 'rug'), (3, 'vase')"
        );
        let _ = host.ask_in(name, &sql);
        Self::beside(host, name)
    }

    /// A further workspace with the URL of a database that is there.
    #[must_use]
    pub fn beside(host: &'a Shop, name: &'static str) -> Self {
        let shop = Shop::of(Sandbox::new());
        let guest = Self { host, shop, name };
        guest.shop.write("cleanslate.toml", TOML);
        guest.shop.write(".env", &format!("DATABASE_URL={}\n", guest.url()));
        guest
    }

    /// As a project writes it, its driver with it.
    #[must_use]
    pub fn url(&self) -> String {
        let (name, port) = (self.name, self.host.port());
        format!("postgresql+asyncpg://{name}:{name}-secret@127.0.0.1:{port}/{name}")
    }

    #[must_use]
    pub fn shop(&self) -> &Shop {
        &self.shop
    }

    /// Makes its database the workspace's.
    ///
    /// # Panics
    /// `slate-init --adopt` fails.
    #[must_use]
    #[track_caller]
    pub fn adopted(self) -> Self {
        let _ = self.run("slate-init", &[&format!("--adopt={}", self.name)]).expect_code(0);
        self
    }

    /// Runs one of cleanslate's binaries to its end, with nobody to ask, and waits for what it leaves to the background.
    ///
    /// # Panics
    /// It outlives the deadline, or the password is in what it says.
    #[must_use]
    #[track_caller]
    pub fn run(&self, binary: &str, arguments: &[&str]) -> Output {
        let output = self.shop.run(binary, arguments);
        self.shop.settle();
        let said = format!("{}{}", output.stdout, output.stderr);
        assert!(!said.contains("-secret"), "{said}");
        output
    }

    /// The goods by their names.
    ///
    /// # Panics
    /// There is no such database.
    #[must_use]
    #[track_caller]
    pub fn goods(&self) -> String {
        self.host.ask_in(self.name, "SELECT string_agg(name, ' ' ORDER BY id) FROM goods")
    }
}
