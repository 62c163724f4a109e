//! Which revisions of one scope were seen, and which epoch's word counts.

use std::collections::BTreeMap;

use super::Applied;

/// The revisions of one scope that layers and records told of.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub(super) struct Seen {
    /// The latest epoch that was seen.
    pub(super) epoch: u64,
    /// The lowest revision that the latest epoch made itself: an earlier epoch's word on it or beyond is late.
    own_from: u64,
    /// First to last revision of each run, apart from each other.
    runs: BTreeMap<u64, u64>,
}

impl Seen {
    /// A layer told of `from + 1 ..= to`.
    pub(super) fn cover(&mut self, epoch: u64, from: u64, to: u64) {
        if epoch > self.epoch {
            // A layer states what earlier epochs left behind as well: only what follows is the epoch's own.
            self.begin(epoch, to + 1);
        }
        self.add(from + 1, to);
    }

    /// A record came.
    pub(super) fn record(&mut self, epoch: u64, revision: u64) -> Applied {
        if epoch > self.epoch {
            self.begin(epoch, revision);
        } else if epoch == self.epoch && revision < self.own_from && !self.has(revision) {
            self.own_from = revision;
        } else if self.is_late(epoch, revision) {
            return Applied::Late;
        }
        if self.has(revision) {
            return Applied::Seen;
        }
        self.add(revision, revision);
        Applied::New
    }

    /// Whether an earlier epoch says this of a revision that the latest one made itself, or of one beyond.
    pub(super) fn is_late(&self, epoch: u64, revision: u64) -> bool {
        epoch < self.epoch && revision >= self.own_from
    }

    /// Up to where nothing is missing.
    pub(super) fn whole_to(&self) -> u64 {
        self.runs.get(&1).copied().unwrap_or(0)
    }

    /// (last before, first behind) of every gap, the one before the first run too.
    pub(super) fn gaps(&self) -> impl Iterator<Item = (u64, u64)> {
        let lasts = std::iter::once(0).chain(self.runs.values().copied());
        lasts.zip(self.runs.keys().copied()).filter(|(last, first)| last + 1 < *first)
    }

    /// A later epoch begins: what earlier ones told of `own_from` and beyond does not count as seen.
    fn begin(&mut self, epoch: u64, own_from: u64) {
        (self.epoch, self.own_from) = (epoch, own_from);
        let beyond = self.runs.split_off(&own_from);
        drop(beyond);
        if let Some(mut last) = self.runs.last_entry() {
            let end = (*last.get()).min(own_from.saturating_sub(1));
            last.insert(end);
        }
    }

    fn has(&self, revision: u64) -> bool {
        self.runs.range(..=revision).next_back().is_some_and(|(_, last)| *last >= revision)
    }

    fn add(&mut self, mut first: u64, mut last: u64) {
        // Runs that touch the new one become part of it.
        while let Some((near, end)) = self.runs.range(..=last.saturating_add(1)).next_back().map(|(a, b)| (*a, *b)) {
            if end.saturating_add(1) < first {
                break;
            }
            self.runs.remove(&near);
            (first, last) = (first.min(near), last.max(end));
        }
        self.runs.insert(first, last);
    }
}

#[cfg(test)]
mod tests {
    use super::{Applied, Seen};

    #[test]
    fn finds_gaps_in_any_order() {
        let mut seen = Seen::default();
        for revision in [7, 3, 4, 9] {
            assert_eq!(seen.record(1, revision), Applied::New);
        }
        assert_eq!(seen.record(1, 4), Applied::Seen);
        assert_eq!(seen.gaps().collect::<Vec<_>>(), [(0, 3), (4, 7), (7, 9)]);
        seen.cover(1, 0, 7);
        assert_eq!(seen.gaps().collect::<Vec<_>>(), [(7, 9)]);
        assert_eq!(seen.whole_to(), 7);
        seen.record(1, 8);
        assert_eq!((seen.gaps().count(), seen.whole_to()), (0, 9));
    }

    #[test]
    fn a_later_epoch_takes_over_from_its_first_revision() {
        let mut seen = Seen::default();
        seen.cover(1, 0, 10);
        assert_eq!(seen.record(2, 9), Applied::New, "made anew in the later epoch");
        assert_eq!(seen.record(1, 8), Applied::Seen);
        assert_eq!(seen.record(1, 10), Applied::Late);
        assert_eq!(seen.record(2, 10), Applied::New);
        assert_eq!(seen.whole_to(), 10);
    }

    #[test]
    fn a_full_layer_says_what_a_later_epoch_began_with() {
        let mut seen = Seen::default();
        seen.cover(2, 0, 8);
        assert_eq!(seen.record(1, 8), Applied::Seen);
        assert_eq!(seen.record(1, 9), Applied::Late);
        assert_eq!(seen.record(2, 9), Applied::New);
    }
}
