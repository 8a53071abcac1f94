//! A connection of ours to one of the two databases, with everything pinned that changes how rows are written as text.

use std::time::Duration;

use sqlx::postgres::{PgConnectOptions, PgRow};
use sqlx::{AssertSqlSafe, Connection as _, Executor as _, PgConnection, Row as _};

use crate::postgres::{WATCH, code, read::BOOKKEEPING};

/// Postgres' word for what a role may not do.
const DENIED: &str = "42501";

/// Text that one server writes and reads again is exact with these. The time zone stays the database's own: by it Postgres
/// makes of a time without a zone one with a zone.
const PINNED: &str = "SET client_encoding = 'UTF8'; SET datestyle = 'ISO, MDY'; SET intervalstyle = 'postgres';
SET extra_float_digits = 1; SET bytea_output = 'hex'; SET standard_conforming_strings = on; SET xmloption = content;
SET row_security = off; SET jit = off; SET statement_timeout = 0; SET idle_in_transaction_session_timeout = 0; SET lock_timeout = '10s';";

/// Where to connect, and how long that may take.
#[derive(Debug, Clone)]
pub(crate) struct Place {
    pub options: PgConnectOptions,
    pub timeout: Duration,
}

/// A connection.
pub(crate) struct Line {
    pub connection: PgConnection,
    pub pid: i32,
    /// Whether triggers and rules let its rows be.
    pub rests: bool,
}

impl Line {
    pub async fn open(place: &Place) -> Result<Self, sqlx::Error> {
        let late = |_| sqlx::Error::Io(std::io::Error::from(std::io::ErrorKind::TimedOut));
        let connecting = tokio::time::timeout(place.timeout, PgConnection::connect_with(&place.options));
        let mut line = Self { connection: connecting.await.map_err(late)??, pid: 0, rests: false };
        line.run(PINNED).await?;
        line.run(WATCH).await?;
        let row = line.one("SELECT pg_backend_pid() AS pid").await?;
        line.pid = row.try_get("pid")?;
        Ok(line)
    }

    /// Statements of which nothing but success is wanted; how many rows the last of them wrote.
    pub async fn run(&mut self, sql: &str) -> Result<u64, sqlx::Error> {
        let done = self.connection.execute(sqlx::raw_sql(AssertSqlSafe(sql.to_owned()))).await?;
        Ok(done.rows_affected())
    }

    pub async fn rows(&mut self, sql: &str) -> Result<Vec<PgRow>, sqlx::Error> {
        self.connection.fetch_all(sqlx::raw_sql(AssertSqlSafe(sql.to_owned()))).await
    }

    pub async fn one(&mut self, sql: &str) -> Result<PgRow, sqlx::Error> {
        self.rows(sql).await?.into_iter().next().ok_or(sqlx::Error::RowNotFound)
    }

    /// The column `said` of the only row, as JSON. `None` where it is null.
    pub async fn json<T: serde::de::DeserializeOwned>(
        &mut self,
        sql: &str,
    ) -> Result<Option<T>, sqlx::Error> {
        let said: Option<String> = self.one(sql).await?.try_get("said")?;
        let read = said.map(|said| serde_json::from_str(&said)).transpose();
        read.map_err(|why| sqlx::Error::Decode(Box::new(why)))
    }

    /// Lets triggers and rules rest, where the role may say so: a superuser, or who was granted it.
    pub async fn rest(&mut self) -> Result<(), sqlx::Error> {
        self.rests = match self.run("SET session_replication_role = replica").await {
            Ok(_) => true,
            Err(error) if code(&error).is_some_and(|code| code == DENIED) => false,
            Err(error) => return Err(error),
        };
        Ok(())
    }

    /// Rows with the names of what Postgres prints in full.
    pub async fn printed(&mut self, sql: &str) -> Result<Vec<PgRow>, sqlx::Error> {
        self.rows(&format!("SET search_path = pg_catalog; {sql}; RESET search_path")).await
    }

    /// As [`Self::json`], with the names of what Postgres prints in full.
    pub async fn catalog<T: serde::de::DeserializeOwned + Default>(
        &mut self,
        sql: &str,
    ) -> Result<T, sqlx::Error> {
        let sql = sql.replace("{bookkeeping}", BOOKKEEPING);
        let found = self.json(&format!("SET search_path = pg_catalog; {sql}; RESET search_path")).await?;
        Ok(found.unwrap_or_default())
    }

    pub async fn close(self) {
        // Said or not, the socket closes.
        let _ = self.connection.close().await;
    }
}
