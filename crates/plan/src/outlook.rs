//! Where a thing stands now, and where it would stand after each of several losses: from one look at it.
//!
//! To say of a million packs what each firm's loss would do to them, each pack is looked at once. A loss that does not
//! touch it changes nothing; one that does takes the firm's lanes off its [`Spread`]. The answer is the same as
//! [`pack_state`](crate::pack_state) on [`Topology::without`], but for one thing: whether what is left was all read
//! back is not asked anew, so that *settled* and *verified* are not told apart after a loss.
//!
//! A file lies in several packs and journal objects: it stands where the worst of them does, after each loss anew.

use std::collections::BTreeSet;

use model::{id::ProviderId, pack::MakeState};

use crate::{
    margin::{Ladder, Spread, object_proven, pack_proven, step},
    view::{ObjectView, PackView, Topology},
};

/// Where something stands now, and after each loss that was asked about, in their order.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Outlook {
    /// As things are.
    pub now: Ladder,
    /// After the loss of the same place in the list.
    pub after: Vec<Ladder>,
}

impl Outlook {
    /// Of a pack.
    pub fn of_pack(pack: &PackView, topology: &Topology, losses: &[BTreeSet<ProviderId>]) -> Self {
        let lanes = pack.lanes.iter().filter(|lane| lane.state != MakeState::Bad);
        let answering = lanes.filter_map(|lane| Some((lane.lane, topology.answers_at(lane.target)?)));
        let answering = Spread::new(pack.k, answering);
        let proven = pack_proven(pack, topology).is_some();
        Self::of(&Spread::of_pack(pack, topology), &answering, proven, pack.acknowledged, losses)
    }

    /// Of a copied object.
    pub fn of_object(object: &ObjectView, topology: &Topology, losses: &[BTreeSet<ProviderId>]) -> Self {
        let copies = object.copies.iter().filter(|copy| copy.state != MakeState::Bad);
        let answering = copies.filter_map(|copy| topology.answers_at(copy.target));
        let answering = Spread::new(1, (0u8..=u8::MAX).zip(answering));
        let proven = object_proven(object, topology).is_some();
        Self::of(&Spread::of_object(object, topology), &answering, proven, object.acknowledged, losses)
    }

    fn of(
        counted: &Spread,
        answering: &Spread,
        proven: bool,
        acknowledged: bool,
        losses: &[BTreeSet<ProviderId>],
    ) -> Self {
        let now = step(counted, answering.distinct(), proven, acknowledged);
        // What counts answers, so a loss that takes nothing that answers takes nothing that counts.
        let touched = |gone: &BTreeSet<ProviderId>| answering.held().any(|(provider, _)| gone.contains(&provider));
        let after = |gone: &BTreeSet<ProviderId>| match touched(gone) {
            true => step(&counted.without(gone), answering.distinct_outside(gone), proven, acknowledged),
            false => now,
        };
        Self { now, after: losses.iter().map(after).collect() }
    }

    /// Of something that no loss would harm: what a file begins with, before its parts are looked at.
    pub fn unharmed(losses: usize) -> Self {
        Self { now: Ladder::Verified, after: vec![Ladder::Verified; losses] }
    }

    /// Takes the part of the same thing in that stands where `other` does.
    pub fn worsen(&mut self, other: &Self) {
        self.now = self.now.min(other.now);
        for (own, others) in self.after.iter_mut().zip(&other.after) {
            *own = (*own).min(*others);
        }
    }

    /// The same with everything that is as it should be on one step: of many, few are left that differ.
    pub fn coarse(mut self) -> Self {
        if self.now >= Ladder::Settled {
            self.now = Ladder::Verified;
        }
        self.after.iter_mut().filter(|state| **state >= Ladder::Safe).for_each(|state| *state = Ladder::Verified);
        self
    }

    /// Whether there is nothing to say of it: it is settled, and safe after each of the losses.
    pub fn is_fine(&self) -> bool {
        self.now >= Ladder::Settled && self.after.iter().all(|state| *state >= Ladder::Safe)
    }

    /// Whether it could not be read, now or after a loss.
    pub fn is_grave(&self) -> bool {
        self.now == Ladder::Unreadable || self.after.contains(&Ladder::Unreadable)
    }
}

/// How many stand below a step. Each count includes the worse ones.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Counts {
    /// Cannot be read.
    pub unreadable: u64,
    /// One provider's loss may be the end of them, or they are gone.
    pub below_safe: u64,
    /// Not settled.
    pub below_settled: u64,
}

