//! How a firm that joined gets its share of what is there already.
//!
//! New packs spread over every provider by themselves ([`mod@crate::place`]); old ones stay as they were written until they
//! are *moved*: some lanes are read and written elsewhere, and the makes that they stand in for leave the record in the
//! same commit. Two things are reasons to move:
//!
//! - *A pack is piled up*: written while providers were fewer, it has more lanes at one of them than a pack of its k has
//!   now, and mostly more parity too (4+6 on two providers is 4+2 on six). It gets the shape of a new pack.
//! - *A provider is hungry*: it holds less than [`HUNGRY_PERCENT`] of an even share of all bytes. It gets single lanes from
//!   packs that it has least of, taken from the fullest of their providers, until it is not hungry any more.
//!
//! A move never trades safety for order: the pack must be verified before and after, with no smaller margin, and nobody
//! may be away, since what looks like a better place now may be none when they return.

use std::collections::{BTreeMap, BTreeSet};

use model::{
    Scheme,
    id::{MakeId, PackId, ProviderId},
    pack::MakeState,
    units::ServiceTime,
    world::Entropy,
};

use crate::{
    add::NewLane,
    chance::Chance,
    margin::{Ladder, Spread, pack_state},
    scheme::{Aim, PROVIDERS_PER_PACK_MAX, parity_for},
    view::{LaneView, PackView, Topology},
    yard::Yards,
};

/// A provider with less than so many percent of an even share is filled up to there: small differences are not worth the
/// requests and the bytes out that firms are paid for.
pub const HUNGRY_PERCENT: u64 = 80;

/// A provider that lacks fewer lanes of a pack than so many gets none of it: a service with little in it is uneven by
/// nature.
const LANES_LACKED_MIN: u64 = 2;

/// What one plan may move.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FillPolicy {
    /// What new packs are written as: a pack with the same k gets as much parity.
    pub wish: Scheme,
    /// The most bytes that one plan writes; the first move is always planned.
    pub bytes_max: u64,
}

/// A pack that is moved.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Move {
    /// The pack.
    pub pack: PackId,
    /// Makes to write.
    pub write: Vec<NewLane>,
    /// Makes to take off the record once those are written and read back.
    pub drop: Vec<MakeId>,
    /// Bytes that are written.
    pub bytes: u64,
}

/// Bytes of shards at each provider: what "an even share" is measured by.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Stored(BTreeMap<ProviderId, u64>);

impl Stored {
    /// So many bytes at each of them.
    pub fn new(bytes: impl IntoIterator<Item = (ProviderId, u64)>) -> Self {
        let mut stored = Self::default();
        for (provider, bytes) in bytes {
            *stored.0.entry(provider).or_default() += bytes;
        }
        stored
    }

    /// Bytes at one of them.
    pub fn at(&self, provider: ProviderId) -> u64 {
        self.0.get(&provider).copied().unwrap_or(0)
    }

    /// Notes a move as done.
    pub fn moved(&mut self, pack: &PackView, topology: &Topology, step: &Move) {
        let dropped = pack.lanes.iter().filter(|lane| step.drop.contains(&lane.make));
        for provider in dropped.filter_map(|lane| topology.counts_at(lane.target)) {
            let held = self.0.entry(provider).or_default();
            *held = held.saturating_sub(pack.lane_bytes);
        }
        for provider in step.write.iter().filter_map(|new| topology.counts_at(new.target)) {
            *self.0.entry(provider).or_default() += pack.lane_bytes;
        }
    }

    /// An even share of all bytes among those that are up and take shards.
    fn even_share(&self, topology: &Topology) -> u64 {
        let open = topology.open_providers(0);
        let all: u64 = open.iter().fold(0, |sum, provider| sum.saturating_add(self.at(*provider)));
        all / (open.len() as u64).max(1)
    }

