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

/// Of a link that is in nobody's list any more: ended, or its time is over.
const OVER: &str = "FROM taken WHERE NOT EXISTS (
                      SELECT 1 FROM share s WHERE s.account = taken.account AND s.id = taken.share
                        AND s.ended_us IS NULL AND (s.expires_us IS NULL OR s.expires_us > ?1))";

/// Whether there are counts of links that are over at a time of the wall clock.
///
/// # Errors
/// As for every reading.
pub fn is_any_over(tx: &Tx<'_>, now_us: i64) -> Result<bool> {
    Ok(tx.one(&format!("SELECT 1 {OVER} LIMIT 1"), [now_us], |_| Ok(()))?.is_some())
}

/// Forgets those.
///
/// # Errors
/// As for every writing.
pub fn forget_over(tx: &mut Tx<'_>, now_us: i64) -> Result<()> {
    tx.run(&format!("DELETE {OVER}"), [now_us]).map(drop)
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
