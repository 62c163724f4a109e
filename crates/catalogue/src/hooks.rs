//! Webhooks, the events that wait for them, and how it goes with each.
//!
//! Events are local: they are written in the transaction of what they tell of, and lost with the catalogue alone.

use crate::{
    error::{Error, Result},
    tx::{Int, Tx, int, int_or_null},
};
use model::{
    id::{AccountId, EntryId, MessageId, ShareId, VersionId, WebhookId},
    outgoing::{EventKind, SwitchedOff, WebhookRow},
};
use rusqlite::Row;

pub(crate) const COLUMNS: &str = "id, address, secret, events, label, made_us, ended_us, off_us, why";
/// How many of them there are.
pub(crate) const COLUMN_COUNT: usize = 9;
const EVENT: &str = "id, account, hook, kind, at_us, path, size, entry, version, share, due_us, tries";
const STANDING: &str = "last_us, last_kind, status, trouble, not_before_us, failing_us, failures";

/// An account's webhooks that have not ended, oldest first.
///
/// # Errors
/// As for every reading.
pub fn all(tx: &Tx<'_>, account: AccountId) -> Result<Vec<WebhookRow>> {
    let sql = format!("SELECT {COLUMNS} FROM webhook WHERE account = ?1 AND ended_us IS NULL ORDER BY made_us, id");
    tx.all(&sql, [account.0], webhook_from)
}

/// One webhook of an account, ended or not.
///
/// # Errors
/// As for every reading.
pub fn get(tx: &Tx<'_>, account: AccountId, id: WebhookId) -> Result<Option<WebhookRow>> {
    let sql = format!("SELECT {COLUMNS} FROM webhook WHERE account = ?1 AND id = ?2");
    Ok(tx.all(&sql, (account.0, id.0), webhook_from)?.pop())
}

/// Something that happened, on its way to a webhook.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// Its id; the same for each try.
    pub id: MessageId,
    /// In whose account.
    pub account: AccountId,
    /// Who is told.
    pub hook: WebhookId,
    /// What.
    pub kind: EventKind,
    /// When.
    pub at_us: i64,
    /// Where it was then, if it has a place.
    pub path: Option<String>,
    /// Plaintext bytes.
    pub size: Option<u64>,
    /// The file or folder.
    pub entry: Option<EntryId>,
    /// The version.
    pub version: Option<VersionId>,
    /// The link.
    pub share: Option<ShareId>,
    /// When it is tried next.
    pub due_us: i64,
    /// How often it was.
    pub tries: u32,
}

/// Keeps an event until it was told.
///
/// # Errors
/// As for every writing.
pub fn put(tx: &mut Tx<'_>, event: &Event) -> Result<()> {
    let sql = format!("INSERT INTO event ({EVENT}) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)");
    let values = (
        event.id.0,
        event.account.0,
        event.hook.0,
        event_number(event.kind),
        event.at_us,
        &event.path,
        event.size.map(Int),
        event.entry.map(|id| id.0),
        event.version.map(|id| id.0),
        event.share.map(|id| id.0),
        event.due_us,
        event.tries,
    );
    tx.run(&sql, values).map(drop)
}

/// How many events wait for a webhook.
///
/// # Errors
/// As for every reading.
pub fn waiting(tx: &Tx<'_>, account: AccountId, hook: WebhookId) -> Result<u64> {
    let sql = "SELECT count(*) FROM event WHERE account = ?1 AND hook = ?2";
    Ok(tx.one(sql, (account.0, hook.0), |row| int(row, 0))?.unwrap_or(0))
}

/// How many events wait for the webhooks of an account, or for all if none is given; counted up to `most`, so that whoever
/// asks at each change reads so many rows of an index at most.
///
/// # Errors
/// As for every reading.
pub fn waiting_of(tx: &Tx<'_>, account: Option<AccountId>, most: u64) -> Result<u64> {
    let count = |row: &Row<'_>| int(row, 0);
    let found = match account {
        Some(account) => {
            let sql = "SELECT count(*) FROM (SELECT 1 FROM event INDEXED BY event_hook WHERE account = ?1 LIMIT ?2)";
            tx.one(sql, (account.0, Int(most)), count)?
        }
        None => tx.one("SELECT count(*) FROM (SELECT 1 FROM event LIMIT ?1)", [Int(most)], count)?,
    };
    Ok(found.unwrap_or(0))
}

/// Webhooks for which something is due and that may be tried now, whose turn is longest ago first.
///
/// # Errors
/// As for every reading.
pub fn due(tx: &Tx<'_>, now_us: i64) -> Result<Vec<(AccountId, WebhookId)>> {
    let sql = "SELECT event.account, event.hook FROM event
               LEFT JOIN hook_standing AS standing ON standing.account = event.account AND standing.hook = event.hook
               WHERE event.due_us <= ?1 AND coalesce(standing.not_before_us, 0) <= ?1
               GROUP BY event.account, event.hook ORDER BY coalesce(max(standing.last_us), 0), event.account, event.hook";
    tx.all(sql, [now_us], |row| Ok((AccountId(row.get(0)?), WebhookId(row.get(1)?))))
}

/// The event that a webhook is told next, if one is due.
///
/// # Errors
/// As for every reading.
pub fn next(tx: &Tx<'_>, account: AccountId, hook: WebhookId, now_us: i64) -> Result<Option<Event>> {
    let sql = format!(
        "SELECT {EVENT} FROM event WHERE account = ?1 AND hook = ?2 AND due_us <= ?3 ORDER BY due_us, at_us, id LIMIT 1"
    );
    Ok(tx.all(&sql, (account.0, hook.0, now_us), event_from)?.pop())
}

