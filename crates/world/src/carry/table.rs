//! One table's rows on their way: streamed, all of them or none, with the rows of the migrations beside them.

use plan::carry::{Fate, Fit, Pair, TableName};
use plan::words;
use sqlx::Row as _;

use super::line::Line;
use super::record::aside;

/// Bytes that are sent at once: a row alone is far too little.
const CHUNK: usize = 1 << 17;

/// Told how many bytes went over.
pub(super) type Tell<'a> = &'a mut dyn FnMut(u64);

/// The two ends.
pub(super) struct Ends<'a> {
    pub from: &'a mut Line,
    pub to: &'a mut Line,
}

/// Rows of the migrations that no carried one says too.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Beside {
    pub stay: u64,
    /// Their keys are a carried one's.
    pub give_way: u64,
}

impl Beside {
    pub fn notes(self) -> impl Iterator<Item = String> {
        let told = [
            (self.stay, if self.stay == 1 { "stays beside yours" } else { "stay beside yours" }),
            (self.give_way, if self.give_way == 1 { "gives way to yours" } else { "give way to yours" }),
        ];
        let told = told.into_iter().filter(|(rows, _)| *rows > 0);
        told.map(|(rows, what)| format!("{} of the new baseline {what}", words::count(rows, "row")))
    }
}

/// How a copy of a table ended.
pub(super) enum Ended {
    /// So many rows.
    Whole { rows: u64, beside: Beside },
    /// As it was before, and why.
    Not(String),
}

