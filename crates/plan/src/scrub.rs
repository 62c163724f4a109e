//! What is looked at, sampled, and read back next.
//!
//! Scrub reads everything slowly, because a fault that nobody has read is a fault that repair meets at the worst moment. Reading
//! everything often costs more than it finds, so there is a ladder: names and lengths each day, a few blocks of each shard each
//! month, all of it once a year ([`rung_is_due`], [`draw_blocks`], [`scrub`]). **Only a full read is a proof**: what the lower
//! rungs find well looks no better for it, what they find wrong is read.
//!
//! In a full read first come makes that do not count until they are read (suspect, or on a suspect target), those of the least
//! margin first: reading them is cheaper than making them again. Then what was never read back, then the oldest proof.
//! Makes known to be bad and targets that do not answer are left to repair.

use std::collections::BTreeSet;

use model::{
    id::{MakeId, ObjectId, PackId, TargetId},
    pack::MakeState,
    units::ServiceTime,
    world::Entropy,
};

use crate::{
    chance::Chance,
    margin::Spread,
    view::{ObjectView, PackView, Topology},
};

/// How often and how much is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ScrubPolicy {
    /// A proof younger than this is good enough; 0 reads everything.
    pub again_after_s: u64,
    /// The most bytes in one plan; the first step is always planned.
    pub bytes_max: u64,
}

/// One shard or copy to read whole and check.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ScrubStep {
    /// A make of a pack's lane.
    Lane {
        /// The pack.
        pack: PackId,
        /// The lane.
        lane: u8,
        /// Which make.
        make: MakeId,
        /// Where it lies.
        target: TargetId,
    },
    /// A copy of a copied object.
    Copy {
        /// The object.
        object: ObjectId,
        /// Which copy at that target.
        copy: u8,
        /// Where it lies.
        target: TargetId,
    },
}

/// A plan of reads.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Scrub {
    /// What to read, in this order.
    pub steps: Vec<ScrubStep>,
    /// Bytes that the steps read.
    pub bytes: u64,
    /// What is due as well, but did not fit, or waits for a budget.
    pub deferred: usize,
}

/// Whether a rung of the ladder has its turn again: it was through then, or became known then, and is climbed once in so long.
pub fn rung_is_due(since: ServiceTime, now: ServiceTime, every_s: u64) -> bool {
    now.0.saturating_sub(since.0) >= every_s
}

/// Which blocks of a lane a sample reads: `wanted` of them, drawn by chance, ascending, none twice; all if there are no more.
pub fn draw_blocks(blocks: u64, wanted: u64, entropy: &dyn Entropy) -> Vec<u64> {
    let chance = Chance(entropy);
    let mut drawn = BTreeSet::new();
    // Source: Floyd's algorithm (Bentley, Programming Pearls, CACM 30(9), 1987): as many draws as blocks, whatever chance says.
    for last in blocks.saturating_sub(wanted)..blocks {
        let block = chance.below(last + 1);
        drawn.insert(if drawn.contains(&block) { last } else { block });
    }
    drawn.into_iter().collect()
}

/// Trust first (suspect before the rest, by margin), then age (`None`, never read, is oldest).
type Turn = (bool, usize, Option<ServiceTime>);

/// Plans what to read back now.
pub fn scrub(
    packs: &[PackView],
    objects: &[ObjectView],
    topology: &Topology,
    now: ServiceTime,
    policy: &ScrubPolicy,
) -> Scrub {
    let mut turns: Vec<(Turn, u64, ScrubStep)> = Vec::new();
    let mut waiting = 0;
    let mut consider = |spread: &Spread, state, target, proven: Option<ServiceTime>, bytes, step| {
        let answers = topology.target(target).is_some_and(crate::view::TargetView::answers);
        if !answers || state == MakeState::Bad {
            return;
        }
        let trusted = state == MakeState::Good && topology.counts_at(target).is_some();
        // What nobody doubts can wait until there is a budget for it; a doubt, or a person who asks, cannot.
        let spent = topology.target(target).is_some_and(|target| target.spent);
        let age_s = proven.map(|at| now.0.saturating_sub(at.0));
        if trusted && age_s.is_some_and(|age_s| age_s < policy.again_after_s) {
            return;
        }
        if trusted && spent && policy.again_after_s > 0 {
            waiting += 1;
            return;
        }
        // Margin decides among suspects only: the rest goes by age.
        let margin = if trusted { 0 } else { spread.margin().map_or(0, |margin| margin + 1) };
        turns.push(((trusted, margin, proven), bytes, step));
    };
    for pack in packs {
        let spread = Spread::of_pack(pack, topology);
        for lane in &pack.lanes {
            let step = ScrubStep::Lane { pack: pack.id, lane: lane.lane, make: lane.make, target: lane.target };
            consider(&spread, lane.state, lane.target, lane.proven, pack.lane_bytes, step);
        }
    }
    for object in objects {
        let spread = Spread::of_object(object, topology);
        for copy in &object.copies {
            let step = ScrubStep::Copy { object: object.id, copy: copy.copy, target: copy.target };
            consider(&spread, copy.state, copy.target, copy.proven, object.bytes, step);
        }
    }
    turns.sort_by_key(|(turn, ..)| *turn);
    let mut scrub = Scrub { deferred: waiting, ..Scrub::default() };
    for (_, bytes, step) in turns {
        if !scrub.steps.is_empty() && scrub.bytes.saturating_add(bytes) > policy.bytes_max {
            scrub.deferred += 1;
        } else {
            scrub.bytes = scrub.bytes.saturating_add(bytes);
            scrub.steps.push(step);
        }
    }
    scrub
}
