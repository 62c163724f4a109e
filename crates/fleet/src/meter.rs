//! The layer that counts calls, their bytes and their time. What it counts is shown, and used by nobody to decide.
//!
//! It lies next to the driver, so that every try is counted. For drivers that do not see their own requests it also says what
//! the firm was asked for ([`Traffic`]): one request for a call.

use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
};

use model::{
    latency::{Latency, STEP_COUNT},
    world::{BoxFuture, Clock},
};

use crate::{
    layer::{Around, Call, Layered, Verb},
    target::{Result, Target},
    traffic::{Kind, Traffic},
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
    /// How long they took.
    pub latency: Latency,
}

/// What was counted at one target, by verb; verbs never called are absent.
pub type Calls = BTreeMap<Verb, VerbCounts>;

/// The counts of one target. Clones show the same counts.
#[derive(Clone)]
pub struct Meter {
    counts: Arc<[Counts; Verb::ALL.len()]>,
    clock: Arc<dyn Clock>,
}

#[derive(Default)]
struct Counts {
    calls: AtomicU64,
    ended: AtomicU64,
    errors: AtomicU64,
    bytes: AtomicU64,
    total_us: AtomicU64,
    slowest_us: AtomicU64,
    steps: [AtomicU64; STEP_COUNT],
}

impl Counts {
    fn read(&self) -> VerbCounts {
        let total_us = self.total_us.load(Relaxed);
        let mut latency = Latency { total_us, ..Latency::default() };
        latency.counts.iter_mut().zip(&self.steps).for_each(|(count, step)| *count = step.load(Relaxed));
        VerbCounts {
            calls: self.calls.load(Relaxed),
            ended: self.ended.load(Relaxed),
            errors: self.errors.load(Relaxed),
            bytes: self.bytes.load(Relaxed),
            total_us,
            slowest_us: self.slowest_us.load(Relaxed),
            latency,
        }
    }
}

impl Meter {
    /// Lays a meter around `inner`.
    pub fn over(inner: Arc<dyn Target>, clock: Arc<dyn Clock>) -> (Arc<dyn Target>, Self) {
        let meter = Self { counts: Arc::default(), clock };
        (Layered::over(inner, meter.clone()), meter)
    }

    /// Returns the counts so far, by verb; verbs never called are absent.
    pub fn snapshot(&self) -> Calls {
        let read = Verb::ALL.into_iter().map(|verb| (verb, self.counts[verb as usize].read()));
        read.filter(|(_, counts)| counts.calls > 0).collect()
    }
}

/// What a firm sees of a call. An object that is written in pieces is one request, when it is finished.
fn kind(verb: Verb) -> Option<Kind> {
    match verb {
        Verb::Create | Verb::Write => None,
        Verb::WriteMarker | Verb::Finish | Verb::Put | Verb::SetAside => Some(Kind::Put),
        Verb::Probe | Verb::Read => Some(Kind::Get),
        Verb::Stat => Some(Kind::Head),
        Verb::List => Some(Kind::List),
        Verb::Delete => Some(Kind::Delete),
    }
}

impl Around for Meter {
    fn once<'a, T: Send + 'a>(&'a self, call: Call<'a>, run: BoxFuture<'a, Result<T>>) -> BoxFuture<'a, Result<T>> {
        Box::pin(async move {
            let counts = &self.counts[call.verb as usize];
            counts.calls.fetch_add(1, Relaxed);
            let begun_us = self.clock.now().monotonic_us;
            let result = run.await;
            let took_us = self.clock.now().monotonic_us.saturating_sub(begun_us);
            counts.ended.fetch_add(1, Relaxed);
            counts.total_us.fetch_add(took_us, Relaxed);
            counts.slowest_us.fetch_max(took_us, Relaxed);
            counts.steps[Latency::step(took_us)].fetch_add(1, Relaxed);
            match &result {
                Ok(_) => counts.bytes.fetch_add(call.bytes, Relaxed),
                Err(_) => counts.errors.fetch_add(1, Relaxed),
            };
            result
        })
    }

    fn calls(&self) -> Calls {
        self.snapshot()
    }

    fn traffic(&self) -> Option<Traffic> {
        let mut traffic = Traffic::default();
        for (verb, counts) in self.snapshot() {
            if let Some(kind) = kind(verb) {
                traffic.requests[kind as usize] += counts.calls;
            }
            match verb.changes() {
                true => traffic.in_bytes += counts.bytes,
                false => traffic.out_bytes += counts.bytes,
            }
        }
        Some(traffic)
    }
}
