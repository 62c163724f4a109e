//! Ways into an account beside its password: passkeys (journalled; what they were last used for is local), and who its
//! owner is elsewhere.

use crate::{error::Result, tx::Tx};
use model::{
    id::{AccountId, PasskeyId},
    ways::{IdentityRow, PasskeyRow},
};
use rusqlite::Row;

pub(crate) const PASSKEY: &str = "id, account, label, host, credential, key, counter, made_us, ended_us";
/// How many of them there are.
pub(crate) const PASSKEY_COUNT: usize = 9;
pub(crate) const IDENTITY: &str = "account, issuer, subject, name, made_us, ended_us";
/// How many of them there are.
pub(crate) const IDENTITY_COUNT: usize = 6;

/// What is known here of a passkey's use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PasskeyUse {
    /// What its authenticator counted to.
    pub counter: u32,
    /// When it last signed in.
    pub used_us: i64,
}

/// An account's passkeys that have not ended, oldest first.
///
/// # Errors
/// As for every reading.
pub fn passkeys(tx: &Tx<'_>, account: AccountId) -> Result<Vec<PasskeyRow>> {
    let sql = format!("SELECT {PASSKEY} FROM passkey WHERE account = ?1 AND ended_us IS NULL ORDER BY made_us, id");
    tx.all(&sql, [account.0], passkey_from)
}

/// One passkey, ended or not.
///
/// # Errors
/// As for every reading.
pub fn passkey(tx: &Tx<'_>, id: PasskeyId) -> Result<Option<PasskeyRow>> {
    Ok(tx.all(&format!("SELECT {PASSKEY} FROM passkey WHERE id = ?1"), [id.0], passkey_from)?.pop())
}

/// The passkey that its authenticator calls `credential`, if it has not ended.
///
/// # Errors
/// As for every reading.
pub fn passkey_called(tx: &Tx<'_>, credential: &[u8]) -> Result<Option<PasskeyRow>> {
    let sql = format!("SELECT {PASSKEY} FROM passkey WHERE credential = ?1 AND ended_us IS NULL");
    Ok(tx.all(&sql, [credential], passkey_from)?.pop())
}

/// What is known here of a passkey's use; nothing after a rebuild.
///
/// # Errors
/// As for every reading.
pub fn passkey_use(tx: &Tx<'_>, id: PasskeyId) -> Result<Option<PasskeyUse>> {
    let sql = "SELECT counter, used_us FROM passkey_used WHERE passkey = ?1";
    tx.one(sql, [id.0], |row| Ok(PasskeyUse { counter: row.get(0)?, used_us: row.get(1)? }))
}

/// Notes that a passkey signed in.
///
/// # Errors
/// As for every writing.
pub fn use_passkey(tx: &mut Tx<'_>, id: PasskeyId, used: PasskeyUse) -> Result<()> {
    let sql = "INSERT OR REPLACE INTO passkey_used (passkey, counter, used_us) VALUES (?1, ?2, ?3)";
    tx.run(sql, (id.0, used.counter, used.used_us)).map(drop)
}

/// Who an account's owner is elsewhere, if they are somebody there.
///
/// # Errors
/// As for every reading.
pub fn identity(tx: &Tx<'_>, account: AccountId) -> Result<Option<IdentityRow>> {
    let sql = format!("SELECT {IDENTITY} FROM identity WHERE account = ?1 AND ended_us IS NULL");
    Ok(tx.all(&sql, [account.0], identity_from)?.pop())
}

/// Which account somebody's is, by who they are elsewhere.
///
/// # Errors
/// As for every reading.
pub fn identified(tx: &Tx<'_>, issuer: &str, subject: &str) -> Result<Option<IdentityRow>> {
    let sql = format!("SELECT {IDENTITY} FROM identity WHERE issuer = ?1 AND subject = ?2 AND ended_us IS NULL");
    Ok(tx.all(&sql, (issuer, subject), identity_from)?.pop())
}

pub(crate) fn passkey_from(row: &Row<'_>) -> Result<PasskeyRow> {
    Ok(PasskeyRow {
        id: PasskeyId(row.get(0)?),
        account: AccountId(row.get(1)?),
        label: row.get(2)?,
        host: row.get(3)?,
        credential: row.get(4)?,
        key: row.get(5)?,
        counter: row.get(6)?,
        made_us: row.get(7)?,
        ended_us: row.get(8)?,
    })
}

pub(crate) fn identity_from(row: &Row<'_>) -> Result<IdentityRow> {
    Ok(IdentityRow {
        account: AccountId(row.get(0)?),
        issuer: row.get(1)?,
        subject: row.get(2)?,
        name: row.get(3)?,
        made_us: row.get(4)?,
        ended_us: row.get(5)?,
    })
}
