//! Uploads that are not finished yet, and which version those have become that are.

use crate::{
    error::Result,
    tx::{Int, Tx, int, int_or_null, limit},
};
use model::{
    entry::WrappedKey,
    id::{AccountId, EntryId, UploadId, VersionId},
    units::ServiceTime,
};
use rusqlite::Row;

/// One upload, as far as it came.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UploadRow {
    /// Its id.
    pub id: UploadId,
    /// Whose.
    pub account: AccountId,
    /// Where the file is to be, from the account's root, as the sender wrote it.
    pub path: String,
    /// Plaintext bytes in all, once the sender has said so.
    pub length: Option<u64>,
    /// What the sender sent with it, as sent.
    pub metadata: String,
    /// Plaintext bytes that are safe.
    pub offset: u64,
    /// The store's own notes: running hashes and segments so far.
    pub state: Vec<u8>,
    /// The file key under the account's wrap key.
    pub key: WrappedKey,
    /// When it began.
    pub made_us: i64,
    /// The same on service time.
    pub made: ServiceTime,
    /// When it ends unless something comes, as people read it.
    pub expires_us: i64,
    /// The same on service time: this one counts.
    pub expires: ServiceTime,
    /// By which way it came, if not its account's own: words of the service's.
    pub way: String,
    /// Which request appends to it now: 16 bytes drawn by it.
    pub holder: Option<[u8; 16]>,
}

const COLUMNS: &str = "id, account, path, length, metadata, received, state, file_key, made_us, made_at, expires_us, \
                       expires_at, holder, way";

/// Begins an upload.
///
/// # Errors
/// As for every writing.
pub fn insert(tx: &mut Tx<'_>, row: &UploadRow) -> Result<()> {
    write(
        tx,
        &format!("INSERT INTO upload ({COLUMNS}) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14)"),
        row,
    )
    .map(drop)
}

/// Writes an upload's new state; false if there is none such. A length that was said once stays: who writes bytes may not
/// have heard of it.
///
/// # Errors
/// As for every writing.
pub fn update(tx: &mut Tx<'_>, row: &UploadRow) -> Result<bool> {
    let sql = "UPDATE upload SET path = ?3, length = coalesce(length, ?4), metadata = ?5, received = ?6, state = ?7, file_key = ?8,
                 made_us = ?9, made_at = ?10, expires_us = ?11, expires_at = ?12, holder = ?13, way = ?14
               WHERE id = ?1 AND account = ?2";
    Ok(write(tx, sql, row)? > 0)
}

fn write(tx: &mut Tx<'_>, sql: &str, row: &UploadRow) -> Result<usize> {
    tx.run(
        sql,
        (
            row.id.0,
            row.account.0,
            &row.path,
            row.length.map(Int),
            &row.metadata,
            Int(row.offset),
            &row.state,
            row.key,
            row.made_us,
            Int(row.made.0),
            row.expires_us,
            Int(row.expires.0),
            row.holder,
            &row.way,
        ),
    )
}

/// One upload.
///
/// # Errors
/// As for every reading.
pub fn get(tx: &Tx<'_>, account: AccountId, id: UploadId) -> Result<Option<UploadRow>> {
    let sql = format!("SELECT {COLUMNS} FROM upload WHERE account = ?1 AND id = ?2");
    tx.one(&sql, (account.0, id.0), upload_from)
}

/// How many uploads came by one way and are not finished yet.
///
/// # Errors
/// As for every reading.
pub fn open_by(tx: &Tx<'_>, account: AccountId, way: &str, now: ServiceTime) -> Result<u64> {
    let sql = "SELECT count(*) FROM upload WHERE account = ?1 AND way = ?2 AND expires_at >= ?3";
    Ok(tx.one(sql, (account.0, way, Int(now.0)), |row| int(row, 0))?.unwrap_or(0))
}

/// How many uploads of an account have not said how long they will be.
///
/// # Errors
/// As for every reading.
pub fn open_without_length(tx: &Tx<'_>, account: AccountId, now: ServiceTime) -> Result<u64> {
    let sql = "SELECT count(*) FROM upload WHERE account = ?1 AND length IS NULL AND expires_at >= ?2";
    Ok(tx.one(sql, (account.0, Int(now.0)), |row| int(row, 0))?.unwrap_or(0))
}

/// Plaintext bytes that are safe of an account's uploads that have not said how long they will be, expired or not: they lie at
/// the firms until somebody drops them.
///
/// # Errors
/// As for every reading.
pub fn received_without_length(tx: &Tx<'_>, account: AccountId) -> Result<u64> {
    let sql = "SELECT coalesce(sum(received), 0) FROM upload WHERE account = ?1 AND length IS NULL";
    Ok(tx.one(sql, [account.0], |row| int(row, 0))?.unwrap_or(0))
}

