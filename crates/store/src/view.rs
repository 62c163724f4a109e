//! Views: what `plan` decides on, read from the catalogue; and the clock of destruction.

use catalogue::{objects, packs};
use format::shard::striped;
use model::{
    pack::{Location, MakeState},
    units::ServiceTime,
    world::Now,
};
use plan::{ClockWatch, CopyView, Ladder, LaneView, ObjectView, PackView, RepackView, Topology, pack_state};

/// A pack as `plan` sees it.
pub(crate) fn of_pack(pack: &packs::PackView) -> PackView {
    PackView {
        id: pack.id,
        k: pack.k,
        lane_bytes: pack.makes.iter().map(|view| view.make.lane_bytes).max().unwrap_or(0),
        lanes: pack
            .makes
            .iter()
            .map(|view| LaneView {
                lane: view.make.lane,
                make: view.make.make,
                target: view.make.target,
                state: view.finding.state,
                proven: view.finding.verified_us.map(|_| view.finding.verified_at),
            })
            .collect(),
        held: false,
        acknowledged: true,
    }
}

/// A pack as far as it may be worth rewriting.
pub(crate) fn of_repack(pack: &packs::PackView, topology: &Topology) -> RepackView {
    RepackView {
        id: pack.id,
        live_bytes: pack.live_bytes,
        bytes: pack.bytes,
        held: false,
        state: pack_state(&of_pack(pack), topology),
    }
}

/// A pack of which fewer than k lanes answer: nothing in it can be computed, but what lies on those lanes is there.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Torn {
    /// One bit for each lane that answers.
    answering: u32,
    k: u8,
    cell_bytes: u32,
}

impl Torn {
    /// `None` for a pack that can be read.
    pub fn of(pack: &packs::PackView, topology: &Topology) -> Option<Self> {
        if pack_state(&of_pack(pack), topology) != Ladder::Unreadable {
            return None;
        }
        let answers = |view: &&packs::MakeView| {
            let target = topology.target(view.make.target);
            view.finding.state != MakeState::Bad && target.is_some_and(|target| target.answers())
        };
        let lanes = pack.makes.iter().filter(answers).map(|view| 1_u32.unbounded_shl(view.make.lane.into()));
        Some(Self { answering: lanes.fold(0, |all, lane| all | lane), k: pack.k, cell_bytes: pack.cell_bytes })
    }

    /// Where a segment stands that lies in such a pack: it can be read if every data lane that it lies on answers.
    pub fn state_of(&self, location: &Location) -> Ladder {
        let answers = |lane: u8| self.answering.unbounded_shr(lane.into()) & 1 == 1;
        let striped = || striped(self.k, self.cell_bytes.into(), location.offset, location.bytes);
        let there = match location.lane {
            Some(lane) => answers(lane),
            // k cells in a row lie on all data lanes.
            None => striped().take(self.k.into()).all(|piece| answers(piece.lane)),
        };
        if there { Ladder::AtRisk } else { Ladder::Unreadable }
    }
}

/// A copied object as `plan` sees it.
pub(crate) fn of_object(view: &objects::ObjectView) -> ObjectView {
    ObjectView {
        id: view.object.id,
        bytes: view.object.bytes,
        copies: view
            .copies
            .iter()
            // A bad copy is none: another one may be put in its place.
            .filter(|copy| copy.finding.state != MakeState::Bad)
            .map(|copy| CopyView {
                copy: 0,
                target: copy.target,
                state: copy.finding.state,
                proven: copy.finding.verified_us.map(|_| copy.finding.verified_at),
            })
            .collect(),
        held: false,
        acknowledged: true,
    }
}

/// Service time of this running process, and whether the clocks agree.
#[derive(Debug)]
pub(crate) struct ServiceClock {
    watch: ClockWatch,
}

impl ServiceClock {
    pub fn new(saved: ServiceTime, now: Now) -> Self {
        Self { watch: ClockWatch::start(saved, now) }
    }

    pub fn read(&mut self, now: Now) -> ServiceTime {
        self.watch.tick(now).service
    }

    /// Whether the clocks disagree by so much that nothing may be destroyed.
    pub fn is_paused(&mut self, now: Now) -> bool {
        self.watch.tick(now).paused.is_some()
    }
}
