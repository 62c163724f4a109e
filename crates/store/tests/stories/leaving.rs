//! A firm is left, in good order: everything moves away by a date, that is proven, and only then, on another order, is
//! anything there deleted. Whatever happens meanwhile costs time and nothing else.
#![allow(clippy::unwrap_used, reason = "a test")]

use std::collections::BTreeSet;

use crate::common::{House, bytes, read, settings};
use fleet::{MemoryDisk, Verb};
use model::{
    entry::Version,
    fleet::TargetState,
    id::{PackId, ProviderId, TargetId},
};
use store::{Error, EvacuationReport, OrderError, Settings, Store, TargetReport};

const HOUR_US: u64 = 3_600_000_000;
const DAY_US: u64 = 24 * HOUR_US;
/// Ten days from the start of every story.
const DATE_US: i64 = 10 * DAY_US as i64;

type Files = Vec<(Version, Vec<u8>)>;

/// A service with files of every kind; an hour old, so that what was read before an order was read before it.
async fn lived_in(providers: usize, each: usize) -> (House, Files) {
    lived_in_with(settings(), providers, each).await
}

async fn lived_in_with(settings: Settings, providers: usize, each: usize) -> (House, Files) {
    let house = House::with_settings(providers, each, settings).await;
    let mut files = Vec::new();
    for (i, size) in [900, 2_049, 65_520, 102_401, 700_001, 1_500_000].into_iter().enumerate() {
        let content = bytes(size, i as u64);
        files.push((house.put(&format!("file-{i}"), &content).await.unwrap(), content));
    }
    house.store.tick(true).await.unwrap();
    house.clock.advance(HOUR_US);
    (house, files)
}

fn target(number: usize) -> TargetId {
    TargetId([number as u8 + 101; 16])
}

async fn check(store: &Store, house: &House, files: &Files) {
    for (version, content) in files {
        assert!(&read(store, house.account.id, version).await.unwrap() == content, "{} bytes", content.len());
    }
}

async fn seen(store: &Store, number: usize) -> TargetReport {
    let report = store.fleet_report().await.unwrap();
    let all = report.providers.into_iter().flat_map(|provider| provider.targets);
    all.into_iter().find(|seen| seen.id == target(number)).unwrap()
}

async fn evacuation(store: &Store, number: usize) -> EvacuationReport {
    seen(store, number).await.evacuation.unwrap()
}

fn shards(disk: &MemoryDisk) -> BTreeSet<String> {
    disk.names().into_iter().filter(|name| name.starts_with("shards/")).collect()
}

/// What is left without a provider: nothing is below settled.
async fn stands_without(store: &Store, provider: u8) {
    let left = store.what_if(&[ProviderId([provider; 16])]).await.unwrap();
    assert_eq!((left.files_unreadable, left.files_below_safe, left.files_below_settled), (0, 0, 0), "{left:?}");
}

async fn ticks(store: &Store, count: usize) {
    for _ in 0..count {
        let _ = store.tick(true).await;
    }
}

#[tokio::test]
async fn everything_moves_it_is_proven_and_only_another_order_deletes() {
    let (house, files) = lived_in(6, 1).await;
    let store = &house.store;
    let before: Vec<_> = house.disks.iter().map(shards).collect();
    store.evacuate(vec![target(2)], DATE_US).await.unwrap();
    let ordered = seen(store, 2).await;
    assert!(ordered.cordoned && ordered.state == TargetState::Up && ordered.evacuation.is_some());
    ticks(store, 2).await;
    let done = evacuation(store, 2).await.order.evacuated.unwrap();
    assert!(done.packs_read + done.packs_listed > 2 && done.objects_read + done.objects_listed > 0, "{done:?}");
    // The ledger says of every pack that had something there how it was proven.
    let told: String = store.ledger(0, 1_000).await.unwrap().into_iter().map(|entry| entry.text).collect();
    for word in ["what evacuation.ordered", "what evacuation.proof", "what evacuation.certificate", "memory-2"] {
        assert!(told.contains(word), "{word}: {told}");
    }
    for pack in store.read(|tx| catalogue::packs::at_target(tx, target(2), PackId::default(), 1_000)).await.unwrap() {
        let proof = |way: &str| told.contains(&format!("pack {pack} {way}"));
        assert!(proof("read") || proof("listing"), "{pack}: {told}");
    }
    for (then, disk) in before.iter().zip(&house.disks) {
        assert!(shards(disk).is_superset(then), "nothing was deleted");
    }
    assert_eq!(shards(&house.disks[2]), before[2], "and nothing was put there");
    stands_without(store, 3).await;
    // Days later everything is still there: an order to move away deletes nothing, however long it stands.
    for _ in 0..4 {
        house.clock.advance(DAY_US);
        ticks(store, 1).await;
    }
    assert_eq!(shards(&house.disks[2]), before[2]);

    store.order_retirement(vec![target(2)], false).await.unwrap();
    ticks(store, 1).await;
    assert_eq!(shards(&house.disks[2]), before[2], "the grace comes first");
    let mut last = before[2].len();
    for _ in 0..8 {
        house.clock.advance(HOUR_US);
        ticks(store, 1).await;
        check(store, &house, &files).await;
        let left = shards(&house.disks[2]).len();
        assert!(last - left <= 16, "the budget of an hour");
        last = left;
    }
    let gone = seen(store, 2).await;
    assert_eq!((last, gone.state, house.disks[2].names()), (0, TargetState::Retired, vec![]), "{gone:?}");
    let report = store.fleet_report().await.unwrap();
    assert_eq!((report.packs_below_settled, report.records_below_settled), (0, 0), "{report:?}");
    house.disks[4].wipe();
    check(store, &house, &files).await;
}

