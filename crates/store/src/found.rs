//! The first start, and every later one.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicU64},
    },
};

use bytes::Bytes;
use catalogue::objects::{ObjectKind, ObjectRow};
use fleet::ObjectName;
use format::{
    JournalObject,
    envelope::{open_account_envelope, open_cluster_envelope, seal_cluster_envelope},
    keys::ClusterKey,
    name::{envelope_name, journal_name, parse_journal_name},
    replay::chain,
};
use model::{
    Change, Scope,
    fleet::{ProviderRow, TargetRow, TargetState},
    id::{AccountId, ClusterId, ObjectId, TargetId},
    units::ServiceTime,
    world::BoxFuture,
};
use tokio::sync::mpsc;

use crate::{
    Inner, Opening, Store,
    commit::{self, ChainState},
    copies::{Put, hash_of, unverified},
    error::{Error, Result},
    fleet_state::FleetState,
    joining::LeftOut,
    keys::Ring,
    locate::HashLists,
    meta,
    pool::Pool,
    registration::{Registration, replay},
    view::ServiceClock,
};
/// The normative format, kept at every target: how to read all this without us.
pub const FORMAT_MD: &str = include_str!("../../../docs/format.md");

/// Which row of `account_secret` keeps the cluster's envelope.
pub(crate) const CLUSTER_SECRET: AccountId = AccountId([0; 16]);

/// What an opened catalogue says of the service.
pub(crate) struct Life {
    pub cluster: ClusterId,
    pub epoch: u64,
    pub generation: u64,
    pub service_time: ServiceTime,
    pub seq: u64,
    pub prev: ObjectId,
}

pub(crate) fn assemble(opening: Opening, life: &Life, key: ClusterKey) -> Result<Store> {
    let start = u32::try_from(life.generation)
        .map_err(|_| Error::Setup { what: "this service was started more than four billion times".to_owned() })?;
    let (door, waiting) = mpsc::unbounded_channel();
    let (again, failed) = mpsc::unbounded_channel();
    let (early, overtaken) = mpsc::unbounded_channel();
    let now = opening.world.clock.now();
    let chain = ChainState { epoch: life.epoch, seq: life.seq, prev: life.prev, start, attempt: 0 };
    let inner = Arc::new(Inner {
        pool: Pool::new(opening.settings.buffer_bytes),
        speed: crate::speed::Speed::new(opening.settings.hedge_percent, early),
        world: opening.world,
        catalogue: opening.catalogue,
        roster: opening.roster,
        trial: AtomicBool::new(opening.settings.trial),
        settings: opening.settings,
        service: opening.service,
        cluster: life.cluster,
        epoch: AtomicU64::new(life.epoch),
        generation: AtomicU64::new(life.generation),
        keys: Ring::new(key),
        fleet: FleetState::new(again),
        taking: tokio::sync::Mutex::default(),
        probing: tokio::sync::Mutex::default(),
        door,
        chain: Mutex::new(chain),
        late_copies: Mutex::default(),
        being_written: Mutex::default(),
        bad_makes: Mutex::default(),
        hash_lists: HashLists::default(),
        codes: Mutex::new(BTreeMap::new()),
        time: Mutex::new(ServiceClock::new(life.service_time, now)),
        superseded: Mutex::default(),
        stopping: AtomicBool::new(false),
        sets: crate::sets::Kept::default(),
        strays: crate::strays::Walk::default(),
        upkeep: crate::upkeep::UpkeepState::default(),
        uploads: crate::upload::Writers::default(),
        books: crate::spending::Books::default(),
        ledger: crate::ledger::Kept::default(),
        counting: crate::census::Counting::default(),
        looked: crate::stage::Looked::default(),
    });
    inner.world.timer.spawn(Box::pin(commit::run(Arc::downgrade(&inner), waiting)));
    inner.world.timer.spawn(Box::pin(crate::probe::look_again(Arc::downgrade(&inner), failed)));
    inner.world.timer.spawn(Box::pin(crate::probe::look_early(Arc::downgrade(&inner), overtaken)));
    Ok(Store(inner))
}

