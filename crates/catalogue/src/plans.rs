//! Plans, and files whose days are over.

use crate::{
    entries::{COLUMN_COUNT, COLUMNS, entry_from},
    error::Result,
    tx::{Tx, int, int_or_null, limit},
};
use model::{
    entry::EntryRow,
    id::{AccountId, VersionId},
    plans::PlanRow,
};
use rusqlite::Row;

pub(crate) const PLAN: &str =
    "name, space_bytes, file_bytes, keep_days, link_bytes_per_day, guest_bytes_per_s, ended_us";
/// How many of them there are.
pub(crate) const PLAN_COUNT: usize = 7;

/// The plan of this name, unless it has ended.
///
/// # Errors
/// As for every reading.
pub fn of(tx: &Tx<'_>, name: &str) -> Result<Option<PlanRow>> {
    let sql = format!("SELECT {PLAN} FROM plan WHERE name = ?1 AND ended_us IS NULL");
    Ok(tx.all(&sql, [name], plan_from)?.pop())
}

/// All plans that have not ended, by name.
///
/// # Errors
/// As for every reading.
pub fn all(tx: &Tx<'_>) -> Result<Vec<PlanRow>> {
    tx.all(&format!("SELECT {PLAN} FROM plan WHERE ended_us IS NULL ORDER BY name"), [], plan_from)
}

/// How many accounts have the plan.
///
/// # Errors
/// As for every reading.
pub fn accounts(tx: &Tx<'_>, name: &str) -> Result<u64> {
    let sql = "SELECT count(*) FROM limits WHERE plan = ?1";
    Ok(tx.one(sql, [name], |row| int(row, 0))?.unwrap_or(0))
}

/// A current version by its age: when it was stored, and its id.
pub type Age = (i64, VersionId);

/// Up to `rows` files whose current versions were stored before `until_us`, after `after`, the oldest first. A folder above
/// may lie in the trash.
///
/// # Errors
/// As for every reading.
pub fn stored_before(
    tx: &Tx<'_>,
    account: AccountId,
    until_us: i64,
    after: Age,
    rows: usize,
) -> Result<Vec<(Age, EntryRow)>> {
    let sql = format!(
        "SELECT {COLUMNS}, v.made_us, v.id FROM version v INDEXED BY version_made
         JOIN entry e ON e.account = v.account AND e.id = v.entry AND e.current = v.id AND e.slot IS NOT NULL
         WHERE v.account = ?1 AND v.replaced_at IS NULL AND (v.made_us, v.id) > (?2, ?3) AND v.made_us < ?4
         ORDER BY v.made_us, v.id LIMIT ?5"
    );
    tx.all(&sql, (account.0, after.0, after.1.0, until_us, limit(rows)), |row| {
        Ok(((row.get(COLUMN_COUNT)?, VersionId(row.get(COLUMN_COUNT + 1)?)), entry_from(row, 0)?))
    })
}

pub(crate) fn plan_from(row: &Row<'_>) -> Result<PlanRow> {
    Ok(PlanRow {
        name: row.get(0)?,
        space_bytes: int_or_null(row, 1)?,
        file_bytes: int_or_null(row, 2)?,
        keep_days: row.get(3)?,
        link_bytes_per_day: int_or_null(row, 4)?,
        guest_bytes_per_s: int_or_null(row, 5)?,
        ended_us: row.get(6)?,
    })
}
