//! Shares: links to entries, by the secret in their address.

use crate::{
    error::Result,
    tx::{Tx, int, int_or_null},
};
use model::{
    id::{AccountId, EntryId, ShareId},
    share::ShareRow,
};
use rusqlite::Row;

pub(crate) const COLUMNS: &str = "id, entry, code, password, expires_us, downloads_max, downloads, made_us, ended_us, \
                             receives, words, off_us";
/// How many of them there are.
pub(crate) const COLUMN_COUNT: usize = 12;

/// The share with this secret and whose it is, ended or not.
///
/// # Errors
/// As for every reading.
pub fn by_code(tx: &Tx<'_>, code: &[u8; 16]) -> Result<Option<(AccountId, ShareRow)>> {
    let sql = format!("SELECT {COLUMNS}, account FROM share WHERE code = ?1");
    Ok(tx.all(&sql, [code], |row| Ok((AccountId(row.get(COLUMN_COUNT)?), share_from(row)?)))?.pop())
}

/// One share of an account, ended or not.
///
/// # Errors
/// As for every reading.
pub fn get(tx: &Tx<'_>, account: AccountId, id: ShareId) -> Result<Option<ShareRow>> {
    let sql = format!("SELECT {COLUMNS} FROM share WHERE account = ?1 AND id = ?2");
    Ok(tx.all(&sql, (account.0, id.0), share_from)?.pop())
}

/// The shares of an account that have not been ended, newest first; expired and used up ones too.
///
/// # Errors
/// As for every reading.
pub fn all(tx: &Tx<'_>, account: AccountId) -> Result<Vec<ShareRow>> {
    let sql = format!("SELECT {COLUMNS} FROM share WHERE account = ?1 AND ended_us IS NULL ORDER BY made_us DESC, id");
    tx.all(&sql, [account.0], share_from)
}

pub(crate) fn share_from(row: &Row<'_>) -> Result<ShareRow> {
    Ok(ShareRow {
        id: ShareId(row.get(0)?),
        entry: EntryId(row.get(1)?),
        code: row.get(2)?,
        password: row.get(3)?,
        expires_us: row.get(4)?,
        downloads_max: int_or_null(row, 5)?,
        downloads: int(row, 6)?,
        made_us: row.get(7)?,
        ended_us: row.get(8)?,
        receives: row.get(9)?,
        words: row.get(10)?,
        off_us: row.get(11)?,
    })
}