    /// The providers that are filled, emptiest first, with the bytes that each lacks.
    pub fn hungry(&self, topology: &Topology) -> Vec<(ProviderId, u64)> {
        let line = u128::from(self.even_share(topology)) * u128::from(HUNGRY_PERCENT) / 100;
        let line = u64::try_from(line).unwrap_or(u64::MAX);
        let open = topology.open_providers(0).into_iter();
        let mut hungry: Vec<_> = open
            .map(|provider| (provider, line.saturating_sub(self.at(provider))))
            .filter(|(_, lacks)| *lacks > 0)
            .collect();
        hungry.sort_by_key(|(provider, lacks)| (std::cmp::Reverse(*lacks), *provider));
        hungry
    }
}

/// Plans the moves that some of `packs` are due, and notes them in `stored`. None while anybody is away.
pub fn fill(
    packs: &[PackView],
    topology: &Topology,
    stored: &mut Stored,
    policy: &FillPolicy,
    entropy: &dyn Entropy,
) -> Vec<Move> {
    let mut moves = Vec::new();
    if !topology.is_whole() {
        return moves;
    }
    let mut room = topology.sparing();
    let mut bytes = 0u64;
    let mut hungry = stored.hungry(&room);
    for pack in packs {
        if bytes >= policy.bytes_max && !moves.is_empty() {
            break;
        }
        let step = unpile(pack, &room, policy.wish, entropy).or_else(|| feed(pack, &room, stored, &hungry, entropy));
        let Some(step) = step.filter(|step| is_no_worse(pack, step, topology)) else { continue };
        for new in &step.write {
            room.reserve(new.target, pack.lane_bytes);
        }
        bytes = bytes.saturating_add(step.bytes);
        stored.moved(pack, topology, &step);
        hungry = stored.hungry(&room);
        moves.push(step);
    }
    moves
}

/// The lanes that count, one make of each, and who holds how many.
fn counting(pack: &PackView, topology: &Topology) -> (Vec<(LaneView, ProviderId)>, BTreeMap<ProviderId, usize>) {
    let mut lanes: Vec<(LaneView, ProviderId)> = pack
        .lanes
        .iter()
        .filter(|lane| lane.state == MakeState::Good)
        .filter_map(|lane| Some((*lane, topology.counts_at(lane.target)?)))
        .collect();
    lanes.sort_by_key(|(lane, _)| (lane.lane, lane.make));
    lanes.dedup_by_key(|(lane, _)| lane.lane);
    let mut held = BTreeMap::new();
    lanes.iter().for_each(|(_, provider)| *held.entry(*provider).or_default() += 1);
    (lanes, held)
}

/// The shape of a new pack for one that is piled up.
fn unpile(pack: &PackView, topology: &Topology, wish: Scheme, entropy: &dyn Entropy) -> Option<Move> {
    let (lanes, held) = counting(pack, topology);
    if held.values().all(|lanes| *lanes <= 1) {
        // The usual case: nothing can be more even, however many providers there are.
        return None;
    }
    let mut providers: BTreeSet<ProviderId> = topology.open_providers(pack.lane_bytes);
    providers.extend(held.keys());
    let width = providers.len().min(PROVIDERS_PER_PACK_MAX);
    let least = parity_for(pack.k, width, Aim::Settled).ok()?;
    let wanted = usize::from(pack.k) + usize::from(if wish.k == pack.k { least.max(wish.m) } else { least });
    let share = wanted.div_ceil(width);
    if held.values().all(|lanes| *lanes <= share) {
        return None;
    }
    // Data lanes come first in `lanes`: they stay as far as there is a share for them. Parity stays in what is left when
    // every data lane has its place.
    let mut kept_at = BTreeMap::<ProviderId, usize>::new();
    let mut kept: Vec<LaneView> = Vec::new();
    let mut parity_left = wanted - usize::from(pack.k);
    for (lane, provider) in &lanes {
        let at = kept_at.entry(*provider).or_default();
        let is_parity = lane.lane >= pack.k;
        if *at == share || (is_parity && parity_left == 0) {
            continue;
        }
        *at += 1;
        parity_left -= usize::from(is_parity);
        kept.push(*lane);
    }
    let keeps = |lane: u8| kept.iter().any(|kept| kept.lane == lane);
    let known = |lane: u8| lanes.iter().any(|(known, _)| known.lane == lane);
    // What can be copied before what must be made.
    let mut missing: Vec<u8> = (0..Scheme::LANES_MAX).filter(|lane| !keeps(*lane)).collect();
    missing.sort_by_key(|lane| (*lane >= pack.k, !known(*lane), *lane));
    missing.truncate(wanted - kept.len());
    let mut yards = Yards::open(topology, pack.lane_bytes, Chance(entropy));
    kept_at.iter().for_each(|(provider, lanes)| yards.note_lanes(*provider, *lanes));
    pack.lanes.iter().for_each(|lane| yards.note_target(lane.target));
    let mut write = Vec::with_capacity(missing.len());
    for lane in missing {
        let (_, target) = yards.deal(|yard| yard.lanes < share)?;
        write.push(NewLane { lane, target });
    }
    let stays: BTreeSet<MakeId> = kept.iter().map(|lane| lane.make).collect();
    let drop = pack.lanes.iter().map(|lane| lane.make).filter(|make| !stays.contains(make)).collect();
    let bytes = pack.lane_bytes.saturating_mul(write.len() as u64);
    Some(Move { pack: pack.id, write, drop, bytes })
}

