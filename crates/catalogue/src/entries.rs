//! Folders and files. Names are compared and ordered byte by byte.

use crate::{
    error::{Error, Result},
    tx::{Int, Tx, int, int_or_null, limit},
    versions::segment_ids,
};
use model::{
    entry::{EntryRow, Kind, ROOT, Trashed},
    id::{AccountId, EntryId, SegmentId, VersionId},
    units::ServiceTime,
};
use rusqlite::{Row, types::Value};

/// The columns that [`entry_from`] reads.
pub(crate) const COLUMNS: &str = "e.id, e.parent, e.name, e.kind, e.modified_us, e.trashed_at, e.trashed_us, e.current";
/// How many of them there are.
pub(crate) const COLUMN_COUNT: usize = 8;

/// Deeper than any tree may be: a longer chain of folders is a cycle.
const DEPTH_MAX: usize = 100_000;

/// What bears `name` in the folder `parent`; never something in the trash.
///
/// # Errors
/// As for every reading.
pub fn child(tx: &Tx<'_>, account: AccountId, parent: EntryId, name: &str) -> Result<Option<EntryRow>> {
    let sql = format!("SELECT {COLUMNS} FROM entry e WHERE account = ?1 AND slot = ?2 AND name = ?3");
    Ok(tx.all(&sql, (account.0, parent.0, name), |row| entry_from(row, 0))?.pop())
}

/// One entry, in the trash or not. [`ROOT`] has no row.
///
/// # Errors
/// As for every reading.
pub fn get(tx: &Tx<'_>, account: AccountId, id: EntryId) -> Result<Option<EntryRow>> {
    let sql = format!("SELECT {COLUMNS} FROM entry e WHERE account = ?1 AND id = ?2");
    Ok(tx.all(&sql, (account.0, id.0), |row| entry_from(row, 0))?.pop())
}

/// The revision that an entry's row is of.
///
/// # Errors
/// As for every reading.
pub fn revision(tx: &Tx<'_>, account: AccountId, id: EntryId) -> Result<Option<u64>> {
    tx.one("SELECT revision FROM entry WHERE account = ?1 AND id = ?2", (account.0, id.0), |row| int(row, 0))
}

/// Whether an entry is gone for good.
///
/// # Errors
/// As for every reading.
pub fn is_gone(tx: &Tx<'_>, account: AccountId, id: EntryId) -> Result<bool> {
    tx.any("SELECT 1 FROM entry_gone WHERE account = ?1 AND id = ?2", (account.0, id.0))
}

/// An entry with what a listing shows of its current version.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listed {
    /// The folder or file.
    pub entry: EntryRow,
    /// For a file: the version that readers get.
    pub version: Option<ListedVersion>,
}

/// What a listing shows of a version.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListedVersion {
    /// Its id.
    pub id: VersionId,
    /// Plaintext bytes.
    pub size: u64,
    /// Modification time.
    pub modified_us: i64,
    /// Media type.
    pub media_type: String,
    /// CRC-32 of its bytes.
    pub crc32: u32,
    /// BLAKE3 of its bytes.
    pub blake3: [u8; 32],
    /// When it came to be, microseconds since 1970.
    pub made_us: i64,
    /// Its bytes are in the catalogue and in snapshots, in no pack.
    pub inline: bool,
    /// Its segments in order: their locations say how safe it is.
    pub segments: Vec<SegmentId>,
}

/// What a folder is ordered by. Names differ; of equal times or sizes the ids decide.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Order {
    /// The bytes of names.
    #[default]
    Name,
    /// Modification times.
    Modified,
    /// Sizes; a folder's is 0.
    Size,
}

/// An order and its direction.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Sorting {
    /// What by.
    pub by: Order,
    /// Whether the largest comes first.
    pub descending: bool,
}

/// Where a page of a folder ended; which of these decides depends on the order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cursor {
    /// The last entry's name.
    pub name: String,
    /// Its modification time or its size.
    pub value: i64,
    /// Its id.
    pub id: EntryId,
}

impl Cursor {
    /// The place of `listed` in an order.
    pub fn of(listed: &Listed, by: Order) -> Self {
        let value = match by {
            Order::Name => 0,
            Order::Modified => listed.entry.modified_us,
            Order::Size => listed.version.as_ref().map_or(0, |version| i64::try_from(version.size).unwrap_or(i64::MAX)),
        };
        Self { name: listed.entry.name.clone(), value, id: listed.entry.id }
    }
}

/// What [`listed_from`] reads, and from where.
const LISTED: &str =
    "v.id, v.size, v.modified_us, v.media_type, v.sealed IS NOT NULL, v.segments, v.crc32, v.blake3, v.made_us
         FROM entry e LEFT JOIN version v ON v.account = e.account AND v.id = e.current";