impl Ends<'_> {
    /// Copies a table; `put_aside`: whether what it holds was put aside before. Where Postgres refuses a row the table is as
    /// it was.
    ///
    /// # Errors
    /// What is no fault of the rows.
    pub async fn copy(
        &mut self,
        fit: &Fit,
        n: usize,
        put_aside: bool,
        tell: Tell<'_>,
    ) -> Result<Ended, sqlx::Error> {
        self.from.run("SAVEPOINT before").await?;
        self.to.run("BEGIN").await?;
        match self.fill(fit, n, put_aside, tell).await {
            Ok((rows, beside)) => {
                self.to.run("COMMIT").await?;
                self.from.run("RELEASE before").await?;
                Ok(Ended::Whole { rows, beside })
            }
            Err(error) => {
                let why = refusal(&error).ok_or(error)?;
                self.to.run("ROLLBACK").await?;
                self.from.run("ROLLBACK TO before").await?;
                Ok(Ended::Not(why))
            }
        }
    }

    async fn fill(
        &mut self,
        fit: &Fit,
        n: usize,
        put_aside: bool,
        tell: Tell<'_>,
    ) -> Result<(u64, Beside), sqlx::Error> {
        let Some(target) = &fit.to else { return Ok((0, Beside::default())) };
        self.to.run(&format!("DELETE FROM {}", rows_to(fit, target))).await?;
        let rows = self.stream(fit, &target.quoted(), tell).await?;
        let beside = if put_aside { merge(self.to, fit, target, n).await? } else { Beside::default() };
        Ok((rows, beside))
    }

    async fn stream(&mut self, fit: &Fit, target: &str, tell: Tell<'_>) -> Result<u64, sqlx::Error> {
        let read = reading(fit);
        // What is wrong with the statement itself is told before the copy begins: sqlx does not read on after that.
        self.from.run(&format!("{read} LIMIT 0")).await?;
        let columns: Vec<String> = fit.columns.iter().map(|pair| quoted(&pair.to)).collect();
        let into = format!("COPY {target} ({}) FROM STDIN", columns.join(", "));
        let mut sink = self.to.connection.copy_in_raw(&into).await?;
        let mut source = self.from.connection.copy_out_raw(&format!("COPY ({read}) TO STDOUT")).await?;
        let (mut sent, mut chunk) = (0_u64, Vec::with_capacity(CHUNK + CHUNK / 4));
        let broken = loop {
            let next = std::future::poll_fn(|context| source.as_mut().poll_next(context)).await;
            match next {
                None => break None,
                Some(Err(error)) => break Some(error),
                Some(Ok(row)) => {
                    sent += 1;
                    chunk.extend_from_slice(&row);
                    if chunk.len() >= CHUNK {
                        sink.send(chunk.as_slice()).await?;
                        tell(chunk.len() as u64);
                        chunk.clear();
                    }
                }
            }
        };
        drop(source);
        if let Some(error) = broken {
            // Its own complaint is about the end that we put to it.
            let _ = sink.abort("the other end broke").await;
            return Err(error);
        }
        sink.send(chunk.as_slice()).await?;
        tell(chunk.len() as u64);
        let came = sink.finish().await?;
        if came == sent {
            return Ok(came);
        }
        Err(sqlx::Error::Protocol(format!("{sent} rows of {} were sent and {came} came", fit.from)))
    }

    /// What stands against it that Postgres would only tell of one row at a time: labels that are gone.
    pub async fn obstacle(&mut self, fit: &Fit) -> Result<Option<String>, sqlx::Error> {
        for pair in fit.columns.iter().filter(|pair| !pair.gone.is_empty()) {
            let labels: Vec<String> = pair.gone.iter().map(|label| plan::literal(label)).collect();
            let sql = format!(
                "SELECT {column}::text AS label, count(*) AS rows FROM {table} WHERE {column}::text IN ({}) GROUP BY 1 ORDER BY 1",
                labels.join(", "),
                column = quoted(&pair.from),
                table = rows_of(fit),
            );
            let mut told = Vec::new();
            for row in self.from.rows(&sql).await? {
                let (label, rows): (String, i64) = (row.try_get("label")?, row.try_get("rows")?);
                told.push(format!("`{label}` ({})", words::count(rows.unsigned_abs(), "row")));
            }
            if !told.is_empty() {
                let verb = if told.len() == 1 { "is no label" } else { "are no labels" };
                return Ok(Some(format!("{} {verb} of `{}` any more", told.join(", "), pair.to)));
            }
        }
        Ok(None)
    }

    /// What goes or changes although the rows stay.
    pub async fn notes(&mut self, fit: &Fit) -> Result<Vec<String>, sqlx::Error> {
        let mut notes = fit.notes.clone();
        for column in &fit.left {
            let values = self.count(fit, &format!("{} IS NOT NULL", quoted(column))).await?;
            if let Some(values) = values.filter(|values| *values > 0) {
                notes.push(format!("`{column}` stays behind ({})", words::count(values, "value")));
            }
        }
        for pair in &fit.columns {
            let Some(retyped) = &pair.retyped else { continue };
            let others = match &pair.changes {
                Some(changes) => self.count(fit, changes).await?.unwrap_or(0),
                None => 0,
            };
            let told = if others == 0 {
                String::new()
            } else {
                format!(", which changes {}", words::count(others, "value"))
            };
            notes.push(format!("`{}`, {retyped}{told}", pair.to));
        }
        Ok(notes)
    }

    /// Rows of the old table; `None` where the condition makes no sense to Postgres.
    pub async fn count(&mut self, fit: &Fit, condition: &str) -> Result<Option<u64>, sqlx::Error> {
        let sql = format!("SELECT count(*) AS rows FROM {} WHERE {condition}", rows_of(fit));
        self.from.run("SAVEPOINT counting").await?;
        let counted = self.from.one(&sql).await;
        let counted = match counted {
            Ok(row) => Some(row.try_get::<i64, _>("rows")?.unsigned_abs()),
            Err(error) if refusal(&error).is_some() => None,
            Err(error) => return Err(error),
        };
        self.from.run("ROLLBACK TO counting").await?;
        Ok(counted)
    }

    /// The casts that the old database does not know are made by way of text.
    pub async fn castable(&mut self, fit: &mut Fit) -> Result<(), sqlx::Error> {
        let table = rows_of(fit);
        for pair in fit.columns.iter_mut().filter(|pair| pair.cast.is_some()) {
            self.from.run("SAVEPOINT casting").await?;
            match self.from.run(&format!("SELECT {} FROM {table} LIMIT 0", value(pair))).await {
                Ok(_) => {}
                Err(error) if refusal(&error).is_some() => pair.cast = None,
                Err(error) => return Err(error),
            }
            self.from.run("ROLLBACK TO casting").await?;
        }
        Ok(())
    }

    /// Puts aside what the new table holds by itself. Says whether there was anything.
    pub async fn put_aside(&mut self, fit: &Fit, n: usize) -> Result<bool, sqlx::Error> {
        let Some(target) = &fit.to else { return Ok(false) };
        let target = rows_to(fit, target);
        let row = self.to.one(&format!("SELECT EXISTS (SELECT FROM {target}) AS any")).await?;
        if !row.try_get::<bool, _>("any")? || fit.fate != Fate::Carried {
            return Ok(false);
        }
        let sql = format!(
            "BEGIN; DROP TABLE IF EXISTS {aside}; CREATE TABLE {aside} AS SELECT * FROM {target}; COMMIT",
            aside = aside(n)
        );
        self.to.run(&sql).await?;
        Ok(true)
    }

    /// The new table as the migrations and seeds made it.
    pub async fn unload(&mut self, fit: &Fit, n: usize, put_aside: bool) -> Result<(), sqlx::Error> {
        let Some(target) = &fit.to else { return Ok(()) };
        self.to.run(&format!("BEGIN; DELETE FROM {}", rows_to(fit, target))).await?;
        if put_aside {
            merge(self.to, fit, target, n).await?;
        }
        self.to.run("COMMIT").await.map(drop)
    }
}

