//! Old packs on new firms: nobody's share too large, no margin smaller, no lane of data gone.

use std::collections::{BTreeMap, BTreeSet};

use model::{
    Scheme,
    fleet::TargetState,
    id::{MakeId, ProviderId},
    units::ServiceTime,
};
use plan::{
    Aim, FillPolicy, Ladder, LaneView, Move, PackView, Spread, Stored, Topology, default_scheme, fill, pack_state,
    parity_for,
};
use proptest::prelude::{prop, prop_assert, prop_assert_eq, proptest};

use crate::world::{self, LANE_BYTES, Seed, cases, changed, lane, provider, target, with_state};

/// So many providers with one target each.
fn fleet(providers: usize) -> Topology {
    world::topology(&vec![1; providers])
}

/// A pack of the default scheme, dealt over the first `providers`.
fn pack(number: usize, providers: usize) -> PackView {
    let scheme = default_scheme(providers).unwrap();
    let lanes = (0..usize::from(scheme.lanes())).map(|lane| target((lane + number) % providers)).collect();
    world::pack(number, &plan::Placement { scheme, set: None, lanes })
}

fn stored(packs: &[PackView], topology: &Topology) -> Stored {
    let lanes = packs.iter().flat_map(|pack| pack.lanes.iter().map(|lane| (lane.target, pack.lane_bytes)));
    Stored::new(lanes.map(|(target, bytes)| (topology.target(target).unwrap().provider, bytes)))
}

fn done(pack: &PackView, step: &Move, round: u8) -> PackView {
    let mut after = pack.clone();
    after.lanes.retain(|lane| !step.drop.contains(&lane.make));
    let make = |number| MakeId([100 + number + round; 16]);
    after.lanes.extend(step.write.iter().map(|new| LaneView { make: make(new.lane), ..lane(new.lane, new.target) }));
    after
}

fn policy(providers: usize) -> FillPolicy {
    FillPolicy { wish: default_scheme(providers).unwrap(), bytes_max: u64::MAX }
}

/// Plans and does until nothing is due; how many lanes were written.
fn run(packs: &mut [PackView], topology: &Topology, policy: &FillPolicy) -> usize {
    let mut written = 0;
    for round in 0..60 {
        let mut known = stored(packs, topology);
        let moves = fill(packs, topology, &mut known, policy, &Seed::new(7));
        if moves.is_empty() {
            return written;
        }
        for step in &moves {
            let pack = packs.iter_mut().find(|pack| pack.id == step.pack).unwrap();
            written += step.write.len();
            *pack = done(pack, step, round);
        }
        assert_eq!(stored(packs, topology), known, "what a plan notes is what it does");
    }
    panic!("filling never ends");
}

fn held(pack: &PackView, topology: &Topology) -> BTreeMap<ProviderId, usize> {
    Spread::of_pack(pack, topology).held().collect()
}

#[test]
fn packs_of_two_firms_take_the_shape_of_six() {
    let topology = fleet(6);
    let mut packs: Vec<_> = (0..12).map(|number| pack(number, 2)).collect();
    assert_eq!(packs[0].lanes.len(), 10, "4+6");
    let written = run(&mut packs, &topology, &policy(6));
    for pack in &packs {
        assert_eq!(pack.lanes.len(), 6, "4+2");
        assert!(held(pack, &topology).values().all(|lanes| *lanes == 1));
        assert_eq!(Spread::of_pack(pack, &topology).margin(), Some(2));
    }
    assert_eq!(written, 12 * 4, "one lane stays at each of the old two");
}

#[test]
fn a_seventh_firm_gets_its_share_of_old_packs_and_then_it_ends() {
    let topology = fleet(7);
    let mut packs: Vec<_> = (0..70).map(|number| pack(number, 6)).collect();
    let before = stored(&packs, &topology);
    let written = run(&mut packs, &topology, &policy(7));
    let after = stored(&packs, &topology);
    assert_eq!(before.at(provider(6)), 0);
    let even = 70 * 6 * LANE_BYTES / 7;
    assert!((after.at(provider(6)) + 2 * LANE_BYTES) * 100 >= even * 80 && after.at(provider(6)) <= even, "{after:?}");
    assert_eq!(written as u64, after.at(provider(6)) / LANE_BYTES, "nothing else is moved");
    assert!(packs.iter().all(|pack| held(pack, &topology).values().all(|lanes| *lanes == 1)));
}

#[test]
fn nothing_moves_while_somebody_is_away_or_a_pack_is_not_verified() {
    let mut packs: Vec<_> = (0..4).map(|number| pack(number, 2)).collect();
    let away = with_state(&fleet(6), &[5], TargetState::Down, 1);
    assert_eq!(run(&mut packs, &away, &policy(6)), 0);
    packs.iter_mut().for_each(|pack| pack.lanes[3].proven = None);
    assert_eq!(run(&mut packs, &fleet(6), &policy(6)), 0);
    packs.iter_mut().for_each(|pack| pack.lanes[3].proven = Some(ServiceTime(1)));
    packs[0].held = true;
    run(&mut packs, &fleet(6), &policy(6));
    assert_eq!(packs.iter().filter(|pack| pack.lanes.len() == 10).count(), 1, "what is held stays where it is");
}

#[test]
fn a_full_cordoned_or_spent_firm_gets_nothing_and_a_plan_keeps_to_its_budget() {
    let full = changed(&fleet(7), &[6], |view| view.free_bytes = Some(LANE_BYTES - 1));
    let mut packs: Vec<_> = (0..30).map(|number| pack(number, 6)).collect();
    assert_eq!(run(&mut packs, &full, &policy(7)), 0);
    let cordoned = changed(&fleet(7), &[6], |view| view.cordoned = true);
    assert_eq!(run(&mut packs, &cordoned, &policy(7)), 0);
    let spent = changed(&fleet(7), &[6], |view| view.spent = true);
    assert_eq!(run(&mut packs, &spent, &policy(7)), 0, "what can wait does not use up what there is no budget for");
    let little = FillPolicy { bytes_max: 3 * LANE_BYTES, ..policy(7) };
    let topology = fleet(7);
    let moves = fill(&packs, &topology, &mut stored(&packs, &topology), &little, &Seed::new(1));
    assert_eq!(moves.len(), 3);
}

proptest! {
    #![proptest_config(cases(64))]

    #[test]
    fn whatever_grows_ends_verified_with_no_smaller_margin(
        olds in prop::collection::vec(2usize..=7, 1..20),
        more in 1usize..8,
    ) {
        let providers = olds.iter().copied().max().unwrap() + more;
        let topology = fleet(providers);
        let mut packs: Vec<_> = (0..).zip(&olds).map(|(number, old)| pack(number, *old)).collect();
        let before = packs.clone();
        run(&mut packs, &topology, &policy(providers));
        let wide = providers.min(7);
        for (before, after) in before.iter().zip(&packs) {
            prop_assert_eq!(pack_state(after, &topology), Ladder::Verified);
            let (old, new) = (Spread::of_pack(before, &topology), Spread::of_pack(after, &topology));
            prop_assert!(new.margin() >= old.margin());
            let lanes: BTreeSet<u8> = after.lanes.iter().map(|lane| lane.lane).collect();
            prop_assert!((0..after.k).all(|lane| lanes.contains(&lane)));
            let parity = parity_for(after.k, wide, Aim::Settled).unwrap();
            let least = Scheme::new(after.k, parity);
            let share = usize::from(least.lanes()).max(after.lanes.len()).div_ceil(wide);
            prop_assert!(held(after, &topology).values().all(|lanes| *lanes <= share), "{:?}", after);
        }
    }
}