/// Up to `rows` entries of a folder after the name `after` (`""`: from the start), by name.
///
/// # Errors
/// As for every reading.
pub fn list(tx: &Tx<'_>, account: AccountId, parent: EntryId, after: &str, rows: usize) -> Result<Vec<Listed>> {
    let after = Cursor { name: after.to_owned(), value: 0, id: ROOT };
    sorted(tx, account, parent, Sorting::default(), Some(&after), rows)
}

/// Up to `rows` entries of a folder after `after`. Each order has its index: a page costs its rows, not the folder's.
///
/// # Errors
/// As for every reading.
pub fn sorted(
    tx: &Tx<'_>,
    account: AccountId,
    parent: EntryId,
    sorting: Sorting,
    after: Option<&Cursor>,
    rows: usize,
) -> Result<Vec<Listed>> {
    let (than, to) = if sorting.descending { ("<", "DESC") } else { (">", "ASC") };
    let sql = |beyond: String, order: String| {
        format!(
            "SELECT {COLUMNS}, {LISTED} WHERE e.account = ?1 AND e.slot = ?2 AND {beyond} ORDER BY {order} LIMIT ?3"
        )
    };
    let by = match sorting.by {
        Order::Name => {
            // SQLite orders every text before every blob.
            let past_all = if sorting.descending { Value::Blob(Vec::new()) } else { Value::Text(String::new()) };
            let from = after.map_or(past_all, |at| Value::Text(at.name.clone()));
            let sql = sql(format!("e.name {than} ?4"), format!("e.name {to}"));
            return tx.all(&sql, (account.0, parent.0, limit(rows), from), listed_from);
        }
        Order::Modified => "e.modified_us",
        Order::Size => "e.size",
    };
    let start = if sorting.descending { (i64::MAX, [u8::MAX; 16]) } else { (i64::MIN, [0; 16]) };
    let (value, id) = after.map_or(start, |at| (at.value, at.id.0));
    let sql = sql(format!("({by}, e.id) {than} (?4, ?5)"), format!("{by} {to}, e.id {to}"));
    tx.all(&sql, (account.0, parent.0, limit(rows), value, id), listed_from)
}

/// One entry as a listing shows it, if it has a place in a folder.
///
/// # Errors
/// As for every reading.
pub fn listed(tx: &Tx<'_>, account: AccountId, id: EntryId) -> Result<Option<Listed>> {
    let sql = format!("SELECT {COLUMNS}, {LISTED} WHERE e.account = ?1 AND e.id = ?2 AND e.slot IS NOT NULL");
    Ok(tx.all(&sql, (account.0, id.0), listed_from)?.pop())
}

fn listed_from(row: &Row<'_>) -> Result<Listed> {
    let version = match row.get::<_, Option<[u8; 16]>>(COLUMN_COUNT)? {
        Some(id) => Some(listed_version(row, VersionId(id))?),
        None => None,
    };
    Ok(Listed { entry: entry_from(row, 0)?, version })
}

fn listed_version(row: &Row<'_>, id: VersionId) -> Result<ListedVersion> {
    Ok(ListedVersion {
        id,
        size: int(row, COLUMN_COUNT + 1)?,
        modified_us: row.get(COLUMN_COUNT + 2)?,
        media_type: row.get(COLUMN_COUNT + 3)?,
        crc32: row.get(COLUMN_COUNT + 6)?,
        blake3: row.get(COLUMN_COUNT + 7)?,
        made_us: row.get(COLUMN_COUNT + 8)?,
        inline: row.get(COLUMN_COUNT + 4)?,
        segments: segment_ids(row.get_ref(COLUMN_COUNT + 5)?.as_blob().map_err(rusqlite::Error::from)?)?,
    })
}

/// What a path leads to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// The entries on the way, outermost first, as far as they exist.
    pub entries: Vec<EntryRow>,
    /// How many names of the path have no entry: 0 if all of it is there.
    pub missing: usize,
}

impl Found {
    /// What the whole path leads to; `None` if some of it is missing, or if the path is empty (the root).
    pub fn entry(&self) -> Option<&EntryRow> {
        if self.missing == 0 { self.entries.last() } else { None }
    }

    /// The folder that the found part ends in: of the last entry, or the root.
    pub fn last_id(&self) -> EntryId {
        self.entries.last().map_or(ROOT, |entry| entry.id)
    }
}

