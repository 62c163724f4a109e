//! Journal objects: immutable batches of records, and small files whole.
//!
//! ```text
//! header | entry, its payloads | entry, its payloads | … | count, length | BLAKE3 of all before
//! entry: scope, epoch, revision, lengths | payload table | open part | account part | service part
//! ```
//!
//! The hash finds damage; it is no seal. What binds an entry to its object, its place in it, its scope and revision, its
//! payloads and its open part is the tag of its sealed part: every entry has exactly one, the account's or the cluster's,
//! even when it is empty. So the holder of a key can tell a record from a forgery, and everybody else knows that
//! the open part is to be believed for now only.

use std::ops::Range;

use model::{
    Change, Record, Scope,
    id::{AccountId, ClusterId, ObjectId, SegmentId},
    units::TAG_BYTES,
};

use crate::{
    error::{Error, Result},
    keys::{AccountKey, ClusterKey, Gcm, Key, KeySource, record_key},
    name::journal_name,
    record::{self, Part},
    wire::{HASH_BYTES, Reader, check_hash, check_name},
};

const MAGIC: &[u8; 8] = b"HFjrnl\0\0";
const OBJECT: &str = "journal object";
/// Bytes before the first entry.
pub const JOURNAL_HEADER_BYTES: usize = 8 + 4 + 16 + 3 * 8 + 2 * 16 + 32;
/// Bytes of an entry before its payload table.
const ENTRY_BYTES: usize = 1 + 16 + 2 * 8 + 4 * 4;
/// Bytes of one line of a payload table.
const PAYLOAD_BYTES: usize = 16 + 8;
/// Count of entries, length of the object, hash.
const TRAILER_BYTES: usize = 4 + 8 + HASH_BYTES;
/// The purpose of the keys of journal objects.
const INFO: &[u8] = b"holdfast/v1/journal";

mod builder;

pub use builder::JournalBuilder;

/// Which object of the journal this is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct JournalHeader {
    /// The cluster.
    pub cluster: ClusterId,
    /// The epoch it was written in.
    pub epoch: u64,
    /// Its place in the epoch's line: 1, 2, 3, ….
    pub seq: u64,
    /// `(start << 32) | attempt`: of several objects for one place, the latest counts.
    pub stamp: u64,
    /// Its id.
    pub id: ObjectId,
    /// The object before it; zeros for an epoch's first.
    pub prev: ObjectId,
}

impl JournalHeader {
    /// Its name at a target.
    pub fn name(&self) -> String {
        journal_name(self.epoch, self.seq, self.stamp, self.id)
    }

    /// The start of the service that wrote it.
    pub fn start(&self) -> u64 {
        self.stamp >> 32
    }
}

/// The key that a record is sealed under: its scope's.
#[derive(Clone, Copy, Debug)]
pub enum RecordKey<'a> {
    /// An account's.
    Account(&'a AccountKey),
    /// The cluster's.
    Cluster(&'a ClusterKey),
}

impl RecordKey<'_> {
    pub(crate) fn key(&self) -> &Key {
        match self {
            Self::Account(key) => key.record_key(),
            Self::Cluster(key) => key.record_key(),
        }
    }

    /// Whether it is of this scope's kind.
    pub(crate) fn fits(&self, scope: Scope) -> bool {
        matches!((self, scope), (Self::Account(_), Scope::Account(_)) | (Self::Cluster(_), Scope::Cluster))
    }
}

/// Where a small file's sealed bytes lie in a journal object.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct PayloadAt {
    /// The segment.
    pub segment: SegmentId,
    /// First byte, counted from the start of the object.
    pub offset: u64,
    /// Sealed length.
    pub bytes: u64,
}

impl PayloadAt {
    /// Where it lies.
    pub fn range(&self) -> Range<u64> {
        self.offset..self.offset + self.bytes
    }
}

/// A journal object that was read: whole, but not unsealed yet.
#[derive(Clone, Debug)]
pub struct JournalObject {
    /// Which one it is.
    pub header: JournalHeader,
    /// Its length.
    pub bytes: u64,
    /// Its records in order.
    pub entries: Vec<Entry>,
}

