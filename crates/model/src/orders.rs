//! What a person ordered of a target: nothing new there, everything away from there, and its end.

use crate::id::{OrderId, TargetId};

/// The orders that stand for a target. The row stays when they are over.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct TargetOrders {
    /// The target.
    pub target: TargetId,
    /// It takes no new shards.
    pub cordoned: bool,
    /// Everything moves away from here; it takes no new shards either.
    pub evacuation: Option<Evacuation>,
    /// Its shards are taken off the records, and then it is forgotten.
    pub retirement: Option<Retirement>,
}

/// An order to move everything away. The targets of one provider have one order, under one id.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Evacuation {
    /// Names the order in the ledger.
    pub id: OrderId,
    /// When it was given, microseconds since 1970.
    pub ordered_us: i64,
    /// By when it should be done.
    pub by_us: i64,
    /// Nothing is moved for now.
    pub paused: bool,
    /// What proved that it is done; `None` while it is not.
    pub evacuated: Option<Evacuated>,
}

/// That everything stands without the targets of an order, as it was certified.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Evacuated {
    /// When it was certified, microseconds since 1970.
    pub at_us: i64,
    /// Packs whose makes were all read back since the order.
    pub packs_read: u64,
    /// Packs whose makes were read lately and listed since the order.
    pub packs_listed: u64,
    /// Copied objects likewise, read back.
    pub objects_read: u64,
    /// Copied objects likewise, listed.
    pub objects_listed: u64,
}

/// An order to forget a target.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Retirement {
    /// When it was given, microseconds since 1970.
    pub ordered_us: i64,
    /// What lies there stays there; it is only forgotten.
    pub keeps_shards: bool,
}

impl TargetOrders {
    /// No orders.
    pub fn none(target: TargetId) -> Self {
        Self { target, ..Self::default() }
    }

    /// Whether the target is to be left: an evacuation or its end was ordered.
    pub fn leaves(&self) -> bool {
        self.evacuation.is_some() || self.retirement.is_some()
    }
}
