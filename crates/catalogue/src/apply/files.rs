//! Changes of one account: kits, entries, versions.

use super::{Clash, add_use, end_use, is_older};
use crate::{
    entries::kind_number,
    error::{Error, Result},
    tx::{Int, Tx, int},
    versions::{pack_segments, unpack_segments},
};
use model::{
    account::KitRow,
    entry::{Content, EntryRow, Version},
    id::{AccountId, EntryId, VersionId},
};

pub(super) fn kit(tx: &mut Tx<'_>, account: AccountId, revision: u64, row: &KitRow) -> Result<()> {
    tx.run(
        "INSERT INTO kit (account, id, revision, recipient, made_us, revoked_us, tested_us)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)
         ON CONFLICT (account, id) DO UPDATE SET revision = excluded.revision, recipient = excluded.recipient,
           made_us = excluded.made_us, revoked_us = excluded.revoked_us, tested_us = excluded.tested_us
         WHERE excluded.revision >= kit.revision",
        (account.0, row.id.0, Int(revision), &row.recipient, row.made_us, row.revoked_us, row.tested_us),
    )?;
    Ok(())
}

pub(super) fn entry(tx: &mut Tx<'_>, account: AccountId, revision: u64, row: &EntryRow, clash: Clash) -> Result<()> {
    let key = (account.0, row.id.0);
    let stored = tx.one("SELECT revision FROM entry WHERE account = ?1 AND id = ?2", key, |row| int(row, 0))?;
    if is_older(stored, revision) {
        return Ok(());
    }
    if stored.is_none() && !lift_tombstone(tx, Tombs::Entry, account, &row.id.0, revision)? {
        return Ok(());
    }
    let slot = row.trashed.is_none().then_some(row.parent);
    match write_entry(tx, account, revision, row, slot, stored.is_some()) {
        Err(Error::NameTaken { .. }) if clash == Clash::NewerWins => {}
        other => return other,
    }
    let holder = tx.one(
        "SELECT id, revision FROM entry WHERE account = ?1 AND slot = ?2 AND name = ?3",
        (account.0, row.parent.0, &row.name),
        |row| Ok((row.get::<_, [u8; 16]>(0)?, int(row, 1)?)),
    )?;
    match holder {
        Some((_, held)) if held > revision => write_entry(tx, account, revision, row, None, stored.is_some()),
        Some((id, held)) if held < revision => {
            tx.run("UPDATE entry SET slot = NULL WHERE account = ?1 AND id = ?2", (account.0, id))?;
            write_entry(tx, account, revision, row, slot, stored.is_some())
        }
        _ => Err(name_taken(account, row)),
    }
}

/// Writes the row as it is. `slot`: the folder in which it takes its name, if it takes one.
fn write_entry(
    tx: &mut Tx<'_>,
    account: AccountId,
    revision: u64,
    row: &EntryRow,
    slot: Option<EntryId>,
    exists: bool,
) -> Result<()> {
    let sql = if exists {
        "UPDATE entry SET revision = ?3, parent = ?4, slot = ?5, name = ?6, kind = ?7, modified_us = ?8,
           trashed_at = ?9, trashed_us = ?10, current = ?11,
           size = coalesce((SELECT size FROM version WHERE account = ?1 AND id = ?11), 0)
         WHERE account = ?1 AND id = ?2"
    } else {
        "INSERT INTO entry
           (account, id, revision, parent, slot, name, kind, modified_us, trashed_at, trashed_us, current, size)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11,
           coalesce((SELECT size FROM version WHERE account = ?1 AND id = ?11), 0))"
    };
    let written = tx.run(
        sql,
        (
            account.0,
            row.id.0,
            Int(revision),
            row.parent.0,
            slot.map(|slot| slot.0),
            &row.name,
            kind_number(row.kind),
            row.modified_us,
            row.trashed.map(|trashed| Int(trashed.at.0)),
            row.trashed.map(|trashed| trashed.wall_us),
            row.current.map(|version| version.0),
        ),
    );
    match written {
        Err(Error::Statement(error)) if is_unique_violation(&error) => Err(name_taken(account, row)),
        other => other.map(drop),
    }
}

fn name_taken(account: AccountId, row: &EntryRow) -> Error {
    Error::NameTaken { account, name: row.name.clone() }
}

/// The one unique index that a correct statement of ours can run into is that of names.
fn is_unique_violation(error: &rusqlite::Error) -> bool {
    error.sqlite_error().is_some_and(|e| e.extended_code == rusqlite::ffi::SQLITE_CONSTRAINT_UNIQUE)
}

pub(super) fn entry_gone(tx: &mut Tx<'_>, account: AccountId, revision: u64, id: EntryId) -> Result<()> {
    let key = (account.0, id.0);
    let stored = tx.one("SELECT revision FROM entry WHERE account = ?1 AND id = ?2", key, |row| int(row, 0))?;
    if is_older(stored, revision) {
        return Ok(());
    }
    tx.run("DELETE FROM entry WHERE account = ?1 AND id = ?2", key)?;
    tx.run(
        "INSERT INTO entry_gone (account, id, revision) VALUES (?1, ?2, ?3)
         ON CONFLICT (account, id) DO UPDATE SET revision = max(revision, excluded.revision)",
        (account.0, id.0, Int(revision)),
    )?;
    Ok(())
}