impl Store {
    /// The first start: an empty catalogue and empty targets become a service.
    ///
    /// # Errors
    /// [`Error::Setup`] if the catalogue or a target is in use already; [`Error::Unsafe`] with fewer than two providers.
    pub fn found(
        opening: Opening,
        providers: Vec<ProviderRow>,
        targets: Vec<TargetRow>,
    ) -> BoxFuture<'static, Result<Self>> {
        Box::pin(async move { Ok(Self::found_on_firms(opening, providers, targets, BTreeSet::new()).await?.0) })
    }

    /// The first start on targets of which those in `far` lie at firms: each of these is tried as one that joins, and left out
    /// if it does not pass, with the step and the reason, while two firms are enough without it.
    ///
    /// # Errors
    /// As [`Self::found`]; [`Error::Setup`] with all that was left out if fewer than two firms passed.
    pub fn found_on_firms(
        opening: Opening,
        providers: Vec<ProviderRow>,
        targets: Vec<TargetRow>,
        far: BTreeSet<TargetId>,
    ) -> BoxFuture<'static, Result<(Self, Vec<LeftOut>)>> {
        Box::pin(async move {
            let known = opening.catalogue.read(|tx| catalogue::meta::bytes(tx, meta::CLUSTER)).await?;
            if known.is_some() {
                return Err(Error::Setup {
                    what: "this data folder already holds a service; start it as it is".to_owned(),
                });
            }
            let entropy = opening.world.entropy.clone();
            let cluster = ClusterId::random(entropy.as_ref());
            let key = ClusterKey::random(entropy.as_ref());
            let life = Life {
                cluster,
                epoch: 1,
                generation: 1,
                service_time: ServiceTime(0),
                seq: 0,
                prev: ObjectId::default(),
            };
            let id = ObjectId::random(entropy.as_ref());
            let name = envelope_name(Scope::Cluster, 1, id);
            let envelope = seal_cluster_envelope(&name, cluster, &key, &opening.service.recipient())?;
            let store = assemble(opening, &life, key)?;
            let inner = &store.0;
            for row in &providers {
                inner.fleet.set_provider(row.clone());
            }
            let (rows, left_out) = inner.take_first_targets(targets, &far).await?;
            let sealed = Bytes::from(envelope.clone());
            let (object, copies) = inner.put_object(id, ObjectKind::Envelope, name, sealed).await?;
            store
                .commit(move |tx, draft| {
                    catalogue::meta::set_bytes(tx, meta::CLUSTER, &cluster.0)?;
                    catalogue::meta::set_number(tx, meta::EPOCH, 1)?;
                    catalogue::meta::set_number(tx, meta::GENERATION, 1)?;
                    let secret = catalogue::accounts::Envelope { bytes: envelope, generation: 1 };
                    catalogue::accounts::set_envelope(tx, CLUSTER_SECRET, &secret)?;
                    register(tx, &object, &copies)?;
                    for row in providers {
                        draft.change(Scope::Cluster, Change::Provider(row));
                    }
                    for row in rows {
                        draft.change(Scope::Cluster, Change::Target(row));
                    }
                    Ok::<_, Error>(())
                })
                .await?;
            Ok((store, left_out))
        })
    }

    /// Opens a service that was founded before, and finishes or forgets what a crash left.
    ///
    /// # Errors
    /// [`Error::Setup`] if the catalogue is empty, [`Error::NoKey`] with another service identity.
    pub fn open(opening: Opening) -> BoxFuture<'static, Result<Self>> {
        Box::pin(async move {
            let (life, cluster_secret, accounts) = opening
                .catalogue
                .read(read_life)
                .await?
                .ok_or_else(|| Error::Setup { what: "this data folder holds no service yet".to_owned() })?;
            let cannot = |error: format::Error| Error::NoKey { detail: error.to_string() };
            let (cluster, key) = open_cluster_envelope(None, &cluster_secret, &opening.service).map_err(cannot)?;
            if cluster != life.cluster {
                return Err(Error::NoKey { detail: "the service identity belongs to another cluster".to_owned() });
            }
            let keys: Result<Vec<_>> = accounts
                .iter()
                .map(|bytes| open_account_envelope(None, bytes, &opening.service).map_err(cannot))
                .collect();
            let life = Life { generation: life.generation + 1, ..life };
            let store = assemble(opening, &life, key)?;
            for (account, key) in keys? {
                store.0.keys.insert(account, key);
            }
            store.0.load_fleet().await?;
            store.0.load_schedule().await?;
            store.0.load_drills().await?;
            let generation = life.generation;
            store
                .commit(move |tx, _| Ok::<_, Error>(catalogue::meta::set_number(tx, meta::GENERATION, generation)?))
                .await?;
            store.0.probe_first().await;
            store.0.finish_journal().await?;
            // What was said last may have been in the journal alone.
            store.0.load_rules().await?;
            store.0.mark_start().await;
            store.0.forget_stale_intents().await?;
            Ok(store)
        })
    }
}

