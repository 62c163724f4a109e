//! Accounts and their recovery kits.

use crate::id::{AccountId, KitId};

/// One account as the service part of its record states it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccountRow {
    /// The account tag: random, says nothing about the owner.
    pub id: AccountId,
    /// The name people log in with; unique.
    pub name: String,
    /// Whether the service identity is among the envelope's recipients.
    pub managed: bool,
    /// When it was made.
    pub made_us: i64,
}

/// One recovery kit: the service keeps its public half only.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KitRow {
    /// Its id, printed on the kit.
    pub id: KitId,
    /// The age recipient (`age1…`) of the recovery identity in the kit.
    pub recipient: String,
    /// When it was made.
    pub made_us: i64,
    /// Since when it no longer opens new envelopes, if it was revoked.
    pub revoked_us: Option<i64>,
    /// When its owner last proved that it works.
    pub tested_us: Option<i64>,
}
