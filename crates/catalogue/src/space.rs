//! What the space of an account consists of. Its sum is kept ([`crate::limits::used_bytes`]); this is counted when it is asked
//! for, from what lies in the trash and what was replaced, not from all files.

use crate::{
    error::Result,
    tx::{Tx, int},
};
use model::id::AccountId;

/// Plaintext bytes that somebody may want back, but does not see in a folder.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Kept {
    /// Of all versions of what is in the trash.
    pub trash: u64,
    /// Of the versions before the current ones of all other files.
    pub older: u64,
}

/// Counts them.
///
/// # Errors
/// As for every reading.
pub fn kept(tx: &Tx<'_>, account: AccountId) -> Result<Kept> {
    let sql = "WITH RECURSIVE gone (id) AS (
                 SELECT id FROM entry WHERE account = ?1 AND slot IS NULL
                 UNION SELECT e.id FROM gone JOIN entry e ON e.account = ?1 AND e.slot = gone.id
               )
               SELECT coalesce(sum(v.size), 0), coalesce(sum(v.size) FILTER (WHERE v.replaced_at IS NOT NULL), 0)
               FROM gone JOIN version v ON v.account = ?1 AND v.entry = gone.id";
    let (trash, of_it) = tx.one(sql, [account.0], |row| Ok((int(row, 0)?, int(row, 1)?)))?.unwrap_or((0, 0));
    let sql = "SELECT coalesce(sum(size), 0) FROM version WHERE account = ?1 AND replaced_at IS NOT NULL";
    let replaced = tx.one(sql, [account.0], |row| int(row, 0))?.unwrap_or(0);
    Ok(Kept { trash, older: replaced.saturating_sub(of_it) })
}
