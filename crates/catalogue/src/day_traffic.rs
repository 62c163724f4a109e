//! What went through an account's links in one day. Local: lost with the catalogue, and nobody is harmed.

use crate::{
    error::Result,
    tx::{Int, Tx, int},
};
use model::id::AccountId;

/// Bytes that were counted for an account on a day of UTC, counted from 1970.
///
/// # Errors
/// As for every reading.
pub fn of(tx: &Tx<'_>, account: AccountId, day: i64) -> Result<u64> {
    let sql = "SELECT bytes FROM day_traffic WHERE account = ?1 AND day = ?2";
    Ok(tx.one(sql, (account.0, day), |row| int(row, 0))?.unwrap_or(0))
}

/// Keeps the count of a day; one of another day is forgotten.
///
/// # Errors
/// As for every writing.
pub fn set(tx: &mut Tx<'_>, account: AccountId, day: i64, bytes: u64) -> Result<()> {
    let sql = "INSERT INTO day_traffic (account, day, bytes) VALUES (?1, ?2, ?3)
               ON CONFLICT (account) DO UPDATE SET day = excluded.day, bytes = excluded.bytes";
    tx.run(sql, (account.0, day, Int(bytes))).map(drop)
}
