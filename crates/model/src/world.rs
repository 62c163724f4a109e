//! Time and chance come in through this door, so that a whole run can be replayed from one seed.
//!
//! `holdfast` gives the real ones, `sim` gives played ones. Nothing else in the product reads a clock, draws a random
//! number, sleeps or starts a task.

use std::{future::Future, pin::Pin, sync::Arc};

/// What the clocks say at one moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Now {
    /// Wall clock, microseconds since 1970 UTC. May jump.
    pub wall_us: i64,
    /// Monotonic clock, microseconds since some start, suspend included. Never goes back.
    pub monotonic_us: u64,
}

/// Reads the clocks.
pub trait Clock: Send + Sync {
    /// What the clocks say now.
    fn now(&self) -> Now;
}

/// Draws random bytes.
pub trait Entropy: Send + Sync {
    /// Fills `bytes` with random bytes fit for keys.
    fn fill(&self, bytes: &mut [u8]);
}

/// A boxed future, so that these traits can be passed as `dyn`.
pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// Waits, and runs things beside the caller.
pub trait Timer: Send + Sync {
    /// Completes `us` microseconds from now.
    fn sleep(&self, us: u64) -> BoxFuture<'static, ()>;
    /// Runs `task` beside the caller until it ends or the service does.
    fn spawn(&self, task: BoxFuture<'static, ()>);
}

/// Clock, chance and timer of one running service.
#[derive(Clone)]
pub struct World {
    /// The clocks.
    pub clock: Arc<dyn Clock>,
    /// Random bytes.
    pub entropy: Arc<dyn Entropy>,
    /// Sleeping and spawning.
    pub timer: Arc<dyn Timer>,
}

impl std::fmt::Debug for World {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("World")
    }
}
