//! Upkeep: what keeps the promise without anybody asking.
//!
//! One loop probes the targets, packs small files, writes snapshots, releases the journal, repairs, scrubs, repacks,
//! fills firms that joined, moves away from firms that are left, and reclaims, each when it is due. A round in which nothing is due only reads markers: an idle
//! service writes nothing to its targets. What a round could not do is kept as a finding and tried again in the next. What a person
//! paused is left out ([`crate::kinds`] lists the kinds of work, [`crate::schedule`] keeps how each stands).
//!
//! A round looks at a bounded share of what there is ([`crate::sweep`]), and at all of it when the fleet changed.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{
        Arc, Mutex, Weak,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
};

use catalogue::{doomed::Doomed, objects::ObjectView, packs::PackView};
use futures_util::future::{Either, select};
use model::{
    fleet::TargetState,
    id::{ProviderId, TargetId},
    units::ServiceTime,
    world::{BoxFuture, World},
};
use plan::{
    Topology,
    reclaim::{DELETE_WINDOW_S, Spent},
    scrub::ScrubPolicy,
};
use tokio::sync::Notify;

use crate::{
    Inner, Store,
    error::Result,
    evacuating::Evacuating,
    jobs::Jobs,
    kinds::JobKind,
    locked, meta,
    pacer::Pacers,
    repair::Patience,
    schedule::{Ended, Round, Schedule, well},
    sweep::Sweep,
};
/// Bytes that one round of background scrub reads: little, because probes and repair wait for it.
const SCRUB_BYTES: u64 = 64 << 20;
/// While clients are served, work that can wait is done in one round of so many.
const ROUNDS_BUSY: u64 = 8;

#[derive(Default)]
pub(crate) struct UpkeepState {
    wake: Notify,
    /// Something turned up in this round that cannot wait for its end.
    pub called: AtomicBool,
    running: AtomicBool,
    idle: Notify,
    /// Rounds since the start in which background scrub gave way to clients.
    gave_way: AtomicU64,
    packed_us: AtomicU64,
    snapshot_us: AtomicU64,
    checkpoint_us: AtomicU64,
    /// How many shards there are in all, and when they were counted.
    shards: Mutex<Option<(ServiceTime, u64)>>,
    spent: Mutex<Option<Spent>>,
    /// How far reclaim got in the list of the doomed.
    reclaim_after: Mutex<Option<Doomed>>,
    /// What the fleet looked like when repair last looked at everything.
    repaired_for: Mutex<Vec<(TargetId, ProviderId, TargetState)>>,
    pub(crate) repair_sweep: Sweep<PackView>,
    pub(crate) surplus_sweep: Sweep<PackView>,
    pub(crate) scrub_sweep: Sweep<PackView>,
    /// Something that is due was left since that sweep began.
    pub(crate) scrub_left: AtomicBool,
    pub(crate) scrub_objects: Sweep<ObjectView>,
    pub(crate) sampling: crate::sample::Sampling,
    pub(crate) filling: crate::fill::Filling,
    pub(crate) evacuating: Evacuating,
    pub(crate) destroyed: crate::gone::Destroyed,
    pub(crate) drills: crate::drilled::Drills,
    pub(crate) jobs: Jobs,
    pub(crate) schedule: Schedule,
    pub(crate) tallies: crate::tallies::Tallies,
    pub(crate) repaired: Repaired,
    /// When the last round ended.
    round_us: AtomicU64,
    findings: Mutex<BTreeMap<&'static str, String>>,
    pub(crate) pacers: Pacers,
}

/// What repair wrote since the start.
#[derive(Default)]
pub(crate) struct Repaired {
    bytes: AtomicU64,
    took_us: AtomicU64,
}

impl Repaired {
    fn note(&self, bytes: u64, took_us: u64) {
        if bytes > 0 {
            self.bytes.fetch_add(bytes, Ordering::Relaxed);
            self.took_us.fetch_add(took_us, Ordering::Relaxed);
        }
    }

    /// Bytes of new shards and copies.
    pub fn bytes(&self) -> u64 {
        self.bytes.load(Ordering::Relaxed)
    }

    /// How long as many bytes would take; `None` before anything was repaired.
    pub fn seconds_for(&self, bytes: u64) -> Option<u64> {
        let (done, took_us) = (self.bytes.load(Ordering::Relaxed), self.took_us.load(Ordering::Relaxed));
        plan::forecast::seconds_left(done, done.saturating_add(bytes), took_us.div_ceil(1_000_000))
    }
}

impl UpkeepState {
    /// When the last round ended, on the monotonic clock; 0 before the first.
    pub fn round_us(&self) -> u64 {
        self.round_us.load(Ordering::Relaxed)
    }

    /// Begins the next round now.
    pub fn wake(&self) {
        self.wake.notify_one();
    }

    /// Begins the next round now, and ends the one under way without waiting for bandwidth: something may be in danger.
    pub fn call(&self) {
        self.called.store(true, Ordering::Relaxed);
        self.wake();
    }

    /// Waits until the loop has ended.
    pub async fn stopped(&self, world: &World) {
        self.wake();
        while self.running.load(Ordering::Acquire) {
            select(Box::pin(self.idle.notified()), world.timer.sleep(50_000)).await;
        }
    }