/// One record of a journal object, its sealed part still sealed.
#[derive(Clone, Debug)]
pub struct Entry {
    /// Whose revision it is.
    pub scope: Scope,
    /// The epoch that made it.
    pub epoch: u64,
    /// The scope's counter after it.
    pub revision: u64,
    /// What everybody may read. Proven by [`Entry::unseal`] only.
    pub open: Vec<Change>,
    /// Small files' sealed bytes in the object.
    pub payloads: Vec<PayloadAt>,
    index: u32,
    object: ObjectId,
    salt: [u8; 32],
    aad: Vec<u8>,
    sealed: Vec<u8>,
}

impl JournalObject {
    /// Reads an object: its hash first.
    ///
    /// # Errors
    /// Damaged, or refused if its format is newer.
    pub fn decode(bytes: &[u8]) -> Result<Self> {
        let mut reader = Reader::open(OBJECT, MAGIC, bytes)?;
        let inside = check_hash(OBJECT, bytes)?;
        if bytes.len() < JOURNAL_HEADER_BYTES + TRAILER_BYTES {
            let expected = (JOURNAL_HEADER_BYTES + TRAILER_BYTES) as u64;
            return Err(Error::Short { object: OBJECT, field: "header", expected, got: bytes.len() as u64 });
        }
        let header = JournalHeader {
            cluster: ClusterId(reader.array("cluster")?),
            epoch: reader.u64("epoch")?,
            seq: reader.u64("seq")?,
            stamp: reader.u64("stamp")?,
            id: ObjectId(reader.array("id")?),
            prev: ObjectId(reader.array("prev")?),
        };
        let salt = reader.array("salt")?;
        let (body, trailer) = inside.split_at(inside.len() - (TRAILER_BYTES - HASH_BYTES));
        let mut trailer = Reader::new(OBJECT, trailer);
        let (count, length) = (trailer.u32("entries")?, trailer.u64("object_bytes")?);
        if length != bytes.len() as u64 {
            return Err(trailer.value("object_bytes", bytes.len(), length));
        }
        let body = Body { bytes: body, header: &bytes[..JOURNAL_HEADER_BYTES], object: header.id, salt };
        let mut reader = Reader::new(OBJECT, &body.bytes[JOURNAL_HEADER_BYTES..]);
        let room = reader.fits("entries", u64::from(count), ENTRY_BYTES + TAG_BYTES)?;
        let mut entries = Vec::with_capacity(room);
        for index in 0..count {
            entries.push(body.entry(&mut reader, index)?);
        }
        reader.end()?;
        Ok(Self { header, bytes: length, entries })
    }
}

impl JournalObject {
    /// Reads the object that is stored as `name`: a firm may answer with another one, as whole as any.
    ///
    /// # Errors
    /// As [`Self::decode`]; damaged if it is another.
    pub fn decode_named(name: &str, bytes: &[u8]) -> Result<Self> {
        let object = Self::decode(bytes)?;
        check_name(OBJECT, name, &object.header.name())?;
        Ok(object)
    }
}

impl Entry {
    /// Unseals the record, and so proves its open part and payload table.
    ///
    /// # Errors
    /// Refused: no key of its scope is at hand. Damaged: its tag does not fit.
    pub fn unseal(&self, keys: &dyn KeySource) -> Result<Record> {
        let part = part_of(self.scope);
        let gcm = object_key(record_key(keys, self.scope)?, &self.salt, self.object);
        let mut sealed = self.sealed.clone();
        let field = if part == Part::Account { "account part" } else { "service part" };
        let plain = gcm.unseal(nonce(part, self.index), &self.aad, &mut sealed);
        sealed.truncate(plain.ok_or(Error::Seal { object: OBJECT, field })?);
        let mut changes = self.open.clone();
        changes.extend(record::decode_part(part, &sealed)?);
        Ok(Record { epoch: self.epoch, scope: self.scope, revision: self.revision, changes })
    }
}

/// What all entries of an object are read from.
struct Body<'a> {
    bytes: &'a [u8],
    header: &'a [u8],
    object: ObjectId,
    salt: [u8; 32],
}

