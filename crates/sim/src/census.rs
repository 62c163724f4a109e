//! How often everything happened: actors, faults, crash points, states. What a run never reached, it did not test.

use std::collections::BTreeMap;

/// What a large run must reach at least once.
pub const MUST: &[&str] = &[
    "actor: upload",
    "actor: overwrite",
    "actor: rename",
    "actor: trash",
    "actor: restore",
    "actor: erase",
    "actor: forget old versions",
    "actor: read",
    "actor: begin an upload",
    "actor: append",
    "actor: append, broken off",
    "actor: finish an upload",
    "actor: tick",
    "actor: tick, everything",
    "actor: scrub",
    "actor: time passes",
    "actor: jump forward",
    "actor: jump back",
    "actor: restart",
    "actor: rebuild",
    "actor: a new firm",
    "actor: evacuate a firm",
    "actor: retire a firm",
    "actor: cancel an evacuation",
    "actor: settle",
    "fault: wiped",
    "fault: down",
    "fault: flaky",
    "fault: hanging",
    "fault: slow",
    "fault: full",
    "fault: lying",
    "fault: rotting",
    "fault: old",
    "fault: all full",
    "back: as it left",
    "back: older",
    "back: gone for good",
    "strikes: Hang",
    "strikes: Slow",
    "strikes: ErrorBefore",
    "strikes: LostWrite",
    "strikes: ShortRead",
    "strikes: BitFlip",
    "strikes: StaleListing",
    "strikes: ErrorAfter",
    "crash: Before put journal",
    "crash: After put journal",
    "crash: Behind put journal",
    "crash: Before create shard",
    "crash: After create shard",
    "crash: Behind create shard",
    "crash: Before write shard",
    "crash: After write shard",
    "crash: Behind write shard",
    "crash: Before finish shard",
    "crash: After finish shard",
    "crash: Behind finish shard",
    "crash: Before put snapshot",
    "crash: After put snapshot",
    "crash: Behind put snapshot",
    "crash: Before write_marker marker",
    "crash: After write_marker marker",
    "crash: Behind write_marker marker",
    "crash: Before delete journal",
    "crash: After delete journal",
    "crash: Behind delete journal",
    "crash: Before delete snapshot",
    "crash: After delete snapshot",
    "crash: Behind delete snapshot",
    "crash: Before delete shard",
    "crash: After delete shard",
    "crash: Behind delete shard",
    "crash: Before set_aside shard",
    "crash: After set_aside shard",
    "crash: Behind set_aside shard",
    "crash while: clients",
    "crash while: tick",
    "crash while: tick, everything",
    "crash while: start",
    "crash while: scrub",
    "crash while: rebuild",
    "stands: AtRisk",
    "stands: Safe",
    "stands: Settled",
    "stands: Verified",
    "stands: Unreadable",
    "lies: inline",
    "lies: in the journal",
    "lies: whole in a lane",
    "lies: striped",
    "lies: in several packs",
    "pack: more parity than at first",
    "pack: a lane made twice",
    "pack: gone",
    "pack: moved",
    "check: rebuild",
    "check: rescue",
    "check: beyond the promise",
    "effect: delete shard",
    "effect: delete journal",
    "effect: delete snapshot",
    "effect: set_aside shard",
    "outcome: acknowledged",
    "outcome: refused",
    "outcome: open",
];

/// Counts by what happened.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Census(BTreeMap<String, u64>);

impl Census {
    /// Counts one more.
    pub fn count(&mut self, what: impl Into<String>) {
        self.add(what, 1);
    }

    /// Counts some more.
    pub fn add(&mut self, what: impl Into<String>, times: u64) {
        *self.0.entry(what.into()).or_default() += times;
    }

    /// Takes in another census.
    pub fn merge(&mut self, other: &Self) {
        for (what, times) in &other.0 {
            self.add(what.clone(), *times);
        }
    }

    /// How often.
    pub fn of(&self, what: &str) -> u64 {
        self.0.get(what).copied().unwrap_or(0)
    }

    /// All counts, by name.
    pub fn iter(&self) -> impl Iterator<Item = (&str, u64)> {
        self.0.iter().map(|(what, times)| (what.as_str(), *times))
    }

    /// What [`MUST`] names and nothing reached.
    pub fn never(&self) -> Vec<&'static str> {
        MUST.iter().copied().filter(|what| self.of(what) == 0).collect()
    }
}
