//! Runs sqlx' own migrator over a connection of ours.

use plan::DatabaseName;
use sqlx::Connection as _;
use sqlx::migrate::{MigrateError, Migrator};

use super::{Postgres, code, state, stopped, unless_stopped};

impl Postgres {
    /// Runs a migrator of sqlx on a database: all of it or none, where its files allow that.
    pub fn migrate(&mut self, database: &DatabaseName, migrator: &Migrator) -> Result<(), MigrateError> {
        let together = migrator.iter().all(|migration| !migration.no_tx);
        match self.migrate_once(database, migrator, together) {
            Err(error) if together && wants_commits(&error) => self.migrate_once(database, migrator, false),
            done => done,
        }
    }

    fn migrate_once(
        &mut self,
        database: &DatabaseName,
        migrator: &Migrator,
        together: bool,
    ) -> Result<(), MigrateError> {
        self.watch(database)?;
        let connection = self.open.get_mut(database).ok_or(sqlx::Error::PoolClosed)?;
        let work = async {
            if !together {
                return migrator.run(&mut *connection).await;
            }
            let mut transaction = connection.begin().await?;
            migrator.run(&mut *transaction).await?;
            Ok(transaction.commit().await?)
        };
        let done = self.runtime.block_on(unless_stopped(work));
        if done.is_none() {
            self.open.remove(database);
        }
        done.unwrap_or_else(|| Err(stopped().into()))
    }

    /// Takes the migrations of sqlx that are newer than a version back, the newest first.
    pub fn revert(
        &mut self,
        database: &DatabaseName,
        migrator: &Migrator,
        target: i64,
    ) -> Result<(), MigrateError> {
        self.watch(database)?;
        let connection = self.open.get_mut(database).ok_or(sqlx::Error::PoolClosed)?;
        let done = self.runtime.block_on(unless_stopped(migrator.undo(connection, target)));
        if done.is_none() {
            self.open.remove(database);
        }
        done.unwrap_or_else(|| Err(stopped().into()))
    }
}

fn wants_commits(error: &MigrateError) -> bool {
    let MigrateError::ExecuteMigration(error, _) = error else { return false };
    code(error).is_some_and(|code| state::WANTS_COMMITS.contains(&code.as_str()))
}
