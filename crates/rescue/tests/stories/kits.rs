//! The right kit, the wrong kit, a revoked one.

use format::Identity;
use model::{Class, id::AccountId};
use rescue::{Error, Finding, known_addresses};

use crate::{
    assert_all_home, open, run,
    world::{FIRMS, World},
};

#[test]
fn a_kit_of_another_account_is_told_so() {
    let mut world = World::build();
    world.kit.account = AccountId([9; 16]);
    let error = open(&world, 0..FIRMS).unwrap_err();
    assert!(matches!(error, Error::OtherAccount { others: 1, .. }), "{error}");
    assert_eq!(error.class(), Class::Refused);
}

#[test]
fn a_kit_of_another_service_is_told_so() {
    let (mut world, other) = (World::build(), World::build());
    world.kit.cluster = model::id::ClusterId([1; 16]);
    world.kit.account = AccountId([9; 16]);
    let error = run(rescue::Rescue::open(&world.kit, other.open(0..FIRMS))).unwrap_err();
    assert!(matches!(error, Error::OtherCluster { got, .. } if got == other.cluster), "{error}");
}

#[test]
fn a_kit_that_opens_nothing_is_told_so() {
    let mut world = World::build();
    world.kit.identity = Identity::generate();
    let error = open(&world, 0..FIRMS).unwrap_err();
    assert!(matches!(error, Error::KitOpensNothing { envelopes: 1, .. }), "{error}");
}

#[test]
fn without_a_readable_place_there_is_no_rescue() {
    let world = World::build();
    assert!(matches!(open(&world, []).unwrap_err(), Error::NoTargets { given: 0, .. }));
    world.disks[0].set_up(false);
    assert!(matches!(open(&world, [0]).unwrap_err(), Error::NoTargets { given: 1, .. }));
    world.disks[1].wipe();
    assert!(matches!(open(&world, [1]).unwrap_err(), Error::NoEnvelope { read: 1 }));
}

#[test]
fn a_revoked_kit_still_opens_what_it_could_and_says_so() {
    let mut world = World::build();
    world.envelope(2, &[Identity::generate().recipient()]);
    let row = model::account::KitRow {
        id: world.kit.kit,
        recipient: world.kit.identity.recipient(),
        made_us: 0,
        revoked_us: Some(1_371_600_000_000_000),
        tested_us: None,
    };
    let scope = world.scope();
    world.journal(0, vec![(scope, vec![model::Change::Kit(row)])], &[]);
    let rescue = open(&world, 0..FIRMS).unwrap();
    let revoked = Finding::KitRevoked { since_us: Some(1_371_600_000_000_000), opened: 1, newest: 2 };
    assert_eq!(rescue.findings(), std::slice::from_ref(&revoked));
    assert!(revoked.to_string().contains("2013-06-19"), "{revoked}");
    assert_all_home(&world, &rescue);
}

#[test]
fn a_kit_made_before_the_firms_changed_finds_the_new_ones() {
    let world = World::build();
    let addresses = run(known_addresses(&world.kit, world.open([3])));
    let all: Vec<_> = (0..FIRMS).map(|firm| format!("/srv/firm-{firm}")).collect();
    assert_eq!(addresses.iter().map(|known| known.address.clone()).collect::<Vec<_>>(), all);
    // With no target at all, at least those on the paper.
    assert_eq!(run(known_addresses(&world.kit, Vec::new())).len(), 2);
}

#[test]
fn a_disk_of_another_service_is_read_if_it_holds_the_account() {
    let world = World::build();
    for (firm, keep) in [(0, true), (1, false)] {
        let mut image = world.disks[firm].image();
        let other = format::Marker::new(
            model::id::ClusterId([7; 16]),
            world.targets[firm],
            model::id::ProviderId([7; 16]),
            1,
            1,
        );
        image.marker = Some(other.encode().into());
        if !keep {
            image.objects.retain(|name, _| name.starts_with("shards/"));
        }
        world.disks[firm].restore(image);
    }
    let rescue = open(&world, 0..FIRMS).unwrap();
    assert_all_home(&world, &rescue);
    let read: Vec<_> = rescue
        .findings()
        .into_iter()
        .filter_map(|finding| match finding {
            Finding::OtherCluster { target, read, .. } => Some((target, read)),
            _ => None,
        })
        .collect();
    assert_eq!(read, [("place-0".to_owned(), true), ("place-1".to_owned(), false)]);
}
