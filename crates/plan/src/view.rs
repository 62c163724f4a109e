//! What a decision looks at: plain values that the store fills in, cheap enough to make by the million.
//!
//! A view says what is *recorded and known*; what follows from it (does this lane count? is this pack safe?) is decided
//! here and in [`crate::margin`], never by the one who fills it in.
//!
//! A target that comes back older than it left is [`TargetState::Suspect`] and nothing on it counts. To take it back
//! bit by bit, its makes are marked [`MakeState::Suspect`] and the target is called up: then each make counts once it
//! has been read since, and scrub reads those first.

use std::collections::{BTreeMap, BTreeSet};

use model::{
    fleet::TargetState,
    id::{MakeId, ObjectId, PackId, ProviderId, TargetId},
    pack::MakeState,
    units::ServiceTime,
};

/// A target, as far as decisions need it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TargetView {
    /// Its id.
    pub id: TargetId,
    /// Whose it is. The provider is what counts as one failure; where several count as one, the first of them, as
    /// [`domains`](crate::domains()) says.
    pub provider: ProviderId,
    /// What is believed of it now.
    pub state: TargetState,
    /// Takes no new shards; what it holds still counts.
    pub cordoned: bool,
    /// A person ordered that everything moves away from here. Until then what it holds counts and is read; new shards go
    /// elsewhere, and nothing is taken for surplus.
    pub leaving: bool,
    /// Its firm's budget of the month is used up: work that can wait leaves it alone ([`crate::budget`]).
    pub spent: bool,
    /// Room left in bytes, or `None` where the target cannot say (then it is taken to be enough).
    pub free_bytes: Option<u64>,
    /// Seconds since it was last up; 0 while it is up.
    pub away_s: u64,
}

impl TargetView {
    /// A target that is up, takes shards and has room.
    pub fn up(id: TargetId, provider: ProviderId) -> Self {
        let (cordoned, leaving, spent) = (false, false, false);
        Self { id, provider, state: TargetState::Up, cordoned, leaving, spent, free_bytes: None, away_s: 0 }
    }

    /// Whether new shards of `bytes` may be put here: up, neither cordoned nor leaving, with room for one at least.
    pub fn takes(&self, bytes: u64) -> bool {
        let open = !self.cordoned && !self.leaving;
        self.state == TargetState::Up && open && self.free_bytes.is_none_or(|free| free >= bytes)
    }

    /// Whether it is of the fleet at all: neither lost nor retired.
    pub fn is_ours(&self) -> bool {
        !matches!(self.state, TargetState::Lost | TargetState::Retired)
    }

    /// Whether it is away and nobody gave it up.
    pub fn may_return(&self) -> bool {
        matches!(self.state, TargetState::Down | TargetState::Suspect)
    }

    /// Whether it can be read from at all. What a suspect target holds does not count, but may turn out to be right.
    pub fn answers(&self) -> bool {
        matches!(self.state, TargetState::Up | TargetState::Suspect)
    }
}

/// One make of a lane that the pack's record names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LaneView {
    /// Lane number: 0..k are data.
    pub lane: u8,
    /// Which writing of the lane this is.
    pub make: MakeId,
    /// Where it lies.
    pub target: TargetId,
    /// What is known of this make by itself; the state of its target is looked up in the topology.
    pub state: MakeState,
    /// When all of it was last read and found right.
    pub proven: Option<ServiceTime>,
}

/// A pack and every make that its record names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PackView {
    /// Its id.
    pub id: PackId,
    /// Data lanes.
    pub k: u8,
    /// Bytes of its longest lane: what a new make needs at its target.
    pub lane_bytes: u64,
    /// Its makes, in any order; a lane may have several.
    pub lanes: Vec<LaneView>,
    /// Something in it is under a hold: repaired before the rest, never destroyed.
    pub held: bool,
    /// Whether it was ever acknowledged as safe. What falls below safe afterwards is *at risk*, before that it is
    /// merely *received*.
    pub acknowledged: bool,
}

/// One copy of a copied object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CopyView {
    /// Which copy at that target: 0, unless the target holds several.
    pub copy: u8,
    /// Where it lies.
    pub target: TargetId,
    /// What is known of this copy by itself.
    pub state: MakeState,
    /// When all of it was last read and found right.
    pub proven: Option<ServiceTime>,
}

/// A copied object (journal object, snapshot, envelope) and all its copies.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ObjectView {
    /// Its id.
    pub id: ObjectId,
    /// Bytes of one copy.
    pub bytes: u64,
    /// Its copies, in any order.
    pub copies: Vec<CopyView>,
    /// Something in it is under a hold.
    pub held: bool,
    /// Whether it was ever acknowledged as safe.
    pub acknowledged: bool,
}

