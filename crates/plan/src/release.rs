//! When a journal object is done.
//!
//! A journal object holds records (and small files) until they are elsewhere. It is *released* when every record in it
//! is covered by a snapshot of its scope that states the record's revision or a later one, and every small file in it
//! lies in a pack, and those snapshots and packs are verified. Nothing is lost with it, so neither grace time nor
//! delete budget apply; but after a rebuild it waits, like everything, until every known target has been read.

use std::collections::BTreeMap;

use model::{Scope, id::ObjectId};

use crate::{
    margin::Ladder,
    reclaim::{Gate, Pause},
    view::Topology,
};

/// How far a scope's newest snapshot reaches.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cover {
    /// For each epoch the revision up to which records are in it; of an earlier epoch that is what rebuild used.
    /// Records beyond are never covered: they are brought in as new ones first.
    pub upto: BTreeMap<u64, u64>,
    /// Where the snapshot itself stands.
    pub state: Ladder,
}

/// A journal object, as far as its release depends on it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JournalView {
    /// Its id.
    pub id: ObjectId,
    /// Scope, epoch and highest revision of the records in it.
    pub records: Vec<(Scope, u64, u64)>,
    /// For each small file that lies in it and is still wanted: where the pack stands that holds it too; `None` when
    /// none does.
    pub files: Vec<Option<Ladder>>,
    /// Something in it is under a hold.
    pub held: bool,
}

/// The journal objects that nothing needs any more, in the order given.
pub fn release(
    journal: &[JournalView],
    covers: &BTreeMap<Scope, Cover>,
    topology: &Topology,
    gate: &Gate,
) -> Vec<ObjectId> {
    if let Some(Pause::UnreadSinceRebuild(_)) = (Gate { clocks_disagree: false, ..gate.clone() }).pause(topology) {
        return Vec::new();
    }
    let covered = |(scope, epoch, revision): &(Scope, u64, u64)| {
        covers.get(scope).is_some_and(|cover| {
            cover.state == Ladder::Verified && cover.upto.get(epoch).is_some_and(|upto| upto >= revision)
        })
    };
    let packed = |state: &Option<Ladder>| *state == Some(Ladder::Verified);
    let done =
        |object: &&JournalView| !object.held && object.records.iter().all(covered) && object.files.iter().all(packed);
    journal.iter().filter(done).map(|object| object.id).collect()
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};

    use model::{
        Scope,
        id::{AccountId, ObjectId, TargetId},
    };

    use super::{Cover, JournalView, release};
    use crate::{margin::Ladder, reclaim::Gate, view::Topology};

    const ACCOUNT: Scope = Scope::Account(AccountId([3; 16]));

    fn check(change: impl FnOnce(&mut JournalView, &mut BTreeMap<Scope, Cover>, &mut Gate), released: bool) {
        let cover = Cover { upto: BTreeMap::from([(1, 9), (3, 20)]), state: Ladder::Verified };
        let mut covers = BTreeMap::from([(Scope::Cluster, cover.clone()), (ACCOUNT, cover)]);
        let mut object = JournalView {
            id: ObjectId([1; 16]),
            records: vec![(Scope::Cluster, 1, 4), (ACCOUNT, 1, 9)],
            files: vec![Some(Ladder::Verified)],
            held: false,
        };
        let mut gate = Gate::default();
        change(&mut object, &mut covers, &mut gate);
        let topology = Topology::default();
        assert_eq!(
            release(&[object], &covers, &topology, &gate),
            if released { vec![ObjectId([1; 16])] } else { vec![] }
        );
    }

    #[test]
    fn a_journal_object_goes_when_all_of_it_is_elsewhere_and_read_back() {
        check(|_, _, _| (), true);
        check(|_, _, gate| gate.clocks_disagree = true, true);
        check(|_, covers, _| drop(covers.remove(&ACCOUNT)), false);
        check(|object, _, _| object.records[1].2 = 10, false);
        check(|object, _, _| object.records[1].1 = 2, false);
        check(|object, _, _| object.records[1] = (ACCOUNT, 3, 20), true);
        check(|_, covers, _| covers.values_mut().for_each(|cover| cover.state = Ladder::Settled), false);
        check(|object, _, _| object.files.push(None), false);
        check(|object, _, _| object.files.push(Some(Ladder::Settled)), false);
        check(|object, _, _| object.held = true, false);
        check(|_, _, gate| gate.unread_since_rebuild = BTreeSet::from([TargetId([7; 16])]), false);
    }
}