#[tokio::test]
async fn another_firm_fails_and_the_leaving_one_vanishes_meanwhile() {
    for leaver_vanishes in [false, true] {
        let (house, files) = lived_in(6, 1).await;
        house.store.evacuate(vec![target(1)], DATE_US).await.unwrap();
        house.disks[if leaver_vanishes { 1 } else { 4 }].wipe();
        house.store.tick(false).await.unwrap();
        check(&house.store, &house, &files).await;
        ticks(&house.store, 4).await;
        let report = evacuation(&house.store, 1).await;
        assert!(report.order.evacuated.is_some(), "{report:?}");
        house.disks[1].wipe();
        house.disks[4].wipe();
        check(&house.store, &house, &files).await;
    }
}

#[tokio::test]
async fn an_order_outlives_the_service_and_waits_while_it_is_paused() {
    let (house, files) = lived_in(6, 1).await;
    let order = house.store.evacuate(vec![target(0)], DATE_US).await.unwrap();
    house.store.pause_evacuation(vec![target(0)], true).await.unwrap();
    ticks(&house.store, 2).await;
    assert!(house.store.what_if(&[ProviderId([1; 16])]).await.unwrap().files_below_settled > 0, "nothing moves");
    let store = house.open_again().await;
    let held = evacuation(&store, 0).await;
    assert!(held.order.paused && held.order.id == order && held.order.evacuated.is_none());
    store.pause_evacuation(vec![target(0)], false).await.unwrap();
    ticks(&store, 3).await;
    assert!(evacuation(&store, 0).await.order.evacuated.is_some());
    stands_without(&store, 1).await;
    check(&store, &house, &files).await;
}

#[tokio::test]
async fn what_cannot_be_proven_refuses_the_certificate_until_it_can() {
    let (house, files) = lived_in_with(Settings { down_wait_s: 3_600, ..settings() }, 6, 1).await;
    house.store.evacuate(vec![target(3)], DATE_US).await.unwrap();
    house.store.tick(false).await.unwrap();
    let moved = evacuation(&house.store, 3).await;
    assert!(moved.order.evacuated.is_none() && moved.packs_left == 0, "moved, and not yet proven: {moved:?}");
    // Another firm is away for a moment: what is safe without both waits for it, and proves nothing meanwhile.
    house.disks[5].set_up(false);
    ticks(&house.store, 3).await;
    let refused = evacuation(&house.store, 3).await;
    let why = refused.unproven.clone().unwrap_or_default();
    assert!(refused.order.evacuated.is_none() && why.contains("not certified yet"), "{refused:?}");
    let error = house.store.order_retirement(vec![target(3)], false).await.unwrap_err();
    assert!(matches!(error, Error::Order(OrderError::StillCounts { packs: 1.., .. })), "{error}");
    check(&house.store, &house, &files).await;
    house.disks[5].set_up(true);
    ticks(&house.store, 3).await;
    let done = evacuation(&house.store, 3).await;
    assert!(done.order.evacuated.is_some() && done.unproven.is_none(), "{done:?}");
    check(&house.store, &house, &files).await;
}

#[tokio::test]
async fn what_was_read_lately_is_proven_by_a_listing() {
    let (house, _) = lived_in(8, 1).await;
    house.store.evacuate(vec![target(3)], DATE_US).await.unwrap();
    let listed: u64 =
        house.meters.iter().map(|meter| meter.snapshot().get(&Verb::List).map_or(0, |seen| seen.calls)).sum();
    ticks(&house.store, 2).await;
    let done = evacuation(&house.store, 3).await.order.evacuated.unwrap();
    assert!(done.packs_listed > 0, "{done:?}");
    let after: u64 =
        house.meters.iter().map(|meter| meter.snapshot().get(&Verb::List).map_or(0, |seen| seen.calls)).sum();
    assert!(after >= listed + 7, "every firm that stays was asked for its names");
}

