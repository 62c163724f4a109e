//! Leaving a firm: what moves and what it costs, an honest forecast, and what counts as a proof.

use model::{Class, fleet::TargetState, id::ProviderId, pack::MakeState};
use plan::{
    Ahead, Aim, Error, Forecast, PackView, Proof, RepairPolicy, RepairStep, Spread, Topology, Unproven,
    budget::Narrow,
    evacuate::{Evidence, Help, Pace, ahead, forecast, may_leave, object_stands, prove_object, prove_pack},
    place,
    reclaim::surplus,
    repair,
};

use crate::world::{LANE_BYTES, Seed, changed, lane, object, pack, topology, wish, with_state};

const POLICY: RepairPolicy =
    RepairPolicy { aim: Aim::Settled, copies: 3, down_wait_s: 3_600, bytes_max: u64::MAX, steps_max: usize::MAX };

fn leaving(topology: &Topology, numbers: &[usize]) -> Topology {
    changed(topology, numbers, |view| view.leaving = true)
}

fn packs(count: usize, topology: &Topology, seed: &Seed) -> Vec<PackView> {
    (0..count).map(|number| pack(number, &place(&wish(4, 2), topology, None, seed).unwrap())).collect()
}

fn ahead_of(packs: &[PackView], topology: &Topology) -> Ahead {
    ahead(packs, &[], topology, (Aim::Settled, 3), &Seed::new(9))
}

fn settled(pack: &PackView, topology: &Topology) -> bool {
    Spread::of_pack(pack, topology).is_settled()
}

/// Does what a plan says; how many lanes of each pack the leaving firm could serve.
fn carry_out(packs: &mut [PackView], topology: &Topology) -> usize {
    let plan = repair(packs, &[], &topology.staying(), &POLICY, &Seed::new(5));
    assert!(plan.stuck.is_empty() && plan.unreadable.is_empty() && plan.waiting.is_empty(), "{plan:?}");
    let steps = plan.steps.len();
    for step in plan.steps {
        let RepairStep::Pack { pack: id, write, .. } = step else { continue };
        let view = packs.iter_mut().find(|view| view.id == id).unwrap();
        view.lanes.extend(write.iter().map(|new| lane(new.lane, new.target)));
    }
    steps
}

#[test]
fn a_leaving_firm_is_read_and_counts_today_but_not_for_where_packs_must_stand() {
    let (fleet, seed) = (topology(&[1; 6]), Seed::new(1));
    let leaves = leaving(&fleet, &[2]);
    let mut packs = packs(50, &fleet, &seed);
    assert!(packs.iter().all(|pack| settled(pack, &leaves)), "nothing is worse for the order");
    assert!(packs.iter().all(|pack| !settled(pack, &leaves.staying())));
    assert_eq!(leaves.healthy_providers().len(), 5, "what is written now stands on five");
    let before = packs.clone();
    assert_eq!(carry_out(&mut packs, &leaves), 50);
    for (old, new) in before.iter().zip(&packs) {
        assert!(settled(new, &leaves.staying()) && new.lanes.starts_with(&old.lanes), "nothing was taken away");
        let there = leaves.targets().nth(2).unwrap().id;
        assert!(new.lanes[old.lanes.len()..].iter().all(|lane| lane.target != there), "and nothing put there");
        // The lane that the leaving firm holds comes first: it is copied, not made.
        let left = old.lanes.iter().find(|lane| lane.target == there).unwrap();
        assert!(new.lanes[old.lanes.len()..].iter().any(|lane| lane.lane == left.lane));
        assert_eq!(surplus(new, &leaves), [], "while the order stands nothing is surplus");
    }
    assert_eq!(ahead_of(&packs, &leaves), Ahead::default());
    assert_eq!(carry_out(&mut packs, &leaves), 0);
}

#[test]
fn copying_costs_less_than_making_and_a_firm_that_vanishes_changes_the_forecast_only() {
    // Six lanes on eight firms: a lane has somewhere else to go, and nothing but the copy is needed.
    let (fleet, seed) = (topology(&[1; 8]), Seed::new(2));
    let packs = packs(40, &fleet, &seed);
    let leaves = leaving(&fleet, &[0]);
    let copied = ahead_of(&packs, &leaves);
    let gone = ahead_of(&packs, &with_state(&leaves, &[0], TargetState::Down, 0));
    assert!((10..40).contains(&copied.packs) && gone.packs == copied.packs, "{copied:?}");
    assert_eq!(copied.bytes, copied.packs * 3 * LANE_BYTES, "read once, written, read back");
    assert_eq!((copied.copied_bytes, gone.copied_bytes), (copied.packs * LANE_BYTES, 0));
    assert_eq!(gone.bytes, gone.packs * (4 + 2) * LANE_BYTES, "from four others");
    let mut rest = packs;
    carry_out(&mut rest, &with_state(&leaves, &[0], TargetState::Down, 0));
    assert!(rest.iter().all(|pack| settled(pack, &leaves.staying())));
}

