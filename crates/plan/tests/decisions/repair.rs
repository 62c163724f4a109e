//! Steps, once done, settle what they are about; who comes first, who waits, and who cannot be helped is said.

use std::collections::BTreeSet;

use model::{fleet::TargetState, id::PackId, pack::MakeState};
use plan::{
    Aim, Ladder, ObjectView, PackView, Repair, RepairPolicy, RepairStep, Spread, Topology, object_state, pack_state,
    place, place_copies,
    repair::{Subject, repair},
    what_if,
};
use proptest::prelude::{any, prop, prop_assert, prop_assert_eq, proptest};

use crate::world::{
    LANE_BYTES, Seed, cases, changed, copy, id, lane, object, pack, pack_at, provider, target, topology, wish,
    with_state,
};

const POLICY: RepairPolicy =
    RepairPolicy { aim: Aim::Settled, copies: 3, down_wait_s: 3_600, bytes_max: u64::MAX, steps_max: usize::MAX };

fn plan_for(packs: &[PackView], topology: &Topology) -> Repair {
    repair(packs, &[], topology, &POLICY, &Seed::new(5))
}

/// Does what the steps say, as the store would: new makes are good and read back.
fn carry_out(plan: &Repair, packs: &mut [PackView], objects: &mut [ObjectView]) {
    for step in &plan.steps {
        match step {
            RepairStep::Pack { pack, write, .. } => {
                let view = packs.iter_mut().find(|view| view.id == *pack).unwrap();
                view.lanes.extend(write.iter().map(|new| lane(new.lane, new.target)));
            }
            RepairStep::Object { object, write, .. } => {
                let view = objects.iter_mut().find(|view| view.id == *object).unwrap();
                view.copies.extend(write.iter().map(|place| copy(place.copy, place.target)));
            }
        }
    }
}

proptest! {
    #![proptest_config(cases(1_500))]

    #[test]
    fn steps_settle_what_they_are_about_or_the_plan_says_why_not(
        counts in prop::collection::vec(1usize..4, 2..8),
        k in 1u8..10,
        states in prop::collection::vec(0u8..8, 24),
        tight in any::<bool>(),
        seed in any::<u64>(),
    ) {
        let seed = Seed::new(seed);
        let before = topology(&counts);
        let mut packs: Vec<_> = (0..6).map(|n| pack(n, &place(&wish(k, 2), &before, None, &seed).unwrap())).collect();
        let mut objects: Vec<_> = (10..13).map(|n| {
            let mut view = object(n, &[]);
            let places = place_copies(3, view.bytes, &before, &seed).unwrap();
            view.copies = places.iter().map(|place| copy(place.copy, place.target)).collect();
            view
        }).collect();
        let mut numbers = states.into_iter();
        let after = Topology::new(before.targets().cloned().map(|mut view| {
            view.away_s = 9_999;
            view.state = match numbers.next() {
                Some(0) => TargetState::Down,
                Some(1) => TargetState::Lost,
                Some(2) => TargetState::Suspect,
                _ => TargetState::Up,
            };
            view.free_bytes = tight.then(|| seed.below(9) * LANE_BYTES / 2);
            view
        }));
        for lane in packs.iter_mut().flat_map(|view| &mut view.lanes) {
            lane.state = match seed.below(24) {
                0 => MakeState::Bad,
                1 => MakeState::Suspect,
                _ => MakeState::Good,
            };
        }
        let plan = repair(&packs, &objects, &after, &POLICY, &seed);
        let before_steps = packs.clone();
        carry_out(&plan, &mut packs, &mut objects);
        let mut excused: BTreeSet<Subject> = plan.unreadable.iter().chain(&plan.waiting).copied().collect();
        excused.extend(plan.stuck.iter().map(|(subject, _)| *subject));
        prop_assert_eq!(plan.deferred, 0);
        let waits = |view: &PackView| plan.waiting.contains(&Subject::Pack(view.id));
        prop_assert!(packs.iter().filter(|view| waits(view)).all(|view| pack_state(view, &after) == Ladder::Safe));
        for (old, view) in before_steps.iter().zip(&packs) {
            let settled = pack_state(view, &after) >= Ladder::Settled;
            prop_assert!(settled != excused.contains(&Subject::Pack(view.id)));
            prop_assert!(pack_state(view, &after) >= pack_state(old, &after).min(Ladder::Settled));
        }
        for view in &objects {
            let settled = object_state(view, &after) >= Ladder::Settled;
            prop_assert!(settled != excused.contains(&Subject::Object(view.id)));
        }
        for step in &plan.steps {
            if let RepairStep::Pack { pack, read, write, .. } = step {
                let view = before_steps.iter().find(|view| view.id == *pack).unwrap();
                let at_hand = write.iter().all(|new| read.iter().any(|source| source.lane == new.lane));
                let distinct: BTreeSet<u8> = read.iter().map(|source| source.lane).collect();
                prop_assert!(at_hand || distinct.len() == usize::from(k));
                for source in read {
                    prop_assert!(after.target(source.target).unwrap().answers());
                    let asked = (source.lane, source.make, source.target);
                    prop_assert!(view.lanes.iter().any(|lane| (lane.lane, lane.make, lane.target) == asked));
                }
            }
        }
        for view in after.targets().filter(|view| view.free_bytes.is_some()) {
            let bytes = plan.steps.iter().map(|step| match step {
                RepairStep::Pack { write, .. } => {
                    write.iter().filter(|new| new.target == view.id).count() as u64 * LANE_BYTES
                }
                RepairStep::Object { write, .. } => {
                    write.iter().filter(|place| place.target == view.id).count() as u64 * 4_096
                }
            });
            prop_assert!(Some(bytes.sum::<u64>()) <= view.free_bytes, "no target is planned fuller than it is");
        }
        if tight {
            return Ok(()); // The room that steps took is not in this view.
        }
        let again = repair(&packs, &objects, &after, &POLICY, &seed);
        prop_assert_eq!(again.steps.iter().filter(|step| match step {
            RepairStep::Pack { pack, .. } => !excused.contains(&Subject::Pack(*pack)),
            RepairStep::Object { object, .. } => !excused.contains(&Subject::Object(*object)),
        }).count(), 0, "done is done");
    }
}