/// All targets that are known, lost and retired ones included.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Topology {
    targets: BTreeMap<TargetId, TargetView>,
}

impl Topology {
    /// A topology of these targets; a later one replaces an earlier one of the same id.
    pub fn new(targets: impl IntoIterator<Item = TargetView>) -> Self {
        Self { targets: targets.into_iter().map(|target| (target.id, target)).collect() }
    }

    /// The target of that id.
    pub fn target(&self, id: TargetId) -> Option<&TargetView> {
        self.targets.get(&id)
    }

    /// All targets, by id.
    pub fn targets(&self) -> impl Iterator<Item = &TargetView> {
        self.targets.values()
    }

    /// The targets that are up and stay, by id.
    pub fn healthy(&self) -> impl Iterator<Item = &TargetView> {
        self.targets().filter(|target| target.state == TargetState::Up && !target.leaving)
    }

    /// The providers that have a target up which stays: the number that a scheme is chosen by.
    pub fn healthy_providers(&self) -> BTreeSet<ProviderId> {
        self.healthy().map(|target| target.provider).collect()
    }

    /// The providers that can take a new shard of `bytes` now.
    pub fn open_providers(&self, bytes: u64) -> BTreeSet<ProviderId> {
        self.targets().filter(|target| target.takes(bytes)).map(|target| target.provider).collect()
    }

    /// The same world with providers grouped otherwise: `domain` says which one stands for that of a target.
    pub fn grouped(&self, domain: impl Fn(TargetId) -> Option<ProviderId>) -> Self {
        let mut other = self.clone();
        for target in other.targets.values_mut() {
            target.provider = domain(target.id).unwrap_or(target.provider);
        }
        other
    }

    /// The same world after these providers have wiped everything.
    pub fn without(&self, gone: &BTreeSet<ProviderId>) -> Self {
        let mut rest = self.clone();
        for target in rest.targets.values_mut().filter(|target| gone.contains(&target.provider)) {
            target.state = TargetState::Lost;
        }
        rest
    }

    /// Whether nobody is away or leaving: every target is up and stays, or is given up for good.
    pub fn is_whole(&self) -> bool {
        !self.targets().any(|target| target.may_return() || (target.leaving && target.is_ours()))
    }

    /// The world in which what lies at leaving targets can be read, and counts no more: nobody waits for it either.
    pub fn staying(&self) -> Self {
        let mut rest = self.clone();
        for target in rest.targets.values_mut().filter(|target| target.leaving && target.is_ours()) {
            target.away_s = u64::MAX;
            if target.state == TargetState::Up {
                target.state = TargetState::Suspect;
            }
        }
        rest
    }

    /// The world that work which can wait is planned in: nothing new goes where a budget is used up.
    pub fn sparing(&self) -> Self {
        let mut rest = self.clone();
        rest.targets.values_mut().for_each(|target| target.cordoned |= target.spent);
        rest
    }

    /// The providers of which a target's budget is used up.
    pub fn spent_providers(&self) -> BTreeSet<ProviderId> {
        self.targets().filter(|target| target.spent && target.is_ours()).map(|target| target.provider).collect()
    }

    /// The same world after everybody who is away came back.
    pub fn expected(&self) -> Self {
        let mut whole = self.clone();
        for target in whole.targets.values_mut().filter(|target| target.may_return()) {
            target.state = TargetState::Up;
        }
        whole
    }

    /// Only the named targets, as far as they are known.
    pub fn within(&self, targets: &[TargetId]) -> Self {
        Self::new(targets.iter().filter_map(|id| self.targets.get(id)).cloned())
    }

    /// The provider behind a target that is up: where a good make counts.
    pub fn counts_at(&self, target: TargetId) -> Option<ProviderId> {
        self.targets.get(&target).filter(|target| target.state == TargetState::Up).map(|target| target.provider)
    }

    /// The provider behind a target that can be read from.
    pub(crate) fn answers_at(&self, target: TargetId) -> Option<ProviderId> {
        self.targets.get(&target).filter(|target| target.answers()).map(|target| target.provider)
    }

    /// Takes `bytes` off the room of a target, for steps that are planned but not done.
    pub(crate) fn reserve(&mut self, target: TargetId, bytes: u64) {
        if let Some(free) = self.targets.get_mut(&target).and_then(|target| target.free_bytes.as_mut()) {
            *free = free.saturating_sub(bytes);
        }
    }
}
