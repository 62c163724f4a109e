//! How fast upkeep may go: one limit for everything that it reads and writes.
//!
//! Each who moves bytes takes a stretch of time for them, one behind the other however many move at once, and waits for
//! its end. Time in which nobody moved is worth a second at most, so that waiting for a slow firm is made up for and a
//! quiet night is no licence for a storm.

use std::sync::Mutex;

use model::world::World;

use crate::locked;

/// Unused time that may still be used, in microseconds.
const SAVED_US: u64 = 1_000_000;

/// Until when the bandwidth is taken, in monotonic microseconds.
#[derive(Debug, Default)]
pub(crate) struct Pacer(Mutex<u64>);

impl Pacer {
    /// Waits until so many bytes more are within the limit.
    pub async fn pace(&self, world: &World, bytes_per_s: Option<u64>, bytes: u64) {
        if let Some(limit) = bytes_per_s.filter(|limit| *limit > 0) {
            let wait_us = self.take(world.clock.now().monotonic_us, limit, bytes);
            if wait_us > 0 {
                world.timer.sleep(wait_us).await;
            }
        }
    }

    /// Takes the stretch for so many bytes; how long it still lasts.
    fn take(&self, now_us: u64, limit: u64, bytes: u64) -> u64 {
        let stretch_us = u64::try_from(u128::from(bytes) * 1_000_000 / u128::from(limit)).unwrap_or(u64::MAX);
        let mut taken = locked(&self.0);
        *taken = (*taken).max(now_us.saturating_sub(SAVED_US)).saturating_add(stretch_us);
        taken.saturating_sub(now_us)
    }
}

#[cfg(test)]
mod tests {
    use super::Pacer;

    #[test]
    fn many_at_once_share_one_limit_and_a_quiet_time_is_worth_a_second() {
        let pacer = Pacer::default();
        let mb = 1_000_000;
        // Ten seconds in: a second is saved up.
        assert_eq!(pacer.take(10 * mb, mb, mb), 0);
        assert_eq!(pacer.take(10 * mb, mb, mb), mb, "the next one waits");
        assert_eq!(pacer.take(10 * mb, mb, mb / 2), 3 * mb / 2, "and the one beside it waits behind it");
        // What took long by itself is not waited for again.
        assert_eq!(pacer.take(12 * mb, mb, mb / 2), 0);
        assert_eq!(pacer.take(13 * mb, u64::MAX, u64::MAX), 0, "no overflow");
    }
}
