//! Where segments lie: in packs, or still in the journal; and whether anything needs them.

use crate::{
    apply::{add_use, end_use},
    error::Result,
    packs::{MakeView, makes},
    tx::{Int, Tx, int, limit},
};
use model::{
    id::{AccountId, ObjectId, PackId, SegmentId, UploadId, VersionId},
    pack::Location,
};
use rusqlite::Row;

/// Everything that reading a segment from its pack needs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Placed {
    /// The pack.
    pub pack: PackId,
    /// Data lanes.
    pub k: u8,
    /// Codec number.
    pub codec: u8,
    /// Bytes of a cell.
    pub cell_bytes: u32,
    /// Where in the pack.
    pub location: Location,
    /// The pack's makes, by lane, with what is known of each.
    pub makes: Vec<MakeView>,
}

/// Where a segment lies, if it is in a pack.
///
/// # Errors
/// As for every reading.
pub fn location(tx: &Tx<'_>, segment: SegmentId) -> Result<Option<Placed>> {
    let found = tx.one(
        "SELECT l.segment, l.lane, l.first, l.bytes, p.id, p.k, p.codec, p.cell_bytes
         FROM location l JOIN pack p ON p.id = l.pack WHERE l.segment = ?1",
        [segment.0],
        |row| {
            Ok(Placed {
                pack: PackId(row.get(4)?),
                k: row.get(5)?,
                codec: row.get(6)?,
                cell_bytes: row.get(7)?,
                location: location_from(row)?,
                makes: Vec::new(),
            })
        },
    )?;
    match found {
        Some(placed) => Ok(Some(Placed { makes: makes(tx, placed.pack)?, ..placed })),
        None => Ok(None),
    }
}

/// The pack that a segment lies in; cheaper than [`location`].
///
/// # Errors
/// As for every reading.
pub fn pack_of(tx: &Tx<'_>, segment: SegmentId) -> Result<Option<PackId>> {
    tx.one("SELECT pack FROM location WHERE segment = ?1", [segment.0], |row| Ok(PackId(row.get(0)?)))
}

/// The pack that a segment lies in and where in it; cheaper than [`location`].
///
/// # Errors
/// As for every reading.
pub fn place(tx: &Tx<'_>, segment: SegmentId) -> Result<Option<(PackId, Location)>> {
    let sql = "SELECT segment, lane, first, bytes, pack FROM location WHERE segment = ?1";
    tx.one(sql, [segment.0], |row| Ok((PackId(row.get(4)?), location_from(row)?)))
}

pub(crate) fn location_from(row: &Row<'_>) -> rusqlite::Result<Location> {
    Ok(Location { segment: SegmentId(row.get(0)?), lane: row.get(1)?, offset: int(row, 2)?, bytes: int(row, 3)? })
}

/// A segment in a pack, and whether anything needs it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Occupant {
    /// Where.
    pub location: Location,
    /// Some version or upload consists of it.
    pub live: bool,
}

/// All segments of a pack, by lane (striped ones first) and offset.
///
/// # Errors
/// As for every reading.
pub fn of_pack(tx: &Tx<'_>, pack: PackId) -> Result<Vec<Occupant>> {
    tx.all(
        "SELECT segment, lane, first, bytes,
           EXISTS (SELECT 1 FROM segment_use u WHERE u.segment = l.segment)
         FROM location l WHERE pack = ?1 ORDER BY lane, first, segment",
        [pack.0],
        |row| Ok(Occupant { location: location_from(row)?, live: row.get(4)? }),
    )
}

/// Who needs a segment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct User {
    /// Whose.
    pub account: AccountId,
    /// The version that consists of it, or the upload that will, as a version's id.
    pub user: VersionId,
}

/// The versions and uploads that consist of a segment.
///
/// # Errors
/// As for every reading.
pub fn users(tx: &Tx<'_>, segment: SegmentId) -> Result<Vec<User>> {
    tx.all("SELECT account, user FROM segment_use WHERE segment = ?1", [segment.0], |row| {
        Ok(User { account: AccountId(row.get(0)?), user: VersionId(row.get(1)?) })
    })
}

/// Whether anything needs the segment.
///
/// # Errors
/// As for every reading.
pub fn is_live(tx: &Tx<'_>, segment: SegmentId) -> Result<bool> {
    tx.any("SELECT 1 FROM segment_use WHERE segment = ?1", [segment.0])
}

/// Keeps segments live for an upload until a version consists of them.
///
/// # Errors
/// As for every writing.
pub fn hold(tx: &mut Tx<'_>, account: AccountId, upload: UploadId, segments: &[SegmentId]) -> Result<()> {
    segments.iter().try_for_each(|segment| add_use(tx, &segment.0, account, &upload.0))
}