impl Body<'_> {
    fn entry(&self, reader: &mut Reader<'_>, index: u32) -> Result<Entry> {
        let start = self.bytes.len() - reader.left();
        let scope = take_scope(reader)?;
        let (epoch, revision) = (reader.u64("entry epoch")?, reader.u64("revision")?);
        let payload_count = reader.u32("payloads")?;
        let (open_bytes, account_bytes) = (reader.u32("open_bytes")?, reader.u32("account_bytes")?);
        let service_bytes = reader.u32("service_bytes")?;
        let (sealed_bytes, other, sealed_field, other_field) = match scope {
            Scope::Account(_) => (account_bytes, service_bytes, "account_bytes", "service_bytes"),
            Scope::Cluster => (service_bytes, account_bytes, "service_bytes", "account_bytes"),
        };
        if (sealed_bytes as usize) < TAG_BYTES {
            return Err(reader.value(sealed_field, "16 or more", sealed_bytes));
        }
        if other != 0 {
            return Err(reader.value(other_field, 0, other));
        }
        let count = reader.fits("payloads", u64::from(payload_count), PAYLOAD_BYTES)?;
        let table = (0..count)
            .map(|_| Ok((SegmentId(reader.array("payload segment")?), reader.u64("payload bytes")?)))
            .collect::<Result<Vec<_>>>()?;
        let open = record::decode_part(Part::Open, reader.take("open part", open_bytes as usize)?)?;
        if !open.is_empty() && scope != Scope::Cluster {
            return Err(reader.value("open_bytes", "0 for an account", open_bytes));
        }
        let aad_end = self.bytes.len() - reader.left();
        let sealed = reader.take("sealed part", sealed_bytes as usize)?.to_vec();
        let mut payloads = Vec::with_capacity(count);
        for (segment, bytes) in table {
            let offset = (self.bytes.len() - reader.left()) as u64;
            let count = reader.fits("payload bytes", bytes, 1)?;
            reader.take("payload bytes", count)?;
            payloads.push(PayloadAt { segment, offset, bytes });
        }
        let aad = [self.header, &self.bytes[start..aad_end]].concat();
        let Self { object, salt, .. } = *self;
        Ok(Entry { scope, epoch, revision, open, payloads, index, object, salt, aad, sealed })
    }
}

/// The sealed part that every record of a scope has.
pub(crate) fn part_of(scope: Scope) -> Part {
    match scope {
        Scope::Cluster => Part::Service,
        Scope::Account(_) => Part::Account,
    }
}

/// 17 bytes: 0 and zeros for the cluster, 1 and the id for an account.
pub(crate) fn put_scope(bytes: &mut Vec<u8>, scope: Scope) {
    match scope {
        Scope::Cluster => bytes.extend_from_slice(&[0; 17]),
        Scope::Account(id) => {
            bytes.push(1);
            bytes.extend_from_slice(&id.0);
        }
    }
}

pub(crate) fn take_scope(reader: &mut Reader<'_>) -> Result<Scope> {
    match reader.u8("scope")? {
        0 => reader.zeros("account", 16).map(|()| Scope::Cluster),
        1 => Ok(Scope::Account(AccountId(reader.array("account")?))),
        other => Err(reader.value("scope", "0 or 1", other)),
    }
}

/// Changes and key must be of the scope.
pub(crate) fn check_scope<'a>(
    scope: Scope,
    key: RecordKey<'_>,
    changes: impl IntoIterator<Item = &'a Change>,
) -> Result<()> {
    if !key.fits(scope) {
        return Err(misuse("key", "a key of the record's scope", "another"));
    }
    if changes.into_iter().all(|change| record::belongs(change, scope)) {
        return Ok(());
    }
    Err(misuse("changes", "changes of the record's scope", "another's"))
}

/// The key of an object for one scope's parts: another object has another, even if its salt were drawn twice.
fn object_key(record_key: &Key, salt: &[u8; 32], id: ObjectId) -> Gcm {
    record_key.derive(salt, &[INFO, &id.0]).gcm()
}

/// Part and place: a key is used once per part and entry.
fn nonce(part: Part, index: u32) -> [u8; 12] {
    let mut nonce = [0; 12];
    nonce[0] = u8::from(part == Part::Service);
    nonce[8..].copy_from_slice(&index.to_be_bytes());
    nonce
}

fn misuse(field: &'static str, expected: impl ToString, got: impl ToString) -> Error {
    Error::Misuse { object: OBJECT, field, expected: expected.to_string(), got: got.to_string() }
}
