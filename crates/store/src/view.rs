//! Views: what `plan` decides on, read from the catalogue; and the clock of destruction.

use std::collections::BTreeMap;

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

/// A pack of which fewer than k lanes answer. What lies on those lanes is there all the same; and because a lane is zeros
/// beyond its end, what lies where enough others have ended can even be computed.
#[derive(Clone, Debug)]
pub(crate) struct Torn {
    k: u8,
    cell_bytes: u32,
    lanes: BTreeMap<u8, Lane>,
}

#[derive(Clone, Copy, Debug, Default)]
struct Lane {
    answers: bool,
    bytes: u64,
}

impl Torn {
    /// `None` for a pack that can be read.
    pub fn of(pack: &packs::PackView, topology: &Topology) -> Option<Self> {
        if pack_state(&of_pack(pack), topology) != Ladder::Unreadable {
            return None;
        }
        let mut lanes: BTreeMap<u8, Lane> = BTreeMap::new();
        for packs::MakeView { make, finding, .. } in &pack.makes {
            let lane = lanes.entry(make.lane).or_default();
            let target = topology.target(make.target);
            lane.answers |= finding.state != MakeState::Bad && target.is_some_and(|target| target.answers());
            lane.bytes = lane.bytes.max(make.lane_bytes);
        }
        Some(Self { k: pack.k, cell_bytes: pack.cell_bytes, lanes })
    }

    /// Where a segment stands that lies in such a pack: unreadable if some of its bytes cannot be read now.
    pub fn state_of(&self, location: &Location) -> Ladder {
        let there = match location.lane {
            // What comes later in the lane is computed more easily, not less.
            Some(lane) => self.answers(lane) || self.computes(location.offset),
            None => {
                // Of each row of cells, what is missing is computed in one go, from the first missing byte on.
                let mut missing: BTreeMap<u64, u64> = BTreeMap::new();
                for piece in striped(self.k, self.cell_bytes.into(), location.offset, location.bytes) {
                    if !self.answers(piece.lane) {
                        let row = piece.lane_offset / u64::from(self.cell_bytes.max(1));
                        let from = missing.entry(row).or_insert(piece.lane_offset);
                        *from = piece.lane_offset.min(*from);
                    }
                }
                missing.into_values().all(|from| self.computes(from))
            }
        };
        if there { Ladder::AtRisk } else { Ladder::Unreadable }
    }

    fn answers(&self, lane: u8) -> bool {
        self.lanes.get(&lane).is_some_and(|lane| lane.answers)
    }

    /// Whether k lanes are known from this offset on: they answer, or ended before it.
    fn computes(&self, from: u64) -> bool {
        self.lanes.values().filter(|lane| lane.answers || lane.bytes <= from).count() >= self.k.into()
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