/// Rows of the migrations that no carried one says too are put beside them, where they stand in no carried one's way.
async fn merge(to: &mut Line, fit: &Fit, target: &TableName, n: usize) -> Result<Beside, sqlx::Error> {
    let all: Vec<String> = fit.written.iter().map(|column| quoted(column)).collect();
    let telling: Vec<String> = fit.telling.iter().map(|column| quoted(column)).collect();
    let (all, telling) = (all.join(", "), telling.join(", "));
    let missing = format!(
        "FROM {} WHERE ROW({telling})::text NOT IN (SELECT ROW({telling})::text FROM {})",
        aside(n),
        rows_to(fit, target)
    );
    let count = to.one(&format!("SELECT count(*) AS rows {missing}")).await?;
    let missed = count.try_get::<i64, _>("rows")?.unsigned_abs();
    let insert = format!(
        "INSERT INTO {} ({all}) OVERRIDING SYSTEM VALUE SELECT {all} {missing} ON CONFLICT DO NOTHING",
        target.quoted()
    );
    let stay = if missed == 0 { 0 } else { to.run(&insert).await? };
    Ok(Beside { stay, give_way: missed.saturating_sub(stay) })
}

fn reading(fit: &Fit) -> String {
    let values: Vec<String> = fit.columns.iter().map(value).collect();
    format!("SELECT {} FROM {}", values.join(", "), rows_of(fit))
}

fn value(pair: &Pair) -> String {
    let column = quoted(&pair.from);
    pair.cast.as_ref().map_or(column.clone(), |cast| format!("CAST({column} AS {cast})"))
}

/// Another table's children are tables of their own; partitions are not.
fn rows_of(fit: &Fit) -> String {
    let table = fit.from.quoted();
    if fit.partitioned { table } else { format!("ONLY {table}") }
}

fn rows_to(fit: &Fit, target: &TableName) -> String {
    let table = target.quoted();
    if fit.to_partitioned { table } else { format!("ONLY {table}") }
}

pub(crate) fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// What Postgres says against a row or a statement, without the row itself. `None` for what is no fault of theirs: a full
/// disk, a lock, a server that ends.
pub(super) fn refusal(error: &sqlx::Error) -> Option<String> {
    let code = crate::postgres::code(error)?;
    let of_its_own = ["53", "54", "55", "57", "58", "XX"].iter().any(|class| code.starts_with(class));
    (!of_its_own).then(|| error.as_database_error().map(|error| error.message().to_owned()))?
}
