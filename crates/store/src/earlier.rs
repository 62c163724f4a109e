//! Journal objects of earlier lives, and what snapshots of their time say of them.
//!
//! A journal object that never counted can lie at a target that was away, or at one that kept it against its word, long
//! after the object that took its place was released. Alone, the line of objects cannot tell the two apart; the layers of
//! that epoch can: each states up to which revision its scope had come, and which place of the line was the last then. So
//! before a journal object of an earlier life is believed, the layers of its epoch are read wherever one lies.
//!
//! Their rows are taken along. A record is passed over as told only if rows that were read here tell it.

use std::collections::{BTreeMap, BTreeSet};

use bytes::Bytes;
use catalogue::objects::ObjectKind;
use format::{
    JournalObject, KeySource,
    journal::JournalHeader,
    name::parse_journal_name,
    replay::{At, chain},
    snapshot::{LayerHeader, LayerName, decode_named_layer_part, parse_snapshot_name},
};
use model::{
    Change, Record, Scope,
    fleet::TargetState,
    id::{AccountId, ObjectId, TargetId},
};

use crate::{
    Inner,
    error::Result,
    fold::{Source, object, read_any, survey},
    returned::Reading,
};

/// Layers of earlier epochs, as far as they could be read.
#[derive(Default)]
pub(crate) struct Earlier {
    parts: Vec<LayerHeader>,
    /// Layers of which every part was read.
    whole: BTreeSet<ObjectId>,
    /// What they state.
    pub rows: Vec<(Scope, At, Change)>,
}

impl Earlier {
    /// Reads the layers that are `wanted`, each part from the first source that has it whole.
    pub async fn read(
        sources: &[Source],
        wanted: impl Fn(&LayerName) -> bool,
        keys: &(dyn KeySource + Sync),
        findings: &mut Vec<String>,
    ) -> Result<Self> {
        let mut earlier = Self::default();
        for seen in survey(sources, "snapshots/").await? {
            if parse_snapshot_name(&seen.name).is_none_or(|name| !wanted(&name)) {
                continue;
            }
            let decode = |bytes: &[u8]| decode_named_layer_part(&seen.name, bytes);
            let Some((part, _)) = read_any(sources, &seen, findings, decode).await else { continue };
            match part.unseal(keys) {
                Ok(rows) => earlier.take(part.header, rows),
                Err(error) => findings.push(format!("{} cannot be opened: {error}", seen.name)),
            }
        }
        Ok(earlier)
    }

    fn take(&mut self, header: LayerHeader, rows: Vec<(u64, Change)>) {
        let LayerHeader { scope, epoch, layer, .. } = header;
        self.rows.extend(rows.into_iter().map(|(revision, change)| (scope, At { epoch, revision }, change)));
        self.parts.push(header);
        let read: BTreeSet<u32> = self.parts.iter().filter(|part| part.layer == layer).map(|part| part.part).collect();
        if read.len() == header.parts as usize {
            self.whole.insert(layer);
        }
    }

    /// Whether a record in a journal object never counted.
    pub fn disowns(&self, object: &JournalHeader, record: &Record) -> bool {
        self.parts.iter().any(|layer| layer.disowns(object, record))
    }

    /// Whether the rows of a layer tell all that this record could: it is of the past that the layer states.
    pub fn covers(&self, record: &Record) -> bool {
        self.parts.iter().any(|layer| layer.covers(record) && self.whole.contains(&layer.layer))
    }
}

/// Of what a journal object speaks: its epoch with each scope.
pub(crate) fn epochs_and_scopes(journal: &JournalObject) -> impl Iterator<Item = (u64, Scope)> {
    journal.entries.iter().map(|entry| (journal.header.epoch, entry.scope))
}

