//! No placement ever breaks the constraint, and what cannot be placed says what is missing.

use std::collections::{BTreeMap, BTreeSet};

use model::{
    Class, Scheme,
    fleet::TargetState,
    id::{ProviderId, TargetId},
};
use plan::{
    Aim, Error, Sets, Spread, Topology, Wish, object_state, pack_state, place, place_added, place_copies, scheme_now,
    spares,
};
use proptest::prelude::{any, prop, prop_assert, prop_assert_eq, proptest};

use crate::world::{
    LANE_BYTES, Seed, cases, changed, copy, object, pack, pack_at, provider, target, targets, topology, wish,
    with_state,
};

/// A topology in any condition: states, cordons and room by chance.
fn any_topology(counts: &[usize], seed: &Seed) -> Topology {
    Topology::new(targets(counts).into_iter().map(|mut view| {
        view.state = match seed.below(12) {
            0 => TargetState::Down,
            1 => TargetState::Suspect,
            2 => TargetState::Lost,
            3 => TargetState::Retired,
            _ => TargetState::Up,
        };
        view.cordoned = seed.below(10) == 0;
        view.free_bytes = (seed.below(3) > 0).then(|| seed.below(12) * LANE_BYTES);
        view
    }))
}

fn lanes_by<T: Ord>(lanes: &[TargetId], key: impl Fn(TargetId) -> T) -> BTreeMap<T, u64> {
    let mut counts = BTreeMap::new();
    for lane in lanes {
        *counts.entry(key(*lane)).or_default() += 1;
    }
    counts
}

fn provider_of(topology: &Topology, at: TargetId) -> ProviderId {
    topology.target(at).unwrap().provider
}

proptest! {
    #![proptest_config(cases(3_000))]

    #[test]
    fn no_placement_breaks_the_constraint(
        counts in prop::collection::vec(1usize..5, 1..9),
        k in 1u8..13,
        m in 0u8..7,
        economy in any::<bool>(),
        seed in any::<u64>(),
    ) {
        let seed = Seed::new(seed);
        let topology = any_topology(&counts, &seed);
        let wish = Wish { aim: if economy { Aim::Safe } else { Aim::Settled }, ..wish(k, m) };
        match place(&wish, &topology, None, &seed) {
            Ok(placement) => {
                prop_assert_eq!(placement.scheme.k, k);
                prop_assert!(placement.scheme.m >= m && placement.scheme.lanes() <= Scheme::LANES_MAX);
                prop_assert_eq!(placement.lanes.len(), usize::from(placement.scheme.lanes()));
                let view = pack(0, &placement);
                prop_assert!(Spread::of_pack(&view, &topology).reaches(wish.aim));
                for (at, lanes) in lanes_by(&placement.lanes, |at| at) {
                    let room = topology.target(at).unwrap();
                    prop_assert!(room.takes(LANE_BYTES), "only up, open, with room");
                    prop_assert!(room.free_bytes.is_none_or(|free| free >= lanes * LANE_BYTES));
                }
            }
            Err(Error::TooFewProviders { shortage }) => {
                prop_assert_eq!(shortage.open, topology.open_providers(LANE_BYTES).len());
                prop_assert!(shortage.open < 2);
            }
            Err(error) => {
                let measured = topology.targets().any(|target| target.free_bytes.is_some());
                prop_assert!(measured, "only for lack of room: {error}");
            }
        }
    }

    #[test]
    fn with_room_the_spread_is_even_and_parity_the_fewest(
        counts in prop::collection::vec(1usize..6, 2..9),
        k in 1u8..13,
        seed in any::<u64>(),
    ) {
        let seed = Seed::new(seed);
        let topology = topology(&counts);
        let placement = place(&wish(k, 0), &topology, None, &seed).unwrap();
        prop_assert_eq!(Ok(placement.scheme.m), plan::parity_for(k, counts.len(), Aim::Settled));
        let per_provider = lanes_by(&placement.lanes, |at| provider_of(&topology, at));
        let most = per_provider.values().max().unwrap();
        let fewest = if per_provider.len() < counts.len() { &0 } else { per_provider.values().min().unwrap() };
        prop_assert!(most - fewest <= 1);
        for (at, lanes) in lanes_by(&placement.lanes, |at| at) {
            let owner = provider_of(&topology, at);
            let targets = topology.targets().filter(|target| target.provider == owner).count() as u64;
            prop_assert!(lanes <= per_provider[&owner].div_ceil(targets), "no target doubles while another is free");
        }
    }

    #[test]
    fn every_spare_keeps_the_constraint(
        counts in prop::collection::vec(1usize..4, 2..8),
        lane in 0u8..8,
        seed in any::<u64>(),
    ) {
        let seed = Seed::new(seed);
        let topology = any_topology(&counts, &seed);
        let wish = wish(4, 2);
        if let Ok(placement) = place(&wish, &topology, None, &seed) {
            for spare in spares(&placement, lane, &wish, &topology) {
                let mut moved = placement.clone();
                if let Some(at) = moved.lanes.get_mut(usize::from(lane)) {
                    *at = spare;
                }
                prop_assert!(Spread::of_pack(&pack(0, &moved), &topology).is_settled());
            }
        }
    }

    #[test]
    fn copies_are_settled_and_safe_after_the_first_two(
        counts in prop::collection::vec(1usize..4, 2..8),
        wanted in 1usize..6,
        seed in any::<u64>(),
    ) {
        let seed = Seed::new(seed);
        let topology = topology(&counts);
        let places = place_copies(wanted, 4_096, &topology, &seed).unwrap();
        let mut view = object(0, &[]);
        view.copies = places.iter().map(|place| copy(place.copy, place.target)).collect();
        prop_assert!(Spread::of_object(&view, &topology).is_settled());
        prop_assert_eq!(places.iter().collect::<BTreeSet<_>>().len(), places.len(), "a name of its own for each copy");
        let providers = places.iter().map(|place| provider_of(&topology, place.target)).collect::<BTreeSet<_>>();
        prop_assert!(providers.len() >= wanted.min(counts.len()));
        view.copies.truncate(2);
        prop_assert!(Spread::of_object(&view, &topology).is_safe());
    }
}

