//! What was ordered of targets.

use crate::{
    error::Result,
    tx::{Tx, int},
};
use model::{
    id::{OrderId, TargetId},
    orders::{Evacuated, Evacuation, Retirement, TargetOrders},
};
use rusqlite::Row;

pub(crate) const COLUMNS: &str = "target, cordoned, evacuation, ordered_us, by_us, paused, evacuated_us, packs_read, \
     packs_listed, objects_read, objects_listed, retired_us, keeps_shards";
/// How many of them there are.
pub(crate) const COLUMN_COUNT: usize = 13;

/// All orders, those that are over too, by target.
///
/// # Errors
/// As for every reading.
pub fn all(tx: &Tx<'_>) -> Result<Vec<TargetOrders>> {
    tx.all(&format!("SELECT {COLUMNS} FROM target_orders ORDER BY target"), [], orders_from)
}

/// What stands for a target: nothing, where nothing was ever ordered.
///
/// # Errors
/// As for every reading.
pub fn of(tx: &Tx<'_>, target: TargetId) -> Result<TargetOrders> {
    let found = tx.all(&format!("SELECT {COLUMNS} FROM target_orders WHERE target = ?1"), [target.0], orders_from)?;
    Ok(found.into_iter().next().unwrap_or_else(|| TargetOrders::none(target)))
}

/// Packs with a make at a target, the bytes of those makes, and copied objects in use with a copy there.
///
/// # Errors
/// As for every reading.
pub fn held(tx: &Tx<'_>, target: TargetId) -> Result<(u64, u64, u64)> {
    let sql = "SELECT count(DISTINCT pack), coalesce(sum(lane_bytes), 0) FROM make WHERE target = ?1";
    let (packs, bytes) = tx.one(sql, [target.0], |row| Ok((int(row, 0)?, int(row, 1)?)))?.unwrap_or((0, 0));
    let sql = "SELECT count(*) FROM object_copy c JOIN object o ON o.id = c.object
               WHERE c.target = ?1 AND o.released_at IS NULL";
    Ok((packs, bytes, tx.one(sql, [target.0], |row| int(row, 0))?.unwrap_or(0)))
}

pub(crate) fn orders_from(row: &Row<'_>) -> Result<TargetOrders> {
    let evacuated = match row.get(6)? {
        Some(at_us) => Some(Evacuated {
            at_us,
            packs_read: int(row, 7)?,
            packs_listed: int(row, 8)?,
            objects_read: int(row, 9)?,
            objects_listed: int(row, 10)?,
        }),
        None => None,
    };
    let evacuation = match row.get::<_, Option<[u8; 16]>>(2)? {
        Some(id) => Some(Evacuation {
            id: OrderId(id),
            ordered_us: row.get(3)?,
            by_us: row.get(4)?,
            paused: row.get(5)?,
            evacuated,
        }),
        None => None,
    };
    let retirement = match row.get(11)? {
        Some(ordered_us) => Some(Retirement { ordered_us, keeps_shards: row.get(12)? }),
        None => None,
    };
    Ok(TargetOrders { target: TargetId(row.get(0)?), cordoned: row.get(1)?, evacuation, retirement })
}
