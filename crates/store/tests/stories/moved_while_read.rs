//! A read that began before its bytes moved goes on where they lie now.
#![allow(clippy::unwrap_used, reason = "a test")]

use crate::common::{House, bytes, rest, settings};
use fleet::MemoryDisk;
use futures_util::StreamExt;
use store::Settings;

const HOUR_US: u64 = 3_600_000_000;

#[tokio::test]
async fn a_small_file_is_packed_and_the_journal_released_under_a_reader() {
    let house = House::new(6).await;
    let content = bytes(40_000, 3);
    let version = house.put("small", &content).await.unwrap();
    let reading = house.store.open_version(house.account.id, version, 0..u64::MAX).await.unwrap();
    let journal = |disk: &MemoryDisk| disk.names().iter().filter(|name| name.starts_with("journal/")).count();
    let before: usize = house.disks.iter().map(journal).sum();
    for _ in 0..3 {
        house.store.tick(true).await.unwrap();
    }
    assert!(house.disks.iter().map(journal).sum::<usize>() < before, "the object it was to be read from is gone");
    assert!(rest(reading).await.unwrap() == content);
}

#[tokio::test]
async fn a_large_file_moves_to_new_firms_and_its_old_shards_go_under_a_reader() {
    let house = House::with_settings(2, 1, Settings { buffer_bytes: 4 << 20, ..settings() }).await;
    let content = bytes(6_000_000, 4);
    let version = house.put("large", &content).await.unwrap();
    house.store.tick(true).await.unwrap();
    let mut reading = house.store.open_version(house.account.id, version, 0..u64::MAX).await.unwrap();
    let first = reading.next().await.unwrap().unwrap();
    let shards = |disk: &MemoryDisk| disk.names().iter().filter(|name| name.starts_with("shards/")).count();
    let before = shards(&house.disks[0]);
    let mut disks = Vec::new();
    for n in [201, 202, 203, 204] {
        disks.push(house.join(n).await);
    }
    for _ in 0..12 {
        house.clock.advance(HOUR_US);
        house.store.tick(true).await.unwrap();
    }
    assert!(shards(&house.disks[0]) * 2 < before, "most of what it was to be read from is gone");
    assert!(rest(reading).await.unwrap() == content[first.len()..]);
}
