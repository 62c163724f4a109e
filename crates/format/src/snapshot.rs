//! Snapshots: where the records of a scope have led, in layers.
//!
//! A *layer* states the rows of one scope that changed in revisions `from + 1 ..= to`, tombstones included; layers whose ends
//! meet make a *chain*, and a chain from 0 is a snapshot. So writing a snapshot costs what changed since the last, and
//! merging a few layers into one costs what they hold. A layer comes in parts of about 4 MiB, each an object of its own, and
//! their names alone say which chains are complete ([`pick_layers`]).
//!
//! A chain never mixes epochs: the first layer of a scope in an epoch starts at 0, so it needs nothing that an earlier life
//! wrote.

use std::collections::{BTreeMap, BTreeSet};

use model::{
    Change, Record, Scope,
    id::{ClusterId, ObjectId},
    units::TAG_BYTES,
    world::Entropy,
};

use crate::{
    FORMAT_VERSION,
    error::{Error, Result},
    journal::{JournalHeader, RecordKey, check_scope, part_of, put_scope, take_scope},
    keys::{KeySource, record_key},
    name::{hex_digits, number, parse_scope_word, scope_word, words},
    record::{self, Part},
    wire::{HASH_BYTES, Reader, check_name, put_hash, put_varint},
};

const MAGIC: &[u8; 8] = b"HFlayer\0";
const OBJECT: &str = "layer";
/// Plain bytes of rows after which another part begins. One row may be longer.
const PART_BYTES: usize = (4 << 20) - 4096;
/// Bytes of a part before its open rows.
const PREFIX_BYTES: usize = 8 + 4 + 16 + 8 + 17 + 2 * 8 + 16 + 2 * 4 + 16 + 8 + 32 + 2 * 4;
/// The purpose of the keys of layer parts.
const INFO: &[u8] = b"holdfast/v1/layer";

/// Which part of which layer this is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct LayerHeader {
    /// The cluster.
    pub cluster: ClusterId,
    /// The epoch it was written in.
    pub epoch: u64,
    /// Whose rows it states.
    pub scope: Scope,
    /// It states what changed after this revision…
    pub from: u64,
    /// … up to and including this one.
    pub to: u64,
    /// The layer, one id for all its parts.
    pub layer: ObjectId,
    /// Which part, from 0.
    pub part: u32,
    /// How many parts the layer has.
    pub parts: u32,
    /// This part's own id.
    pub id: ObjectId,
    /// The last journal object that was in force when it was made.
    pub made_at_seq: u64,
}

impl LayerHeader {
    /// Whether a record in a journal object never counted: it goes beyond what was in force when the layer was made, and the
    /// object claims a place before that. What took its place may be released by now, and its revision is another's.
    pub fn disowns(&self, object: &JournalHeader, record: &Record) -> bool {
        (self.scope, self.epoch) == (record.scope, object.epoch)
            && object.seq <= self.made_at_seq
            && record.revision > self.to
    }

    /// Whether the layer states what a record of its epoch changed.
    pub fn covers(&self, record: &Record) -> bool {
        (self.scope, self.epoch) == (record.scope, record.epoch)
            && self.from < record.revision
            && record.revision <= self.to
    }
}

impl LayerHeader {
    /// What its name says.
    pub fn layer_name(&self) -> LayerName {
        let Self { scope, epoch, from, to, layer, part, parts, .. } = *self;
        LayerName { scope, epoch, from, to, layer, part, parts }
    }

    /// Its name at a target.
    pub fn name(&self) -> String {
        self.layer_name().to_string()
    }
}

/// What the name of a layer's part says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct LayerName {
    /// Whose rows it states.
    pub scope: Scope,
    /// The epoch it was written in.
    pub epoch: u64,
    /// It states what changed after this revision…
    pub from: u64,
    /// … up to and including this one.
    pub to: u64,
    /// The layer.
    pub layer: ObjectId,
    /// Which part, from 0.
    pub part: u32,
    /// How many parts the layer has.
    pub parts: u32,
}

impl std::fmt::Display for LayerName {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { scope, epoch, from, to, layer, part, parts } = self;
        let scope = scope_word(*scope);
        write!(f, "snapshots/{scope}/{epoch:016x}-{to:016x}-{from:016x}-{layer}-{part:08x}-{parts:08x}")
    }
}

