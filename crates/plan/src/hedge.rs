//! How much may be read twice so that nobody waits for a slow firm, and when such a firm is looked at before its turn.
//!
//! A read that is late can be overtaken: the same bytes are computed from other lanes, which costs k times as much to fetch. A firm
//! that is slow for a day would so multiply what all firms bill for that day. So overtaking has a budget: a share of what was
//! read in the ordinary way, saved up to a limit. With an empty budget a late read is waited for.
//!
//! Each reader finds out for itself that a firm is late, until somebody knows it to be down. So the first reader that does without
//! it has it looked at; those that come while that goes on, or soon after, do not.

/// What can be saved up, in bytes: some late columns one after the other, so that a single slow moment is never felt.
const SAVED_BYTES_MAX: u64 = 64 << 20;

/// Between two early looks at one target, in microseconds: at a firm that bills requests, and is slow for a day, each costs one.
const LOOK_AGAIN_US: u64 = 5_000_000;

/// The early looks at one target whose reads are overtaken: one at a time, and not again at once.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct EarlyLook {
    begun_us: Option<u64>,
    goes_on: bool,
}

impl EarlyLook {
    /// A read was overtaken at this monotonic time: whether its target is to be looked at now. If so, that has begun.
    pub fn begin(&mut self, now_us: u64) -> bool {
        let lately = self.begun_us.is_some_and(|begun_us| now_us.saturating_sub(begun_us) < LOOK_AGAIN_US);
        if self.goes_on || lately {
            return false;
        }
        *self = Self { begun_us: Some(now_us), goes_on: true };
        true
    }

    /// The look that was begun has ended.
    pub fn end(&mut self) {
        self.goes_on = false;
    }
}

/// A bucket that ordinary reads fill and hedges empty.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HedgeBudget {
    percent: u8,
    /// In hundredths of a byte, so that small reads count.
    saved: u64,
}

impl HedgeBudget {
    /// A budget of so many percent of what is read, from 0 (never) to 100, with all saved that can be.
    pub fn new(percent: u8) -> Self {
        let saved = if percent == 0 { 0 } else { SAVED_BYTES_MAX * 100 };
        Self { percent: percent.min(100), saved }
    }

    /// So many bytes were read in the ordinary way.
    pub fn read(&mut self, bytes: u64) {
        self.saved = bytes.saturating_mul(self.percent.into()).saturating_add(self.saved).min(SAVED_BYTES_MAX * 100);
    }

    /// Whether so many bytes may be read to overtake another read; they are taken from the budget then.
    pub fn take(&mut self, bytes: u64) -> bool {
        let left = bytes.checked_mul(100).and_then(|wanted| self.saved.checked_sub(wanted));
        self.saved = left.unwrap_or(self.saved);
        left.is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::{EarlyLook, HedgeBudget, LOOK_AGAIN_US, SAVED_BYTES_MAX};

    #[test]
    fn early_looks_are_one_at_a_time_and_not_again_at_once() {
        let mut look = EarlyLook::default();
        assert!(look.begin(7) && !look.begin(7) && !look.begin(7 + 2 * LOOK_AGAIN_US), "it still goes on");
        look.end();
        assert!(look.begin(7 + 2 * LOOK_AGAIN_US));
        look.end();
        assert!(!look.begin(6 + 3 * LOOK_AGAIN_US) && look.begin(7 + 3 * LOOK_AGAIN_US));
    }

    #[test]
    fn hedges_are_a_share_of_what_is_read() {
        let mut budget = HedgeBudget::new(10);
        assert!(budget.take(SAVED_BYTES_MAX) && !budget.take(1), "a service begins with what can be saved");
        let mut hedged = 0;
        for _ in 0..1_000 {
            budget.read(70_000);
            // Each read is late, and to overtake it costs four times as much.
            hedged += if budget.take(4 * 70_000) { 4 * 70_000 } else { 0 };
        }
        assert_eq!(hedged, 70_000 * 1_000 / 10);
    }

    #[test]
    fn small_reads_count_and_nothing_is_saved_for_ever() {
        let mut budget = HedgeBudget::new(1);
        assert!(budget.take(SAVED_BYTES_MAX));
        (0..100).for_each(|_| budget.read(1));
        assert!(budget.take(1) && !budget.take(1));
        budget.read(u64::MAX);
        assert!(budget.take(SAVED_BYTES_MAX) && !budget.take(1));
        assert!(!budget.take(u64::MAX));
    }

    #[test]
    fn no_budget_is_no_hedge() {
        let mut budget = HedgeBudget::new(0);
        budget.read(u64::MAX);
        assert!(!budget.take(1) && budget.take(0));
    }
}
