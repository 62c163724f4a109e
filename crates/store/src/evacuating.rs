//! How far evacuations are: the queue of what is ahead, the pace, what was forecast and what is not proven; and the walk over what
//! has something at the targets that are left.

use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    sync::{Mutex, atomic::AtomicU64},
};

use catalogue::{objects::ObjectView, packs::PackView};
use model::{
    fleet::TargetState,
    id::{ObjectId, OrderId, PackId, TargetId},
};
use plan::{Ahead, Forecast, Topology};

use crate::{Inner, error::Result, locked};

/// Rows that are looked at together.
const PAGE: usize = 500;
/// The pace is that of about so long.
const PACE_US: u64 = 600_000_000;

/// The fleet, as far as a queue depends on it: state, cordoned, leaving.
pub(crate) type Seen = Vec<(TargetId, TargetState, bool, bool)>;

/// What is ahead, in order.
pub(crate) struct Queue {
    pub at_us: u64,
    pub seen: Seen,
    pub packs: VecDeque<PackId>,
    pub objects: VecDeque<ObjectId>,
    pub ahead: Ahead,
    /// Bytes ahead until everything is only safe.
    pub safe_bytes: u64,
}

impl Queue {
    pub fn is_empty(&self) -> bool {
        self.packs.is_empty() && self.objects.is_empty()
    }
}

/// What was moved, and how long that took: older rounds count less and less.
#[derive(Default)]
pub(crate) struct Moved {
    bytes: u64,
    us: u64,
    /// When the last round ended, if the next one follows.
    until_us: Option<u64>,
}

/// How far evacuations are.
#[derive(Default)]
pub(crate) struct Evacuating {
    pub queue: Mutex<Option<Queue>>,
    pub moved: Mutex<Moved>,
    pub forecasts: Mutex<BTreeMap<OrderId, (Forecast, Ahead)>>,
    pub gave_way: AtomicU64,
    /// For each target that was listed whole: when that listing began, on the wall.
    pub listed: Mutex<BTreeMap<TargetId, i64>>,
    /// Proofs are asked for again after this moment.
    pub ask_after_us: Mutex<u64>,
    /// For each order why it is not certified yet.
    pub unproven: Mutex<BTreeMap<OrderId, String>>,
}

impl Evacuating {
    /// What was known is of yesterday's orders.
    pub fn look_again(&self) {
        *locked(&self.queue) = None;
        *locked(&self.ask_after_us) = 0;
        locked(&self.forecasts).clear();
        locked(&self.unproven).clear();
    }

    /// The fleet changed, or something turned up that does not stand.
    pub fn look_at_fleet_again(&self) {
        *locked(&self.queue) = None;
    }

    /// What can be said of an order.
    pub fn said(&self, order: OrderId) -> (Option<(Forecast, Ahead)>, Option<String>) {
        (locked(&self.forecasts).get(&order).copied(), locked(&self.unproven).get(&order).cloned())
    }

    /// Bytes a second, once there is something to tell from.
    pub fn bytes_per_s(&self) -> Option<u64> {
        let moved = locked(&self.moved);
        let rate = u128::from(moved.bytes) * 1_000_000 / u128::from(moved.us.max(1));
        (moved.bytes > 0 && moved.us >= 2_000_000).then(|| u64::try_from(rate).unwrap_or(u64::MAX))
    }

    /// Notes a round, the time since the one before it included if that followed at once.
    pub fn note(&self, bytes: u64, began_us: u64, now_us: u64, more: bool) {
        let mut moved = locked(&self.moved);
        let since_us = moved.until_us.unwrap_or(began_us);
        moved.bytes = moved.bytes.saturating_add(bytes);
        moved.us = moved.us.saturating_add(now_us.saturating_sub(since_us));
        if moved.us > PACE_US {
            moved.bytes /= 2;
            moved.us /= 2;
        }
        moved.until_us = more.then_some(now_us);
    }
}

/// Walks over what has something at some targets, each once.
pub(crate) struct There {
    targets: Vec<TargetId>,
    at: usize,
    after: [u8; 16],
}

impl There {
    pub fn at(targets: &BTreeSet<TargetId>) -> Self {
        Self { targets: targets.iter().copied().collect(), at: 0, after: [0; 16] }
    }

    /// The next packs; `None` at the end. A page may be empty.
    pub async fn next_packs(&mut self, inner: &Inner) -> Result<Option<Vec<PackView>>> {
        let Some(target) = self.targets.get(self.at).copied() else { return Ok(None) };
        let (after, earlier) = (PackId(self.after), self.targets[..self.at].to_vec());
        let read = move |tx: &mut catalogue::Tx<'_>| {
            let ids = catalogue::packs::at_target(tx, target, after, PAGE)?;
            let last = ids.last().filter(|_| ids.len() == PAGE).copied();
            let mut views = Vec::with_capacity(ids.len());
            for id in ids {
                views.extend(catalogue::packs::view(tx, id)?);
            }
            views.retain(|view| !view.makes.iter().any(|make| earlier.contains(&make.make.target)));
            Ok((views, last))
        };
        let (views, last) = inner.catalogue.read(read).await?;
        self.go_on(last.map(|id| id.0));
        Ok(Some(views))
    }

    /// The next copied objects in use; `None` at the end. A page may be empty.
    pub async fn next_objects(&mut self, inner: &Inner) -> Result<Option<Vec<ObjectView>>> {
        let Some(target) = self.targets.get(self.at).copied() else { return Ok(None) };
        let (after, earlier) = (ObjectId(self.after), self.targets[..self.at].to_vec());
        let read = move |tx: &mut catalogue::Tx<'_>| {
            let ids = catalogue::objects::at_target(tx, target, after, PAGE)?;
            let last = ids.last().filter(|_| ids.len() == PAGE).copied();
            let mut views = Vec::with_capacity(ids.len());
            for id in ids {
                views.extend(catalogue::objects::view(tx, id)?);
            }
            views.retain(|view| view.object.released.is_none());
            views.retain(|view| !view.copies.iter().any(|copy| earlier.contains(&copy.target)));
            Ok((views, last))
        };
        let (views, last) = inner.catalogue.read(read).await?;
        self.go_on(last.map(|id| id.0));
        Ok(Some(views))
    }

    fn go_on(&mut self, last: Option<[u8; 16]>) {
        self.at += usize::from(last.is_none());
        self.after = last.unwrap_or_default();
    }
}

/// The fleet as it is now.
pub(crate) fn seen(topology: &Topology) -> Seen {
    topology.targets().map(|target| (target.id, target.state, target.cordoned, target.leaving)).collect()
}
