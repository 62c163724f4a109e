//! The store: bytes in, bytes out, and the promise in between.
//!
//! One verb per file. [`commit`] is the one door for change; [`write`](mod@write) takes bodies in and [`read`] gives ranges out;
//! `packer` moves small files from the journal into packs; `snapshot` states where the journal led, so that it can be
//! released; `scrub` reads what is kept, `sample` some of it, `strays` finds what else lies there, `absent` what no longer does, and `repair` makes again what is missing;
//! `drill` proves what would be left without a firm, `drilled` keeps what it found; `repack` rewrites packs that are mostly dead and `reclaim` deletes what a record says is dead; [`rebuild`] makes a
//! catalogue from surviving targets; `joining` lets a target join, and `orders`, `evacuate`, `certify` and `retire` leave one; [`ledger`] notes what was
//! done and signs it; `spending` keeps the books; `upkeep` runs all of these, `kinds` says what they are for and `schedule` how they
//! stand, and `probe` says what is up. `census` counts where everything stands, for `report`, `what_if` and `trend`, `tallies` for
//! `gauges`.
//!
//! [`Store`] is a cheap handle. Time, chance, targets and the catalogue come in through [`Opening`]; the same code runs
//! in the service and in the simulator.
//!
//! What other crates call returns a boxed future: the compiler makes the code of an `async fn` anew in each crate that waits
//! for it, and theirs would be most of the store, four times over.
//!
//! Rule: lanes before records, records before success; for deletion the record first, the bytes last, and never on
//! reconnect or silence.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
};

use catalogue::Catalogue;
use erasure::Code;
use fleet::Roster;
use format::{Identity, JournalHeader};
use model::{
    Scheme,
    entry::WrappedKey,
    id::{AccountId, ClusterId, ObjectId, PackId, TargetId},
    pack::Make,
    units::ServiceTime,
    world::{Now, World},
};
use tokio::sync::mpsc;

mod absent;
mod body;
mod census;
mod certify;
pub mod commit;
mod constraints;
mod copies;
mod draft;
mod drill;
mod drilled;
mod earlier;
mod error;
mod evacuate;
mod evacuating;
mod fill;
mod fleet_state;
mod fold;
mod found;
pub mod gauges;
mod gone;
mod ground;
mod intake;
mod jobs;
mod joining;
mod keys;
mod kinds;
mod kits;
mod lanes;
mod late;
pub mod ledger;
mod locate;
mod meta;
mod orders;
mod pacer;
mod pack_writer;
mod packer;
mod pool;
mod probe;
pub mod read;
pub mod rebuild;
mod reclaim;
mod registration;
mod repack;
mod repair;
pub mod report;
mod retire;
mod returned;
mod sample;
mod schedule;
pub mod scrub;
mod sets;
mod settings;
mod shared_pack;
mod snapshot;
mod speed;
mod spending;
pub mod stage;
mod strays;
mod sweep;
pub mod tallies;
mod trend;
mod upkeep;
pub mod upload;
mod view;
mod what_if;
pub mod write;

pub use catalogue::{trend::HourRow, uploads::UploadRow};
pub use census::Without;
pub use constraints::{Constraints, constraints};
pub use draft::Draft;
pub use drill::DrillReport;
pub use error::{Error, Result};
pub use gauges::{Gauges, ProviderGauges, TargetGauges};
pub use joining::{Joined, Joining, KitAge, LeftOut, fleet_is_kept};
pub use kinds::{About as JobAbout, JobError, JobKind};
pub use orders::OrderError;
pub use plan::{
    Budget, Counts, Due, Forecast, JobSeen, Kits, Ladder, Money, Price, Seen, Tally, domains, due, is_told_again,
    shared_labels, still_stands,
};
pub use read::Reading;
pub use rebuild::{RebuildReport, rebuild};
pub use report::{EvacuationReport, FleetReport, JobReport, ProviderReport, Standing, TargetReport};
pub use schedule::JobStanding;
pub use scrub::ScrubReport;
pub use settings::Settings;
pub use spending::Spending;
pub use stage::{Effect, FirmEffect, Side, Stage};
pub use trend::{TREND_DAYS, TREND_POINTS_MAX};
pub use upload::UploadSpec;
pub use what_if::{RepairCost, WhatIfReport};
pub use write::{Expect, Received};

