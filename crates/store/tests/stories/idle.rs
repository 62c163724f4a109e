//! Once everything is packed, covered and released, nothing is written to any target until somebody asks for something.
#![allow(clippy::unwrap_used, reason = "a test")]

use crate::common::{House, bytes};
use fleet::Verb;

/// How often each verb that changes something was called at any target.
fn changes(house: &House) -> Vec<(Verb, u64)> {
    let count = |verb: Verb| house.meters.iter().filter_map(|meter| Some(meter.snapshot().get(&verb)?.calls)).sum();
    Verb::ALL.into_iter().filter(|verb| verb.changes()).map(|verb| (verb, count(verb))).collect()
}

#[tokio::test]
async fn an_idle_service_writes_nothing_to_its_targets() {
    const HOUR_US: u64 = 3_600_000_000;
    let house = House::new(6).await;
    for (i, size) in [0, 700, 9_000, 90_000, 700_001, 3_000_000].into_iter().enumerate() {
        house.put(&format!("{i}"), &bytes(size, i as u64)).await.unwrap();
        house.put(&format!("{}", i / 2), &bytes(size / 2, i as u64)).await.unwrap();
    }
    // Settles: packs, snapshots, the journal released and, after its grace and by the hour's budget, deleted.
    for _ in 0..12 {
        house.store.tick(true).await.unwrap();
        house.clock.advance(HOUR_US);
    }
    let report = house.store.fleet_report().await.unwrap();
    assert_eq!((report.journal_objects, report.unpacked_files, report.files_below_settled), (0, 0, 0), "{report:?}");
    let before: Vec<_> = house.disks.iter().map(|disk| disk.image()).collect();
    let asked = changes(&house);
    // Some seconds apart, then hours, then months, in which all of it is read again.
    for pause_us in [[1_000_000; 20], [HOUR_US; 20], [24 * 5 * HOUR_US; 20]].concat() {
        house.clock.advance(pause_us);
        house.store.tick(false).await.unwrap();
        assert_eq!(changes(&house), asked, "nothing was even tried");
    }
    let after: Vec<_> = house.disks.iter().map(|disk| disk.image()).collect();
    assert!(after == before, "no object was changed, made or deleted, no marker replaced");
}
