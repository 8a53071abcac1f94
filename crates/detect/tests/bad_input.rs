//! Whatever lies in a work tree, detection answers. More cases: `PROPTEST_CASES=200000 cargo test -p cleanslate-detect`.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use detect::{Tree, detect};
use proptest::prelude::*;

/// Pieces that mean something to one of the readers, in any order and number.
const PIECES: &[&str] = &[
    "services:\n",
    "  db:\n",
    "    image: postgres:16\n",
    "    image: ${A:-${B}}\n",
    "    build: .\n",
    "    environment:\n",
    "      POSTGRES_USER: x\n",
    "      - POSTGRES_DB\n",
    "    extends: {file: compose.yml, service: db}\n",
    "    extends: db\n",
    "include: [compose.yml, a/compose.yml]\n",
    "volumes:\n",
    "  data: {external: true}\n",
    "    volumes: ['data:/var/lib/postgresql/data']\n",
    "    ports: ['${P:-5432}:5432', 5432, 'a-b:c']\n",
    "x: &x\n",
    "  <<: *x\n",
    "- *x\n",
    "    ports: !override\n",
    "    db: !reset null\n",
    "name: ${N}\n",
    "{",
    "}",
    "[",
    "]",
    ":",
    "\"",
    "'",
    "`",
    "$",
    "${",
    "${A",
    ":-",
    "\\",
    "\t",
    "\r\n",
    "\n",
    " ",
    "#",
    "---\n",
    "\u{feff}",
    "A=1\n",
    "export B='${A}'\n",
    "C=\"a\nb\"\n",
    "=\n",
    "FROM postgres:16 AS a\n",
    "FROM a\n",
    "ARG V=16\n",
    "\u{301}é",
    "\0",
    "script_location = %(here)s/x\n",
    "datasource db {\n provider = \"postgresql\"\n}\n",
    "-- migrate:up\n",
    "development:\n  database: x\n",
    "\"dockerComposeFile\": [\"compose.yml\"]\n",
    "\"dockerComposeFile\": \"",
    "    docker compose -f compose.yml -p x up\n",
    "alembic upgrade head\n",
    "directory: './m'\n",
    "'migrations-path': path.resolve('a', 'b')\n",
    "out: \"./d\"\n",
    "depends_on: [db]\n",
    "pg_isready",
    "    healthcheck: {test: [x], interval: 30s}\n",
];

const FILES: &[&str] = &[
    "compose.yml",
    "compose.override.yml",
    "docker-compose.dev.yml",
    "a/compose.yml",
    ".env",
    ".env.example",
    "Dockerfile",
    "alembic.ini",
    "migrations/env.py",
    "pyproject.toml",
    "package.json",
    "schema.prisma",
    "drizzle.config.ts",
    ".sequelizerc",
    "knexfile.js",
    "Gemfile",
    "config/database.yml",
    "db/migrate/1_a.rb",
    "migrations/1_a.up.sql",
    "justfile",
    ".devcontainer/devcontainer.json",
    "db/changelog.xml",
];

fn texts() -> impl Strategy<Value = BTreeMap<&'static str, String>> {
    let piece = prop_oneof![4 => prop::sample::select(PIECES).prop_map(str::to_owned), 1 => ".{0,6}"];
    let text = prop::collection::vec(piece, 0..24).prop_map(|pieces| pieces.concat());
    prop::collection::btree_map(prop::sample::select(FILES), text, 1..10)
}

proptest! {
    #[test]
    fn every_tree_gets_an_answer(texts in texts()) {
        let begun = Instant::now();
        let paths = texts.keys().map(ToString::to_string);
        let tree = Tree::new("shop", paths, |path| Ok(texts[path].clone()));

        let found = detect(&tree);

        prop_assert!(begun.elapsed() < Duration::from_secs(5), "{:?}", begun.elapsed());
        prop_assert_eq!(found.database.is_some(), found.because.contains_key("database.service"));
        prop_assert_eq!(found.migrations.is_some(), found.because.contains_key("migrations.tool"));
    }
}
