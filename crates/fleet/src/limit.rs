//! The layer that makes calls wait for their turn: so many at once, and so many bytes a second.
//!
//! A turn is held for one call, never for the life of a writer: a pack that is open at several targets would otherwise hold
//! some while it waits for others.

use std::sync::{Arc, Mutex};

use model::world::{BoxFuture, Clock, Timer};
use tokio::sync::Semaphore;

use crate::{
    layer::{Around, Call, Layered},
    lock,
    target::{Result, Target},
};

/// How much at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Calls at once, at least 1.
    pub calls: usize,
    /// Bytes per second, both ways together; `None` for no limit.
    pub bytes_per_s: Option<u64>,
}

/// Makes calls wait for their turn, first come, first served.
pub struct Limit {
    turns: Semaphore,
    bytes: Option<Mutex<Bucket>>,
    clock: Arc<dyn Clock>,
    timer: Arc<dyn Timer>,
}

impl Limit {
    /// Lays the limits around `inner`.
    pub fn over(
        inner: Arc<dyn Target>,
        limits: Limits,
        clock: Arc<dyn Clock>,
        timer: Arc<dyn Timer>,
    ) -> Arc<dyn Target> {
        let bytes = limits.bytes_per_s.map(|bytes_per_s| Mutex::new(Bucket::new(bytes_per_s)));
        let turns = Semaphore::new(limits.calls.clamp(1, Semaphore::MAX_PERMITS));
        Layered::over(inner, Self { turns, bytes, clock, timer })
    }
}

impl Around for Limit {
    fn once<'a, T: Send + 'a>(&'a self, call: Call<'a>, run: BoxFuture<'a, Result<T>>) -> BoxFuture<'a, Result<T>> {
        Box::pin(async move {
            let _turn = self.turns.acquire().await.expect("nobody closes this semaphore");
            if let Some(bucket) = self.bytes.as_ref().filter(|_| call.bytes > 0) {
                let wait_us = lock(bucket).take(call.bytes, self.clock.now().monotonic_us);
                if wait_us > 0 {
                    self.timer.sleep(wait_us).await;
                }
            }
            run.await
        })
    }
}

/// A bucket that fills with a second's bytes, kept as the moment at which it would be full again.
///
/// Source: the virtual scheduling form of the generic cell rate algorithm, ITU-T I.371.
struct Bucket {
    bytes_per_s: u64,
    paid_until_us: u64,
}

/// How much may be taken at once after a rest, as time.
const BURST_US: u64 = 1_000_000;

impl Bucket {
    fn new(bytes_per_s: u64) -> Self {
        Self { bytes_per_s: bytes_per_s.max(1), paid_until_us: 0 }
    }

    /// Takes `bytes` and returns how long to wait first. A call larger than the bucket goes on credit and the next ones wait.
    fn take(&mut self, bytes: u64, now_us: u64) -> u64 {
        let cost_us = u64::try_from(u128::from(bytes) * 1_000_000 / u128::from(self.bytes_per_s)).unwrap_or(u64::MAX);
        let from_us = self.paid_until_us.max(now_us);
        self.paid_until_us = from_us.saturating_add(cost_us);
        from_us.saturating_sub(now_us).saturating_sub(BURST_US)
    }
}

#[cfg(test)]
mod tests {
    use super::Bucket;

    #[test]
    fn a_bucket_gives_its_rate_over_time_and_a_second_at_once() {
        let mut bucket = Bucket::new(1_000);
        let waits: Vec<u64> = (0..5).map(|_| bucket.take(500, 0)).collect();
        assert_eq!(waits, [0, 0, 0, 500_000, 1_000_000]);
        assert_eq!(bucket.take(1, 10_000_000), 0, "after a rest nobody waits");
        assert_eq!(bucket.take(u64::MAX, 10_000_000), 0, "a huge call goes on credit");
        assert!(bucket.take(1, 10_000_000) > 1_000_000_000);
    }
}
