//! A provider wipes everything, unannounced: nothing is lost, repair makes it settled again on the firms that remain, and
//! then a second one may wipe as well.
#![allow(clippy::unwrap_used, reason = "a test")]

use std::sync::Arc;

use crate::common::{House, bytes, joining_row};
use fleet::{MemoryTarget, Verb};
use model::{fleet::TargetRow, id::ProviderId};
use store::Joining;

const SIZES: [usize; 9] = [0, 1, 2_000, 2_048, 2_049, 65_520, 102_401, 700_001, 3_000_000];

#[tokio::test]
async fn every_file_is_read_after_one_wipe_and_after_repair_another() {
    let house = House::new(6).await;
    let mut files = Vec::new();
    for (i, size) in SIZES.iter().enumerate() {
        let content = bytes(*size, i as u64);
        let version = house.put(&format!("file-{i}"), &content).await.unwrap();
        files.push((version, content));
    }
    for wiped in [2usize, 4] {
        house.disks[wiped].wipe();
        for (version, content) in &files {
            assert_eq!(house.get(version).await.unwrap().len(), content.len());
            assert!(&house.get(version).await.unwrap() == content, "{} bytes", content.len());
        }
        house.store.tick(true).await.unwrap();
        house.store.tick(true).await.unwrap();
        let report = house.store.fleet_report().await.unwrap();
        assert_eq!(
            (report.packs_below_settled, report.records_below_settled, report.files_below_settled),
            (0, 0, 0),
            "{report:?}"
        );
        for (version, content) in &files {
            assert!(&house.get(version).await.unwrap() == content, "{} bytes after repair", content.len());
        }
    }
    assert_eq!(house.store.fleet_report().await.unwrap().journal_objects, 0);
}

#[tokio::test]
async fn with_two_firms_left_a_second_target_at_each_helps_and_the_report_says_so() {
    let house = House::new(3).await;
    let content = bytes(20_000, 9);
    let version = house.put("file", &content).await.unwrap();
    house.store.tick(true).await.unwrap();
    let wiped = ProviderId([1; 16]);
    let forecast = house.store.what_if(&[wiped]).await.unwrap();
    assert_eq!(forecast.second_target_helps, ["firm-1", "firm-2"]);
    house.disks[0].wipe();
    house.store.tick(true).await.unwrap();
    let report = house.store.fleet_report().await.unwrap();
    assert!(report.records_below_safe == 0 && report.records_below_settled > 0, "{report:?}");
    let said = report.findings.join("; ");
    assert!(said.contains("a second target helps at firm-1 and at firm-2"), "{said}");
    assert!(!said.contains("repair") && !said.contains("could be made"), "{said}");
    // What has no place is not read for again and again.
    let reads = || {
        house.meters.iter().map(|meter| meter.snapshot().get(&Verb::Read).map_or(0, |counts| counts.calls)).sum::<u64>()
    };
    let before = reads();
    house.store.tick(false).await.unwrap();
    assert_eq!(reads(), before);

    for (n, provider) in [(201, 2), (202, 3)] {
        let row = TargetRow { provider: ProviderId([provider; 16]), ..joining_row(n) };
        let driver = Arc::new(MemoryTarget::new(format!("memory-{n}")));
        house.store.join(Joining { row, driver, login: None }, None).await.unwrap();
    }
    house.store.tick(true).await.unwrap();
    house.store.tick(true).await.unwrap();
    let report = house.store.fleet_report().await.unwrap();
    assert_eq!((report.records_below_settled, report.findings.len()), (0, 0), "{:?}", report.findings);
    assert!(house.get(&version).await.unwrap() == content);
}