/// `snapshots/<account, or "cluster">/<epoch>-<to>-<from>-<layer>-<part>-<parts>`
pub fn snapshot_name(scope: Scope, from: u64, to: u64, epoch: u64, layer: ObjectId, part: u32, parts: u32) -> String {
    LayerName { scope, epoch, from, to, layer, part, parts }.to_string()
}

/// Reads the name of a layer's part; `None` for any other name.
pub fn parse_snapshot_name(name: &str) -> Option<LayerName> {
    let (scope, file) = name.strip_prefix("snapshots/")?.split_once('/')?;
    let [epoch, to, from, layer, part, parts] = words(file)?;
    let (from, to) = (number(from)?, number(to)?);
    let (part, parts) = (hex_digits(part, 8)? as u32, hex_digits(parts, 8)? as u32);
    let (scope, layer) = (parse_scope_word(scope)?, ObjectId::parse(layer).ok()?);
    let sound = from < to && part < parts;
    sound.then_some(LayerName { scope, epoch: number(epoch)?, from, to, layer, part, parts })
}

/// What all parts of a new layer have in common.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct LayerBase {
    /// The cluster.
    pub cluster: ClusterId,
    /// The epoch.
    pub epoch: u64,
    /// Whose rows it states.
    pub scope: Scope,
    /// It states what changed after this revision…
    pub from: u64,
    /// … up to and including this one.
    pub to: u64,
    /// The layer's id.
    pub layer: ObjectId,
    /// The last journal object that was in force when it was made.
    pub made_at_seq: u64,
}

/// Writes a layer: all `rows` of the scope with the revisions that they changed at. It has one part at least, also without
/// rows: that nothing else changed is a statement.
///
/// # Errors
/// Bug: the range is empty, a row is of another scope or revision, or breaks a rule, or the key is of another kind.
pub fn encode_layer(
    base: &LayerBase,
    rows: &[(u64, Change)],
    key: RecordKey<'_>,
    entropy: &dyn Entropy,
) -> Result<Vec<(LayerHeader, Vec<u8>)>> {
    check_scope(base.scope, key, rows.iter().map(|(_, change)| change))?;
    if base.from >= base.to {
        return Err(misuse("to", format!("more than {}", base.from), base.to));
    }
    let parts = split(base, rows)?;
    let count = u32::try_from(parts.len()).map_err(|_| misuse("parts", "at most 2^32 - 1", parts.len()))?;
    let seal = |(part, rows): (u32, PlainPart)| {
        let header = LayerHeader {
            cluster: base.cluster,
            epoch: base.epoch,
            scope: base.scope,
            from: base.from,
            to: base.to,
            layer: base.layer,
            part,
            parts: count,
            id: ObjectId::random(entropy),
            made_at_seq: base.made_at_seq,
        };
        let mut salt = [0; 32];
        entropy.fill(&mut salt);
        seal_part(&header, salt, rows, key).map(|bytes| (header, bytes))
    };
    (0..count).zip(parts).map(seal).collect()
}

/// Rows of one part, as bytes.
#[derive(Default)]
struct PlainPart {
    open: Vec<u8>,
    sealed: Vec<u8>,
}

fn split(base: &LayerBase, rows: &[(u64, Change)]) -> Result<Vec<PlainPart>> {
    let mut parts = Vec::new();
    let mut part = PlainPart::default();
    for (revision, change) in rows {
        if *revision <= base.from || *revision > base.to {
            return Err(misuse("revision", format!("{} to {}", base.from + 1, base.to), revision));
        }
        let mut row = Vec::new();
        put_varint(&mut row, revision - base.from);
        record::put_change(&mut row, change)?;
        let full = part.open.len() + part.sealed.len();
        if full > 0 && full + row.len() > PART_BYTES {
            parts.push(std::mem::take(&mut part));
        }
        let side = if record::part_of(change) == Part::Open { &mut part.open } else { &mut part.sealed };
        side.extend_from_slice(&row);
    }
    parts.push(part);
    Ok(parts)
}