/// Ends what [`hold`] began: call it after the version was applied, or when the upload is given up.
///
/// # Errors
/// As for every writing.
pub fn release(tx: &mut Tx<'_>, account: AccountId, upload: UploadId, segments: &[SegmentId]) -> Result<()> {
    segments.iter().try_for_each(|segment| end_use(tx, &segment.0, account, &upload.0))
}

/// Where a small file's sealed bytes lie until they are packed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Journalled {
    /// The segment.
    pub segment: SegmentId,
    /// The journal object.
    pub object: ObjectId,
    /// The object's epoch.
    pub epoch: u64,
    /// The object's number in its epoch.
    pub seq: u64,
    /// First byte in the object.
    pub offset: u64,
    /// Sealed bytes.
    pub bytes: u64,
}

const JOURNALLED: &str = "SELECT segment, object, epoch, seq, first, bytes FROM journalled";

/// Notes that a segment lies in the journal.
///
/// # Errors
/// As for every writing.
pub fn insert_journalled(tx: &mut Tx<'_>, row: &Journalled) -> Result<()> {
    tx.run(
        "INSERT INTO journalled (epoch, seq, first, bytes, object, segment) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
        (Int(row.epoch), Int(row.seq), Int(row.offset), Int(row.bytes), row.object.0, row.segment.0),
    )
    .map(drop)
}

/// Where a segment lies in the journal, if it is still there.
///
/// # Errors
/// As for every reading.
pub fn journalled(tx: &Tx<'_>, segment: SegmentId) -> Result<Option<Journalled>> {
    tx.one(&format!("{JOURNALLED} WHERE segment = ?1"), [segment.0], journalled_from)
}

/// Where a page of journalled segments ended: epoch, number and offset of its last one.
pub type JournalledCursor = (u64, u64, u64);

/// The oldest journalled segments after `after`, until `rows` or `bytes` are full (but at least one), each with whether
/// anything still needs it. The dead ones need no packing, only [`delete_journalled`].
///
/// # Errors
/// As for every reading.
pub fn oldest_journalled(
    tx: &Tx<'_>,
    after: Option<JournalledCursor>,
    rows: usize,
    bytes: u64,
) -> Result<Vec<(Journalled, bool)>> {
    let sql = "SELECT segment, object, epoch, seq, first, bytes,
                 EXISTS (SELECT 1 FROM segment_use u WHERE u.segment = j.segment)
               FROM journalled j WHERE (epoch, seq, first) > (?1, ?2, ?3) ORDER BY epoch, seq, first LIMIT ?4";
    let (epoch, seq, first) = after.map_or((-1, -1, -1), |(epoch, seq, first)| {
        let signed = |number| i64::try_from(number).unwrap_or(i64::MAX);
        (signed(epoch), signed(seq), signed(first))
    });
    let mut found =
        tx.all(sql, (epoch, seq, first, limit(rows)), |row| Ok((journalled_from(row)?, row.get::<_, bool>(6)?)))?;
    let mut total = 0_u64;
    let fitting = found.iter().take_while(|(row, live)| {
        total = total.saturating_add(if *live { row.bytes } else { 0 });
        total <= bytes
    });
    let fitting = fitting.count().max(1);
    found.truncate(fitting);
    Ok(found)
}

/// Forgets that a segment lies in the journal: it is packed and read back, or nothing needs it.
///
/// # Errors
/// As for every writing.
pub fn delete_journalled(tx: &mut Tx<'_>, segment: SegmentId) -> Result<bool> {
    Ok(tx.run("DELETE FROM journalled WHERE segment = ?1", [segment.0])? > 0)
}

/// How much waits to be packed: segments, bytes. Reads the whole table: for reports.
///
/// # Errors
/// As for every reading.
pub fn journalled_total(tx: &Tx<'_>) -> Result<(u64, u64)> {
    let sql = "SELECT count(*), coalesce(sum(bytes), 0) FROM journalled";
    Ok(tx.one(sql, [], |row| Ok((int(row, 0)?, int(row, 1)?)))?.unwrap_or((0, 0)))
}

fn journalled_from(row: &Row<'_>) -> rusqlite::Result<Journalled> {
    Ok(Journalled {
        segment: SegmentId(row.get(0)?),
        object: ObjectId(row.get(1)?),
        epoch: int(row, 2)?,
        seq: int(row, 3)?,
        offset: int(row, 4)?,
        bytes: int(row, 5)?,
    })
}
