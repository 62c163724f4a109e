//! From objects at targets to what they say: the account's rows, and where its bytes lie.
//!
//! Names alone say which snapshot layers exist; parts and journal objects are read from whichever target has a good copy,
//! and folded by `format::replay`, as a rebuild does. The account's rows come first, since only then is it known
//! which segments are wanted: of the cluster's open part nothing else is kept.

use std::collections::{BTreeMap, BTreeSet};

use format::{
    AccountKey, AccountState, JournalHeader, JournalObject, Keyring, LayerHeader, LayerName, LayerPart, State,
    journal::PayloadAt,
    name::parse_journal_name,
    replay::{At, chain},
    snapshot::{decode_named_layer_part, parse_snapshot_name, pick_layers},
};
use futures_util::future::join_all;
use model::{
    Change, Record, Scope,
    entry::{EntryRow, Version},
    id::{AccountId, ClusterId, EntryId, ObjectId, SegmentId},
};

use crate::{
    finding::Finding,
    places::Places,
    sources::{Held, Holders, Sources},
};

/// Journal objects read at once: each is a few MiB at most.
const READ_AHEAD: usize = 4;

/// What the records say, folded.
pub(crate) struct Recalled {
    pub(crate) account: AccountState,
    /// Files of an earlier epoch that the latest does not know.
    pub(crate) late: Vec<(EntryRow, Version)>,
    pub(crate) places: Places,
}

/// What is read for whom.
pub(crate) struct Reading<'a> {
    pub(crate) sources: &'a Sources,
    pub(crate) cluster: ClusterId,
    pub(crate) account: AccountId,
    pub(crate) key: &'a AccountKey,
}

/// What of a journal object is kept: its sealed payloads stay where they are.
struct Batch {
    header: JournalHeader,
    name: String,
    records: Vec<Record>,
    payloads: Vec<PayloadAt>,
    /// Who has it, the one that it was read from first.
    sources: Vec<usize>,
}

type Rows = Vec<(u64, Change)>;

