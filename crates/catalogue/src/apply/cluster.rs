//! Changes of the cluster: accounts, providers, targets, packs.

use super::{Clash, is_older, is_used};
use crate::{
    error::{Error, Result},
    fleet::state_number,
    tx::{Int, Tx, int},
};
use model::{
    account::AccountRow,
    fleet::{ConstraintRow, ProviderRow, TargetRow},
    id::PackId,
    pack::{Location, Make, Pack},
    units::ServiceTime,
};

pub(super) fn account(tx: &mut Tx<'_>, revision: u64, row: &AccountRow, clash: Clash) -> Result<()> {
    let taken = "SELECT 1 FROM account WHERE name = ?1 AND id <> ?2";
    if clash == Clash::Refuse && tx.any(taken, (&row.name, row.id.0))? {
        return Err(Error::NounTaken { noun: "account", name: row.name.clone() });
    }
    tx.run(
        "INSERT INTO account (id, revision, name, managed, made_us) VALUES (?1, ?2, ?3, ?4, ?5)
         ON CONFLICT (id) DO UPDATE SET revision = excluded.revision, name = excluded.name,
           managed = excluded.managed, made_us = excluded.made_us
         WHERE excluded.revision >= account.revision",
        (row.id.0, Int(revision), &row.name, row.managed, row.made_us),
    )?;
    Ok(())
}

pub(super) fn provider(tx: &mut Tx<'_>, revision: u64, row: &ProviderRow, clash: Clash) -> Result<()> {
    let taken = "SELECT 1 FROM provider WHERE name = ?1 AND id <> ?2";
    if clash == Clash::Refuse && tx.any(taken, (&row.name, row.id.0))? {
        return Err(Error::NounTaken { noun: "provider", name: row.name.clone() });
    }
    let written = tx.run(
        "INSERT INTO provider (id, revision, name) VALUES (?1, ?2, ?3)
         ON CONFLICT (id) DO UPDATE SET revision = excluded.revision, name = excluded.name
         WHERE excluded.revision >= provider.revision",
        (row.id.0, Int(revision), &row.name),
    )?;
    if written == 0 {
        return Ok(());
    }
    tx.run("DELETE FROM provider_label WHERE provider = ?1", [row.id.0])?;
    for (position, (label, value)) in (0_i64..).zip(&row.labels) {
        let sql = "INSERT INTO provider_label (provider, position, label, value) VALUES (?1, ?2, ?3, ?4)";
        tx.run(sql, (row.id.0, position, label, value))?;
    }
    Ok(())
}

pub(super) fn constraint(tx: &mut Tx<'_>, revision: u64, row: &ConstraintRow) -> Result<()> {
    tx.run(
        "INSERT INTO fleet_constraint (label, revision, holds, changed_us) VALUES (?1, ?2, ?3, ?4)
         ON CONFLICT (label) DO UPDATE SET revision = excluded.revision, holds = excluded.holds,
           changed_us = excluded.changed_us
         WHERE excluded.revision >= fleet_constraint.revision",
        (&row.label, Int(revision), row.holds, row.changed_us),
    )?;
    Ok(())
}

pub(super) fn target(tx: &mut Tx<'_>, revision: u64, row: &TargetRow) -> Result<()> {
    tx.run(
        "INSERT INTO target (id, revision, provider, address, driver, generation, state)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)
         ON CONFLICT (id) DO UPDATE SET revision = excluded.revision, provider = excluded.provider,
           address = excluded.address, driver = excluded.driver, generation = excluded.generation, state = excluded.state
         WHERE excluded.revision >= target.revision",
        (
            row.id.0,
            Int(revision),
            row.provider.0,
            &row.address,
            &row.driver,
            Int(row.generation),
            state_number(row.state),
        ),
    )?;
    Ok(())
}

pub(super) fn pack(tx: &mut Tx<'_>, revision: u64, pack: &Pack) -> Result<()> {
    let Some((stated, makes_stated)) = pack_revisions(tx, revision, pack.id)? else { return Ok(()) };
    if stated <= revision {
        let sql = "UPDATE pack SET revision = ?2, k = ?3, codec = ?4, cell_bytes = ?5, bytes = ?6 WHERE id = ?1";
        let bytes = pack.locations.iter().fold(0u64, |sum, location| sum.saturating_add(location.bytes));
        tx.run(sql, (pack.id.0, Int(revision), pack.k, pack.codec, pack.cell_bytes, Int(bytes)))?;
    }
    if makes_stated <= revision {
        write_makes(tx, revision, pack.id, &pack.makes, makes_stated > 0)?;
    }
    pack.locations.iter().try_for_each(|location| locate(tx, revision, pack.id, location))
}

