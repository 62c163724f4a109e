//! What accounts let each other see, what guests told of links, and the face of the service.

use crate::{
    error::{Error, Result},
    tx::{Tx, int_or_null, limit},
};
use model::{
    about::{AboutRow, Logo, Quick, SignUp},
    id::{AccountId, EntryId, GrantId, ReportId, ShareId},
    share::{GrantRow, Reason, ReportRow},
};
use rusqlite::Row;

pub(crate) const GRANT: &str = "id, entry, receiver, writes, made_us, ended_us";
/// How many of them there are.
pub(crate) const GRANT_COUNT: usize = 6;
pub(crate) const REPORT: &str = "id, account, share, reason, words, contact, made_us, settled_us";
/// How many of them there are.
pub(crate) const REPORT_COUNT: usize = 8;
pub(crate) const ABOUT: &str = "name, sign_up, new_space_bytes, colour, logo_type, logo, contact, imprint, terms, \
     new_plan, quick_file_bytes, quick_days_max, quick_space_bytes, quick_bytes_per_day, quick_account";
/// How many of them there are.
pub(crate) const ABOUT_COUNT: usize = 15;

/// What an account lets others see and has not ended, newest first.
///
/// # Errors
/// As for every reading.
pub fn grants(tx: &Tx<'_>, account: AccountId) -> Result<Vec<GrantRow>> {
    let sql = format!("SELECT {GRANT} FROM granted WHERE account = ?1 AND ended_us IS NULL ORDER BY made_us DESC, id");
    tx.all(&sql, [account.0], grant_from)
}

/// What others let an account see and has not ended, and whose it is, newest first.
///
/// # Errors
/// As for every reading.
pub fn grants_to(tx: &Tx<'_>, account: AccountId) -> Result<Vec<(AccountId, GrantRow)>> {
    let sql = format!(
        "SELECT {GRANT}, account FROM granted WHERE receiver = ?1 AND ended_us IS NULL ORDER BY made_us DESC, id"
    );
    tx.all(&sql, [account.0], |row| Ok((AccountId(row.get(GRANT_COUNT)?), grant_from(row)?)))
}

/// Whose grant it is that lets an account see something, if it has not ended.
///
/// # Errors
/// As for every reading.
pub fn granter(tx: &Tx<'_>, to: AccountId, id: GrantId) -> Result<Option<AccountId>> {
    let sql = "SELECT account FROM granted WHERE receiver = ?1 AND id = ?2 AND ended_us IS NULL";
    tx.one(sql, (to.0, id.0), |row| Ok(AccountId(row.get(0)?)))
}

/// One grant of an account, ended or not.
///
/// # Errors
/// As for every reading.
pub fn grant(tx: &Tx<'_>, account: AccountId, id: GrantId) -> Result<Option<GrantRow>> {
    let sql = format!("SELECT {GRANT} FROM granted WHERE account = ?1 AND id = ?2");
    Ok(tx.all(&sql, (account.0, id.0), grant_from)?.pop())
}

/// A report.
///
/// # Errors
/// As for every reading.
pub fn report(tx: &Tx<'_>, id: ReportId) -> Result<Option<ReportRow>> {
    Ok(tx.all(&format!("SELECT {REPORT} FROM report WHERE id = ?1"), [id.0], report_from)?.pop())
}

/// Reports that are settled, or that are not, newest first, at most `most` of them.
///
/// # Errors
/// As for every reading.
pub fn reports(tx: &Tx<'_>, settled: bool, most: usize) -> Result<Vec<ReportRow>> {
    let is = if settled { "IS NOT NULL" } else { "IS NULL" };
    let sql = format!("SELECT {REPORT} FROM report WHERE settled_us {is} ORDER BY made_us DESC, id LIMIT ?1");
    tx.all(&sql, [limit(most)], report_from)
}

/// How many reports of a link are not settled, and how many there are of all links.
///
/// # Errors
/// As for every reading.
pub fn open_reports(tx: &Tx<'_>, share: ShareId) -> Result<(u64, u64)> {
    let sql = "SELECT coalesce(sum(share = ?1), 0), count(*) FROM report WHERE settled_us IS NULL";
    let found = tx.one(sql, [share.0], |row| Ok((row.get::<_, i64>(0)?, row.get::<_, i64>(1)?)))?;
    Ok(found.map_or((0, 0), |(of_it, all)| (of_it.unsigned_abs(), all.unsigned_abs())))
}

/// What the operator says of the service.
///
/// # Errors
/// As for every reading.
pub fn about(tx: &Tx<'_>) -> Result<AboutRow> {
    Ok(tx.all(&format!("SELECT {ABOUT} FROM about"), [], about_from)?.pop().unwrap_or_default())
}

pub(crate) fn grant_from(row: &Row<'_>) -> Result<GrantRow> {
    Ok(GrantRow {
        id: GrantId(row.get(0)?),
        entry: EntryId(row.get(1)?),
        to: AccountId(row.get(2)?),
        writes: row.get(3)?,
        made_us: row.get(4)?,
        ended_us: row.get(5)?,
    })
}

pub(crate) fn report_from(row: &Row<'_>) -> Result<ReportRow> {
    Ok(ReportRow {
        id: ReportId(row.get(0)?),
        account: AccountId(row.get(1)?),
        share: ShareId(row.get(2)?),
        reason: match row.get(3)? {
            0 => Reason::Illegal,
            1 => Reason::Copyright,
            2 => Reason::Malware,
            3 => Reason::Other,
            _ => return Err(Error::Value { what: "reason" }),
        },
        words: row.get(4)?,
        contact: row.get(5)?,
        made_us: row.get(6)?,
        settled_us: row.get(7)?,
    })
}

pub(crate) fn about_from(row: &Row<'_>) -> Result<AboutRow> {
    let logo = match (row.get(4)?, row.get(5)?) {
        (Some(media_type), Some(bytes)) => Some(Logo { media_type, bytes }),
        _ => None,
    };
    Ok(AboutRow {
        name: row.get(0)?,
        sign_up: match row.get(1)? {
            0 => SignUp::Invitation,
            1 => SignUp::Open,
            2 => SignUp::Closed,
            _ => return Err(Error::Value { what: "sign_up" }),
        },
        new_space_bytes: int_or_null(row, 2)?,
        colour: row.get(3)?,
        logo,
        contact: row.get(6)?,
        imprint: row.get(7)?,
        terms: row.get(8)?,
        new_plan: row.get(9)?,
        quick: quick_from(row)?,
        quick_account: row.get::<_, Option<[u8; 16]>>(14)?.map(AccountId),
    })
}

fn quick_from(row: &Row<'_>) -> Result<Option<Quick>> {
    let numbers = (int_or_null(row, 10)?, row.get(11)?, int_or_null(row, 12)?, int_or_null(row, 13)?);
    Ok(match numbers {
        (Some(file_bytes), Some(days_max), Some(space_bytes), Some(bytes_per_day)) => {
            Some(Quick { file_bytes, days_max, space_bytes, bytes_per_day })
        }
        _ => None,
    })
}

pub(crate) const fn reason_number(reason: Reason) -> u8 {
    match reason {
        Reason::Illegal => 0,
        Reason::Copyright => 1,
        Reason::Malware => 2,
        Reason::Other => 3,
    }
}

pub(crate) const fn sign_up_number(sign_up: SignUp) -> u8 {
    match sign_up {
        SignUp::Invitation => 0,
        SignUp::Open => 1,
        SignUp::Closed => 2,
    }
}