proptest! {
    #![proptest_config(cases(400))]

    #[test]
    fn added_lanes_settle_a_pack_and_are_the_fewest(
        k in 1u8..4,
        providers in 2usize..5,
        lanes in prop::collection::vec((0u8..6, 0usize..4), 0..8),
        seed in any::<u64>(),
    ) {
        let topology = topology(&vec![2; providers]);
        let lanes: Vec<_> = lanes.into_iter().map(|(lane, at)| (lane, at % providers * 2)).collect();
        let view = pack_at(0, k, &lanes);
        let added = place_added(&view, Aim::Settled, &topology, &Seed::new(seed)).unwrap();
        let mut spread_lanes: Vec<(u8, ProviderId)> =
            lanes.iter().map(|(lane, at)| (*lane, provider_of(&topology, target(*at)))).collect();
        if let Some(fewer) = added.len().checked_sub(1) {
            prop_assert!(!some_makes_settle(k, &mut spread_lanes, providers, fewer.min(3)), "fewer would do");
        }
        spread_lanes.extend(added.iter().map(|new| (new.lane, provider_of(&topology, new.target))));
        prop_assert!(Spread::new(k, spread_lanes).is_settled());
    }
}

/// Whether any `count` further makes, of old lanes or new ones, settle the pack.
fn some_makes_settle(k: u8, lanes: &mut Vec<(u8, ProviderId)>, providers: usize, count: usize) -> bool {
    if Spread::new(k, lanes.iter().copied()).is_settled() {
        return true;
    }
    count > 0
        && (0..10).flat_map(|lane| (0..providers).map(move |at| (lane, provider(at)))).any(|make| {
            lanes.push(make);
            let settles = some_makes_settle(k, lanes, providers, count - 1);
            lanes.pop();
            settles
        })
}

#[test]
fn parity_grows_when_providers_are_away() {
    let six = topology(&[1; 6]);
    for (away, m) in [(&[][..], 2), (&[0], 3), (&[0, 1], 3), (&[0, 1, 2], 4), (&[0, 1, 2, 3], 6)] {
        let now = with_state(&six, away, TargetState::Down, 9);
        let placement = place(&wish(4, 2), &now, None, &Seed::new(1)).unwrap();
        assert_eq!(placement.scheme, Scheme::new(4, m));
        assert_eq!(scheme_now(Scheme::new(4, 2), 6 - away.len(), Aim::Settled), Ok(placement.scheme));
    }
    let one_left = with_state(&six, &[0, 1, 2, 3, 4], TargetState::Down, 9);
    let error = place(&wish(4, 2), &one_left, None, &Seed::new(1)).unwrap_err();
    assert_eq!(error.class(), Class::Retry);
    assert!(error.to_string().contains("1 of 6 providers take shards now, 5 down or suspect"), "{error}");
}

#[test]
fn a_full_provider_costs_parity_and_full_providers_are_refused() {
    let four = changed(&topology(&[1; 4]), &[3], |view| view.free_bytes = Some(LANE_BYTES));
    let placement = place(&wish(8, 4), &four, None, &Seed::new(1)).unwrap();
    assert_eq!(lanes_by(&placement.lanes, |at| at)[&target(3)], 1);
    let full = changed(&four, &[1, 2, 3], |view| view.free_bytes = Some(LANE_BYTES));
    let error = place(&wish(8, 4), &full, None, &Seed::new(1)).unwrap_err();
    assert_eq!(error.class(), Class::Exhausted);
    assert!(error.to_string().contains("add room"), "{error}");
}

