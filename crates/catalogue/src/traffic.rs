//! What firms were asked for, by month, and how much lies at them. Local, never journalled: bookkeeping for people.

use model::id::{ProviderId, TargetId};

use crate::{
    error::Result,
    tx::{Int, Tx, int},
};

/// A provider's month.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct MonthRow {
    /// Requests: put, part, get, head, list, delete.
    pub requests: [u64; 6],
    /// Bytes that were sent there.
    pub in_bytes: u64,
    /// Bytes that came from there.
    pub out_bytes: u64,
    /// What was stored: 1,000 bytes for a second, summed up.
    pub stored_kb_s: u64,
}

/// How much lay at a provider when it was last added up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stored {
    /// Bytes.
    pub bytes: u64,
    /// When, in microseconds since 1970.
    pub at_us: i64,
}

/// A provider's month so far; nothing if nothing was noted.
///
/// # Errors
/// As for every reading.
pub fn of_month(tx: &Tx<'_>, provider: ProviderId, month: u32) -> Result<MonthRow> {
    let sql = "SELECT puts, parts, gets, heads, lists, deletes, in_bytes, out_bytes, stored_kb_s
               FROM traffic WHERE provider = ?1 AND month = ?2";
    let found = tx.one(sql, (provider.0, month), |row| {
        let mut requests = [0; 6];
        for (column, count) in requests.iter_mut().enumerate() {
            *count = int(row, column)?;
        }
        Ok(MonthRow { requests, in_bytes: int(row, 6)?, out_bytes: int(row, 7)?, stored_kb_s: int(row, 8)? })
    })?;
    Ok(found.unwrap_or_default())
}

/// Adds to a provider's month.
///
/// # Errors
/// As for every writing.
pub fn add(tx: &mut Tx<'_>, provider: ProviderId, month: u32, more: &MonthRow) -> Result<()> {
    let known = of_month(tx, provider, month)?;
    let sum = |known: u64, more: u64| Int(known.saturating_add(more).min(i64::MAX as u64));
    let requests: Vec<Int> = known.requests.into_iter().zip(more.requests).map(|(a, b)| sum(a, b)).collect();
    let sql = "INSERT OR REPLACE INTO traffic
               (puts, parts, gets, heads, lists, deletes, in_bytes, out_bytes, stored_kb_s, provider, month)
               VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)";
    let values = (
        requests[0],
        requests[1],
        requests[2],
        requests[3],
        requests[4],
        requests[5],
        sum(known.in_bytes, more.in_bytes),
        sum(known.out_bytes, more.out_bytes),
        sum(known.stored_kb_s, more.stored_kb_s),
        provider.0,
        month,
    );
    tx.run(sql, values).map(drop)
}

/// How much lay at a provider when it was last added up; `None` if it never was.
///
/// # Errors
/// As for every reading.
pub fn stored(tx: &Tx<'_>, provider: ProviderId) -> Result<Option<Stored>> {
    let sql = "SELECT bytes, at_us FROM stored WHERE provider = ?1";
    tx.one(sql, [provider.0], |row| Ok(Stored { bytes: int(row, 0)?, at_us: row.get(1)? }))
}

/// Notes how much lies at a provider.
///
/// # Errors
/// As for every writing.
pub fn set_stored(tx: &mut Tx<'_>, provider: ProviderId, stored: Stored) -> Result<()> {
    let sql = "INSERT OR REPLACE INTO stored (provider, bytes, at_us) VALUES (?1, ?2, ?3)";
    tx.run(sql, (provider.0, Int(stored.bytes), stored.at_us)).map(drop)
}

/// The bytes of lanes and copies that lie at each target by the records. Reads whole tables.
///
/// # Errors
/// As for every reading.
pub fn bytes_by_target(tx: &Tx<'_>) -> Result<Vec<(TargetId, u64)>> {
    let sql = "SELECT target, sum(bytes) FROM (
                 SELECT target, lane_bytes AS bytes FROM make
                 UNION ALL
                 SELECT object_copy.target, object.bytes FROM object_copy JOIN object ON object.id = object_copy.object
               ) GROUP BY target ORDER BY target";
    tx.all(sql, [], |row| Ok((TargetId(row.get(0)?), int(row, 1)?)))
}
