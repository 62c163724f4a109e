//! What may be destroyed now.
//!
//! The easiest way to lose everything is our own delete. So a shard goes only when all of this holds: a record decided
//! it; its horizon has passed in *service time*; nothing in it is held; its target is up; if it is a surplus or
//! set-aside make, the rest of the pack is verified without it and no less could be lost than before; and the hour's
//! budget is not spent. What no record knows is reported, never deleted. Silence, an empty listing or a missing marker
//! decides nothing.
//!
//! Everything pauses while the clocks disagree ([`crate::clockwatch`]), and after a rebuild until every known target
//! has been read since, or retired: until then a shard that looks dead may be one whose record is still unread.

use std::collections::{BTreeMap, BTreeSet};

use model::{
    fleet::TargetState,
    id::{MakeId, ObjectId, PackId, TargetId},
    units::ServiceTime,
};

use crate::{
    margin::{Ladder, Spread, object_state, pack_state},
    view::{ObjectView, PackView, Topology},
};

/// Deletions per hour that are always allowed: a small service can tidy up.
pub const DELETE_BUDGET_SHARDS: u64 = 16;
/// One in so many of all shards may go in an hour (0.5 %): a mistake of ours is seen long before it is complete.
pub const DELETE_BUDGET_DIVISOR: u64 = 200;
/// The budget's window in seconds of service time.
pub const DELETE_WINDOW_S: u64 = 3_600;

/// Shards that may be deleted in any hour of service time, when there are so many in all.
pub const fn delete_budget(shards_in_all: u64) -> u64 {
    let share = shards_in_all / DELETE_BUDGET_DIVISOR;
    if share > DELETE_BUDGET_SHARDS { share } else { DELETE_BUDGET_SHARDS }
}

/// What stands in the way of all destruction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Pause {
    /// Wall clock and monotonic clock disagree; a person must say which is right.
    ClocksDisagree,
    /// These targets were not read since the rebuild; read them, or retire them.
    UnreadSinceRebuild(Vec<TargetId>),
}

/// The state of the service as far as destruction depends on it.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Gate {
    /// Whether [`crate::ClockWatch`] has paused destruction.
    pub clocks_disagree: bool,
    /// Known targets that were not read since the last rebuild; empty when there was none.
    pub unread_since_rebuild: BTreeSet<TargetId>,
    /// Shards in all, dead ones included.
    pub shards_in_all: u64,
    /// Shards deleted within the last hour of service time.
    pub deleted_last_hour: u64,
}

impl Gate {
    /// Whether nothing may be destroyed now, and why. Retired targets hold nobody up.
    pub fn pause(&self, topology: &Topology) -> Option<Pause> {
        if self.clocks_disagree {
            return Some(Pause::ClocksDisagree);
        }
        let retired = |id: &TargetId| topology.target(*id).is_some_and(|known| known.state == TargetState::Retired);
        let unread: Vec<TargetId> = self.unread_since_rebuild.iter().copied().filter(|id| !retired(id)).collect();
        (!unread.is_empty()).then_some(Pause::UnreadSinceRebuild(unread))
    }
}

/// Deletions by service time, to know what the last hour saw. After a restart it starts as if the hour were spent.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Spent {
    by_time: BTreeMap<ServiceTime, u64>,
}

impl Spent {
    /// The cautious start: nobody knows what was deleted in the last hour, so all of the budget was.
    pub fn unknown(now: ServiceTime, shards_in_all: u64) -> Self {
        Self { by_time: BTreeMap::from([(now, delete_budget(shards_in_all))]) }
    }

    /// Notes deletions, and forgets those that no longer matter.
    pub fn note(&mut self, now: ServiceTime, shards: u64) {
        *self.by_time.entry(now).or_default() += shards;
        self.by_time.retain(|at, _| now.0.saturating_sub(at.0) < DELETE_WINDOW_S);
    }

    /// Shards deleted within the last hour.
    pub fn last_hour(&self, now: ServiceTime) -> u64 {
        let recent = self.by_time.iter().filter(|(at, _)| now.0.saturating_sub(at.0) < DELETE_WINDOW_S);
        recent.fold(0u64, |sum, (_, shards)| sum.saturating_add(*shards))
    }
}

/// One stored thing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Thing {
    /// A make of a pack's lane, set aside or not.
    Lane {
        /// The pack.
        pack: PackId,
        /// The lane.
        lane: u8,
        /// Which make.
        make: MakeId,
    },
    /// A copy of a copied object.
    Copy {
        /// The object.
        object: ObjectId,
        /// Which copy at its target.
        copy: u8,
    },
}

/// What stays of the pack or object that a doomed thing belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rest<'a> {
    /// Nothing: the whole of it is dead.
    Dead,
    /// The pack lives. Its view may still name the doomed make.
    Pack(&'a PackView),
    /// The object lives. Its view may still name the doomed copy.
    Object(&'a ObjectView),
}

/// A recorded decision that something may go.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Decision {
    /// When it was recorded.
    pub at: ServiceTime,
    /// The grace time that follows it, in seconds of service time.
    pub grace_s: u64,
}

impl Decision {
    /// When the grace time is over.
    pub const fn horizon(&self) -> ServiceTime {
        ServiceTime(self.at.0.saturating_add(self.grace_s))
    }
}

