//! Views: what `plan` decides on, read from the catalogue; and the clock of destruction.

use catalogue::{objects, packs};
use model::{units::ServiceTime, world::Now};
use plan::{ClockWatch, CopyView, LaneView, ObjectView, PackView};

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

/// A copied object as `plan` sees it.
pub(crate) fn of_object(view: &objects::ObjectView) -> ObjectView {
    ObjectView {
        id: view.object.id,
        bytes: view.object.bytes,
        copies: view
            .copies
            .iter()
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
