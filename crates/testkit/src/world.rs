//! Clock, timer and chance for tests.
//!
//! [`ManualClock`] is a clock and a timer in one: time stands still until the test moves it, or leaps to the end of every
//! sleep. [`real_world`] waits for real and is for tests that speak to real servers. [`SeededEntropy`] repeats itself.
#![allow(clippy::disallowed_methods, reason = "this is the door that others are told to use")]

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use model::world::{BoxFuture, Clock, Entropy, Now, Timer, World};
use tokio::sync::oneshot;

/// Chance from a seed. Equal seeds give equal bytes. Not fit for keys.
///
/// Source: SplitMix64; Steele, Lea, Flood, "Fast Splittable Pseudorandom Number Generators", OOPSLA 2014.
#[derive(Debug)]
pub struct SeededEntropy {
    state: Mutex<u64>,
}

impl SeededEntropy {
    /// Starts from `seed`.
    pub fn new(seed: u64) -> Self {
        Self { state: Mutex::new(seed) }
    }

    /// Draws the next 64 bits.
    pub fn next_u64(&self) -> u64 {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = *state;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }
}

impl Entropy for SeededEntropy {
    fn fill(&self, bytes: &mut [u8]) {
        for piece in bytes.chunks_mut(8) {
            piece.copy_from_slice(&self.next_u64().to_le_bytes()[..piece.len()]);
        }
    }
}

/// The machine's clocks, for tests that speak to servers which have clocks of their own.
#[derive(Clone, Copy, Debug)]
pub struct SystemClock {
    started: std::time::Instant,
}

impl Default for SystemClock {
    fn default() -> Self {
        Self { started: std::time::Instant::now() }
    }
}

impl Clock for SystemClock {
    fn now(&self) -> Now {
        let since_1970 = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
        let wall_us = i64::try_from(since_1970.as_micros()).unwrap_or(i64::MAX);
        Now { wall_us, monotonic_us: u64::try_from(self.started.elapsed().as_micros()).unwrap_or(u64::MAX) }
    }
}

/// A world in which time passes by itself.
pub fn real_world() -> World {
    let (clock, entropy) =
        (Arc::new(SystemClock::default()), Arc::new(SeededEntropy::new(u64::from(std::process::id()))));
    World { clock, entropy, timer: Arc::new(TokioTimer) }
}

/// Sleeps and spawns on the test's own tokio runtime.
#[derive(Clone, Copy, Debug, Default)]
pub struct TokioTimer;

impl Timer for TokioTimer {
    fn sleep(&self, us: u64) -> BoxFuture<'static, ()> {
        Box::pin(tokio::time::sleep(Duration::from_micros(us)))
    }

    fn spawn(&self, task: BoxFuture<'static, ()>) {
        drop(tokio::spawn(task));
    }
}

#[derive(Debug, Default)]
struct Time {
    now: Now,
    leaps: bool,
    /// Who sleeps, by the moment of waking and the order of falling asleep.
    sleepers: BTreeMap<(u64, u64), oneshot::Sender<()>>,
    asleep_count: u64,
}

/// A clock that moves by order only. Clones are the same clock.
#[derive(Clone, Debug, Default)]
pub struct ManualClock {
    time: Arc<Mutex<Time>>,
}

impl ManualClock {
    /// Makes a clock that stands still: who sleeps waits for [`Self::advance`].
    pub fn standing() -> Self {
        Self::default()
    }

    /// Makes a clock that leaps: a sleep ends at once, and it is later by its length.
    pub fn leaping() -> Self {
        let clock = Self::default();
        clock.time().leaps = true;
        clock
    }

    /// Moves both clocks on by `us` microseconds and wakes, in order, who slept until then.
    pub fn advance(&self, us: u64) {
        let mut time = self.time();
        time.now.monotonic_us += us;
        time.now.wall_us = time.now.wall_us.saturating_add_unsigned(us);
        let later = (time.now.monotonic_us + 1, 0);
        let still_asleep = time.sleepers.split_off(&later);
        for (_, sleeper) in std::mem::replace(&mut time.sleepers, still_asleep) {
            // A sleeper that was dropped needs no waking.
            let _ = sleeper.send(());
        }
    }

    /// Sets the wall clock, which may jump; the monotonic clock does not notice.
    pub fn set_wall_us(&self, wall_us: i64) {
        self.time().now.wall_us = wall_us;
    }

    /// How many sleep now. A test waits for it before it moves the clock.
    pub fn sleeping(&self) -> usize {
        self.time().sleepers.values().filter(|sleeper| !sleeper.is_closed()).count()
    }

    fn time(&self) -> MutexGuard<'_, Time> {
        self.time.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Clock for ManualClock {
    fn now(&self) -> Now {
        self.time().now
    }
}

impl Timer for ManualClock {
    fn sleep(&self, us: u64) -> BoxFuture<'static, ()> {
        if self.time().leaps {
            let clock = self.clone();
            // Later only once somebody waits for it: a limit that nobody reaches moves no clock.
            return Box::pin(async move { clock.advance(us) });
        }
        let (waker, woken) = oneshot::channel();
        let mut time = self.time();
        let at = (time.now.monotonic_us.saturating_add(us), time.asleep_count);
        time.asleep_count += 1;
        time.sleepers.insert(at, waker);
        Box::pin(async move { drop(woken.await) })
    }

    fn spawn(&self, task: BoxFuture<'static, ()>) {
        drop(tokio::spawn(task));
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use model::world::{Clock, Entropy, Timer};

    use super::{ManualClock, SeededEntropy};

    #[test]
    fn equal_seeds_give_equal_bytes() {
        let draw = |seed| {
            let mut bytes = [0; 20];
            SeededEntropy::new(seed).fill(&mut bytes);
            bytes
        };
        assert_eq!(draw(7), draw(7));
        assert_ne!(draw(7), draw(8));
        // The first number of the reference implementation from seed 0.
        assert_eq!(SeededEntropy::new(0).next_u64(), 0xe220_a839_7b1d_cdaf);
    }

    #[tokio::test]
    async fn sleepers_wake_in_order_when_the_clock_moves() {
        let clock = ManualClock::standing();
        let (late, early) = (clock.sleep(20), clock.sleep(10));
        assert_eq!(clock.sleeping(), 2);
        clock.advance(10);
        early.await;
        assert_eq!(clock.sleeping(), 1);
        clock.advance(10);
        late.await;
        assert_eq!(clock.now().monotonic_us, 20);
    }

    #[tokio::test]
    async fn a_leaping_clock_moves_by_every_sleep() {
        let clock = ManualClock::leaping();
        clock.sleep(1_000).await;
        clock.sleep(500).await;
        assert_eq!(clock.now().monotonic_us, 1_500);
    }
}
