//! How fast upkeep may go: one limit for everything that it reads and writes, and one at each provider that has a budget.
//!
//! Each who moves bytes takes a stretch of time for them, one behind the other however many move at once, and waits for
//! its end. Time in which nobody moved is worth a second at most, so that waiting for a slow firm is made up for and a
//! quiet night is no licence for a storm. Work in a hurry takes its stretch and does not wait for it: what comes behind does, but
//! for a few seconds only, however much the hurried work was. What waits is let go when the service stops, or when something
//! turns up that cannot wait: its stretch stays taken.

use std::{
    collections::BTreeMap,
    sync::{Mutex, atomic::Ordering},
};

use model::id::{ProviderId, TargetId};

use crate::{Inner, kinds::JobKind, locked};

/// Unused time that may still be used, in microseconds.
const SAVED_US: u64 = 1_000_000;
/// How far ahead of now work in a hurry takes its stretches, in microseconds.
const HURRIED_US: u64 = 5_000_000;
/// Who waits looks this often whether it still should, in microseconds.
const SLICE_US: u64 = 1_000_000;

/// Work that moves bytes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Work {
    /// For which kind of upkeep.
    pub kind: JobKind,
    hurries: bool,
}

impl Work {
    /// Work that keeps to every limit.
    pub fn waits(kind: JobKind) -> Self {
        Self { kind, hurries: false }
    }

    /// Work that waits for none: what it makes is below safe, or somebody waits for it.
    pub fn hurries(kind: JobKind) -> Self {
        Self { kind, hurries: true }
    }
}

/// Until when the bandwidth is taken, in monotonic microseconds.
#[derive(Debug, Default)]
struct Pacer(u64);

impl Pacer {
    /// Takes the stretch for so many bytes; how long it still lasts.
    fn take(&mut self, now_us: u64, limit: u64, bytes: u64, hurries: bool) -> u64 {
        let stretch_us = u64::try_from(u128::from(bytes) * 1_000_000 / u128::from(limit.max(1))).unwrap_or(u64::MAX);
        let end_us = self.0.max(now_us.saturating_sub(SAVED_US)).saturating_add(stretch_us);
        // All that is hurried may be the whole of a firm: nobody else waits for days behind that.
        self.0 = if hurries { end_us.min(self.0.max(now_us.saturating_add(HURRIED_US))) } else { end_us };
        self.0.saturating_sub(now_us)
    }
}

/// That of all, and those of providers.
#[derive(Debug, Default)]
pub(crate) struct Pacers {
    all: Mutex<Pacer>,
    at: Mutex<BTreeMap<ProviderId, Pacer>>,
}

impl Inner {
    /// Waits until what was moved is within the limits: `bytes` in all, and what of it was moved at targets.
    pub(crate) async fn pace(&self, work: Work, bytes: u64, moved: &[(TargetId, u64)]) {
        let now_us = self.now_us();
        let pacers = &self.upkeep.pacers;
        let take = |pacer: &mut Pacer, limit, bytes| pacer.take(now_us, limit, bytes, work.hurries);
        let all = self.settings.upkeep_bytes_per_s.map(|limit| take(&mut locked(&pacers.all), limit, bytes));
        let limits = self.fleet.limits(moved).into_iter();
        let own = limits.map(|(at, limit, bytes)| take(locked(&pacers.at).entry(at).or_default(), limit, bytes));
        let until_us = now_us.saturating_add(own.chain(all).max().unwrap_or(0));
        let is_let_go = || self.is_stopping() || self.upkeep.called.load(Ordering::Relaxed);
        while !work.hurries && !is_let_go() {
            let left_us = until_us.saturating_sub(self.now_us());
            if left_us == 0 {
                break;
            }
            self.world.timer.sleep(left_us.min(SLICE_US)).await;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Pacer;

    #[test]
    fn many_at_once_share_one_limit_and_a_quiet_time_is_worth_a_second() {
        let mut pacer = Pacer::default();
        let mb = 1_000_000;
        // Ten seconds in: a second is saved up.
        let mut take = |now_us, limit, bytes| pacer.take(now_us, limit, bytes, false);
        assert_eq!(take(10 * mb, mb, mb), 0);
        assert_eq!(take(10 * mb, mb, mb), mb, "the next one waits");
        assert_eq!(take(10 * mb, mb, mb / 2), 3 * mb / 2, "and the one beside it waits behind it");
        // What took long by itself is not waited for again.
        assert_eq!(take(12 * mb, mb, mb / 2), 0);
        assert_eq!(take(13 * mb, u64::MAX, u64::MAX), 0, "no overflow");
    }

    #[test]
    fn nobody_waits_for_more_than_seconds_behind_work_in_a_hurry() {
        let (mut pacer, mb) = (Pacer::default(), 1_000_000);
        for _ in 0..100_000 {
            pacer.take(10 * mb, mb, mb, true);
        }
        assert_eq!(pacer.take(10 * mb, mb, mb, false), 6 * mb, "a hundred gigabytes were made, at a megabyte a second");
        // What waited its turn before is not forgotten over it.
        assert_eq!(pacer.take(10 * mb, mb, 9 * mb, false), 15 * mb);
        pacer.take(10 * mb, mb, mb, true);
        assert_eq!(pacer.take(10 * mb, mb, mb, false), 16 * mb);
    }
}
