//! Who did what: one line per act.

use crate::{
    error::Result,
    tx::{Int, Tx, int, limit},
};
use model::id::AccountId;

/// One line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuditLine {
    /// Its number, growing.
    pub id: u64,
    /// When.
    pub wall_us: i64,
    /// Whose account it concerned, if one.
    pub account: Option<AccountId>,
    /// What was done.
    pub verb: String,
    /// To what.
    pub subject: String,
}

/// Adds a line.
///
/// # Errors
/// As for every writing.
pub fn append(tx: &mut Tx<'_>, wall_us: i64, account: Option<AccountId>, verb: &str, subject: &str) -> Result<()> {
    let sql = "INSERT INTO audit (wall_us, account, verb, subject) VALUES (?1, ?2, ?3, ?4)";
    tx.run(sql, (wall_us, account.map(|account| account.0), verb, subject)).map(drop)
}

/// Up to `rows` lines below the number `before` (`None`: from the newest), newest first.
///
/// # Errors
/// As for every reading.
pub fn page(tx: &Tx<'_>, before: Option<u64>, rows: usize) -> Result<Vec<AuditLine>> {
    let sql = "SELECT id, wall_us, account, verb, subject FROM audit WHERE id < ?1 ORDER BY id DESC LIMIT ?2";
    tx.all(sql, (Int(before.unwrap_or(i64::MAX as u64)), limit(rows)), |row| {
        Ok(AuditLine {
            id: int(row, 0)?,
            wall_us: row.get(1)?,
            account: row.get::<_, Option<[u8; 16]>>(2)?.map(AccountId),
            verb: row.get(3)?,
            subject: row.get(4)?,
        })
    })
}
