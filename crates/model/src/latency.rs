//! How long calls took, in few steps: enough to see that a firm or a door became slow, and small enough to keep for each.

/// The upper ends of the steps, in microseconds; what takes longer than the last is in a step of its own. From what memory
/// answers up to what no client waits for.
pub const STEPS_US: [u64; 9] = [1_000, 5_000, 25_000, 100_000, 250_000, 1_000_000, 2_500_000, 10_000_000, 60_000_000];

/// The steps, and the one for what is slower than all of them.
pub const STEP_COUNT: usize = STEPS_US.len() + 1;

/// How many calls were in each step, and how long all of them took.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Latency {
    /// Calls in each step alone; the last one has no end.
    pub counts: [u64; STEP_COUNT],
    /// Time of all of them, in microseconds.
    pub total_us: u64,
}

impl Latency {
    /// The step of a call that took so long.
    pub fn step(took_us: u64) -> usize {
        STEPS_US.iter().position(|end| took_us <= *end).unwrap_or(STEPS_US.len())
    }

    /// Notes one call.
    pub fn note(&mut self, took_us: u64) {
        self.counts[Self::step(took_us)] += 1;
        self.total_us = self.total_us.saturating_add(took_us);
    }

    /// Calls in all.
    pub fn calls(&self) -> u64 {
        self.counts.iter().sum()
    }
}

#[cfg(test)]
mod tests {
    use super::{Latency, STEP_COUNT};

    #[test]
    fn a_call_is_in_the_first_step_that_it_fits() {
        let mut latency = Latency::default();
        for took_us in [0, 1_000, 1_001, 60_000_000, 60_000_001, u64::MAX] {
            latency.note(took_us);
        }
        assert_eq!((latency.counts[0], latency.counts[1]), (2, 1));
        assert_eq!((latency.counts[STEP_COUNT - 2], latency.counts[STEP_COUNT - 1]), (1, 2));
        assert_eq!((latency.calls(), latency.total_us), (6, u64::MAX));
    }
}