/// Forgets an event: it was told, or given up.
///
/// # Errors
/// As for every writing.
pub fn done(tx: &mut Tx<'_>, id: MessageId) -> Result<()> {
    tx.run("DELETE FROM event WHERE id = ?1", [id.0]).map(drop)
}

/// Notes that an event was told in vain.
///
/// # Errors
/// As for every writing.
pub fn postpone(tx: &mut Tx<'_>, id: MessageId, due_us: i64, tries: u32) -> Result<()> {
    tx.run("UPDATE event SET due_us = ?2, tries = ?3 WHERE id = ?1", (id.0, due_us, tries)).map(drop)
}

/// Forgets everything that waits for a webhook; with it how it went.
///
/// # Errors
/// As for every writing.
pub fn forget(tx: &mut Tx<'_>, account: AccountId, hook: WebhookId) -> Result<()> {
    tx.run("DELETE FROM event WHERE account = ?1 AND hook = ?2", (account.0, hook.0))?;
    tx.run("DELETE FROM hook_standing WHERE account = ?1 AND hook = ?2", (account.0, hook.0)).map(drop)
}

/// How it goes with a webhook.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Standing {
    /// When something was last sent there, and what.
    pub last: Option<(i64, EventKind)>,
    /// What it answered then.
    pub status: Option<u16>,
    /// What went wrong then.
    pub trouble: Option<String>,
    /// Until then nothing is sent.
    pub not_before_us: i64,
    /// Since when everything has failed.
    pub failing_us: Option<i64>,
    /// How often in a row.
    pub failures: u32,
}

/// How it goes with a webhook; without a row, nothing was sent yet.
///
/// # Errors
/// As for every reading.
pub fn standing(tx: &Tx<'_>, account: AccountId, hook: WebhookId) -> Result<Standing> {
    let sql = format!("SELECT {STANDING} FROM hook_standing WHERE account = ?1 AND hook = ?2");
    let mut found = tx.all(&sql, (account.0, hook.0), |row| {
        let last = match (row.get(0)?, row.get::<_, Option<u8>>(1)?) {
            (Some(at_us), Some(number)) => Some((at_us, event_of(number)?)),
            _ => None,
        };
        Ok(Standing {
            last,
            status: row.get(2)?,
            trouble: row.get(3)?,
            not_before_us: row.get(4)?,
            failing_us: row.get(5)?,
            failures: row.get(6)?,
        })
    })?;
    Ok(found.pop().unwrap_or_default())
}

/// Notes how it goes with a webhook.
///
/// # Errors
/// As for every writing.
pub fn set_standing(tx: &mut Tx<'_>, account: AccountId, hook: WebhookId, standing: &Standing) -> Result<()> {
    let sql = format!(
        "INSERT OR REPLACE INTO hook_standing (account, hook, {STANDING}) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)"
    );
    let values = (
        account.0,
        hook.0,
        standing.last.map(|(at_us, _)| at_us),
        standing.last.map(|(_, kind)| event_number(kind)),
        standing.status,
        &standing.trouble,
        standing.not_before_us,
        standing.failing_us,
        standing.failures,
    );
    tx.run(&sql, values).map(drop)
}

fn event_from(row: &Row<'_>) -> Result<Event> {
    Ok(Event {
        id: MessageId(row.get(0)?),
        account: AccountId(row.get(1)?),
        hook: WebhookId(row.get(2)?),
        kind: event_of(row.get(3)?)?,
        at_us: row.get(4)?,
        path: row.get(5)?,
        size: int_or_null(row, 6)?,
        entry: row.get::<_, Option<[u8; 16]>>(7)?.map(EntryId),
        version: row.get::<_, Option<[u8; 16]>>(8)?.map(VersionId),
        share: row.get::<_, Option<[u8; 16]>>(9)?.map(ShareId),
        due_us: row.get(10)?,
        tries: row.get(11)?,
    })
}

pub(crate) fn webhook_from(row: &Row<'_>) -> Result<WebhookRow> {
    let off = match (row.get(7)?, row.get(8)?) {
        (Some(at_us), Some(why)) => Some(SwitchedOff { at_us, why }),
        _ => None,
    };
    Ok(WebhookRow {
        id: WebhookId(row.get(0)?),
        address: row.get(1)?,
        secret: row.get(2)?,
        events: row.get::<_, Vec<u8>>(3)?.into_iter().map(event_of).collect::<Result<_>>()?,
        label: row.get(4)?,
        made_us: row.get(5)?,
        ended_us: row.get(6)?,
        off,
    })
}

pub(crate) const fn event_number(event: EventKind) -> u8 {
    match event {
        EventKind::FileStored => 0,
        EventKind::ShareMade => 1,
        EventKind::ShareChanged => 2,
        EventKind::ShareEnded => 3,
        EventKind::RequestReceived => 4,
        EventKind::NoticeWaits => 5,
    }
}

fn event_of(number: u8) -> Result<EventKind> {
    Ok(match number {
        0 => EventKind::FileStored,
        1 => EventKind::ShareMade,
        2 => EventKind::ShareChanged,
        3 => EventKind::ShareEnded,
        4 => EventKind::RequestReceived,
        5 => EventKind::NoticeWaits,
        _ => return Err(Error::Value { what: "event" }),
    })
}
