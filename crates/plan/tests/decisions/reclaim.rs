//! Nothing goes without a decision, a grace time and a budget.

use std::collections::BTreeSet;

use model::{
    fleet::TargetState,
    id::{MakeId, PackId, TargetId},
    pack::MakeState,
    units::ServiceTime,
};
use plan::{
    Doomed, Ladder, PackView, Topology, pack_state,
    reclaim::{Decision, Gate, Pause, Rest, Spent, Stays, Thing, delete_budget, reclaim, surplus},
};
use proptest::prelude::{any, prop, prop_assert, prop_assert_eq, proptest};

use crate::world::{Seed, cases, id, object, pack_at, target, topology, with_state};

const NOW: ServiceTime = ServiceTime(1_000_000);
const DECIDED: Option<Decision> = Some(Decision { at: ServiceTime(10), grace_s: 86_400 });

fn dead(number: usize, at: usize) -> Doomed<'static> {
    let thing = Thing::Lane { pack: PackId(id(number)), lane: 0, make: MakeId([0; 16]) };
    Doomed { thing, target: target(at), decision: DECIDED, held: false, rest: Rest::Dead }
}

fn gate(shards_in_all: u64) -> Gate {
    Gate { shards_in_all, ..Gate::default() }
}

proptest! {
    #![proptest_config(cases(1_000))]

    #[test]
    fn never_beyond_the_budget_and_never_what_is_undecided_or_held(
        kinds in prop::collection::vec((0u8..6, 0usize..6), 0..120),
        shards_in_all in 0u64..20_000,
        deleted_last_hour in 0u64..40,
        seed in any::<u64>(),
    ) {
        let seed = Seed::new(seed);
        let six = with_state(&topology(&[1; 6]), &[5], TargetState::Down, 9);
        let doomed: Vec<_> = kinds.iter().enumerate().map(|(number, (kind, at))| {
            let mut one = dead(number, *at);
            match kind {
                0 => one.decision = None,
                1 => one.held = true,
                2 => one.decision = Some(Decision { at: NOW, grace_s: 1 + seed.below(9) }),
                _ => (),
            }
            one
        }).collect();
        let gate = Gate { deleted_last_hour, ..gate(shards_in_all) };
        let plan = reclaim(&doomed, &six, NOW, &gate);
        let budget = delete_budget(shards_in_all);
        prop_assert!(plan.delete.len() as u64 <= budget.saturating_sub(deleted_last_hour));
        prop_assert_eq!(plan.delete.len() + plan.stays.len(), doomed.len());
        for (thing, at) in &plan.delete {
            let one = doomed.iter().find(|one| one.thing == *thing && one.target == *at).unwrap();
            prop_assert!(one.decision.is_some_and(|decision| decision.horizon() <= NOW) && !one.held);
            prop_assert!(*at != target(5), "nothing is deleted where nobody answers");
        }
        let clocks = Gate { clocks_disagree: true, ..gate.clone() };
        let rebuilt = Gate { unread_since_rebuild: BTreeSet::from([target(3)]), ..gate };
        for pause in [clocks, rebuilt] {
            let plan = reclaim(&doomed, &six, NOW, &pause);
            prop_assert!(plan.delete.is_empty() && plan.pause.is_some());
        }
    }

    #[test]
    fn surplus_makes_leave_a_verified_pack_of_no_less_margin(
        k in 1u8..6,
        lanes in prop::collection::vec((0u8..10, 0usize..6), 0..24),
    ) {
        let six = topology(&[1; 6]);
        let mut view = pack_at(0, k, &lanes);
        for (number, lane) in view.lanes.iter_mut().enumerate() {
            lane.make = MakeId([number as u8; 16]);
        }
        let before = plan::Spread::of_pack(&view, &six).margin();
        let going = surplus(&view, &six);
        prop_assert!(pack_state(&view, &six) == Ladder::Verified || going.is_empty());
        view.lanes.retain(|lane| !going.contains(&(lane.lane, lane.make, lane.target)));
        if !going.is_empty() {
            prop_assert_eq!(pack_state(&view, &six), Ladder::Verified);
            prop_assert!(plan::Spread::of_pack(&view, &six).margin() >= before);
        }
    }
}

#[test]
fn the_budget_is_sixteen_shards_or_half_a_percent() {
    for (shards, budget) in [(0, 16), (100, 16), (3_200, 16), (3_400, 17), (1_000_000, 5_000)] {
        assert_eq!(delete_budget(shards), budget);
    }
    let doomed: Vec<_> = (0..40).map(|number| dead(number, 0)).collect();
    let plan = reclaim(&doomed, &topology(&[1; 6]), NOW, &gate(100));
    assert_eq!(plan.delete.len(), 16);
    assert!(plan.stays.iter().all(|(.., why)| *why == Stays::OverBudget));
}

