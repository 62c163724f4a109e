//! What surviving targets say: everything of one cluster, read and folded.
//!
//! The service identity opens the cluster's envelope and those of managed accounts. For each scope the newest whole stack
//! of snapshot layers is read, then every journal object that is left; `format::replay` decides which records count.
//! What cannot be read is a finding: the rest is still worth having.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use bytes::Bytes;
use catalogue::{
    layers::Layer as LayerRow,
    objects::{ObjectKind, ObjectRow},
};
use fleet::{ObjectName, Target};
use format::{
    AccountKey, JournalObject, Marker, State,
    envelope::{open_account_envelope, open_address_book, open_cluster_envelope},
    journal::{JournalHeader, PayloadAt},
    keys::{ClusterKey, Keyring},
    ledger::Signer,
    name::{parse_address_book_name, parse_checkpoint_name, parse_envelope_name, parse_journal_name},
    replay::{Applied, At, chain},
    snapshot::{LayerHeader, LayerName, decode_named_layer_part, parse_snapshot_name, pick_layers},
};
use model::{
    Change, Record, Scope,
    id::{AccountId, ClusterId, ObjectId},
};

use crate::{
    Opening,
    copies::hash_of,
    earlier::{Earlier, epochs_and_scopes},
    error::{Error, Result},
    late::Late,
    ledger::{compare, open_checkpoint},
};

/// A copied object as the targets show it.
#[derive(Clone, Debug)]
pub(crate) struct Seen {
    pub name: String,
    holders: Vec<usize>,
}

/// A target that was given, and its marker.
pub(crate) struct Source {
    pub address: String,
    pub driver: Arc<dyn Target>,
    pub marker: Option<(Marker, Bytes)>,
}

/// A journal object that counts.
#[derive(Clone)]
pub(crate) struct JournalUsed {
    pub header: JournalHeader,
    pub scopes: Vec<(Scope, u64)>,
    pub payloads: Vec<PayloadAt>,
}

/// Everything that the targets hold of one cluster, read and folded.
pub(crate) struct Folded {
    pub cluster: ClusterId,
    pub key: ClusterKey,
    pub cluster_envelope: Vec<u8>,
    pub accounts: BTreeMap<AccountId, (AccountKey, Vec<u8>, u64)>,
    pub state: State,
    /// Rows in the order in which they were believed.
    pub rows: Vec<(Scope, u64, Change)>,
    pub journal: Vec<JournalUsed>,
    pub layers: Vec<LayerRow>,
    layer_headers: Vec<LayerHeader>,
    pub objects: Vec<(ObjectRow, Vec<usize>)>,
    /// What earlier lives told beyond what the last one began with.
    pub late: Late,
    pub findings: Vec<String>,
    /// What is wrong with the ledger; among the findings, too.
    pub ledger_findings: Vec<String>,
    /// What could not be opened, and whose it is.
    unopened: Vec<(Scope, String)>,
}

async fn list_all(source: &Source, prefix: &str) -> Result<Vec<(String, u64)>> {
    let mut found = Vec::new();
    let mut after: Option<ObjectName> = None;
    loop {
        let page = source.driver.list(prefix, after.as_ref(), 1_000).await?;
        found.extend(page.objects.iter().map(|listed| (listed.name.to_string(), listed.bytes)));
        after = page.objects.last().map(|listed| listed.name.clone());
        if !page.more || after.is_none() {
            return Ok(found);
        }
    }
}

/// Names under a prefix, with the sources that hold each.
pub(crate) async fn survey(sources: &[Source], prefix: &str) -> Result<Vec<Seen>> {
    let mut seen: BTreeMap<String, Vec<usize>> = BTreeMap::new();
    for (index, source) in sources.iter().enumerate() {
        for (name, _) in list_all(source, prefix).await? {
            seen.entry(name).or_default().push(index);
        }
    }
    Ok(seen.into_iter().map(|(name, holders)| Seen { name, holders }).collect())
}

/// The first whole copy that `decode` accepts.
pub(crate) async fn read_any<T>(
    sources: &[Source],
    seen: &Seen,
    findings: &mut Vec<String>,
    decode: impl Fn(&[u8]) -> std::result::Result<T, format::Error>,
) -> Option<(T, Bytes)> {
    let name = ObjectName::parse(seen.name.clone()).ok()?;
    for holder in &seen.holders {
        let source = &sources[*holder];
        let read = async {
            let length = source.driver.stat(&name).await?.unwrap_or(0);
            source.driver.read(&name, 0..length).await
        };
        match read.await {
            Ok(bytes) => match decode(&bytes) {
                Ok(decoded) => return Some((decoded, bytes)),
                Err(error) => findings.push(format!("{}: {} is damaged: {error}", source.address, seen.name)),
            },
            Err(error) => findings.push(format!("{}: {}: {error}", source.address, seen.name)),
        }
    }
    None
}

