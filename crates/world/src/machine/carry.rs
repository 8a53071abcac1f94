//! Carries rows, and keeps the sessions for the last time, when nobody gets in any more.

use plan::carry::{Rules, Stage};
use plan::{DatabaseName, Fault, Outcome, Said, words};

use super::Real;
use super::reach::no_server;
use crate::carry::{Carrier, Failure, Place};
use crate::databases::fault;
use crate::postgres::unless_asked;

impl Real<'_> {
    pub(super) fn carry_rows(
        &mut self,
        [from, to]: [&DatabaseName; 2],
        rules: &Rules,
        stage: Stage,
        said: &mut dyn FnMut(Said<'_>),
    ) -> Result<Outcome, Fault> {
        let attempt = format!("the rows of `{from}` were not carried to `{to}`");
        let told = |failure: Failure| match failure {
            Failure::Server(error) => fault(&attempt, &error),
            Failure::Told(fault) => fault,
        };
        let (carrier, timeout) = (self.carrier.take(), self.timeout);
        let postgres = self.postgres.as_mut().ok_or_else(no_server)?;
        postgres.spared.clear();
        let place = |database| Place { options: postgres.options(database), timeout };
        let (old, new) = (place(from), place(to));
        let work = async {
            let mut carrier = match carrier {
                Some(carrier) => carrier,
                None => Carrier::open(&old, &new).await?,
            };
            let outcome = match stage {
                Stage::First => {
                    let came =
                        carrier.first(rules, &mut |done, total| said(Said::Progress { done, total })).await?;
                    Outcome::detail(words::count(came.rows(), "row"))
                }
                Stage::Again => told_of(carrier.again().await?),
                Stage::Last => told_of(carrier.last().await?),
            };
            Ok((outcome, carrier))
        };
        let done = postgres.block_on(unless_asked(work));
        let (outcome, carrier) = done.map_err(told)?;
        if stage == Stage::Again {
            postgres.spared = carrier.pids().to_vec();
            self.carrier = Some(carrier);
            return Ok(outcome);
        }
        postgres.block_on(carrier.close());
        // Postgres renames no database that is in use, and a session takes a moment to end.
        for database in [from, to].into_iter().take(if stage == Stage::Last { 2 } else { 0 }) {
            self.databases(|databases| databases.end_sessions(database, &|_| None))?;
        }
        Ok(outcome)
    }

    /// Ends the sessions that wait for the last time.
    pub(super) fn let_go(&mut self) {
        if let (Some(carrier), Some(postgres)) = (self.carrier.take(), self.postgres.as_mut()) {
            postgres.block_on(carrier.close());
            postgres.spared.clear();
        }
    }
}

fn told_of(tables: usize) -> Outcome {
    match tables {
        0 => Outcome::idle("nothing was"),
        tables => Outcome::detail(words::count(tables as u64, "table")),
    }
}
