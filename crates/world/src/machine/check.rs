//! What a check does: builds the sides that are not there, reads all catalogs, and has them compared.

use std::collections::BTreeMap;
use std::str::FromStr as _;

use plan::check::{
    ACCEPTED, Accepted, Catalog, Comparison, Finding, Form, Place, Severity, Side, Sources, absent, accepted,
    findings, hinted, refused,
};
use plan::{DatabaseName, Exit, Fault, Migrations, Outcome, Said, Secret, words};
use sqlx::postgres::PgConnectOptions;

use super::Real;
use super::reach::no_server;
use crate::catalog;

/// What a check has found out so far.
#[derive(Debug, Default)]
pub(super) struct Checked {
    /// Sides that could not be had, and why.
    absent: BTreeMap<Side, String>,
    sources: Sources,
    /// What the models could not do.
    refused: Vec<Finding>,
    findings: Vec<Finding>,
}

impl Checked {
    /// Why a side could not be had.
    pub fn absent(&self, side: Side) -> Option<&str> {
        self.absent.get(&side).map(String::as_str)
    }
}

impl Real<'_> {
    /// Builds the migrations' side. That they fail is something to tell, not the end of the check.
    pub(super) fn build_migrations(
        &mut self,
        database: &DatabaseName,
        migrations: &Migrations,
        said: &mut dyn FnMut(Said<'_>),
    ) -> Result<Outcome, Fault> {
        let root = self.world.workspace.root.clone();
        self.checked.sources.files = crate::blueprint::migration_texts(&root, migrations);
        let done = self.build(|builder| builder.migrate(database, migrations, said));
        self.or_absent(Side::Migrations, done)
    }

    pub(super) fn build_models(
        &mut self,
        database: &DatabaseName,
        after: Option<&DatabaseName>,
    ) -> Result<Outcome, Fault> {
        let (models, migrations) = (&self.config.models, &self.config.migrations);
        let extensions = match after {
            Some(after) if !self.checked.absent.contains_key(&Side::Migrations) => self.extensions(after)?,
            _ => Vec::new(),
        };
        let done = self.build(|builder| builder.models(database, models, migrations, &extensions));
        let done = done.map(|places| {
            self.checked.sources.models = places;
            Outcome::default()
        });
        self.or_absent(Side::Models, done)
    }

    /// Tries the models where both sides could be had; else the side that is missing says enough.
    pub(super) fn try_models(&mut self, database: &DatabaseName) -> Result<Outcome, Fault> {
        if self.checked.absent.contains_key(&Side::Migrations) {
            return Ok(Outcome::idle("the migrations could not be had"));
        }
        let (models, migrations) = (&self.config.models, &self.config.migrations);
        let tried = self.build(|builder| builder.exercise(database, models, migrations))?;
        self.checked.refused = refused(&tried);
        let done = tried.values().filter(|tried| tried.error.is_none() && tried.unfilled.is_empty()).count();
        let outcome =
            format!("{done} of {} inserted, read and updated", words::count(tried.len() as u64, "model"));
        Ok(Outcome::detail(outcome))
    }

    fn or_absent(&mut self, side: Side, done: Result<Outcome, Fault>) -> Result<Outcome, Fault> {
        match done {
            Err(fault) if fault.exit != Exit::Declined => {
                let why = fault
                    .cause
                    .clone()
                    .map_or_else(|| fault.error.clone(), |cause| format!("{}: {cause}", fault.error));
                let outcome = Outcome::idle(format!("the {side} could not be had: {why}"));
                self.checked.absent.insert(side, why);
                Ok(outcome)
            }
            done => done,
        }
    }

    /// The names of a database's extensions.
    pub(super) fn extensions(&mut self, database: &DatabaseName) -> Result<Vec<String>, Fault> {
        let sql = "SELECT extname::text AS name FROM pg_extension WHERE oid >= 16384 ORDER BY oid";
        let attempt = format!("the extensions of `{database}` were not listed");
        self.build(|builder| {
            let rows = builder
                .postgres
                .rows(database, sql)
                .map_err(|error| crate::databases::fault(&attempt, &error))?;
            Ok(rows.iter().filter_map(|row| sqlx::Row::try_get(row, "name").ok()).collect())
        })
    }

    pub(super) fn compare(
        &mut self,
        comparison: &Comparison,
        said: &mut dyn FnMut(Said<'_>),
    ) -> Result<Outcome, Fault> {
        let mut names = Vec::new();
        let mut places = Vec::new();
        for (side, place) in &comparison.sides {
            if !self.checked.absent.contains_key(side) {
                names.push(*side);
                places.push(self.options(place)?);
            }
        }
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let runtime =
            runtime.map_err(|why| Fault::new(Exit::Failed, "no event loop").cause(why.to_string()))?;
        let mut sides: Vec<(Side, Catalog)> = Vec::new();
        for (side, read) in names.into_iter().zip(catalog::read(&runtime, &places, self.timeout)) {
            match read {
                Ok(catalog) => sides.push((side, catalog)),
                // Of two addresses that somebody gave both have to answer.
                Err(fault) if fault.exit == Exit::Declined || matches!(side, Side::First | Side::Second) => {
                    return Err(fault);
                }
                Err(fault) => drop(self.or_absent(side, Err(fault))?),
            }
        }
        if sides.len() < 2 {
            let why = self.checked.absent.iter().map(|(side, why)| format!("{side}: {why}"));
            return Err(Fault::new(Exit::Failed, "there are no two sides to compare")
                .cause(why.collect::<Vec<_>>().join("; ")));
        }
        for (side, catalog) in &sides {
            for book in catalog.bookkeeping() {
                said(Said::Line(&format!("{side}: {book} is a migration tool's own and is not compared")));
            }
        }
        self.judge(comparison, &sides)
    }

    fn judge(&mut self, comparison: &Comparison, sides: &[(Side, Catalog)]) -> Result<Outcome, Fault> {
        let command = |verb: &str| self.world.workspace.command(verb);
        self.checked.sources.released = self.world.workspace.root.join(plan::RELEASED).exists();
        let found = hinted(findings(sides), &self.checked.sources, &command);
        let file = self.world.workspace.root.join(ACCEPTED);
        let known = match std::fs::read_to_string(&file) {
            Ok(text) => Accepted::read(&text).map_err(|why| {
                Fault::new(Exit::Usage, format!("`{ACCEPTED}` is not understood")).cause(why)
            })?,
            Err(_) => Accepted::default(),
        };
        let (mut found, left_out) = accepted(found, &known);
        let missing = self.checked.absent.iter().map(|(side, why)| absent(*side, why));
        found.splice(0..0, missing);
        found.extend(std::mem::take(&mut self.checked.refused));
        if comparison.form != Form::Sql {
            for finding in &mut found {
                finding.sql.clear();
            }
        }
        let mut outcome = Outcome { lines: comparison.form.lines(&found), ..Outcome::default() };
        // Between statements a line of words is a remark.
        let remark = if comparison.form == Form::Sql { "-- " } else { "" };
        let names: Vec<String> = sides.iter().map(|(side, _)| side.to_string()).collect();
        let tables = sides.iter().map(|(_, catalog)| catalog.tables()).max().unwrap_or(0);
        if found.is_empty() {
            outcome.lines.push(format!(
                "{remark}{} agree: {}",
                sentence(&names),
                words::count(tables as u64, "table")
            ));
        }
        if left_out > 0 {
            outcome.lines.push(format!(
                "{remark}{} left out: {ACCEPTED}",
                words::count(left_out as u64, "accepted difference")
            ));
        }
        outcome.detail = Some(format!(
            "{}, {}",
            words::count(tables as u64, "table"),
            words::count(found.len() as u64, "finding")
        ));
        if !comparison.lenient && Finding::worst(&found) >= Some(Severity::Warning) {
            outcome.code = Some(Exit::Differs as i32);
        }
        self.checked.findings.clone_from(&found);
        outcome.findings = Some(found);
        Ok(outcome)
    }

    pub(super) fn accept(&mut self, reason: &str) -> Result<Outcome, Fault> {
        let path = self.world.workspace.root.join(ACCEPTED);
        let mut known = std::fs::read_to_string(&path)
            .ok()
            .and_then(|text| Accepted::read(&text).ok())
            .unwrap_or_default();
        known.take(&self.checked.findings, reason);
        std::fs::write(&path, known.text()).map_err(|why| {
            Fault::new(Exit::Failed, format!("`{ACCEPTED}` was not written")).cause(why.to_string())
        })?;
        Ok(Outcome::detail(words::count(self.checked.findings.len() as u64, "difference")))
    }

    fn options(&mut self, place: &Place) -> Result<PgConnectOptions, Fault> {
        match place {
            Place::Url { url } => address(url),
            Place::Database { database } => {
                self.connect()?;
                Ok(self.postgres.as_ref().ok_or_else(no_server)?.options(database))
            }
        }
    }
}

fn sentence(names: &[String]) -> String {
    match names.split_last() {
        Some((last, rest)) if !rest.is_empty() => format!("{} and {last}", rest.join(", ")),
        _ => names.join(""),
    }
}

/// An address as drivers write it: `postgresql+asyncpg://` too.
fn address(url: &Secret) -> Result<PgConnectOptions, Fault> {
    let odd = |cause: String| {
        Fault::new(Exit::Usage, "an address is not understood").cause(cause).state("nothing was changed")
    };
    let (scheme, rest) = url.reveal().split_once("://").ok_or_else(|| odd("it has no `://`".to_owned()))?;
    if !["postgres", "postgresql"].contains(&scheme.split('+').next().unwrap_or_default()) {
        return Err(odd(format!("it begins with {scheme}://")));
    }
    // Its own words may hold the password.
    PgConnectOptions::from_str(&format!("postgresql://{rest}"))
        .map_err(|_| odd("it is no Postgres address".to_owned()))
}