pub(crate) fn object(id: ObjectId, kind: ObjectKind, name: &str, bytes: &Bytes) -> ObjectRow {
    let hash = hash_of(std::slice::from_ref(bytes));
    ObjectRow { id, kind, name: name.to_owned(), bytes: bytes.len() as u64, hash, released: None }
}

/// Reads and folds what the targets hold; changes nothing at any of them.
pub(crate) async fn fold(opening: &Opening, sources: &[Source]) -> Result<Folded> {
    let mut findings = Vec::new();
    let mut objects = Vec::new();
    let envelopes = survey(sources, "envelopes/").await?;
    let (cluster, key, cluster_envelope) =
        open_cluster(opening, sources, &envelopes, &mut objects, &mut findings).await?;
    let foreign =
        sources.iter().filter(|source| source.marker.as_ref().is_some_and(|(marker, _)| marker.cluster != cluster));
    if let Some(source) = foreign.into_iter().next() {
        return Err(Error::Setup {
            what: format!("{} belongs to another cluster; give the targets of one cluster only", source.address),
        });
    }
    let accounts = open_accounts(opening, sources, &envelopes, &mut objects, &mut findings).await?;
    let keys = Keyring {
        cluster: Some(key.clone()),
        accounts: accounts.iter().map(|(id, (key, ..))| (*id, key.clone())).collect(),
    };
    let mut folded = Folded {
        cluster,
        key,
        cluster_envelope,
        accounts,
        state: State::new(),
        rows: Vec::new(),
        journal: Vec::new(),
        layers: Vec::new(),
        layer_headers: Vec::new(),
        objects,
        late: Late::default(),
        findings,
        ledger_findings: Vec::new(),
        unopened: Vec::new(),
    };
    folded.read_layers(sources, &keys).await?;
    folded.read_journal(sources, &keys).await?;
    folded.forget_gone();
    for seen in survey(sources, "addresses/").await? {
        if let Some(name) = parse_address_book_name(&seen.name)
            && let Some((_, bytes)) = read_any(sources, &seen, &mut folded.findings, |bytes| {
                open_address_book(&seen.name, bytes, &opening.service)
            })
            .await
        {
            folded.objects.push((object(name.id, ObjectKind::AddressBook, &seen.name, &bytes), seen.holders));
        }
    }
    folded.compare_ledger(sources).await?;
    let gone = &folded.state.cluster.account_tombs;
    let is_gone = |scope| matches!(scope, Scope::Account(account) if gone.contains_key(&account));
    for gap in folded.state.gaps().into_iter().filter(|gap| !is_gone(gap.scope)).collect::<Vec<_>>() {
        folded.findings.push(format!(
            "{:?}: the changes between revision {} and {} are missing; what came after is applied",
            gap.scope, gap.after, gap.next
        ));
    }
    Ok(folded)
}

async fn open_cluster(
    opening: &Opening,
    sources: &[Source],
    envelopes: &[Seen],
    objects: &mut Vec<(ObjectRow, Vec<usize>)>,
    findings: &mut Vec<String>,
) -> Result<(ClusterId, ClusterKey, Vec<u8>)> {
    let mut newest: Option<(u64, ClusterId, ClusterKey, Vec<u8>)> = None;
    let mut any = false;
    for seen in envelopes {
        let Some(name) = parse_envelope_name(&seen.name).filter(|name| name.scope == Scope::Cluster) else { continue };
        any = true;
        let open = |bytes: &[u8]| open_cluster_envelope(Some(&seen.name), bytes, &opening.service);
        if let Some(((cluster, key), bytes)) = read_any(sources, seen, findings, open).await {
            if newest.as_ref().is_some_and(|(_, other, ..)| *other != cluster) {
                return Err(Error::Setup { what: "the targets belong to more than one cluster".to_owned() });
            }
            objects.push((object(name.id, ObjectKind::Envelope, &seen.name, &bytes), seen.holders.clone()));
            if newest.as_ref().is_none_or(|(generation, ..)| *generation < name.generation) {
                newest = Some((name.generation, cluster, key, bytes.to_vec()));
            }
        }
    }
    match newest {
        Some((_, cluster, key, bytes)) => Ok((cluster, key, bytes)),
        None if any => Err(Error::NoKey { detail: "it does not open the envelope of this cluster".to_owned() }),
        None => Err(Error::Setup { what: "none of the targets holds an envelope of a cluster".to_owned() }),
    }
}

type OpenAccounts = BTreeMap<AccountId, (AccountKey, Vec<u8>, u64)>;

