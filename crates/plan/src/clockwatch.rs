//! Service time: the clock that destruction runs on.
//!
//! A wall clock can jump by years, and with it every grace time would end at once. So destruction counts *service
//! time*: seconds while the service runs, which never outrun the monotonic clock (suspend included), saved with other
//! writes. Time while stopped does not count and is no disagreement.
//!
//! Since the current start both clocks are compared. Once they have gone apart by an hour, nobody can say which is
//! right: service time stands still and destruction pauses, also when the clocks meet again, until a person confirms.
//! The wall clock alone never moves service time.

use model::{units::ServiceTime, world::Now};

/// How far the clocks may go apart, in microseconds: more than any leap or slow correction, less than any grace time.
pub const DISAGREEMENT_US: u64 = 3_600 * 1_000_000;

/// Counts service time and watches the clocks; a state machine without a clock of its own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClockWatch {
    /// Service time when `base` was taken.
    service: ServiceTime,
    /// What the clocks said at the start, or when a person last confirmed.
    base: Now,
    /// The highest service time that was given out.
    latest: ServiceTime,
    /// Set once the clocks went apart.
    disagreement: Option<Disagreement>,
}

/// What the clocks said when they had gone apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Disagreement {
    /// Microseconds that the wall clock moved since the start.
    pub wall_us: i64,
    /// Microseconds that the monotonic clock moved since the start.
    pub monotonic_us: u64,
}

/// What follows from the clocks now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tick {
    /// Service time now; never falls.
    pub service: ServiceTime,
    /// Set while destruction is paused.
    pub paused: Option<Disagreement>,
    /// The pause began with this tick: raise the alarm.
    pub alarm: bool,
}

impl ClockWatch {
    /// Starts from the service time that was saved last.
    pub fn start(saved: ServiceTime, now: Now) -> Self {
        Self { service: saved, base: now, latest: saved, disagreement: None }
    }

    /// Takes in what the clocks say now.
    pub fn tick(&mut self, now: Now) -> Tick {
        let monotonic_us = now.monotonic_us.saturating_sub(self.base.monotonic_us);
        let wall_us = now.wall_us.saturating_sub(self.base.wall_us);
        let apart = i128::from(wall_us) - i128::from(monotonic_us);
        let mut alarm = false;
        if self.disagreement.is_none() {
            if apart.unsigned_abs() >= u128::from(DISAGREEMENT_US) {
                self.disagreement = Some(Disagreement { wall_us, monotonic_us });
                alarm = true;
            } else {
                let service = self.service.0.saturating_add(monotonic_us / 1_000_000);
                self.latest = self.latest.max(ServiceTime(service));
            }
        }
        Tick { service: self.latest, paused: self.disagreement, alarm }
    }

    /// A person looked at the clocks: destruction goes on from here, and what passed during the pause does not count.
    pub fn confirm(&mut self, now: Now) {
        *self = Self::start(self.latest, now);
    }
}

#[cfg(test)]
mod tests {
    use model::{units::ServiceTime, world::Now};

    use super::ClockWatch;

    const S: u64 = 1_000_000;
    const YEAR_S: u64 = 31_557_600;

    fn at(wall_s: i64, monotonic_s: u64) -> Now {
        Now { wall_us: wall_s * S as i64, monotonic_us: monotonic_s * S }
    }

    fn started() -> ClockWatch {
        ClockWatch::start(ServiceTime(100), at(1_000_000_000, 50))
    }

    #[test]
    fn counts_while_the_clocks_agree() {
        let mut watch = started();
        let tick = watch.tick(at(1_000_000_000 + 60, 50 + 60));
        assert_eq!((tick.service, tick.paused), (ServiceTime(160), None));
        // A night of suspend moves both clocks; a corrected minute is no disagreement.
        let tick = watch.tick(at(1_000_000_000 + 36_060, 50 + 36_000));
        assert_eq!((tick.service, tick.paused), (ServiceTime(36_100), None));
        // The monotonic clock falls back (it must not): service time does not.
        assert_eq!(watch.tick(at(1_000_000_000 + 36_060, 50 + 35_000)).service, ServiceTime(36_100));
    }

    #[test]
    fn an_hour_of_disagreement_pauses_until_a_person_confirms() {
        for wall_s in [1_000_000_000 + YEAR_S as i64, 0, 1_000_000_000 + 10 + 3_600, 1_000_000_000 + 10 - 3_600] {
            let mut watch = started();
            let tick = watch.tick(at(wall_s, 60));
            assert!(tick.alarm && tick.paused.is_some(), "{wall_s}");
            assert_eq!(tick.service, ServiceTime(100), "nothing counts that the clocks do not agree on");
            let tick = watch.tick(at(1_000_000_000 + 100, 150));
            assert!(!tick.alarm && tick.paused.is_some(), "meeting again confirms nothing");
            watch.confirm(at(wall_s, 160));
            let tick = watch.tick(at(wall_s + 5, 165));
            assert_eq!((tick.service, tick.paused), (ServiceTime(105), None));
        }
    }

    #[test]
    fn a_monotonic_clock_that_leaps_ends_no_grace_time() {
        let mut watch = started();
        let tick = watch.tick(at(1_000_000_000 + 60, 50 + YEAR_S));
        assert!(tick.paused.is_some());
        assert_eq!(tick.service, ServiceTime(100));
    }

    #[test]
    fn time_while_stopped_does_not_count() {
        let mut watch = ClockWatch::start(ServiceTime(160), at(2_000_000_000, 0));
        let tick = watch.tick(at(2_000_000_001, 1));
        assert_eq!((tick.service, tick.paused), (ServiceTime(161), None));
    }

    #[test]
    fn extreme_clocks_do_not_overflow() {
        let mut watch = ClockWatch::start(ServiceTime(u64::MAX), Now { wall_us: i64::MIN, monotonic_us: 0 });
        assert!(watch.tick(Now { wall_us: i64::MAX, monotonic_us: u64::MAX }).paused.is_some());
    }
}