/// Follows `path` from the root, as far as there are entries. What lies below a file is missing.
///
/// # Errors
/// As for every reading.
pub fn resolve(tx: &Tx<'_>, account: AccountId, path: &[&str]) -> Result<Found> {
    let mut entries: Vec<EntryRow> = Vec::with_capacity(path.len());
    let mut folder = ROOT;
    for name in path {
        if entries.last().is_some_and(|entry| entry.kind == Kind::File) {
            break;
        }
        let Some(entry) = child(tx, account, folder, name)? else { break };
        folder = entry.id;
        entries.push(entry);
    }
    let missing = path.len() - entries.len();
    Ok(Found { entries, missing })
}

/// The entry and the folders that it is in, innermost first, without the root. The last one's parent is the root, or a
/// folder that has no row (any more).
///
/// # Errors
/// Damaged if the folders form a ring.
pub fn ancestors(tx: &Tx<'_>, account: AccountId, id: EntryId) -> Result<Vec<EntryRow>> {
    let mut found = Vec::new();
    let mut next = id;
    while let Some(entry) = get(tx, account, next)? {
        next = entry.parent;
        found.push(entry);
        if found.len() > DEPTH_MAX {
            return Err(Error::Value { what: "entry.parent: folders form a ring" });
        }
    }
    Ok(found)
}

/// Like [`list`], without versions: for walking a whole tree. What went to the trash by itself is not among them.
///
/// # Errors
/// As for every reading.
pub fn children(tx: &Tx<'_>, account: AccountId, parent: EntryId, after: &str, rows: usize) -> Result<Vec<EntryRow>> {
    let sql =
        format!("SELECT {COLUMNS} FROM entry e WHERE account = ?1 AND slot = ?2 AND name > ?3 ORDER BY name LIMIT ?4");
    tx.all(&sql, (account.0, parent.0, after, limit(rows)), |row| entry_from(row, 0))
}

/// Where a page of the trash ended: give it back to get the next one.
pub type TrashCursor = (ServiceTime, EntryId);

/// Up to `rows` entries in the trash, longest there first, after `after`.
///
/// # Errors
/// As for every reading.
pub fn trash(tx: &Tx<'_>, account: AccountId, after: Option<TrashCursor>, rows: usize) -> Result<Vec<EntryRow>> {
    trashed_until(tx, account, ServiceTime(i64::MAX as u64), after, rows)
}

/// Up to `rows` entries that went to the trash at `until` or before, longest there first, after `after`.
///
/// # Errors
/// As for every reading.
pub fn trashed_until(
    tx: &Tx<'_>,
    account: AccountId,
    until: ServiceTime,
    after: Option<TrashCursor>,
    rows: usize,
) -> Result<Vec<EntryRow>> {
    let sql = format!(
        "SELECT {COLUMNS} FROM entry e
         WHERE account = ?1 AND slot IS NULL AND trashed_at IS NOT NULL AND trashed_at <= ?2
           AND (trashed_at, id) > (?3, ?4)
         ORDER BY trashed_at, id LIMIT ?5"
    );
    let (at, id) = after.map_or((-1, [0; 16]), |(at, id)| (i64::try_from(at.0).unwrap_or(i64::MAX), id.0));
    tx.all(&sql, (account.0, Int(until.0), at, id, limit(rows)), |row| entry_from(row, 0))
}

/// Entries that are not in the trash and yet have no place in their folder, because a newer one has their name: only
/// after a rebuild from incomplete records. They wait to be given another name.
///
/// # Errors
/// As for every reading.
pub fn displaced(tx: &Tx<'_>, account: AccountId) -> Result<Vec<EntryRow>> {
    let sql =
        format!("SELECT {COLUMNS} FROM entry e WHERE account = ?1 AND slot IS NULL AND trashed_at IS NULL ORDER BY id");
    tx.all(&sql, [account.0], |row| entry_from(row, 0))
}

pub(crate) fn entry_from(row: &Row<'_>, first: usize) -> Result<EntryRow> {
    let trashed = match (int_or_null(row, first + 5)?, row.get(first + 6)?) {
        (Some(at), Some(wall_us)) => Some(Trashed { at: ServiceTime(at), wall_us }),
        (None, None) => None,
        _ => return Err(Error::Value { what: "entry.trashed_at" }),
    };
    Ok(EntryRow {
        id: EntryId(row.get(first)?),
        parent: EntryId(row.get(first + 1)?),
        name: row.get(first + 2)?,
        kind: match row.get(first + 3)? {
            0_i64 => Kind::Folder,
            1 => Kind::File,
            _ => return Err(Error::Value { what: "entry.kind" }),
        },
        modified_us: row.get(first + 4)?,
        trashed,
        current: row.get::<_, Option<[u8; 16]>>(first + 7)?.map(VersionId),
    })
}

pub(crate) fn kind_number(kind: Kind) -> i64 {
    match kind {
        Kind::Folder => 0,
        Kind::File => 1,
    }
}
