//! A small service over memory targets, for the stories beside this file.
#![allow(clippy::unwrap_used, dead_code, reason = "test support, used by some stories each")]

use std::sync::Arc;

use bytes::Bytes;
use catalogue::Catalogue;
use fleet::{
    MemoryDisk, MemoryTarget, Meter, Roster, Target,
    faults::{FaultControl, Faults},
};
use format::Identity;
use futures_util::{StreamExt, stream};
use model::{
    Change, Scope,
    account::AccountRow,
    entry::{EntryRow, Kind, ROOT, Version},
    fleet::{ProviderRow, TargetRow, TargetState},
    id::{EntryId, ProviderId, TargetId, VersionId},
    units::ServiceTime,
    world::World,
};
use store::{Error, Expect, Joining, Opening, Reading, Received, Settings, Store};
use testkit::world::{ManualClock, SeededEntropy, TokioTimer};

pub struct House {
    pub store: Store,
    pub account: AccountRow,
    pub disks: Vec<MemoryDisk>,
    pub targets: Vec<Arc<dyn Target>>,
    /// What was asked of each target.
    pub meters: Vec<Meter>,
    pub service: String,
    pub clock: ManualClock,
    pub entropy: Arc<SeededEntropy>,
    pub settings: Settings,
    pub catalogue: Catalogue,
}

pub fn settings() -> Settings {
    Settings {
        cell_bytes: 64 << 10,
        lane_bytes_max: 256 << 10,
        small_file_bytes_max: 100 << 10,
        grace_s: 10,
        down_wait_s: 0,
        write_deadline_s: 2,
        overtake_after_ms: 5_000,
        ..Settings::default()
    }
}

pub fn world(clock: &ManualClock, entropy: &Arc<SeededEntropy>) -> World {
    World { clock: Arc::new(clock.clone()), entropy: entropy.clone(), timer: Arc::new(TokioTimer) }
}

impl House {
    /// A service on so many providers with one target each.
    pub async fn new(providers: usize) -> Self {
        Self::with_targets(providers, 1).await
    }

    /// A service on so many providers with so many targets each.
    pub async fn with_targets(providers: usize, each: usize) -> Self {
        Self::with_settings(providers, each, settings()).await
    }

    /// The same with other settings.
    pub async fn with_settings(providers: usize, each: usize, settings: Settings) -> Self {
        let clock = ManualClock::standing();
        let entropy = Arc::new(SeededEntropy::new(7));
        let roster = Roster::default();
        let (mut rows, mut target_rows, mut disks, mut targets) = (vec![], vec![], vec![], vec![]);
        let mut meters = vec![];
        for i in 0..providers {
            rows.push(ProviderRow { id: ProviderId([i as u8 + 1; 16]), name: format!("firm-{i}"), labels: vec![] });
        }
        for i in 0..providers * each {
            let provider = rows[i / each].id;
            let target = TargetId([i as u8 + 101; 16]);
            target_rows.push(TargetRow {
                id: target,
                provider,
                address: format!("memory-{i}"),
                driver: "memory".into(),
                generation: 0,
                state: TargetState::Up,
            });
            let memory = MemoryTarget::new(format!("memory-{i}"));
            disks.push(memory.disk());
            let (memory, meter) = Meter::over(Arc::new(memory), Arc::new(clock.clone()));
            meters.push(meter);
            targets.push(memory.clone());
            roster.insert(target, memory);
        }
        let service = Identity::generate();
        let secret = service.secret().to_string();
        let catalogue = Catalogue::open_inline_memory().unwrap();
        let opening = Opening {
            world: world(&clock, &entropy),
            catalogue: catalogue.clone(),
            roster,
            service,
            settings: settings.clone(),
        };
        let store = Store::found(opening, rows, target_rows).await.unwrap();
        let account = store.make_account("owner", true).await.unwrap();
        Self { store, account, disks, targets, meters, service: secret, clock, entropy, settings, catalogue }
    }

    /// Lays faults around every target; one hand for each.
    pub fn hands(&self) -> Vec<FaultControl> {
        let lay = |(at, target): (usize, &Arc<dyn Target>)| {
            let hand = FaultControl::default();
            let entropy = Arc::new(SeededEntropy::new(at as u64));
            let faulty = Faults::over(target.clone(), hand.clone(), entropy, Arc::new(TokioTimer));
            self.store.roster().insert(TargetId([at as u8 + 101; 16]), Arc::new(faulty));
            hand
        };
        self.targets.iter().enumerate().map(lay).collect()
    }