#[test]
fn the_last_two_firms_are_not_left() {
    let fleet = topology(&[2, 1, 1]);
    assert_eq!(may_leave(&leaving(&fleet, &[0])), Ok(()), "one of two servers of a firm");
    assert_eq!(may_leave(&leaving(&fleet, &[2])), Ok(()));
    for gone in [&[2, 3][..], &[0, 1, 2], &[0, 1, 2, 3]] {
        let error = may_leave(&leaving(&fleet, gone)).unwrap_err();
        assert!(matches!(error, Error::LastProviders { .. }) && error.class() == Class::Refused, "{error}");
    }
    let one_lost = with_state(&fleet, &[3], TargetState::Lost, 0);
    assert_eq!(may_leave(&leaving(&one_lost, &[2])), Err(Error::LastProviders { left: 1 }));
}

/// Four firms stay, and nothing was seen yet.
const PACE: Pace =
    Pace { bytes_per_s: None, allowed: None, left_s: 0, staying: 4, k: 4, leaving: None, staying_at: None };

#[test]
fn a_firm_whose_budget_is_the_narrow_place_makes_it_longer_and_is_named() {
    let ahead = Ahead { packs: 10, bytes: 1_000_000, copied_bytes: 300_000, ..Ahead::default() };
    let (slow, other) = (ProviderId([1; 16]), ProviderId([2; 16]));
    // The leaving firm serves 300,000 bytes at 100 a second, however fast the others are.
    let narrow = Narrow { provider: slow, bytes_per_s: 100, firms: 1 };
    let leaving = Pace { bytes_per_s: Some(1_000), leaving: Some(narrow), left_s: 5_000, ..PACE };
    assert_eq!(forecast(&ahead, 0, &leaving), Forecast::InTime { seconds: 3_000 });
    let stuck = Ahead { stuck: 1, ..ahead };
    assert_eq!(forecast(&stuck, 0, &leaving), Forecast::Unknown, "nobody knows when there will be a place for it");
    let late = forecast(&ahead, 500_000, &Pace { left_s: 1_500, ..leaving });
    let help = Help { bandwidth_percent: Some(200), budget_of: Some(slow), rebuilding_s: Some(1_500), safe_s: 1_500 };
    assert_eq!(late, Forecast::Late { seconds: 3_000, late_s: 1_500, help }, "others can make a part of it meanwhile");
    // One of those that stay: a quarter of the other 700,000 bytes, at 50 a second. To make more there presses it harder.
    let narrow = Narrow { provider: other, bytes_per_s: 50, firms: 4 };
    let staying = Pace { bytes_per_s: Some(1_000), staying_at: Some(narrow), left_s: 700, ..PACE };
    let late = forecast(&ahead, 0, &staying);
    let help = Help { bandwidth_percent: Some(500), budget_of: Some(other), rebuilding_s: None, safe_s: 0 };
    assert_eq!(late, Forecast::Late { seconds: 3_500, late_s: 2_800, help });
    assert!(!late.from_others(0, &staying));
    // A budget that is wide enough is nobody's trouble; one that the pace was seen to keep to is named.
    for (bytes_per_s, named) in [(1_000, None), (190, Some(other))] {
        let pace = Pace { staying_at: Some(Narrow { bytes_per_s, ..narrow }), left_s: 10, ..staying };
        let Forecast::Late { seconds: 1_000, help, .. } = forecast(&ahead, 0, &pace) else { panic!("{bytes_per_s}") };
        assert_eq!(help.budget_of, named, "{bytes_per_s}");
    }
    // Before anything moved the budget is what is hoped for.
    let hoped = Pace { leaving: Some(Narrow { provider: slow, bytes_per_s: 100, firms: 1 }), left_s: 9_000, ..PACE };
    assert_eq!(forecast(&ahead, 0, &hoped), Forecast::InTime { seconds: 3_000 });
}

