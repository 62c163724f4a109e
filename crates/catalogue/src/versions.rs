//! Versions of files.

use crate::{
    error::{Error, Result},
    tx::{Int, Tx, int, int_or_null, limit},
};
use model::{
    entry::{Content, SegmentRef, Version},
    id::{AccountId, EntryId, SegmentId, VersionId},
    units::ServiceTime,
};
use rusqlite::Row;

/// The columns that [`version_from`] reads.
pub(crate) const COLUMNS: &str = "v.id, v.entry, v.size, v.modified_us, v.made_us, v.media_type, v.blake3, v.crc32, \
                                  v.sha256, v.file_key, v.replaced_at, v.segments, v.sealed";

/// One version.
///
/// # Errors
/// As for every reading.
pub fn get(tx: &Tx<'_>, account: AccountId, id: VersionId) -> Result<Option<Version>> {
    let sql = format!("SELECT {COLUMNS} FROM version v WHERE v.account = ?1 AND v.id = ?2");
    Ok(tx.all(&sql, (account.0, id.0), |row| version_from(row, 0))?.pop())
}

/// Whether a version is gone for good.
///
/// # Errors
/// As for every reading.
pub fn is_gone(tx: &Tx<'_>, account: AccountId, id: VersionId) -> Result<bool> {
    tx.any("SELECT 1 FROM version_gone WHERE account = ?1 AND id = ?2", (account.0, id.0))
}

/// The version of a file that readers get.
///
/// # Errors
/// As for every reading.
pub fn current(tx: &Tx<'_>, account: AccountId, entry: EntryId) -> Result<Option<Version>> {
    let sql = format!(
        "SELECT {COLUMNS} FROM entry e JOIN version v ON v.account = e.account AND v.id = e.current
         WHERE e.account = ?1 AND e.id = ?2"
    );
    Ok(tx.all(&sql, (account.0, entry.0), |row| version_from(row, 0))?.pop())
}

/// All versions of a file, newest first.
///
/// # Errors
/// As for every reading.
pub fn of_entry(tx: &Tx<'_>, account: AccountId, entry: EntryId) -> Result<Vec<Version>> {
    let sql = format!(
        "SELECT {COLUMNS} FROM version v WHERE v.account = ?1 AND v.entry = ?2 ORDER BY v.made_us DESC, v.revision DESC, v.id"
    );
    tx.all(&sql, (account.0, entry.0), |row| version_from(row, 0))
}

/// Up to `rows` ids of versions of a file after `after`: for ending them all.
///
/// # Errors
/// As for every reading.
pub fn ids_of_entry(
    tx: &Tx<'_>,
    account: AccountId,
    entry: EntryId,
    after: VersionId,
    rows: usize,
) -> Result<Vec<VersionId>> {
    let sql = "SELECT id FROM version WHERE account = ?1 AND entry = ?2 AND id > ?3 ORDER BY id LIMIT ?4";
    tx.all(sql, (account.0, entry.0, after.0, limit(rows)), |row| Ok(VersionId(row.get(0)?)))
}

/// What a version consists of, if its bytes lie at targets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Parts {
    /// Whose.
    pub account: AccountId,
    /// The version.
    pub id: VersionId,
    /// Its segments, in order.
    pub segments: Vec<SegmentId>,
}

/// Up to `rows` versions of all accounts after `after`, by account and id; inline ones are left out.
///
/// # Errors
/// As for every reading.
pub fn parts(tx: &Tx<'_>, after: (AccountId, VersionId), rows: usize) -> Result<Vec<Parts>> {
    let sql = "SELECT account, id, segments FROM version
               WHERE (account, id) > (?1, ?2) AND sealed IS NULL ORDER BY account, id LIMIT ?3";
    tx.all(sql, (after.0.0, after.1.0, limit(rows)), |row| {
        let segments = unpack_segments(row.get_ref(2)?.as_blob().map_err(rusqlite::Error::from)?)?;
        Ok(Parts {
            account: AccountId(row.get(0)?),
            id: VersionId(row.get(1)?),
            segments: segments.into_iter().map(|segment| segment.id).collect(),
        })
    })
}

