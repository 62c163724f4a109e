//! What repair would take: how many bytes are read and written, at which firms, and in how many requests.
//!
//! [`mod@crate::repair`] says what to do with some packs now; this says what all of them come to, of millions, before
//! anything is done. So it counts lanes and does not choose targets: the fewest new lanes that bring a pack to settled
//! ([`mod@crate::add`] has the rule), k good ones to make them from, data lanes first, and each new lane read back before
//! a record names it. Room is taken to be enough at every firm that takes shards of that size; a pack that no number of
//! lanes would bring to settled is counted as *stuck*, one of which too few lanes are left as *gone*.
//!
//! Lanes of a pack are taken to be as long as its longest: what comes of it is an upper bound.

use std::collections::{BTreeMap, BTreeSet};

use model::{Scheme, id::ProviderId, pack::MakeState};

use crate::{
    budget::Limits,
    forecast::seconds_at,
    margin::Spread,
    scheme::Aim,
    view::{ObjectView, PackView, Topology},
};

/// Repair works in steps of so many bytes of a lane, and asks each source once for each.
const STEP_BYTES: u64 = 1 << 20;
/// Firms take a long shard in parts; most are taken to ask for about so much.
const PART_BYTES: u64 = 8 << 20;

/// What a firm is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Share {
    /// Bytes that are fetched there: to make lanes from, and to read new ones back.
    pub read_bytes: u64,
    /// Bytes that are sent there and stay.
    pub write_bytes: u64,
    /// Requests of all kinds.
    pub requests: u64,
    /// Of the bytes that are fetched and sent, those that count against limits of bytes a second: copied objects are few and
    /// small, and wait for none.
    pub paced_bytes: u64,
    /// Of those, the ones of packs that are safe: they wait for limits, what is below safe does not.
    pub waiting_bytes: u64,
}

/// How long something takes within limits of bytes a second.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Held {
    /// Seconds.
    pub seconds: u64,
    /// The provider whose budget makes it longer than the limit of all upkeep does.
    pub by: Option<ProviderId>,
}

/// What it takes to settle everything that was added, all of it on one topology.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Effort {
    /// Packs that get new lanes.
    pub packs: u64,
    /// Copied objects that get new copies.
    pub objects: u64,
    /// What cannot be settled on the firms that are left, however long it takes.
    pub stuck: u64,
    /// What too little is left of to make anything from.
    pub gone: u64,
    /// What each provider is asked for. Those of one owner are one, as in the [`Topology`].
    pub shares: BTreeMap<ProviderId, Share>,
    /// The largest shard that each provider takes: looked up once, not in 1,769 targets for each of a million packs.
    open: Option<BTreeMap<ProviderId, u64>>,
}

impl Effort {
    /// Bytes that are fetched, at all providers.
    pub fn read_bytes(&self) -> u64 {
        self.shares.values().map(|share| share.read_bytes).sum()
    }

    /// Bytes that are sent, to all providers.
    pub fn write_bytes(&self) -> u64 {
        self.shares.values().map(|share| share.write_bytes).sum()
    }

    /// How long it takes within limits; `None` if none holds it: there is none, or all of it is below safe. What is below safe
    /// takes its part without waiting, and the rest waits for it too.
    pub fn held(&self, limits: &Limits) -> Option<Held> {
        let sum = |of: fn(&Share) -> u64| self.shares.values().map(of).fold(0, u64::saturating_add);
        let (paced, waiting) = (sum(|share| share.paced_bytes), sum(|share| share.waiting_bytes));
        let all = limits.all.filter(|_| waiting > 0).map(|limit| (seconds_at(paced, limit), None));
        let own = self.shares.iter().filter(|(_, share)| share.waiting_bytes > 0).filter_map(|(provider, share)| {
            Some((seconds_at(share.paced_bytes, *limits.at.get(provider)?), Some(*provider)))
        });
        own.chain(all).max_by_key(|(seconds, by)| (*seconds, by.is_none())).map(|(seconds, by)| Held { seconds, by })
    }

