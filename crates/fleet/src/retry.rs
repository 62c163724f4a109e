//! The layer that tries again what can be tried again: calls that only look, and deletions.
//!
//! A write is never repeated here. After an error nobody knows whether the object is there, and a second try under the same
//! name would meet its own first; the store writes anew under a new name instead. A target that is down is not asked again
//! either: the store reads from another one at once, which is faster than any wait.

use std::sync::Arc;

use model::world::{BoxFuture, Entropy, Timer};

use crate::{
    layer::{Around, Call, Layered},
    target::{Error, Result, Target},
};

/// How often, and how far apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tries {
    /// Tries in all, the first included; at least 1.
    pub count: u32,
    /// The longest pause before the second try, in milliseconds; it doubles from try to try.
    pub pause_ms: u64,
    /// The longest pause of all, in milliseconds.
    pub pause_ms_max: u64,
}

impl Default for Tries {
    fn default() -> Self {
        Self { count: 3, pause_ms: 50, pause_ms_max: 1_000 }
    }
}

/// Repeats what failed in passing.
pub struct Retry {
    tries: Tries,
    timer: Arc<dyn Timer>,
    entropy: Arc<dyn Entropy>,
}

impl Retry {
    /// Lays the tries around `inner`.
    pub fn over(
        inner: Arc<dyn Target>,
        tries: Tries,
        timer: Arc<dyn Timer>,
        entropy: Arc<dyn Entropy>,
    ) -> Arc<dyn Target> {
        Layered::over(inner, Self { tries, timer, entropy })
    }

    /// A pause drawn evenly up to the try's longest, so that many callers do not come back together.
    ///
    /// Source: "Exponential Backoff And Jitter", AWS Architecture Blog, 2015 ("full jitter").
    fn pause_us(&self, tries_done: u32) -> u64 {
        let doubled = self.tries.pause_ms.saturating_mul(1 << tries_done.saturating_sub(1).min(20));
        let longest_us = doubled.min(self.tries.pause_ms_max).saturating_mul(1_000);
        let mut drawn = [0; 8];
        self.entropy.fill(&mut drawn);
        u64::from_le_bytes(drawn) % longest_us.saturating_add(1)
    }
}

fn passing(error: &Error) -> bool {
    matches!(error, Error::Io { .. } | Error::Timeout { .. })
}

impl Around for Retry {
    fn once<'a, T: Send + 'a>(&'a self, _: Call<'a>, run: BoxFuture<'a, Result<T>>) -> BoxFuture<'a, Result<T>> {
        run
    }

    fn again<'a, T, F>(&'a self, _: Call<'a>, mut attempt: F) -> BoxFuture<'a, Result<T>>
    where
        T: Send + 'a,
        F: FnMut() -> BoxFuture<'a, Result<T>> + Send + 'a,
    {
        Box::pin(async move {
            let mut tries_done = 0;
            loop {
                let result = attempt().await;
                tries_done += 1;
                match result {
                    Err(error) if passing(&error) && tries_done < self.tries.count => {
                        self.timer.sleep(self.pause_us(tries_done)).await;
                    }
                    other => return other,
                }
            }
        })
    }
}
