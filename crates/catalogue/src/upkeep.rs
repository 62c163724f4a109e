//! How the kinds of upkeep stand, and what drills found last. Local, never journalled: a rebuild begins anew.

use std::collections::BTreeSet;

use model::{id::ProviderId, units::ServiceTime};

use crate::{
    error::Result,
    tx::{Int, Tx, int, int_or_null},
};

/// How a kind of upkeep stands.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct KindRow {
    /// Its name.
    pub kind: String,
    /// Since when it is known here.
    pub known_at: ServiceTime,
    /// When it last ended well, on the wall clock and in service time.
    pub ended: Option<(i64, ServiceTime)>,
    /// Since when it is paused, on the wall clock, and by whom.
    pub paused: Option<(i64, String)>,
}

/// Keeps when a kind last ended well. Whether it is paused stays as it is.
///
/// # Errors
/// As for every writing.
pub fn set_ended(tx: &mut Tx<'_>, row: &KindRow) -> Result<()> {
    let (ended_us, ended_at) = row.ended.map(|(us, at)| (us, Int(at.0))).unzip();
    let sql = "INSERT INTO upkeep (kind, known_at, ended_us, ended_at) VALUES (?1, ?2, ?3, ?4)
               ON CONFLICT (kind) DO UPDATE SET ended_us = excluded.ended_us, ended_at = excluded.ended_at";
    tx.run(sql, (&row.kind, Int(row.known_at.0), ended_us, ended_at)).map(drop)
}

/// Keeps whether a kind is paused. When it last ended well stays as it is.
///
/// # Errors
/// As for every writing.
pub fn set_paused(tx: &mut Tx<'_>, row: &KindRow) -> Result<()> {
    let (paused_us, paused_by) = row.paused.as_ref().map(|(us, by)| (us, by)).unzip();
    let sql = "INSERT INTO upkeep (kind, known_at, paused_us, paused_by) VALUES (?1, ?2, ?3, ?4)
               ON CONFLICT (kind) DO UPDATE SET paused_us = excluded.paused_us, paused_by = excluded.paused_by";
    tx.run(sql, (&row.kind, Int(row.known_at.0), paused_us, paused_by)).map(drop)
}

/// How all kinds stand of which something was kept.
///
/// # Errors
/// As for every reading.
pub fn all(tx: &Tx<'_>) -> Result<Vec<KindRow>> {
    tx.all("SELECT kind, known_at, ended_us, ended_at, paused_us, paused_by FROM upkeep ORDER BY kind", [], |row| {
        Ok(KindRow {
            kind: row.get(0)?,
            known_at: ServiceTime(int(row, 1)?),
            ended: row.get::<_, Option<i64>>(2)?.zip(int_or_null(row, 3)?.map(ServiceTime)),
            paused: row.get::<_, Option<i64>>(4)?.zip(row.get(5)?),
        })
    })
}

/// What the last drill without a provider found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DrillRow {
    /// The provider.
    pub provider: ProviderId,
    /// Where nothing was read: the provider and all that counted as one with it, as far as they had targets.
    pub without: BTreeSet<ProviderId>,
    /// When it ended, microseconds since 1970.
    pub at_us: i64,
    /// Whether everything was asked for, or a sample.
    pub complete: bool,
    /// Packs that were asked for, and how many of them could not be read.
    pub packs: (u64, u64),
    /// Copied objects, likewise.
    pub records: (u64, u64),
    /// Versions of files with bytes in what could not be read.
    pub files_unreadable: u64,
    /// Bytes that were right.
    pub bytes: u64,
    /// The first of what could not be read, in words without line ends.
    pub holes: Vec<String>,
    /// Providers that were away, by name.
    pub away: Vec<String>,
    /// When one passed last, this one or one before it, and where nothing was read in that one.
    pub passed: Option<(i64, BTreeSet<ProviderId>)>,
}

/// Keeps what a drill found; what was kept of the one before is replaced.
///
/// # Errors
/// As for every writing.
pub fn set_drill(tx: &mut Tx<'_>, row: &DrillRow) -> Result<()> {
    let joined = |all: &BTreeSet<ProviderId>| all.iter().flat_map(|id| id.0).collect::<Vec<u8>>();
    let (passed_us, passed_without) = row.passed.as_ref().map(|(us, without)| (*us, joined(without))).unzip();
    tx.run(
        "INSERT OR REPLACE INTO drill (provider, at_us, complete, packs, packs_unreadable, records, records_unreadable,
           files_unreadable, bytes, holes, away, passed_us, without, passed_without)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14)",
        (
            row.provider.0,
            row.at_us,
            row.complete,
            Int(row.packs.0),
            Int(row.packs.1),
            Int(row.records.0),
            Int(row.records.1),
            Int(row.files_unreadable),
            Int(row.bytes),
            row.holes.join("\n"),
            row.away.join("\n"),
            passed_us,
            joined(&row.without),
            passed_without.unwrap_or_default(),
        ),
    )
    .map(drop)
}

/// The last drill without each provider.
///
/// # Errors
/// As for every reading.
pub fn drills(tx: &Tx<'_>) -> Result<Vec<DrillRow>> {
    let lines = |text: String| text.lines().map(str::to_owned).collect();
    let ids = |bytes: Vec<u8>| bytes.as_chunks::<16>().0.iter().copied().map(ProviderId).collect();
    tx.all(
        "SELECT provider, at_us, complete, packs, packs_unreadable, records, records_unreadable, files_unreadable,
           bytes, holes, away, passed_us, without, passed_without
         FROM drill",
        [],
        |row| {
            Ok(DrillRow {
                provider: ProviderId(row.get(0)?),
                at_us: row.get(1)?,
                complete: row.get(2)?,
                packs: (int(row, 3)?, int(row, 4)?),
                records: (int(row, 5)?, int(row, 6)?),
                files_unreadable: int(row, 7)?,
                bytes: int(row, 8)?,
                holes: lines(row.get(9)?),
                away: lines(row.get(10)?),
                passed: row.get::<_, Option<i64>>(11)?.zip(Some(ids(row.get(13)?))),
                without: ids(row.get(12)?),
            })
        },
    )
}
