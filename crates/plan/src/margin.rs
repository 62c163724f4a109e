//! How many providers a pack can lose: D(S), safe, settled, margin and the ladder that people are shown.
//!
//! A [`Spread`] says which lanes count at which providers: a lane counts where a record names a make, nothing found
//! since speaks against it, and its target is up. Lanes are counted *distinct*: three makes of one lane are one lane,
//! but where they lie at different providers they make each other dispensable. D(S) is the number of distinct lanes
//! outside S.
//!
//! The margin is the least number of providers whose loss leaves fewer than k lanes, less one. While every lane lies at
//! one provider, that is the providers with most lanes first. Duplicates (a target that came back after repair, a lane
//! on its way to another provider) turn it into a hitting problem that greed gets wrong, so it is searched exactly,
//! with a bound that is tight when there are no duplicates: the common case takes one step for each provider lost.

use std::collections::{BTreeMap, BTreeSet};

use model::{id::ProviderId, pack::MakeState, units::ServiceTime};

use crate::{
    scheme::Aim,
    view::{ObjectView, PackView, Topology},
};

/// Lanes (or copies) beyond this number are not counted: D may be understated then, never overstated. Packs have 32.
pub const LANES_COUNTED_MAX: usize = 64;

/// Providers of one pack beyond this number are not counted, with the same effect.
const PROVIDERS_COUNTED_MAX: usize = 128;

/// How firmly something is kept, worst first: the state of a file is the least of its bytes' and its records'.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Ladder {
    /// Fewer than k lanes can be read now.
    Unreadable,
    /// Was acknowledged once, and now one provider's loss may be the end of it.
    AtRisk,
    /// Arrived, but not acknowledged yet.
    Received,
    /// Any one provider may go.
    Safe,
    /// Any one provider, and then any one shard.
    Settled,
    /// Settled, and all of it read back since the last change.
    Verified,
}

/// Which distinct lanes count at which providers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Spread {
    k: usize,
    /// One bit for each lane that counts there; only providers with at least one.
    held: BTreeMap<ProviderId, u64>,
}

impl Spread {
    /// What counts of a pack now.
    pub fn of_pack(pack: &PackView, topology: &Topology) -> Self {
        Self::of_makes(pack, topology, |state| state == MakeState::Good)
    }

    /// What counts of a copied object now: k = 1, each copy a lane of its own.
    pub fn of_object(object: &ObjectView, topology: &Topology) -> Self {
        Self::of_copies(object, topology, |state| state == MakeState::Good)
    }

    /// What counts of a pack's makes in such a state.
    pub(crate) fn of_makes(pack: &PackView, topology: &Topology, counts: impl Fn(MakeState) -> bool) -> Self {
        let lanes = pack.lanes.iter().filter(|lane| counts(lane.state));
        Self::new(pack.k, lanes.filter_map(|lane| Some((lane.lane, topology.counts_at(lane.target)?))))
    }

    /// What counts of an object's copies in such a state.
    pub(crate) fn of_copies(object: &ObjectView, topology: &Topology, counts: impl Fn(MakeState) -> bool) -> Self {
        let copies = object.copies.iter().filter(|copy| counts(copy.state));
        Self::new(1, (0u8..=u8::MAX).zip(copies.filter_map(|copy| topology.counts_at(copy.target))))
    }

    /// A spread of these lanes at these providers.
    pub fn new(k: u8, lanes: impl IntoIterator<Item = (u8, ProviderId)>) -> Self {
        let mut spread = Self { k: usize::from(k.max(1)), held: BTreeMap::new() };
        for (lane, provider) in lanes {
            spread.add(lane, provider);
        }
        spread
    }

    /// Counts one lane more.
    pub(crate) fn add(&mut self, lane: u8, provider: ProviderId) {
        let counted = self.held.len() < PROVIDERS_COUNTED_MAX || self.held.contains_key(&provider);
        if usize::from(lane) < LANES_COUNTED_MAX && counted {
            *self.held.entry(provider).or_default() |= 1 << lane;
        }
    }

    /// Lanes that D({P}) lacks for `aim`; below 0 when it has more than enough.
    pub(crate) fn need(&self, provider: ProviderId, aim: Aim) -> i64 {
        let left = self.distinct() - self.only_at(provider).count_ones() as usize;
        (self.k + aim.spare_lanes()) as i64 - left as i64
    }

