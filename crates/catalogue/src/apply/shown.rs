//! Changes of what others get to see: links, grants, reports, the face of the service.

use crate::{
    error::Result,
    shown::{reason_number, sign_up_number},
    tx::{Int, Tx},
};
use model::{
    about::AboutRow,
    id::AccountId,
    share::{GrantRow, ReportRow, ShareRow},
};

pub(super) fn share(tx: &mut Tx<'_>, account: AccountId, revision: u64, row: &ShareRow) -> Result<()> {
    tx.run(
        "INSERT INTO share (account, id, revision, entry, code, password, expires_us, downloads_max, downloads, made_us, ended_us,
           receives, words, off_us)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14)
         ON CONFLICT (account, id) DO UPDATE SET revision = excluded.revision, entry = excluded.entry,
           code = excluded.code, password = excluded.password, expires_us = excluded.expires_us,
           downloads_max = excluded.downloads_max, downloads = excluded.downloads, made_us = excluded.made_us,
           ended_us = excluded.ended_us, receives = excluded.receives, words = excluded.words, off_us = excluded.off_us
         WHERE excluded.revision >= share.revision",
        (
            account.0,
            row.id.0,
            Int(revision),
            row.entry.0,
            row.code,
            &row.password,
            row.expires_us,
            row.downloads_max.map(Int),
            Int(row.downloads),
            row.made_us,
            row.ended_us,
            row.receives,
            &row.words,
            row.off_us,
        ),
    )?;
    Ok(())
}

pub(super) fn grant(tx: &mut Tx<'_>, account: AccountId, revision: u64, row: &GrantRow) -> Result<()> {
    tx.run(
        "INSERT INTO granted (account, id, revision, entry, receiver, writes, made_us, ended_us)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)
         ON CONFLICT (account, id) DO UPDATE SET revision = excluded.revision, entry = excluded.entry,
           receiver = excluded.receiver, writes = excluded.writes, made_us = excluded.made_us,
           ended_us = excluded.ended_us
         WHERE excluded.revision >= granted.revision",
        (account.0, row.id.0, Int(revision), row.entry.0, row.to.0, row.writes, row.made_us, row.ended_us),
    )?;
    Ok(())
}

pub(super) fn report(tx: &mut Tx<'_>, revision: u64, row: &ReportRow) -> Result<()> {
    tx.run(
        "INSERT INTO report (id, revision, account, share, reason, words, contact, made_us, settled_us)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)
         ON CONFLICT (id) DO UPDATE SET revision = excluded.revision, account = excluded.account,
           share = excluded.share, reason = excluded.reason, words = excluded.words, contact = excluded.contact,
           made_us = excluded.made_us, settled_us = excluded.settled_us
         WHERE excluded.revision >= report.revision",
        (
            row.id.0,
            Int(revision),
            row.account.0,
            row.share.0,
            reason_number(row.reason),
            &row.words,
            &row.contact,
            row.made_us,
            row.settled_us,
        ),
    )?;
    Ok(())
}

pub(super) fn about(tx: &mut Tx<'_>, revision: u64, row: &AboutRow) -> Result<()> {
    tx.run(
        "INSERT INTO about (one, revision, name, sign_up, new_space_bytes, colour, logo_type, logo, contact, imprint, terms,
           new_plan, quick_file_bytes, quick_days_max, quick_space_bytes, quick_bytes_per_day, quick_account)
         VALUES (1, ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16)
         ON CONFLICT (one) DO UPDATE SET revision = excluded.revision, name = excluded.name,
           sign_up = excluded.sign_up, new_space_bytes = excluded.new_space_bytes, colour = excluded.colour,
           logo_type = excluded.logo_type, logo = excluded.logo, contact = excluded.contact,
           imprint = excluded.imprint, terms = excluded.terms, new_plan = excluded.new_plan,
           quick_file_bytes = excluded.quick_file_bytes, quick_days_max = excluded.quick_days_max,
           quick_space_bytes = excluded.quick_space_bytes, quick_bytes_per_day = excluded.quick_bytes_per_day,
           quick_account = excluded.quick_account
         WHERE excluded.revision >= about.revision",
        (
            Int(revision),
            &row.name,
            sign_up_number(row.sign_up),
            row.new_space_bytes.map(Int),
            row.colour,
            row.logo.as_ref().map(|logo| &logo.media_type),
            row.logo.as_ref().map(|logo| &logo.bytes),
            &row.contact,
            &row.imprint,
            &row.terms,
            &row.new_plan,
            row.quick.map(|quick| Int(quick.file_bytes)),
            row.quick.map(|quick| quick.days_max),
            row.quick.map(|quick| Int(quick.space_bytes)),
            row.quick.map(|quick| Int(quick.bytes_per_day)),
            row.quick_account.map(|account| account.0),
        ),
    )?;
    Ok(())
}
