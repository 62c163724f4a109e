//! How quick targets are, and when a slow one is overtaken.
//!
//! The time of each short read is noted by target; choices between sources go by it and by what firms ask ([`plan::prefer()`]). A
//! target that takes much longer than most is read around ([`plan::pace`]), outside the budget: it is not asked at all. A
//! read that is late is overtaken by reading other lanes or copies if the budget has room ([`plan::HedgeBudget`]). If it has not,
//! the read is waited for; one that takes eight times as long as a late one has failed, and what is read instead of it is no hedge.
//! Its target is silent then: for some seconds nobody else waits so long for it.
//!
//! The first read at a target that is given up has it looked at early ([`plan::EarlyLook`], [`crate::probe::look_early`]): if it
//! does not answer that either it is down, and no reader waits for it any more.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Mutex,
};

use model::{fleet::TargetState, id::TargetId, world::BoxFuture};
use plan::{
    EarlyLook, HedgeBudget,
    pace::{SLOW_US, slow},
    prefer::Source,
};
use tokio::sync::mpsc;

use crate::{Inner, locked, read::within};

/// Longer reads say more of the line's width than of the wait.
const SHORT_BYTES: u64 = 1 << 20;
/// The last reads count for a quarter each: a target that became slow is known after one or two.
const WEIGHT: u64 = 4;
/// A read that takes so many times as long as a late one has failed.
const FAILED_AFTER: u64 = 8;
/// What was noted so long ago is not known any more, in microseconds: who is avoided for having been slow is never read, and would
/// be avoided for ever.
const FORGOTTEN_US: u64 = 600_000_000;
/// So long nobody waits for a silent target, in microseconds: until it has been looked at.
const SILENT_US: u64 = 10_000_000;

/// What is known of the targets' speed, and what may be spent to overtake the slow ones.
#[derive(Debug)]
pub(crate) struct Speed {
    known: Mutex<Table>,
    /// Whether slow targets are read around: not where nothing is to be spent on speed.
    around: bool,
    budget: Mutex<HedgeBudget>,
    /// Targets that are to be looked at early.
    overtaken: mpsc::UnboundedSender<TargetId>,
}

/// What is known of all targets.
#[derive(Debug, Default)]
struct Table {
    targets: BTreeMap<TargetId, Known>,
    /// Those that take much longer than most.
    slow: BTreeSet<TargetId>,
}

/// What is known of one target.
#[derive(Clone, Copy, Debug, Default)]
struct Known {
    /// How long short reads take, and when that was noted last.
    took: Option<(u64, u64)>,
    /// When a read was given up that had failed by being silent; nothing was answered since.
    silent_us: Option<u64>,
    look: EarlyLook,
}

impl Speed {
    /// Knows nothing yet. Targets that are to be looked at early are sent to `overtaken`.
    pub fn new(hedge_percent: u8, overtaken: mpsc::UnboundedSender<TargetId>) -> Self {
        let budget = Mutex::new(HedgeBudget::new(hedge_percent));
        Self { known: Mutex::default(), around: hedge_percent > 0, budget, overtaken }
    }

    /// An early look has ended.
    pub fn looked(&self, target: TargetId) {
        locked(&self.known).targets.entry(target).or_default().look.end();
    }

    /// A read of so many bytes took so long.
    pub fn note(&self, target: TargetId, bytes: u64, took_us: u64, now_us: u64) {
        let table = &mut *locked(&self.known);
        table.targets.entry(target).or_default().silent_us = None;
        if bytes <= SHORT_BYTES {
            table.took(target, took_us, now_us);
        }
    }

    /// A read was given up after so long; it was late after `late_us`.
    fn given_up(&self, target: TargetId, waited_us: u64, late_us: u64, now_us: u64) {
        if waited_us < late_us {
            // Whoever asked lost interest.
            return;
        }
        let table = &mut *locked(&self.known);
        table.took(target, waited_us, now_us);
        let known = table.targets.entry(target).or_default();
        if waited_us >= late_us * FAILED_AFTER {
            known.silent_us = Some(now_us);
        }
        if known.look.begin(now_us) {
            // Nobody looks any more when the store is being closed.
            let _ = self.overtaken.send(target);
        }
    }