async fn open_accounts(
    opening: &Opening,
    sources: &[Source],
    envelopes: &[Seen],
    objects: &mut Vec<(ObjectRow, Vec<usize>)>,
    findings: &mut Vec<String>,
) -> Result<OpenAccounts> {
    let mut accounts: OpenAccounts = BTreeMap::new();
    for seen in envelopes {
        let Some(name) = parse_envelope_name(&seen.name) else { continue };
        let Scope::Account(account) = name.scope else { continue };
        let open = |bytes: &[u8]| open_account_envelope(Some(&seen.name), bytes, &opening.service);
        let Some(((id, key), bytes)) = read_any(sources, seen, findings, open).await else { continue };
        if id != account {
            findings.push(format!("{} is the envelope of another account", seen.name));
            continue;
        }
        objects.push((object(name.id, ObjectKind::Envelope, &seen.name, &bytes), seen.holders.clone()));
        if accounts.get(&account).is_none_or(|(.., generation)| *generation < name.generation) {
            accounts.insert(account, (key, bytes.to_vec(), name.generation));
        }
    }
    Ok(accounts)
}

impl Folded {
    /// Takes out what was read of accounts that are gone for good: their end wins over every copy of what they were. Their
    /// envelopes and snapshots stay on the list of objects, and go from there ([`crate::gone`]).
    fn forget_gone(&mut self) {
        let gone: BTreeSet<AccountId> = self.state.cluster.account_tombs.keys().copied().collect();
        let is_gone = |scope: &Scope| matches!(scope, Scope::Account(account) if gone.contains(account));
        self.accounts.retain(|account, _| !gone.contains(account));
        self.state.accounts.retain(|account, _| !gone.contains(account));
        self.rows.retain(|(scope, ..)| !is_gone(scope));
        self.layers.retain(|layer| !is_gone(&layer.scope));
        for used in &mut self.journal {
            used.scopes.retain(|(scope, _)| !is_gone(scope));
        }
        self.late.accounts.retain(|account, _| !gone.contains(account));
        self.unopened.retain(|(scope, _)| !is_gone(scope));
        self.findings.extend(std::mem::take(&mut self.unopened).into_iter().map(|(_, said)| said));
    }

    /// Compares the ledger with the checkpoints that lie at the targets.
    async fn compare_ledger(&mut self, sources: &[Source]) -> Result<()> {
        let key = Signer::new(self.cluster, &self.key).key().clone();
        let mut checkpoints = Vec::new();
        for seen in survey(sources, "ledger/").await? {
            let Some(name) = parse_checkpoint_name(&seen.name) else { continue };
            let open = |bytes: &[u8]| open_checkpoint(&seen.name, bytes, &key);
            let Some((found, bytes)) = read_any(sources, &seen, &mut self.findings, open).await else { continue };
            checkpoints.push(found);
            self.objects.push((object(name.id, ObjectKind::Checkpoint, &seen.name, &bytes), seen.holders));
        }
        self.ledger_findings = compare(&self.state.cluster, checkpoints);
        self.findings.extend(self.ledger_findings.clone());
        Ok(())
    }

    async fn read_layers(&mut self, sources: &[Source], keys: &Keyring) -> Result<()> {
        let seen = survey(sources, "snapshots/").await?;
        let names: Vec<LayerName> = seen.iter().filter_map(|seen| parse_snapshot_name(&seen.name)).collect();
        let holders: BTreeMap<&str, &Seen> = seen.iter().map(|seen| (seen.name.as_str(), seen)).collect();
        let scopes: BTreeSet<Scope> = names.iter().map(|name| name.scope).collect();
        for scope in scopes {
            for layer in pick_layers(scope, &names) {
                let mut row = LayerRow {
                    id: layer.layer,
                    scope,
                    from: layer.from,
                    to: layer.to,
                    row_count: 0,
                    bytes: 0,
                    objects: Vec::new(),
                };
                for name in layer.names(scope) {
                    let text = name.to_string();
                    let Some(seen) = holders.get(text.as_str()) else { continue };
                    let read =
                        read_any(sources, seen, &mut self.findings, |bytes| decode_named_layer_part(&text, bytes))
                            .await;
                    let Some((part, bytes)) = read else {
                        self.findings.push(format!("no copy of {text} is whole: its rows are missing"));
                        continue;
                    };
                    let rows = match part.unseal(keys) {
                        Ok(rows) => rows,
                        Err(error) => {
                            self.unopened.push((scope, format!("{text} cannot be opened: {error}")));
                            continue;
                        }
                    };
                    if self.state.apply_layer(&part.header, &rows) == Applied::New {
                        row.row_count += rows.len() as u64;
                        row.bytes += bytes.len() as u64;
                        row.objects.push(part.header.id);
                        self.layer_headers.push(part.header);
                        self.rows.extend(rows.into_iter().map(|(revision, change)| (scope, revision, change)));
                        self.objects
                            .push((object(part.header.id, ObjectKind::Snapshot, &text, &bytes), seen.holders.clone()));
                    }
                }
                self.layers.push(row);
            }
        }
        Ok(())
    }

