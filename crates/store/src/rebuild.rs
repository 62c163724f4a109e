//! Rebuild: a catalogue from surviving targets alone.
//!
//! The service identity opens the cluster's envelope and those of managed accounts. For each scope the newest whole stack
//! of snapshot layers is read, then every journal object that is left; `format::replay` decides which records count, and
//! the tables are filled through the same `catalogue::apply` as the live path. Then a new *epoch* begins: every reachable
//! target's marker says so before anything is served, a gateway of the old life stops writing when it meets one, and base
//! layers of the new epoch state everything, so that nothing older is needed.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use bytes::Bytes;
use catalogue::{
    journal::JournalRow,
    layers::Layer as LayerRow,
    objects::{ObjectKind, ObjectRow},
    segments::Journalled,
};
use fleet::{ObjectName, Target};
use format::{
    AccountKey, JournalObject, Marker, State,
    envelope::{open_account_envelope, open_address_book, open_cluster_envelope},
    journal::{JournalHeader, PayloadAt},
    keys::{ClusterKey, Keyring},
    name::{parse_address_book_name, parse_envelope_name, parse_journal_name},
    replay::{Applied, chain},
    snapshot::{LayerName, decode_layer_part, parse_snapshot_name, pick_layers},
};
use model::{
    Change, Record, Scope,
    fleet::{ProviderRow, TargetRow, TargetState},
    id::{AccountId, ClusterId, ObjectId, TargetId},
    units::ServiceTime,
};

use crate::{
    Opening, Store,
    copies::hash_of,
    error::{Error, Result},
    found::{CLUSTER_SECRET, Life, assemble, register},
    meta,
};

/// What a rebuild found.
#[derive(Clone, Debug, Default)]
pub struct RebuildReport {
    /// The new epoch.
    pub epoch: u64,
    /// Targets that were read.
    pub targets_read: usize,
    /// Addresses of known targets that were not read; nothing is destroyed until they are.
    pub targets_unread: Vec<String>,
    /// Accounts whose key the service identity opened.
    pub accounts: usize,
    /// Entries that exist, folders and files, the trash included.
    pub entries: usize,
    /// Packs that exist.
    pub packs: usize,
    /// What people should know: damaged objects, gaps, records of an earlier life.
    pub findings: Vec<String>,
}

/// A copied object as the targets show it.
#[derive(Clone, Debug)]
struct Seen {
    name: String,
    holders: Vec<usize>,
}

struct Source {
    address: String,
    driver: Arc<dyn Target>,
    marker: Option<(Marker, Bytes)>,
}

/// A journal object that counts.
#[derive(Clone)]
struct JournalUsed {
    header: JournalHeader,
    scopes: Vec<(Scope, u64)>,
    payloads: Vec<PayloadAt>,
}

/// Everything that the targets hold of one cluster, read and folded.
struct Folded {
    cluster: ClusterId,
    key: ClusterKey,
    cluster_envelope: Vec<u8>,
    accounts: BTreeMap<AccountId, (AccountKey, Vec<u8>, u64)>,
    state: State,
    /// Rows in the order in which they were believed.
    rows: Vec<(Scope, u64, Change)>,
    journal: Vec<JournalUsed>,
    layers: Vec<LayerRow>,
    objects: Vec<(ObjectRow, Vec<usize>)>,
    findings: Vec<String>,
}