    pub fn packing_is_due(&self, now_us: u64, after_s: u64) -> bool {
        now_us.saturating_sub(self.packed_us.load(Ordering::Relaxed)) >= after_s * 1_000_000
    }

    pub fn packed(&self, now_us: u64) {
        self.packed_us.store(now_us, Ordering::Relaxed);
    }

    pub fn snapshot_is_due(&self, now_us: u64, after_s: u64) -> bool {
        now_us.saturating_sub(self.snapshot_us.load(Ordering::Relaxed)) >= after_s * 1_000_000
    }

    pub fn snapshot_done(&self, now_us: u64) {
        self.snapshot_us.store(now_us, Ordering::Relaxed);
    }

    pub fn checkpoint_is_due(&self, now_us: u64, after_s: u64) -> bool {
        now_us.saturating_sub(self.checkpoint_us.load(Ordering::Relaxed)) >= after_s * 1_000_000
    }

    pub fn checkpoint_done(&self, now_us: u64) {
        self.checkpoint_us.store(now_us, Ordering::Relaxed);
    }

    /// Shards in all, if they were counted within the hour that a budget is for.
    pub fn shards_in_all(&self, now: ServiceTime) -> Option<u64> {
        let fresh = |at: ServiceTime| now.0.saturating_sub(at.0) < DELETE_WINDOW_S;
        locked(&self.shards).filter(|(at, _)| fresh(*at)).map(|(_, counted)| counted)
    }

    pub fn count_shards(&self, now: ServiceTime, counted: u64) {
        *locked(&self.shards) = Some((now, counted));
    }

    pub fn reclaim_after(&self) -> Option<Doomed> {
        locked(&self.reclaim_after).clone()
    }

    pub fn set_reclaim_after(&self, after: Option<Doomed>) {
        *locked(&self.reclaim_after) = after;
    }

    /// Whether the fleet looks otherwise than when this was asked last.
    pub fn fleet_changed(&self, topology: &Topology) -> bool {
        let seen = topology.targets().map(|target| (target.id, target.provider, target.state)).collect();
        let mut known = locked(&self.repaired_for);
        let changed = *known != seen;
        *known = seen;
        changed
    }

    pub fn deleted_last_hour(&self, now: ServiceTime, shards_in_all: u64) -> u64 {
        // After a start nobody knows what the last hour saw, so all of the budget counts as spent.
        locked(&self.spent).get_or_insert_with(|| Spent::unknown(now, shards_in_all)).last_hour(now)
    }

    pub fn deleted(&self, now: ServiceTime, shards: u64) {
        if let Some(spent) = locked(&self.spent).as_mut() {
            spent.note(now, shards);
        }
    }

    pub fn finding(&self, what: &'static str, found: Option<String>) {
        let mut findings = locked(&self.findings);
        match found {
            Some(found) => {
                findings.insert(what, found);
            }
            None => {
                findings.remove(what);
            }
        }
    }

    /// Says something beside what was found before under the same name.
    pub fn also_found(&self, what: &'static str, found: String) {
        let mut findings = locked(&self.findings);
        let said = findings.remove(what).map_or_else(|| found.clone(), |before| format!("{before}; {found}"));
        findings.insert(what, said);
    }

    pub fn findings(&self) -> Vec<String> {
        locked(&self.findings).values().cloned().collect()
    }
}

impl Store {
    /// Starts the loops: this one, and the one that counts.
    pub fn start(&self) {
        self.0.upkeep.running.store(true, Ordering::Release);
        self.0.world.timer.spawn(Box::pin(run(Arc::downgrade(&self.0))));
        crate::census::start(&self.0);
    }

    /// Runs one round now, everything that could be done soon included; for tests, the simulator and before a stop.
    ///
    /// # Errors
    /// The first thing that could not be done; the rest was tried.
    pub fn tick(&self, everything: bool) -> BoxFuture<'_, Result<()>> {
        Box::pin(async move { self.0.round(everything).await })
    }
}

/// Whether a round of work that can wait is left out for the sake of clients: all but one in a few. Each kind of work has
/// a count of its own, or they would take turns in which one of them never has its.
pub(crate) fn gives_way(gave_way: &AtomicU64) -> bool {
    !gave_way.fetch_add(1, Ordering::Relaxed).is_multiple_of(ROUNDS_BUSY)
}

async fn run(store: Weak<Inner>) {
    loop {
        let Some(inner) = store.upgrade() else { return };
        if inner.is_stopping() {
            inner.upkeep.running.store(false, Ordering::Release);
            inner.upkeep.idle.notify_waiters();
            return;
        }
        // What failed is a finding; the next round tries again.
        let _ = inner.round(false).await;
        let pause_us = inner.settings.upkeep_every_ms * 1_000;
        let wait = inner.world.timer.sleep(pause_us);
        match select(Box::pin(inner.upkeep.wake.notified()), wait).await {
            Either::Left(_) | Either::Right(_) => {}
        }
    }
}