/// All uploads of an account, by id.
///
/// # Errors
/// As for every reading.
pub fn of_account(tx: &Tx<'_>, account: AccountId) -> Result<Vec<UploadRow>> {
    let sql = format!("SELECT {COLUMNS} FROM upload WHERE account = ?1 ORDER BY id");
    tx.all(&sql, [account.0], |row| Ok(upload_from(row)?))
}

/// What an account's open uploads will be together that said how long they will be: plaintext bytes. Of those that came by
/// another way than `way` or the account's own only what has arrived counts: strangers reserve nothing.
///
/// # Errors
/// As for every reading.
pub fn open_bytes(tx: &Tx<'_>, account: AccountId, way: &str, now: ServiceTime) -> Result<u64> {
    // As floating point, because a sum of what strangers claim may be more than 63 bits hold.
    let sql =
        "SELECT CAST(min(total(CASE WHEN way IN ('', ?3) THEN max(length, received) ELSE received END), 9e18) AS INTEGER)
               FROM upload WHERE account = ?1 AND expires_at >= ?2 AND length IS NOT NULL";
    Ok(tx.one(sql, (account.0, Int(now.0), way), |row| int(row, 0))?.unwrap_or(0))
}

/// Up to `rows` uploads that expired before `now`, oldest first.
///
/// # Errors
/// As for every reading.
pub fn expired(tx: &Tx<'_>, now: ServiceTime, rows: usize) -> Result<Vec<UploadRow>> {
    let sql = format!("SELECT {COLUMNS} FROM upload WHERE expires_at < ?1 ORDER BY expires_at, account, id LIMIT ?2");
    tx.all(&sql, (Int(now.0), limit(rows)), |row| Ok(upload_from(row)?))
}

/// Ends an upload; false if there is none such.
///
/// # Errors
/// As for every writing.
pub fn delete(tx: &mut Tx<'_>, account: AccountId, id: UploadId) -> Result<bool> {
    Ok(tx.run("DELETE FROM upload WHERE account = ?1 AND id = ?2", (account.0, id.0))? > 0)
}

fn upload_from(row: &Row<'_>) -> rusqlite::Result<UploadRow> {
    Ok(UploadRow {
        id: UploadId(row.get(0)?),
        account: AccountId(row.get(1)?),
        path: row.get(2)?,
        length: int_or_null(row, 3)?,
        metadata: row.get(4)?,
        offset: int(row, 5)?,
        state: row.get(6)?,
        key: row.get(7)?,
        made_us: row.get(8)?,
        made: ServiceTime(int(row, 9)?),
        expires_us: row.get(10)?,
        expires: ServiceTime(int(row, 11)?),
        holder: row.get(12)?,
        way: row.get(13)?,
    })
}

/// An upload that has become a version.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Done {
    /// By which way it came.
    pub way: String,
    /// Plaintext bytes.
    pub length: u64,
    /// The version.
    pub version: VersionId,
    /// The file's entry.
    pub entry: EntryId,
    /// Until when it is known, as people read it.
    pub expires_us: i64,
    /// The same on service time.
    pub expires: ServiceTime,
}

/// Notes which version an upload has become, for as long as it would have waited for more. Local.
///
/// # Errors
/// As for every writing.
pub fn done(tx: &mut Tx<'_>, row: &UploadRow, version: VersionId, entry: EntryId) -> Result<()> {
    let sql = "INSERT INTO upload_done (account, id, way, length, version, entry, expires_us, expires_at)
               VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8) ON CONFLICT (account, id) DO NOTHING";
    let length = Int(row.offset);
    let expires = Int(row.expires.0);
    tx.run(sql, (row.account.0, row.id.0, &row.way, length, version.0, entry.0, row.expires_us, expires)).map(drop)
}

/// What an upload has become.
///
/// # Errors
/// As for every reading.
pub fn get_done(tx: &Tx<'_>, account: AccountId, id: UploadId) -> Result<Option<Done>> {
    let sql =
        "SELECT way, length, version, entry, expires_us, expires_at FROM upload_done WHERE account = ?1 AND id = ?2";
    tx.one(sql, (account.0, id.0), |row| {
        Ok(Done {
            way: row.get(0)?,
            length: int(row, 1)?,
            version: VersionId(row.get(2)?),
            entry: EntryId(row.get(3)?),
            expires_us: row.get(4)?,
            expires: ServiceTime(int(row, 5)?),
        })
    })
}

/// Whether some of them are to be forgotten by now.
///
/// # Errors
/// As for every reading.
pub fn is_any_done_before(tx: &Tx<'_>, now: ServiceTime) -> Result<bool> {
    let sql = "SELECT 1 FROM upload_done WHERE expires_at < ?1 LIMIT 1";
    Ok(tx.one(sql, [Int(now.0)], |_| Ok(()))?.is_some())
}

/// Forgets those.
///
/// # Errors
/// As for every writing.
pub fn forget_done(tx: &mut Tx<'_>, now: ServiceTime) -> Result<()> {
    tx.run("DELETE FROM upload_done WHERE expires_at < ?1", [Int(now.0)]).map(drop)
}
