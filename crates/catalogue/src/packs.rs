//! Packs, their makes, and what is known of each make.

use crate::{
    error::{Error, Result},
    tx::{Int, Tx, int, limit},
};
use model::{
    id::{MakeId, PackId, TargetId},
    pack::{Make, MakeState},
    units::ServiceTime,
};
use rusqlite::Row;

/// What was found out about a make. Without a finding it is good by its record and was never read back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Finding {
    /// Whether it counts.
    pub state: MakeState,
    /// When all of it was last read and right, as people read it.
    pub verified_us: Option<i64>,
    /// The same on service time; 0 if never.
    pub verified_at: ServiceTime,
    /// The generation that the target's marker had then; 0 if never.
    pub verified_generation: u64,
}

impl Default for Finding {
    fn default() -> Self {
        Self { state: MakeState::Good, verified_us: None, verified_at: ServiceTime(0), verified_generation: 0 }
    }
}

/// A make with what is known of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MakeView {
    /// The make as recorded.
    pub make: Make,
    /// What was found out about it.
    pub finding: Finding,
}

/// A pack with its makes: what repair, reclaim and reports decide from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PackView {
    /// Its id.
    pub id: PackId,
    /// Data lanes.
    pub k: u8,
    /// Codec number.
    pub codec: u8,
    /// Bytes of a cell.
    pub cell_bytes: u32,
    /// Bytes of the segments that it was recorded with.
    pub bytes: u64,
    /// Bytes of its locations whose segment is used.
    pub live_bytes: u64,
    /// The last revision of the pack or of its makes: a repair that was planned for an older one is void.
    pub revision: u64,
    /// Its makes, by lane.
    pub makes: Vec<MakeView>,
}

impl PackView {
    /// Bytes of its data lanes, live and dead.
    pub fn lane_bytes(&self) -> u64 {
        let mut lanes: Vec<(u8, u64)> =
            self.makes.iter().filter(|m| m.make.lane < self.k).map(|m| (m.make.lane, m.make.lane_bytes)).collect();
        lanes.dedup_by_key(|lane| lane.0);
        lanes.iter().map(|lane| lane.1).sum()
    }
}

const PACK: &str = "SELECT id, k, codec, cell_bytes, live_bytes, max(revision, makes_revision), bytes FROM pack";

/// One pack.
///
/// # Errors
/// As for every reading.
pub fn view(tx: &Tx<'_>, id: PackId) -> Result<Option<PackView>> {
    let sql = format!("{PACK} WHERE id = ?1 AND k > 0");
    match tx.one(&sql, [id.0], pack_from)? {
        Some(pack) => with_makes(tx, pack).map(Some),
        None => Ok(None),
    }
}

/// Up to `packs` packs after the id `after` ([`PackId::default`]: from the start), by id.
///
/// # Errors
/// As for every reading.
pub fn pack_views(tx: &Tx<'_>, after: PackId, packs: usize) -> Result<Vec<PackView>> {
    let sql = format!("{PACK} WHERE id > ?1 AND k > 0 ORDER BY id LIMIT ?2");
    let mut found = tx.all(&sql, (after.0, limit(packs)), |row| Ok(pack_from(row)?))?;
    let Some(last) = found.last().map(|pack| pack.id) else { return Ok(found) };
    // One walk over both tables: a query for each pack would cost more than what it finds.
    let sql = format!("{MAKE} WHERE m.pack > ?1 AND m.pack <= ?2 ORDER BY m.pack, m.lane, m.make");
    let mut at = 0;
    tx.each(&sql, (after.0, last.0), |row| {
        let pack = PackId(row.get(9)?);
        while found.get(at).is_some_and(|found| found.id < pack) {
            at += 1;
        }
        if let Some(found) = found.get_mut(at).filter(|found| found.id == pack) {
            found.makes.push(view_from(row)?);
        }
        Ok::<_, Error>(())
    })?;
    Ok(found)
}

