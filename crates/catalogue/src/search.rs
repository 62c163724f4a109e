//! Names of an account in the order of their index, for looking through them all in bounded steps.

use crate::{error::Result, tx::Tx, tx::limit};
use model::id::{AccountId, EntryId};

/// An entry with the folder that it has its name in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Named {
    /// The entry.
    pub id: EntryId,
    /// Its folder, which may itself lie in the trash.
    pub folder: EntryId,
    /// Its name there.
    pub name: String,
}

/// Up to `rows` names after the one called `after` in that folder, by folder and name. Read from the index alone.
///
/// # Errors
/// As for every reading.
pub fn names(tx: &Tx<'_>, account: AccountId, after: Option<(EntryId, &str)>, rows: usize) -> Result<Vec<Named>> {
    let sql = "SELECT id, slot, name FROM entry INDEXED BY entry_slot
               WHERE account = ?1 AND slot IS NOT NULL AND (slot, name) > (?2, ?3) ORDER BY slot, name LIMIT ?4";
    let (folder, name) = after.map_or(([0; 16], ""), |(folder, name)| (folder.0, name));
    tx.all(sql, (account.0, folder, name, limit(rows)), |row| {
        Ok(Named { id: EntryId(row.get(0)?), folder: EntryId(row.get(1)?), name: row.get(2)? })
    })
}
