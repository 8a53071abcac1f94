//! Where a role may not tell Postgres to let triggers rest: what acts on rows is taken off the new tables while they come,
//! and put back as it was. The tables are our own, and nobody else is in the new database yet.

use std::collections::BTreeSet;

use sqlx::Row as _;

use super::line::Line;

const LOOSE: &str = include_str!("loose.sql");

/// What was taken off.
#[derive(Debug, Default)]
pub(super) struct Loose {
    back: Vec<String>,
}

impl Loose {
    /// Takes it off these tables, by their quoted names; with `None` off all.
    pub async fn take(line: &mut Line, tables: Option<&BTreeSet<String>>) -> Result<Self, sqlx::Error> {
        let mut loose = Self::default();
        if line.rests {
            return Ok(loose);
        }
        for row in line.printed(LOOSE).await? {
            let (child, parent): (String, String) = (row.try_get("child")?, row.try_get("parent")?);
            if tables.is_none_or(|tables| tables.contains(&child) || tables.contains(&parent)) {
                line.run(&row.try_get::<String, _>("off")?).await?;
                loose.back.push(row.try_get("back")?);
            }
        }
        Ok(loose)
    }

    /// Puts it back. Postgres proves each foreign key anew.
    pub async fn put_back(self, line: &mut Line) -> Result<(), sqlx::Error> {
        for sql in self.back {
            line.run(&sql).await?;
        }
        Ok(())
    }
}
