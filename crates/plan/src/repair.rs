//! What is made again, from what, where, and in which order.
//!
//! *When.* At once below safe. While a pack is safe but not settled, it waits only for what waiting can bring back:
//! lanes on targets that have been away for less than `down_wait_s`, and makes that are suspect, which
//! [`mod@crate::scrub`] reads first of all. A lost target, a make that was read and found bad, or a target away for
//! longer brings nothing back, so repair starts as soon as the pack would not be settled with all that may still
//! return.
//!
//! *Order.* Least margin first; then what is held; then what has fewest lanes left; then the smallest, so that most
//! packs are safe again soonest. Copied objects (names and keys) stand in the same line as packs.
//!
//! *From what.* k lanes, data lanes before parity, from the targets that this plan asks least. Makes that are suspect,
//! or lie on suspect targets, are asked only when there are fewer than k others: every byte is checked against its hash
//! list, so an old make costs a read, never a wrong byte.
//!
//! A plan is a value with findings: what waits, what cannot be repaired and why, is said, not dropped.

use std::collections::BTreeMap;

use model::{
    fleet::TargetState,
    id::{MakeId, ObjectId, PackId, TargetId},
    pack::MakeState,
    units::HASH_BLOCK_BYTES,
    world::Entropy,
};

use crate::{
    add::{NewLane, place_added, place_more_copies},
    error::Error,
    margin::{Ladder, Spread, object_state, pack_state},
    place::CopyPlace,
    scheme::Aim,
    view::{CopyView, LaneView, ObjectView, PackView, Topology},
};

/// How far and how fast repair goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RepairPolicy {
    /// What packs are brought back to.
    pub aim: Aim,
    /// How many providers copied objects are brought back to: [`crate::copies_for`].
    pub copies: usize,
    /// How long a target may be away before what is safe without it is repaired.
    pub down_wait_s: u64,
    /// The most bytes, read and written together, in one plan; the first step is always planned.
    pub bytes_max: u64,
    /// The most steps in one plan.
    pub steps_max: usize,
}

/// Where a lane or copy can be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Source {
    /// Lane number; for copied objects the number of the copy at its target.
    pub lane: u8,
    /// Which make; all zero for copied objects.
    pub make: MakeId,
    /// Where it lies.
    pub target: TargetId,
}

/// One thing to repair, whole: all of its new makes come from one read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RepairStep {
    /// Makes lanes of a pack again, or adds parity lanes.
    Pack {
        /// The pack.
        pack: PackId,
        /// What to read: k distinct lanes, or just the wanted lanes where a good make of each is at hand.
        read: Vec<Source>,
        /// What to read instead when one of those fails, best first.
        instead: Vec<Source>,
        /// The makes to write.
        write: Vec<NewLane>,
    },
    /// Puts more copies of a copied object.
    Object {
        /// The object.
        object: ObjectId,
        /// Where it can be read, best first; one is enough.
        read: Vec<Source>,
        /// The copies to put.
        write: Vec<CopyPlace>,
    },
}

/// A pack or a copied object.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Subject {
    /// A pack.
    Pack(PackId),
    /// A copied object.
    Object(ObjectId),
}

/// A plan, and what it leaves out.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct Repair {
    /// What to do, in this order.
    pub steps: Vec<RepairStep>,
    /// Bytes that the steps read and write.
    pub bytes: u64,
    /// What needs repair too, but did not fit into this plan's budget.
    pub deferred: usize,
    /// Safe, unsettled, and waiting for targets to come back.
    pub waiting: Vec<Subject>,
    /// Too few lanes answer: nothing can be made from them now.
    pub unreadable: Vec<Subject>,
    /// Could be read, but new makes have no place; with the reason and what to do. Where a step still brings it to
    /// safe, that step is planned too.
    pub stuck: Vec<(Subject, Error)>,
}

/// Least margin, then held, then fewest lanes left, then smallest; ids make it one order.
type Urgency = (usize, bool, usize, u64, Subject);