#[test]
fn the_forecast_is_honest_and_says_what_would_help() {
    let ahead = Ahead { packs: 10, bytes: 1_000_000, copied_bytes: 300_000, ..Ahead::default() };
    let pace = |rate: u64, allowed, left_s| Pace { bytes_per_s: Some(rate), allowed, left_s, ..PACE };
    assert_eq!(forecast(&ahead, 0, &pace(1_000, None, 1_000)), Forecast::InTime { seconds: 1_000 });
    let late = forecast(&ahead, 400_000, &pace(1_000, None, 250));
    let help = Help { bandwidth_percent: Some(400), budget_of: None, rebuilding_s: Some(500), safe_s: 400 };
    assert_eq!(late, Forecast::Late { seconds: 1_000, late_s: 750, help });
    // Four of eight packs come from the others then.
    let from_others = (0..80).filter(|number| late.from_others(*number, &pace(1_000, None, 250))).count();
    assert_eq!(from_others, 40);
    // At the limit making lanes from others costs more of what is short already.
    let bound = forecast(&ahead, 400_000, &pace(950, Some(1_000), 250));
    assert!(matches!(bound, Forecast::Late { help: Help { rebuilding_s: None, .. }, .. }), "{bound:?}");
    assert!(!bound.from_others(0, &pace(950, Some(1_000), 250)));
    // The date is over: no bandwidth helps, and it says by how much.
    let over = forecast(&ahead, 0, &pace(1_000, None, -50));
    assert!(
        matches!(over, Forecast::Late { late_s: 1_050, help: Help { bandwidth_percent: None, .. }, .. }),
        "{over:?}"
    );
    let unknown = Pace { left_s: 5, ..PACE };
    assert_eq!(forecast(&ahead, 0, &unknown), Forecast::Unknown);
    assert_eq!(forecast(&Ahead::default(), 0, &unknown), Forecast::InTime { seconds: 0 });
}

#[test]
fn a_pack_is_proven_by_what_was_read_or_listed_and_by_nothing_less() {
    let (fleet, seed) = (topology(&[1; 6]), Seed::new(3));
    let leaves = leaving(&fleet, &[5]);
    let mut moved = packs(1, &fleet, &seed);
    assert_eq!(prove_pack(&moved[0], &leaves.staying(), |_| Evidence::Read), Err(Unproven::Unsettled));
    carry_out(&mut moved, &leaves);
    let pack = &moved[0];
    let prove = |evidence: &dyn Fn(u8) -> Evidence| prove_pack(pack, &leaves.staying(), |lane| evidence(lane.lane));
    assert_eq!(prove(&|_| Evidence::Read), Ok(Proof::Read));
    assert_eq!(prove(&|lane| if lane == 0 { Evidence::Listing } else { Evidence::Read }), Ok(Proof::Listing));
    assert_eq!(
        prove(&|lane| if lane == 0 { Evidence::None } else { Evidence::Read }),
        Err(Unproven::Unread { makes: 1 })
    );
    // What the leaving firm holds proves nothing, nor does a make that was found bad.
    let mut bad = pack.clone();
    bad.lanes.iter_mut().filter(|lane| lane.lane == 1).for_each(|lane| lane.state = MakeState::Bad);
    assert_eq!(prove_pack(&bad, &leaves.staying(), |_| Evidence::Read), Err(Unproven::Unsettled));

    let three = object(1, &[(0, 0), (0, 1), (0, 2)]);
    assert!(object_stands(&three, 3, &leaves.staying()));
    assert_eq!(prove_object(&three, &leaves.staying(), |_| Evidence::Listing), Ok(Proof::Listing));
    let two = object(2, &[(0, 0), (0, 1), (0, 5)]);
    assert_eq!(prove_object(&two, &leaves.staying(), |_| Evidence::Read), Err(Unproven::Unsettled));
}

#[test]
fn ten_thousand_packs_are_planned_again_at_once() {
    let (fleet, seed) = (topology(&[3; 6]), Seed::new(4));
    let packs = packs(10_000, &fleet, &seed);
    let leaves = leaving(&fleet, &[0, 1, 2]);
    let policy = RepairPolicy { bytes_max: 8 << 30, steps_max: 256, ..POLICY };
    let best_ms = (0..3)
        .map(|_| {
            let before_ns = worked_ns();
            let plan = repair(&packs, &[], &leaves.staying(), &policy, &seed);
            let ahead = ahead_of(&packs, &leaves);
            assert_eq!((ahead.packs, plan.steps.len() + plan.deferred), (10_000, 10_000));
            (worked_ns() - before_ns) / 1_000_000
        })
        .min()
        .unwrap();
    println!("10,000 packs: {best_ms} ms of a core");
    // What is promised is 100 ms, of code that is optimised as it is shipped; the rest is for slower machines and builds.
    assert!(best_ms < 400, "{best_ms} ms");
}

/// How long this thread has worked, in nanoseconds: others that are busy on the same machine do not count.
#[allow(clippy::disallowed_methods, reason = "a test, which measures itself")]
fn worked_ns() -> u64 {
    let told = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    told.split(' ').next().and_then(|first| first.parse().ok()).unwrap_or(0)
}
