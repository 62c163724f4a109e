//! Accounts, their kits and envelopes.

use crate::{
    error::Result,
    tx::{Int, Tx, int},
};
use model::{
    account::{AccountRow, KitRow},
    id::{AccountId, KitId},
    units::ServiceTime,
};
use rusqlite::Row;

const ACCOUNT: &str = "SELECT id, name, managed, made_us FROM account";

/// The account called `name`. After a rebuild from incomplete records two may be; then the newer one.
///
/// # Errors
/// As for every reading.
pub fn by_name(tx: &Tx<'_>, name: &str) -> Result<Option<AccountRow>> {
    tx.one(&format!("{ACCOUNT} WHERE name = ?1 ORDER BY revision DESC LIMIT 1"), [name], account_from)
}

/// One account.
///
/// # Errors
/// As for every reading.
pub fn by_id(tx: &Tx<'_>, id: AccountId) -> Result<Option<AccountRow>> {
    tx.one(&format!("{ACCOUNT} WHERE id = ?1"), [id.0], account_from)
}

/// All accounts, by name.
///
/// # Errors
/// As for every reading.
pub fn all(tx: &Tx<'_>) -> Result<Vec<AccountRow>> {
    tx.all(&format!("{ACCOUNT} ORDER BY name, id"), [], |row| Ok(account_from(row)?))
}

pub(crate) fn account_from(row: &Row<'_>) -> rusqlite::Result<AccountRow> {
    Ok(AccountRow { id: AccountId(row.get(0)?), name: row.get(1)?, managed: row.get(2)?, made_us: row.get(3)? })
}

/// All kits of an account, oldest first, revoked ones too.
///
/// # Errors
/// As for every reading.
pub fn kits(tx: &Tx<'_>, account: AccountId) -> Result<Vec<KitRow>> {
    let sql = "SELECT id, recipient, made_us, revoked_us, tested_us FROM kit WHERE account = ?1 ORDER BY made_us, id";
    tx.all(sql, [account.0], |row| Ok(kit_from(row)?))
}

pub(crate) fn kit_from(row: &Row<'_>) -> rusqlite::Result<KitRow> {
    Ok(KitRow {
        id: KitId(row.get(0)?),
        recipient: row.get(1)?,
        made_us: row.get(2)?,
        revoked_us: row.get(3)?,
        tested_us: row.get(4)?,
    })
}

/// How many kits that are not revoked were never tested.
///
/// # Errors
/// As for every reading.
pub fn kits_untested(tx: &Tx<'_>) -> Result<u64> {
    let sql = "SELECT count(*) FROM kit WHERE revoked_us IS NULL AND tested_us IS NULL";
    Ok(tx.one(sql, [], |row| int(row, 0))?.unwrap_or(0))
}

/// When it was decided that an account is gone for good, if it is.
///
/// # Errors
/// As for every reading.
pub fn gone(tx: &Tx<'_>, account: AccountId) -> Result<Option<ServiceTime>> {
    tx.one("SELECT gone_at FROM account_gone WHERE id = ?1", [account.0], |row| Ok(ServiceTime(int(row, 0)?)))
}

/// Accounts that are gone for good, and since when, by id.
///
/// # Errors
/// As for every reading.
pub fn all_gone(tx: &Tx<'_>) -> Result<Vec<(AccountId, ServiceTime)>> {
    let sql = "SELECT id, gone_at FROM account_gone ORDER BY id";
    tx.all(sql, [], |row| Ok((AccountId(row.get(0)?), ServiceTime(int(row, 1)?))))
}

/// Forgets the envelope of an account. What it was is overwritten where it lay.
///
/// # Errors
/// As for every writing.
pub fn forget_envelope(tx: &mut Tx<'_>, account: AccountId) -> Result<()> {
    tx.run("DELETE FROM account_secret WHERE account = ?1", [account.0]).map(drop)
}

/// An account's envelope as last sealed: this service's own copy of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Envelope {
    /// The age file.
    pub bytes: Vec<u8>,
    /// How many times the account's recipients have changed.
    pub generation: u64,
}

/// The envelope of an account.
///
/// # Errors
/// As for every reading.
pub fn envelope(tx: &Tx<'_>, account: AccountId) -> Result<Option<Envelope>> {
    let sql = "SELECT envelope, generation FROM account_secret WHERE account = ?1";
    tx.one(sql, [account.0], |row| Ok(Envelope { bytes: row.get(0)?, generation: int(row, 1)? }))
}

/// Keeps the envelope of an account.
///
/// # Errors
/// As for every writing.
pub fn set_envelope(tx: &mut Tx<'_>, account: AccountId, envelope: &Envelope) -> Result<()> {
    let sql = "INSERT INTO account_secret (account, envelope, generation) VALUES (?1, ?2, ?3)
               ON CONFLICT (account) DO UPDATE SET envelope = excluded.envelope, generation = excluded.generation";
    tx.run(sql, (account.0, &envelope.bytes, Int(envelope.generation))).map(drop)
}
