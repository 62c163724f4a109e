//! How the fleet stood, hour by hour. Local, never journalled: for people, who want to see where things are going.

use std::collections::BTreeMap;

use model::id::ProviderId;

use crate::{
    error::Result,
    tx::{Int, Tx, int, int_or_null},
};

/// How things stood in one hour.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct HourRow {
    /// Hours since 1970.
    pub hour: i64,
    /// When it was counted, in microseconds since 1970.
    pub counted_us: i64,
    /// How many providers could go; `None` when something lacked its k good lanes, and when nothing was kept.
    pub margin: Option<u64>,
    /// Packs in all.
    pub packs: u64,
    /// Packs that could not be read.
    pub packs_unreadable: u64,
    /// Packs below safe.
    pub packs_below_safe: u64,
    /// Packs below settled.
    pub packs_below_settled: u64,
    /// Files that could not be read.
    pub files_unreadable: u64,
    /// Files below safe.
    pub files_below_safe: u64,
    /// Files below settled.
    pub files_below_settled: u64,
    /// Bytes that repair would have read and written to settle everything.
    pub backlog_bytes: u64,
    /// `by_margin[c]`: packs with margin c.
    pub by_margin: Vec<u64>,
    /// Bytes that lay at each provider by the records.
    pub stored: BTreeMap<ProviderId, u64>,
}

/// Keeps an hour; what was noted of it before is replaced.
///
/// # Errors
/// As for every writing.
pub fn set(tx: &mut Tx<'_>, row: &HourRow) -> Result<()> {
    forget(tx, "=", row.hour)?;
    tx.run(
        "INSERT INTO trend (hour, counted_us, margin, packs, packs_unreadable, packs_below_safe, packs_below_settled,
           files_unreadable, files_below_safe, files_below_settled, backlog_bytes)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)",
        (
            row.hour,
            row.counted_us,
            row.margin.map(Int),
            Int(row.packs),
            Int(row.packs_unreadable),
            Int(row.packs_below_safe),
            Int(row.packs_below_settled),
            Int(row.files_unreadable),
            Int(row.files_below_safe),
            Int(row.files_below_settled),
            Int(row.backlog_bytes.min(i64::MAX as u64)),
        ),
    )?;
    for (margin, packs) in (0_i64..).zip(&row.by_margin).filter(|(_, packs)| **packs > 0) {
        let sql = "INSERT INTO trend_margin (hour, margin, packs) VALUES (?1, ?2, ?3)";
        tx.run(sql, (row.hour, margin, Int(*packs)))?;
    }
    for (provider, bytes) in &row.stored {
        let sql = "INSERT INTO trend_stored (hour, provider, bytes) VALUES (?1, ?2, ?3)";
        tx.run(sql, (row.hour, provider.0, Int(*bytes)))?;
    }
    Ok(())
}

/// Forgets the hours before this one.
///
/// # Errors
/// As for every writing.
pub fn forget_before(tx: &mut Tx<'_>, hour: i64) -> Result<()> {
    forget(tx, "<", hour)
}

fn forget(tx: &Tx<'_>, which: &str, hour: i64) -> Result<()> {
    for table in ["trend_margin", "trend_stored", "trend"] {
        tx.run(&format!("DELETE FROM {table} WHERE hour {which} ?1"), [hour])?;
    }
    Ok(())
}

/// All hours from this one on, in their order.
///
/// # Errors
/// As for every reading.
pub fn since(tx: &Tx<'_>, hour: i64) -> Result<Vec<HourRow>> {
    let mut rows = tx.all(
        "SELECT hour, counted_us, margin, packs, packs_unreadable, packs_below_safe, packs_below_settled,
           files_unreadable, files_below_safe, files_below_settled, backlog_bytes
         FROM trend WHERE hour >= ?1 ORDER BY hour",
        [hour],
        |row| {
            Ok(HourRow {
                hour: row.get(0)?,
                counted_us: row.get(1)?,
                margin: int_or_null(row, 2)?,
                packs: int(row, 3)?,
                packs_unreadable: int(row, 4)?,
                packs_below_safe: int(row, 5)?,
                packs_below_settled: int(row, 6)?,
                files_unreadable: int(row, 7)?,
                files_below_safe: int(row, 8)?,
                files_below_settled: int(row, 9)?,
                backlog_bytes: int(row, 10)?,
                ..HourRow::default()
            })
        },
    )?;
    let places: BTreeMap<i64, usize> = rows.iter().map(|row| row.hour).zip(0..).collect();
    let sql = "SELECT hour, margin, packs FROM trend_margin WHERE hour >= ?1 ORDER BY hour, margin";
    for (hour, margin, packs) in
        tx.all(sql, [hour], |row| Ok((row.get::<_, i64>(0)?, row.get::<_, u16>(1)?, int(row, 2)?)))?
    {
        if let Some(row) = places.get(&hour).map(|place| &mut rows[*place]) {
            row.by_margin.resize(usize::from(margin) + 1, 0);
            row.by_margin[usize::from(margin)] = packs;
        }
    }
    let sql = "SELECT hour, provider, bytes FROM trend_stored WHERE hour >= ?1";
    for (hour, provider, bytes) in
        tx.all(sql, [hour], |row| Ok((row.get::<_, i64>(0)?, ProviderId(row.get(1)?), int(row, 2)?)))?
    {
        if let Some(row) = places.get(&hour).map(|place| &mut rows[*place]) {
            row.stored.insert(provider, bytes);
        }
    }
    Ok(rows)
}