/// Something that is proposed for destruction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Doomed<'a> {
    /// What.
    pub thing: Thing,
    /// Where it lies.
    pub target: TargetId,
    /// The record that decided it; `None` for what was merely found.
    pub decision: Option<Decision>,
    /// Something in it is under a hold.
    pub held: bool,
    /// What stays.
    pub rest: Rest<'a>,
}

/// Why something stays for now.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Stays {
    /// No record decided it: report it, a person decides.
    Undecided,
    /// Under a hold.
    Held,
    /// Its grace time is not over.
    Until(ServiceTime),
    /// The rest is not verified without it, or could lose fewer providers.
    RestNeedsIt,
    /// Its target is not up.
    TargetAway,
    /// The hour's budget is spent.
    OverBudget,
}

/// What to delete, and why the rest stays.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Reclaim {
    /// Why nothing is deleted, if everything is paused.
    pub pause: Option<Pause>,
    /// What to delete now, oldest decision first.
    pub delete: Vec<(Thing, TargetId)>,
    /// What stays, and why.
    pub stays: Vec<(Thing, TargetId, Stays)>,
}

/// Decides which of `doomed` are deleted now. Each entry is one shard of the budget.
pub fn reclaim(doomed: &[Doomed<'_>], topology: &Topology, now: ServiceTime, gate: &Gate) -> Reclaim {
    let mut plan = Reclaim { pause: gate.pause(topology), ..Reclaim::default() };
    let mut left = match plan.pause {
        Some(_) => 0,
        None => delete_budget(gate.shards_in_all).saturating_sub(gate.deleted_last_hour),
    };
    let mut order: Vec<&Doomed<'_>> = doomed.iter().collect();
    order.sort_by_key(|one| (one.decision, one.thing, one.target));
    let mut going = BTreeSet::new();
    order.retain(|one| going.insert((one.thing, one.target)));
    for one in order {
        match stays(one, topology, now, &going) {
            Some(why) => plan.stays.push((one.thing, one.target, why)),
            None if left == 0 => plan.stays.push((one.thing, one.target, Stays::OverBudget)),
            None => {
                left -= 1;
                plan.delete.push((one.thing, one.target));
            }
        }
    }
    plan
}

fn stays(
    one: &Doomed<'_>,
    topology: &Topology,
    now: ServiceTime,
    going: &BTreeSet<(Thing, TargetId)>,
) -> Option<Stays> {
    let Some(decision) = one.decision else { return Some(Stays::Undecided) };
    if one.held {
        return Some(Stays::Held);
    }
    if now < decision.horizon() {
        return Some(Stays::Until(decision.horizon()));
    }
    if topology.counts_at(one.target).is_none() {
        return Some(Stays::TargetAway);
    }
    let stands = match one.rest {
        Rest::Dead => true,
        Rest::Pack(pack) => pack_stands_without(pack, going, topology),
        Rest::Object(object) => object_stands_without(object, going, topology),
    };
    (!stands).then_some(Stays::RestNeedsIt)
}

/// Whether a pack is verified without everything of it that is going, and has no smaller margin.
fn pack_stands_without(pack: &PackView, going: &BTreeSet<(Thing, TargetId)>, topology: &Topology) -> bool {
    let mut rest = pack.clone();
    rest.lanes.retain(|lane| {
        let thing = Thing::Lane { pack: pack.id, lane: lane.lane, make: lane.make };
        !going.contains(&(thing, lane.target))
    });
    let margin = |pack: &PackView| Spread::of_pack(pack, topology).margin();
    pack_state(&rest, topology) == Ladder::Verified && margin(&rest) >= margin(pack)
}

fn object_stands_without(object: &ObjectView, going: &BTreeSet<(Thing, TargetId)>, topology: &Topology) -> bool {
    let mut rest = object.clone();
    rest.copies.retain(|copy| {
        let thing = Thing::Copy { object: object.id, copy: copy.copy };
        !going.contains(&(thing, copy.target))
    });
    let margin = |object: &ObjectView| Spread::of_object(object, topology).margin();
    object_state(&rest, topology) == Ladder::Verified && margin(&rest) >= margin(object)
}

/// Makes that a pack can do without: it stays verified and keeps its margin. For the store to record as decided,
/// highest lane first, before [`reclaim`] may touch them. None while somebody is away: what looks like too much now is
/// what stands in for those who may not come back.
pub fn surplus(pack: &PackView, topology: &Topology) -> Vec<(u8, MakeId, TargetId)> {
    if !topology.is_whole() {
        return Vec::new();
    }
    let mut going = BTreeSet::new();
    let mut lanes = pack.lanes.clone();
    lanes.sort_by_key(|lane| (std::cmp::Reverse(lane.lane), lane.make));
    let mut surplus = Vec::new();
    for lane in lanes.iter().filter(|lane| topology.counts_at(lane.target).is_some()) {
        let thing = (Thing::Lane { pack: pack.id, lane: lane.lane, make: lane.make }, lane.target);
        going.insert(thing);
        if pack_stands_without(pack, &going, topology) {
            surplus.push((lane.lane, lane.make, lane.target));
        } else {
            going.remove(&thing);
        }
    }
    surplus
}