    async fn read_journal(&mut self, sources: &[Source], keys: &Keyring) -> Result<()> {
        let mut found: BTreeMap<ObjectId, (JournalObject, ObjectRow, Vec<usize>)> = BTreeMap::new();
        for seen in survey(sources, "journal/").await? {
            if parse_journal_name(&seen.name).is_none() {
                continue;
            }
            let decode = |bytes: &[u8]| JournalObject::decode_named(&seen.name, bytes);
            let read = read_any(sources, &seen, &mut self.findings, decode).await;
            let Some((journal, bytes)) = read else {
                self.findings.push(format!("no copy of {} is whole: its changes are missing", seen.name));
                continue;
            };
            let row = object(journal.header.id, ObjectKind::Journal, &seen.name, &bytes);
            found.insert(journal.header.id, (journal, row, seen.holders));
        }
        let layers = self.layers_before(sources, keys, found.values().map(|(journal, ..)| journal)).await?;
        // Epoch by epoch, the line says which objects count: the others were never acknowledged.
        let epochs: BTreeSet<u64> = found.values().map(|(journal, ..)| journal.header.epoch).collect();
        for epoch in epochs {
            let headers: Vec<JournalHeader> =
                found.values().map(|(journal, ..)| journal.header).filter(|header| header.epoch == epoch).collect();
            for id in chain(&headers, (0, None)).ordered {
                if let Some((journal, row, holders)) = found.remove(&id) {
                    self.take_journal(journal, row, holders, keys, &layers);
                }
            }
        }
        for (scope, at, change) in &layers.rows {
            if self.state.is_late(*scope, *at) {
                self.late.take(*scope, *at, change);
            }
        }
        Ok(())
    }

    /// Layers of epochs before the one that counts, for scopes and epochs of which journal objects were found.
    async fn layers_before<'a>(
        &mut self,
        sources: &[Source],
        keys: &Keyring,
        journals: impl Iterator<Item = &'a JournalObject>,
    ) -> Result<Earlier> {
        let counts: BTreeMap<Scope, u64> = self.layer_headers.iter().map(|layer| (layer.scope, layer.epoch)).collect();
        let is_before = |at: &(u64, Scope)| counts.get(&at.1).is_some_and(|counts| at.0 < *counts);
        let wanted: BTreeSet<(u64, Scope)> = journals.flat_map(epochs_and_scopes).filter(is_before).collect();
        if wanted.is_empty() {
            return Ok(Earlier::default());
        }
        let is_wanted = |name: &LayerName| wanted.contains(&(name.epoch, name.scope));
        Earlier::read(sources, is_wanted, keys, &mut self.findings).await
    }

    fn take_journal(
        &mut self,
        journal: JournalObject,
        row: ObjectRow,
        holders: Vec<usize>,
        keys: &Keyring,
        layers: &Earlier,
    ) {
        let mut scopes = Vec::new();
        let mut payloads = Vec::new();
        for entry in &journal.entries {
            match entry.unseal(keys) {
                Ok(record) if self.layer_headers.iter().any(|layer| layer.disowns(&journal.header, &record)) => {}
                Ok(record) if layers.disowns(&journal.header, &record) => {}
                Ok(record) => {
                    scopes.push((record.scope, record.revision));
                    self.take_record(record, &row.name, layers);
                }
                Err(error) => {
                    let said = format!("a record of {} cannot be opened: {error}", row.name);
                    self.unopened.push((entry.scope, said));
                }
            }
            payloads.extend(entry.payloads.iter().copied());
        }
        self.objects.push((row, holders));
        self.journal.push(JournalUsed { header: journal.header, scopes, payloads });
    }

    fn take_record(&mut self, record: Record, name: &str, layers: &Earlier) {
        match self.state.apply_record(&record) {
            Applied::New => {
                let Record { scope, revision, changes, .. } = record;
                self.rows.extend(changes.into_iter().map(|change| (scope, revision, change)));
            }
            Applied::Seen => {}
            Applied::Late if layers.covers(&record) => {}
            Applied::Late => {
                self.findings.push(format!(
                    "{name} holds changes of an earlier life beyond what a rebuild used (revision {}); what they add is \
                     brought in beside what is there",
                    record.revision
                ));
                let at = At { epoch: record.epoch, revision: record.revision };
                record.changes.iter().for_each(|change| self.late.take(record.scope, at, change));
            }
        }
    }
}
