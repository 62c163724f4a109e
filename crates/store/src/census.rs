//! The census: where everything stands, counted in one walk over packs and copied objects, and kept.
//!
//! The same walk says what the loss of each firm would do ([`plan::Outlook`]): of files, that takes a second walk over their
//! versions, which is made only if some pack or object would be below safe then. A what-if question is the same walk on a
//! topology without the firms that were named, so that both say the same.
//!
//! A walk over a million packs takes many seconds, and an operator's first look should take none. So a loop of its own
//! counts: at the start, when a target's state changed, each hour, and while somebody looks, for a twentieth of the time at
//! most. Who asks gets what was counted last, with its time, and whether the fleet changed since; where counting takes no
//! longer than an answer may, it is counted anew for each that asks.

use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex, Weak,
        atomic::{AtomicBool, Ordering},
    },
};

use futures_util::future::select;
use model::{
    fleet::TargetState,
    id::{AccountId, ObjectId, PackId, ProviderId, TargetId, VersionId},
    world::World,
};
use plan::{Counts, Effort, Topology};
use tokio::sync::Notify;

use crate::{
    Inner,
    error::{Error, Result},
    locked,
};

mod walk;

use walk::Walk;

/// Rows that are looked at in one go.
const PAGE_ROWS: usize = 500;
/// A count that takes no longer is made anew for each that asks, in microseconds.
pub(crate) const QUICK_US: u64 = 20_000;
/// The same once the fleet changed since: what is known may be false comfort.
const QUICK_ENOUGH_US: u64 = 1_000_000;
/// Between two looks whether it is time to count, in microseconds.
const LOOK_EVERY_US: u64 = 1_000_000;
/// While somebody looks, what was counted is no older than this, or than so many times what counting takes.
const ASKED_AFTER_US: u64 = 2_000_000;
const SHARE: u64 = 20;
/// It is counted that often even if nobody looks: for the trend.
const COUNT_EVERY_US: u64 = 3_600_000_000;

/// What the loss of one firm, and of all that have its owner, would do.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Without {
    /// Files.
    pub files: Counts,
    /// Packs.
    pub packs: Counts,
    /// Copied objects: names, keys, journal.
    pub records: Counts,
}

/// Where everything stood.
#[derive(Clone, Debug, Default)]
pub(crate) struct Count {
    /// Wall time at which it began.
    pub counted_us: i64,
    /// Monotonic time at which it began, and how long it took.
    pub at_us: u64,
    pub took_us: u64,
    /// What the fleet looked like.
    pub fleet: Vec<(TargetId, ProviderId, TargetState)>,
    pub census: plan::Census,
    /// Versions of files, those in the trash included.
    pub files: Counts,
    /// By failure domain.
    pub without: BTreeMap<ProviderId, Without>,
    /// What repair would take now.
    pub effort: Effort,
    /// Good copies of the envelope that has fewest; `u64::MAX` if there is none.
    pub key_copies: u64,
    pub journal_objects: u64,
    /// Bytes of lanes and copies by the records.
    pub stored: BTreeMap<TargetId, u64>,
}

/// What was counted last, and the loop that counts.
#[derive(Default)]
pub(crate) struct Counting {
    kept: Mutex<Option<Arc<Count>>>,
    wake: Notify,
    running: AtomicBool,
    idle: Notify,
    asked: AtomicBool,
    /// Held while it is counted: several that ask at once wait for one count.
    one: tokio::sync::Mutex<()>,
    pub(crate) noted: Mutex<crate::trend::Noted>,
}

impl Counting {
    /// Waits until the loop has ended.
    pub async fn stopped(&self, world: &World) {
        self.wake.notify_one();
        while self.running.load(Ordering::Acquire) {
            select(Box::pin(self.idle.notified()), world.timer.sleep(50_000)).await;
        }
    }

    pub fn kept(&self) -> Option<Arc<Count>> {
        locked(&self.kept).clone()
    }

    pub fn is_running(&self) -> bool {
        self.running.load(Ordering::Acquire)
    }

    /// Says that somebody wants to know.
    pub fn ask(&self) {
        self.asked.store(true, Ordering::Release);
    }
}

/// Begins the loop; it ends with the store.
pub(crate) fn start(inner: &Arc<Inner>) {
    inner.counting.running.store(true, Ordering::Release);
    inner.world.timer.spawn(Box::pin(run(Arc::downgrade(inner))));
}