    /// Adds what a pack takes.
    pub fn add_pack(&mut self, pack: &PackView, topology: &Topology) {
        let mut spread = Spread::of_pack(pack, topology);
        if spread.is_settled() {
            return;
        }
        let sources = sources(pack, topology);
        if sources.len() < usize::from(pack.k) {
            self.gone += 1;
            return;
        }
        let open = self.open(topology, pack.lane_bytes);
        let lanes_max = usize::from(Scheme::LANES_MAX).saturating_sub(spread.distinct());
        let Some(count) = fewest(&spread, &open, lanes_max) else {
            self.stuck += 1;
            return;
        };
        self.packs += 1;
        let waits = spread.is_safe();
        for provider in sources {
            self.read(provider, pack.lane_bytes);
            self.pace(provider, pack.lane_bytes, waits);
        }
        // How many each firm may still take.
        let may = |provider: &ProviderId| (*provider, count as i64 - spread.need(*provider, Aim::Settled));
        let mut room: BTreeMap<ProviderId, i64> = open.iter().map(may).collect();
        let absent = (0..Scheme::LANES_MAX).filter(|lane| spread.lanes() >> lane & 1 == 0).take(count);
        for lane in absent.collect::<Vec<_>>() {
            // Evenly in each pack; among equals where least was sent so far.
            let even = |provider: &ProviderId| (spread.at(*provider).count_ones(), self.sent(*provider), *provider);
            let with_room = room.iter().filter(|(_, left)| **left > 0).map(|(provider, _)| *provider);
            let Some(provider) = with_room.min_by_key(even) else { break };
            room.entry(provider).and_modify(|left| *left -= 1);
            spread.add(lane, provider);
            self.write(provider, pack.lane_bytes);
            self.pace(provider, 2 * pack.lane_bytes, waits);
        }
    }

    /// Adds what a copied object takes to be settled, at `copies` providers if there are as many.
    pub fn add_object(&mut self, object: &ObjectView, topology: &Topology, copies: usize) {
        let spread = Spread::of_object(object, topology);
        let held: BTreeSet<_> = spread.held().map(|(provider, _)| provider).collect();
        let open = self.open(topology, object.bytes);
        let possible: BTreeSet<_> = open.union(&held).collect();
        let wanted = copies.min(possible.len());
        if spread.is_settled() && spread.held().count() >= wanted {
            return;
        }
        let readable = object.copies.iter().filter(|copy| copy.state != MakeState::Bad);
        let Some(source) = readable.filter_map(|copy| topology.answers_at(copy.target)).next() else {
            self.gone += 1;
            return;
        };
        let absent: Vec<_> = open.difference(&held).copied().take(wanted.saturating_sub(held.len())).collect();
        if absent.is_empty() {
            // A second copy at the same firm needs a second target there: repair finds out, this does not.
            self.stuck += 1;
            return;
        }
        self.objects += 1;
        self.read(source, object.bytes);
        absent.into_iter().for_each(|provider| self.write(provider, object.bytes));
    }

    /// The providers that take a new shard of so many bytes.
    fn open(&mut self, topology: &Topology, bytes: u64) -> BTreeSet<ProviderId> {
        let largest = self.open.get_or_insert_with(|| {
            let mut largest: BTreeMap<ProviderId, u64> = BTreeMap::new();
            for target in topology.targets().filter(|target| target.takes(0)) {
                let known = largest.entry(target.provider).or_default();
                *known = target.free_bytes.unwrap_or(u64::MAX).max(*known);
            }
            largest
        });
        largest.iter().filter(|(_, free)| **free >= bytes).map(|(provider, _)| *provider).collect()
    }

    fn sent(&self, provider: ProviderId) -> u64 {
        self.shares.get(&provider).map_or(0, |share| share.write_bytes)
    }

    fn read(&mut self, provider: ProviderId, bytes: u64) {
        let share = self.shares.entry(provider).or_default();
        share.read_bytes = share.read_bytes.saturating_add(bytes);
        share.requests += bytes.div_ceil(STEP_BYTES).max(1);
    }

    fn pace(&mut self, provider: ProviderId, bytes: u64, waits: bool) {
        let share = self.shares.entry(provider).or_default();
        share.paced_bytes = share.paced_bytes.saturating_add(bytes);
        share.waiting_bytes = share.waiting_bytes.saturating_add(if waits { bytes } else { 0 });
    }

    /// What is written is read back.
    fn write(&mut self, provider: ProviderId, bytes: u64) {
        let share = self.shares.entry(provider).or_default();
        share.write_bytes = share.write_bytes.saturating_add(bytes);
        share.requests += bytes.div_ceil(PART_BYTES).max(1);
        self.read(provider, bytes);
    }
}

/// Who is read: k distinct lanes that answer, good ones and data lanes first; fewer where there are fewer.
fn sources(pack: &PackView, topology: &Topology) -> Vec<ProviderId> {
    let mut lanes: Vec<_> = (pack.lanes.iter().filter(|lane| lane.state != MakeState::Bad))
        .filter_map(|lane| {
            let good = lane.state == MakeState::Good && topology.counts_at(lane.target).is_some();
            Some((!good, lane.lane, topology.answers_at(lane.target)?))
        })
        .collect();
    lanes.sort_unstable();
    let mut seen = BTreeSet::new();
    lanes.retain(|(_, lane, _)| seen.insert(*lane));
    lanes.into_iter().map(|(_, _, provider)| provider).take(usize::from(pack.k)).collect()
}

