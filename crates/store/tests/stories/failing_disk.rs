//! Disks whose syncs fail now and then: what failed is written anew elsewhere, nobody is done without for long, and a
//! marker whose write broke off is taken as it is found.
#![allow(clippy::unwrap_used, reason = "a test")]

use crate::common::{House, bytes};
use fleet::{
    Verb,
    faults::{Fault, FaultControl, When},
};
use model::{fleet::TargetState, world::Timer as _};
use testkit::world::TokioTimer;

async fn up(house: &House) -> usize {
    let report = house.store.fleet_report().await.unwrap();
    report.providers.iter().filter(|provider| provider.state == TargetState::Up).count()
}

/// Waits without a round of upkeep; the limit only keeps a broken store from hanging the test.
async fn until_all_are_up(house: &House) {
    for _ in 0..1_000 {
        if up(house).await == house.targets.len() {
            return;
        }
        TokioTimer.sleep(10_000).await;
    }
    panic!("{:?}", house.store.fleet_report().await.unwrap().providers);
}

/// Puts a file; what finds too few targets now is taken a moment later.
async fn put_patiently(house: &House, name: &str, content: &[u8]) -> model::entry::Version {
    for _ in 0..1_000 {
        match house.put(name, content).await {
            Ok(version) => return version,
            Err(error) => assert_eq!(error.class(), model::Class::Retry, "{error}"),
        }
        TokioTimer.sleep(10_000).await;
    }
    panic!("{name} was never taken");
}

fn markers(house: &House) -> Vec<Option<bytes::Bytes>> {
    house.disks.iter().map(|disk| disk.image().marker).collect()
}

#[tokio::test]
async fn a_disk_that_failed_once_is_back_before_the_next_round() {
    let house = House::new(6).await;
    let hands = house.hands();
    let before = markers(&house);
    let mut files = Vec::new();
    for (at, fault) in [Fault::ErrorBefore, Fault::ErrorAfter].into_iter().enumerate() {
        // Once each, some in the journal and some in a pack; the failures of the round before are long over.
        house.clock.advance(60_000_000);
        for (i, hand) in hands.iter().enumerate() {
            hand.set_for(fault, if i % 2 == 0 { Verb::Put } else { Verb::Finish }, When::Once);
        }
        for (i, size) in [700, 40_000, 700_000, 700].into_iter().enumerate() {
            let content = bytes(size, (at * 10 + i) as u64);
            files.push((put_patiently(&house, &format!("{at}-{i}"), &content).await, content));
        }
        until_all_are_up(&house).await;
    }
    let struck: u64 = hands.iter().flat_map(|hand| hand.struck().into_values()).sum();
    assert!(struck >= 8, "{struck}");
    assert_eq!(markers(&house), before, "a failure in passing is no absence");
    hands.iter().for_each(FaultControl::clear);
    house.store.tick(true).await.unwrap();
    house.store.tick(true).await.unwrap();
    let report = house.store.fleet_report().await.unwrap();
    assert_eq!((report.files_below_settled, report.records_below_settled), (0, 0), "{report:?}");
    for (version, content) in &files {
        assert!(house.get(version).await.unwrap() == *content);
    }
}

#[tokio::test]
async fn a_disk_that_keeps_failing_is_down_until_it_takes_its_marker() {
    let house = House::new(6).await;
    let hands = house.hands();
    for verb in [Verb::Put, Verb::Finish, Verb::WriteMarker] {
        hands[2].set_for(Fault::ErrorBefore, verb, When::Always);
    }
    let content = bytes(700_000, 1);
    for i in 0..8 {
        house.put(&format!("{i}"), &content).await.unwrap();
        house.store.tick(false).await.ok();
    }
    assert_eq!(up(&house).await, 5, "a probe reads its marker, but it takes no write");
    hands[2].clear();
    house.store.tick(false).await.ok();
    assert_eq!(up(&house).await, 6);
}

#[tokio::test]
async fn a_broken_write_of_a_marker_leaves_either_and_both_are_taken() {
    let house = House::new(6).await;
    let hands = house.hands();
    let content = bytes(300_000, 2);
    let version = house.put("before", &content).await.unwrap();
    for fault in [Fault::ErrorBefore, Fault::ErrorAfter] {
        house.disks.iter().for_each(|disk| disk.set_up(false));
        let _ = house.store.tick(false).await;
        assert_eq!(up(&house).await, 0);
        hands.iter().for_each(|hand| hand.set_for(fault, Verb::WriteMarker, When::Always));
        house.disks.iter().for_each(|disk| disk.set_up(true));
        for _ in 0..3 {
            let _ = house.store.tick(false).await;
            assert_eq!(up(&house).await, 0, "{fault:?}: who cannot write its marker is not up");
            assert!(house.get(&version).await.unwrap() == content, "reading goes on");
        }
        hands.iter().for_each(FaultControl::clear);
        let _ = house.store.tick(false).await;
        assert_eq!(up(&house).await, 6, "{fault:?}: one probe is enough");
        house.put(&format!("after {fault:?}"), &content).await.unwrap();
    }
    house.store.tick(true).await.unwrap();
    house.store.tick(true).await.unwrap();
    let report = house.store.fleet_report().await.unwrap();
    assert_eq!((report.files_below_settled, report.records_below_settled), (0, 0), "nothing was taken for old content");
}
