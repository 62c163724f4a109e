//! Leases and notices, and how often people were told of a notice.

use crate::{
    error::{Error, Result},
    tx::{Int, Tx, int, int_or_null, limit},
};
use model::{
    id::{AccountId, EntryId, LeaseId, NoticeId, ProviderId, TargetId},
    leases::{Desk, Document, LeaseRow, LeaseState, NoticeRow, NoticeState, Served, Server},
};
use rusqlite::Row;

pub(crate) const LEASE: &str = "id, provider, contract, price, month_micros, currency, notice_address, notice_days, \
     ends_us, paid_until_us, state, desk_hash, desk_account, desk_made_us";
/// How many of them there are.
pub(crate) const LEASE_COUNT: usize = 14;
pub(crate) const NOTICE: &str = "id, provider, lease, served, cause, addressee, servers, targets, deadline_us, text, \
     content, document, document_sha256, document_bytes, document_account, document_entry, state, made_us, \
     acknowledged_by, acknowledged_us, changed_us, supersedes";
/// How many of them there are.
pub(crate) const NOTICE_COUNT: usize = 22;

/// All leases, those that ended too, by contract.
///
/// # Errors
/// As for every reading.
pub fn all(tx: &Tx<'_>) -> Result<Vec<LeaseRow>> {
    let sql = format!("SELECT {LEASE} FROM lease ORDER BY contract, id");
    tx.all(&sql, [], |row| lease_from(tx, row))
}

/// One lease.
///
/// # Errors
/// As for every reading.
pub fn get(tx: &Tx<'_>, id: LeaseId) -> Result<Option<LeaseRow>> {
    let sql = format!("SELECT {LEASE} FROM lease WHERE id = ?1");
    Ok(tx.all(&sql, [id.0], |row| lease_from(tx, row))?.pop())
}

/// The lease whose contract is called so; of several, one that has not ended.
///
/// # Errors
/// As for every reading.
pub fn by_contract(tx: &Tx<'_>, contract: &str) -> Result<Option<LeaseRow>> {
    let sql = format!("SELECT {LEASE} FROM lease WHERE contract = ?1 ORDER BY state DESC, id");
    Ok(tx.all(&sql, [contract], |row| lease_from(tx, row))?.pop())
}

/// One notice.
///
/// # Errors
/// As for every reading.
pub fn notice(tx: &Tx<'_>, id: NoticeId) -> Result<Option<NoticeRow>> {
    Ok(tx.all(&format!("SELECT {NOTICE} FROM notice WHERE id = ?1"), [id.0], notice_from)?.pop())
}

/// Up to `rows` notices that need a person or hold, the oldest first. If there are more, those that nobody took note of come
/// before others, and of them the latest: a flood of old ones hides no new one.
///
/// # Errors
/// As for every reading.
pub fn open_notices(tx: &Tx<'_>, rows: usize) -> Result<Vec<NoticeRow>> {
    let sql = format!(
        "SELECT {NOTICE} FROM notice WHERE state NOT IN (3, 4, 6) ORDER BY state = 0 DESC, made_us DESC, id DESC LIMIT ?1"
    );
    let mut found = tx.all(&sql, [limit(rows)], notice_from)?;
    found.sort_by_key(|row| (row.made_us, row.id));
    Ok(found)
}

/// All open notices that the service raised by itself: one of a cause, so there are no more than there are causes.
///
/// # Errors
/// As for every reading.
pub fn raised_notices(tx: &Tx<'_>) -> Result<Vec<NoticeRow>> {
    let sql = format!("SELECT {NOTICE} FROM notice WHERE served = 3 AND state NOT IN (3, 4, 6) ORDER BY made_us, id");
    tx.all(&sql, [], notice_from)
}

/// All statements of ours that are in force. Operators write them.
///
/// # Errors
/// As for every reading.
pub fn statements_in_force(tx: &Tx<'_>) -> Result<Vec<NoticeRow>> {
    tx.all(&format!("SELECT {NOTICE} FROM notice WHERE state = 5 ORDER BY made_us, id"), [], notice_from)
}

/// Up to `rows` notices that nobody took note of: those that people were told of longest ago, or never, first.
///
/// # Errors
/// As for every reading.
pub fn waiting_notices(tx: &Tx<'_>, rows: usize) -> Result<Vec<NoticeRow>> {
    let sql = format!(
        "SELECT {NOTICE} FROM notice WHERE state = 0
         ORDER BY (SELECT told_us FROM notice_told WHERE notice_told.notice = notice.id) NULLS FIRST, made_us, id LIMIT ?1"
    );
    tx.all(&sql, [limit(rows)], notice_from)
}

/// Up to `rows` notices, the latest first.
///
/// # Errors
/// As for every reading.
pub fn notices(tx: &Tx<'_>, rows: usize) -> Result<Vec<NoticeRow>> {
    tx.all(&format!("SELECT {NOTICE} FROM notice ORDER BY made_us DESC, id LIMIT ?1"), [limit(rows)], notice_from)
}

/// How many notices were served at a lease's desk since then.
///
/// # Errors
/// As for every reading.
pub fn filed_since(tx: &Tx<'_>, lease: LeaseId, since_us: i64) -> Result<u64> {
    let sql = "SELECT count(*) FROM notice WHERE lease = ?1 AND made_us > ?2 AND served = 0";
    Ok(tx.one(sql, (lease.0, since_us), |row| int(row, 0))?.unwrap_or(0))
}

