//! When a journal object is done.
//!
//! A journal object holds records (and small files) until they are elsewhere. It is *released* when every record in it
//! is covered by a settled, read-back snapshot of its scope that states the record's revision or a later one, and every small
//! file in it that is still wanted lies in a pack that was read back. Nothing is lost with it, so neither grace time nor
//! delete budget apply, and clocks do not matter; but after a rebuild it waits, like everything, until every known target
//! has been read.

use model::id::ObjectId;

use crate::{
    reclaim::{Gate, Pause},
    view::Topology,
};

/// A journal object, as far as its release depends on it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JournalView {
    /// Its id.
    pub id: ObjectId,
    /// For each scope that it has records of: the highest revision of them, and the revision up to which snapshots cover
    /// the scope.
    pub records: Vec<Covered>,
    /// Small files in it that no pack holds yet.
    pub unpacked: u64,
}

/// How far a scope's records in an object are elsewhere.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Covered {
    /// The highest revision of the scope in the object.
    pub revision: u64,
    /// Everything of the scope up to this revision is in settled snapshots that were read back; 0 when nothing is.
    pub upto: u64,
}

/// The journal objects that nothing needs any more, in the order given.
pub fn release(journal: &[JournalView], topology: &Topology, gate: &Gate) -> Vec<ObjectId> {
    if let Some(Pause::UnreadSinceRebuild(_)) = (Gate { clocks_disagree: false, ..gate.clone() }).pause(topology) {
        return Vec::new();
    }
    let done = |object: &&JournalView| {
        object.unpacked == 0 && object.records.iter().all(|covered| covered.upto >= covered.revision)
    };
    journal.iter().filter(done).map(|object| object.id).collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use model::id::{ObjectId, TargetId};

    use super::{Covered, JournalView, release};
    use crate::{reclaim::Gate, view::Topology};

    fn check(change: impl FnOnce(&mut JournalView, &mut Gate), released: bool) {
        let records = vec![Covered { revision: 4, upto: 9 }, Covered { revision: 9, upto: 9 }];
        let mut object = JournalView { id: ObjectId([1; 16]), records, unpacked: 0 };
        let mut gate = Gate::default();
        change(&mut object, &mut gate);
        let expected = if released { vec![ObjectId([1; 16])] } else { vec![] };
        assert_eq!(release(&[object], &Topology::default(), &gate), expected);
    }

    #[test]
    fn a_journal_object_goes_when_all_of_it_is_elsewhere_and_read_back() {
        check(|_, _| (), true);
        check(|_, gate| gate.clocks_disagree = true, true);
        check(|object, _| object.records.clear(), true);
        check(|object, _| object.records[1].revision = 10, false);
        check(|object, _| object.records[0].upto = 0, false);
        check(|object, _| object.unpacked = 1, false);
        check(|_, gate| gate.unread_since_rebuild = BTreeSet::from([TargetId([7; 16])]), false);
    }
}
