//! Where mail reaches accounts, and the mails that wait to be sent.
//!
//! The queue is local: with the catalogue it is lost, and what it held can be asked for again. Its rows hold one-time addresses
//! in the clear, so none stays longer than it must.

use crate::{
    error::{Error, Result},
    tx::{Int, Tx, int, limit},
};
use model::{
    id::{AccountId, MessageId},
    outgoing::{Confirmed, Language, MailRow, WantedMail},
};
use rusqlite::Row;

pub(crate) const COLUMNS: &str = "account, address, since_us, wanted, code, expires_us, language";
/// How many of them there are.
pub(crate) const COLUMN_COUNT: usize = 7;
const QUEUED: &str = "id, account, about, address, subject, words, made_us, due_us, tries";

/// Where mail reaches an account; `None`: it never said.
///
/// # Errors
/// As for every reading.
pub fn of(tx: &Tx<'_>, account: AccountId) -> Result<Option<MailRow>> {
    Ok(tx.all(&format!("SELECT {COLUMNS} FROM mail WHERE account = ?1"), [account.0], mail_from)?.pop())
}

/// Whose confirmed address this is, in whatever case it is written.
///
/// # Errors
/// As for every reading.
pub fn by_address(tx: &Tx<'_>, address: &str) -> Result<Option<AccountId>> {
    // Of two that a rebuild may have brought together, the one who showed it last.
    let sql = "SELECT account FROM mail WHERE address = ?1 ORDER BY since_us DESC, account LIMIT 1";
    tx.one(sql, [address], |row| Ok(AccountId(row.get(0)?)))
}

/// Who was sent the code of this hash.
///
/// # Errors
/// As for every reading.
pub fn by_code(tx: &Tx<'_>, hash: &[u8; 32]) -> Result<Option<MailRow>> {
    Ok(tx.all(&format!("SELECT {COLUMNS} FROM mail WHERE code = ?1"), [hash], mail_from)?.pop())
}

/// Accounts that mail reaches.
///
/// # Errors
/// As for every reading.
pub fn reached(tx: &Tx<'_>) -> Result<Vec<AccountId>> {
    tx.all("SELECT account FROM mail WHERE address IS NOT NULL ORDER BY account", [], |row| Ok(AccountId(row.get(0)?)))
}

/// A mail that waits to be sent.
#[derive(Clone, PartialEq, Eq)]
pub struct Queued {
    /// Its id.
    pub id: MessageId,
    /// Whom it is for, if it is somebody here.
    pub account: Option<AccountId>,
    /// What it is about, for the log.
    pub about: String,
    /// Where it goes.
    pub address: String,
    /// Its subject.
    pub subject: String,
    /// Its text; may hold a one-time address.
    pub words: String,
    /// When it was written.
    pub made_us: i64,
    /// When it is tried next.
    pub due_us: i64,
    /// How often it was.
    pub tries: u32,
}

impl std::fmt::Debug for Queued {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { id, account, about, tries, .. } = self;
        f.debug_struct("Queued")
            .field("id", id)
            .field("account", account)
            .field("about", about)
            .field("tries", tries)
            .finish_non_exhaustive()
    }
}

/// Puts a mail into the queue.
///
/// # Errors
/// As for every writing.
pub fn queue(tx: &mut Tx<'_>, mail: &Queued) -> Result<()> {
    let sql = format!("INSERT INTO mail_queue ({QUEUED}) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)");
    let Queued { id, account, about, address, subject, words, made_us, due_us, tries } = mail;
    let account = account.map(|account| account.0);
    tx.run(&sql, (id.0, account, about, address, subject, words, made_us, due_us, tries)).map(drop)
}

/// How many mails wait, and how many of them for this account.
///
/// # Errors
/// As for every reading.
pub fn waiting(tx: &Tx<'_>, account: Option<AccountId>) -> Result<(u64, u64)> {
    let all = tx.one("SELECT count(*) FROM mail_queue", [], |row| int(row, 0))?.unwrap_or(0);
    let sql = "SELECT count(*) FROM mail_queue WHERE account = ?1";
    let own = account.map(|account| tx.one(sql, [account.0], |row| int(row, 0))).transpose()?.flatten();
    Ok((all, own.unwrap_or(0)))
}

/// Mails that are to be tried now, longest due first, at most `most`.
///
/// # Errors
/// As for every reading.
pub fn due(tx: &Tx<'_>, now_us: i64, most: usize) -> Result<Vec<Queued>> {
    let sql = format!("SELECT {QUEUED} FROM mail_queue WHERE due_us <= ?1 ORDER BY due_us, id LIMIT ?2");
    tx.all(&sql, (now_us, limit(most)), queued_from)
}

/// Takes a mail out of the queue: it was sent, or given up.
///
/// # Errors
/// As for every writing.
pub fn done(tx: &mut Tx<'_>, id: MessageId) -> Result<()> {
    tx.run("DELETE FROM mail_queue WHERE id = ?1", [id.0]).map(drop)
}

/// Notes that a mail was tried in vain.
///
/// # Errors
/// As for every writing.
pub fn postpone(tx: &mut Tx<'_>, id: MessageId, due_us: i64, tries: u32) -> Result<()> {
    tx.run("UPDATE mail_queue SET due_us = ?2, tries = ?3 WHERE id = ?1", (id.0, due_us, tries)).map(drop)
}

/// Of how much of its quota an account was told, in percent; 0 if of nothing.
///
/// # Errors
/// As for every reading.
pub fn quota_told(tx: &Tx<'_>, account: AccountId) -> Result<u64> {
    let sql = "SELECT percent FROM quota_told WHERE account = ?1";
    Ok(tx.one(sql, [account.0], |row| int(row, 0))?.unwrap_or(0))
}

/// Notes of how much an account was told.
///
/// # Errors
/// As for every writing.
pub fn set_quota_told(tx: &mut Tx<'_>, account: AccountId, percent: u64) -> Result<()> {
    tx.run("INSERT OR REPLACE INTO quota_told (account, percent) VALUES (?1, ?2)", (account.0, Int(percent))).map(drop)
}

fn queued_from(row: &Row<'_>) -> Result<Queued> {
    Ok(Queued {
        id: MessageId(row.get(0)?),
        account: row.get::<_, Option<[u8; 16]>>(1)?.map(AccountId),
        about: row.get(2)?,
        address: row.get(3)?,
        subject: row.get(4)?,
        words: row.get(5)?,
        made_us: row.get(6)?,
        due_us: row.get(7)?,
        tries: row.get(8)?,
    })
}

pub(crate) fn mail_from(row: &Row<'_>) -> Result<MailRow> {
    let confirmed = match (row.get(1)?, row.get(2)?) {
        (Some(address), Some(since_us)) => Some(Confirmed { address, since_us }),
        _ => None,
    };
    let wanted = match (row.get(3)?, row.get(4)?, row.get(5)?) {
        (Some(address), Some(hash), Some(expires_us)) => Some(WantedMail { address, hash, expires_us }),
        _ => None,
    };
    let language = match row.get(6)? {
        0 => Language::English,
        1 => Language::German,
        _ => return Err(Error::Value { what: "language" }),
    };
    Ok(MailRow { account: AccountId(row.get(0)?), confirmed, wanted, language })
}

pub(crate) const fn language_number(language: Language) -> u8 {
    match language {
        Language::English => 0,
        Language::German => 1,
    }
}