/// A version whose place another one took.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Replaced {
    /// Since when.
    pub at: ServiceTime,
    /// The version.
    pub id: VersionId,
    /// Its file.
    pub entry: EntryId,
}

/// Up to `rows` versions that were replaced at `until` or before, oldest first, after `after`.
///
/// # Errors
/// As for every reading.
pub fn replaced_until(
    tx: &Tx<'_>,
    account: AccountId,
    until: ServiceTime,
    after: Option<(ServiceTime, VersionId)>,
    rows: usize,
) -> Result<Vec<Replaced>> {
    let (at, id) = after.map_or((-1, [0; 16]), |(at, id)| (i64::try_from(at.0).unwrap_or(i64::MAX), id.0));
    tx.all(
        "SELECT replaced_at, id, entry FROM version
         WHERE account = ?1 AND replaced_at IS NOT NULL AND replaced_at <= ?2 AND (replaced_at, id) > (?3, ?4)
         ORDER BY replaced_at, id LIMIT ?5",
        (account.0, Int(until.0), at, id, limit(rows)),
        |row| Ok(Replaced { at: ServiceTime(int(row, 0)?), id: VersionId(row.get(1)?), entry: EntryId(row.get(2)?) }),
    )
}

pub(crate) fn version_from(row: &Row<'_>, first: usize) -> Result<Version> {
    let segments = unpack_segments(row.get_ref(first + 11)?.as_blob().map_err(rusqlite::Error::from)?)?;
    let content = match row.get(first + 12)? {
        None => Content::Segments(segments),
        Some(sealed) => match segments.as_slice() {
            [segment] => Content::Inline { segment: *segment, sealed },
            _ => return Err(Error::Value { what: "version.segments of an inline file" }),
        },
    };
    Ok(Version {
        id: VersionId(row.get(first)?),
        entry: EntryId(row.get(first + 1)?),
        size: int(row, first + 2)?,
        modified_us: row.get(first + 3)?,
        made_us: row.get(first + 4)?,
        media_type: row.get(first + 5)?,
        blake3: row.get(first + 6)?,
        crc32: row.get(first + 7)?,
        sha256: row.get(first + 8)?,
        key: row.get(first + 9)?,
        content,
        replaced: int_or_null(row, first + 10)?.map(ServiceTime),
    })
}

/// Bytes of one segment in the `segments` column.
const SEGMENT_BYTES: usize = 16 + 32 + 8;

/// Segments as one column: id, salt, plaintext bytes, each after the other.
pub(crate) fn pack_segments(segments: &[SegmentRef]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(segments.len() * SEGMENT_BYTES);
    for segment in segments {
        bytes.extend_from_slice(&segment.id.0);
        bytes.extend_from_slice(&segment.salt);
        bytes.extend_from_slice(&segment.plain_bytes.to_le_bytes());
    }
    bytes
}

/// What [`pack_segments`] made.
pub(crate) fn unpack_segments(bytes: &[u8]) -> Result<Vec<SegmentRef>> {
    let (segments, rest) = bytes.as_chunks::<SEGMENT_BYTES>();
    if !rest.is_empty() {
        return Err(Error::Value { what: "version.segments" });
    }
    let read = |segment: &[u8; SEGMENT_BYTES]| {
        let (id, rest) = segment.split_first_chunk()?;
        let (salt, rest) = rest.split_first_chunk()?;
        let plain_bytes = u64::from_le_bytes(*rest.first_chunk()?);
        Some(SegmentRef { id: SegmentId(*id), salt: *salt, plain_bytes })
    };
    segments.iter().map(|segment| read(segment).ok_or(Error::Value { what: "version.segments" })).collect()
}

/// Only the ids of what [`pack_segments`] made.
pub(crate) fn segment_ids(bytes: &[u8]) -> Result<Vec<SegmentId>> {
    Ok(unpack_segments(bytes)?.into_iter().map(|segment| segment.id).collect())
}