impl Counts {
    /// Counts one that stands here.
    pub fn count(&mut self, state: Ladder) {
        self.unreadable += u64::from(state == Ladder::Unreadable);
        self.below_safe += u64::from(state < Ladder::Safe);
        self.below_settled += u64::from(state < Ladder::Settled);
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use model::{
        fleet::TargetState,
        id::{MakeId, ObjectId, PackId, ProviderId, TargetId},
        pack::MakeState,
        units::ServiceTime,
    };
    use proptest::{
        prelude::{ProptestConfig, prop, prop_assert_eq, proptest},
        test_runner::RngSeed,
    };

    use super::Outlook;
    use crate::{
        margin::{Ladder, object_state, pack_state},
        view::{CopyView, LaneView, ObjectView, PackView, TargetView, Topology},
    };

    const STATES: [TargetState; 4] = [TargetState::Up, TargetState::Down, TargetState::Suspect, TargetState::Up];
    const MAKES: [MakeState; 4] = [MakeState::Good, MakeState::Good, MakeState::Suspect, MakeState::Bad];

    /// Settled and verified are one after a loss.
    fn told(state: Ladder) -> Ladder {
        state.min(Ladder::Settled)
    }

    proptest! {
        #![proptest_config(ProptestConfig {
            failure_persistence: None, rng_seed: RngSeed::Fixed(3), ..ProptestConfig::with_cases(400)
        })]

        /// Eight targets at four providers in any state, lanes anywhere: the short way and the long way agree.
        #[test]
        fn one_look_says_what_many_would(
            k in 1u8..5,
            states in prop::collection::vec(0usize..4, 8),
            lanes in prop::collection::vec((0u8..8, 0u8..8, 0usize..4), 0..12),
            losses in prop::collection::vec(prop::collection::btree_set(0u8..5, 0..4), 0..4),
        ) {
            let target = |number: u8| TargetId([number; 16]);
            let views = (0u8..8).zip(&states).map(|(number, state)| TargetView {
                state: STATES[*state],
                ..TargetView::up(target(number), ProviderId([number / 2; 16]))
            });
            let topology = Topology::new(views);
            let proven = Some(ServiceTime(1));
            let pack = PackView {
                id: PackId([1; 16]),
                k,
                lane_bytes: 1,
                lanes: (0u8..).zip(&lanes).map(|(make, (lane, at, state))| LaneView {
                    lane: *lane, make: MakeId([make; 16]), target: target(*at), state: MAKES[*state], proven,
                }).collect(),
                held: false,
                acknowledged: true,
            };
            let object = ObjectView {
                id: ObjectId([1; 16]),
                bytes: 1,
                copies: (0u8..).zip(&lanes).map(|(copy, (_, at, state))| CopyView {
                    copy, target: target(*at), state: MAKES[*state], proven,
                }).collect(),
                held: false,
                acknowledged: true,
            };
            let losses: Vec<BTreeSet<_>> =
                losses.iter().map(|gone| gone.iter().map(|number| ProviderId([*number; 16])).collect()).collect();
            let (packs, objects) =
                (Outlook::of_pack(&pack, &topology, &losses), Outlook::of_object(&object, &topology, &losses));
            prop_assert_eq!(packs.now, pack_state(&pack, &topology));
            prop_assert_eq!(objects.now, object_state(&object, &topology));
            for (index, gone) in losses.iter().enumerate() {
                let rest = topology.without(gone);
                prop_assert_eq!(told(packs.after[index]), told(pack_state(&pack, &rest)));
                prop_assert_eq!(told(objects.after[index]), told(object_state(&object, &rest)));
            }
        }
    }

    #[test]
    fn a_file_stands_where_its_worst_part_does() {
        let mut file = Outlook::unharmed(2);
        assert!(file.is_fine());
        file.worsen(&Outlook { now: Ladder::Settled, after: vec![Ladder::Safe, Ladder::Settled] });
        assert!(file.is_fine() && !file.is_grave());
        file.worsen(&Outlook { now: Ladder::Verified, after: vec![Ladder::Settled, Ladder::Unreadable] });
        assert_eq!(file, Outlook { now: Ladder::Settled, after: vec![Ladder::Safe, Ladder::Unreadable] });
        assert!(!file.is_fine() && file.is_grave());
    }
}