impl Inner {
    /// Takes the journal objects that count: in each epoch, those that the line of all known ones leads to.
    pub(crate) async fn read_journals(
        &self,
        target: TargetId,
        names: Vec<String>,
        reading: &mut Reading,
    ) -> Result<()> {
        let mut found = BTreeMap::new();
        for name in names {
            if parse_journal_name(&name).is_none_or(|parsed| parsed.epoch >= self.epoch()) {
                continue;
            }
            let decode = |bytes: &[u8]| JournalObject::decode_named(&name, bytes);
            let read = self.read_old(target, &name, &mut reading.findings, decode).await?;
            if let Some((journal, bytes)) = read {
                found.insert(journal.header.id, (journal, name, bytes));
            }
        }
        let layers = self.layers_of_their_time(target, found.values().map(|(journal, ..)| journal), reading).await?;
        for (scope, at, change) in &layers.rows {
            reading.late.take(*scope, *at, change);
        }
        let gone = self.gone_accounts().await?;
        let epochs: BTreeSet<u64> = found.values().map(|(journal, ..)| journal.header.epoch).collect();
        for epoch in epochs {
            let mut headers = self.known_headers(epoch).await?;
            headers.extend(found.values().map(|(journal, ..)| journal.header).filter(|header| header.epoch == epoch));
            for id in chain(&headers, (0, None)).ordered {
                let Some((journal, name, bytes)) = found.remove(&id) else { continue };
                self.take_late_journal(&gone, &journal, &name, &bytes, &layers, reading);
                reading.old.push(object(id, ObjectKind::Journal, &name, &bytes));
            }
        }
        Ok(())
    }

    /// The layers that say which records of these journal objects counted. They may lie elsewhere; targets that are still
    /// to be read themselves are not asked, since what they alone tell is not brought in yet.
    async fn layers_of_their_time<'a>(
        &self,
        target: TargetId,
        journals: impl Iterator<Item = &'a JournalObject>,
        reading: &mut Reading,
    ) -> Result<Earlier> {
        let wanted: BTreeSet<(u64, Scope)> = journals.flat_map(epochs_and_scopes).collect();
        if wanted.is_empty() {
            return Ok(Earlier::default());
        }
        let unread = self.unread_since_rebuild().await?;
        let mut sources = Vec::new();
        for id in self.roster.ids() {
            let is_up = self.fleet.live(id).is_some_and(|live| live.state == TargetState::Up);
            if is_up && (id == target || !unread.contains(&id)) {
                sources.push(Source { address: id.to_string(), driver: self.driver(id)?, marker: None });
            }
        }
        let is_wanted = |name: &LayerName| wanted.contains(&(name.epoch, name.scope));
        Earlier::read(&sources, is_wanted, &self.keys.snapshot(), &mut reading.findings).await
    }

    /// Takes the records of a journal object that counted, and its payloads: one of them may lie nowhere else although a
    /// layer names its version.
    fn take_late_journal(
        &self,
        gone: &BTreeSet<AccountId>,
        journal: &JournalObject,
        name: &str,
        bytes: &Bytes,
        layers: &Earlier,
        reading: &mut Reading,
    ) {
        let keys = self.keys.snapshot();
        for entry in &journal.entries {
            // What an account that is gone said no longer counts; its small files' bytes may be another's, who copied them.
            let counts = !matches!(entry.scope, Scope::Account(account) if gone.contains(&account));
            match entry.unseal(&keys) {
                _ if !counts => {}
                Ok(record) if layers.disowns(&journal.header, &record) || layers.covers(&record) => {}
                Ok(record) => {
                    let at = At { epoch: record.epoch, revision: record.revision };
                    record.changes.iter().for_each(|change| reading.late.take(record.scope, at, change));
                }
                Err(error) => reading.findings.push(format!("a record of {name} cannot be opened: {error}")),
            }
            let Scope::Account(account) = entry.scope else { continue };
            for payload in &entry.payloads {
                let range = payload.range();
                if range.end <= bytes.len() as u64 {
                    let sealed = bytes.slice(range.start as usize..range.end as usize);
                    reading.late.payloads.insert(payload.segment, (account, sealed));
                }
            }
        }
    }

    async fn known_headers(&self, epoch: u64) -> Result<Vec<JournalHeader>> {
        let mut headers = Vec::new();
        let mut seq = 0;
        loop {
            let page = self.catalogue.read(move |tx| catalogue::journal::after(tx, epoch, seq, 1_000)).await?;
            let of_epoch = page.iter().filter(|row| row.epoch == epoch);
            headers.extend(of_epoch.map(|row| JournalHeader {
                cluster: self.cluster,
                epoch,
                seq: row.seq,
                stamp: row.stamp,
                id: row.id,
                prev: row.prev,
            }));
            match page.last().filter(|last| last.epoch == epoch) {
                Some(last) => seq = last.seq,
                None => return Ok(headers),
            }
        }
    }
}
