//! Copied objects (journal objects, snapshots, envelopes, address books) and where their copies lie. Local: after a
//! rebuild the targets' listings say it again.

use crate::{
    error::{Error, Result},
    packs::{Finding, finding_from, state_number},
    tx::{Int, Tx, int, int_or_null, limit},
};
use model::{
    id::{ObjectId, TargetId},
    pack::MakeState,
    units::ServiceTime,
};
use rusqlite::Row;

/// What a copied object is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum ObjectKind {
    /// A batch of records.
    Journal,
    /// A part of a snapshot's layer.
    Snapshot,
    /// The envelope of an account or of the cluster.
    Envelope,
    /// Where the targets are, sealed to an envelope's recipients.
    AddressBook,
    /// A signed checkpoint of the ledger.
    Checkpoint,
}

/// One copied object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ObjectRow {
    /// Its id.
    pub id: ObjectId,
    /// What it is.
    pub kind: ObjectKind,
    /// Its name at every target.
    pub name: String,
    /// Its length.
    pub bytes: u64,
    /// BLAKE3 of all of it.
    pub hash: [u8; 32],
    /// Since when nothing needs it, if nothing does.
    pub released: Option<ServiceTime>,
}

/// One copy of an object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Copy {
    /// Where it lies.
    pub target: TargetId,
    /// What is known of it.
    pub finding: Finding,
}

/// An object with its copies.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ObjectView {
    /// The object.
    pub object: ObjectRow,
    /// Its copies, by target.
    pub copies: Vec<Copy>,
}

const OBJECT: &str = "SELECT id, kind, name, bytes, hash, released_at FROM object";
const COPY: &str = "SELECT target, state, verified_us, verified_at, verified_generation, object FROM object_copy";

/// Notes a new object, without copies yet.
///
/// # Errors
/// As for every writing.
pub fn insert(tx: &mut Tx<'_>, object: &ObjectRow) -> Result<()> {
    tx.run(
        "INSERT INTO object (id, kind, name, bytes, hash, released_at, good_copies) VALUES (?1, ?2, ?3, ?4, ?5, ?6, 0)",
        (
            object.id.0,
            kind_number(object.kind),
            &object.name,
            Int(object.bytes),
            object.hash,
            object.released.map(|at| Int(at.0)),
        ),
    )
    .map(drop)
}

/// Notes a copy, or what was found out about one.
///
/// # Errors
/// As for every writing.
pub fn set_copy(tx: &mut Tx<'_>, object: ObjectId, copy: &Copy) -> Result<()> {
    let finding = &copy.finding;
    let was_good = is_good(tx, object, copy.target)?;
    tx.run(
        "INSERT INTO object_copy (object, target, state, verified_us, verified_at, verified_generation)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6)
         ON CONFLICT (object, target) DO UPDATE SET state = excluded.state, verified_us = excluded.verified_us,
           verified_at = excluded.verified_at, verified_generation = excluded.verified_generation",
        (
            object.0,
            copy.target.0,
            state_number(finding.state),
            finding.verified_us,
            Int(finding.verified_at.0),
            Int(finding.verified_generation),
        ),
    )?;
    count(tx, object, i64::from(finding.state == MakeState::Good) - i64::from(was_good))
}

/// Forgets a copy; false if there was none.
///
/// # Errors
/// As for every writing.
pub fn delete_copy(tx: &mut Tx<'_>, object: ObjectId, target: TargetId) -> Result<bool> {
    let was_good = is_good(tx, object, target)?;
    let deleted = tx.run("DELETE FROM object_copy WHERE object = ?1 AND target = ?2", (object.0, target.0))? > 0;
    count(tx, object, -i64::from(was_good))?;
    Ok(deleted)
}

fn is_good(tx: &Tx<'_>, object: ObjectId, target: TargetId) -> Result<bool> {
    tx.any("SELECT 1 FROM object_copy WHERE object = ?1 AND target = ?2 AND state = 0", (object.0, target.0))
}

