//! How quick targets are, and when a slow one is overtaken.
//!
//! The time of each short read is noted by target; choices between sources go by it and by what firms ask ([`plan::prefer()`]). A
//! read that is late is overtaken by reading other lanes if the budget has room ([`plan::HedgeBudget`]). If it has not, the read is
//! waited for; one that takes eight times as long as a late one has failed, and what is read instead of it is no hedge.

use std::{collections::BTreeMap, sync::Mutex};

use model::{fleet::TargetState, id::TargetId, world::BoxFuture};
use plan::{HedgeBudget, prefer::Source};

use crate::{Inner, locked, read::within};

/// Longer reads say more of the line's width than of the wait.
const SHORT_BYTES: u64 = 1 << 20;
/// The last reads count for an eighth each: a target that became slow is known after a few.
const WEIGHT: u64 = 8;
/// A read that takes so many times as long as a late one has failed.
const FAILED_AFTER: u64 = 8;

/// What is known of the targets' speed, and what may be spent to overtake the slow ones.
#[derive(Debug)]
pub(crate) struct Speed {
    took_us: Mutex<BTreeMap<TargetId, u64>>,
    budget: Mutex<HedgeBudget>,
}

impl Speed {
    pub fn new(hedge_percent: u8) -> Self {
        Self { took_us: Mutex::default(), budget: Mutex::new(HedgeBudget::new(hedge_percent)) }
    }

    /// A read of so many bytes took so long.
    pub fn note(&self, target: TargetId, bytes: u64, took_us: u64) {
        if bytes <= SHORT_BYTES {
            let known = &mut *locked(&self.took_us);
            let usual = known.entry(target).or_insert(took_us);
            *usual = (*usual / WEIGHT * (WEIGHT - 1)).saturating_add(*usual % WEIGHT).saturating_add(took_us / WEIGHT);
        }
    }

    /// Bytes were read in the ordinary way.
    pub fn read(&self, bytes: u64) {
        locked(&self.budget).read(bytes);
    }
}

impl Inner {
    /// A place to read from, with how little it is trusted.
    pub(crate) fn source(&self, target: TargetId, doubt: u8) -> Source {
        let took_us = locked(&self.speed.took_us).get(&target).copied();
        Source { doubt, took_us, gb_out: self.fleet.gb_out(target) }
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

    /// Waits for a read at `target`; `None` when it is to be done without, for which `hedge_bytes` would be read.
    pub(crate) async fn unless_late<T: Send>(
        &self,
        target: TargetId,
        read: impl Future<Output = T> + Send,
        hedge_bytes: u64,
    ) -> Option<T> {
        let mut read: BoxFuture<'_, T> = Box::pin(read);
        let late_us = self.settings.overtake_after_ms * 1_000;
        if let Some(done) = within(self, &mut read, late_us).await {
            return Some(done);
        }
        // It is given up, so nobody sees how long it would have taken.
        self.speed.note(target, 0, late_us);
        if locked(&self.speed.budget).take(hedge_bytes) {
            return None;
        }
        within(self, &mut read, late_us * (FAILED_AFTER - 1)).await
    }
}

#[cfg(test)]
mod tests {
    use model::id::TargetId;

    use super::{SHORT_BYTES, Speed};
    use crate::locked;

    #[test]
    fn what_became_slow_is_known_after_some_reads() {
        let (speed, target) = (Speed::new(10), TargetId([1; 16]));
        let usual = || locked(&speed.took_us).get(&target).copied();
        speed.note(target, SHORT_BYTES + 1, 9_000_000);
        assert_eq!(usual(), None, "a long read says nothing");
        speed.note(target, SHORT_BYTES, 800);
        assert_eq!(usual(), Some(800));
        (0..20).for_each(|_| speed.note(target, 0, 250_000));
        assert!(usual() > Some(200_000), "{:?}", usual());
        (0..60).for_each(|_| speed.note(target, 0, 800));
        assert!(usual() < Some(2_000), "{:?}", usual());
    }
}