/// How often, and when, operators were told of a notice; and what a statement of ours was last served for.
///
/// # Errors
/// As for every reading.
pub fn told(tx: &Tx<'_>, notice: NoticeId) -> Result<Option<(u32, i64, String)>> {
    let sql = "SELECT times, told_us, covered FROM notice_told WHERE notice = ?1";
    tx.one(sql, [notice.0], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))
}

/// Notes that.
///
/// # Errors
/// As for every writing.
pub fn set_told(tx: &mut Tx<'_>, notice: NoticeId, times: u32, told_us: i64, covered: &str) -> Result<()> {
    let sql = "INSERT INTO notice_told (notice, times, told_us, covered) VALUES (?1, ?2, ?3, ?4)
               ON CONFLICT (notice) DO UPDATE SET times = excluded.times, told_us = excluded.told_us,
                 covered = excluded.covered";
    tx.run(sql, (notice.0, times, told_us, covered)).map(drop)
}

pub(crate) fn lease_from(tx: &Tx<'_>, row: &Row<'_>) -> Result<LeaseRow> {
    let id = LeaseId(row.get(0)?);
    let sql = "SELECT name, site, targets FROM lease_server WHERE lease = ?1 ORDER BY position";
    let servers = tx.all(sql, [id.0], |row| {
        Ok(Server { name: row.get(0)?, site: row.get(1)?, targets: split(&row.get::<_, Vec<u8>>(2)?) })
    })?;
    let desk = match (row.get(11)?, row.get(12)?, row.get(13)?) {
        (Some(hash), Some(account), Some(made_us)) => Some(Desk { hash, account: AccountId(account), made_us }),
        _ => None,
    };
    Ok(LeaseRow {
        id,
        provider: ProviderId(row.get(1)?),
        contract: row.get(2)?,
        servers,
        price: row.get(3)?,
        month_micros: int_or_null(row, 4)?,
        currency: row.get(5)?,
        notice_address: row.get(6)?,
        notice_days: row.get(7)?,
        ends_us: row.get(8)?,
        paid_until_us: row.get(9)?,
        state: match row.get(10)? {
            0 => LeaseState::Active,
            1 => LeaseState::Ending,
            2 => LeaseState::Ended,
            _ => return Err(Error::Value { what: "lease.state" }),
        },
        desk,
    })
}

pub(crate) fn notice_from(row: &Row<'_>) -> Result<NoticeRow> {
    let servers: String = row.get(6)?;
    let kept = match (row.get(14)?, row.get(15)?) {
        (Some(account), Some(entry)) => Some((AccountId(account), EntryId(entry))),
        _ => None,
    };
    let document = match (row.get(11)?, row.get(12)?, row.get::<_, Option<Int>>(13)?) {
        (Some(name), Some(sha256), Some(bytes)) => Some(Document { name, sha256, bytes: bytes.0, kept }),
        _ => None,
    };
    let acknowledged = match (row.get(18)?, row.get(19)?) {
        (Some(who), Some(when)) => Some((AccountId(who), when)),
        _ => None,
    };
    Ok(NoticeRow {
        id: NoticeId(row.get(0)?),
        provider: row.get::<_, Option<_>>(1)?.map(ProviderId),
        lease: row.get::<_, Option<_>>(2)?.map(LeaseId),
        from: served_from(row.get(3)?)?,
        cause: row.get(4)?,
        addressee: row.get(5)?,
        servers: if servers.is_empty() { Vec::new() } else { servers.split('\n').map(str::to_owned).collect() },
        targets: split(&row.get::<_, Vec<u8>>(7)?),
        deadline_us: row.get(8)?,
        text: row.get(9)?,
        content: row.get(10)?,
        document,
        state: notice_state_from(row.get(16)?)?,
        made_us: row.get(17)?,
        acknowledged,
        changed_us: row.get(20)?,
        supersedes: row.get::<_, Option<_>>(21)?.map(NoticeId),
    })
}

/// Targets as they are stored.
pub(crate) fn joined(targets: &[TargetId]) -> Vec<u8> {
    targets.iter().flat_map(|target| target.0).collect()
}

fn split(bytes: &[u8]) -> Vec<TargetId> {
    bytes.as_chunks::<16>().0.iter().copied().map(TargetId).collect()
}

pub(crate) fn lease_state_number(state: LeaseState) -> i64 {
    match state {
        LeaseState::Active => 0,
        LeaseState::Ending => 1,
        LeaseState::Ended => 2,
    }
}

pub(crate) fn served_number(from: Served) -> i64 {
    match from {
        Served::AtDesk => 0,
        Served::ByLetter => 1,
        Served::ToFirm => 2,
        Served::Raised => 3,
    }
}

fn served_from(number: i64) -> Result<Served> {
    Ok(match number {
        0 => Served::AtDesk,
        1 => Served::ByLetter,
        2 => Served::ToFirm,
        3 => Served::Raised,
        _ => return Err(Error::Value { what: "notice.served" }),
    })
}

pub(crate) fn notice_state_number(state: NoticeState) -> i64 {
    match state {
        NoticeState::Received => 0,
        NoticeState::Acknowledged => 1,
        NoticeState::Planned => 2,
        NoticeState::Done => 3,
        NoticeState::Superseded => 4,
        NoticeState::InForce => 5,
        NoticeState::Released => 6,
    }
}

fn notice_state_from(number: i64) -> Result<NoticeState> {
    Ok(match number {
        0 => NoticeState::Received,
        1 => NoticeState::Acknowledged,
        2 => NoticeState::Planned,
        3 => NoticeState::Done,
        4 => NoticeState::Superseded,
        5 => NoticeState::InForce,
        6 => NoticeState::Released,
        _ => return Err(Error::Value { what: "notice.state" }),
    })
}