fn count(tx: &mut Tx<'_>, object: ObjectId, more: i64) -> Result<()> {
    if more != 0 {
        tx.run("UPDATE object SET good_copies = good_copies + ?2 WHERE id = ?1", (object.0, more))?;
    }
    Ok(())
}

/// Notes that nothing needs the object from `at` on: its copies may go.
///
/// # Errors
/// As for every writing.
pub fn release(tx: &mut Tx<'_>, object: ObjectId, at: ServiceTime) -> Result<()> {
    let sql = "UPDATE object SET released_at = ?2 WHERE id = ?1 AND released_at IS NULL";
    tx.run(sql, (object.0, Int(at.0))).map(drop)
}

/// Forgets an object and its copies.
///
/// # Errors
/// As for every writing.
pub fn delete(tx: &mut Tx<'_>, object: ObjectId) -> Result<()> {
    for sql in [
        "DELETE FROM object_copy WHERE object = ?1",
        "DELETE FROM journal_scope WHERE object = ?1",
        "DELETE FROM journal_object WHERE (epoch, seq, id) IN (SELECT epoch, seq, id FROM journal_object WHERE id = ?1)",
        "DELETE FROM object WHERE id = ?1",
    ] {
        tx.run(sql, [object.0])?;
    }
    Ok(())
}

/// One object with its copies.
///
/// # Errors
/// As for every reading.
pub fn view(tx: &Tx<'_>, id: ObjectId) -> Result<Option<ObjectView>> {
    let found = tx.all(&format!("{OBJECT} WHERE id = ?1"), [id.0], object_from)?.pop();
    found.map(|object| with_copies(tx, object)).transpose()
}

/// Up to `objects` objects after the id `after`, released ones too, by id.
///
/// # Errors
/// As for every reading.
pub fn views(tx: &Tx<'_>, after: ObjectId, objects: usize) -> Result<Vec<ObjectView>> {
    let sql = format!("{OBJECT} WHERE id > ?1 ORDER BY id LIMIT ?2");
    let found = tx.all(&sql, (after.0, limit(objects)), object_from)?;
    let mut found: Vec<_> = found.into_iter().map(|object| ObjectView { object, copies: Vec::new() }).collect();
    let Some(last) = found.last().map(|view| view.object.id) else { return Ok(found) };
    // One walk over both tables: a query for each object would cost more than what it finds.
    let sql = format!("{COPY} WHERE object > ?1 AND object <= ?2 ORDER BY object, target");
    let mut at = 0;
    tx.each(&sql, (after.0, last.0), |row| {
        let object = ObjectId(row.get(5)?);
        while found.get(at).is_some_and(|view| view.object.id < object) {
            at += 1;
        }
        if let Some(view) = found.get_mut(at).filter(|view| view.object.id == object) {
            view.copies.push(copy_from(row)?);
        }
        Ok::<_, Error>(())
    })?;
    Ok(found)
}

/// Up to `objects` objects in use with fewer than `copies` good copies, the fewest first.
///
/// # Errors
/// As for every reading.
pub fn thin(tx: &Tx<'_>, copies: usize, objects: usize) -> Result<Vec<ObjectView>> {
    let sql = format!("{OBJECT} WHERE released_at IS NULL AND good_copies < ?1 ORDER BY good_copies, id LIMIT ?2");
    let found = tx.all(&sql, (limit(copies), limit(objects)), object_from)?;
    found.into_iter().map(|object| with_copies(tx, object)).collect()
}

/// Up to `objects` objects that nothing needs, by id.
///
/// # Errors
/// As for every reading.
pub fn released(tx: &Tx<'_>, after: ObjectId, objects: usize) -> Result<Vec<ObjectView>> {
    let sql = format!("{OBJECT} WHERE released_at IS NOT NULL AND id > ?1 ORDER BY id LIMIT ?2");
    let found = tx.all(&sql, (after.0, limit(objects)), object_from)?;
    found.into_iter().map(|object| with_copies(tx, object)).collect()
}

