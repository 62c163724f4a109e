//! Packs that are being written: announced before their first byte, so that what an interrupted writer left behind is
//! known by name.

use crate::{
    error::Result,
    tx::{Int, Tx, int},
};
use model::{id::PackId, units::ServiceTime};

/// An announced pack.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Intent {
    /// The pack.
    pub pack: PackId,
    /// When it was announced.
    pub at: ServiceTime,
    /// The generation of the service that announced it: an older one's writer is gone.
    pub generation: u64,
}

/// Announces a pack.
///
/// # Errors
/// As for every writing.
pub fn open(tx: &mut Tx<'_>, intent: &Intent) -> Result<()> {
    let sql = "INSERT INTO intent (pack, open_at, generation) VALUES (?1, ?2, ?3)";
    tx.run(sql, (intent.pack.0, Int(intent.at.0), Int(intent.generation))).map(drop)
}

/// Ends the announcement: the pack is recorded, or given up. False if it was not open.
///
/// # Errors
/// As for every writing.
pub fn close(tx: &mut Tx<'_>, pack: PackId) -> Result<bool> {
    Ok(tx.run("DELETE FROM intent WHERE pack = ?1", [pack.0])? > 0)
}

/// Whether the pack is announced.
///
/// # Errors
/// As for every reading.
pub fn is_open(tx: &Tx<'_>, pack: PackId) -> Result<bool> {
    tx.any("SELECT 1 FROM intent WHERE pack = ?1", [pack.0])
}

/// Announcements that were made before `before`, or by a generation below `generation`, oldest first.
///
/// # Errors
/// As for every reading.
pub fn stale(tx: &Tx<'_>, before: ServiceTime, generation: u64) -> Result<Vec<Intent>> {
    let sql =
        "SELECT pack, open_at, generation FROM intent WHERE open_at < ?1 OR generation < ?2 ORDER BY open_at, pack";
    tx.all(sql, (Int(before.0), Int(generation)), |row| {
        Ok(Intent { pack: PackId(row.get(0)?), at: ServiceTime(int(row, 1)?), generation: int(row, 2)? })
    })
}
