//! How much may be read twice so that nobody waits for a slow firm.
//!
//! A read that is late can be overtaken: the same bytes are computed from other lanes, which costs k times as much to fetch. A firm
//! that is slow for a day would so multiply what all firms bill for that day. So overtaking has a budget: a share of what was
//! read in the ordinary way, saved up to a limit. With an empty budget a late read is waited for.

/// What can be saved up, in bytes: some late columns one after the other, so that a single slow moment is never felt.
const SAVED_BYTES_MAX: u64 = 64 << 20;

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
    use super::{HedgeBudget, SAVED_BYTES_MAX};

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