/// The object of that name, if one is known.
///
/// # Errors
/// As for every reading.
pub fn named(tx: &Tx<'_>, name: &str) -> Result<Option<ObjectView>> {
    let found = tx.all(&format!("{OBJECT} WHERE name = ?1 ORDER BY id LIMIT 1"), [name], object_from)?.pop();
    found.map(|object| with_copies(tx, object)).transpose()
}

/// Up to `objects` objects after `after` that have a copy at the target, by id.
///
/// # Errors
/// As for every reading.
pub fn at_target(tx: &Tx<'_>, target: TargetId, after: ObjectId, objects: usize) -> Result<Vec<ObjectId>> {
    let sql = "SELECT object FROM object_copy WHERE target = ?1 AND object > ?2 ORDER BY object LIMIT ?3";
    tx.all(sql, (target.0, after.0, limit(objects)), |row| Ok(ObjectId(row.get(0)?)))
}

/// The objects in use with a copy at the target that is not known to be bad, whose names lie after `from` and not after
/// `upto` (`None`: to the end), by name; with the length of each.
///
/// # Errors
/// As for every reading.
pub fn names_at(tx: &Tx<'_>, target: TargetId, from: &str, upto: Option<&str>) -> Result<Vec<(ObjectId, String, u64)>> {
    let sql = "SELECT o.id, o.name, o.bytes FROM object_copy c JOIN object o ON o.id = c.object
               WHERE c.target = ?1 AND c.state <> ?4 AND o.released_at IS NULL
                 AND o.name > ?2 AND (?3 IS NULL OR o.name <= ?3) ORDER BY o.name";
    let bad = state_number(MakeState::Bad);
    tx.all(sql, (target.0, from, upto, bad), |row| Ok((ObjectId(row.get(0)?), row.get(1)?, int(row, 2)?)))
}

/// The objects of a kind that are in use, by name.
///
/// # Errors
/// As for every reading.
pub fn of_kind(tx: &Tx<'_>, kind: ObjectKind) -> Result<Vec<ObjectView>> {
    let sql = format!("{OBJECT} WHERE kind = ?1 AND released_at IS NULL ORDER BY name");
    let found = tx.all(&sql, [kind_number(kind)], object_from)?;
    found.into_iter().map(|object| with_copies(tx, object)).collect()
}

fn with_copies(tx: &Tx<'_>, object: ObjectRow) -> Result<ObjectView> {
    let copies = tx.all(&format!("{COPY} WHERE object = ?1 ORDER BY target"), [object.id.0], copy_from)?;
    Ok(ObjectView { object, copies })
}

fn copy_from(row: &Row<'_>) -> Result<Copy> {
    Ok(Copy { target: TargetId(row.get(0)?), finding: finding_from(row, 1)? })
}

fn object_from(row: &Row<'_>) -> Result<ObjectRow> {
    Ok(ObjectRow {
        id: ObjectId(row.get(0)?),
        kind: kind_from(row.get(1)?)?,
        name: row.get(2)?,
        bytes: int(row, 3)?,
        hash: row.get(4)?,
        released: int_or_null(row, 5)?.map(ServiceTime),
    })
}

fn kind_number(kind: ObjectKind) -> i64 {
    match kind {
        ObjectKind::Journal => 0,
        ObjectKind::Snapshot => 1,
        ObjectKind::Envelope => 2,
        ObjectKind::AddressBook => 3,
        ObjectKind::Checkpoint => 4,
    }
}

fn kind_from(number: i64) -> Result<ObjectKind> {
    Ok(match number {
        0 => ObjectKind::Journal,
        1 => ObjectKind::Snapshot,
        2 => ObjectKind::Envelope,
        3 => ObjectKind::AddressBook,
        4 => ObjectKind::Checkpoint,
        _ => return Err(Error::Value { what: "object.kind" }),
    })
}
