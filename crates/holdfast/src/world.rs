//! The real clocks, chance and timer: what `store` is handed here, `sim` replaces by played ones.

use std::{
    sync::Arc,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use model::world::{BoxFuture, Clock, Entropy, Now, Timer, World};
use rustix::{
    io::Errno,
    rand::{GetRandomFlags, getrandom},
    time::{ClockId, clock_gettime},
};

/// The world of a service that really runs. Its timer must be used inside a tokio runtime.
pub fn real() -> World {
    World { clock: Arc::new(SystemClock), entropy: Arc::new(KernelEntropy), timer: Arc::new(TokioTimer) }
}

/// The wall clock of this machine in microseconds since 1970 UTC.
pub fn wall_us() -> i64 {
    SystemClock.now().wall_us
}

struct SystemClock;

impl Clock for SystemClock {
    /// Monotonic time counts while the machine sleeps (`CLOCK_BOOTTIME`): destruction compares it with the wall clock.
    fn now(&self) -> Now {
        let boot = clock_gettime(ClockId::Boottime);
        let wall_us = match SystemTime::now().duration_since(UNIX_EPOCH) {
            Ok(since) => i64::try_from(since.as_micros()).unwrap_or(i64::MAX),
            Err(before) => -i64::try_from(before.duration().as_micros()).unwrap_or(i64::MAX),
        };
        let monotonic_us =
            u64::try_from(boot.tv_sec).unwrap_or(0) * 1_000_000 + u64::try_from(boot.tv_nsec).unwrap_or(0) / 1_000;
        Now { wall_us, monotonic_us }
    }
}

/// The kernel's generator.
pub struct KernelEntropy;

impl Entropy for KernelEntropy {
    fn fill(&self, bytes: &mut [u8]) {
        let mut at = 0;
        while at < bytes.len() {
            match getrandom(&mut bytes[at..], GetRandomFlags::empty()) {
                Ok(count) => at += count,
                Err(Errno::INTR) => {}
                // Without randomness every key would be guessable: stopping is the only safe answer.
                Err(error) => panic!("the kernel gives no random bytes: {error}"),
            }
        }
    }
}

struct TokioTimer;

impl Timer for TokioTimer {
    fn sleep(&self, us: u64) -> BoxFuture<'static, ()> {
        Box::pin(tokio::time::sleep(Duration::from_micros(us)))
    }

    fn spawn(&self, task: BoxFuture<'static, ()>) {
        tokio::spawn(task);
    }
}

#[cfg(test)]
mod tests {
    use model::world::Entropy;

    use super::{KernelEntropy, real};

    #[test]
    fn monotonic_time_never_goes_back() {
        let world = real();
        let mut last = world.clock.now().monotonic_us;
        for _ in 0..1_000 {
            let now = world.clock.now().monotonic_us;
            assert!(now >= last);
            last = now;
        }
    }

    #[test]
    fn random_bytes_fill_the_whole_buffer() {
        let mut bytes = [0_u8; 4_096];
        KernelEntropy.fill(&mut bytes);
        assert!(bytes.chunks(64).all(|chunk| chunk.iter().any(|byte| *byte != 0)));
    }
}
