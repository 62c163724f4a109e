//! The schema, in numbered steps: a database has run a prefix of them, opening it runs the rest.

use crate::error::{Error, Result};
use rusqlite::{Connection, OptionalExtension, TransactionBehavior};

/// Only added to. A step, once released, is never edited.
const STEPS: &[&str] = &[
    include_str!("migrations/0001_tables.sql"),
    include_str!("migrations/0002_work_lists.sql"),
    include_str!("migrations/0003_logins.sql"),
    include_str!("migrations/0004_traffic.sql"),
    include_str!("migrations/0005_access.sql"),
    include_str!("migrations/0006_limits.sql"),
    include_str!("migrations/0007_shown.sql"),
    include_str!("migrations/0008_ways_in.sql"),
    include_str!("migrations/0009_outgoing.sql"),
    include_str!("migrations/0010_plans.sql"),
    include_str!("migrations/0013_trend.sql"),
];

/// Runs the missing steps, each in a transaction of its own.
pub(crate) fn migrate(conn: &mut Connection) -> Result<()> {
    conn.execute_batch("CREATE TABLE IF NOT EXISTS schema_version (version INTEGER NOT NULL) STRICT")?;
    let known = STEPS.len();
    let found = conn.query_row("SELECT version FROM schema_version", [], |row| row.get::<_, i64>(0)).optional()?;
    let done = usize::try_from(found.unwrap_or(0)).map_err(|_| Error::Value { what: "schema_version" })?;
    if done > known {
        return Err(Error::Newer { found: done as u64, known: known as u64 });
    }
    for (step, sql) in STEPS.iter().enumerate().skip(done) {
        let tx = conn.transaction_with_behavior(TransactionBehavior::Immediate)?;
        tx.execute_batch(sql)?;
        tx.execute("DELETE FROM schema_version", [])?;
        tx.execute("INSERT INTO schema_version (version) VALUES (?1)", [step as i64 + 1])?;
        tx.commit()?;
    }
    Ok(())
}