/// What a store is opened with.
pub struct Opening {
    /// Clock, chance and timer.
    pub world: World,
    /// Its catalogue: empty for [`Store::found`] and [`rebuild()`].
    pub catalogue: Catalogue,
    /// The open drivers, by target.
    pub roster: Roster,
    /// The operator's identity: opens the cluster's envelope and those of managed accounts.
    pub service: Identity,
    /// The numbers that may be turned.
    pub settings: Settings,
}

/// A handle on the running store.
#[derive(Clone)]
pub struct Store(pub(crate) Arc<Inner>);

impl std::fmt::Debug for Store {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Store({})", self.0.cluster)
    }
}

pub(crate) struct Inner {
    world: World,
    catalogue: Catalogue,
    roster: Roster,
    settings: Settings,
    /// Providers share one disk: everything shown says so.
    trial: AtomicBool,
    service: Identity,
    cluster: ClusterId,
    epoch: AtomicU64,
    /// Raised at each start.
    generation: AtomicU64,
    keys: keys::Ring,
    fleet: fleet_state::FleetState,
    /// Held while recorded orders are taken over, one after the other.
    taking: tokio::sync::Mutex<()>,
    /// Held while targets are probed.
    probing: tokio::sync::Mutex<()>,
    pool: pool::Pool,
    door: mpsc::UnboundedSender<commit::Request>,
    chain: Mutex<commit::ChainState>,
    late_copies: Mutex<Vec<(ObjectId, TargetId)>>,
    being_written: Mutex<BTreeSet<PackId>>,
    bad_makes: Mutex<BTreeMap<Make, PackId>>,
    hash_lists: locate::HashLists,
    codes: Mutex<BTreeMap<Scheme, Code>>,
    time: Mutex<view::ServiceClock>,
    /// A target that carries a newer epoch of this cluster, and that epoch: nothing is written any more.
    superseded: Mutex<Option<(String, u64)>>,
    stopping: AtomicBool,
    upkeep: upkeep::UpkeepState,
    sets: sets::Kept,
    strays: strays::Walk,
    uploads: upload::Writers,
    books: spending::Books,
    ledger: ledger::Kept,
    counting: census::Counting,
    looked: stage::Looked,
    speed: speed::Speed,
}

impl Store {
    /// What the clocks say.
    pub fn now(&self) -> Now {
        self.0.world.clock.now()
    }

    /// The time on which destruction runs.
    pub fn service_time(&self) -> ServiceTime {
        self.0.service_time()
    }

    /// Whether the clocks are to be trusted: while they disagree nothing is destroyed.
    pub fn clocks_agree(&self) -> bool {
        let now = self.now();
        !locked(&self.0.time).is_paused(now)
    }