    /// How long short reads take, if that was noted lately.
    fn took_us(&self, target: TargetId, now_us: u64) -> Option<u64> {
        locked(&self.known).targets.get(&target)?.lately(now_us)
    }

    /// Whether what lies there is read from others while they can make it.
    fn is_slow(&self, target: TargetId) -> bool {
        self.around && locked(&self.known).slow.contains(&target)
    }

    /// Whether reads are in vain at this moment.
    fn is_silent(&self, target: TargetId, now_us: u64) -> bool {
        let since_us = locked(&self.known).targets.get(&target).and_then(|known| known.silent_us);
        since_us.is_some_and(|since_us| now_us.saturating_sub(since_us) < SILENT_US)
    }

    /// Bytes were read in the ordinary way.
    pub fn read(&self, bytes: u64) {
        locked(&self.budget).read(bytes);
    }
}

impl Table {
    fn took(&mut self, target: TargetId, took_us: u64, now_us: u64) {
        let known = self.targets.entry(target).or_default();
        known.took(took_us, now_us);
        // While everybody is quick there is nothing to compare.
        if self.slow.is_empty() && known.lately(now_us).is_none_or(|usual| usual <= SLOW_US) {
            return;
        }
        let all: Vec<_> =
            self.targets.iter().filter_map(|(target, known)| Some((*target, known.lately(now_us)?))).collect();
        self.slow = slow(&all);
    }
}

impl Known {
    fn lately(&self, now_us: u64) -> Option<u64> {
        self.took.filter(|(_, at_us)| now_us.saturating_sub(*at_us) < FORGOTTEN_US).map(|(took_us, _)| took_us)
    }

    fn took(&mut self, took_us: u64, now_us: u64) {
        let usual = self.lately(now_us).unwrap_or(took_us);
        let usual = (usual / WEIGHT * (WEIGHT - 1)).saturating_add(usual % WEIGHT).saturating_add(took_us / WEIGHT);
        self.took = Some((usual, now_us));
    }
}

/// A read that is under way. If it is given up, that is noted.
pub(crate) struct Asked<'a> {
    inner: &'a Inner,
    target: TargetId,
    begun_us: u64,
    ended: bool,
}

impl Asked<'_> {
    /// It ended, well or not; how long it took.
    pub fn ended(mut self) -> u64 {
        self.ended = true;
        self.inner.now_us().saturating_sub(self.begun_us)
    }
}

impl Drop for Asked<'_> {
    fn drop(&mut self) {
        if !self.ended {
            let (now_us, late_us) = (self.inner.now_us(), self.inner.settings.overtake_after_ms * 1_000);
            self.inner.speed.given_up(self.target, now_us.saturating_sub(self.begun_us), late_us, now_us);
        }
    }
}