impl Inner {
    async fn round(self: &Arc<Self>, everything: bool) -> Result<()> {
        self.upkeep.called.store(false, Ordering::Relaxed);
        let mut round = Round::new(self);
        if round.begin(JobKind::Probe) {
            self.probe_all(everything).await;
        }
        if round.begin(JobKind::Returned) {
            round.keep("comparing targets that came back", well(self.compare_unmarked().await));
            round.keep("reading targets that came back", well(self.read_returned().await));
        }
        if round.begin(JobKind::Uploads) {
            round.keep("expiring uploads", well(self.expire_uploads().await));
        }
        if round.begin(JobKind::Repair) {
            round.keep("repair", self.repair_if_needed(everything).await);
        }
        if round.begin(JobKind::Pack) {
            round.keep("packing", well(self.pack_journalled(everything).await));
        }
        if round.begin(JobKind::Snapshot) {
            round.keep("snapshots", well(self.snapshot_all(everything).await));
        }
        if round.begin(JobKind::Count) {
            round.keep("counting", well(self.count_objects(everything).await));
        }
        if round.begin(JobKind::Checkpoint) {
            round.keep("checkpoints of the ledger", well(self.put_checkpoint(everything).await));
        }
        if round.begin(JobKind::Release) {
            round.keep("release", well(self.release_journal().await));
        }
        if round.begin(JobKind::Keys) {
            round.keep("destroying keys", well(self.destroy_keys().await));
        }
        if round.begin(JobKind::Released) {
            round.keep("deleting released objects", well(self.delete_released().await));
        }
        if round.begin(JobKind::Evacuate) {
            round.keep("evacuating targets", well(self.evacuate(everything).await));
        }
        self.round_of_room(everything, &mut round).await;
        self.pool.trim();
        self.upkeep.round_us.store(self.now_us(), Ordering::Relaxed);
        round.end();
        self.drill_if_due();
        round.first
    }

    /// The second half of a round: what is read, what room comes back, and what is kept of it all.
    async fn round_of_room(self: &Arc<Self>, everything: bool, round: &mut Round<'_>) {
        if round.begin(JobKind::Sample) {
            round.keep("sampling", self.sample(everything).await);
        }
        if round.begin(JobKind::Scrub) {
            let bytes_max = if everything { u64::MAX } else { SCRUB_BYTES };
            let again = ScrubPolicy { again_after_s: self.settings.scrub_every_s, bytes_max };
            round.keep("scrub", self.scrub_background(&again, everything).await);
        }
        if round.begin(JobKind::Repack) {
            round.keep("repacking", well(self.repack().await));
        }
        if round.begin(JobKind::Fill) {
            round.keep("filling", well(self.fill(everything).await));
        }
        if round.begin(JobKind::Reclaim) {
            round.keep("reclaim", self.reclaim(everything).await);
        }
        // Whoever does not list is taken to be down: what is decided before does not suffer from it.
        if round.begin(JobKind::Listing) {
            round.keep("listing", self.find_strays(everything).await);
        }
        if round.begin(JobKind::Retire) {
            round.keep("retiring targets", well(self.retire_ordered(everything).await));
        }
        if round.begin(JobKind::Books) {
            round.keep("late copies", well(self.flush_late_copies().await));
            round.keep("keeping the books", well(self.keep_books(false).await));
            round.keep("noting the trend", well(self.keep_trend().await));
            round.keep("noting how upkeep stands", well(self.keep_schedule(false).await));
        }
    }

    async fn repair_if_needed(self: &Arc<Self>, everything: bool) -> Result<Ended> {
        let patience = if everything { Patience::Whole } else { Patience::Share };
        let begun_us = self.now_us();
        let round = self.repair_all(patience).await?;
        self.upkeep.repaired.note(round.bytes, self.now_us().saturating_sub(begun_us));
        let failed = (!round.failed.is_empty()).then(|| round.failed.join("; "));
        self.upkeep.finding("repairs", failed.clone());
        Ok(failed.map_or(Ended::Well, Ended::Failed))
    }

    async fn scrub_background(self: &Arc<Self>, policy: &ScrubPolicy, everything: bool) -> Result<Ended> {
        if !everything && !self.pool.is_idle() && gives_way(&self.upkeep.gave_way) {
            return Ok(Ended::More);
        }
        let (report, ended) = self.scrub_due(policy, everything).await?;
        if report.damaged + report.missing > 0 {
            self.upkeep.wake();
        }
        Ok(ended)
    }

    /// Targets that were known before a rebuild and have not been read since.
    pub(crate) async fn unread_since_rebuild(&self) -> Result<BTreeSet<TargetId>> {
        let ids = self.catalogue.read(|tx| catalogue::meta::bytes(tx, meta::REBUILT_WITHOUT)).await?;
        Ok(ids.unwrap_or_default().as_chunks::<16>().0.iter().copied().map(TargetId).collect())
    }

    /// Notes copies that finished after their batch, if no batch came to carry them.
    async fn flush_late_copies(self: &Arc<Self>) -> Result<()> {
        if locked(&self.late_copies).is_empty() {
            return Ok(());
        }
        Store(self.clone()).commit(|_, _| Ok::<_, crate::Error>(())).await
    }
}