/// One lane for the emptiest hungry provider that has fewer of this pack than the fullest of its holders.
fn feed(
    pack: &PackView,
    topology: &Topology,
    stored: &Stored,
    hungry: &[(ProviderId, u64)],
    entropy: &dyn Entropy,
) -> Option<Move> {
    let starved = |(_, lacks): &&(ProviderId, u64)| *lacks > pack.lane_bytes.saturating_mul(LANES_LACKED_MIN);
    let mut starving = hungry.iter().filter(starved).map(|(provider, _)| *provider).peekable();
    starving.peek()?;
    let (lanes, held) = counting(pack, topology);
    let share = stored.even_share(topology);
    let spent = topology.spent_providers();
    for hungry in starving {
        let has = held.get(&hungry).copied().unwrap_or(0);
        let full = |provider: &ProviderId| {
            let better = stored.at(*provider).saturating_sub(pack.lane_bytes) >= stored.at(hungry) + pack.lane_bytes;
            *provider != hungry && stored.at(*provider) > share && better && !spent.contains(provider)
        };
        let givers = held.iter().filter(|(provider, lanes)| **lanes > has && full(provider));
        let giver = givers.max_by_key(|(provider, lanes)| (**lanes, stored.at(**provider), **provider));
        let Some((giver, _)) = giver else { continue };
        // Parity before data: a plain read touches data lanes only, and those stay where readers know them.
        let Some((lane, _)) = lanes.iter().rev().find(|(_, provider)| provider == giver) else { continue };
        let mut yards = Yards::open(topology, pack.lane_bytes, Chance(entropy));
        pack.lanes.iter().for_each(|lane| yards.note_target(lane.target));
        let Some((_, target)) = yards.deal(|yard| yard.provider == hungry) else { continue };
        let write = vec![NewLane { lane: lane.lane, target }];
        let drop = pack.lanes.iter().filter(|other| other.lane == lane.lane).map(|other| other.make).collect();
        return Some(Move { pack: pack.id, write, drop, bytes: pack.lane_bytes });
    }
    None
}

/// Whether the pack is verified before and after, with no smaller margin.
fn is_no_worse(pack: &PackView, step: &Move, topology: &Topology) -> bool {
    let mut after = pack.clone();
    after.lanes.retain(|lane| !step.drop.contains(&lane.make));
    after.lanes.extend(step.write.iter().map(|new| LaneView {
        lane: new.lane,
        make: MakeId::default(),
        target: new.target,
        state: MakeState::Good,
        // Written lanes are read back before the record names them.
        proven: Some(ServiceTime(u64::MAX)),
    }));
    let margin = |pack: &PackView| Spread::of_pack(pack, topology).margin();
    let verified = |pack: &PackView| pack_state(pack, topology) == Ladder::Verified;
    !pack.held && verified(pack) && verified(&after) && margin(&after) >= margin(pack)
}
