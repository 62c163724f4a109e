//! What the fold makes of entries of the ledger: an entry is said once, and a second text for its number is a fork.

use model::ledger::LedgerEntry;

use super::{At, ClusterState, put};

impl ClusterState {
    pub(super) fn put_entry(&mut self, at: At, entry: &LedgerEntry) {
        if self.ledger.get(&entry.n).is_some_and(|known| known.value.text != entry.text) {
            self.ledger_forks.insert(entry.n);
        }
        put(&mut self.ledger, entry.n, at, entry);
    }

    /// The runs of numbers, first and last, of which no entry turned up although later ones did.
    pub fn ledger_gaps(&self) -> Vec<(u64, u64)> {
        let lasts = std::iter::once(0).chain(self.ledger.keys().copied());
        let gaps = lasts.zip(self.ledger.keys().copied()).filter(|(last, n)| last + 1 < *n);
        gaps.map(|(last, n)| (last + 1, n - 1)).collect()
    }
}
