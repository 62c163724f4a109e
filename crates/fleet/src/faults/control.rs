//! Which faults strike when, and how often they did.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
};

use model::world::Entropy;
use tokio::sync::Notify;

use crate::{layer::Verb, lock};

/// A way to misbehave.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Fault {
    /// The call never ends, or goes on when [`FaultControl::release`] is called.
    Hang,
    /// The call begins after [`FaultControl::set_slow_us`] microseconds.
    Slow,
    /// The disk is full: create, write and put are refused.
    Full,
    /// The call fails and has done nothing.
    ErrorBefore,
    /// The target seems wiped: no marker, no objects.
    Wiped,
    /// The target seems to be as it was at [`Faults::remember`](super::Faults::remember): the old marker, and none of the
    /// objects written since.
    OldContent,
    /// Finish or put says `Ok`, and there is no object.
    LostWrite,
    /// A read ends too early.
    ShortRead,
    /// One bit of what is read is turned over.
    BitFlip,
    /// A listing leaves out the newest objects.
    StaleListing,
    /// A change takes effect, and the call fails all the same.
    ErrorAfter,
}

impl Fault {
    /// All kinds, in the order in which they are drawn.
    pub const ALL: [Self; 11] = [
        Self::Hang,
        Self::Slow,
        Self::Full,
        Self::ErrorBefore,
        Self::Wiped,
        Self::OldContent,
        Self::LostWrite,
        Self::ShortRead,
        Self::BitFlip,
        Self::StaleListing,
        Self::ErrorAfter,
    ];
}

/// When a fault strikes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum When {
    /// Not at all.
    Never,
    /// At the next call where it can, then never.
    Once,
    /// At so many of a thousand calls, drawn by chance.
    PerMille(u16),
    /// At every call where it can.
    Always,
}

#[derive(Default)]
struct Plan {
    /// By fault, and by verb where the rule is for one; that one goes first.
    rules: BTreeMap<(Fault, Option<Verb>), When>,
    struck: BTreeMap<Fault, u64>,
    slow_us: u64,
    hanging: usize,
}

/// The hand on the faults of one or more targets. Clones are the same hand.
#[derive(Clone, Default)]
pub struct FaultControl {
    plan: Arc<Mutex<Plan>>,
    released: Arc<Notify>,
}

impl FaultControl {
    /// Sets when a fault strikes at any call.
    pub fn set(&self, fault: Fault, when: When) {
        lock(&self.plan).rules.insert((fault, None), when);
    }

    /// Sets when a fault strikes at calls of one verb, whatever is set for any call.
    pub fn set_for(&self, fault: Fault, verb: Verb, when: When) {
        lock(&self.plan).rules.insert((fault, Some(verb)), when);
    }

    /// Ends all misbehaviour to come. Calls that hang go on hanging; the counts stay.
    pub fn clear(&self) {
        lock(&self.plan).rules.clear();
    }

    /// Sets by how much [`Fault::Slow`] delays a call, in microseconds.
    pub fn set_slow_us(&self, us: u64) {
        lock(&self.plan).slow_us = us;
    }

    /// Lets the calls that hang now go on.
    pub fn release(&self) {
        self.released.notify_waiters();
    }

    /// How many calls hang now.
    pub fn hanging(&self) -> usize {
        lock(&self.plan).hanging
    }

    /// How often each kind struck; kinds that never did are absent.
    pub fn struck(&self) -> BTreeMap<Fault, u64> {
        lock(&self.plan).struck.clone()
    }

    pub(super) fn slow_us(&self) -> u64 {
        lock(&self.plan).slow_us
    }

    /// Waits for [`Self::release`].
    pub(super) async fn hang(&self) {
        let _hanging = Hanging::begin(&self.plan);
        self.released.notified().await;
    }

    /// Decides whether a fault strikes now, and counts it. Draws only where there is a choice.
    pub(super) fn strikes(&self, fault: Fault, verb: Verb, entropy: &dyn Entropy) -> bool {
        let mut plan = lock(&self.plan);
        let keys = [(fault, Some(verb)), (fault, None)];
        let Some(key) = keys.into_iter().find(|key| plan.rules.contains_key(key)) else { return false };
        let strikes = match plan.rules[&key] {
            When::Never => false,
            When::Always => true,
            When::Once => {
                plan.rules.insert(key, When::Never);
                true
            }
            When::PerMille(chance) => {
                let mut drawn = [0; 8];
                entropy.fill(&mut drawn);
                u64::from_le_bytes(drawn) % 1_000 < u64::from(chance)
            }
        };
        if strikes {
            *plan.struck.entry(fault).or_default() += 1;
        }
        strikes
    }
}

/// Counts a call that hangs, until it goes on or is dropped.
struct Hanging<'a>(&'a Mutex<Plan>);

impl<'a> Hanging<'a> {
    fn begin(plan: &'a Mutex<Plan>) -> Self {
        lock(plan).hanging += 1;
        Self(plan)
    }
}

impl Drop for Hanging<'_> {
    fn drop(&mut self) {
        lock(self.0).hanging -= 1;
    }
}
