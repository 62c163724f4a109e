//! The ledger: entries by number.

use crate::{
    error::Result,
    tx::{Int, Tx, int, limit},
};
use model::ledger::LedgerEntry;
use rusqlite::Row;

pub(crate) const COLUMNS: &str = "n, text";
/// How many of them there are.
pub(crate) const COLUMN_COUNT: usize = 2;

/// The last entry.
///
/// # Errors
/// As for every reading.
pub fn last(tx: &Tx<'_>) -> Result<Option<LedgerEntry>> {
    Ok(tx.all(&format!("SELECT {COLUMNS} FROM ledger ORDER BY n DESC LIMIT 1"), [], entry_from)?.pop())
}

/// Up to `rows` entries behind the number `after`, in their order.
///
/// # Errors
/// As for every reading.
pub fn page(tx: &Tx<'_>, after: u64, rows: usize) -> Result<Vec<LedgerEntry>> {
    let sql = format!("SELECT {COLUMNS} FROM ledger WHERE n > ?1 ORDER BY n LIMIT ?2");
    tx.all(&sql, (Int(after), limit(rows)), entry_from)
}

/// Whether an entry has this line. Reads all of them.
///
/// # Errors
/// As for every reading.
pub fn has_line(tx: &Tx<'_>, line: &str) -> Result<bool> {
    tx.any("SELECT 1 FROM ledger WHERE instr(text, ?1) > 0", [format!("\n{line}\n")])
}

pub(crate) fn entry_from(row: &Row<'_>) -> Result<LedgerEntry> {
    Ok(LedgerEntry { n: int(row, 0)?, text: row.get(1)? })
}
