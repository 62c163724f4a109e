//! Where the lanes of a new pack, and the copies of a new copied object, go.
//!
//! Lanes are dealt one by one to the provider that has fewest, so that the largest share is as small as room allows;
//! numbers go round the providers, so that data and parity lanes mix and reads load all of them. Then D({P}) is checked
//! for every provider P, and while it falls short another parity lane is dealt: the wish's m is a lower bound, and what
//! is returned reaches its aim or is an error. Nothing is ever placed on a target that is down, suspect, lost, retired
//! or cordoned.
//!
//! Inside a provider lanes go to different targets as far as there are any. A provider with fewer targets than lanes
//! keeps several on one: the provider is what counts.

use std::collections::BTreeMap;

use model::{
    Scheme,
    id::{ProviderId, TargetId},
    world::Entropy,
};

use crate::{
    chance::Chance,
    error::{Error, Shortage},
    margin::{LANES_COUNTED_MAX, Spread},
    scheme::Aim,
    sets::Sets,
    view::Topology,
    yard::Yards,
};

/// What a new pack should be like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Wish {
    /// k is kept; m is the least number of parity lanes.
    pub scheme: Scheme,
    /// What must hold once all lanes are durable.
    pub aim: Aim,
    /// The most bytes that a lane may get.
    pub lane_bytes: u64,
}

/// Where a new pack's lanes go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Placement {
    /// The wish's k, and m as the topology asks for it.
    pub scheme: Scheme,
    /// The placement set it lies in, by number; `None` where no set would do.
    pub set: Option<u32>,
    /// For each lane its target; `lanes.len() == k + m`.
    pub lanes: Vec<TargetId>,
}

/// One copy to be put.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct CopyPlace {
    /// Which copy at that target: 0, unless it holds others.
    pub copy: u8,
    /// Where to.
    pub target: TargetId,
}

/// Places a new pack: within one of `sets` if they are given and one will do, else anywhere.
///
/// # Errors
/// [`Error::TooFewProviders`] when fewer than two providers take a shard, [`Error::Unplaceable`] when those that do
/// have too little room for any number of lanes up to 32.
pub fn place(wish: &Wish, topology: &Topology, sets: Option<&Sets>, entropy: &dyn Entropy) -> Result<Placement, Error> {
    if let Some(set) = sets.and_then(|sets| sets.choose(topology, wish.lane_bytes, entropy))
        && let Ok(placement) = spread_over(wish, &topology.within(&set.targets), entropy)
    {
        return Ok(Placement { set: Some(set.number), ..placement });
    }
    spread_over(wish, topology, entropy)
}

fn spread_over(wish: &Wish, topology: &Topology, entropy: &dyn Entropy) -> Result<Placement, Error> {
    let Wish { scheme, aim, lane_bytes } = *wish;
    let mut yards = Yards::open(topology, lane_bytes, Chance(entropy));
    let shortage = || Shortage::of(topology, lane_bytes);
    if yards.iter().count() < 2 {
        return Err(Error::TooFewProviders { shortage: shortage() });
    }
    let mut spread = Spread::new(scheme.k, []);
    let mut lanes = Vec::new();
    for lane in 0..Scheme::LANES_MAX {
        if lanes.len() >= usize::from(scheme.k) + usize::from(scheme.m) && spread.reaches(aim) {
            break;
        }
        let Some((provider, target)) = yards.deal(|_| true) else { break };
        spread.add(lane, provider);
        lanes.push(target);
    }
    let parity = lanes.len().checked_sub(usize::from(scheme.k)).filter(|_| spread.reaches(aim));
    match parity {
        Some(m) => Ok(Placement { scheme: Scheme::new(scheme.k, m as u8), set: None, lanes }),
        None => Err(Error::Unplaceable {
            k: scheme.k,
            aim,
            lanes_max: usize::from(Scheme::LANES_MAX),
            bytes: lane_bytes,
            shortage: shortage(),
        }),
    }
}

/// Other targets for one lane of a placement that still reach its aim, best first: when a target fails before
/// anything of the lane counts, the lane may go there instead.
///
/// Empty when none would do; then the pack closes on the lanes it has and gets parity by [`crate::place_added`].
pub fn spares(placement: &Placement, lane: u8, wish: &Wish, topology: &Topology) -> Vec<TargetId> {
    let mut others = Spread::new(wish.scheme.k, []);
    let mut on_target = BTreeMap::<TargetId, usize>::new();
    for (number, target) in (0u8..).zip(&placement.lanes).filter(|(number, _)| *number != lane) {
        *on_target.entry(*target).or_default() += 1;
        if let Some(provider) = topology.counts_at(*target) {
            others.add(number, provider);
        }
    }
    let at: BTreeMap<ProviderId, usize> = others.held().collect();
    let current = placement.lanes.get(usize::from(lane));
    let open = topology.targets().filter(|target| target.takes(wish.lane_bytes) && Some(&target.id) != current);
    let mut spares: Vec<_> = open
        .filter(|target| {
            let mut moved = others.clone();
            moved.add(lane, target.provider);
            moved.reaches(wish.aim)
        })
        .map(|target| {
            let lanes = on_target.get(&target.id).copied().unwrap_or(0);
            let beside = at.get(&target.provider).copied().unwrap_or(0);
            (lanes, beside, u64::MAX - target.free_bytes.unwrap_or(u64::MAX), target.id)
        })
        .collect();
    spares.sort_unstable();
    spares.into_iter().map(|(.., target)| target).collect()
}

/// Places `wanted` copies of a new copied object ([`crate::copies_for`] says how many) at as many providers, and more
/// where fewer providers need them: two at each of two. The first two lie at different providers: once they are
/// durable, the object is safe.
///
/// # Errors
/// [`Error::TooFewProviders`], [`Error::Unplaceable`] as [`place`].
pub fn place_copies(
    wanted: usize,
    bytes: u64,
    topology: &Topology,
    entropy: &dyn Entropy,
) -> Result<Vec<CopyPlace>, Error> {
    let mut yards = Yards::open(topology, bytes, Chance(entropy));
    let shortage = || Shortage::of(topology, bytes);
    if yards.iter().count() < 2 {
        return Err(Error::TooFewProviders { shortage: shortage() });
    }
    let mut spread = Spread::new(1, []);
    let mut places = Vec::<CopyPlace>::new();
    for number in 0..LANES_COUNTED_MAX as u8 {
        if places.len() >= wanted && spread.is_settled() {
            return Ok(places);
        }
        let Some((provider, target)) = yards.deal(|_| true) else { break };
        spread.add(number, provider);
        let copy = places.iter().filter(|place| place.target == target).count() as u8;
        places.push(CopyPlace { copy, target });
    }
    let lanes_max = LANES_COUNTED_MAX;
    Err(Error::Unplaceable { k: 1, aim: Aim::Settled, lanes_max, bytes, shortage: shortage() })
}
