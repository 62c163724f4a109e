//! Rebuild: a catalogue from surviving targets alone.
//!
//! What the targets say is read and folded ([`crate::fold`]), and the tables are filled through the same
//! `catalogue::apply` as the live path. Then a new *epoch* begins: every reachable target's marker says so before anything
//! is served, a gateway of the old life stops writing when it meets one, and base layers of the new epoch state
//! everything, so that nothing older is needed. Known targets that were not read are written down: see
//! [`crate::returned`].

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use bytes::Bytes;
use catalogue::{journal::JournalRow, objects::ObjectRow, segments::Journalled};
use fleet::Target;
use format::{
    Marker,
    journal::{JournalHeader, PayloadAt},
};
use model::{
    Change, Scope,
    fleet::{ProviderRow, TargetRow, TargetState},
    id::{AccountId, ObjectId, ProviderId, TargetId},
    units::ServiceTime,
    world::BoxFuture,
};

use crate::{
    Inner, Opening, Store,
    error::{Error, Result},
    fold::{Folded, JournalUsed, Source, fold},
    found::{CLUSTER_SECRET, Life, assemble, register},
    meta,
};
/// Findings about the ledger that are noted in it.
const FINDINGS_NOTED: usize = 20;
/// Unread targets that are named there.
const TARGETS_NOTED: usize = 500;

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

/// Makes a working catalogue from `targets` (address and driver). `opening.catalogue` is empty; its roster is filled.
/// `without` names the providers that are given up for now.
///
/// # Errors
/// [`Error::Setup`] when the targets hold no cluster, or several; when more than one provider is unread and not named in
/// `without`. [`Error::NoKey`] with another service identity. Nothing at any target is changed then.
pub fn rebuild(
    opening: Opening,
    targets: Vec<(String, Arc<dyn Target>)>,
    without: &[String],
) -> BoxFuture<'_, Result<(Store, RebuildReport)>> {
    Box::pin(async move {
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
        let mut folded = fold(&opening, &sources).await?;
        let unread = check_unread(&folded, &sources, without)?;
        let epoch = sources.iter().filter_map(|source| source.marker.as_ref()).map(|(marker, _)| marker.epoch).max();
        let epoch = epoch.unwrap_or(0).max(folded.state.cluster.epoch) + 1;
        let store = begin_epoch(opening, sources, &folded, epoch, &unread).await?;
        let late = std::mem::take(&mut folded.late);
        folded.findings.extend(store.0.bring_in_late(late, Vec::new(), "the targets", &[]).await?);
        store.0.note_rebuild(&unread, folded.ledger_findings.clone()).await?;
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
    })
}

impl Inner {
    /// Notes that this life began, and what is wrong with what the ledger said before.
    async fn note_rebuild(self: &Arc<Self>, unread: &[TargetRow], found: Vec<String>) -> Result<()> {
        let mut fields = vec![("epoch", self.epoch().to_string())];
        fields.extend(unread.iter().take(TARGETS_NOTED).map(|row| ("unread", row.id.to_string())));
        fields.extend(found.into_iter().take(FINDINGS_NOTED).map(|said| ("ledger", said)));
        let now_us = self.world.clock.now().wall_us;
        Store(self.clone())
            .commit(move |tx, draft| crate::ledger::note(tx, draft, "rebuild.done", &fields, now_us).map(drop))
            .await
    }
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
    let holding = cluster.constraints.values().filter(|row| row.value.holds);
    let constraints = holding.map(|row| row.value.label.clone()).collect();
    let targets = cluster.targets.values().map(|row| (row.value.provider, row.value.state));
    let domains = plan::domains(cluster.providers.values().map(|row| &row.value), targets, &constraints);
    let missing: BTreeMap<String, ProviderId> =
        unread.iter().map(|row| (name(row), domains.get(&row.provider).copied().unwrap_or(row.provider))).collect();
    let missing: BTreeMap<_, _> = missing.into_iter().filter(|(name, _)| !without.contains(name)).collect();
    if missing.values().collect::<BTreeSet<_>>().len() > 1 {
        let names = missing.into_keys().collect::<Vec<_>>().join(", ");
        return Err(Error::Setup {
            what: format!(
                "targets of {names} were not given: changes that only they hold would be missed; give them too, or name \
                 each with --without if it is gone"
            ),
        });
    }
    Ok(unread)
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
    for row in folded.state.cluster.constraints.values() {
        store.0.fleet.set_constraint(row.value.clone());
    }
    for row in folded.state.cluster.targets.values() {
        store.0.fleet.set_target(row.value.clone(), None, store.0.now_us());
    }
    for row in folded.state.cluster.orders.values() {
        store.0.fleet.set_orders(row.value.clone());
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
            // A small file that was brought in late lies in two journal objects: one of them is enough.
            let mut waiting = BTreeSet::new();
            for JournalUsed { header, scopes, payloads } in &journal {
                let JournalHeader { id, epoch, seq, stamp, prev, .. } = *header;
                catalogue::journal::insert(tx, &JournalRow { id, epoch, seq, stamp, prev }, scopes)?;
                for PayloadAt { segment, offset, bytes } in payloads.iter().copied() {
                    if !located.contains(&segment) && waiting.insert(segment) {
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