/// Up to `packs` packs in which nothing lives, by id.
///
/// # Errors
/// As for every reading.
pub fn dead(tx: &Tx<'_>, packs: usize) -> Result<Vec<PackView>> {
    let sql =
        format!("{PACK} WHERE live_bytes * 2 <= bytes AND live_bytes = 0 AND k > 0 ORDER BY live_bytes, id LIMIT ?1");
    let found = tx.all(&sql, [limit(packs)], |row| Ok(pack_from(row)?))?;
    found.into_iter().map(|pack| with_makes(tx, pack)).collect()
}

/// Up to `packs` packs of which half or less lives, but something does, after the one with `after` live bytes and id; the
/// fewest live bytes first.
///
/// # Errors
/// As for every reading.
pub fn hollow(tx: &Tx<'_>, after: (u64, PackId), packs: usize) -> Result<Vec<PackView>> {
    let sql = format!(
        "{PACK} WHERE live_bytes * 2 <= bytes AND live_bytes > 0 AND k > 0 AND (live_bytes, id) > (?1, ?2)
         ORDER BY live_bytes, id LIMIT ?3"
    );
    let found = tx.all(&sql, (Int(after.0), after.1.0, limit(packs)), |row| Ok(pack_from(row)?))?;
    found.into_iter().map(|pack| with_makes(tx, pack)).collect()
}

/// How many makes are recorded, and the bytes of their lanes. Reads the whole table: for budgets and forecasts.
///
/// # Errors
/// As for every reading.
pub fn makes_total(tx: &Tx<'_>) -> Result<(u64, u64)> {
    let sql = "SELECT count(*), coalesce(sum(lane_bytes), 0) FROM make";
    Ok(tx.one(sql, [], |row| Ok((int(row, 0)?, int(row, 1)?)))?.unwrap_or((0, 0)))
}

/// Bytes of the lanes that are recorded at each target. Reads the whole table: for moving shards to emptier firms.
///
/// # Errors
/// As for every reading.
pub fn bytes_by_target(tx: &Tx<'_>) -> Result<Vec<(TargetId, u64)>> {
    let sql = "SELECT target, sum(lane_bytes) FROM make GROUP BY target ORDER BY target";
    tx.all(sql, [], |row| Ok((TargetId(row.get(0)?), int(row, 1)?)))
}

fn with_makes(tx: &Tx<'_>, mut pack: PackView) -> Result<PackView> {
    pack.makes = makes(tx, pack.id)?;
    Ok(pack)
}

fn pack_from(row: &Row<'_>) -> rusqlite::Result<PackView> {
    Ok(PackView {
        id: PackId(row.get(0)?),
        k: row.get(1)?,
        codec: row.get(2)?,
        cell_bytes: row.get(3)?,
        live_bytes: int(row, 4)?,
        revision: int(row, 5)?,
        bytes: int(row, 6)?,
        makes: Vec::new(),
    })
}

const MAKE: &str = "SELECT m.lane, m.make, m.target, m.lane_bytes, m.root,
    s.state, s.verified_us, s.verified_at, s.verified_generation, m.pack
  FROM make m LEFT JOIN make_state s ON s.pack = m.pack AND s.make = m.make";

/// The makes of a pack with what is known of each, by lane.
///
/// # Errors
/// As for every reading.
pub fn makes(tx: &Tx<'_>, pack: PackId) -> Result<Vec<MakeView>> {
    tx.all(&format!("{MAKE} WHERE m.pack = ?1 ORDER BY m.lane, m.make"), [pack.0], view_from)
}

fn view_from(row: &Row<'_>) -> Result<MakeView> {
    Ok(MakeView { make: make_from(row)?, finding: finding_from(row, 5)? })
}

pub(crate) fn make_from(row: &Row<'_>) -> rusqlite::Result<Make> {
    Ok(Make {
        lane: row.get(0)?,
        make: MakeId(row.get(1)?),
        target: TargetId(row.get(2)?),
        lane_bytes: int(row, 3)?,
        root: row.get(4)?,
    })
}

