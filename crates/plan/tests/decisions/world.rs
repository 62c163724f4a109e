//! Small worlds: targets by number, packs as they were placed, chance from a seed.

use std::sync::atomic::{AtomicU64, Ordering};

use model::{
    Scheme,
    fleet::TargetState,
    id::{MakeId, ObjectId, PackId, ProviderId, TargetId},
    pack::MakeState,
    units::ServiceTime,
    world::Entropy,
};
use plan::{Aim, CopyView, LaneView, ObjectView, PackView, Placement, TargetView, Topology, Wish};
use proptest::{prelude::ProptestConfig, test_runner::RngSeed};

pub const LANE_BYTES: u64 = 64 << 20;

/// Chance that can be played again. Source: Steele et al., SplitMix64.
pub struct Seed(AtomicU64);

impl Seed {
    pub fn new(seed: u64) -> Self {
        Self(AtomicU64::new(seed))
    }

    pub fn word(&self) -> u64 {
        let mut word = self.0.fetch_add(0x9e37_79b9_7f4a_7c15, Ordering::Relaxed);
        word = (word ^ (word >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        word = (word ^ (word >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        word ^ (word >> 31)
    }

    pub fn below(&self, end: u64) -> u64 {
        self.word() % end
    }
}

impl Entropy for Seed {
    fn fill(&self, bytes: &mut [u8]) {
        for chunk in bytes.chunks_mut(8) {
            chunk.copy_from_slice(&self.word().to_le_bytes()[..chunk.len()]);
        }
    }
}

pub fn cases(count: u32) -> ProptestConfig {
    ProptestConfig { failure_persistence: None, rng_seed: RngSeed::Fixed(1), ..ProptestConfig::with_cases(count) }
}

pub fn id(number: usize) -> [u8; 16] {
    (number as u128 + 1).to_be_bytes()
}

pub fn provider(number: usize) -> ProviderId {
    ProviderId(id(number))
}

pub fn target(number: usize) -> TargetId {
    TargetId(id(number))
}

/// Providers with so many targets each; targets are numbered through.
pub fn targets(counts: &[usize]) -> Vec<TargetView> {
    let owners = counts.iter().enumerate().flat_map(|(owner, count)| std::iter::repeat_n(owner, *count));
    owners.enumerate().map(|(number, owner)| TargetView::up(target(number), provider(owner))).collect()
}

pub fn topology(counts: &[usize]) -> Topology {
    Topology::new(targets(counts))
}

/// The same topology after `change` was applied to these targets.
pub fn changed(topology: &Topology, numbers: &[usize], change: impl Fn(&mut TargetView)) -> Topology {
    Topology::new(topology.targets().cloned().map(|mut view| {
        if numbers.iter().any(|number| view.id == target(*number)) {
            change(&mut view);
        }
        view
    }))
}

pub fn with_state(topology: &Topology, numbers: &[usize], state: TargetState, away_s: u64) -> Topology {
    changed(topology, numbers, |view| (view.state, view.away_s) = (state, away_s))
}

pub fn wish(k: u8, m: u8) -> Wish {
    Wish { scheme: Scheme::new(k, m), aim: Aim::Settled, lane_bytes: LANE_BYTES }
}

pub fn lane(number: u8, at: TargetId) -> LaneView {
    LaneView {
        lane: number,
        make: MakeId([number; 16]),
        target: at,
        state: MakeState::Good,
        proven: Some(ServiceTime(1)),
    }
}

pub fn pack(number: usize, placement: &Placement) -> PackView {
    PackView {
        id: PackId(id(number)),
        k: placement.scheme.k,
        lane_bytes: LANE_BYTES,
        lanes: (0u8..).zip(&placement.lanes).map(|(number, at)| lane(number, *at)).collect(),
        held: false,
        acknowledged: true,
    }
}

/// A pack with these lanes at these targets.
pub fn pack_at(number: usize, k: u8, lanes: &[(u8, usize)]) -> PackView {
    PackView {
        id: PackId(id(number)),
        k,
        lane_bytes: LANE_BYTES,
        lanes: lanes.iter().map(|(number, at)| lane(*number, target(*at))).collect(),
        held: false,
        acknowledged: true,
    }
}

pub fn copy(number: u8, at: TargetId) -> CopyView {
    CopyView { copy: number, target: at, state: MakeState::Good, proven: Some(ServiceTime(1)) }
}

pub fn object(number: usize, copies: &[(u8, usize)]) -> ObjectView {
    ObjectView {
        id: ObjectId(id(number)),
        bytes: 4_096,
        copies: copies.iter().map(|(number, at)| copy(*number, target(*at))).collect(),
        held: false,
        acknowledged: true,
    }
}
