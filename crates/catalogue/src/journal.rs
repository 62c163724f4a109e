//! Journal objects: their places in the chain, what they hold, and when nothing needs them any more.

use crate::{
    error::Result,
    scopes::{key, scope_from},
    tx::{Int, Tx, int, limit},
};
use model::{Scope, id::ObjectId};
use rusqlite::Row;

/// A journal object's place in the chain.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct JournalRow {
    /// The object; its copies are known to [`crate::objects`].
    pub id: ObjectId,
    /// The life of the catalogue that wrote it.
    pub epoch: u64,
    /// Its number in the epoch.
    pub seq: u64,
    /// Which start of the service and which attempt wrote it.
    pub stamp: u64,
    /// The object before it.
    pub prev: ObjectId,
}

/// Notes a journal object and the highest revision that it holds of each scope.
///
/// # Errors
/// As for every writing.
pub fn insert(tx: &mut Tx<'_>, row: &JournalRow, scopes: &[(Scope, u64)]) -> Result<()> {
    tx.run(
        "INSERT INTO journal_object (epoch, seq, id, stamp, prev) VALUES (?1, ?2, ?3, ?4, ?5)",
        (Int(row.epoch), Int(row.seq), row.id.0, Int(row.stamp), row.prev.0),
    )?;
    for (scope, revision) in scopes {
        tx.run(
            "INSERT INTO journal_scope (object, scope, revision) VALUES (?1, ?2, ?3)
             ON CONFLICT (object, scope) DO UPDATE SET revision = max(revision, excluded.revision)",
            (row.id.0, key(scope), Int(*revision)),
        )?;
    }
    Ok(())
}

/// The highest revision that a journal object holds of each scope.
///
/// # Errors
/// As for every reading.
pub fn scopes(tx: &Tx<'_>, object: ObjectId) -> Result<Vec<(Scope, u64)>> {
    let sql = "SELECT scope, revision FROM journal_scope WHERE object = ?1 ORDER BY scope";
    tx.all(sql, [object.0], |row| Ok((scope_from(&row.get::<_, Vec<u8>>(0)?)?, int(row, 1)?)))
}

/// Up to `objects` journal objects after (`epoch`, `seq`), in order.
///
/// # Errors
/// As for every reading.
pub fn after(tx: &Tx<'_>, epoch: u64, seq: u64, objects: usize) -> Result<Vec<JournalRow>> {
    let sql = "SELECT id, epoch, seq, stamp, prev FROM journal_object
               WHERE (epoch, seq) > (?1, ?2) ORDER BY epoch, seq, id LIMIT ?3";
    tx.all(sql, (Int(epoch), Int(seq), limit(objects)), |row| Ok(journal_from(row)?))
}

/// Up to `objects` journal objects that nothing seems to need any more, in order: no segment of theirs waits to be packed, and
/// settled snapshots cover every revision that they hold.
///
/// # Errors
/// As for every reading.
pub fn releasable(tx: &Tx<'_>, objects: usize) -> Result<Vec<JournalRow>> {
    let sql = "SELECT o.id, o.epoch, o.seq, o.stamp, o.prev FROM journal_object o
               WHERE NOT EXISTS (SELECT 1 FROM journalled j WHERE j.epoch = o.epoch AND j.seq = o.seq AND j.object = o.id)
                 AND NOT EXISTS (
                   SELECT 1 FROM journal_scope s LEFT JOIN scope c ON c.id = s.scope
                   WHERE s.object = o.id AND s.revision > coalesce(c.covered, 0))
               ORDER BY o.epoch, o.seq, o.id LIMIT ?1";
    tx.all(sql, [limit(objects)], |row| Ok(journal_from(row)?))
}

/// What a journal object's release depends on: for each scope the highest revision that it holds and the one up to which
/// snapshots cover the scope, and how many of its segments wait to be packed.
///
/// # Errors
/// As for every reading.
pub fn standing(tx: &Tx<'_>, row: &JournalRow) -> Result<(Vec<(u64, u64)>, u64)> {
    let sql = "SELECT s.revision, coalesce(c.covered, 0) FROM journal_scope s LEFT JOIN scope c ON c.id = s.scope
               WHERE s.object = ?1 ORDER BY s.scope";
    let scopes = tx.all(sql, [row.id.0], |row| Ok((int(row, 0)?, int(row, 1)?)))?;
    let sql = "SELECT count(*) FROM journalled WHERE epoch = ?1 AND seq = ?2 AND object = ?3";
    let waiting = tx.one(sql, (Int(row.epoch), Int(row.seq), row.id.0), |row| int(row, 0))?.unwrap_or(0);
    Ok((scopes, waiting))
}

/// Forgets a journal object's place in the chain. Its copies stay known until they are deleted: see
/// [`crate::objects::release`].
///
/// # Errors
/// As for every writing.
pub fn delete(tx: &mut Tx<'_>, row: &JournalRow) -> Result<()> {
    tx.run("DELETE FROM journal_scope WHERE object = ?1", [row.id.0])?;
    let sql = "DELETE FROM journal_object WHERE epoch = ?1 AND seq = ?2 AND id = ?3";
    tx.run(sql, (Int(row.epoch), Int(row.seq), row.id.0)).map(drop)
}

fn journal_from(row: &Row<'_>) -> rusqlite::Result<JournalRow> {
    Ok(JournalRow {
        id: ObjectId(row.get(0)?),
        epoch: int(row, 1)?,
        seq: int(row, 2)?,
        stamp: int(row, 3)?,
        prev: ObjectId(row.get(4)?),
    })
}