pub(super) fn version(tx: &mut Tx<'_>, account: AccountId, revision: u64, row: &Version) -> Result<()> {
    let key = (account.0, row.id.0);
    let stored = tx.one(
        "SELECT revision, segments, sealed IS NOT NULL FROM version WHERE account = ?1 AND id = ?2",
        key,
        |row| Ok((int(row, 0)?, row.get::<_, Vec<u8>>(1)?, row.get::<_, bool>(2)?)),
    )?;
    if is_older(stored.as_ref().map(|stored| stored.0), revision) {
        return Ok(());
    }
    if stored.is_none() && !lift_tombstone(tx, Tombs::Version, account, &row.id.0, revision)? {
        return Ok(());
    }
    let (segments, sealed) = match &row.content {
        Content::Inline { segment, sealed } => (pack_segments(std::slice::from_ref(segment)), Some(sealed)),
        Content::Segments(segments) => (pack_segments(segments), None),
    };
    let sql = if stored.is_some() {
        "UPDATE version SET revision = ?3, entry = ?4, size = ?5, modified_us = ?6, made_us = ?7, media_type = ?8,
           blake3 = ?9, crc32 = ?10, sha256 = ?11, file_key = ?12, replaced_at = ?13, segments = ?14, sealed = ?15
         WHERE account = ?1 AND id = ?2"
    } else {
        "INSERT INTO version (account, id, revision, entry, size, modified_us, made_us, media_type,
           blake3, crc32, sha256, file_key, replaced_at, segments, sealed)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15)"
    };
    tx.run(
        sql,
        (
            account.0,
            row.id.0,
            Int(revision),
            row.entry.0,
            Int(row.size),
            row.modified_us,
            row.made_us,
            &row.media_type,
            row.blake3,
            row.crc32,
            row.sha256,
            row.key,
            row.replaced.map(|at| Int(at.0)),
            &segments,
            sealed,
        ),
    )?;
    // In a commit the version comes before the entry that it is current in; in a rebuild either may come first.
    tx.run(
        "UPDATE entry SET size = ?4 WHERE account = ?1 AND id = ?2 AND current = ?3 AND size <> ?4",
        (account.0, row.entry.0, row.id.0, Int(row.size)),
    )?;
    // What a version consists of never changes, so nearly always only a new row brings uses.
    let before = stored.map(|(_, segments, inline)| (segments, inline));
    if before.as_ref().is_some_and(|before| *before == (segments, sealed.is_some())) {
        return Ok(());
    }
    if let Some((segments, false)) = before {
        end_uses(tx, account, row.id, &segments)?;
    }
    if sealed.is_none() {
        for segment in row.segments() {
            add_use(tx, &segment.id.0, account, &row.id.0)?;
        }
    }
    Ok(())
}

pub(super) fn version_gone(tx: &mut Tx<'_>, account: AccountId, revision: u64, id: VersionId) -> Result<()> {
    let key = (account.0, id.0);
    let stored = tx.one(
        "SELECT revision, segments, sealed IS NOT NULL FROM version WHERE account = ?1 AND id = ?2",
        key,
        |row| Ok((int(row, 0)?, row.get::<_, Vec<u8>>(1)?, row.get::<_, bool>(2)?)),
    )?;
    if is_older(stored.as_ref().map(|stored| stored.0), revision) {
        return Ok(());
    }
    if let Some((_, segments, false)) = stored {
        end_uses(tx, account, id, &segments)?;
    }
    tx.run("DELETE FROM version WHERE account = ?1 AND id = ?2", key)?;
    tx.run(
        "INSERT INTO version_gone (account, id, revision) VALUES (?1, ?2, ?3)
         ON CONFLICT (account, id) DO UPDATE SET revision = max(revision, excluded.revision)",
        (account.0, id.0, Int(revision)),
    )?;
    Ok(())
}

/// Ends all versions of an account, without tombstones.
pub(super) fn end_all_versions(tx: &mut Tx<'_>, account: AccountId) -> Result<()> {
    let sql = "SELECT id, segments FROM version WHERE account = ?1 AND sealed IS NULL";
    let found = tx.all(sql, [account.0], |row| Ok((VersionId(row.get(0)?), row.get::<_, Vec<u8>>(1)?)))?;
    for (version, segments) in found {
        end_uses(tx, account, version, &segments)?;
    }
    tx.run("DELETE FROM version WHERE account = ?1", [account.0]).map(drop)
}

fn end_uses(tx: &mut Tx<'_>, account: AccountId, version: VersionId, segments: &[u8]) -> Result<()> {
    for segment in unpack_segments(segments)? {
        end_use(tx, &segment.id.0, account, &version.0)?;
    }
    Ok(())
}

/// Which tombstones.
#[derive(Clone, Copy)]
enum Tombs {
    Entry,
    Version,
}

/// Makes way for a new row: false if a tombstone of its revision or a later one stands against it.
fn lift_tombstone(tx: &mut Tx<'_>, tombs: Tombs, account: AccountId, id: &[u8; 16], revision: u64) -> Result<bool> {
    let (select, delete) = match tombs {
        Tombs::Entry => (
            "SELECT revision FROM entry_gone WHERE account = ?1 AND id = ?2",
            "DELETE FROM entry_gone WHERE account = ?1 AND id = ?2",
        ),
        Tombs::Version => (
            "SELECT revision FROM version_gone WHERE account = ?1 AND id = ?2",
            "DELETE FROM version_gone WHERE account = ?1 AND id = ?2",
        ),
    };
    match tx.one(select, (account.0, id), |row| int(row, 0))? {
        Some(gone) if gone >= revision => Ok(false),
        Some(_) => tx.run(delete, (account.0, id)).map(|_| true),
        None => Ok(true),
    }
}
