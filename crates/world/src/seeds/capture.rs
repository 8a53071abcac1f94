//! Writes rows as files of seeds, aside: one CSV file for a table, parents first, and what has to be said around them.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::fs::{self, File};
use std::io::{self, BufWriter, Write as _};
use std::path::Path;

use plan::carry::TableName;
use plan::{Exit, Fault, Reference, csv_name, csv_table, in_order, words};
use sqlx::Row as _;

use super::proof::{Record, Sum};
use super::table::{Table, Trigger, mask};
use crate::carry::{Line, Place};

const TABLES: &str = include_str!("capture.sql");

/// One view of the database for all that is read, and times that name their zone.
const SNAPSHOT: &str =
    "SET timezone = 'UTC'; SET intervalstyle = 'iso_8601'; BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY";

/// What is wanted.
pub(crate) struct Order<'a> {
    /// All where none is named.
    pub tables: &'a [String],
    pub mask: &'a [String],
    /// The files that are there; those of other tables stay where some are named.
    pub there: &'a [String],
    /// Where to write.
    pub folder: &'a Path,
}

/// A failure of the server's, of the disk's, or of what was asked for.
pub(crate) enum Failure {
    Server(sqlx::Error),
    Disk(io::Error),
    Told(Fault),
}

impl From<sqlx::Error> for Failure {
    fn from(error: sqlx::Error) -> Self {
        Self::Server(error)
    }
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        Self::Disk(error)
    }
}

impl From<Fault> for Failure {
    fn from(fault: Fault) -> Self {
        Self::Told(fault)
    }
}

/// Captures; `bare` holds what the migrations alone give. Tells bytes that were read, of about so many.
pub(crate) async fn capture(
    from: &Place,
    bare: &Place,
    order: &Order<'_>,
    tell: &mut dyn FnMut(u64, u64),
) -> Result<Record, Failure> {
    let mut line = Line::open(from).await?;
    let mut tables: Vec<Table> = line.catalog(TABLES).await?;
    mask(&mut tables, order.mask)?;
    let tables = sorted(tables);
    let wanted = wanted(&tables, order.tables)?;
    line.run(SNAPSHOT).await?;
    let total = tables.iter().filter(|table| wanted.contains(&table.name)).map(|table| table.bytes).sum();
    let (mut done, mut record) = (0, Record::default());
    let digits = (tables.len() * 10).to_string().len().max(3);
    for (table, place) in tables.iter().zip(1..) {
        if !wanted.contains(&table.name) {
            continue;
        }
        record.masked.extend(table.masked());
        // Without a column to write there is nothing to bring a row back by.
        let Some(read) = table.reading() else { continue };
        let row = line.one(&table.sum()).await?;
        let rows = row.try_get::<i64, _>("rows")?.unsigned_abs();
        let hash = row.try_get("hash")?;
        record.sums.push(Sum { table: table.name.to_string(), read: table.sum(), rows, hash });
        if rows > 0 {
            let file = csv_name(&format!("{:0digits$}", place * 10), &table.name);
            let mut tell = |bytes: u64| {
                done += bytes;
                tell(done.min(total), total);
            };
            write(&mut line, &read, &order.folder.join(file), &mut tell).await?;
        }
    }
    record.stay = if order.tables.is_empty() { Vec::new() } else { staying(order.there, &wanted) };
    around(&mut line, bare, &tables, &wanted, &record, order.folder, digits).await?;
    line.run("COMMIT").await?;
    line.close().await;
    Ok(record)
}

/// The tables in the order in which they are filled.
fn sorted(mut tables: Vec<Table>) -> Vec<Table> {
    let names: Vec<TableName> = tables.iter().map(|table| table.name.clone()).collect();
    let references: Vec<Reference> = tables
        .iter()
        .flat_map(|table| table.references.iter().map(move |key| (table, key)))
        .map(|(table, key)| Reference {
            child: table.name.clone(),
            parent: TableName::new(&key.schema, &key.parent),
        })
        .collect();
    let order = in_order(&names, &references);
    tables.sort_by_key(|table| order.iter().position(|name| *name == table.name));
    tables
}

fn wanted(tables: &[Table], named: &[String]) -> Result<BTreeSet<TableName>, Fault> {
    if named.is_empty() {
        return Ok(tables.iter().map(|table| table.name.clone()).collect());
    }
    let shown =
        |table: &Table| [table.name.to_string(), format!("{}.{}", table.name.schema, table.name.name)];
    let find = |name: &String| {
        let found = tables.iter().find(|table| shown(table).contains(name));
        found.map(|table| table.name.clone()).ok_or_else(|| {
            let all: Vec<String> = tables.iter().map(|table| table.name.to_string()).collect();
            let fault =
                Fault::new(Exit::Usage, format!("there is no table `{name}`")).state("nothing was changed");
            match words::nearest(name, all.iter().map(String::as_str)) {
                Some(near) => fault.hint(format!("did you mean `{near}`?")),
                None => fault,
            }
        })
    };
    named.iter().map(find).collect()
}

