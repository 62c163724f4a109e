//! Jobs in hand, with claims: one owner at a time, and a term that grows with each, so that a late owner is found out.

use crate::{
    error::Result,
    tx::{Int, Tx, int},
};
use rusqlite::Row;

/// One job: what is done, by whom, and how far it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JobRow {
    /// What kind of work, such as `repair`.
    pub kind: String,
    /// On what, such as a provider's id; may be empty.
    pub subject: Vec<u8>,
    /// Who does it.
    pub owner: Option<[u8; 16]>,
    /// How many owners it has had; an owner writes only under its own term.
    pub term: u64,
    /// Until when the owner is believed to be alive. A hint: what is correct rests on the term.
    pub until_us: i64,
    /// Done so far, in the kind's own unit.
    pub done: u64,
    /// Expected in all.
    pub total: u64,
    /// In words.
    pub note: String,
    /// When it began.
    pub started_us: i64,
    /// When it was last heard of.
    pub updated_us: i64,
}

const COLUMNS: &str = "kind, subject, owner, term, until_us, done, total, note, started_us, updated_us";

/// Takes a job for `owner` until `until_us`: the new term, or `None` if another owner has it. The owner itself renews
/// its claim under its old term.
///
/// # Errors
/// As for every writing.
pub fn claim(
    tx: &mut Tx<'_>,
    kind: &str,
    subject: &[u8],
    owner: [u8; 16],
    now_us: i64,
    until_us: i64,
) -> Result<Option<u64>> {
    tx.one(
        "INSERT INTO job (kind, subject, owner, term, until_us, done, total, note, started_us, updated_us)
         VALUES (?1, ?2, ?3, 1, ?5, 0, 0, '', ?4, ?4)
         ON CONFLICT (kind, subject) DO UPDATE SET
           term = CASE WHEN owner = excluded.owner THEN term ELSE term + 1 END,
           owner = excluded.owner, until_us = excluded.until_us, updated_us = excluded.updated_us
         WHERE owner IS NULL OR owner = excluded.owner OR until_us < ?4
         RETURNING term",
        (kind, subject, owner, now_us, until_us),
        |row| int(row, 0),
    )
}

/// How far a job is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Progress {
    /// Done so far.
    pub done: u64,
    /// Expected in all.
    pub total: u64,
    /// In words.
    pub note: String,
}

/// Notes how far a job is; false if the term is over and the writer has to stop.
///
/// # Errors
/// As for every writing.
pub fn progress(
    tx: &mut Tx<'_>,
    kind: &str,
    subject: &[u8],
    term: u64,
    progress: &Progress,
    now_us: i64,
) -> Result<bool> {
    let sql = "UPDATE job SET done = ?4, total = ?5, note = ?6, updated_us = ?7
               WHERE kind = ?1 AND subject = ?2 AND term = ?3";
    let values = (kind, subject, Int(term), Int(progress.done), Int(progress.total), &progress.note, now_us);
    Ok(tx.run(sql, values)? > 0)
}

/// Whether the term is still the job's: asked inside the transaction that a job's work is committed with.
///
/// # Errors
/// As for every reading.
pub fn is_current(tx: &Tx<'_>, kind: &str, subject: &[u8], term: u64) -> Result<bool> {
    let sql = "SELECT 1 FROM job WHERE kind = ?1 AND subject = ?2 AND term = ?3 AND owner IS NOT NULL";
    tx.any(sql, (kind, subject, Int(term)))
}

/// Lets go of a job and keeps its row and term; false if the term was over already.
///
/// # Errors
/// As for every writing.
pub fn release(tx: &mut Tx<'_>, kind: &str, subject: &[u8], term: u64) -> Result<bool> {
    let sql = "UPDATE job SET owner = NULL WHERE kind = ?1 AND subject = ?2 AND term = ?3";
    Ok(tx.run(sql, (kind, subject, Int(term)))? > 0)
}

/// Forgets a job whose work is done; false if the term was over already.
///
/// # Errors
/// As for every writing.
pub fn finish(tx: &mut Tx<'_>, kind: &str, subject: &[u8], term: u64) -> Result<bool> {
    let sql = "DELETE FROM job WHERE kind = ?1 AND subject = ?2 AND term = ?3";
    Ok(tx.run(sql, (kind, subject, Int(term)))? > 0)
}

/// All jobs.
///
/// # Errors
/// As for every reading.
pub fn all(tx: &Tx<'_>) -> Result<Vec<JobRow>> {
    tx.all(&format!("SELECT {COLUMNS} FROM job ORDER BY kind, subject"), [], |row| Ok(job_from(row)?))
}

fn job_from(row: &Row<'_>) -> rusqlite::Result<JobRow> {
    Ok(JobRow {
        kind: row.get(0)?,
        subject: row.get(1)?,
        owner: row.get(2)?,
        term: int(row, 3)?,
        until_us: row.get(4)?,
        done: int(row, 5)?,
        total: int(row, 6)?,
        note: row.get(7)?,
        started_us: row.get(8)?,
        updated_us: row.get(9)?,
    })
}