/// A finding from four columns, or the default one if they are NULL.
pub(crate) fn finding_from(row: &Row<'_>, first: usize) -> Result<Finding> {
    let Some(state) = row.get(first)? else { return Ok(Finding::default()) };
    Ok(Finding {
        state: state_from(state)?,
        verified_us: row.get(first + 1)?,
        verified_at: ServiceTime(int(row, first + 2)?),
        verified_generation: int(row, first + 3)?,
    })
}

/// Notes what was found out about a make.
///
/// # Errors
/// As for every writing.
pub fn set_finding(tx: &mut Tx<'_>, pack: PackId, make: MakeId, finding: &Finding) -> Result<()> {
    tx.run(
        "INSERT INTO make_state (pack, make, state, verified_us, verified_at, verified_generation)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6)
         ON CONFLICT (pack, make) DO UPDATE SET state = excluded.state, verified_us = excluded.verified_us,
           verified_at = excluded.verified_at, verified_generation = excluded.verified_generation",
        (
            pack.0,
            make.0,
            state_number(finding.state),
            finding.verified_us,
            Int(finding.verified_at.0),
            Int(finding.verified_generation),
        ),
    )
    .map(drop)
}

/// Sets the state of the makes at a target, for up to `packs` packs after `after`, and keeps when they were verified.
/// Returns the last pack, to go on from; `None` when there are no more.
///
/// # Errors
/// As for every writing.
pub fn set_state_at_target(
    tx: &mut Tx<'_>,
    target: TargetId,
    state: MakeState,
    after: PackId,
    packs: usize,
) -> Result<Option<PackId>> {
    let found = at_target(tx, target, after, packs)?;
    for pack in &found {
        tx.run(
            "INSERT INTO make_state (pack, make, state, verified_us, verified_at, verified_generation)
             SELECT pack, make, ?3, NULL, 0, 0 FROM make WHERE pack = ?1 AND target = ?2
             ON CONFLICT (pack, make) DO UPDATE SET state = excluded.state",
            (pack.0, target.0, state_number(state)),
        )?;
    }
    Ok(found.last().copied())
}

/// Up to `packs` packs after `after` that have a make at the target, by id.
///
/// # Errors
/// As for every reading.
pub fn at_target(tx: &Tx<'_>, target: TargetId, after: PackId, packs: usize) -> Result<Vec<PackId>> {
    let sql = "SELECT DISTINCT pack FROM make WHERE target = ?1 AND pack > ?2 ORDER BY pack LIMIT ?3";
    tx.all(sql, (target.0, after.0, limit(packs)), |row| Ok(PackId(row.get(0)?)))
}

/// Up to `packs` packs after `after` that have a make in this state (suspect or bad), by id.
///
/// # Errors
/// As for every reading.
pub fn with_state(tx: &Tx<'_>, state: MakeState, after: PackId, packs: usize) -> Result<Vec<PackId>> {
    let sql = "SELECT DISTINCT pack FROM make_state
               WHERE state = ?1 AND state <> 0 AND pack > ?2 ORDER BY pack LIMIT ?3";
    tx.all(sql, (state_number(state), after.0, limit(packs)), |row| Ok(PackId(row.get(0)?)))
}

/// Whether a record of the pack, or of its makes, is there.
///
/// # Errors
/// As for every reading.
pub fn is_known(tx: &Tx<'_>, id: PackId) -> Result<bool> {
    tx.any("SELECT 1 FROM pack WHERE id = ?1", [id.0])
}

/// When a pack was declared gone, if it was.
///
/// # Errors
/// As for every reading.
pub fn gone(tx: &Tx<'_>, id: PackId) -> Result<Option<ServiceTime>> {
    tx.one("SELECT gone_at FROM pack_gone WHERE id = ?1", [id.0], |row| Ok(ServiceTime(int(row, 0)?)))
}

pub(crate) fn state_number(state: MakeState) -> i64 {
    match state {
        MakeState::Good => 0,
        MakeState::Suspect => 1,
        MakeState::Bad => 2,
    }
}

fn state_from(number: i64) -> Result<MakeState> {
    Ok(match number {
        0 => MakeState::Good,
        1 => MakeState::Suspect,
        2 => MakeState::Bad,
        _ => return Err(Error::Value { what: "make_state.state" }),
    })
}
