//! What accounts may take, and what they do take.

use crate::{
    error::Result,
    tx::{Tx, int, int_or_null},
};
use model::{account::LimitsRow, id::AccountId};
use rusqlite::Row;

pub(crate) const COLUMNS: &str = "account, space_bytes, plan";

/// What an account may take; without a row, as much as there is.
///
/// # Errors
/// As for every reading.
pub fn of(tx: &Tx<'_>, account: AccountId) -> Result<LimitsRow> {
    let found = tx.all(&format!("SELECT {COLUMNS} FROM limits WHERE account = ?1"), [account.0], limits_from)?;
    Ok(found.into_iter().next().unwrap_or(LimitsRow { account, space_bytes: None, plan: None }))
}

/// Plaintext bytes of all versions of an account, those before the current ones and those in the trash too.
///
/// # Errors
/// As for every reading.
pub fn used_bytes(tx: &Tx<'_>, account: AccountId) -> Result<u64> {
    Ok(tx.one("SELECT bytes FROM space WHERE account = ?1", [account.0], |row| int(row, 0))?.unwrap_or(0))
}

pub(crate) fn limits_from(row: &Row<'_>) -> Result<LimitsRow> {
    Ok(LimitsRow { account: AccountId(row.get(0)?), space_bytes: int_or_null(row, 1)?, plan: row.get(2)? })
}