    /// Waits for so many microseconds.
    pub fn sleep(&self, us: u64) -> model::world::BoxFuture<'static, ()> {
        self.0.world.timer.sleep(us)
    }

    /// A version's file key, wrapped for another account: the copy consists of the same sealed bytes.
    ///
    /// # Errors
    /// [`Error::NoAccount`] if the key of one of them is not here; Damaged if it is not `from`'s.
    pub fn rewrap(&self, from: AccountId, to: AccountId, key: &WrappedKey) -> Result<WrappedKey> {
        let (from, to) = (self.0.keys.account(from)?, self.0.keys.account(to)?);
        Ok(to.wrap(&from.unwrap(key)?))
    }

    /// Chance, for ids and secrets.
    pub fn entropy(&self) -> &dyn model::world::Entropy {
        self.0.world.entropy.as_ref()
    }

    /// Which cluster this is.
    pub fn cluster(&self) -> ClusterId {
        self.0.cluster
    }

    /// The open drivers.
    pub fn roster(&self) -> &Roster {
        &self.0.roster
    }

    /// The numbers it runs with.
    pub fn settings(&self) -> &Settings {
        &self.0.settings
    }

    /// Looks at the catalogue.
    ///
    /// # Errors
    /// What `look` returns, or the catalogue's own trouble.
    pub async fn read<T: Send + 'static>(
        &self,
        look: impl FnOnce(&mut catalogue::Tx<'_>) -> catalogue::Result<T> + Send + 'static,
    ) -> Result<T> {
        Ok(self.0.catalogue.read(look).await?)
    }

    /// Stops upkeep and refuses what comes after; what is under way is finished by its callers.
    pub async fn stop(&self) {
        self.0.stopping.store(true, Ordering::Release);
        self.0.upkeep.stopped(&self.0.world).await;
        self.0.counting.stopped(&self.0.world).await;
        // What is not written now is forgotten; nobody is harmed.
        let _ = self.0.keep_books(true).await;
        let _ = self.0.write_trend().await;
        let _ = self.0.keep_schedule(true).await;
    }
}

impl Inner {
    pub(crate) fn now_us(&self) -> u64 {
        self.world.clock.now().monotonic_us
    }

    pub(crate) fn epoch(&self) -> u64 {
        self.epoch.load(Ordering::Acquire)
    }

    pub(crate) fn generation(&self) -> u64 {
        self.generation.load(Ordering::Acquire)
    }

    pub(crate) fn is_stopping(&self) -> bool {
        self.stopping.load(Ordering::Acquire)
    }

    pub(crate) fn service_time(&self) -> ServiceTime {
        locked(&self.time).read(self.world.clock.now())
    }

    /// A codec for a scheme; its tables are made once.
    pub(crate) fn code(&self, scheme: Scheme) -> Result<Code> {
        let mut codes = locked(&self.codes);
        if let Some(code) = codes.get(&scheme) {
            return Ok(code.clone());
        }
        let code = Code::new(scheme.k, scheme.m).map_err(|error| Error::Plan { detail: error.to_string() })?;
        codes.insert(scheme, code.clone());
        Ok(code)
    }

    /// The header of the next journal object: takes the place after the last one that counts.
    pub(crate) fn next_header(&self) -> JournalHeader {
        let mut chain = locked(&self.chain);
        chain.attempt += 1;
        JournalHeader {
            cluster: self.cluster,
            epoch: chain.epoch,
            seq: chain.seq + 1,
            stamp: (u64::from(chain.start) << 32) | u64::from(chain.attempt),
            id: ObjectId::random(self.world.entropy.as_ref()),
            prev: chain.prev,
        }
    }

    /// The object is acknowledged: the next one follows it.
    pub(crate) fn journal_advanced(&self, header: &JournalHeader) {
        let mut chain = locked(&self.chain);
        chain.seq = header.seq;
        chain.prev = header.id;
    }

    pub(crate) fn note_late_copy(&self, object: ObjectId, target: TargetId) {
        locked(&self.late_copies).push((object, target));
    }

    pub(crate) fn take_late_copies(&self) -> Vec<(ObjectId, TargetId)> {
        std::mem::take(&mut *locked(&self.late_copies))
    }

    /// The error that answers every change once another life of this cluster was seen.
    pub(crate) fn newer_epoch(&self) -> Option<Error> {
        let (target, found) = locked(&self.superseded).clone()?;
        Some(Error::NewerEpoch { target, found, ours: self.epoch() })
    }

    /// Remembers that a make is bad until upkeep writes it down and repairs it.
    pub(crate) fn note_bad_make(&self, pack: PackId, make: Make) {
        locked(&self.bad_makes).insert(make, pack);
        self.upkeep.call();
    }
}

/// Takes a lock whose holder may have panicked: what these locks guard is whole between any two statements.
pub(crate) fn locked<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}
