//! Writing a journal object.

use bytes::Bytes;
use model::{
    Record,
    id::{ObjectId, SegmentId},
    units::TAG_BYTES,
};

use super::{
    JOURNAL_HEADER_BYTES, JournalHeader, MAGIC, PayloadAt, RecordKey, TRAILER_BYTES, check_scope, misuse, nonce,
    object_key, part_of, put_scope,
};
use crate::{
    FORMAT_VERSION,
    error::Result,
    record::{self, Part},
};

/// Writes a journal object. Payloads are passed through, not copied.
#[derive(Debug)]
pub struct JournalBuilder {
    header: Vec<u8>,
    id: ObjectId,
    salt: [u8; 32],
    pieces: Vec<Bytes>,
    /// What was written since the last piece.
    open: Vec<u8>,
    hasher: blake3::Hasher,
    bytes: u64,
    entries: u32,
    payloads: Vec<PayloadAt>,
}

impl JournalBuilder {
    /// Starts an object. `salt` must be freshly drawn: its keys come from it.
    pub fn new(header: &JournalHeader, salt: [u8; 32]) -> Self {
        let mut bytes = Vec::with_capacity(JOURNAL_HEADER_BYTES);
        bytes.extend_from_slice(MAGIC);
        bytes.extend_from_slice(&FORMAT_VERSION.to_le_bytes());
        bytes.extend_from_slice(&header.cluster.0);
        for number in [header.epoch, header.seq, header.stamp] {
            bytes.extend_from_slice(&number.to_le_bytes());
        }
        bytes.extend_from_slice(&header.id.0);
        bytes.extend_from_slice(&header.prev.0);
        bytes.extend_from_slice(&salt);
        Self {
            open: bytes.clone(),
            bytes: bytes.len() as u64,
            header: bytes,
            id: header.id,
            salt,
            pieces: Vec::new(),
            hasher: blake3::Hasher::new(),
            entries: 0,
            payloads: Vec::new(),
        }
    }

    /// Adds a record with the sealed bytes of the segments that travel with it.
    ///
    /// # Errors
    /// Bug: a change is of another scope or breaks a rule, the key is of another kind, or a part exceeds 4 GiB.
    pub fn push(&mut self, record: &Record, key: RecordKey<'_>, payloads: &[(SegmentId, Vec<Bytes>)]) -> Result<()> {
        check_scope(record.scope, key, &record.changes)?;
        let parts = record::encode(&record.changes)?;
        let part = part_of(record.scope);
        let mut sealed = if part == Part::Account { parts.account } else { parts.service };
        sealed.resize(sealed.len() + TAG_BYTES, 0);
        let (account, service) = if part == Part::Account { (sealed.len(), 0) } else { (0, sealed.len()) };
        let start = self.open.len();
        put_scope(&mut self.open, record.scope);
        self.open.extend_from_slice(&record.epoch.to_le_bytes());
        self.open.extend_from_slice(&record.revision.to_le_bytes());
        for length in [payloads.len(), parts.open.len(), account, service] {
            self.open.extend_from_slice(&(length as u32).to_le_bytes());
        }
        for (segment, pieces) in payloads {
            self.open.extend_from_slice(&segment.0);
            self.open.extend_from_slice(&pieces.iter().map(|piece| piece.len() as u64).sum::<u64>().to_le_bytes());
        }
        self.open.extend_from_slice(&parts.open);
        let lengths = [payloads.len(), parts.open.len(), sealed.len()];
        let fits = lengths.iter().all(|length| u32::try_from(*length).is_ok());
        let aad = [&self.header, &self.open[start..]].concat();
        if !fits || !object_key(key.key(), &self.salt, self.id).seal(nonce(part, self.entries), &aad, &mut sealed) {
            self.open.truncate(start);
            return Err(misuse("part", "at most 4 GiB", sealed.len()));
        }
        self.open.extend_from_slice(&sealed);
        self.bytes += (self.open.len() - start) as u64;
        self.entries += 1;
        payloads.iter().for_each(|(segment, pieces)| self.pass(*segment, pieces));
        Ok(())
    }

    /// Length of the object so far, without its end.
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Records so far.
    pub fn entries(&self) -> u32 {
        self.entries
    }

    /// The object, as pieces to be written one after the other, and where in it each payload lies.
    pub fn finish(mut self) -> (Vec<Bytes>, Vec<PayloadAt>) {
        self.open.extend_from_slice(&self.entries.to_le_bytes());
        self.open.extend_from_slice(&(self.bytes + TRAILER_BYTES as u64).to_le_bytes());
        self.hasher.update(&self.open);
        self.open.extend_from_slice(self.hasher.finalize().as_bytes());
        self.pieces.push(Bytes::from(self.open));
        (self.pieces, self.payloads)
    }

    fn pass(&mut self, segment: SegmentId, pieces: &[Bytes]) {
        let offset = self.bytes;
        if !self.open.is_empty() {
            self.hasher.update(&self.open);
            self.pieces.push(Bytes::from(std::mem::take(&mut self.open)));
        }
        for piece in pieces.iter().filter(|piece| !piece.is_empty()) {
            self.hasher.update(piece);
            self.bytes += piece.len() as u64;
            self.pieces.push(piece.clone());
        }
        self.payloads.push(PayloadAt { segment, offset, bytes: self.bytes - offset });
    }
}
