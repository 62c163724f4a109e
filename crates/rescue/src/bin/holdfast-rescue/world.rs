//! The real clocks, chance and timer for the drivers of far places.

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

/// The world of this computer. Its timer must be used inside a tokio runtime.
pub fn real() -> World {
    World { clock: Arc::new(SystemClock), entropy: Arc::new(KernelEntropy), timer: Arc::new(TokioTimer) }
}

struct SystemClock;

impl Clock for SystemClock {
    /// Monotonic time counts while the machine sleeps.
    fn now(&self) -> Now {
        let boot = clock_gettime(ClockId::Boottime);
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let monotonic_us =
            u64::try_from(boot.tv_sec).unwrap_or(0) * 1_000_000 + u64::try_from(boot.tv_nsec).unwrap_or(0) / 1_000;
        Now { wall_us: i64::try_from(since.as_micros()).unwrap_or(i64::MAX), monotonic_us }
    }
}

struct KernelEntropy;

impl Entropy for KernelEntropy {
    fn fill(&self, bytes: &mut [u8]) {
        let mut at = 0;
        while at < bytes.len() {
            match getrandom(&mut bytes[at..], GetRandomFlags::empty()) {
                Ok(count) => at += count,
                Err(Errno::INTR) => {}
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
        drop(tokio::spawn(task));
    }
}