impl Inner {
    /// A read at `target` begins.
    pub(crate) fn asked(&self, target: TargetId) -> Asked<'_> {
        Asked { inner: self, target, begun_us: self.now_us(), ended: false }
    }

    /// Whether a target takes much longer than most: what lies there is read from others while they can make it.
    pub(crate) fn is_slow(&self, target: TargetId) -> bool {
        self.speed.is_slow(target)
    }

    /// A place to read from, with how little it is trusted.
    pub(crate) fn source(&self, target: TargetId, doubt: u8) -> Source {
        Source { doubt, took_us: self.speed.took_us(target, self.now_us()), gb_out: self.fleet.gb_out(target) }
    }

    /// The order in which copies are tried: up, then suspect, then the rest; quick and cheap ones first.
    pub(crate) fn by_preference(&self, targets: impl Iterator<Item = TargetId>) -> Vec<TargetId> {
        let mut targets: Vec<_> = targets.collect();
        targets.sort_unstable();
        let doubt = |target: TargetId| match self.fleet.state(target) {
            Some(TargetState::Up) => 0,
            Some(TargetState::Suspect) => 1,
            _ => 2,
        };
        let sources: Vec<_> = targets.iter().map(|target| self.source(*target, doubt(*target))).collect();
        plan::prefer(&sources).into_iter().map(|index| targets[index]).collect()
    }

    /// Waits for a read at `target`; `None` when it is to be done without, for which `hedge_bytes` are read.
    pub(crate) async fn unless_late<T: Send>(
        &self,
        target: TargetId,
        read: impl Future<Output = T> + Send,
        hedge_bytes: u64,
    ) -> Option<T> {
        let hedge_bytes = if self.speed.is_silent(target, self.now_us()) { 0 } else { hedge_bytes };
        self.unless_all_late(read, hedge_bytes).await
    }

    /// Waits for the first of reads under way; `None` when `hedge_bytes` are to be read beside them.
    pub(crate) async fn unless_all_late<T: Send>(
        &self,
        first: impl Future<Output = T> + Send,
        hedge_bytes: u64,
    ) -> Option<T> {
        let mut first: BoxFuture<'_, T> = Box::pin(first);
        let late_us = self.settings.overtake_after_ms * 1_000;
        if let Some(done) = within(self, &mut first, late_us).await {
            return Some(done);
        }
        if locked(&self.speed.budget).take(hedge_bytes) {
            return None;
        }
        within(self, &mut first, late_us * (FAILED_AFTER - 1)).await
    }
}

#[cfg(test)]
mod tests {
    use model::id::TargetId;

    use tokio::sync::mpsc;

    use super::{FAILED_AFTER, FORGOTTEN_US, SHORT_BYTES, SILENT_US, Speed};

    const TARGET: TargetId = TargetId([1; 16]);

    #[test]
    fn what_became_slow_is_known_after_some_reads_and_not_for_ever() {
        let speed = Speed::new(10, mpsc::unbounded_channel().0);
        let usual = || speed.took_us(TARGET, 0);
        speed.note(TARGET, SHORT_BYTES + 1, 9_000_000, 0);
        assert_eq!(usual(), None, "a long read says nothing");
        speed.note(TARGET, SHORT_BYTES, 800, 0);
        assert_eq!(usual(), Some(800));
        (0..20).for_each(|_| speed.note(TARGET, 0, 250_000, 0));
        assert!(usual() > Some(200_000), "{:?}", usual());
        (0..60).for_each(|_| speed.note(TARGET, 0, 800, 0));
        assert!(usual() < Some(2_000), "{:?}", usual());
        assert_eq!(speed.took_us(TARGET, FORGOTTEN_US), None, "it is tried again");
        speed.note(TARGET, 0, 90, FORGOTTEN_US);
        assert_eq!(speed.took_us(TARGET, FORGOTTEN_US), Some(90));
    }

    #[test]
    fn who_is_silent_is_waited_for_again_after_some_seconds_or_an_answer() {
        let (speed, late_us) = (Speed::new(10, mpsc::unbounded_channel().0), 1_000);
        speed.given_up(TARGET, late_us - 1, late_us, 0);
        assert_eq!(speed.took_us(TARGET, 0), None, "a client that goes away says nothing");
        speed.given_up(TARGET, late_us * FAILED_AFTER - 1, late_us, 0);
        assert!(speed.took_us(TARGET, 0).is_some() && !speed.is_silent(TARGET, 0), "late, and no more");
        speed.given_up(TARGET, late_us * FAILED_AFTER, late_us, 0);
        assert!(speed.is_silent(TARGET, SILENT_US - 1) && !speed.is_silent(TARGET, SILENT_US));
        speed.note(TARGET, SHORT_BYTES + 1, 5, 1);
        assert!(!speed.is_silent(TARGET, 1));
    }
}