#[test]
fn the_last_hour_is_an_hour_of_service_time() {
    let mut spent = Spent::unknown(ServiceTime(100), 0);
    assert_eq!(spent.last_hour(ServiceTime(3_699)), 16, "after a restart nobody knows: the hour counts as spent");
    assert_eq!(spent.last_hour(ServiceTime(3_700)), 0);
    spent.note(ServiceTime(3_700), 5);
    spent.note(ServiceTime(3_800), 6);
    assert_eq!(spent.last_hour(ServiceTime(7_299)), 11);
    assert_eq!(spent.last_hour(ServiceTime(7_300)), 6);
}

#[test]
fn what_no_record_knows_is_reported() {
    let mut found = dead(1, 0);
    found.decision = None;
    let plan = reclaim(&[found], &topology(&[1; 6]), ServiceTime(u64::MAX), &gate(0));
    assert_eq!(plan.stays, [(found.thing, found.target, Stays::Undecided)]);
}

#[test]
fn after_a_rebuild_everything_waits_for_every_target_that_is_not_retired() {
    let six = topology(&[1; 6]);
    let unread = BTreeSet::from([target(2), TargetId([0xee; 16])]);
    let gate = Gate { unread_since_rebuild: unread, ..gate(0) };
    let retired = with_state(&six, &[2], TargetState::Retired, 0);
    assert_eq!(gate.pause(&six), Some(Pause::UnreadSinceRebuild(vec![target(2), TargetId([0xee; 16])])));
    assert_eq!(gate.pause(&retired), Some(Pause::UnreadSinceRebuild(vec![TargetId([0xee; 16])])));
    let lost = with_state(&six, &[2], TargetState::Lost, 0);
    let unread = Some(Pause::UnreadSinceRebuild(vec![target(2), TargetId([0xee; 16])]));
    assert_eq!(gate.pause(&lost), unread, "lost is not retired: a person decides");
}

/// Whether the make of lane 6 goes, after `change` to a pack that can do without it.
fn check_surplus(change: impl FnOnce(&mut PackView), topology: &Topology, goes: bool) {
    let mut view = pack_at(0, 4, &[(0, 0), (1, 1), (2, 2), (3, 3), (4, 4), (5, 5), (6, 0)]);
    change(&mut view);
    let thing = Thing::Lane { pack: view.id, lane: 6, make: MakeId([6; 16]) };
    let one = Doomed { thing, target: target(0), decision: DECIDED, held: false, rest: Rest::Pack(&view) };
    let plan = reclaim(&[one], topology, NOW, &gate(0));
    assert_eq!(plan.delete.len(), usize::from(goes), "{:?}", plan.stays);
}

#[test]
fn a_surplus_lane_goes_only_when_the_rest_is_verified() {
    let six = topology(&[1; 6]);
    check_surplus(|_| (), &six, true);
    check_surplus(|view| view.lanes.truncate(6), &six, true);
    check_surplus(|view| view.lanes[3].proven = None, &six, false);
    check_surplus(|view| view.lanes[3].state = MakeState::Bad, &six, false);
    check_surplus(|_| (), &with_state(&six, &[4], TargetState::Down, 1), false);
    let view = pack_at(0, 4, &[(0, 0), (1, 1), (2, 2), (3, 3), (4, 4), (5, 5), (6, 0)]);
    assert_eq!(surplus(&view, &six), [(6, MakeId([6; 16]), target(0))]);
    for away in [TargetState::Down, TargetState::Suspect] {
        let eight = topology(&[1; 8]);
        assert_eq!(surplus(&view, &eight).len(), 1);
        assert_eq!(
            surplus(&view, &with_state(&eight, &[7], away, 1)),
            [],
            "nothing is too much while somebody is away"
        );
    }
    let full = pack_at(0, 4, &[(0, 0), (1, 1), (2, 2), (3, 3), (4, 4), (5, 5)]);
    assert_eq!(surplus(&full, &six), []);
}

#[test]
fn two_makes_that_can_each_go_do_not_both_go() {
    // Either of lanes 6 and 5 is dispensable, both are not.
    let six = topology(&[1; 6]);
    let view = pack_at(0, 4, &[(0, 0), (1, 1), (2, 2), (3, 3), (4, 4), (5, 5), (6, 5)]);
    let doom = |lane: u8| Doomed {
        thing: Thing::Lane { pack: view.id, lane, make: MakeId([lane; 16]) },
        target: target(5),
        decision: DECIDED,
        held: false,
        rest: Rest::Pack(&view),
    };
    assert_eq!(reclaim(&[doom(5), doom(6)], &six, NOW, &gate(0)).delete, []);
    assert_eq!(reclaim(&[doom(6)], &six, NOW, &gate(0)).delete.len(), 1);
}

#[test]
fn a_fourth_copy_goes_when_three_stand() {
    let six = topology(&[1; 6]);
    for (copies, goes) in [(&[(0, 0), (0, 1), (0, 2), (1, 2)][..], 1), (&[(0, 0), (0, 1), (1, 2)], 0)] {
        let view = object(0, copies);
        let thing = Thing::Copy { object: view.id, copy: 1 };
        let one = Doomed { thing, target: target(2), decision: DECIDED, held: false, rest: Rest::Object(&view) };
        assert_eq!(reclaim(&[one], &six, NOW, &gate(0)).delete.len(), goes, "{copies:?}");
    }
}