fn seal_part(header: &LayerHeader, salt: [u8; 32], rows: PlainPart, key: RecordKey<'_>) -> Result<Vec<u8>> {
    let length = |length: usize| u32::try_from(length).map_err(|_| misuse("length", "at most 4 GiB", length));
    let mut sealed = rows.sealed;
    sealed.resize(sealed.len() + TAG_BYTES, 0);
    let mut bytes = Vec::with_capacity(PREFIX_BYTES + rows.open.len() + sealed.len() + HASH_BYTES);
    bytes.extend_from_slice(MAGIC);
    bytes.extend_from_slice(&FORMAT_VERSION.to_le_bytes());
    bytes.extend_from_slice(&header.cluster.0);
    bytes.extend_from_slice(&header.epoch.to_le_bytes());
    put_scope(&mut bytes, header.scope);
    bytes.extend_from_slice(&header.from.to_le_bytes());
    bytes.extend_from_slice(&header.to.to_le_bytes());
    bytes.extend_from_slice(&header.layer.0);
    bytes.extend_from_slice(&header.part.to_le_bytes());
    bytes.extend_from_slice(&header.parts.to_le_bytes());
    bytes.extend_from_slice(&header.id.0);
    bytes.extend_from_slice(&header.made_at_seq.to_le_bytes());
    bytes.extend_from_slice(&salt);
    bytes.extend_from_slice(&length(rows.open.len())?.to_le_bytes());
    bytes.extend_from_slice(&length(sealed.len())?.to_le_bytes());
    bytes.extend_from_slice(&rows.open);
    if !key.key().derive(&salt, &[INFO, &header.id.0]).gcm().seal(NONCE, &bytes, &mut sealed) {
        return Err(misuse("rows", "bytes that AES-GCM seals", sealed.len()));
    }
    bytes.extend_from_slice(&sealed);
    put_hash(&mut bytes);
    Ok(bytes)
}

/// Each part has a key of its own, used once.
const NONCE: [u8; 12] = [0; 12];

/// A part of a layer that was read: whole, but not unsealed yet.
#[derive(Clone, Debug)]
pub struct LayerPart {
    /// Which one it is.
    pub header: LayerHeader,
    open: Vec<(u64, Change)>,
    salt: [u8; 32],
    aad: Vec<u8>,
    sealed: Vec<u8>,
}

/// Reads the part of a layer that is stored as `name`: a firm may answer with another one, as whole as any.
///
/// # Errors
/// As [`decode_layer_part`]; damaged if it is another.
pub fn decode_named_layer_part(name: &str, bytes: &[u8]) -> Result<LayerPart> {
    let part = decode_layer_part(bytes)?;
    check_name(OBJECT, name, &part.header.name())?;
    Ok(part)
}

/// Reads a part of a layer: its hash first.
///
/// # Errors
/// Damaged, or refused if its format is newer.
pub fn decode_layer_part(bytes: &[u8]) -> Result<LayerPart> {
    let mut reader = Reader::open_hashed(OBJECT, MAGIC, bytes)?;
    let header = LayerHeader {
        cluster: ClusterId(reader.array("cluster")?),
        epoch: reader.u64("epoch")?,
        scope: take_scope(&mut reader)?,
        from: reader.u64("from")?,
        to: reader.u64("to")?,
        layer: ObjectId(reader.array("layer")?),
        part: reader.u32("part")?,
        parts: reader.u32("parts")?,
        id: ObjectId(reader.array("id")?),
        made_at_seq: reader.u64("made_at_seq")?,
    };
    if header.from >= header.to {
        return Err(reader.value("to", format!("more than {}", header.from), header.to));
    }
    if header.part >= header.parts {
        return Err(reader.value("part", format!("less than {}", header.parts), header.part));
    }
    let salt = reader.array("salt")?;
    let (open_bytes, sealed_bytes) = (reader.u32("open_bytes")? as usize, reader.u32("sealed_bytes")? as usize);
    if sealed_bytes < TAG_BYTES {
        return Err(reader.value("sealed_bytes", "16 or more", sealed_bytes));
    }
    let open = take_rows(&header, Part::Open, reader.take("open rows", open_bytes)?)?;
    if !open.is_empty() && header.scope != Scope::Cluster {
        return Err(reader.value("open_bytes", "0 for an account", open_bytes));
    }
    let sealed = reader.take("sealed rows", sealed_bytes)?.to_vec();
    reader.end()?;
    let aad = bytes[..PREFIX_BYTES + open_bytes].to_vec();
    Ok(LayerPart { header, open, salt, aad, sealed })
}

impl LayerPart {
    /// The rows that everybody may read. Proven by [`LayerPart::unseal`] only.
    pub fn open_changes(&self) -> &[(u64, Change)] {
        &self.open
    }