/// The fewest new distinct lanes that settle a pack whose lanes lie like this, at providers that are open; at most
/// `lanes_max`. Each provider P may take x(P) ≤ X − need(P) of X (see [`mod@crate::add`]).
fn fewest(spread: &Spread, open: &BTreeSet<ProviderId>, lanes_max: usize) -> Option<usize> {
    let need = |provider| spread.need(provider, Aim::Settled);
    let worst = spread.held().map(|(provider, _)| provider).chain(open.iter().copied()).map(need).max()?.max(1);
    let enough = |count: &i64| open.iter().map(|provider| count - need(*provider)).sum::<i64>() >= *count;
    let count = (worst..=lanes_max as i64).find(enough)?;
    usize::try_from(count).ok()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use model::{
        fleet::TargetState,
        id::{MakeId, ObjectId, PackId, ProviderId, TargetId},
        pack::MakeState,
    };

    use super::{Effort, Held, Share};
    use crate::{
        budget::Limits,
        view::{CopyView, LaneView, ObjectView, PackView, TargetView, Topology},
    };

    const MIB: u64 = 1 << 20;

    /// One target at each of so many providers.
    fn world(providers: u8) -> Topology {
        Topology::new((0..providers).map(|number| TargetView::up(TargetId([number; 16]), ProviderId([number; 16]))))
    }

    /// Lane n at provider n, wrapping around.
    fn pack(k: u8, lanes: u8, providers: u8) -> PackView {
        PackView {
            id: PackId([1; 16]),
            k,
            lane_bytes: 8 * MIB,
            lanes: (0..lanes)
                .map(|lane| LaneView {
                    lane,
                    make: MakeId([lane; 16]),
                    target: TargetId([lane % providers; 16]),
                    state: MakeState::Good,
                    proven: None,
                })
                .collect(),
            held: false,
            acknowledged: true,
        }
    }

    fn effort(pack: &PackView, world: &Topology, gone: &[u8]) -> Effort {
        let gone: BTreeSet<_> = gone.iter().map(|number| ProviderId([*number; 16])).collect();
        let mut effort = Effort::default();
        effort.add_pack(pack, &world.without(&gone));
        effort
    }

    #[test]
    fn a_settled_pack_takes_nothing() {
        assert_eq!(effort(&pack(4, 6, 6), &world(6), &[]), Effort::default());
    }

    #[test]
    fn the_lanes_of_a_firm_are_made_from_k_others_and_read_back() {
        // 4+2 on five firms needs 4+3: two new lanes, of which no firm may hold more than one more than the others.
        let effort = effort(&pack(4, 6, 6), &world(6), &[5]);
        assert_eq!((effort.packs, effort.stuck, effort.gone), (1, 0, 0));
        assert_eq!((effort.write_bytes(), effort.read_bytes()), (2 * 8 * MIB, (4 + 2) * 8 * MIB));
        let written: Vec<_> = effort.shares.values().map(|share| share.write_bytes / MIB).collect();
        assert_eq!(written.iter().filter(|bytes| **bytes == 8).count(), 2, "at two firms: {written:?}");
        assert!(!effort.shares.contains_key(&ProviderId([5; 16])), "nobody asks who is gone");
        let all: u64 = effort.shares.values().map(|share| share.requests).sum();
        assert_eq!(all, 4 * 8 + 2 * (1 + 8));
    }

    #[test]
    fn a_narrow_firm_makes_it_longer_and_what_is_below_safe_waits_for_nobody() {
        let firm = |n: u8| ProviderId([n; 16]);
        let limits = |all, at: &[(u8, u64)]| Limits::new(all, at.iter().map(|(n, limit)| (firm(*n), Some(*limit))));
        // Four lanes are read, two written and read back: 64 MiB. It is safe as it is, so all of it waits.
        let safe = effort(&pack(4, 6, 6), &world(6), &[5]);
        assert_eq!(safe.held(&Limits::default()), None);
        assert_eq!(safe.held(&limits(Some(MIB), &[])), Some(Held { seconds: 64, by: None }));
        let (at, share) =
            safe.shares.iter().max_by_key(|(_, share)| share.write_bytes).expect("somebody is written to");
        assert_eq!((share.paced_bytes, share.waiting_bytes), (share.read_bytes + share.write_bytes, share.paced_bytes));
        let alone = share.paced_bytes / 1_024;
        assert_eq!(safe.held(&limits(Some(MIB), &[(at.0[0], 1_024)])), Some(Held { seconds: alone, by: Some(*at) }));
        assert_eq!(safe.held(&limits(Some(MIB), &[(at.0[0], 64 * MIB)])), Some(Held { seconds: 64, by: None }));
        assert_eq!(safe.held(&limits(None, &[(5, 1)])), None, "nobody asks who is gone");
        // Two firms are gone: it is below safe, and nothing holds it.
        let urgent = effort(&pack(4, 6, 6), &world(6), &[4, 5]);
        assert_eq!((urgent.packs, urgent.held(&limits(Some(1), &[(0, 1)]))), (1, None));
        // What is safe comes behind it.
        let mut both = urgent.clone();
        both.add_pack(&pack(4, 6, 6), &world(6).without(&BTreeSet::from([firm(5)])));
        let moved = both.read_bytes() + both.write_bytes();
        assert_eq!(both.held(&limits(Some(MIB), &[])), Some(Held { seconds: moved / MIB, by: None }));
    }

    #[test]
    fn as_many_lanes_are_counted_as_repair_would_place() {
        struct Zero;
        impl model::world::Entropy for Zero {
            fn fill(&self, bytes: &mut [u8]) {
                bytes.fill(0);
            }
        }
        for providers in 2..=9 {
            for (k, m) in [(4, 2), (4, 4), (4, 6), (5, 4), (7, 3), (10, 4)] {
                let pack = pack(k, k + m, providers);
                for lost in 0..providers.saturating_sub(1) {
                    let gone: BTreeSet<_> = (0..lost).map(|number| ProviderId([number; 16])).collect();
                    let rest = world(providers).without(&gone);
                    let mut effort = Effort::default();
                    effort.add_pack(&pack, &rest);
                    let placed = crate::place_added(&pack, crate::Aim::Settled, &rest, &Zero);
                    let case = format!("{k}+{m} on {providers}, {lost} lost");
                    if effort.gone > 0 {
                        assert!(crate::Spread::of_pack(&pack, &rest).distinct() < usize::from(k), "{case}");
                    } else if let Ok(placed) = placed {
                        assert_eq!(effort.write_bytes(), placed.len() as u64 * 8 * MIB, "{case}: {effort:?}");
                    } else {
                        assert_eq!(effort.stuck, 1, "{case}");
                    }
                }
            }
        }
    }

    #[test]
    fn what_cannot_be_made_again_is_said() {
        let lost = effort(&pack(4, 6, 6), &world(6), &[0, 1, 2]);
        assert_eq!((lost.packs, lost.gone, lost.read_bytes()), (0, 1, 0), "three lanes make no four");
        let alone = effort(&pack(2, 4, 2), &world(2), &[1]);
        assert_eq!((alone.stuck, alone.write_bytes()), (1, 0), "one firm keeps nobody safe");
        let changed = |change: fn(&mut TargetView)| {
            Topology::new(world(6).targets().cloned().map(|mut target| {
                change(&mut target);
                target
            }))
        };
        let cordoned = changed(|target| target.cordoned = true);
        assert_eq!(effort(&pack(4, 6, 6), &cordoned, &[5]).stuck, 1, "nobody takes a lane");
        let full = changed(|target| target.free_bytes = Some(8 * MIB - 1));
        assert_eq!(effort(&pack(4, 6, 6), &full, &[5]).stuck, 1, "nobody has room");
    }

    #[test]
    fn copies_go_to_firms_that_have_none() {
        let object = ObjectView {
            id: ObjectId([1; 16]),
            bytes: 3 * MIB,
            copies: [0, 1, 2]
                .map(|number| CopyView {
                    copy: 0,
                    target: TargetId([number; 16]),
                    state: MakeState::Good,
                    proven: None,
                })
                .to_vec(),
            held: false,
            acknowledged: true,
        };
        let mut effort = Effort::default();
        let mut world = world(5);
        effort.add_object(&object, &world, 3);
        assert_eq!((effort.objects, effort.gone, effort.stuck, effort.shares.len()), (0, 0, 0, 0));
        world = world.without(&BTreeSet::from([ProviderId([0; 16])]));
        let mut effort = Effort::default();
        effort.add_object(&object, &world, 3);
        assert_eq!((effort.objects, effort.read_bytes(), effort.write_bytes()), (1, 6 * MIB, 3 * MIB));
        let new = Share { read_bytes: 3 * MIB, write_bytes: 3 * MIB, requests: 4, ..Share::default() };
        assert_eq!(effort.shares.get(&ProviderId([3; 16])), Some(&new));
        let down = Topology::new(world.targets().cloned().map(|mut target| {
            target.state = TargetState::Down;
            target
        }));
        effort.add_object(&object, &down, 3);
        assert_eq!(effort.gone, 1);
    }
}
