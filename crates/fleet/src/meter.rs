//! The layer that counts. What it counts is shown by the fleet page and used by nobody to decide.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
};

use model::world::{BoxFuture, Clock};

use crate::{
    layer::{Around, Call, Layered, Verb},
    lock,
    target::{Result, Target},
};

/// What was counted for one verb.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct VerbCounts {
    /// Calls begun. Those that are neither ended nor running were dropped by their caller.
    pub calls: u64,
    /// Calls ended, well or not.
    pub ended: u64,
    /// Calls that ended with an error.
    pub errors: u64,
    /// Bytes of content sent or received by calls that ended well.
    pub bytes: u64,
    /// Time of all ended calls, in microseconds.
    pub total_us: u64,
    /// Time of the slowest of them, in microseconds.
    pub slowest_us: u64,
}

/// The counts of one target. Clones show the same counts.
#[derive(Clone)]
pub struct Meter {
    counts: Arc<Mutex<BTreeMap<Verb, VerbCounts>>>,
    clock: Arc<dyn Clock>,
}

impl Meter {
    /// Lays a meter around `inner`.
    pub fn over(inner: Arc<dyn Target>, clock: Arc<dyn Clock>) -> (Arc<dyn Target>, Self) {
        let meter = Self { counts: Arc::default(), clock };
        (Layered::over(inner, meter.clone()), meter)
    }

    /// Returns the counts so far, by verb; verbs never called are absent.
    pub fn snapshot(&self) -> BTreeMap<Verb, VerbCounts> {
        lock(&self.counts).clone()
    }

    fn count(&self, verb: Verb, change: impl FnOnce(&mut VerbCounts)) {
        change(lock(&self.counts).entry(verb).or_default());
    }
}

impl Around for Meter {
    fn once<'a, T: Send + 'a>(&'a self, call: Call<'a>, run: BoxFuture<'a, Result<T>>) -> BoxFuture<'a, Result<T>> {
        Box::pin(async move {
            self.count(call.verb, |counts| counts.calls += 1);
            let begun_us = self.clock.now().monotonic_us;
            let result = run.await;
            let took_us = self.clock.now().monotonic_us.saturating_sub(begun_us);
            self.count(call.verb, |counts| {
                counts.ended += 1;
                counts.total_us += took_us;
                counts.slowest_us = counts.slowest_us.max(took_us);
                match &result {
                    Ok(_) => counts.bytes += call.bytes,
                    Err(_) => counts.errors += 1,
                }
            });
            result
        })
    }
}
