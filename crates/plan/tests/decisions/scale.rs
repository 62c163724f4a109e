//! The fleet of 2012: 1,769 servers at three providers, one of which wipes all of its own.

use std::collections::{BTreeMap, BTreeSet};

use model::{Scheme, fleet::TargetState, id::TargetId};
use plan::{
    Aim, Ladder, RepairPolicy, RepairStep, Sets, Topology, copies_for, default_scheme, pack_state, place, repair,
    what_if,
};

use crate::world::{LANE_BYTES, Seed, lane, pack, provider, topology, wish};

const SERVERS: [usize; 3] = [1_103, 630, 36];

fn partners(sets: &Sets) -> BTreeMap<TargetId, BTreeSet<TargetId>> {
    let mut partners = BTreeMap::<TargetId, BTreeSet<TargetId>>::new();
    for set in &sets.sets {
        for target in &set.targets {
            partners.entry(*target).or_default().extend(set.targets.iter().filter(|other| *other != target));
        }
    }
    partners
}

#[test]
fn sets_are_few_and_partners_bounded() {
    let fleet = topology(&SERVERS);
    let scheme = default_scheme(3).unwrap();
    let sets = Sets::generate(1, scheme, &fleet, &Seed::new(2012)).unwrap();
    assert!(!sets.is_stale(&fleet), "every server is in a set");
    assert_eq!(sets.sets.len(), 2 * SERVERS[0].div_ceil(3));
    for set in &sets.sets {
        for owner in 0..3 {
            let own = set.targets.iter().filter(|id| fleet.target(**id).unwrap().provider == provider(owner)).count();
            assert_eq!(own, 3);
        }
    }
    let partners = partners(&sets);
    for target in fleet.targets().filter(|target| target.provider == provider(0)) {
        // Two rounds with eight partners each; one server fills up the last group of each round.
        assert!(partners[&target.id].len() <= 4 * 8, "{}", partners[&target.id].len());
    }
}

#[test]
fn more_than_seven_providers_lie_on_sets_of_seven() {
    let fleet = topology(&[9, 3, 4, 4, 1, 6, 2, 5, 30, 8]);
    let sets = Sets::generate(1, Scheme::new(10, 4), &fleet, &Seed::new(3)).unwrap();
    assert!(!sets.is_stale(&fleet));
    for set in &sets.sets {
        let providers: BTreeSet<_> = set.targets.iter().map(|id| fleet.target(*id).unwrap().provider).collect();
        assert_eq!(providers.len(), 7);
    }
    let seed = Seed::new(4);
    for _ in 0..200 {
        let placement = place(&wish(10, 4), &fleet, Some(&sets), &seed).unwrap();
        assert_eq!(placement.scheme, Scheme::new(10, 4));
        assert!(placement.set.is_some());
        assert_eq!(pack_state(&pack(0, &placement), &fleet), Ladder::Verified);
    }
}

#[test]
fn six_hundred_and_thirty_servers_wiped_and_nothing_lost() {
    let fleet = topology(&SERVERS);
    let seed = Seed::new(630);
    let scheme = default_scheme(3).unwrap();
    assert_eq!(copies_for(scheme, 3), Ok(3));
    let sets = Sets::generate(1, scheme, &fleet, &seed).unwrap();
    let placed = (0..2_000).map(|number| {
        let placement = place(&wish(scheme.k, scheme.m), &fleet, Some(&sets), &seed).unwrap();
        assert_eq!(placement.lanes.iter().collect::<BTreeSet<_>>().len(), 9, "nine servers");
        pack(number, &placement)
    });
    let mut packs: Vec<_> = placed.collect();

    let leaseweb = BTreeSet::from([provider(1)]);
    let forecast = what_if(&packs, &[], &fleet, &leaseweb);
    assert_eq!((forecast.packs.unreadable, forecast.packs.below_settled), (0, 2_000));

    let rest: Topology = fleet.without(&leaseweb);
    assert_eq!(rest.healthy().count(), 1_139);
    assert_eq!(rest.target(fleet.targets().nth(1_200).unwrap().id).unwrap().state, TargetState::Lost);
    let policy =
        RepairPolicy { aim: Aim::Settled, copies: 3, down_wait_s: 3_600, bytes_max: u64::MAX, steps_max: usize::MAX };
    let plan = repair(&packs, &[], &rest, &policy, &seed);
    assert_eq!((plan.steps.len(), plan.stuck.len(), plan.unreadable.len()), (2_000, 0, 0));
    // Five lanes read and six written for each pack: 5+7 on the two that remain.
    assert_eq!(plan.bytes, 2_000 * 11 * LANE_BYTES);
    for step in &plan.steps {
        let RepairStep::Pack { pack: id, write, .. } = step else { panic!("{step:?}") };
        let view = packs.iter_mut().find(|view| view.id == *id).unwrap();
        view.lanes.extend(write.iter().map(|new| lane(new.lane, new.target)));
    }
    let after = what_if(&packs, &[], &rest, &BTreeSet::new());
    assert_eq!((after.packs.below_settled, after.packs.margins), (0, vec![0, 2_000]));
}