impl Reading<'_> {
    /// Reads everything that was ever recorded for the account.
    pub(crate) async fn recall(&self) -> Recalled {
        let scope = Scope::Account(self.account);
        let ring = Keyring { accounts: [(self.account, self.key.clone())].into(), ..Keyring::default() };
        let layers = self.layers(scope, |part| part.unseal(&ring)).await;
        let batches = self.journal(&ring).await;
        let mut state = State::new();
        let counting = in_force(&batches);
        fold(&mut state, &layers, &counting, scope);
        let account = state.accounts.remove(&self.account).unwrap_or_default();
        let late = self.late(&account, &counting);

        let mut wanted = wanted(&account);
        wanted.extend(late.iter().flat_map(|(_, version)| version.segments()).map(|segment| segment.id));
        let mut places = Places::of(wanted);
        let concerning = |part: &LayerPart| {
            let rows = part.open_changes().iter().filter(|(_, change)| places.concerns(change));
            Ok(rows.cloned().collect())
        };
        let layers = self.layers(Scope::Cluster, concerning).await;
        for (header, rows) in &layers.whole {
            rows.iter().for_each(|(revision, change)| places.record(at(header.epoch, *revision), change));
        }
        for (at, change) in &layers.salvaged {
            places.record(*at, change);
        }
        for batch in &batches {
            for record in batch.records.iter().filter(|record| record.scope == Scope::Cluster) {
                let at = at(record.epoch, record.revision);
                record.changes.iter().for_each(|change| places.record(at, change));
            }
            batch.payloads.iter().for_each(|at| places.payload(at, &batch.name, &batch.sources));
        }
        places.settle();
        // The rows were taken above; here only revisions are counted, so that what is missing is noticed.
        let bare = Layers {
            whole: layers.whole.into_iter().map(|(header, _)| (header, Rows::new())).collect(),
            ..Layers::default()
        };
        fold(&mut state, &bare, &counting, Scope::Cluster);
        for gap in state.gaps() {
            self.sources.note(Finding::ChangesMissing { scope: gap.scope.into(), after: gap.after, next: gap.next });
        }
        Recalled { account, late, places }
    }

    /// What earlier epochs wrote and the latest does not know, neither alive nor ended: it was acknowledged before a rebuild
    /// that could not read it. Of each file the last such version.
    fn late(&self, account: &AccountState, batches: &[&Batch]) -> Vec<(EntryRow, Version)> {
        let mut rows: BTreeMap<EntryId, EntryRow> = BTreeMap::new();
        let mut versions: BTreeMap<EntryId, Version> = BTreeMap::new();
        let earlier = batches.iter().filter(|batch| batch.header.epoch < account.epoch);
        let own = earlier.flat_map(|batch| &batch.records).filter(|record| record.scope != Scope::Cluster);
        for change in own.flat_map(|record| &record.changes) {
            match change {
                Change::Entry(row) => _ = rows.insert(row.id, row.clone()),
                Change::EntryGone(id) => _ = versions.remove(id),
                Change::Version(version) => _ = versions.insert(version.entry, version.clone()),
                Change::VersionGone(id) => versions.retain(|_, version| version.id != *id),
                _ => {}
            }
        }
        let unknown = |version: &Version| {
            !account.versions.contains_key(&version.id)
                && !account.version_tombs.contains_key(&version.id)
                && !account.entry_tombs.contains_key(&version.entry)
        };
        let late: Vec<_> = versions
            .into_values()
            .filter(unknown)
            .filter_map(|version| Some((rows.remove(&version.entry)?, version)))
            .filter(|(row, _)| row.trashed.is_none())
            .collect();
        if !late.is_empty() {
            self.sources.note(Finding::LateFiles { epoch: account.epoch, count: late.len() as u64 });
        }
        late
    }

    /// The best chain of layers of which every part can be read. Where parts cannot, the next best chain is taken, and
    /// what was read of better layers is salvaged.
    async fn layers(&self, scope: Scope, rows_of: impl Fn(&LayerPart) -> format::Result<Rows>) -> Layers {
        let folder = match scope {
            Scope::Cluster => "cluster".to_owned(),
            Scope::Account(id) => id.to_string(),
        };
        let holders = self.sources.list(&format!("snapshots/{folder}/")).await;
        let mut names: Vec<LayerName> = holders.keys().filter_map(|name| parse_snapshot_name(name)).collect();
        let mut read: BTreeMap<LayerName, Option<(LayerHeader, Rows)>> = BTreeMap::new();
        loop {
            let chain: Vec<LayerName> =
                pick_layers(scope, &names).into_iter().flat_map(|layer| layer.names(scope)).collect();
            for name in &chain {
                if !read.contains_key(name) {
                    read.insert(*name, self.layer_part(name, &holders, &rows_of).await);
                }
            }
            let Some(broken) = chain.iter().find(|name| read[*name].is_none()).copied() else {
                return Layers::sort_out(&chain, read);
            };
            names.retain(|name| (name.layer, name.epoch) != (broken.layer, broken.epoch));
        }
    }

    async fn layer_part(
        &self,
        name: &LayerName,
        holders: &Holders,
        rows_of: &impl Fn(&LayerPart) -> format::Result<Rows>,
    ) -> Option<(LayerHeader, Rows)> {
        let text = name.to_string();
        let held = holders.get(&text).map_or(&[][..], Vec::as_slice);
        let decode = |bytes: bytes::Bytes| {
            let part = decode_named_layer_part(&text, &bytes)?;
            self.own("layer", part.header.cluster)?;
            Ok((part.header, rows_of(&part)?))
        };
        let good = self.sources.first_good(&text, held, decode).await;
        if good.is_none() {
            self.sources.note(Finding::RecordsUnreadable { name: text, copies: held.len() });
        }
        good.map(|(_, part)| part)
    }

    /// All journal objects of which a copy can be read, epochs and places ascending.
    async fn journal(&self, ring: &Keyring) -> Vec<Batch> {
        let holders = self.sources.list("journal/").await;
        let named: Vec<_> = holders.iter().filter(|(name, _)| parse_journal_name(name).is_some()).collect();
        let mut batches = Vec::new();
        for group in named.chunks(READ_AHEAD) {
            let reads = join_all(group.iter().map(|(name, held)| self.batch(name, held, ring))).await;
            batches.extend(reads.into_iter().flatten());
        }
        batches
    }

    async fn batch(&self, name: &str, held: &[Held], ring: &Keyring) -> Option<Batch> {
        let decode = |bytes: bytes::Bytes| {
            let object = JournalObject::decode_named(name, &bytes)?;
            self.own("journal object", object.header.cluster)?;
            Ok(object)
        };
        let Some((source, object)) = self.sources.first_good(name, held, decode).await else {
            self.sources.note(Finding::RecordsUnreadable { name: name.to_owned(), copies: held.len() });
            return None;
        };
        let others = held.iter().map(|copy| copy.source).filter(|other| *other != source);
        let mut batch = Batch {
            header: object.header,
            name: name.to_owned(),
            records: Vec::new(),
            payloads: Vec::new(),
            sources: std::iter::once(source).chain(others).collect(),
        };
        for entry in object.entries {
            if entry.scope == Scope::Account(self.account) {
                match entry.unseal(ring) {
                    Ok(record) => batch.records.push(record),
                    Err(error) => held.iter().for_each(|copy| self.sources.note_bad_copy(copy.source, name, &error)),
                }
            } else if entry.scope == Scope::Cluster {
                let (epoch, scope, revision) = (entry.epoch, entry.scope, entry.revision);
                batch.records.push(Record { epoch, scope, revision, changes: entry.open });
            }
            // A file that was copied from another account consists of that account's segments.
            batch.payloads.extend(entry.payloads);
        }
        Some(batch)
    }

    /// An object of another service may lie on a disk that was used twice.
    fn own(&self, object: &'static str, got: ClusterId) -> format::Result<()> {
        if got == self.cluster {
            return Ok(());
        }
        let (expected, got) = (self.cluster.to_string(), got.to_string());
        Err(format::Error::Value { object, field: "cluster", expected, got })
    }
}

