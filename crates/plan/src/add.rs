//! The fewest new makes that bring a pack, or a copied object, back to its aim.
//!
//! Let need(P) = k + 1 − D({P}) (without the 1 for economy). X new distinct lanes of which x(P) go to P raise D({P}) by
//! X − x(P), so x(P) ≤ X − need(P) must hold for every provider, also for one that takes nothing now. The smallest X
//! for which such shares fit into the room that providers have is the fewest: that is tried from 1 up, and the shares
//! are dealt so that counts stay even.
//!
//! Lanes that are lost are made again before parity lanes are added beyond them; data lanes come first, so that reads
//! become plain again. Only when all 32 numbers are in use does a second make of a lane that lies at one provider help,
//! and then it does.

use std::collections::BTreeSet;

use model::{
    Scheme,
    id::{ProviderId, TargetId},
    world::Entropy,
};

use crate::{
    chance::Chance,
    error::{Error, Shortage},
    margin::{LANES_COUNTED_MAX, Spread},
    place::CopyPlace,
    scheme::Aim,
    view::{ObjectView, PackView, Topology},
    yard::Yards,
};

/// A make to be written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct NewLane {
    /// Its lane; may be a parity lane that the pack did not have.
    pub lane: u8,
    /// Where to.
    pub target: TargetId,
}

/// Chooses lanes and targets for the fewest new makes that bring a pack to `aim`; none when it is there already.
///
/// Whether k lanes can still be read is not asked here.
///
/// # Errors
/// [`Error::TooFewProviders`] and [`Error::Unplaceable`], as for a new pack.
pub fn place_added(
    pack: &PackView,
    aim: Aim,
    topology: &Topology,
    entropy: &dyn Entropy,
) -> Result<Vec<NewLane>, Error> {
    let mut spread = Spread::of_pack(pack, topology);
    let mut yards = yards(&spread, topology, pack.lane_bytes, entropy);
    for lane in &pack.lanes {
        yards.note_target(lane.target);
    }
    let places = deal(&spread, &mut yards, aim).ok_or_else(|| cannot(pack.k, aim, pack.lane_bytes, topology))?;
    let mut added = Vec::new();
    for (lane, (provider, target)) in absent_lanes(pack, &spread).into_iter().zip(places) {
        spread.add(lane, provider);
        added.push(NewLane { lane, target });
    }
    while !spread.reaches(aim) {
        let again = second_make(&spread, &mut yards, aim).filter(|_| added.len() < LANES_COUNTED_MAX);
        let (lane, provider, target) = again.ok_or_else(|| cannot(pack.k, aim, pack.lane_bytes, topology))?;
        spread.add(lane, provider);
        added.push(NewLane { lane, target });
    }
    Ok(added)
}

/// Chooses places for the fewest new copies that bring an object to `aim` and to `wanted` providers, or to as many as
/// there are.
///
/// # Errors
/// [`Error::TooFewProviders`] and [`Error::Unplaceable`], as for a new object.
pub fn place_more_copies(
    object: &ObjectView,
    wanted: usize,
    aim: Aim,
    topology: &Topology,
    entropy: &dyn Entropy,
) -> Result<Vec<CopyPlace>, Error> {
    let spread = Spread::of_object(object, topology);
    let mut yards = yards(&spread, topology, object.bytes, entropy);
    for copy in &object.copies {
        yards.note_target(copy.target);
    }
    let mut places = deal(&spread, &mut yards, aim).ok_or_else(|| cannot(1, aim, object.bytes, topology))?;
    let mut providers: BTreeSet<ProviderId> = spread.held().map(|(provider, _)| provider).collect();
    providers.extend(places.iter().map(|(provider, _)| *provider));
    while providers.len() < wanted {
        let Some((provider, target)) = yards.deal(|yard| !providers.contains(&yard.provider)) else { break };
        providers.insert(provider);
        places.push((provider, target));
    }
    let mut taken: BTreeSet<(TargetId, u8)> = object.copies.iter().map(|copy| (copy.target, copy.copy)).collect();
    let mut copies = Vec::new();
    for (_, target) in places {
        if let Some(copy) = (0..=u8::MAX).find(|copy| taken.insert((target, *copy))) {
            copies.push(CopyPlace { copy, target });
        }
    }
    Ok(copies)
}

