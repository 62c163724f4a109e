//! What was ordered of targets, and what keeps firms apart, comes back as it was said.

use crate::world::World;
use catalogue::{apply, export, fleet, orders, stage};
use model::{
    Change, Scope,
    fleet::ConstraintRow,
    id::{AccountId, OrderId, TargetId},
    orders::{Evacuated, Evacuation, Retirement, TargetOrders},
    stage::{Staged, StagedRow, Which},
};

pub fn orders_come_back_as_they_were_said(world: &mut World) {
    let (one, two, three) = (TargetId([1; 16]), TargetId([2; 16]), TargetId([3; 16]));
    let order = Evacuation { id: OrderId([7; 16]), ordered_us: 5, by_us: 9, paused: true, evacuated: None };
    let evacuated = Evacuated { at_us: 8, packs_read: 1, packs_listed: 2, objects_read: 3, objects_listed: 4 };
    let cordoned = TargetOrders { cordoned: true, evacuation: Some(order), ..TargetOrders::none(one) };
    let over = TargetOrders {
        evacuation: Some(Evacuation { evacuated: Some(evacuated), paused: false, ..order }),
        retirement: Some(Retirement { ordered_us: 9, keeps_shards: true }),
        ..TargetOrders::none(two)
    };
    world.cluster(vec![Change::TargetOrders(cordoned.clone()), Change::TargetOrders(over.clone())]);
    assert_eq!(world.read(|tx| orders::all(tx)), [cordoned.clone(), over.clone()]);
    assert_eq!(world.read(move |tx| orders::of(tx, three)), TargetOrders::none(three));
    // An older word is too late, and all of it is among what snapshots are made from.
    let older = Change::TargetOrders(TargetOrders::none(one));
    world.write(move |tx| apply(tx, Scope::Cluster, 1, &older)).unwrap();
    let told: Vec<_> = world.read(|tx| export(tx)).into_iter().map(|(_, _, change)| change).collect();
    assert!(told.contains(&Change::TargetOrders(cordoned)) && told.contains(&Change::TargetOrders(over)), "{told:?}");
    world.cluster(vec![Change::TargetOrders(TargetOrders::none(one))]);
    assert_eq!(world.read(move |tx| orders::of(tx, one)), TargetOrders::none(one), "taken back");
}

pub fn constraints_come_back_as_they_were_said(world: &mut World) {
    let row = |label: &str, holds| ConstraintRow { label: label.to_owned(), holds, changed_us: -7 };
    let said = [row("country", true), row("payment", false)];
    world.cluster(said.clone().map(Change::Constraint).to_vec());
    assert_eq!(world.read(|tx| fleet::constraints(tx)), said);
    let older = Change::Constraint(row("country", false));
    world.write(move |tx| apply(tx, Scope::Cluster, 0, &older)).unwrap();
    let told: Vec<_> = world.read(|tx| export(tx)).into_iter().map(|(_, _, change)| change).collect();
    assert!(said.iter().all(|row| told.contains(&Change::Constraint(row.clone()))), "{told:?}");
    world.cluster(vec![Change::Constraint(row("country", false))]);
    assert_eq!(world.read(|tx| fleet::constraints(tx)), [row("country", false), row("payment", false)]);
}

pub fn what_is_staged_is_kept_in_order_until_it_is_cleared(world: &mut World) {
    let text = |text: &str| text.to_owned();
    let server = |provider: Option<&str>| Which::Server { name: text("s1"), provider: provider.map(text) };
    let changes = [
        Staged::Retire { which: Which::Target(text("/a")), keeps_shards: true },
        Staged::Label { provider: text("amber"), label: text("country"), value: String::new() },
        Staged::Constraint { label: text("country"), holds: true },
        Staged::Cordon { which: server(Some("amber")), cordoned: false },
        Staged::Evacuate { which: server(None), by_us: -3 },
        Staged::Cancel { which: Which::Provider(text("birch")) },
    ];
    let rows = changes.map(|change| StagedRow { account: AccountId([1; 16]), said_us: 7, change });
    for row in rows.clone() {
        world.write(move |tx| stage::add(tx, &row)).unwrap();
    }
    assert_eq!(world.read(|tx| stage::all(tx)), rows);
    assert_eq!(world.write(stage::clear).unwrap(), 6);
    assert!(world.read(|tx| stage::all(tx)).is_empty());
}
