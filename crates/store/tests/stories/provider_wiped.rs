//! A provider wipes everything, unannounced: nothing is lost, repair makes it settled again on the firms that remain, and
//! then a second one may wipe as well.
#![allow(clippy::unwrap_used, reason = "a test")]

use crate::common::{House, bytes};

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