fn six_lanes(number: usize) -> PackView {
    pack_at(number, 4, &[(0, 0), (1, 1), (2, 2), (3, 3), (4, 4), (5, 5)])
}

#[test]
fn what_is_safe_waits_for_targets_that_may_come_back() {
    let six = topology(&[1; 6]);
    let packs = [six_lanes(0)];
    let at = |state, away_s| plan_for(&packs, &with_state(&six, &[2], state, away_s));
    assert_eq!(plan_for(&packs, &six), Repair::default());
    assert_eq!(at(TargetState::Down, 3_599).waiting, [Subject::Pack(PackId(id(0)))]);
    assert_eq!(at(TargetState::Down, 3_600).steps.len(), 1);
    assert_eq!(at(TargetState::Suspect, 10).steps.len(), 0);
    assert_eq!(at(TargetState::Lost, 0).steps.len(), 1, "a person said lost");
    let below_safe = with_state(&six, &[2, 3], TargetState::Down, 1);
    assert_eq!(plan_for(&packs, &below_safe).steps.len(), 1, "below safe nothing waits");
    let mut damaged = packs;
    damaged[0].lanes[2].state = MakeState::Bad;
    assert_eq!(plan_for(&damaged, &six).steps.len(), 1, "waiting mends no damage");
    damaged[0].lanes[2].state = MakeState::Suspect;
    assert_eq!(plan_for(&damaged, &six).waiting.len(), 1, "a read will tell");
}

#[test]
fn a_wipe_is_settled_on_the_firms_that_remain() {
    let six = topology(&[1; 6]);
    let mut packs = [six_lanes(0)];
    for (gone, lanes) in [(&[0][..], 7), (&[0, 1], 7), (&[0, 1, 2], 8), (&[0, 1, 2, 3], 10)] {
        let rest = with_state(&six, gone, TargetState::Lost, 0);
        let plan = plan_for(&packs, &rest);
        carry_out(&plan, &mut packs, &mut []);
        assert!(Spread::of_pack(&packs[0], &rest).is_settled());
        assert_eq!(Spread::of_pack(&packs[0], &rest).distinct(), lanes, "{gone:?}");
    }
    let one = with_state(&six, &[0, 1, 2, 3, 4], TargetState::Lost, 0);
    let plan = plan_for(&packs, &one);
    assert!(plan.steps.is_empty());
    assert!(plan.stuck[0].1.to_string().contains("second provider"));
}

#[test]
fn least_margin_first_then_held_then_small() {
    let six = topology(&[1; 6]);
    let mut small = six_lanes(4);
    small.lane_bytes = 1 << 20;
    let mut held = six_lanes(3);
    held.held = true;
    let mut at_risk = six_lanes(2);
    at_risk.lanes[5].state = MakeState::Bad;
    let rest = with_state(&six, &[0], TargetState::Lost, 0);
    let names = object(5, &[(0, 0), (0, 1)]);
    let plan = repair(&[six_lanes(1), small, held, at_risk], &[names], &rest, &POLICY, &Seed::new(1));
    let order: Vec<usize> = plan
        .steps
        .iter()
        .map(|step| match step {
            RepairStep::Pack { pack, .. } => usize::from(pack.0[15]) - 1,
            RepairStep::Object { object, .. } => usize::from(object.0[15]) - 1,
        })
        .collect();
    assert_eq!(order, [5, 2, 3, 4, 1]);
}

