//! The margin against all subsets of providers, and the ladder step by step.

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

use super::{Ladder, Spread, file_state, object_state, pack_state};
use crate::view::{CopyView, LaneView, ObjectView, PackView, TargetView, Topology};

fn provider(number: u8) -> ProviderId {
    ProviderId([number; 16])
}

fn spread(k: u8, lanes: &[(u8, u8)]) -> Spread {
    Spread::new(k, lanes.iter().map(|(lane, at)| (*lane, provider(*at))))
}

/// The definition, word for word: every subset of the providers that exist, lanes counted as a set.
fn margin_by_definition(k: u8, lanes: &[(u8, u8)], providers: u8) -> Option<usize> {
    let outside = |gone: u32| {
        let left = lanes.iter().filter(|(_, at)| gone >> at & 1 == 0);
        left.map(|(lane, _)| lane).collect::<BTreeSet<_>>().len()
    };
    let holds = |count: usize| {
        (0u32..1 << providers)
            .filter(|gone| gone.count_ones() as usize == count)
            .all(|gone| outside(gone) >= usize::from(k))
    };
    (0..=usize::from(providers)).take_while(|count| holds(*count)).last()
}

fn check(k: u8, lanes: &[(u8, u8)], margin: Option<usize>) {
    assert_eq!(spread(k, lanes).margin(), margin, "{k} {lanes:?}");
}

#[test]
fn margins_by_hand() {
    check(4, &[], None);
    check(1, &[(0, 0)], Some(0));
    check(4, &[(0, 0), (1, 1), (2, 2), (3, 3), (4, 4), (5, 5)], Some(2));
    // 4+2 over three providers: two parity lanes, and still only one provider may go.
    check(4, &[(0, 0), (1, 1), (2, 2), (3, 0), (4, 1), (5, 2)], Some(1));
    // The same lane four times is one lane.
    check(2, &[(0, 0), (0, 1), (0, 2), (0, 3)], None);
    // A copy of each lane at both providers.
    check(2, &[(0, 0), (1, 0), (0, 1), (1, 1)], Some(1));
    // Greed takes provider 0 first (three makes) and needs three; the pair 1, 2 is the whole of lanes 3 and 4.
    check(4, &[(0, 0), (1, 0), (2, 0), (0, 3), (1, 4), (2, 5), (3, 1), (4, 1), (3, 2), (4, 2)], Some(1));
}

#[test]
fn many_duplicates_are_counted_in_good_time() {
    // 32 lanes, each at three of sixteen providers.
    let lanes: Vec<(u8, u8)> =
        (0..32u8).flat_map(|lane| [1, 5, 11].map(|step| (lane, (lane * 7 + step) % 16))).collect();
    assert_eq!(spread(20, &lanes).margin(), margin_by_definition(20, &lanes, 16));
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 4_000,
        failure_persistence: None,
        rng_seed: RngSeed::Fixed(1),
        ..ProptestConfig::default()
    })]

    #[test]
    fn margin_is_what_all_subsets_say(
        k in 1u8..8,
        providers in 1u8..8,
        lanes in prop::collection::vec((0u8..12, 0u8..8), 0..28),
    ) {
        let lanes: Vec<_> = lanes.into_iter().map(|(lane, at)| (lane, at % providers)).collect();
        let by_definition = margin_by_definition(k, &lanes, providers);
        let spread = spread(k, &lanes);
        prop_assert_eq!(spread.margin(), by_definition);
        // Safe is a margin of one, by the same count.
        prop_assert_eq!(spread.is_safe(), by_definition.is_some_and(|margin| margin >= 1));
        let worst = (0..providers).map(|gone| spread.distinct_outside(&BTreeSet::from([provider(gone)]))).min();
        prop_assert_eq!(Some(spread.least()), worst);
    }
}

fn pack(lanes: &[(u8, u8)]) -> PackView {
    let lane = |(lane, target): &(u8, u8)| LaneView {
        lane: *lane,
        make: MakeId([*lane; 16]),
        target: TargetId([*target; 16]),
        state: MakeState::Good,
        proven: Some(ServiceTime(7)),
    };
    PackView {
        id: PackId([1; 16]),
        k: 4,
        lane_bytes: 64,
        lanes: lanes.iter().map(lane).collect(),
        held: false,
        acknowledged: true,
    }
}

fn six(states: &[(usize, TargetState)]) -> Topology {
    let mut targets: Vec<_> = (0..6u8).map(|i| TargetView::up(TargetId([i; 16]), provider(i))).collect();
    for (index, state) in states {
        targets[*index].state = *state;
    }
    Topology::new(targets)
}

#[test]
fn the_ladder_step_by_step() {
    let mut pack = pack(&[(0, 0), (1, 1), (2, 2), (3, 3), (4, 4), (5, 5)]);
    let (down, suspect, lost) = (TargetState::Down, TargetState::Suspect, TargetState::Lost);
    let at = |pack: &PackView, states: &[(usize, TargetState)]| pack_state(pack, &six(states));
    assert_eq!(at(&pack, &[]), Ladder::Verified);
    assert_eq!(at(&pack, &[(0, down)]), Ladder::Safe);
    assert_eq!(at(&pack, &[(0, down), (1, suspect)]), Ladder::AtRisk);
    assert_eq!(at(&pack, &[(0, down), (1, lost), (2, down)]), Ladder::Unreadable);
    assert_eq!(at(&pack, &[(0, down), (1, lost), (2, suspect)]), Ladder::AtRisk, "a suspect target may have it");
    pack.lanes[0].proven = None;
    assert_eq!(at(&pack, &[]), Ladder::Settled);
    pack.lanes[0].state = MakeState::Suspect;
    assert_eq!(at(&pack, &[]), Ladder::Safe);
    pack.lanes[1].state = MakeState::Bad;
    assert_eq!(at(&pack, &[]), Ladder::AtRisk);
    pack.acknowledged = false;
    assert_eq!(at(&pack, &[]), Ladder::Received);
    assert_eq!(file_state([Ladder::Settled, Ladder::AtRisk, Ladder::Received]), Some(Ladder::AtRisk));
}

#[test]
fn every_copy_is_a_lane() {
    let copy =
        |copy: u8, target: u8| CopyView { copy, target: TargetId([target; 16]), state: MakeState::Good, proven: None };
    let mut object = ObjectView {
        id: ObjectId([1; 16]),
        bytes: 9,
        copies: vec![copy(0, 0), copy(0, 1)],
        held: false,
        acknowledged: true,
    };
    assert_eq!(object_state(&object, &six(&[])), Ladder::Safe);
    object.copies.extend([copy(1, 0), copy(1, 1)]);
    assert_eq!(object_state(&object, &six(&[])), Ladder::Settled, "two at each of two providers");
    assert_eq!(Spread::of_object(&object, &six(&[])).margin(), Some(1));
    assert_eq!(object_state(&object, &six(&[(0, TargetState::Down)])), Ladder::AtRisk);
}