    /// A version that consists of what was received; of a file of its own.
    pub fn version_of(&self, received: &Received) -> Version {
        Version {
            id: VersionId::random(self.store.entropy()),
            entry: EntryId::random(self.store.entropy()),
            size: received.size,
            modified_us: 5,
            made_us: 6,
            media_type: "application/octet-stream".into(),
            blake3: received.blake3,
            crc32: received.crc32,
            sha256: None,
            key: received.key,
            content: received.content.clone(),
            replaced: None,
        }
    }

    pub async fn put(&self, name: &str, bytes: &[u8]) -> Result<Version, Error> {
        let chunks: Vec<_> = bytes.chunks(10_007).map(|chunk| Ok(Bytes::copy_from_slice(chunk))).collect();
        let account = self.account.id;
        let received = self
            .store
            .receive(account, stream::iter(chunks), Expect { bytes: Some(bytes.len() as u64), ..Expect::default() })
            .await?;
        let version = self.version_of(&received);
        let (made, name) = (version.clone(), name.to_owned());
        self.store
            .commit(move |tx, draft| {
                let scope = Scope::Account(account);
                let mut version = made;
                let entry = match catalogue::entries::child(tx, account, ROOT, &name)? {
                    Some(old) => {
                        if let Some(mut replaced) =
                            old.current.map(|id| catalogue::versions::get(tx, account, id)).transpose()?.flatten()
                        {
                            replaced.replaced = Some(ServiceTime(0));
                            draft.change(scope, Change::Version(replaced));
                        }
                        old.id
                    }
                    None => version.entry,
                };
                version.entry = entry;
                let current = Some(version.id);
                draft.change(
                    scope,
                    Change::Entry(EntryRow {
                        id: entry,
                        parent: ROOT,
                        name,
                        kind: Kind::File,
                        modified_us: 5,
                        trashed: None,
                        current,
                    }),
                );
                draft.change(scope, Change::Version(version.clone()));
                draft.received(account, &received);
                Ok::<_, Error>(version)
            })
            .await
    }

    /// Stops the service and opens it again, as it is recorded.
    pub async fn open_again(&self) -> Store {
        self.store.stop().await;
        let roster = Roster::default();
        for (at, target) in self.targets.iter().enumerate() {
            roster.insert(TargetId([at as u8 + 101; 16]), target.clone());
        }
        let opening = Opening {
            world: world(&self.clock, &self.entropy),
            catalogue: Catalogue::inline_from_image(&self.catalogue.image().unwrap()).unwrap(),
            roster,
            service: Identity::parse(&self.service).unwrap(),
            settings: self.settings.clone(),
        };
        Store::open(opening).await.unwrap()
    }

    /// A new provider, with no target yet.
    pub async fn with_provider(&self, n: u8) {
        let row = ProviderRow { id: ProviderId([n; 16]), name: format!("new-{n}"), labels: vec![] };
        self.store.grow(vec![row], vec![], vec![]).await.unwrap();
    }

    /// A new provider whose target joins.
    pub async fn join(&self, n: u8) -> MemoryDisk {
        self.with_provider(n).await;
        let target = MemoryTarget::new(format!("memory-{n}"));
        let disk = target.disk();
        let joining = Joining { row: joining_row(n), driver: Arc::new(target), login: Some(vec![n; 40]) };
        self.store.join(joining, None).await.unwrap();
        disk
    }

    pub async fn get(&self, version: &Version) -> Result<Vec<u8>, Error> {
        read(&self.store, self.account.id, version).await
    }
}

/// The row of a target that is about to join the provider of the same number.
pub fn joining_row(n: u8) -> TargetRow {
    TargetRow {
        id: TargetId([n; 16]),
        provider: ProviderId([n; 16]),
        address: format!("memory-{n}"),
        driver: "memory".into(),
        generation: 1,
        state: TargetState::Up,
    }
}

pub async fn read(store: &Store, account: model::id::AccountId, version: &Version) -> Result<Vec<u8>, Error> {
    rest(store.open_version(account, version.clone(), 0..u64::MAX).await?).await
}

/// What is left of a read.
pub async fn rest(mut reading: Reading) -> Result<Vec<u8>, Error> {
    let mut all = Vec::new();
    while let Some(part) = reading.next().await {
        all.extend_from_slice(&part?);
    }
    Ok(all)
}

pub fn bytes(count: usize, seed: u64) -> Vec<u8> {
    let mut state = seed | 1;
    (0..count)
        .map(|_| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (state >> 56) as u8
        })
        .collect()
}