    /// The providers that hold lanes that count, and how many distinct ones.
    pub fn held(&self) -> impl Iterator<Item = (ProviderId, usize)> + '_ {
        self.held.iter().map(|(provider, lanes)| (*provider, lanes.count_ones() as usize))
    }

    /// The distinct lanes that count, as bits.
    pub(crate) fn lanes(&self) -> u64 {
        self.held.values().fold(0, |all, lanes| all | lanes)
    }

    /// The lanes that count at this provider and nowhere else, as bits.
    pub(crate) fn only_at(&self, provider: ProviderId) -> u64 {
        let elsewhere =
            self.held.iter().filter(|(other, _)| **other != provider).fold(0, |all, (_, lanes)| all | lanes);
        self.held.get(&provider).map_or(0, |lanes| lanes & !elsewhere)
    }

    /// The lanes that count at this provider, as bits.
    pub(crate) fn at(&self, provider: ProviderId) -> u64 {
        self.held.get(&provider).copied().unwrap_or(0)
    }

    /// What is left of it after a provider has wiped everything.
    pub(crate) fn without_one(&self, provider: ProviderId) -> Self {
        let mut rest = self.clone();
        rest.held.remove(&provider);
        rest
    }

    /// Lanes that it lacks to be settled, wherever they may be put; 0 when it is.
    pub fn lacks(&self) -> u64 {
        (self.k + Aim::Settled.spare_lanes()).saturating_sub(self.least()) as u64
    }

    /// D(∅): distinct lanes that count.
    pub fn distinct(&self) -> usize {
        self.lanes().count_ones() as usize
    }

    /// D(S): distinct lanes that count outside the providers `gone`.
    pub fn distinct_outside(&self, gone: &BTreeSet<ProviderId>) -> usize {
        let outside = self.held.iter().filter(|(provider, _)| !gone.contains(provider));
        outside.fold(0u64, |all, (_, lanes)| all | lanes).count_ones() as usize
    }

    /// What is left once the providers `gone` have wiped everything.
    pub fn without(&self, gone: &BTreeSet<ProviderId>) -> Self {
        let rest = self.held.iter().filter(|(provider, _)| !gone.contains(provider));
        Self { k: self.k, held: rest.map(|(provider, lanes)| (*provider, *lanes)).collect() }
    }

    /// D({P}) for the provider P whose loss costs most; 0 when nothing counts.
    pub fn least(&self) -> usize {
        let (mut once, mut twice) = (0u64, 0u64);
        for lanes in self.held.values() {
            twice |= once & lanes;
            once |= lanes;
        }
        let distinct = self.distinct();
        let worst = self.held.values().map(|lanes| (lanes & !twice).count_ones() as usize).max();
        distinct - worst.unwrap_or(0)
    }

    /// Whether D({P}) ≥ k (safe) or ≥ k + 1 (settled) for every provider P.
    pub fn reaches(&self, aim: Aim) -> bool {
        self.least() >= self.k + aim.spare_lanes()
    }

    /// Any one provider may go.
    pub fn is_safe(&self) -> bool {
        self.reaches(Aim::Safe)
    }

    /// Any one provider may go, and then any one shard.
    pub fn is_settled(&self) -> bool {
        self.reaches(Aim::Settled)
    }

    /// The largest c with D(S) ≥ k for every S of c providers; `None` when even D(∅) < k.
    pub fn margin(&self) -> Option<usize> {
        let distinct = self.distinct();
        let spare = distinct.checked_sub(self.k)?;
        if self.held.values().map(|lanes| lanes.count_ones() as usize).sum::<usize>() == distinct {
            return Some(self.margin_without_duplicates(spare));
        }
        let lanes = self.providers_of_lanes();
        // Losing one lane more than can be spared is the end, and losing every provider certainly is.
        let fatal = (1..self.held.len()).find(|gone| can_lose(&lanes, *gone, spare + 1));
        Some(fatal.unwrap_or(self.held.len()) - 1)
    }

    /// The margin while every lane lies at one provider: those with most lanes are lost first.
    fn margin_without_duplicates(&self, spare: usize) -> usize {
        let mut counts: Vec<usize> = self.held.values().map(|lanes| lanes.count_ones() as usize).collect();
        counts.sort_unstable_by(|a, b| b.cmp(a));
        let lost = counts.iter().scan(0, |lost, count| {
            *lost += count;
            Some(*lost)
        });
        lost.take_while(|lost| *lost <= spare).count().min(self.held.len().saturating_sub(1))
    }

    /// For each distinct lane the providers that hold it, as bits.
    fn providers_of_lanes(&self) -> Vec<u128> {
        let mut lanes = vec![0u128; LANES_COUNTED_MAX];
        for (index, held) in self.held.values().enumerate() {
            for (lane, providers) in lanes.iter_mut().enumerate() {
                *providers |= u128::from(held >> lane & 1) << index;
            }
        }
        lanes.retain(|providers| *providers != 0);
        lanes
    }
}

