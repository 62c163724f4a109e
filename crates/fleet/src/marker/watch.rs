//! The marker of a target where every look costs a request.
//!
//! Before anything is added, a marker that was seen within [`BELIEVED_US`] is believed: a writer of many small objects pays for
//! one look per some seconds, and what it adds meanwhile to a target that has changed hands is an object under a random name,
//! which harms nobody. Before anything is taken away (delete, set aside), and before "there is none" is believed, the marker
//! is always looked at anew. A marker that is not the expected one is never believed from memory.

use std::sync::{Arc, Mutex};

use bytes::Bytes;
use model::world::Clock;

use super::permits_change;
use crate::{lock, target::Result};

const BELIEVED_US: u64 = 5_000_000;

/// Which marker is expected, and which was seen last.
pub(crate) struct Watch {
    expected: Mutex<Option<Bytes>>,
    seen: Mutex<Option<(Bytes, u64)>>,
    clock: Arc<dyn Clock>,
}

impl Watch {
    pub(crate) fn new(clock: Arc<dyn Clock>) -> Self {
        Self { expected: Mutex::default(), seen: Mutex::default(), clock }
    }

    pub(crate) fn expect(&self, marker: Option<Bytes>) {
        *lock(&self.expected) = marker;
    }

    pub(crate) fn expected(&self) -> Option<Bytes> {
        lock(&self.expected).clone()
    }

    /// Remembers what a look found.
    pub(crate) fn note(&self, found: Option<&Bytes>) {
        let now_us = self.clock.now().monotonic_us;
        *lock(&self.seen) = found.map(|marker| (marker.clone(), now_us));
    }

    /// Whether something may be added without another look.
    pub(crate) fn permits_adding(&self) -> bool {
        let (expected, seen) = (self.expected(), lock(&self.seen).clone());
        let now_us = self.clock.now().monotonic_us;
        matches!((expected, seen), (Some(expected), Some((seen, at_us)))
            if seen == expected && now_us.saturating_sub(at_us) < BELIEVED_US)
    }

    /// Whether anything may be changed where `found` was just seen.
    pub(crate) fn permits_change(&self, target: &str, found: Option<&Bytes>) -> Result<()> {
        permits_change(target, self.expected().as_ref(), found)
    }
}