type Found = Option<(Life, Vec<u8>, Vec<Vec<u8>>)>;

fn read_life(tx: &mut catalogue::Tx<'_>) -> catalogue::Result<Found> {
    let id = |bytes: Option<Vec<u8>>| bytes.and_then(|bytes| <[u8; 16]>::try_from(bytes).ok());
    let Some(cluster) = id(catalogue::meta::bytes(tx, meta::CLUSTER)?) else { return Ok(None) };
    let number =
        |tx: &catalogue::Tx<'_>, name| Ok::<_, catalogue::Error>(catalogue::meta::number(tx, name)?.unwrap_or(0));
    let life = Life {
        cluster: ClusterId(cluster),
        epoch: number(tx, meta::EPOCH)?,
        generation: number(tx, meta::GENERATION)?,
        service_time: ServiceTime(number(tx, meta::SERVICE_TIME)?),
        seq: number(tx, meta::JOURNAL_SEQ)?,
        prev: ObjectId(id(catalogue::meta::bytes(tx, meta::JOURNAL_PREV)?).unwrap_or_default()),
    };
    let cluster_secret = catalogue::accounts::envelope(tx, CLUSTER_SECRET)?.map(|secret| secret.bytes);
    let mut accounts = Vec::new();
    for account in catalogue::accounts::all(tx)? {
        if account.managed
            && let Some(secret) = catalogue::accounts::envelope(tx, account.id)?
        {
            accounts.push(secret.bytes);
        }
    }
    Ok(Some((life, cluster_secret.unwrap_or_default(), accounts)))
}

/// Notes a copied object and its copies.
pub(crate) fn register(tx: &mut catalogue::Tx<'_>, object: &ObjectRow, copies: &[TargetId]) -> catalogue::Result<()> {
    catalogue::objects::insert(tx, object)?;
    copies.iter().try_for_each(|target| catalogue::objects::set_copy(tx, object.id, &unverified(*target)))
}

impl Inner {
    /// Puts a copied object until it is settled; its row is for the caller to register.
    pub(crate) async fn put_object(
        self: &Arc<Self>,
        id: ObjectId,
        kind: ObjectKind,
        name: String,
        bytes: Bytes,
    ) -> Result<(ObjectRow, Vec<TargetId>)> {
        let length = bytes.len() as u64;
        let pieces = [bytes];
        let copies = self.put_copied(&name, id, &pieces, Put::UntilSettled).await?;
        Ok((ObjectRow { id, kind, name, bytes: length, hash: hash_of(&pieces), released: None }, copies))
    }

    async fn load_fleet(&self) -> Result<()> {
        for row in self.catalogue.read(|tx| catalogue::fleet::targets(tx)).await? {
            self.fleet.set_target(row, None, self.now_us());
        }
        self.load_rules().await
    }

    /// What a person said of the fleet: labels, constraints, orders.
    async fn load_rules(&self) -> Result<()> {
        let (providers, constraints, orders) = self
            .catalogue
            .read(|tx| {
                Ok((catalogue::fleet::providers(tx)?, catalogue::fleet::constraints(tx)?, catalogue::orders::all(tx)?))
            })
            .await?;
        providers.into_iter().for_each(|row| self.fleet.set_provider(row));
        constraints.into_iter().for_each(|row| self.fleet.set_constraint(row));
        orders.into_iter().for_each(|row| self.fleet.set_orders(row));
        Ok(())
    }

