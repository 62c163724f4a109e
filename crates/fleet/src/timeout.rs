//! The layer that stops waiting. A call that is given up may still take effect at the target: whatever was written is
//! known by a name that is used for nothing else, and listings show it.

use std::sync::Arc;

use model::world::{BoxFuture, Timer};

use crate::{
    layer::{Around, Call, Layered, Verb},
    target::{Error, Result, Target},
};

/// How long a call may take, in milliseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TimeLimits {
    /// Probes: they decide whether the target counts as up, so they are short.
    pub probe_ms: u64,
    /// Calls about names: stat, list, create, set aside, delete.
    pub name_ms: u64,
    /// One read; a cell of 1 MiB over a slow line.
    pub read_ms: u64,
    /// One piece of a stream.
    pub write_ms: u64,
    /// Calls that end in a sync: finish, put, the marker. A busy disk flushes tens of megabytes first.
    pub sync_ms: u64,
}

impl Default for TimeLimits {
    fn default() -> Self {
        Self { probe_ms: 5_000, name_ms: 15_000, read_ms: 15_000, write_ms: 30_000, sync_ms: 60_000 }
    }
}

impl TimeLimits {
    /// The limit for one verb.
    pub fn limit_ms(&self, verb: Verb) -> u64 {
        match verb {
            Verb::Probe => self.probe_ms,
            Verb::Stat | Verb::List | Verb::Create | Verb::SetAside | Verb::Delete => self.name_ms,
            Verb::Read => self.read_ms,
            Verb::Write => self.write_ms,
            Verb::Finish | Verb::Put | Verb::WriteMarker => self.sync_ms,
        }
    }
}

/// Gives up on calls that take too long: [`Error::Timeout`].
pub struct Timeout {
    limits: TimeLimits,
    timer: Arc<dyn Timer>,
}

impl Timeout {
    /// Lays the limits around `inner`.
    pub fn over(inner: Arc<dyn Target>, limits: TimeLimits, timer: Arc<dyn Timer>) -> Arc<dyn Target> {
        Layered::over(inner, Self { limits, timer })
    }
}

impl Around for Timeout {
    fn once<'a, T: Send + 'a>(&'a self, call: Call<'a>, run: BoxFuture<'a, Result<T>>) -> BoxFuture<'a, Result<T>> {
        let limit_ms = self.limits.limit_ms(call.verb);
        let late = self.timer.sleep(limit_ms.saturating_mul(1_000));
        Box::pin(async move {
            tokio::select! {
                biased;
                result = run => result,
                () = late => Err(Error::Timeout { target: call.target.to_owned(), verb: call.verb.name(), limit_ms }),
            }
        })
    }
}