enum Task<'a> {
    Pack(&'a PackView),
    Object(&'a ObjectView),
}

/// Plans the repair of whatever in `packs` and `objects` needs it now.
pub fn repair(
    packs: &[PackView],
    objects: &[ObjectView],
    topology: &Topology,
    policy: &RepairPolicy,
    entropy: &dyn Entropy,
) -> Repair {
    let mut repair = Repair::default();
    let hopeful = hopeful(topology, policy);
    let mut tasks = Vec::new();
    for pack in packs {
        let now = Spread::of_pack(pack, topology);
        if now.reaches(policy.aim) {
            continue;
        }
        let then = || Spread::of_makes(pack, &hopeful, |state| state != MakeState::Bad);
        // Where k lanes count, k can be read.
        let unreadable =
            now.distinct() < usize::from(pack.k.max(1)) && pack_state(pack, topology) == Ladder::Unreadable;
        let subject = Subject::Pack(pack.id);
        if repair.is_due(subject, unreadable, now.is_safe() && then().reaches(policy.aim)) {
            let bytes = pack.lane_bytes.saturating_mul(u64::from(pack.k));
            tasks.push((urgency(&now, pack.held, bytes, subject), Task::Pack(pack)));
        }
    }
    for object in objects {
        let now = Spread::of_object(object, topology);
        if now.is_settled() && now.held().count() >= policy.copies {
            continue;
        }
        let mut possible = topology.open_providers(object.bytes);
        possible.extend(now.held().map(|(provider, _)| provider));
        let wanted = policy.copies.min(possible.len());
        let enough = |spread: &Spread| spread.is_settled() && spread.held().count() >= wanted;
        if enough(&now) {
            continue;
        }
        let then = Spread::of_copies(object, &hopeful, |state| state != MakeState::Bad);
        let unreadable = object_state(object, topology) == Ladder::Unreadable;
        let subject = Subject::Object(object.id);
        if repair.is_due(subject, unreadable, now.is_safe() && enough(&then)) {
            tasks.push((urgency(&now, object.held, object.bytes, subject), Task::Object(object)));
        }
    }
    tasks.sort_by_key(|(urgency, _)| *urgency);
    let mut planner = Planner { room: topology.clone(), asked: BTreeMap::new(), policy, entropy };
    for (_, task) in tasks {
        if repair.steps.len() >= policy.steps_max || (!repair.steps.is_empty() && repair.bytes >= policy.bytes_max) {
            repair.deferred += 1;
            continue;
        }
        match task {
            Task::Pack(pack) => planner.pack(pack, &mut repair),
            Task::Object(object) => planner.object(object, &mut repair),
        }
    }
    repair
}

/// The world in which everything came back that may still come back in time.
fn hopeful(topology: &Topology, policy: &RepairPolicy) -> Topology {
    Topology::new(topology.targets().cloned().map(|mut target| {
        let away = matches!(target.state, TargetState::Down | TargetState::Suspect);
        if away && target.away_s < policy.down_wait_s {
            target.state = TargetState::Up;
        }
        target
    }))
}

fn urgency(now: &Spread, held: bool, bytes: u64, subject: Subject) -> Urgency {
    // A block more or less is no difference: an age file's length is drawn by age, and may not decide the order.
    (now.margin().unwrap_or(0), !held, now.distinct(), bytes / HASH_BLOCK_BYTES as u64, subject)
}

impl Repair {
    /// Whether what is below its aim is repaired now; if not, it is noted where it belongs.
    fn is_due(&mut self, subject: Subject, unreadable: bool, may_wait: bool) -> bool {
        if unreadable {
            self.unreadable.push(subject);
        } else if may_wait {
            self.waiting.push(subject);
        }
        !unreadable && !may_wait
    }
}

struct Planner<'a> {
    /// The topology with the room that is already spoken for.
    room: Topology,
    /// Bytes that the plan reads from each target.
    asked: BTreeMap<TargetId, u64>,
    policy: &'a RepairPolicy,
    entropy: &'a dyn Entropy,
}