async fn run(store: Weak<Inner>) {
    loop {
        let Some(inner) = store.upgrade() else { return };
        if inner.is_stopping() {
            inner.counting.running.store(false, Ordering::Release);
            inner.counting.idle.notify_waiters();
            return;
        }
        if inner.count_is_due() {
            // What the catalogue's trouble is, is said to whoever asks.
            let _ = inner.recount().await;
        }
        select(Box::pin(inner.counting.wake.notified()), inner.world.timer.sleep(LOOK_EVERY_US)).await;
    }
}

impl Inner {
    fn count_is_due(&self) -> bool {
        let Some(count) = self.counting.kept() else { return true };
        let age_us = self.now_us().saturating_sub(count.at_us);
        if age_us >= COUNT_EVERY_US || (count.fleet != self.fleet.looks() && age_us >= count.took_us) {
            return true;
        }
        let enough = age_us >= ASKED_AFTER_US.max(count.took_us.saturating_mul(SHARE));
        enough && self.counting.asked.swap(false, Ordering::AcqRel)
    }

    /// What was counted last, and whether the fleet changed since; counted now where that is quick, or nobody else does.
    pub(crate) async fn counted(&self) -> Result<(Arc<Count>, bool)> {
        if let Some(count) = self.counting.kept().filter(|_| self.counting.is_running()) {
            let is_stale = count.fleet != self.fleet.looks();
            let quick_us = if is_stale { QUICK_ENOUGH_US } else { QUICK_US };
            if count.took_us > quick_us {
                self.counting.ask();
                return Ok((count, is_stale));
            }
        }
        Ok((self.recount().await?, false))
    }

    /// Counts, and keeps it. Who comes while it is counted gets that count, unless the fleet changed meanwhile.
    pub(crate) async fn recount(&self) -> Result<Arc<Count>> {
        let (_one, waited) = match self.counting.one.try_lock() {
            Ok(one) => (one, false),
            Err(_) => (self.counting.one.lock().await, true),
        };
        if let Some(count) = self.counting.kept().filter(|count| waited && count.fleet == self.fleet.looks()) {
            return Ok(count);
        }
        let topology = self.fleet.topology(self.now_us());
        let domains: std::collections::BTreeSet<ProviderId> = self.fleet.domains().into_values().collect();
        let count = Arc::new(self.count(topology, domains.into_iter().collect()).await?);
        *locked(&self.counting.kept) = Some(count.clone());
        Ok(count)
    }

    /// Counts everything as it stands on this topology, and after the loss of each of `firms`.
    pub(crate) async fn count(&self, topology: Topology, firms: Vec<ProviderId>) -> Result<Count> {
        let now = self.world.clock.now();
        let mut walk = Walk::new(topology, firms);
        walk.count.counted_us = now.wall_us;
        walk.count.at_us = now.monotonic_us;
        let copies = self.copies_wanted(&walk.harm.topology).unwrap_or(1);
        let mut after = PackId::default();
        loop {
            let page = self.catalogue.read(move |tx| catalogue::packs::pack_views(tx, after, PAGE_ROWS)).await?;
            let Some(last) = page.last() else { break };
            after = last.id;
            page.iter().for_each(|pack| walk.pack(pack));
            self.go_on(page.len())?;
        }
        let spare = self.spare_journal().await?;
        let mut after = ObjectId::default();
        loop {
            let page = self.catalogue.read(move |tx| catalogue::objects::views(tx, after, PAGE_ROWS)).await?;
            let Some(last) = page.last() else { break };
            after = last.object.id;
            page.iter().for_each(|found| walk.object(found, spare.contains(&found.object.id), copies));
            self.go_on(page.len())?;
        }
        let mut count = self.count_files(walk).await?;
        count.took_us = self.now_us().saturating_sub(now.monotonic_us);
        Ok(count)
    }

    /// A count over many pages ends when the store does.
    fn go_on(&self, rows: usize) -> Result<()> {
        if rows == PAGE_ROWS && self.is_stopping() { Err(Error::Stopping) } else { Ok(()) }
    }

    async fn count_files(&self, walk: Walk) -> Result<Count> {
        let Walk { mut count, harm, .. } = walk;
        if harm.is_none() {
            return Ok(count);
        }
        let harm = Arc::new(harm);
        let mut after = Some((AccountId::default(), VersionId::default()));
        while let Some(from) = after {
            let own = Arc::clone(&harm);
            let page = self.catalogue.read(move |tx| own.files(tx, from)).await?;
            after = page.next;
            for outlook in page.outlooks {
                count.files.count(outlook.now);
                for (firm, state) in harm.firms.iter().zip(outlook.after) {
                    count.without.entry(*firm).or_default().files.count(state);
                }
            }
            self.go_on(if after.is_some() { PAGE_ROWS } else { 0 })?;
        }
        Ok(count)
    }
}