/// Makes a working catalogue from `targets` (address and driver). `opening.catalogue` is empty; its roster is filled.
/// `without` names the providers that are given up for now.
///
/// # Errors
/// [`Error::Setup`] when the targets hold no cluster, or several; when more than one provider is unread and not named in
/// `without`. [`Error::NoKey`] with another service identity. Nothing at any target is changed then.
pub async fn rebuild(
    opening: Opening,
    targets: Vec<(String, Arc<dyn Target>)>,
    without: &[String],
) -> Result<(Store, RebuildReport)> {
    let known = opening.catalogue.read(|tx| catalogue::meta::bytes(tx, meta::CLUSTER)).await?;
    if known.is_some() {
        return Err(Error::Setup {
            what: "the new data folder already holds a catalogue; give an empty one".to_owned(),
        });
    }
    let mut sources = Vec::with_capacity(targets.len());
    for (address, driver) in targets {
        driver.expect_marker(None);
        let probe = driver.probe().await?;
        let marker = probe.marker.and_then(|bytes| Marker::decode(&bytes).ok().map(|marker| (marker, bytes)));
        sources.push(Source { address, driver, marker });
    }
    let folded = fold(&opening, &sources).await?;
    let unread = check_unread(&folded, &sources, without)?;
    let epoch = sources.iter().filter_map(|source| source.marker.as_ref()).map(|(marker, _)| marker.epoch).max();
    let epoch = epoch.unwrap_or(0).max(folded.state.cluster.epoch) + 1;
    let store = begin_epoch(opening, sources, &folded, epoch, &unread).await?;
    let report = RebuildReport {
        epoch,
        targets_read: store.0.roster.ids().len(),
        targets_unread: unread.iter().map(|row| row.address.clone()).collect(),
        accounts: folded.accounts.len(),
        entries: folded.state.accounts.values().map(|account| account.entries.len()).sum(),
        packs: folded.state.cluster.packs.values().filter(|pack| pack.gone.is_none()).count(),
        findings: folded.findings,
    };
    Ok((store, report))
}