    /// Applies journal objects that follow the last committed one: puts that a crash left without their commit.
    async fn finish_journal(self: &Arc<Self>) -> Result<()> {
        let (epoch, seq, prev) = {
            let chain = crate::locked(&self.chain);
            (chain.epoch, chain.seq, chain.prev)
        };
        let mut headers = Vec::new();
        let mut holders: BTreeMap<ObjectId, (String, Vec<TargetId>)> = BTreeMap::new();
        for live in self.fleet.all().into_iter().filter(|live| live.state == TargetState::Up) {
            let driver = self.driver(live.row.id)?;
            let prefix = format!("journal/{epoch:016x}/");
            let mut after = ObjectName::parse(journal_name(epoch, seq, u64::MAX, ObjectId([0xff; 16]))).ok();
            loop {
                // Whoever does not list now is not needed: what was acknowledged lies at two providers.
                let Ok(page) = driver.list(&prefix, after.as_ref(), 500).await else { break };
                for listed in &page.objects {
                    let Some(name) = parse_journal_name(listed.name.as_str()) else { continue };
                    if name.seq <= seq {
                        continue;
                    }
                    holders.entry(name.id).or_insert_with(|| (listed.name.to_string(), Vec::new())).1.push(live.row.id);
                }
                after = page.objects.last().map(|listed| listed.name.clone());
                if !page.more {
                    break;
                }
            }
        }
        let mut objects = BTreeMap::new();
        for (id, (name, targets)) in &holders {
            if let Some((object, bytes)) = self.read_journal(name, targets).await {
                headers.push(object.header);
                objects.insert(*id, (object, bytes));
            }
        }
        let line = chain(&headers, (seq, Some(prev)));
        for id in line.ordered {
            let (Some((object, bytes)), Some((_, targets))) = (objects.remove(&id), holders.get(&id)) else { continue };
            let targets = self.copied_until_safe(&object.header.name(), &bytes, targets.clone()).await;
            self.apply_journal(object, bytes, targets).await?;
        }
        Ok(())
    }

    /// Copies an object that a crash left at too few providers to more of them: what is applied must not vanish again.
    async fn copied_until_safe(&self, name: &str, bytes: &Bytes, mut holders: Vec<TargetId>) -> Vec<TargetId> {
        let Ok(object) = ObjectName::parse(name) else { return holders };
        for live in self.fleet.all().into_iter().filter(|live| live.state == TargetState::Up) {
            if self.copies_do(&holders, Put::UntilSafe) {
                break;
            }
            let Ok(driver) = self.driver(live.row.id) else { continue };
            if !holders.contains(&live.row.id)
                && matches!(
                    driver.put(&object, std::slice::from_ref(bytes)).await,
                    Ok(()) | Err(fleet::Error::Exists { .. })
                )
            {
                holders.push(live.row.id);
            }
        }
        holders
    }

    /// A journal object from the first target that has a whole one.
    pub(crate) async fn read_journal(&self, name: &str, targets: &[TargetId]) -> Option<(JournalObject, Bytes)> {
        let object = ObjectName::parse(name).ok()?;
        for target in self.by_preference(targets.iter().copied()) {
            let Ok(driver) = self.driver(target) else { continue };
            let Ok(Some(length)) = driver.stat(&object).await else { continue };
            let Ok(bytes) = driver.read(&object, 0..length).await else { continue };
            if let Ok(decoded) = JournalObject::decode_named(name, &bytes) {
                return Some((decoded, bytes));
            }
        }
        None
    }

    async fn apply_journal(
        self: &Arc<Self>,
        object: JournalObject,
        bytes: Bytes,
        targets: Vec<TargetId>,
    ) -> Result<()> {
        let keys = self.keys.snapshot();
        let mut records = Vec::new();
        let mut payloads = Vec::new();
        for entry in &object.entries {
            records.push(entry.unseal(&keys)?);
            payloads.extend(entry.payloads.iter().copied());
        }
        let header = object.header;
        let registration =
            Registration::of_read(header, bytes.len() as u64, &records, payloads, targets, hash_of(&[bytes]));
        let step = move |writer: &mut catalogue::Writer| -> catalogue::Result<()> {
            writer.begin()?;
            writer.savepoint(|tx| {
                for record in &records {
                    replay(tx, record)?;
                }
                registration.write(tx)
            })?;
            writer.commit()
        };
        self.catalogue.writer(step).await??;
        self.journal_advanced(&header);
        Ok(())
    }

    /// Gives up packs that an earlier start announced and did not record; their shards may go after the grace time.
    async fn forget_stale_intents(self: &Arc<Self>) -> Result<()> {
        let generation = self.generation();
        let stale = self.catalogue.read(move |tx| catalogue::intents::stale(tx, ServiceTime(0), generation)).await?;
        for intent in stale {
            self.give_up_pack(intent.pack).await?;
        }
        Ok(())
    }
}
