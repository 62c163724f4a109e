//! The counters of revisions, one for the cluster and one for each account, and how far snapshots cover them.

use crate::{
    apply::must_live,
    error::{Error, Result},
    tx::{Int, Tx, int},
};
use model::{Scope, id::AccountId};

/// The scope's last revision; 0 if nothing changed in it yet.
///
/// # Errors
/// As for every reading.
pub fn revision(tx: &Tx<'_>, scope: Scope) -> Result<u64> {
    let found = tx.one("SELECT revision FROM scope WHERE id = ?1", [key(&scope)], |row| int(row, 0))?;
    Ok(found.unwrap_or(0))
}

/// Takes the scope's next revision.
///
/// # Errors
/// As for every writing; Missing if the scope is that of an account that is gone: nothing is said in it any more.
pub fn bump_revision(tx: &mut Tx<'_>, scope: Scope) -> Result<u64> {
    must_live(tx, scope)?;
    let found = tx.one(
        "INSERT INTO scope (id, revision, covered) VALUES (?1, 1, 0)
         ON CONFLICT (id) DO UPDATE SET revision = revision + 1 RETURNING revision",
        [key(&scope)],
        |row| int(row, 0),
    )?;
    found.ok_or(Error::Value { what: "scope.revision" })
}

/// Raises the scope's counter to `revision`, if it is lower; for a rebuild.
///
/// # Errors
/// As for every writing.
pub fn raise_revision(tx: &mut Tx<'_>, scope: Scope, revision: u64) -> Result<()> {
    let sql = "INSERT INTO scope (id, revision, covered) VALUES (?1, ?2, 0)
               ON CONFLICT (id) DO UPDATE SET revision = max(revision, excluded.revision)";
    tx.run(sql, (key(&scope), Int(revision))).map(drop)
}

/// Up to which revision settled snapshots hold everything of the scope.
///
/// # Errors
/// As for every reading.
pub fn covered(tx: &Tx<'_>, scope: Scope) -> Result<u64> {
    Ok(tx.one("SELECT covered FROM scope WHERE id = ?1", [key(&scope)], |row| int(row, 0))?.unwrap_or(0))
}

/// Notes that settled snapshots cover the scope up to `revision`. Never lowered.
///
/// # Errors
/// As for every writing.
pub fn set_covered(tx: &mut Tx<'_>, scope: Scope, revision: u64) -> Result<()> {
    let sql = "INSERT INTO scope (id, revision, covered) VALUES (?1, ?2, ?2)
               ON CONFLICT (id) DO UPDATE SET covered = max(covered, excluded.covered)";
    tx.run(sql, (key(&scope), Int(revision))).map(drop)
}

/// A scope with its last revision and the revision that snapshots cover.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ScopeView {
    /// Whose.
    pub scope: Scope,
    /// The last revision.
    pub revision: u64,
    /// Covered by settled snapshots.
    pub covered: u64,
}

/// Scopes that have at least `behind` revisions which no snapshot covers; the cluster first, then by account.
///
/// # Errors
/// As for every reading.
pub fn uncovered(tx: &Tx<'_>, behind: u64) -> Result<Vec<ScopeView>> {
    let sql = "SELECT id, revision, covered FROM scope WHERE revision - covered >= ?1 ORDER BY id";
    tx.all(sql, [Int(behind)], |row| {
        Ok(ScopeView { scope: scope_from(&row.get::<_, Vec<u8>>(0)?)?, revision: int(row, 1)?, covered: int(row, 2)? })
    })
}

/// Every scope that has a revision.
///
/// # Errors
/// As for every reading.
pub fn all(tx: &Tx<'_>) -> Result<Vec<ScopeView>> {
    uncovered(tx, 0)
}

/// A scope as a key.
pub(crate) fn key(scope: &Scope) -> &[u8] {
    match scope {
        Scope::Cluster => &[],
        Scope::Account(account) => &account.0,
    }
}

/// The scope of a key.
pub(crate) fn scope_from(key: &[u8]) -> Result<Scope> {
    if key.is_empty() {
        return Ok(Scope::Cluster);
    }
    let account = key.try_into().map_err(|_| Error::Value { what: "a scope" })?;
    Ok(Scope::Account(AccountId(account)))
}