/// The known targets that are not among those given; an error if too many providers are unread.
fn check_unread(folded: &Folded, sources: &[Source], without: &[String]) -> Result<Vec<TargetRow>> {
    let read: BTreeSet<TargetId> =
        sources.iter().filter_map(|source| source.marker.as_ref()).map(|(marker, _)| marker.target).collect();
    let cluster = &folded.state.cluster;
    let live = |row: &TargetRow| !matches!(row.state, TargetState::Lost | TargetState::Retired);
    let rows = cluster.targets.values().map(|row| &row.value);
    let unread: Vec<TargetRow> = rows.filter(|row| live(row) && !read.contains(&row.id)).cloned().collect();
    let name = |row: &TargetRow| {
        cluster.providers.get(&row.provider).map_or_else(|| row.provider.to_string(), |row| row.value.name.clone())
    };
    let missing: BTreeSet<String> = unread.iter().map(name).filter(|name| !without.contains(name)).collect();
    if missing.len() > 1 {
        let names = missing.into_iter().collect::<Vec<_>>().join(", ");
        return Err(Error::Setup {
            what: format!(
                "targets of {names} were not given: changes that only they hold would be missed; give them too, or name \
                 each with --without if it is gone"
            ),
        });
    }
    Ok(unread)
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
async fn survey(sources: &[Source], prefix: &str) -> Result<Vec<Seen>> {
    let mut seen: BTreeMap<String, Vec<usize>> = BTreeMap::new();
    for (index, source) in sources.iter().enumerate() {
        for (name, _) in list_all(source, prefix).await? {
            seen.entry(name).or_default().push(index);
        }
    }
    Ok(seen.into_iter().map(|(name, holders)| Seen { name, holders }).collect())
}

/// The first whole copy that `decode` accepts.
async fn read_any<T>(
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

fn object(id: ObjectId, kind: ObjectKind, name: &str, bytes: &Bytes) -> ObjectRow {
    let hash = hash_of(std::slice::from_ref(bytes));
    ObjectRow { id, kind, name: name.to_owned(), bytes: bytes.len() as u64, hash, released: None }
}

async fn fold(opening: &Opening, sources: &[Source]) -> Result<Folded> {
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
        objects,
        findings,
    };
    folded.read_layers(sources, &keys).await?;
    folded.read_journal(sources, &keys).await?;
    for seen in survey(sources, "addresses/").await? {
        if let Some(name) = parse_address_book_name(&seen.name)
            && let Some((_, bytes)) =
                read_any(sources, &seen, &mut folded.findings, |bytes| open_address_book(bytes, &opening.service)).await
        {
            folded.objects.push((object(name.id, ObjectKind::AddressBook, &seen.name, &bytes), seen.holders));
        }
    }
    for gap in folded.state.gaps() {
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
        let open = |bytes: &[u8]| open_cluster_envelope(bytes, &opening.service);
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
        let open = |bytes: &[u8]| open_account_envelope(bytes, &opening.service);
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
                    let read = read_any(sources, seen, &mut self.findings, decode_layer_part).await;
                    let Some((part, bytes)) = read else {
                        self.findings.push(format!("no copy of {text} is whole: its rows are missing"));
                        continue;
                    };
                    let rows = match part.unseal(keys) {
                        Ok(rows) => rows,
                        Err(error) => {
                            self.findings.push(format!("{text} cannot be opened: {error}"));
                            continue;
                        }
                    };
                    if self.state.apply_layer(&part.header, &rows) == Applied::New {
                        row.row_count += rows.len() as u64;
                        row.bytes += bytes.len() as u64;
                        row.objects.push(part.header.id);
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
            let read = read_any(sources, &seen, &mut self.findings, JournalObject::decode).await;
            let Some((journal, bytes)) = read else {
                self.findings.push(format!("no copy of {} is whole: its changes are missing", seen.name));
                continue;
            };
            let row = object(journal.header.id, ObjectKind::Journal, &seen.name, &bytes);
            found.insert(journal.header.id, (journal, row, seen.holders));
        }
        // Epoch by epoch, the line says which objects count: the others were never acknowledged.
        let epochs: BTreeSet<u64> = found.values().map(|(journal, ..)| journal.header.epoch).collect();
        for epoch in epochs {
            let headers: Vec<JournalHeader> =
                found.values().map(|(journal, ..)| journal.header).filter(|header| header.epoch == epoch).collect();
            for id in chain(&headers, (0, None)).ordered {
                if let Some((journal, row, holders)) = found.remove(&id) {
                    self.take_journal(journal, row, holders, keys);
                }
            }
        }
        Ok(())
    }

    fn take_journal(&mut self, journal: JournalObject, row: ObjectRow, holders: Vec<usize>, keys: &Keyring) {
        let mut scopes = Vec::new();
        let mut payloads = Vec::new();
        for entry in &journal.entries {
            match entry.unseal(keys) {
                Ok(record) => {
                    scopes.push((record.scope, record.revision));
                    self.take_record(record, &row.name);
                }
                Err(error) => self.findings.push(format!("a record of {} cannot be opened: {error}", row.name)),
            }
            payloads.extend(entry.payloads.iter().copied());
        }
        self.objects.push((row, holders));
        self.journal.push(JournalUsed { header: journal.header, scopes, payloads });
    }

    fn take_record(&mut self, record: Record, name: &str) {
        match self.state.apply_record(&record) {
            Applied::New => {
                let Record { scope, revision, changes, .. } = record;
                self.rows.extend(changes.into_iter().map(|change| (scope, revision, change)));
            }
            Applied::Seen => {}
            Applied::Late => self.findings.push(format!(
                "{name} holds changes of an earlier life beyond what a rebuild used (revision {}); they are not applied",
                record.revision
            )),
        }
    }
}

async fn begin_epoch(
    opening: Opening,
    sources: Vec<Source>,
    folded: &Folded,
    epoch: u64,
    unread: &[TargetRow],
) -> Result<Store> {
    let generation =
        sources.iter().filter_map(|source| source.marker.as_ref()).map(|(marker, _)| marker.generation).max();
    let generation = generation.unwrap_or(0) + 1;
    let life = Life {
        cluster: folded.cluster,
        epoch,
        generation,
        service_time: ServiceTime(0),
        seq: 0,
        prev: ObjectId::default(),
    };
    let ids: Vec<Option<TargetId>> =
        sources.iter().map(|source| source.marker.as_ref().map(|(marker, _)| marker.target)).collect();
    fill(&opening, folded, &life, &ids, unread).await?;
    let store = assemble(opening, &life, folded.key.clone())?;
    for (account, (key, ..)) in &folded.accounts {
        store.0.keys.insert(*account, key.clone());
    }
    for row in folded.state.cluster.providers.values() {
        store.0.fleet.set_provider(ProviderRow::clone(&row.value));
    }
    for row in folded.state.cluster.targets.values() {
        store.0.fleet.set_target(row.value.clone(), None, store.0.now_us());
    }
    // The new epoch is written to every reachable target before anything is served.
    let mut rows = Vec::new();
    for source in sources {
        let Some((old, present)) = source.marker else { continue };
        let Some(known) = folded.state.cluster.targets.get(&old.target) else { continue };
        let row = TargetRow { address: source.address, generation, ..known.value.clone() };
        let marker = Marker::new(folded.cluster, old.target, old.provider, epoch, generation);
        let marker = Bytes::from(marker.encode());
        source.driver.write_marker(Some(&present), marker.clone()).await?;
        let free = source.driver.probe().await?.free_bytes;
        store.0.put_manual(source.driver.as_ref()).await?;
        store.0.roster.insert(old.target, source.driver);
        store.0.fleet.set_target(row.clone(), Some(marker), store.0.now_us());
        store.0.fleet.saw(old.target, TargetState::Up, free, "", store.0.now_us());
        rows.push(row);
    }
    store
        .commit(move |_, draft| {
            for row in rows {
                draft.change(Scope::Cluster, Change::Target(row));
            }
            Ok::<_, Error>(())
        })
        .await?;
    store.0.snapshot_all(true).await?;
    // The base layers of the new epoch state everything: only now are the old ones released.
    let old: Vec<ObjectId> = folded.layers.iter().flat_map(|layer| layer.objects.clone()).collect();
    store
        .commit(move |tx, _| {
            for object in &old {
                catalogue::objects::release(tx, *object, ServiceTime(0))?;
            }
            Ok::<_, Error>(())
        })
        .await?;
    store.0.renew_address_books().await?;
    Ok(store)
}

/// Fills the tables in one transaction.
async fn fill(
    opening: &Opening,
    folded: &Folded,
    life: &Life,
    ids: &[Option<TargetId>],
    unread: &[TargetRow],
) -> Result<()> {
    let rows = folded.rows.clone();
    let journal = folded.journal.clone();
    let objects: Vec<(ObjectRow, Vec<TargetId>)> = folded
        .objects
        .iter()
        .map(|(object, holders)| (object.clone(), holders.iter().filter_map(|holder| ids[*holder]).collect()))
        .collect();
    let secrets: Vec<(AccountId, Vec<u8>, u64)> = folded
        .accounts
        .iter()
        .map(|(id, (_, bytes, generation))| (*id, bytes.clone(), *generation))
        .chain([(CLUSTER_SECRET, folded.cluster_envelope.clone(), 1)])
        .collect();
    let revisions: Vec<(Scope, u64)> = std::iter::once((Scope::Cluster, folded.state.cluster.revision))
        .chain(folded.state.accounts.iter().map(|(id, account)| (Scope::Account(*id), account.revision)))
        .collect();
    let packs = folded.rows.iter().filter_map(|(.., change)| match change {
        Change::Pack(pack) => Some(pack),
        _ => None,
    });
    let located: BTreeSet<_> = packs.flat_map(|pack| &pack.locations).map(|location| location.segment).collect();
    let unread: Vec<u8> = unread.iter().flat_map(|row| row.id.0).collect();
    let (cluster, epoch, generation) = (life.cluster, life.epoch, life.generation);
    let step = move |writer: &mut catalogue::Writer| -> catalogue::Result<()> {
        writer.begin()?;
        writer.savepoint(|tx| {
            for (scope, revision, change) in &rows {
                catalogue::replay(tx, *scope, *revision, change)?;
            }
            for (scope, revision) in &revisions {
                catalogue::scopes::raise_revision(tx, *scope, *revision)?;
            }
            for (object, copies) in &objects {
                if catalogue::objects::view(tx, object.id)?.is_none() {
                    register(tx, object, copies)?;
                }
            }
            for JournalUsed { header, scopes, payloads } in &journal {
                let JournalHeader { id, epoch, seq, stamp, prev, .. } = *header;
                catalogue::journal::insert(tx, &JournalRow { id, epoch, seq, stamp, prev }, scopes)?;
                for PayloadAt { segment, offset, bytes } in payloads.iter().copied() {
                    if !located.contains(&segment) {
                        let row = Journalled { segment, object: id, epoch, seq, offset, bytes };
                        catalogue::segments::insert_journalled(tx, &row)?;
                    }
                }
            }
            for (account, bytes, generation) in &secrets {
                let secret = catalogue::accounts::Envelope { bytes: bytes.clone(), generation: *generation };
                catalogue::accounts::set_envelope(tx, *account, &secret)?;
            }
            catalogue::meta::set_bytes(tx, meta::CLUSTER, &cluster.0)?;
            catalogue::meta::set_number(tx, meta::EPOCH, epoch)?;
            catalogue::meta::set_number(tx, meta::GENERATION, generation)?;
            catalogue::meta::set_bytes(tx, meta::REBUILT_WITHOUT, &unread)
        })?;
        writer.commit()
    };
    Ok(opening.catalogue.writer(step).await??)
}
