//! What the catalogue notes of a journal object, live and when one was found: its copies, its place in the chain, and where in it
//! small files lie until they are packed.

use catalogue::{
    Tx,
    journal::JournalRow,
    objects::{ObjectKind, ObjectRow},
    segments::Journalled as JournalledRow,
};
use format::journal::{JournalHeader, PayloadAt};
use model::{Record, Scope, id::TargetId};

use crate::{commit::BuiltObject, copies::unverified, meta};

/// Applies a record that the providers have, as the live path would have.
pub(crate) fn replay(tx: &mut Tx<'_>, record: &Record) -> catalogue::Result<()> {
    catalogue::scopes::raise_revision(tx, record.scope, record.revision)?;
    record.changes.iter().try_for_each(|change| catalogue::replay(tx, record.scope, record.revision, change))
}

/// What the catalogue notes of a journal object.
pub(crate) struct Registration {
    header: JournalHeader,
    bytes: u64,
    scopes: Vec<(Scope, u64)>,
    payloads: Vec<PayloadAt>,
    targets: Vec<TargetId>,
    hash: [u8; 32],
}

impl Registration {
    pub(crate) fn of(object: &BuiltObject, targets: &[TargetId]) -> Self {
        Self {
            header: object.header,
            bytes: object.pieces.iter().map(|piece| piece.len() as u64).sum(),
            scopes: object.records.iter().map(|record| (record.scope, record.revision)).collect(),
            payloads: object.payloads.clone(),
            targets: targets.to_vec(),
            hash: crate::copies::hash_of(&object.pieces),
        }
    }

    /// The registration of an object that was read back.
    pub(crate) fn of_read(
        header: JournalHeader,
        bytes: u64,
        records: &[Record],
        payloads: Vec<PayloadAt>,
        targets: Vec<TargetId>,
        hash: [u8; 32],
    ) -> Self {
        let scopes = records.iter().map(|record| (record.scope, record.revision)).collect();
        Self { header, bytes, scopes, payloads, targets, hash }
    }

    pub(crate) fn write(&self, tx: &mut Tx<'_>) -> catalogue::Result<()> {
        let JournalHeader { epoch, seq, stamp, id, prev, .. } = self.header;
        let object = ObjectRow {
            id,
            kind: ObjectKind::Journal,
            name: self.header.name(),
            bytes: self.bytes,
            hash: self.hash,
            released: None,
        };
        catalogue::objects::insert(tx, &object)?;
        for target in &self.targets {
            catalogue::objects::set_copy(tx, id, &unverified(*target))?;
        }
        catalogue::journal::insert(tx, &JournalRow { id, epoch, seq, stamp, prev }, &self.scopes)?;
        for payload in &self.payloads {
            let PayloadAt { segment, offset, bytes } = *payload;
            catalogue::segments::insert_journalled(
                tx,
                &JournalledRow { segment, object: id, epoch, seq, offset, bytes },
            )?;
        }
        catalogue::meta::set_number(tx, meta::JOURNAL_SEQ, seq)?;
        catalogue::meta::set_bytes(tx, meta::JOURNAL_PREV, &id.0)
    }
}
