//! Which targets are too slow to be asked first.
//!
//! How long a small answer takes is known of every target: from reads, and from the probes that are made anyway. One that
//! takes several times as long as most of the others is *slow*: what it holds is read from others while they can make it,
//! and its probes tell when it is quick again. One slow firm then costs readers other firms' requests, not time.

use std::collections::{BTreeMap, BTreeSet};

use model::id::TargetId;

/// Slow is who takes so many times as long as the middle one of all.
pub const SLOW_FACTOR: u64 = 4;
/// Nobody is slow below this, in microseconds: reading around saves nothing worth k requests.
pub const SLOW_US: u64 = 50_000;
/// One in so many parts of what is known is replaced by each new answer: a firm that turns slow is known after one.
const WEIGHT: u64 = 4;

/// How long small answers take, by target.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Paces {
    typical_us: BTreeMap<TargetId, u64>,
    slow: BTreeSet<TargetId>,
}

impl Paces {
    /// Notes that an answer took so many microseconds, or was given up after them.
    pub fn note(&mut self, target: TargetId, took_us: u64) {
        let typical = self.typical_us.entry(target).or_insert(took_us);
        *typical = *typical - *typical / WEIGHT + took_us / WEIGHT;
        // While everybody is quick there is nothing to compare.
        if *typical > SLOW_US || !self.slow.is_empty() {
            self.judge();
        }
    }

    /// Whether others should be asked first.
    pub fn is_slow(&self, target: TargetId) -> bool {
        self.slow.contains(&target)
    }

    fn judge(&mut self) {
        let mut all: Vec<u64> = self.typical_us.values().copied().collect();
        let middle = all.len().saturating_sub(1) / 2;
        if all.is_empty() {
            return;
        }
        let (_, median, _) = all.select_nth_unstable(middle);
        let line = SLOW_US.max(median.saturating_mul(SLOW_FACTOR));
        self.slow = self.typical_us.iter().filter(|(_, typical)| **typical > line).map(|(id, _)| *id).collect();
    }
}

#[cfg(test)]
mod tests {
    use model::id::TargetId;

    use super::Paces;

    fn target(number: u8) -> TargetId {
        TargetId([number; 16])
    }

    fn slow(paces: &Paces) -> Vec<u8> {
        (0..10).filter(|number| paces.is_slow(target(*number))).collect()
    }

    #[test]
    fn one_that_takes_much_longer_than_most_is_slow_at_once_and_quick_again_soon() {
        let mut paces = Paces::default();
        (0..6).for_each(|number| paces.note(target(number), 5_000));
        assert_eq!(slow(&paces), []);
        paces.note(target(2), 1_000_000);
        assert_eq!(slow(&paces), [2]);
        (0..10).for_each(|_| paces.note(target(2), 5_000));
        assert_eq!(slow(&paces), []);
    }

    #[test]
    fn where_all_are_far_nobody_is_slow_and_milliseconds_are_no_reason() {
        let mut paces = Paces::default();
        (0..6).for_each(|number| paces.note(target(number), 200_000 + u64::from(number) * 10_000));
        assert_eq!(slow(&paces), []);
        let mut near = Paces::default();
        (0..5).for_each(|number| near.note(target(number), 300));
        near.note(target(5), 40_000);
        assert_eq!(slow(&near), [], "forty milliseconds are nobody's fault");
        near.note(target(6), 60_000);
        assert_eq!(slow(&near), [6]);
    }

    #[test]
    fn a_minority_that_is_quick_makes_the_rest_not_slow() {
        let mut paces = Paces::default();
        (0..2).for_each(|number| paces.note(target(number), 300));
        (2..5).for_each(|number| paces.note(target(number), 90_000));
        assert_eq!(slow(&paces), []);
    }
}