impl Planner<'_> {
    fn pack(&mut self, pack: &PackView, repair: &mut Repair) {
        let subject = Subject::Pack(pack.id);
        let attempt = |aim| place_added(pack, aim, &self.room, self.entropy);
        let write = match attempt(self.policy.aim) {
            Ok(write) => write,
            Err(error) => {
                repair.stuck.push((subject, error));
                attempt(Aim::Safe).unwrap_or_default()
            }
        };
        if write.is_empty() {
            return;
        }
        let mut sources = self.lane_sources(pack);
        let wanted = write.iter().map(|new| sources.iter().position(|(good, source)| *good && source.lane == new.lane));
        let at_hand: Option<Vec<usize>> = wanted.collect();
        let mut read: Vec<(bool, Source)> = match at_hand {
            Some(indices) => indices.into_iter().map(|index| sources[index]).collect(),
            None if sources.len() < usize::from(pack.k) => {
                repair.unreadable.push(subject);
                return;
            }
            None => sources.drain(..usize::from(pack.k)).collect(),
        };
        read.dedup();
        for (_, source) in &read {
            *self.asked.entry(source.target).or_default() += pack.lane_bytes;
        }
        for new in &write {
            self.room.reserve(new.target, pack.lane_bytes);
        }
        repair.bytes += pack.lane_bytes.saturating_mul((read.len() + write.len()) as u64);
        let used: Vec<Source> = read.iter().map(|(_, source)| *source).collect();
        let instead = sources.into_iter().map(|(_, source)| source).filter(|source| !used.contains(source)).collect();
        repair.steps.push(RepairStep::Pack { pack: pack.id, read: used, instead, write });
    }

    /// One source for each lane that may be readable, best first; `true` where it counts as good.
    fn lane_sources(&self, pack: &PackView) -> Vec<(bool, Source)> {
        let rank = |lane: &LaneView| {
            let asked = self.asked.get(&lane.target).copied().unwrap_or(0);
            (!self.is_good(lane.state, lane.target), lane.lane >= pack.k, asked, lane.lane, lane.make)
        };
        let mut lanes: Vec<&LaneView> =
            pack.lanes.iter().filter(|lane| self.may_be_read(lane.state, lane.target)).collect();
        lanes.sort_by_key(|lane| rank(lane));
        let mut seen = 0u64;
        lanes.retain(|lane| {
            let bit = 1u64.checked_shl(u32::from(lane.lane)).unwrap_or(0);
            let new = bit != 0 && seen & bit == 0;
            seen |= bit;
            new
        });
        let source = |lane: &LaneView| Source { lane: lane.lane, make: lane.make, target: lane.target };
        lanes.into_iter().map(|lane| (self.is_good(lane.state, lane.target), source(lane))).collect()
    }

    fn object(&mut self, object: &ObjectView, repair: &mut Repair) {
        let subject = Subject::Object(object.id);
        let attempt = |aim| place_more_copies(object, self.policy.copies, aim, &self.room, self.entropy);
        let write = match attempt(Aim::Settled) {
            Ok(write) => write,
            Err(error) => {
                repair.stuck.push((subject, error));
                attempt(Aim::Safe).unwrap_or_default()
            }
        };
        if write.is_empty() {
            return;
        }
        let mut copies: Vec<&CopyView> =
            object.copies.iter().filter(|copy| self.may_be_read(copy.state, copy.target)).collect();
        let asked = |copy: &CopyView| self.asked.get(&copy.target).copied().unwrap_or(0);
        copies.sort_by_key(|copy| (!self.is_good(copy.state, copy.target), asked(copy), copy.target, copy.copy));
        let source = |copy: &CopyView| Source { lane: copy.copy, make: MakeId::default(), target: copy.target };
        let read: Vec<Source> = copies.into_iter().map(source).collect();
        if let Some(first) = read.first() {
            *self.asked.entry(first.target).or_default() += object.bytes.next_multiple_of(HASH_BLOCK_BYTES as u64);
        }
        for place in &write {
            self.room.reserve(place.target, object.bytes);
        }
        repair.bytes += object.bytes.saturating_mul(1 + write.len() as u64);
        repair.steps.push(RepairStep::Object { object: object.id, read, write });
    }

    fn is_good(&self, state: MakeState, target: TargetId) -> bool {
        state == MakeState::Good && self.room.counts_at(target).is_some()
    }

    fn may_be_read(&self, state: MakeState, target: TargetId) -> bool {
        state != MakeState::Bad && self.room.target(target).is_some_and(crate::view::TargetView::answers)
    }
}
