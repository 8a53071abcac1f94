//! The three times that rows are carried: all of them, what was written since, and the rest once nobody else is connected.

use std::collections::BTreeSet;

use plan::carry::{Carried, Fate, Rules, Shape, Told, fits};
use plan::{Exit, Fault};
use sqlx::Row as _;

use super::beside::Sequences;
use super::line::{Line, Place};
use super::loose::Loose;
use super::proof::Reference;
use super::record::{Marks, Record};
use super::table::{Ended, Ends};
use super::{beside, proof};

const SHAPE: &str = include_str!("shape.sql");
const MARKS: &str = include_str!("marks.sql");

/// How large objects are called among the marks.
const OBJECTS: [&str; 2] =
    ["\"pg_catalog\".\"pg_largeobject\"", "\"pg_catalog\".\"pg_largeobject_metadata\""];

/// And the definitions of all tables.
const DEFINITIONS: &str = "";

/// One view of the old database for all that is read.
const SNAPSHOT: &str = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY";

/// Progress in bytes, out of so many.
pub(crate) type Tell<'a> = &'a mut dyn FnMut(u64, u64);

/// Sessions on both databases.
pub(crate) struct Carrier {
    from: Line,
    to: Line,
    /// What is known since the time before: the last one is short.
    before: Option<(Record, Sequences)>,
}

/// A failure of the server's, or one that the rules or the rows made.
pub(crate) enum Failure {
    Server(sqlx::Error),
    Told(Fault),
}

impl From<sqlx::Error> for Failure {
    fn from(error: sqlx::Error) -> Self {
        Self::Server(error)
    }
}

impl From<Fault> for Failure {
    fn from(fault: Fault) -> Self {
        Self::Told(fault)
    }
}

impl Carrier {
    pub async fn open(from: &Place, to: &Place) -> Result<Self, sqlx::Error> {
        let (from, mut to) = (Line::open(from).await?, Line::open(to).await?);
        // The rows are as their triggers and rules once made them. What is committed here the swap flushes.
        to.rest().await?;
        to.run("SET synchronous_commit = off").await?;
        Ok(Self { from, to, before: None })
    }

    pub fn pids(&self) -> [i32; 2] {
        [self.from.pid, self.to.pid]
    }

    pub async fn close(self) {
        self.from.close().await;
        self.to.close().await;
    }

    /// Copies every row that fits, and writes down in the new database what came of it.
    pub async fn first(&mut self, rules: &Rules, tell: Tell<'_>) -> Result<Carried, Failure> {
        // Before the snapshot: what is written between the two counts as written since.
        let marks = self.marks().await?;
        let (old, new): (Shape, Shape) = (self.from.catalog(SHAPE).await?, self.to.catalog(SHAPE).await?);
        let mut record = Record { fits: fits(&old, &new, rules)?, marks, old, ..Record::default() };
        self.from.run(SNAPSHOT).await?;
        let references = proof::references(&mut self.to).await?;
        let loose = Loose::take(&mut self.to, None).await?;
        self.all(&mut record, tell).await?;
        self.prove_first(&mut record, &references).await?;
        loose.put_back(&mut self.to).await?;
        record.objects = beside::objects(&mut self.from, &mut self.to, &[]).await?;
        beside::advance(&mut self.from, &mut self.to, &record.fits).await?;
        beside::views(&mut self.to).await?;
        self.from.run("COMMIT").await?;
        record.write(&mut self.to).await?;
        Ok(record.carried)
    }

    async fn marks(&mut self) -> Result<Option<Marks>, sqlx::Error> {
        self.from.json(MARKS).await
    }

    async fn all(&mut self, record: &mut Record, tell: Tell<'_>) -> Result<(), sqlx::Error> {
        let total = "SELECT coalesce(sum(pg_relation_size(oid)), 0)::int8 AS bytes FROM pg_class WHERE relkind = 'r' AND oid >= 16384";
        let total = self.from.one(total).await?.try_get::<i64, _>("bytes")?.unsigned_abs();
        let mut done = 0_u64;
        let mut tell = |bytes: u64| {
            done += bytes;
            tell(done.min(total), total);
        };
        for n in 0..record.fits.len() {
            let Some(fit) = record.fits.get_mut(n) else { break };
            let mut ends = Ends { from: &mut self.from, to: &mut self.to };
            let mut told = Told {
                table: fit.from.clone(),
                to: fit.to.clone(),
                rows: None,
                fate: fit.fate.clone(),
                notes: Vec::new(),
            };
            if fit.fate == Fate::Carried
                && let Some(why) = ends.obstacle(fit).await?
            {
                told.fate = Fate::Left(why);
            }
            if told.fate == Fate::Carried {
                ends.castable(fit).await?;
                let put_aside = ends.put_aside(fit, n).await?;
                record.asides.extend(put_aside.then_some(n));
                match ends.copy(fit, n, put_aside, &mut tell).await? {
                    Ended::Whole { rows, beside } => {
                        told.rows = Some(rows);
                        told.notes = ends.notes(fit).await?;
                        told.notes.extend(beside.notes());
                    }
                    Ended::Not(why) => told.fate = Fate::Left(why),
                }
            }
            if told.fate != Fate::Carried {
                told.rows = ends.count(fit, "true").await?;
                // Nothing to carry, so nothing that does not fit.
                if told.rows == Some(0) && matches!(told.fate, Fate::Left(_)) && fit.to.is_some() {
                    told.fate = Fate::Carried;
                }
            }
            fit.fate = told.fate.clone();
            record.carried.tables.push(told);
        }
        Ok(())
    }

