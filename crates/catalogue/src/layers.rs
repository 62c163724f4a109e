//! Layers of snapshots: which revisions of a scope lie in which copied objects.

use crate::{
    error::{Error, Result},
    scopes::key,
    tx::{Int, Tx, int},
};
use model::{Scope, id::ObjectId};

/// One layer: all rows of a scope whose revision is above `from` and at most `to`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Layer {
    /// Its id.
    pub id: ObjectId,
    /// Whose.
    pub scope: Scope,
    /// Exclusive.
    pub from: u64,
    /// Inclusive.
    pub to: u64,
    /// Changes in it.
    pub row_count: u64,
    /// Bytes of its objects together.
    pub bytes: u64,
    /// Its parts in order, as copied objects.
    pub objects: Vec<ObjectId>,
}

/// Notes a layer.
///
/// # Errors
/// As for every writing.
pub fn insert(tx: &mut Tx<'_>, layer: &Layer) -> Result<()> {
    let objects: Vec<u8> = layer.objects.iter().flat_map(|object| object.0).collect();
    tx.run(
        "INSERT INTO layer (scope, id, from_revision, to_revision, row_count, bytes, objects)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
        (
            key(&layer.scope),
            layer.id.0,
            Int(layer.from),
            Int(layer.to),
            Int(layer.row_count),
            Int(layer.bytes),
            objects,
        ),
    )
    .map(drop)
}

/// The layers of a scope, by what they start from.
///
/// # Errors
/// As for every reading.
pub fn of_scope(tx: &Tx<'_>, scope: Scope) -> Result<Vec<Layer>> {
    let sql = "SELECT id, from_revision, to_revision, row_count, bytes, objects FROM layer
               WHERE scope = ?1 ORDER BY from_revision, to_revision, id";
    tx.all(sql, [key(&scope)], |row| {
        let objects: Vec<u8> = row.get(5)?;
        let (objects, rest) = objects.as_chunks::<16>();
        if !rest.is_empty() {
            return Err(Error::Value { what: "layer.objects" });
        }
        Ok(Layer {
            id: ObjectId(row.get(0)?),
            scope,
            from: int(row, 1)?,
            to: int(row, 2)?,
            row_count: int(row, 3)?,
            bytes: int(row, 4)?,
            objects: objects.iter().copied().map(ObjectId).collect(),
        })
    })
}

/// Forgets a layer.
///
/// # Errors
/// As for every writing.
pub fn delete(tx: &mut Tx<'_>, scope: Scope, id: ObjectId) -> Result<bool> {
    Ok(tx.run("DELETE FROM layer WHERE scope = ?1 AND id = ?2", (key(&scope), id.0))? > 0)
}
