//! Objects that are to be deleted at targets: decided, not yet due, or due and waiting for the budget.

use crate::{
    error::Result,
    tx::{Int, Tx, int, limit},
};
use model::{id::TargetId, units::ServiceTime};

/// One decision to delete.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Doomed {
    /// Where.
    pub target: TargetId,
    /// The object's name there.
    pub name: String,
    /// Why, in words for the audit.
    pub reason: String,
    /// When it was decided.
    pub decided: ServiceTime,
    /// The end of its grace.
    pub not_before: ServiceTime,
}

/// Records a decision. One that stands already keeps its time.
///
/// # Errors
/// As for every writing.
pub fn insert(tx: &mut Tx<'_>, doomed: &Doomed) -> Result<()> {
    tx.run(
        "INSERT INTO doomed (target, name, reason, decided_at, not_before) VALUES (?1, ?2, ?3, ?4, ?5)
         ON CONFLICT (target, name) DO NOTHING",
        (doomed.target.0, &doomed.name, &doomed.reason, Int(doomed.decided.0), Int(doomed.not_before.0)),
    )
    .map(drop)
}

/// Up to `rows` decisions whose grace has ended at `now`, after `after`, the longest due first.
///
/// # Errors
/// As for every reading.
pub fn due(tx: &Tx<'_>, now: ServiceTime, after: Option<&Doomed>, rows: usize) -> Result<Vec<Doomed>> {
    let sql = "SELECT target, name, reason, decided_at, not_before FROM doomed
               WHERE not_before <= ?1 AND (not_before, target, name) > (?2, ?3, ?4)
               ORDER BY not_before, target, name LIMIT ?5";
    let (at, target, name) =
        after.map_or((Int(0), [0; 16], ""), |one| (Int(one.not_before.0), one.target.0, &one.name));
    tx.all(sql, (Int(now.0), at, target, name, limit(rows)), doomed_from)
}

/// Up to `rows` decisions against objects of one target whose grace has ended at `now`, by name; shards, whose names begin with
/// `shards/`, only if asked for.
///
/// # Errors
/// As for every reading.
pub fn due_at(tx: &Tx<'_>, target: TargetId, now: ServiceTime, shards: bool, rows: usize) -> Result<Vec<Doomed>> {
    let sql = "SELECT target, name, reason, decided_at, not_before FROM doomed
               WHERE target = ?1 AND not_before <= ?2 AND (?3 OR name NOT LIKE 'shards/%') ORDER BY name LIMIT ?4";
    tx.all(sql, (target.0, Int(now.0), shards, limit(rows)), doomed_from)
}

/// Forgets every decision against objects of a target that is retired.
///
/// # Errors
/// As for every writing.
pub fn forget(tx: &mut Tx<'_>, target: TargetId) -> Result<()> {
    tx.run("DELETE FROM doomed WHERE target = ?1", [target.0]).map(drop)
}

/// How many decisions stand against objects of one target.
///
/// # Errors
/// As for every reading.
pub fn count_at(tx: &Tx<'_>, target: TargetId) -> Result<u64> {
    Ok(tx.one("SELECT count(*) FROM doomed WHERE target = ?1", [target.0], |row| int(row, 0))?.unwrap_or(0))
}

fn doomed_from(row: &rusqlite::Row<'_>) -> Result<Doomed> {
    Ok(Doomed {
        target: TargetId(row.get(0)?),
        name: row.get(1)?,
        reason: row.get(2)?,
        decided: ServiceTime(int(row, 3)?),
        not_before: ServiceTime(int(row, 4)?),
    })
}

/// Whether a decision stands against an object.
///
/// # Errors
/// As for every reading.
pub fn is_doomed(tx: &Tx<'_>, target: TargetId, name: &str) -> Result<bool> {
    tx.any("SELECT 1 FROM doomed WHERE target = ?1 AND name = ?2", (target.0, name))
}

/// Forgets a decision: carried out, or taken back.
///
/// # Errors
/// As for every writing.
pub fn delete(tx: &mut Tx<'_>, target: TargetId, name: &str) -> Result<bool> {
    Ok(tx.run("DELETE FROM doomed WHERE target = ?1 AND name = ?2", (target.0, name))? > 0)
}

/// How many decisions stand. Reads an index: for reports.
///
/// # Errors
/// As for every reading.
pub fn count(tx: &Tx<'_>) -> Result<u64> {
    Ok(tx.one("SELECT count(*) FROM doomed", [], |row| int(row, 0))?.unwrap_or(0))
}
