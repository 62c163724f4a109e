//! What one commit changes: rows under their next revisions, and what is to be journalled of them.

use bytes::Bytes;
use catalogue::Tx;
use model::{
    Change, Record, Scope,
    id::{AccountId, SegmentId, UploadId},
    ledger::LedgerEntry,
};

use crate::error::{Error, Result};

/// What a commit changes: filled by its closure.
#[derive(Debug, Default)]
pub struct Draft {
    changes: Vec<(Scope, Change)>,
    payloads: Vec<(SegmentId, Bytes)>,
    payload_scope: Option<AccountId>,
    releases: Vec<(AccountId, UploadId, Vec<SegmentId>)>,
    audits: Vec<(Option<AccountId>, &'static str, String)>,
    /// The last entry of the ledger that it adds: number and hash.
    pub(crate) noted: Option<(u64, [u8; 32])>,
}

impl Draft {
    /// Adds a row's new state.
    pub fn change(&mut self, scope: Scope, change: Change) {
        self.changes.push((scope, change));
    }

    /// Adds sealed bytes of one of `account`'s small files, to be kept in the journal until they are packed.
    pub fn payload(&mut self, account: AccountId, segment: SegmentId, sealed: Bytes) {
        self.payload_scope = Some(account);
        self.payloads.push((segment, sealed));
    }

    /// Adds what [`Store::receive`] left to be journalled.
    pub fn received(&mut self, account: AccountId, received: &crate::Received) {
        for (segment, sealed) in &received.payloads {
            self.payload(account, *segment, sealed.clone());
        }
        if let model::entry::Content::Segments(segments) = &received.content {
            let segments = segments.iter().map(|segment| segment.id).collect();
            self.releases.push((account, received.transfer, segments));
        }
    }

    /// Ends an upload in the same transaction that makes its version.
    ///
    /// # Errors
    /// [`Error::NoUpload`] if it expired or was ended before.
    pub fn end_upload(&mut self, tx: &mut Tx<'_>, account: AccountId, upload: UploadId) -> Result<()> {
        if catalogue::uploads::delete(tx, account, upload)? { Ok(()) } else { Err(Error::NoUpload { upload }) }
    }

    /// Adds a line to the audit.
    pub fn audit(&mut self, account: Option<AccountId>, verb: &'static str, subject: String) {
        self.audits.push((account, verb, subject));
    }

    /// The entries of the ledger that it adds.
    pub(crate) fn entries(&self) -> impl Iterator<Item = &LedgerEntry> {
        self.changes
            .iter()
            .filter_map(|(_, change)| if let Change::Ledger(entry) = change { Some(entry) } else { None })
    }

    /// Whether every row may be written.
    pub(crate) fn check(&self) -> std::result::Result<(), format::Error> {
        self.changes.iter().try_for_each(|(_, change)| format::record::check(change))
    }

    /// Applies the rows under new revisions; what is to be journalled.
    pub(crate) fn apply(self, tx: &mut Tx<'_>, epoch: u64, wall_us: i64) -> catalogue::Result<Journalled> {
        let mut records: Vec<Record> = Vec::new();
        let mut add = |tx: &mut Tx<'_>, scope: Scope| -> catalogue::Result<usize> {
            if let Some(at) = records.iter().position(|record| record.scope == scope) {
                return Ok(at);
            }
            let revision = catalogue::bump_revision(tx, scope)?;
            records.push(Record { epoch, scope, revision, changes: Vec::new() });
            Ok(records.len() - 1)
        };
        let mut order = Vec::with_capacity(self.changes.len());
        for (scope, change) in self.changes {
            order.push((add(tx, scope)?, change));
        }
        let payload_record = match (self.payloads.is_empty(), self.payload_scope) {
            (false, Some(account)) => Some(add(tx, Scope::Account(account))?),
            _ => None,
        };
        for (at, change) in order {
            catalogue::apply(tx, records[at].scope, records[at].revision, &change)?;
            records[at].changes.push(change);
        }
        for (account, transfer, segments) in &self.releases {
            catalogue::segments::release(tx, *account, *transfer, segments)?;
        }
        for (account, verb, subject) in &self.audits {
            catalogue::audit::append(tx, wall_us, *account, verb, subject)?;
        }
        let mut journalled = Vec::with_capacity(records.len());
        let mut payloads = self.payloads;
        for (at, record) in records.into_iter().enumerate() {
            let own = if Some(at) == payload_record { std::mem::take(&mut payloads) } else { Vec::new() };
            journalled.push((record, own));
        }
        Ok(Journalled(journalled))
    }
}

/// Records with the sealed bytes that go into the journal beside them.
pub(crate) struct Journalled(pub Vec<(Record, Vec<(SegmentId, Bytes)>)>);
