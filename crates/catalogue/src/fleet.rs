//! Providers and targets as recorded, and what this service last saw of each target.

use crate::{
    error::{Error, Result},
    tx::{Int, Tx, int},
};
use model::{
    fleet::{ConstraintRow, ProviderRow, TargetRow, TargetState},
    id::{ProviderId, TargetId},
};
use rusqlite::Row;

/// All providers, by name.
///
/// # Errors
/// As for every reading.
pub fn providers(tx: &Tx<'_>) -> Result<Vec<ProviderRow>> {
    let mut found = tx.all("SELECT id, name FROM provider ORDER BY name, id", [], |row| {
        Ok(ProviderRow { id: ProviderId(row.get(0)?), name: row.get(1)?, labels: Vec::new() })
    })?;
    for provider in &mut found {
        provider.labels = labels(tx, provider.id)?;
    }
    Ok(found)
}

/// The labels of a provider, in their order.
pub(crate) fn labels(tx: &Tx<'_>, provider: ProviderId) -> Result<Vec<(String, String)>> {
    let sql = "SELECT label, value FROM provider_label WHERE provider = ?1 ORDER BY position";
    tx.all(sql, [provider.0], |row| Ok((row.get(0)?, row.get(1)?)))
}

pub(crate) const CONSTRAINT: &str = "label, holds, changed_us";

/// All labels that keep providers apart or did so, by label.
///
/// # Errors
/// As for every reading.
pub fn constraints(tx: &Tx<'_>) -> Result<Vec<ConstraintRow>> {
    tx.all(&format!("SELECT {CONSTRAINT} FROM fleet_constraint ORDER BY label"), [], constraint_from)
}

pub(crate) fn constraint_from(row: &Row<'_>) -> Result<ConstraintRow> {
    Ok(ConstraintRow { label: row.get(0)?, holds: row.get(1)?, changed_us: row.get(2)? })
}

const TARGET: &str = "SELECT id, provider, address, driver, generation, state FROM target";

/// All targets, in whatever state, by id.
///
/// # Errors
/// As for every reading.
pub fn targets(tx: &Tx<'_>) -> Result<Vec<TargetRow>> {
    tx.all(&format!("{TARGET} ORDER BY id"), [], target_from)
}

/// One target.
///
/// # Errors
/// As for every reading.
pub fn target(tx: &Tx<'_>, id: TargetId) -> Result<Option<TargetRow>> {
    Ok(tx.all(&format!("{TARGET} WHERE id = ?1"), [id.0], target_from)?.pop())
}

pub(crate) fn target_from(row: &Row<'_>) -> Result<TargetRow> {
    Ok(TargetRow {
        id: TargetId(row.get(0)?),
        provider: ProviderId(row.get(1)?),
        address: row.get(2)?,
        driver: row.get(3)?,
        generation: int(row, 4)?,
        state: state_from(row.get(5)?)?,
    })
}

/// What was last seen of a target. Not journalled: looked at again after a rebuild.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TargetSeen {
    /// The target.
    pub target: TargetId,
    /// How it looked.
    pub state: TargetState,
    /// Since when.
    pub since_us: i64,
    /// The generation in its marker when it last answered.
    pub generation: u64,
    /// In words.
    pub note: String,
}

/// What was last seen of each target, by target.
///
/// # Errors
/// As for every reading.
pub fn seen(tx: &Tx<'_>) -> Result<Vec<TargetSeen>> {
    tx.all("SELECT target, state, since_us, generation, note FROM target_seen ORDER BY target", [], |row| {
        Ok(TargetSeen {
            target: TargetId(row.get(0)?),
            state: state_from(row.get(1)?)?,
            since_us: row.get(2)?,
            generation: int(row, 3)?,
            note: row.get(4)?,
        })
    })
}

/// Notes what was seen of a target.
///
/// # Errors
/// As for every writing.
pub fn set_seen(tx: &mut Tx<'_>, seen: &TargetSeen) -> Result<()> {
    let sql = "INSERT INTO target_seen (target, state, since_us, generation, note) VALUES (?1, ?2, ?3, ?4, ?5)
               ON CONFLICT (target) DO UPDATE SET state = excluded.state, since_us = excluded.since_us,
                 generation = excluded.generation, note = excluded.note";
    let values = (seen.target.0, state_number(seen.state), seen.since_us, Int(seen.generation), &seen.note);
    tx.run(sql, values).map(drop)
}

/// A target's state as it is stored.
pub(crate) fn state_number(state: TargetState) -> i64 {
    match state {
        TargetState::Up => 0,
        TargetState::Down => 1,
        TargetState::Suspect => 2,
        TargetState::Lost => 3,
        TargetState::Retired => 4,
    }
}

fn state_from(number: i64) -> Result<TargetState> {
    Ok(match number {
        0 => TargetState::Up,
        1 => TargetState::Down,
        2 => TargetState::Suspect,
        3 => TargetState::Lost,
        4 => TargetState::Retired,
        _ => return Err(Error::Value { what: "target.state" }),
    })
}