/// Whether some `gone` providers are all the providers of at least `wanted` of these lanes.
///
/// Branch and bound over the providers. Bound: give every lane one point, shared among the providers that hold it; a
/// lost lane has all of its providers among the chosen, so no choice loses more lanes than its providers have points.
/// With one provider for each lane the bound is exact and the search never turns back.
fn can_lose(lanes: &[u128], gone: usize, wanted: usize) -> bool {
    /// One point, finely divisible; shares are rounded up, which keeps the bound a bound.
    const POINT: u64 = 1 << 32;

    let lost = lanes.iter().filter(|providers| **providers == 0).count();
    if lost >= wanted {
        return true;
    }
    if gone == 0 {
        return false;
    }
    let mut points = [0u64; PROVIDERS_COUNTED_MAX];
    for providers in lanes {
        let share = POINT.div_ceil(u64::from(providers.count_ones().max(1)));
        let mut rest = *providers;
        while rest != 0 {
            points[rest.trailing_zeros() as usize] += share;
            rest &= rest - 1;
        }
    }
    let mut most: Vec<(u64, usize)> = points.iter().copied().zip(0..).filter(|(points, _)| *points > 0).collect();
    most.sort_unstable_by(|a, b| b.cmp(a));
    let bound: u64 = most.iter().take(gone).map(|(points, _)| points).sum();
    if lost + ((bound / POINT) as usize) < wanted {
        return false;
    }
    let Some((_, first)) = most.first() else { return false };
    let provider = 1u128 << first;
    let with: Vec<u128> = lanes.iter().map(|providers| providers & !provider).collect();
    if can_lose(&with, gone - 1, wanted) {
        return true;
    }
    let without: Vec<u128> = lanes.iter().copied().filter(|providers| providers & provider == 0).collect();
    can_lose(&without, gone, wanted)
}

/// Where a pack stands on the ladder. Together with its records: the lesser of the two.
pub fn pack_state(pack: &PackView, topology: &Topology) -> Ladder {
    let spread = Spread::of_pack(pack, topology);
    let answering = pack.lanes.iter().filter(|lane| lane.state != MakeState::Bad && answers(topology, lane.target));
    let readable = answering.map(|lane| lane.lane).collect::<BTreeSet<_>>().len();
    step(&spread, readable, pack_proven(pack, topology).is_some(), pack.acknowledged)
}

/// Where a copied object stands on the ladder.
pub fn object_state(object: &ObjectView, topology: &Topology) -> Ladder {
    let spread = Spread::of_object(object, topology);
    let answering = object.copies.iter().filter(|copy| copy.state != MakeState::Bad && answers(topology, copy.target));
    step(&spread, answering.count(), object_proven(object, topology).is_some(), object.acknowledged)
}

/// Where a file stands: the least of its packs and of the objects that hold its records.
pub fn file_state(parts: impl IntoIterator<Item = Ladder>) -> Option<Ladder> {
    parts.into_iter().min()
}

/// When the oldest read among the makes that count was; `None` while one of them was never read back.
pub fn pack_proven(pack: &PackView, topology: &Topology) -> Option<ServiceTime> {
    let good = pack.lanes.iter().filter(|lane| lane.state == MakeState::Good);
    oldest(good.filter(|lane| topology.counts_at(lane.target).is_some()).map(|lane| lane.proven))
}

/// The same for a copied object.
pub fn object_proven(object: &ObjectView, topology: &Topology) -> Option<ServiceTime> {
    let good = object.copies.iter().filter(|copy| copy.state == MakeState::Good);
    oldest(good.filter(|copy| topology.counts_at(copy.target).is_some()).map(|copy| copy.proven))
}

fn oldest(proofs: impl Iterator<Item = Option<ServiceTime>>) -> Option<ServiceTime> {
    proofs.min().flatten()
}

fn answers(topology: &Topology, target: model::id::TargetId) -> bool {
    topology.target(target).is_some_and(crate::view::TargetView::answers)
}

/// The step of the ladder that follows from what counts, how many lanes can be read at all, whether what counts was
/// read back, and whether it was ever acknowledged.
pub(crate) fn step(spread: &Spread, readable: usize, proven: bool, acknowledged: bool) -> Ladder {
    if spread.is_settled() {
        if proven { Ladder::Verified } else { Ladder::Settled }
    } else if spread.is_safe() {
        Ladder::Safe
    } else if readable < spread.k {
        Ladder::Unreadable
    } else if acknowledged {
        Ladder::AtRisk
    } else {
        Ladder::Received
    }
}

#[cfg(test)]
#[path = "margin_tests.rs"]
mod tests;