fn yards<'a>(spread: &Spread, topology: &Topology, bytes: u64, entropy: &'a dyn Entropy) -> Yards<'a> {
    let mut yards = Yards::open(topology, bytes, Chance(entropy));
    for (provider, lanes) in spread.held() {
        yards.note_lanes(provider, lanes);
    }
    yards
}

/// Places for the fewest new distinct lanes that reach `aim`; `None` when no number does.
fn deal(spread: &Spread, yards: &mut Yards<'_>, aim: Aim) -> Option<Vec<(ProviderId, TargetId)>> {
    if spread.reaches(aim) {
        return Some(Vec::new());
    }
    let need = |provider| spread.need(provider, aim);
    let count = fewest(spread, yards.iter().map(|yard| (yard.provider, yard.fits())), aim)?;
    let mut places = Vec::<(ProviderId, TargetId)>::new();
    for _ in 0..count {
        let share = |provider| places.iter().filter(|(at, _)| *at == provider).count() as i64;
        let place = yards.deal(|yard| share(yard.provider) < count - need(yard.provider))?;
        places.push(place);
    }
    Some(places)
}

/// How many new distinct lanes reach `aim` at the least, where so many more fit at each provider; `None` when no number does.
pub(crate) fn fewest(spread: &Spread, open: impl Iterator<Item = (ProviderId, usize)>, aim: Aim) -> Option<i64> {
    let open: Vec<(i64, i64)> = open.map(|(provider, fits)| (spread.need(provider, aim), fits as i64)).collect();
    let held = spread.held().map(|(provider, _)| spread.need(provider, aim));
    let worst = held.chain(open.iter().map(|(need, _)| *need)).max()?;
    let enough = |count: &i64| open.iter().map(|(need, fits)| (count - need).min(*fits)).sum::<i64>() >= *count;
    (worst.max(1)..=LANES_COUNTED_MAX as i64).find(enough)
}

/// The lanes that do not count now: what the pack once had first, then parity lanes beyond.
pub(crate) fn absent_lanes(pack: &PackView, spread: &Spread) -> Vec<u8> {
    let first = (0..pack.k).chain(pack.lanes.iter().map(|known| known.lane));
    let known = first.fold(0u64, |known, lane| known | 1u64.checked_shl(u32::from(lane)).unwrap_or(0));
    let there = spread.lanes();
    let absent = |lane: &u8| there >> lane & 1 == 0;
    let (before, beyond): (Vec<u8>, Vec<u8>) =
        (0..Scheme::LANES_MAX).filter(absent).partition(|lane| known >> lane & 1 == 1);
    [before, beyond].concat()
}

/// A second make, elsewhere, of a lane that only the worst provider holds.
fn second_make(spread: &Spread, yards: &mut Yards<'_>, aim: Aim) -> Option<(u8, ProviderId, TargetId)> {
    let (worst, _) = spread.held().max_by_key(|(provider, _)| spread.need(*provider, aim))?;
    let lane = spread.only_at(worst).checked_ilog2()? as u8;
    let (provider, target) = yards.deal(|yard| yard.provider != worst && spread.at(yard.provider) >> lane & 1 == 0)?;
    Some((lane, provider, target))
}

fn cannot(k: u8, aim: Aim, bytes: u64, topology: &Topology) -> Error {
    let shortage = Shortage::of(topology, bytes);
    if shortage.open < 2 {
        return Error::TooFewProviders { shortage };
    }
    Error::Unplaceable { k, aim, lanes_max: LANES_COUNTED_MAX.min(usize::from(Scheme::LANES_MAX)), bytes, shortage }
}