#[test]
fn a_budget_defers_but_always_lets_one_through() {
    let rest = with_state(&topology(&[1; 6]), &[0], TargetState::Lost, 0);
    let packs: Vec<_> = (0..5).map(six_lanes).collect();
    for (bytes_max, steps_max, planned) in [(0, 9, 1), (LANE_BYTES * 7, 9, 2), (u64::MAX, 3, 3), (u64::MAX, 9, 5)] {
        let policy = RepairPolicy { bytes_max, steps_max, ..POLICY };
        let plan = repair(&packs, &[], &rest, &policy, &Seed::new(1));
        assert_eq!((plan.steps.len(), plan.deferred), (planned, 5 - planned));
    }
}

#[test]
fn reads_data_lanes_and_suspects_only_in_need() {
    let six = topology(&[1; 6]);
    let rest = with_state(&six, &[0, 1], TargetState::Lost, 0);
    let rest = with_state(&rest, &[2], TargetState::Suspect, 5);
    let plan = plan_for(&[six_lanes(0)], &rest);
    let RepairStep::Pack { read, instead, .. } = &plan.steps[0] else { panic!("{plan:?}") };
    assert_eq!(read.iter().map(|source| source.lane).collect::<Vec<_>>(), [3, 4, 5, 2]);
    assert!(instead.is_empty());
    let plan = plan_for(&[six_lanes(0)], &with_state(&six, &[5], TargetState::Lost, 0));
    let RepairStep::Pack { read, instead, .. } = &plan.steps[0] else { panic!("{plan:?}") };
    assert_eq!(read.iter().map(|source| source.lane).collect::<Vec<_>>(), [0, 1, 2, 3]);
    assert_eq!(instead.iter().map(|source| source.lane).collect::<Vec<_>>(), [4]);
    let unreadable = plan_for(&[six_lanes(0)], &with_state(&six, &[1, 2, 3], TargetState::Down, 5));
    assert_eq!(unreadable.unreadable, [Subject::Pack(PackId(id(0)))]);
}

#[test]
fn without_room_to_settle_it_is_made_safe_and_says_so() {
    // Five lanes good; two providers have room for one lane each, and one lane makes it safe again.
    let six = topology(&[1; 6]);
    let rest = with_state(&six, &[0, 1], TargetState::Lost, 0);
    let rest = changed(&rest, &[2, 3, 4, 5], |view| view.free_bytes = Some(0));
    let rest = changed(&rest, &[2, 3], |view| view.free_bytes = Some(LANE_BYTES));
    let mut packs = [six_lanes(0)];
    let plan = plan_for(&packs, &rest);
    assert_eq!(plan.stuck.len(), 1);
    carry_out(&plan, &mut packs, &mut []);
    assert_eq!(pack_state(&packs[0], &rest), Ladder::Safe);
}

#[test]
fn objects_come_back_to_as_many_providers_as_asked() {
    let five = topology(&[1; 5]);
    let mut objects = [object(0, &[(0, 0), (0, 1), (0, 2)])];
    let policy = RepairPolicy { copies: 4, ..POLICY };
    let plan = repair(&[], &objects, &five, &policy, &Seed::new(1));
    carry_out(&plan, &mut [], &mut objects);
    assert_eq!(Spread::of_object(&objects[0], &five).held().count(), 4);
    // Down to two providers: two copies at each, under names of their own.
    let two = with_state(&five, &[2, 3, 4], TargetState::Lost, 0);
    let plan = repair(&[], &objects, &two, &policy, &Seed::new(1));
    carry_out(&plan, &mut [], &mut objects);
    let names: BTreeSet<_> = objects[0].copies.iter().map(|copy| (copy.target, copy.copy)).collect();
    assert_eq!(names.len(), objects[0].copies.len());
    assert!(Spread::of_object(&objects[0], &two).is_settled());
    assert_eq!(repair(&[], &objects, &two, &policy, &Seed::new(1)).steps, []);
}

#[test]
fn what_if_counts_what_a_provider_takes_along() {
    let six = topology(&[1; 6]);
    let mut weak = six_lanes(1);
    weak.lanes[0].state = MakeState::Bad;
    weak.lanes[1].state = MakeState::Bad;
    let (packs, objects) = ([six_lanes(0), weak], [object(2, &[(0, 4), (0, 5)])]);
    let today = what_if(&packs, &objects, &six, &BTreeSet::new());
    assert_eq!((today.packs.total, today.packs.below_safe, today.packs.unreadable), (2, 1, 0));
    assert_eq!(today.packs.margins, [1, 0, 1]);
    let without = what_if(&packs, &objects, &six, &BTreeSet::from([provider(5)]));
    assert_eq!((without.packs.unreadable, without.packs.below_safe, without.packs.below_settled), (1, 1, 2));
    assert_eq!((without.objects.unreadable, without.objects.below_safe), (0, 1));
    assert_eq!(without.packs.margins, [0, 1]);
    assert_eq!(six.target(target(5)).unwrap().state, TargetState::Up, "only a question");
}
