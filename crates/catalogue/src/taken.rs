//! What guests did with links, as far as no record says it. Local: lost with the catalogue, and nobody is harmed.

use crate::{
    error::Result,
    tx::{Int, Tx, int},
};
use model::id::{AccountId, EntryId, ShareId};

/// Bytes that were taken of a file by a link and are no whole download yet.
///
/// # Errors
/// As for every reading.
pub fn of(tx: &Tx<'_>, share: ShareId, entry: EntryId) -> Result<u64> {
    let sql = "SELECT bytes FROM taken WHERE share = ?1 AND entry = ?2";
    Ok(tx.one(sql, (share.0, entry.0), |row| int(row, 0))?.unwrap_or(0))
}

/// Keeps such a count; none is forgotten.
///
/// # Errors
/// As for every writing.
pub fn set(tx: &mut Tx<'_>, account: AccountId, share: ShareId, entry: EntryId, bytes: u64) -> Result<()> {
    if bytes == 0 {
        return tx.run("DELETE FROM taken WHERE share = ?1 AND entry = ?2", (share.0, entry.0)).map(drop);
    }
    let sql = "INSERT INTO taken (account, share, entry, bytes) VALUES (?1, ?2, ?3, ?4)
               ON CONFLICT (share, entry) DO UPDATE SET bytes = excluded.bytes";
    tx.run(sql, (account.0, share.0, entry.0, Int(bytes))).map(drop)
}

/// Forgets all such counts of a link that gives nothing any more.
///
/// # Errors
/// As for every writing.
pub fn forget(tx: &mut Tx<'_>, share: ShareId) -> Result<()> {
    tx.run("DELETE FROM taken WHERE share = ?1", [share.0]).map(drop)
}

/// How often a link's page was opened.
///
/// # Errors
/// As for every reading.
pub fn opened(tx: &Tx<'_>, share: ShareId) -> Result<u64> {
    let sql = "SELECT times FROM opened WHERE share = ?1";
    Ok(tx.one(sql, [share.0], |row| int(row, 0))?.unwrap_or(0))
}

/// Adds to it.
///
/// # Errors
/// As for every writing.
pub fn add_opened(tx: &mut Tx<'_>, account: AccountId, share: ShareId, times: u64) -> Result<()> {
    let sql = "INSERT INTO opened (share, account, times) VALUES (?1, ?2, ?3)
               ON CONFLICT (share) DO UPDATE SET times = times + excluded.times";
    tx.run(sql, (share.0, account.0, Int(times))).map(drop)
}