    /// What refers to rows that stay behind stays behind with them.
    async fn prove_first(
        &mut self,
        record: &mut Record,
        references: &[Reference],
    ) -> Result<(), sqlx::Error> {
        let mut touched = targets(record, |_| true);
        while !touched.is_empty() {
            let broken = proof::broken(&mut self.to, references, &touched).await?;
            touched.clear();
            for proof::Broken { table, why, without } in broken {
                touched.insert(table.clone());
                let at = record.fits.iter().position(|fit| is_at(fit, &table));
                let Some((n, fit)) = at.and_then(|n| Some((n, record.fits.get_mut(n)?))) else {
                    // Seeds about rows that gave way to the user's own.
                    if let Some(without) = without {
                        self.to.run(&without).await?;
                    }
                    continue;
                };
                let mut ends = Ends { from: &mut self.from, to: &mut self.to };
                ends.unload(fit, n, record.asides.contains(&n)).await?;
                fit.fate = Fate::Left(why.clone());
                if let Some(told) = record.carried.tables.get_mut(n) {
                    (told.fate, told.notes) = (Fate::Left(why), Vec::new());
                }
            }
        }
        Ok(())
    }

    /// Copies again what was written since the first time, and says how many tables that were. What Postgres does not count
    /// is left to the last time.
    pub async fn again(&mut self) -> Result<usize, Failure> {
        let mut record = Record::take(&mut self.to).await?;
        let marks = self.marks().await?;
        let tables = match &marks {
            Some(marks) => self.written(&mut record, Some(marks)).await?,
            None => 0,
        };
        record.marks = marks;
        let sequences = beside::advance(&mut self.from, &mut self.to, &record.fits).await?;
        self.before = Some((record, sequences));
        Ok(tables)
    }

    /// The same once nobody else can write, and nothing of ours is left beside the rows.
    pub async fn last(&mut self) -> Result<usize, Failure> {
        let Some((mut record, mut sequences)) = self.before.take() else {
            return Err(changed("nothing was carried before".to_owned()).into());
        };
        let marks = self.marks().await?;
        let tables = self.written(&mut record, marks.as_ref()).await?;
        if sequences.moved(&mut self.from).await? {
            beside::advance(&mut self.from, &mut self.to, &record.fits).await?;
        }
        record.clear(&mut self.to).await?;
        Ok(tables)
    }

    async fn written(&mut self, record: &mut Record, marks: Option<&Marks>) -> Result<usize, Failure> {
        let before = record.marks.clone();
        let written = |name: &str| match (marks, &before) {
            (Some(now), Some(before)) => now.get(name) != before.get(name),
            _ => true,
        };
        if written(DEFINITIONS) && self.from.catalog::<Shape>(SHAPE).await? != record.old {
            return Err(changed("its tables are defined in another way by now".to_owned()).into());
        }
        let fits = record.fits.iter().enumerate();
        let again =
            fits.filter(|(_, fit)| fit.fate == Fate::Carried && written(&fit.from.quoted())).map(|(n, _)| n);
        let again: Vec<usize> = again.collect();
        let objects = OBJECTS.iter().any(|name| written(name));
        self.copy_again(record, &again, objects).await?;
        Ok(again.len())
    }

    async fn copy_again(
        &mut self,
        record: &mut Record,
        again: &[usize],
        objects: bool,
    ) -> Result<(), Failure> {
        if again.is_empty() && !objects {
            return Ok(());
        }
        let touched = targets(record, |n| again.contains(&n));
        let references = proof::references(&mut self.to).await?;
        let loose = Loose::take(&mut self.to, Some(&touched)).await?;
        self.from.run(SNAPSHOT).await?;
        for n in again {
            let (Some(fit), Some(told)) = (record.fits.get(*n), record.carried.tables.get_mut(*n)) else {
                continue;
            };
            let mut ends = Ends { from: &mut self.from, to: &mut self.to };
            match ends.copy(fit, *n, record.asides.contains(n), &mut |_| ()).await? {
                Ended::Whole { rows, .. } => told.rows = Some(rows),
                Ended::Not(why) => {
                    return Err(changed(format!("`{}` does not fit any more: {why}", fit.from)).into());
                }
            }
        }
        if objects {
            record.objects = beside::objects(&mut self.from, &mut self.to, &record.objects).await?;
        }
        self.from.run("COMMIT").await?;
        if let Some(broken) = proof::broken(&mut self.to, &references, &touched).await?.first() {
            return Err(changed(format!("{}: {}", broken.table, broken.why)).into());
        }
        loose.put_back(&mut self.to).await?;
        Ok(beside::views(&mut self.to).await?)
    }
}

/// The new tables, by their quoted names, that rows were carried to.
fn targets(record: &Record, wanted: impl Fn(usize) -> bool) -> BTreeSet<String> {
    let fits = record.fits.iter().enumerate();
    let carried = fits.filter(|(n, fit)| fit.fate == Fate::Carried && wanted(*n));
    carried.filter_map(|(_, fit)| Some(fit.to.as_ref()?.quoted())).collect()
}

fn is_at(fit: &plan::carry::Fit, table: &str) -> bool {
    fit.fate == Fate::Carried && fit.to.as_ref().is_some_and(|to| to.quoted() == table)
}

fn changed(cause: String) -> Fault {
    Fault::new(Exit::Refused, "something changed since the plan was made").cause(cause).hint("run it again")
}
