//! A frame whose lane is gone costs at most two hash blocks of each lane that helps.
#![allow(clippy::unwrap_used, reason = "a test")]

use crate::common::{House, bytes};
use fleet::Verb;
use futures_util::StreamExt;
use model::{entry::Version, id::TargetId};

pub async fn one_byte(house: &House, version: &Version, at: u64) -> u8 {
    let range = at..at + 1;
    let mut reading = house.store.open_version(house.account.id, version.clone(), range).await.unwrap();
    let part = reading.next().await.unwrap().unwrap();
    assert_eq!(part.len(), 1);
    part[0]
}

pub fn read_bytes(house: &House) -> Vec<u64> {
    house.meters.iter().map(|meter| meter.snapshot().get(&Verb::Read).map_or(0, |counts| counts.bytes)).collect()
}

/// The target that holds the data lane of the first byte.
pub async fn holder(house: &House, version: &Version) -> usize {
    let segment = version.segments()[0].id;
    let placed = house.store.read(move |tx| catalogue::segments::location(tx, segment)).await.unwrap().unwrap();
    let lane = placed.location.lane.unwrap_or(0);
    let make = placed.makes.iter().find(|view| view.make.lane == lane).unwrap().make;
    (0..6u8).position(|i| make.target == TargetId([i + 101; 16])).unwrap()
}

#[tokio::test]
async fn a_frame_of_a_lost_lane_touches_two_blocks_of_each_other_lane() {
    let house = House::new(6).await;
    let content = bytes(900_000, 5);
    let striped = house.put("striped", &content).await.unwrap();
    // Two small files before it, so that the third begins in the middle of a block.
    for (i, size) in [3_001usize, 70_007, 4_000, 61_000].into_iter().enumerate() {
        house.put(&format!("filler {i}"), &content[..size]).await.unwrap();
    }
    let small = house.put("small", &content[..90_000]).await.unwrap();
    house.store.tick(true).await.unwrap();
    for (version, lost) in [(&striped, holder(&house, &striped).await), (&small, holder(&house, &small).await)] {
        house.disks[lost].set_up(false);
        // The first read finds out that the lane is gone and fetches the hash lists; the second one is measured.
        one_byte(&house, version, 0).await;
        let before = read_bytes(&house);
        assert_eq!(one_byte(&house, version, 0).await, content[0]);
        let after = read_bytes(&house);
        let touched: Vec<u64> = after.iter().zip(&before).map(|(after, before)| after - before).collect();
        assert!(touched.iter().all(|bytes| *bytes <= 2 * 65_536), "{touched:?}");
        assert_eq!(touched.iter().filter(|bytes| **bytes > 0).count(), 4, "k lanes help: {touched:?}");
        house.disks[lost].set_up(true);
        house.store.tick(false).await.unwrap();
    }
}