/// The files that stay as they are, beside those of these tables.
fn staying(there: &[String], wanted: &BTreeSet<TableName>) -> Vec<String> {
    let is_replaced = |file: &String| {
        let of = file.to_lowercase().ends_with(".csv").then(|| csv_table(file)).flatten();
        of.is_some_and(|table| wanted.contains(&table)) || is_around(file)
    };
    there.iter().filter(|file| !is_replaced(file)).cloned().collect()
}

/// The two files that a capture writes around the rows.
fn is_around(file: &str) -> bool {
    let stem = file.trim_start_matches(|c: char| c.is_ascii_digit());
    stem.len() < file.len() && (stem == "_before_rows.sql" || stem == "_after_rows.sql")
}

async fn write(line: &mut Line, read: &str, file: &Path, tell: &mut dyn FnMut(u64)) -> Result<(), Failure> {
    let mut file = BufWriter::with_capacity(1 << 17, File::create_new(file)?);
    let copy = format!("COPY ({read}) TO STDOUT WITH (FORMAT csv, HEADER true)");
    // What is wrong with the statement itself is told before the copy begins.
    line.run(&format!("{read} LIMIT 0")).await?;
    let mut rows = line.connection.copy_out_raw(&copy).await?;
    let mut read = 0_u64;
    while let Some(row) = std::future::poll_fn(|context| rows.as_mut().poll_next(context)).await {
        let row = row?;
        file.write_all(&row)?;
        read += row.len() as u64;
        if read > 1 << 17 {
            tell(std::mem::take(&mut read));
        }
    }
    tell(read);
    Ok(file.flush()?)
}

/// Triggers, foreign keys that look ahead, rows of the migrations' own, and where sequences stand.
async fn around(
    line: &mut Line,
    bare: &Place,
    tables: &[Table],
    wanted: &BTreeSet<TableName>,
    record: &Record,
    folder: &Path,
    digits: usize,
) -> Result<(), Failure> {
    let stay: Vec<TableName> = record.stay.iter().filter_map(|file| csv_table(file)).collect();
    let filled = |name: &TableName| wanted.contains(name) || stay.contains(name);
    let place = |name: &TableName| tables.iter().position(|table| table.name == *name);
    let (mut before, mut after, mut numbers) = (String::new(), String::new(), String::new());
    let mut bare = Line::open(bare).await?;
    for table in tables.iter().filter(|table| filled(&table.name)) {
        let name = table.name.quoted();
        for key in &table.references {
            let parent = TableName::new(&key.schema, &key.parent);
            if key.deferred || place(&parent) <= place(&table.name) || !filled(&parent) {
                continue;
            }
            let was = if key.deferrable { "DEFERRABLE INITIALLY IMMEDIATE" } else { "NOT DEFERRABLE" };
            let change = format!("ALTER TABLE {} ALTER CONSTRAINT {}", key.table, key.name);
            let _ = writeln!(before, "{change} DEFERRABLE INITIALLY DEFERRED;");
            let _ = writeln!(after, "{change} {was};");
        }
        for Trigger { name: trigger, always } in &table.triggers {
            let _ = writeln!(before, "ALTER TABLE {name} DISABLE TRIGGER {trigger};");
            let enable = if *always { "ENABLE ALWAYS" } else { "ENABLE" };
            let _ = writeln!(after, "ALTER TABLE {name} {enable} TRIGGER {trigger};");
        }
        for sequence in &table.sequences {
            let row = line
                .one(&format!("SELECT last_value::text AS value, is_called AS called FROM {sequence}"))
                .await?;
            let (value, called): (String, bool) = (row.try_get("value")?, row.try_get("called")?);
            let _ = writeln!(numbers, "SELECT setval({}, {value}, {called});", plan::literal(sequence));
        }
    }
    // Children first.
    for table in tables.iter().rev().filter(|table| wanted.contains(&table.name)) {
        let name = table.name.quoted();
        let row =
            bare.one(&format!("SELECT to_regclass({}) IS NOT NULL AS there", plan::literal(&name))).await?;
        let there = row.try_get("there")?;
        if there && bare.one(&format!("SELECT EXISTS (SELECT FROM {name}) AS any")).await?.try_get("any")? {
            let _ = writeln!(before, "DELETE FROM {name};");
        }
    }
    bare.close().await;
    let head = "-- Written by slate-seed --capture";
    if !before.is_empty() {
        let text = format!("{head}: so that the rows below come in as they are.\n{before}");
        fs::write(folder.join(format!("{:0digits$}_before_rows.sql", 0)), text)?;
    }
    if !(after.is_empty() && numbers.is_empty()) {
        let checked = if after.is_empty() { "" } else { "SET CONSTRAINTS ALL IMMEDIATE;\n" };
        let text =
            format!("{head}: everything as it was, and where numbers go on.\n{checked}{after}{numbers}");
        fs::write(folder.join(format!("{}_after_rows.sql", "9".repeat(digits))), text)?;
    }
    Ok(())
}
