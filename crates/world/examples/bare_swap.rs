//! The least that a reset by swap can be, for the bench: a process that connects, ends the sessions, and renames two
//! databases in one transaction. No guard, no look, no way back.
//!
//! `bare_swap URL LIVE KEPT NEXT`

#![expect(clippy::unwrap_used, reason = "a yardstick stops at the first thing that is not as it should be")]

use sqlx::{AssertSqlSafe, Connection as _, Executor as _, PgConnection};

fn main() {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let [url, live, kept, next] = <[String; 4]>::try_from(words).unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let mut connection = PgConnection::connect(&url).await.unwrap();
        let end = format!("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{live}'");
        connection.execute(sqlx::raw_sql(AssertSqlSafe(end))).await.unwrap();
        let swap = format!(
            "BEGIN; ALTER DATABASE {live} RENAME TO {kept}; ALTER DATABASE {next} RENAME TO {live}; COMMIT"
        );
        connection.execute(sqlx::raw_sql(AssertSqlSafe(swap))).await.unwrap();
    });
}