    /// Unseals all rows, and so proves the open ones.
    ///
    /// # Errors
    /// Refused: no key of its scope is at hand. Damaged: its tag does not fit.
    pub fn unseal(&self, keys: &dyn KeySource) -> Result<Vec<(u64, Change)>> {
        let gcm = record_key(keys, self.header.scope)?.derive(&self.salt, &[INFO, &self.header.id.0]).gcm();
        let mut sealed = self.sealed.clone();
        let plain = gcm.unseal(NONCE, &self.aad, &mut sealed);
        sealed.truncate(plain.ok_or(Error::Seal { object: OBJECT, field: "sealed rows" })?);
        let mut rows = self.open.clone();
        rows.extend(take_rows(&self.header, part_of(self.header.scope), &sealed)?);
        Ok(rows)
    }
}

fn take_rows(header: &LayerHeader, part: Part, bytes: &[u8]) -> Result<Vec<(u64, Change)>> {
    let mut reader = Reader::new(OBJECT, bytes);
    let mut rows = Vec::new();
    while reader.left() > 0 {
        let step = reader.varint("revision")?;
        if step == 0 || step > header.to - header.from {
            return Err(reader.value("revision", format!("1 to {} after `from`", header.to - header.from), step));
        }
        rows.push((header.from + step, record::take_change(&mut reader, part)?));
    }
    reader.end()?;
    Ok(rows)
}

/// A layer of which every part was listed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Layer {
    /// The epoch it was written in.
    pub epoch: u64,
    /// It states what changed after this revision…
    pub from: u64,
    /// … up to and including this one.
    pub to: u64,
    /// Its id.
    pub layer: ObjectId,
    /// How many parts it has.
    pub parts: u32,
}

impl Layer {
    /// The names of its parts, in order.
    pub fn names(self, scope: Scope) -> impl Iterator<Item = LayerName> {
        let Self { epoch, from, to, layer, parts } = self;
        (0..parts).map(move |part| LayerName { scope, epoch, from, to, layer, part, parts })
    }
}

/// The best chain of complete layers from revision 0 of `scope`, in order: of the newest epoch that has one, the one that
/// reaches farthest, and of those the one with the fewest layers. Empty if there is none. The same from the same names.
pub fn pick_layers(scope: Scope, names: &[LayerName]) -> Vec<Layer> {
    let mut seen: BTreeMap<Layer, BTreeSet<u32>> = BTreeMap::new();
    for name in names.iter().filter(|name| name.scope == scope && name.from < name.to) {
        let LayerName { epoch, from, to, layer, part, parts, .. } = *name;
        seen.entry(Layer { epoch, from, to, layer, parts }).or_default().insert(part);
    }
    let complete = seen.into_iter().filter(|(layer, parts)| parts.range(..layer.parts).count() == layer.parts as usize);
    let mut by_epoch: BTreeMap<u64, Vec<Layer>> = BTreeMap::new();
    complete.for_each(|(layer, _)| by_epoch.entry(layer.epoch).or_default().push(layer));
    by_epoch.into_values().rev().map(|layers| chain_of(&layers)).find(|chain| !chain.is_empty()).unwrap_or_default()
}

/// The farthest, then shortest chain from 0 through `layers`, which are sorted by `from`.
fn chain_of(layers: &[Layer]) -> Vec<Layer> {
    // Where a chain can end: its number of layers, and the last of them. Every layer leads upwards, so one pass is enough.
    let mut ends: BTreeMap<u64, (usize, Layer)> = BTreeMap::new();
    for layer in layers {
        let steps = if layer.from == 0 { Some(0) } else { ends.get(&layer.from).map(|end| end.0) };
        let Some(steps) = steps else { continue };
        let end = ends.entry(layer.to).or_insert((steps + 1, *layer));
        if steps + 1 < end.0 {
            *end = (steps + 1, *layer);
        }
    }
    let mut chain = Vec::new();
    let mut at = ends.last_key_value().map_or(0, |(to, _)| *to);
    while let Some((_, layer)) = ends.get(&at) {
        chain.push(*layer);
        at = layer.from;
    }
    chain.reverse();
    chain
}

fn misuse(field: &'static str, expected: impl ToString, got: impl ToString) -> Error {
    Error::Misuse { object: OBJECT, field, expected: expected.to_string(), got: got.to_string() }
}