#[test]
fn a_new_lane_prefers_what_was_lost_and_a_fresh_provider() {
    let seven = with_state(&topology(&[1; 7]), &[2], TargetState::Lost, 9);
    let view = pack_at(0, 4, &[(0, 0), (1, 1), (2, 2), (3, 3), (4, 4), (5, 5)]);
    let added = place_added(&view, Aim::Settled, &seven, &Seed::new(1)).unwrap();
    assert_eq!(added, [plan::NewLane { lane: 2, target: target(6) }]);
    // A parity lane that was lost comes before one that never was.
    let view = pack_at(0, 4, &[(0, 0), (1, 1), (8, 2), (2, 3), (3, 4), (5, 5)]);
    let added = place_added(&view, Aim::Settled, &seven, &Seed::new(1)).unwrap();
    assert_eq!(added, [plan::NewLane { lane: 8, target: target(6) }]);
}

#[test]
fn when_all_lane_numbers_are_used_a_second_make_helps() {
    // Thirty lanes at one provider, two at the other, twelve data lanes: eleven more are needed there, of no new number.
    let two = topology(&[4, 4]);
    let lanes: Vec<(u8, usize)> = (0..32).map(|lane| (lane, if lane < 30 { 0 } else { 4 })).collect();
    let view = pack_at(0, 12, &lanes);
    let added = place_added(&view, Aim::Settled, &two, &Seed::new(1)).unwrap();
    assert_eq!(added.len(), 11);
    let mut after = view;
    after.lanes.extend(added.iter().map(|new| crate::world::lane(new.lane, new.target)));
    assert!(pack_state(&after, &two) >= plan::Ladder::Settled);
}

#[test]
fn free_room_draws_lanes_in_proportion() {
    let uneven = Topology::new(targets(&[2; 3]).into_iter().enumerate().map(|(number, mut view)| {
        view.free_bytes = Some(if number % 2 == 0 { 9 << 40 } else { 1 << 40 });
        view
    }));
    let seed = Seed::new(4);
    let mut roomy = 0;
    for _ in 0..1_000 {
        let placement = place(&wish(2, 1), &uneven, None, &seed).unwrap();
        // 2+1 would not be settled on three providers. Its first three lanes lie at one provider each.
        assert_eq!(placement.scheme, Scheme::new(2, 3));
        roomy += placement.lanes.iter().take(3).filter(|at| [target(0), target(2), target(4)].contains(at)).count();
    }
    assert!((2_600..2_800).contains(&roomy), "{roomy} of 3000");
}

#[test]
fn sets_on_a_small_fleet_are_the_fleet() {
    let six = topology(&[1; 6]);
    let sets = Sets::generate(1, Scheme::new(4, 2), &six, &Seed::new(1)).unwrap();
    assert_eq!(sets.sets.len(), 1);
    assert!(!sets.is_stale(&six));
    let placement = place(&wish(4, 2), &six, Some(&sets), &Seed::new(2)).unwrap();
    assert_eq!(placement.set, Some(0));
    let degraded = with_state(&six, &[3], TargetState::Down, 9);
    assert!(sets.is_stale(&degraded));
    assert!(!sets.is_stale(&degraded.expected()), "who is merely away keeps the sets as they are");
    let placement = place(&wish(4, 2), &degraded, Some(&sets), &Seed::new(2)).unwrap();
    assert_eq!((placement.set, placement.scheme), (None, Scheme::new(4, 3)), "an exception rather than a refusal");
    assert!(Sets::generate(1, Scheme::new(4, 2), &topology(&[4]), &Seed::new(1)).is_err());
}

#[test]
fn the_same_chance_gives_the_same_answers() {
    let fleet = topology(&[5, 4, 3, 2, 2, 2, 9, 9]);
    let run = || {
        let seed = Seed::new(77);
        let sets = Sets::generate(1, Scheme::new(10, 4), &fleet, &seed).unwrap();
        let placements: Vec<_> = (0..50).map(|_| place(&wish(10, 4), &fleet, Some(&sets), &seed).unwrap()).collect();
        (sets, placements)
    };
    assert_eq!(run(), run());
}

#[test]
fn two_providers_hold_two_copies_each() {
    let two = topology(&[1, 1]);
    let wanted = plan::copies_for(Scheme::new(4, 6), 2).unwrap();
    let places = place_copies(wanted, 4_096, &two, &Seed::new(1)).unwrap();
    let view =
        object(0, &places.iter().map(|place| (place.copy, usize::from(place.target == target(1)))).collect::<Vec<_>>());
    assert_eq!(places.len(), 4);
    assert_eq!(object_state(&view, &two), plan::Ladder::Verified);
    assert_eq!(place_copies(3, 4_096, &topology(&[3]), &Seed::new(1)).unwrap_err().class(), Class::Refused);
}
