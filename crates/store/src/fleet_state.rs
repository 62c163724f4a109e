//! What is believed of the providers and their targets at this moment.
//!
//! The rows are journalled; the live state is not: it is found out again by probing. Decisions read it as a
//! [`plan::Topology`].

use std::{collections::BTreeMap, sync::RwLock};

use bytes::Bytes;
use model::{
    fleet::{ProviderRow, TargetRow, TargetState},
    id::{ProviderId, TargetId},
};
use plan::{TargetView, Topology};

/// A target's row and what is seen of it.
#[derive(Clone, Debug)]
pub(crate) struct Live {
    pub row: TargetRow,
    pub state: TargetState,
    /// Monotonic time at which `state` began.
    pub since_us: u64,
    pub free_bytes: Option<u64>,
    /// Why it is not up, for people.
    pub note: String,
    /// The marker it should carry.
    pub marker: Option<Bytes>,
}

/// All providers and targets. Shared; reads copy.
#[derive(Debug, Default)]
pub(crate) struct FleetState(RwLock<Inner>);

#[derive(Debug, Default)]
struct Inner {
    providers: BTreeMap<ProviderId, ProviderRow>,
    targets: BTreeMap<TargetId, Live>,
}

impl FleetState {
    /// Takes a provider's row.
    pub fn set_provider(&self, row: ProviderRow) {
        self.write(|inner| inner.providers.insert(row.id, row));
    }

    /// Takes a target's row; what is seen of it stays.
    pub fn set_target(&self, row: TargetRow, marker: Option<Bytes>, now_us: u64) {
        self.write(|inner| match inner.targets.get_mut(&row.id) {
            Some(live) => {
                live.row = row;
                live.marker = marker.or(live.marker.take());
            }
            None => {
                let state = match row.state {
                    TargetState::Lost | TargetState::Retired => row.state,
                    _ => TargetState::Down,
                };
                let note = "not looked at yet".to_owned();
                inner.targets.insert(row.id, Live { row, state, since_us: now_us, free_bytes: None, note, marker });
            }
        });
    }

    /// Notes what was just seen; the time of the last change of state is kept.
    pub fn saw(&self, target: TargetId, state: TargetState, free_bytes: Option<u64>, note: &str, now_us: u64) {
        self.write(|inner| {
            if let Some(live) = inner.targets.get_mut(&target) {
                if live.state != state {
                    live.state = state;
                    live.since_us = now_us;
                }
                live.free_bytes = free_bytes;
                live.note = note.to_owned();
            }
        });
    }

    /// Believes a target to be down until the next probe, because an operation on it failed so.
    pub fn failed(&self, target: TargetId, error: &fleet::Error, now_us: u64) {
        match error {
            fleet::Error::Full { .. } => self.write(|inner| {
                if let Some(live) = inner.targets.get_mut(&target) {
                    live.free_bytes = Some(0);
                }
            }),
            fleet::Error::Down { .. } | fleet::Error::Timeout { .. } | fleet::Error::Io { .. }
                if self.live(target).is_some_and(|live| live.state == TargetState::Up) =>
            {
                self.saw(target, TargetState::Down, None, &error.to_string(), now_us);
            }
            _ => {}
        }
    }

    /// One target.
    pub fn live(&self, target: TargetId) -> Option<Live> {
        self.read(|inner| inner.targets.get(&target).cloned())
    }

    /// All targets, by id.
    pub fn all(&self) -> Vec<Live> {
        self.read(|inner| inner.targets.values().cloned().collect())
    }

    /// All providers, by id.
    pub fn providers(&self) -> Vec<ProviderRow> {
        self.read(|inner| inner.providers.values().cloned().collect())
    }

    /// The view that decisions are made on.
    pub fn topology(&self, now_us: u64) -> Topology {
        self.read(|inner| {
            Topology::new(inner.targets.values().map(|live| TargetView {
                id: live.row.id,
                provider: live.row.provider,
                state: live.state,
                cordoned: false,
                free_bytes: live.free_bytes,
                away_s: match live.state {
                    TargetState::Up => 0,
                    _ => now_us.saturating_sub(live.since_us) / 1_000_000,
                },
            }))
        })
    }

    fn read<T>(&self, f: impl FnOnce(&Inner) -> T) -> T {
        f(&self.0.read().unwrap_or_else(std::sync::PoisonError::into_inner))
    }

    fn write<T>(&self, f: impl FnOnce(&mut Inner) -> T) -> T {
        f(&mut self.0.write().unwrap_or_else(std::sync::PoisonError::into_inner))
    }
}