/// Applies what was read of one scope: epochs ascending, and in each its layers before its records.
fn fold(state: &mut State, layers: &Layers, batches: &[&Batch], scope: Scope) {
    let of_layers = layers.whole.iter().map(|(header, _)| header.epoch);
    let epochs: BTreeSet<u64> = batches.iter().map(|batch| batch.header.epoch).chain(of_layers).collect();
    for epoch in epochs {
        for (header, rows) in layers.whole.iter().filter(|(header, _)| header.epoch == epoch) {
            state.apply_layer(header, rows);
        }
        for batch in batches.iter().filter(|batch| batch.header.epoch == epoch) {
            for record in batch.records.iter().filter(|record| record.scope == scope) {
                if !layers.whole.iter().any(|(layer, _)| layer.disowns(&batch.header, record)) {
                    state.apply_record(record);
                }
            }
        }
    }
    if let Scope::Account(id) = scope {
        let account = state.accounts.entry(id).or_default();
        layers.salvaged.iter().for_each(|(at, change)| account.apply_at(*at, change));
    }
}

/// The journal objects that count, epochs and places ascending; others were replaced before they were acknowledged.
fn in_force(batches: &[Batch]) -> Vec<&Batch> {
    let by_id: BTreeMap<(u64, ObjectId), &Batch> =
        batches.iter().map(|batch| ((batch.header.epoch, batch.header.id), batch)).collect();
    let epochs: BTreeSet<u64> = batches.iter().map(|batch| batch.header.epoch).collect();
    let of_epoch = |epoch: u64| {
        let headers: Vec<_> = batches.iter().map(|batch| batch.header).filter(|header| header.epoch == epoch).collect();
        // Released objects leave holes in the line; whether changes are missing is told by their revisions.
        let before = headers.iter().map(|header| header.seq).min().unwrap_or(1).saturating_sub(1);
        let ordered = chain(&headers, (before, None)).ordered;
        ordered.into_iter().map(|id| by_id[&(epoch, id)]).collect::<Vec<_>>()
    };
    epochs.into_iter().flat_map(of_epoch).collect()
}

/// Layers of one scope.
#[derive(Default)]
struct Layers {
    /// Part by part, in the order in which they are applied.
    whole: Vec<(LayerHeader, Rows)>,
    /// Rows of layers that reach further, but lack a part or what they stand on.
    salvaged: Vec<(At, Change)>,
}

impl Layers {
    fn sort_out(chain: &[LayerName], mut read: BTreeMap<LayerName, Option<(LayerHeader, Rows)>>) -> Self {
        let whole: Vec<_> = chain.iter().filter_map(|name| read.remove(name).flatten()).collect();
        let reach = whole.last().map_or((0, 0), |(header, _)| (header.epoch, header.to));
        let beyond = read.into_values().flatten().filter(|(header, _)| (header.epoch, header.to) > reach);
        let salvaged = beyond.flat_map(|(header, rows)| {
            rows.into_iter().map(move |(revision, change)| (at(header.epoch, revision), change))
        });
        Self { salvaged: salvaged.collect(), whole }
    }
}

/// Segments of the versions that the tree shows. What is not shown is not brought home.
fn wanted(account: &AccountState) -> BTreeSet<SegmentId> {
    let current =
        account.entries.values().filter(|row| row.value.trashed.is_none()).filter_map(|row| row.value.current);
    let versions = current.filter_map(|version| account.versions.get(&version));
    versions.flat_map(|row| row.value.segments()).map(|segment| segment.id).collect()
}

fn at(epoch: u64, revision: u64) -> At {
    At { epoch, revision }
}