#[tokio::test]
async fn taken_back_the_firm_counts_again_and_what_is_twice_goes() {
    let (house, files) = lived_in(6, 1).await;
    house.store.evacuate(vec![target(2)], DATE_US).await.unwrap();
    ticks(&house.store, 2).await;
    house.store.cancel_evacuation(vec![target(2)]).await.unwrap();
    assert!(!seen(&house.store, 2).await.cordoned);
    for _ in 0..6 {
        house.clock.advance(HOUR_US);
        ticks(&house.store, 1).await;
    }
    let packs = house.store.read(|tx| catalogue::packs::pack_views(tx, PackId::default(), 1_000)).await.unwrap();
    assert!(packs.iter().all(|pack| pack.makes.len() == 6), "4+2 again: {packs:?}");
    check(&house.store, &house, &files).await;
    let error = house.store.cancel_evacuation(vec![target(2)]).await.unwrap_err();
    assert!(matches!(error, Error::Order(OrderError::NotOrdered { .. })), "{error}");
}

#[tokio::test]
async fn one_server_of_a_firm_is_left_and_its_neighbour_takes_what_it_held() {
    let (house, files) = lived_in(4, 2).await;
    house.store.evacuate(vec![target(2)], DATE_US).await.unwrap();
    ticks(&house.store, 3).await;
    assert!(evacuation(&house.store, 2).await.order.evacuated.is_some());
    house.store.order_retirement(vec![target(2)], true).await.unwrap();
    let kept = house.disks[2].names();
    ticks(&house.store, 2).await;
    assert_eq!(seen(&house.store, 2).await.state, TargetState::Retired);
    assert_eq!(house.disks[2].names(), kept, "forgotten, and not touched");
    house.disks[2].wipe();
    check(&house.store, &house, &files).await;
    let report = house.store.fleet_report().await.unwrap();
    assert_eq!((report.packs_below_settled, report.records_below_settled), (0, 0), "{report:?}");
}

#[tokio::test]
async fn given_up_for_good_it_is_done_without_at_once() {
    let (house, files) = lived_in(6, 1).await;
    house.disks[5].set_up(false);
    ticks(&house.store, 1).await;
    house.store.give_up(vec![target(5)]).await.unwrap();
    assert_eq!(seen(&house.store, 5).await.state, TargetState::Lost);
    ticks(&house.store, 2).await;
    let report = house.store.fleet_report().await.unwrap();
    assert_eq!((report.packs_below_settled, report.files_below_settled), (0, 0), "{report:?}");
    house.store.order_retirement(vec![target(5)], false).await.unwrap();
    ticks(&house.store, 1).await;
    assert_eq!(seen(&house.store, 5).await.state, TargetState::Retired);
    check(&house.store, &house, &files).await;
}

#[tokio::test]
async fn what_cannot_be_ordered_is_refused_and_changes_nothing() {
    let (house, files) = lived_in(3, 1).await;
    let refused = |result: Result<(), Error>| match result {
        Err(Error::Order(error)) => error.code(),
        other => panic!("{other:?}"),
    };
    let store = &house.store;
    let evacuate = async |number: usize, by_us| store.evacuate(vec![target(number)], by_us).await.map(drop);
    assert_eq!(refused(evacuate(0, 5).await), "date_over");
    assert_eq!(refused(evacuate(77, DATE_US).await), "target_gone");
    assert_eq!(refused(store.pause_evacuation(vec![target(0)], true).await), "not_ordered");
    assert_eq!(refused(store.order_retirement(vec![target(0)], false).await), "still_counts");
    assert_eq!(refused(store.target_at("memory-9").map(drop)), "no_target");
    evacuate(0, DATE_US).await.unwrap();
    assert_eq!(refused(evacuate(0, DATE_US).await), "already_ordered");
    assert_eq!(refused(evacuate(1, DATE_US).await), "last_providers");
    assert_eq!(refused(store.cordon(vec![target(1)], true).await), "last_providers");
    // Names and keys need two servers at each of the last two firms, and it says so instead of certifying what is not so.
    ticks(store, 2).await;
    assert!(evacuation(store, 0).await.order.evacuated.is_none());
    let said = store.fleet_report().await.unwrap().findings.join("; ");
    assert!(said.contains("have no place on the firms that stay"), "{said}");
    check(store, &house, &files).await;
}