pub(super) fn makes(tx: &mut Tx<'_>, revision: u64, pack: PackId, makes: &[Make]) -> Result<()> {
    match pack_revisions(tx, revision, pack)? {
        Some((_, stated)) if stated <= revision => write_makes(tx, revision, pack, makes, stated > 0),
        _ => Ok(()),
    }
}

/// The revisions of a pack's row and of its makes, both 0 for a new row; `None` if the pack is gone by then.
fn pack_revisions(tx: &mut Tx<'_>, revision: u64, pack: PackId) -> Result<Option<(u64, u64)>> {
    let sql = "SELECT revision, makes_revision FROM pack WHERE id = ?1";
    if let Some(revisions) = tx.one(sql, [pack.0], |row| Ok((int(row, 0)?, int(row, 1)?)))? {
        return Ok(Some(revisions));
    }
    match tx.one("SELECT revision FROM pack_gone WHERE id = ?1", [pack.0], |row| int(row, 0))? {
        Some(gone) if gone >= revision => return Ok(None),
        Some(_) => drop(tx.run("DELETE FROM pack_gone WHERE id = ?1", [pack.0])?),
        None => {}
    }
    tx.run(
        "INSERT INTO pack (id, revision, makes_revision, k, codec, cell_bytes, live_bytes) VALUES (?1, 0, 0, 0, 0, 0, 0)",
        [pack.0],
    )?;
    Ok(Some((0, 0)))
}

fn write_makes(tx: &mut Tx<'_>, revision: u64, pack: PackId, makes: &[Make], replace: bool) -> Result<()> {
    tx.run("UPDATE pack SET makes_revision = ?2 WHERE id = ?1", (pack.0, Int(revision)))?;
    if replace {
        tx.run("DELETE FROM make WHERE pack = ?1", [pack.0])?;
    }
    for make in makes {
        tx.run(
            "INSERT INTO make (pack, lane, make, target, lane_bytes, root) VALUES (?1, ?2, ?3, ?4, ?5, ?6)
             ON CONFLICT (pack, lane, make) DO UPDATE SET
               target = excluded.target, lane_bytes = excluded.lane_bytes, root = excluded.root",
            (pack.0, make.lane, make.make.0, make.target.0, Int(make.lane_bytes), make.root),
        )?;
    }
    if replace {
        let sql = "DELETE FROM make_state WHERE pack = ?1 AND make NOT IN (SELECT make FROM make WHERE pack = ?1)";
        tx.run(sql, [pack.0])?;
    }
    Ok(())
}

/// Notes where a segment lies, unless a newer pack holds it.
fn locate(tx: &mut Tx<'_>, revision: u64, pack: PackId, location: &Location) -> Result<()> {
    let stored =
        tx.one("SELECT revision, pack, bytes FROM location WHERE segment = ?1", [location.segment.0], |row| {
            Ok((int(row, 0)?, row.get::<_, [u8; 16]>(1)?, row.get::<_, i64>(2)?))
        })?;
    if is_older(stored.map(|stored| stored.0), revision) {
        return Ok(());
    }
    if is_used(tx, &location.segment.0)? {
        let sql = "UPDATE pack SET live_bytes = live_bytes + ?2 WHERE id = ?1";
        if let Some((_, old_pack, old_bytes)) = stored {
            tx.run(sql, (old_pack, -old_bytes))?;
        }
        tx.run(sql, (pack.0, Int(location.bytes)))?;
    }
    tx.run(
        "INSERT INTO location (segment, revision, pack, lane, first, bytes) VALUES (?1, ?2, ?3, ?4, ?5, ?6)
         ON CONFLICT (segment) DO UPDATE SET revision = excluded.revision, pack = excluded.pack, lane = excluded.lane,
           first = excluded.first, bytes = excluded.bytes",
        (location.segment.0, Int(revision), pack.0, location.lane, Int(location.offset), Int(location.bytes)),
    )?;
    Ok(())
}

pub(super) fn pack_gone(tx: &mut Tx<'_>, revision: u64, pack: PackId, at: ServiceTime) -> Result<()> {
    let stored = tx.one("SELECT max(revision, makes_revision) FROM pack WHERE id = ?1", [pack.0], |row| int(row, 0))?;
    if is_older(stored, revision) {
        return Ok(());
    }
    for sql in [
        "DELETE FROM location WHERE pack = ?1",
        "DELETE FROM make_state WHERE pack = ?1",
        "DELETE FROM make WHERE pack = ?1",
        "DELETE FROM pack WHERE id = ?1",
    ] {
        tx.run(sql, [pack.0])?;
    }
    tx.run(
        "INSERT INTO pack_gone (id, revision, gone_at) VALUES (?1, ?2, ?3)
         ON CONFLICT (id) DO UPDATE SET revision = excluded.revision, gone_at = excluded.gone_at
         WHERE excluded.revision >= pack_gone.revision",
        (pack.0, Int(revision), Int(at.0)),
    )?;
    Ok(())
}
