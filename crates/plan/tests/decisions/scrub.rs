//! What is looked at, sampled and read back next, and what is left to repair.

use std::collections::BTreeSet;

use model::{fleet::TargetState, pack::MakeState, units::ServiceTime};
use plan::{
    Scrub, ScrubPolicy, ScrubStep, scrub,
    scrub::{draw_blocks, rung_is_due},
};

use crate::world::{LANE_BYTES, Seed, changed, object, pack_at, topology, with_state};

const ALL: ScrubPolicy = ScrubPolicy { again_after_s: 0, bytes_max: u64::MAX };

fn lanes(plan: &Scrub) -> Vec<(u8, u8)> {
    let number = |step: &ScrubStep| match step {
        ScrubStep::Lane { pack, lane, .. } => (pack.0[15] - 1, *lane),
        ScrubStep::Copy { object, copy, .. } => (object.0[15] - 1, *copy),
    };
    plan.steps.iter().map(number).collect()
}

#[test]
fn suspects_by_margin_then_the_oldest_proof() {
    let six = topology(&[1; 6]);
    let mut strong = pack_at(0, 2, &[(0, 0), (1, 1), (2, 2), (3, 3)]);
    let mut weak = pack_at(1, 2, &[(0, 0), (1, 1), (2, 2)]);
    strong.lanes[3].state = MakeState::Suspect;
    weak.lanes[2].state = MakeState::Suspect;
    strong.lanes[0].proven = None;
    strong.lanes[1].proven = Some(ServiceTime(9));
    weak.lanes[0].state = MakeState::Bad;
    let mut names = object(2, &[(7, 4)]);
    names.copies[0].proven = Some(ServiceTime(4));
    let down = with_state(&six, &[2], TargetState::Suspect, 5);
    let plan = scrub(&[strong, weak], &[names], &down, ServiceTime(100), &ALL);
    // The weak pack first; bad makes never; then never read; then by age.
    assert_eq!(lanes(&plan), [(1, 2), (0, 2), (0, 3), (0, 0), (1, 1), (2, 7), (0, 1)]);
    assert_eq!(plan.bytes, 6 * LANE_BYTES + 4_096);
}

#[test]
fn young_proofs_and_targets_that_are_away_are_left_alone() {
    let mut view = pack_at(0, 2, &[(0, 0), (1, 1), (2, 2)]);
    view.lanes[0].proven = Some(ServiceTime(950));
    let away = with_state(&topology(&[1; 3]), &[1], TargetState::Down, 5);
    let policy = ScrubPolicy { again_after_s: 100, ..ALL };
    assert_eq!(lanes(&scrub(&[view], &[], &away, ServiceTime(1_000), &policy)), [(0, 2)]);
}

#[test]
fn a_firm_whose_budget_is_used_up_is_read_for_a_doubt_or_a_person_only() {
    let mut view = pack_at(0, 2, &[(0, 0), (1, 1), (2, 2)]);
    view.lanes[2].state = MakeState::Suspect;
    let spent = changed(&topology(&[1; 3]), &[1, 2], |view| view.spent = true);
    let policy = ScrubPolicy { again_after_s: 100, ..ALL };
    let plan = scrub(std::slice::from_ref(&view), &[], &spent, ServiceTime(1_000), &policy);
    assert_eq!(lanes(&plan), [(0, 2), (0, 0)]);
    assert_eq!(scrub(&[view], &[], &spent, ServiceTime(1_000), &ALL).steps.len(), 3);
}

#[test]
fn the_byte_budget_defers_but_lets_one_through() {
    let view = pack_at(0, 2, &[(0, 0), (1, 1), (2, 2)]);
    for (bytes_max, planned) in [(0, 1), (LANE_BYTES * 2, 2), (u64::MAX, 3)] {
        let plan = scrub(
            std::slice::from_ref(&view),
            &[],
            &topology(&[1; 3]),
            ServiceTime(9),
            &ScrubPolicy { bytes_max, ..ALL },
        );
        assert_eq!((plan.steps.len(), plan.deferred), (planned, 3 - planned));
    }
}

#[test]
fn a_sample_is_of_the_lane_ascending_and_sees_all_in_the_end() {
    let entropy = Seed::new(5);
    for (blocks, wanted, drawn) in [(0, 4, 0), (3, 4, 3), (4, 4, 4), (1_000, 4, 4)] {
        let found = draw_blocks(blocks, wanted, &entropy);
        assert_eq!(found.len(), drawn, "{blocks}");
        assert!(found.is_sorted() && found.iter().all(|block| *block < blocks), "{found:?}");
    }
    let seen: BTreeSet<_> = (0..200).flat_map(|_| draw_blocks(20, 4, &entropy)).collect();
    assert_eq!(seen.len(), 20);
}

#[test]
fn a_rung_has_its_turn_once_in_its_time() {
    let since = ServiceTime(50);
    assert!(!rung_is_due(since, ServiceTime(149), 100) && rung_is_due(since, ServiceTime(150), 100));
    assert!(!rung_is_due(since, ServiceTime(7), 100), "a clock that was set back makes nothing due");
}
