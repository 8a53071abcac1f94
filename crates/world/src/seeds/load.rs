//! Loads a set of seeds: its files in one transaction, then its commands.

use std::collections::BTreeSet;
use std::path::PathBuf;

use plan::carry::TableName;
use plan::{DatabaseName, Exit, Fault, Outcome, Said, SeedCommand, Seeding, Seeds, csv_table, words};
use sqlx::Row as _;

use super::{files, script};
use crate::build::{Builder, told};
use crate::carry::{Place, unmet};
use crate::databases::fault;
use crate::postgres::{is_empty, unless_asked};
use crate::psql::Script;

/// Rows that brought their numbers along leave their sequences behind.
const SEQUENCES: &str = include_str!("sequences.sql");

impl Builder<'_> {
    /// Loads the seeds: of the files all or none.
    pub fn seed(
        &mut self,
        database: &DatabaseName,
        seeds: &Seeds,
        seeding: Seeding,
        tell: &mut dyn FnMut(Said<'_>),
    ) -> Result<Outcome, Fault> {
        let attempt = format!("`{database}` was not seeded");
        let files = seeds.dir.as_deref().map_or_else(|| Ok(Vec::new()), |dir| files(self.root, dir))?;
        if seeding == Seeding::WhenEmpty {
            let empty = is_empty(self.postgres, database).map_err(|error| fault(&attempt, &error))?;
            if !empty {
                return Ok(Outcome::idle("it holds rows already"));
            }
        }
        for command in &seeds.commands {
            let (runner, home) = command.runner()?;
            self.prove(&command.command, &runner, &home)?;
        }
        let mut scripts: Vec<Script> =
            files.iter().map(|file| script(file, self.root)).collect::<Result<_, _>>()?;
        let filled = if seeding == Seeding::Again {
            self.filled(database, &scripts, &attempt)?
        } else {
            BTreeSet::new()
        };
        if !scripts.is_empty() {
            scripts.push(Script::Sql { file: PathBuf::from("sequences"), text: SEQUENCES.to_owned() });
        }
        if !filled.is_empty() {
            scripts.insert(0, emptied(&filled));
        }
        self.load(database, &scripts, &attempt, tell)?;
        self.prove_references(database, &filled, &attempt)?;
        for command in &seeds.commands {
            self.command(database, command, tell)?;
        }
        Ok(Outcome::detail(loaded(files.len(), seeds.commands.len(), filled.len())))
    }

    fn command(
        &mut self,
        database: &DatabaseName,
        command: &SeedCommand,
        tell: &mut dyn FnMut(Said<'_>),
    ) -> Result<(), Fault> {
        let (runner, home) = command.runner()?;
        let attempt = format!("`{database}` was not seeded by `{}`", command.command);
        let program = self.program(&command.command, &runner, &home, database)?;
        program.lines(&mut |line| tell(Said::Line(line))).map_err(|run| told(&attempt, &run))
    }

    /// The tables that files fill, of those that are there, quoted.
    fn filled(
        &mut self,
        database: &DatabaseName,
        scripts: &[Script],
        attempt: &str,
    ) -> Result<BTreeSet<String>, Fault> {
        let of = |script: &Script| match script {
            Script::Sql { text, .. } => plan::fills(text),
            Script::Rows { path, .. } => {
                path.file_name().and_then(|name| csv_table(&name.to_string_lossy())).into_iter().collect()
            }
        };
        let tables: BTreeSet<TableName> = scripts.iter().flat_map(of).collect();
        let names: Vec<String> = tables.iter().map(|table| plan::literal(&table.quoted())).collect();
        if names.is_empty() {
            return Ok(BTreeSet::new());
        }
        let sql = format!(
            "SELECT name FROM unnest(ARRAY[{}]) name JOIN pg_class c ON c.oid = to_regclass(name) WHERE c.relkind IN ('r', 'p')",
            names.join(", ")
        );
        let rows = self.postgres.rows(database, &sql).map_err(|error| fault(attempt, &error))?;
        rows.iter()
            .map(|row| row.try_get("name"))
            .collect::<Result<_, _>>()
            .map_err(|error| fault(attempt, &error))
    }

    /// Rows of other tables may refer to rows that did not come again.
    fn prove_references(
        &mut self,
        database: &DatabaseName,
        filled: &BTreeSet<String>,
        attempt: &str,
    ) -> Result<(), Fault> {
        if filled.is_empty() {
            return Ok(());
        }
        let place = Place { options: self.postgres.options(database), timeout: self.timeout };
        let unmet = self.postgres.block_on(unless_asked(unmet(&place, filled)));
        match unmet.map_err(|error| fault(attempt, &error))? {
            None => Ok(()),
            Some(why) => Err(Fault::new(Exit::Failed, attempt).cause(why).hint(
                "slate-reset begins with the seeds alone, slate-rebuild --keep with some of your tables",
            )),
        }
    }
}

/// What takes the rows of these tables away. Rows of others that refer to them stay: the triggers that would say no, or
/// take those away too, do not fire.
fn emptied(tables: &BTreeSet<String>) -> Script {
    let deletes: Vec<String> = tables.iter().map(|table| format!("DELETE FROM {table};")).collect();
    let text = format!(
        "SET LOCAL session_replication_role = replica;\n{}\nSET LOCAL session_replication_role = origin;\n",
        deletes.join("\n")
    );
    Script::Sql { file: PathBuf::from("emptying"), text }
}

fn loaded(files: usize, commands: usize, replaced: usize) -> String {
    let counts = [(files, "file", ""), (commands, "command", ""), (replaced, "table", " replaced")];
    let told = counts.into_iter().filter(|(number, noun, _)| *number > 0 || *noun == "file");
    told.map(|(number, noun, what)| words::count(number as u64, noun) + what).collect::<Vec<_>>().join(", ")
}
