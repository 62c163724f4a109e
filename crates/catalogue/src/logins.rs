//! What logs in at targets: sealed bytes that only the service identity opens. Local, never journalled.

use crate::{error::Result, tx::Tx};
use model::id::TargetId;

/// All logins, by target.
///
/// # Errors
/// As for every reading.
pub fn all(tx: &Tx<'_>) -> Result<Vec<(TargetId, Vec<u8>)>> {
    tx.all("SELECT target, sealed FROM login ORDER BY target", [], |row| Ok((TargetId(row.get(0)?), row.get(1)?)))
}

/// Sets the login of a target.
///
/// # Errors
/// As for every writing.
pub fn set(tx: &mut Tx<'_>, target: TargetId, sealed: &[u8]) -> Result<()> {
    let sql = "INSERT INTO login (target, sealed) VALUES (?1, ?2) ON CONFLICT (target) DO UPDATE SET sealed = excluded.sealed";
    tx.run(sql, (target.0, sealed)).map(drop)
}
