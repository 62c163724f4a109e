//! A service grows from two firms to six: what was written before moves onto the new ones by itself, and the room that it
//! took twice comes back.
#![allow(clippy::unwrap_used, reason = "a test")]

use std::collections::BTreeSet;

use crate::common::{House, bytes, settings};
use fleet::MemoryDisk;
use model::id::{PackId, TargetId};
use store::Settings;

const HOUR_US: u64 = 3_600_000_000;
const NEW: [u8; 4] = [201, 202, 203, 204];

/// Of each pack: k, and the targets of its makes.
async fn shapes(house: &House) -> Vec<(u8, Vec<TargetId>)> {
    let packs = house.store.read(|tx| catalogue::packs::pack_views(tx, PackId::default(), 1_000)).await.unwrap();
    packs.into_iter().map(|pack| (pack.k, pack.makes.iter().map(|view| view.make.target).collect())).collect()
}

async fn grown(settings: Settings) -> (House, Vec<(model::entry::Version, Vec<u8>)>, Vec<MemoryDisk>) {
    let house = House::with_settings(2, 1, settings).await;
    let mut files = Vec::new();
    for i in 0..12usize {
        let content = bytes(20_000 + i * 90_000, i as u64);
        files.push((house.put(&format!("file-{i}"), &content).await.unwrap(), content));
    }
    house.store.tick(true).await.unwrap();
    let mut disks = Vec::new();
    for n in NEW {
        disks.push(house.join(n).await);
    }
    (house, files, disks)
}

#[tokio::test]
async fn packs_of_two_firms_take_the_shape_of_six_and_their_room_comes_back() {
    let (house, files, disks) = grown(settings()).await;
    let before: u64 = house.disks.iter().map(MemoryDisk::used_bytes).sum();
    for _ in 0..4 {
        house.store.tick(true).await.unwrap();
        for (version, content) in &files {
            assert!(&house.get(version).await.unwrap() == content, "while it moves");
        }
    }
    let packs = shapes(&house).await;
    assert!(packs.len() >= 4, "{packs:?}");
    for (k, targets) in &packs {
        let distinct: BTreeSet<_> = targets.iter().collect();
        assert_eq!((*k, targets.len(), distinct.len()), (4, 6, 6), "4+2, one lane at each firm: {targets:?}");
    }
    // The grace time and the hourly budget of deletions are for these shards too.
    for _ in 0..12 {
        house.clock.advance(HOUR_US);
        house.store.tick(true).await.unwrap();
    }
    let used = || house.disks.iter().chain(&disks).map(MemoryDisk::used_bytes).sum::<u64>();
    let after = used();
    assert!(after * 10 < before * 8, "{before} bytes on two firms became {after} on six");
    // Any two firms may go at once now; before, only one could.
    house.disks[0].wipe();
    disks[2].wipe();
    for (version, content) in &files {
        assert!(&house.get(version).await.unwrap() == content, "without two firms");
    }
}

#[tokio::test]
async fn nothing_moves_while_a_firm_is_away_or_the_operator_forbids_it() {
    let (house, _, disks) = grown(settings()).await;
    disks[3].set_up(false);
    let shards = |disk: &MemoryDisk| disk.names().iter().filter(|name| name.starts_with("shards/")).count();
    for _ in 0..3 {
        let _ = house.store.tick(true).await;
    }
    assert_eq!(disks.iter().map(shards).sum::<usize>(), 0, "it may come back any moment");
    disks[3].set_up(true);
    for _ in 0..3 {
        house.store.tick(true).await.unwrap();
    }
    assert!(disks.iter().all(|disk| shards(disk) > 0));

    let (house, _, disks) = grown(Settings { fill: false, ..settings() }).await;
    for _ in 0..3 {
        house.store.tick(true).await.unwrap();
    }
    assert_eq!(disks.iter().map(shards).sum::<usize>(), 0, "fill = false");
    assert!(shapes(&house).await.iter().all(|(_, targets)| targets.len() == 10));
}

#[tokio::test]
async fn a_disk_that_fills_up_ends_the_moving_and_loses_nothing() {
    let (house, files, disks) = grown(settings()).await;
    for disk in &disks {
        disk.set_capacity(Some(disk.used_bytes() + 300_000));
    }
    for _ in 0..4 {
        let _ = house.store.tick(true).await;
    }
    let report = house.store.fleet_report().await.unwrap();
    assert_eq!((report.packs_below_settled, report.files_unreadable), (0, 0), "{report:?}");
    for (version, content) in &files {
        assert!(&house.get(version).await.unwrap() == content);
    }
    house.disks[1].set_up(false);
    for (version, content) in &files {
        assert!(&house.get(version).await.unwrap() == content, "without an old firm");
    }
}

#[tokio::test]
async fn it_gives_way_to_clients_and_still_has_its_turn() {
    let (house, files, disks) = grown(settings()).await;
    let (version, _) = files.last().unwrap();
    // A download that is never over: the service is busy in every round.
    let _reading = house.store.open_version(house.account.id, version.clone(), 0..u64::MAX).await.unwrap();
    let shards = |disk: &MemoryDisk| disk.names().iter().filter(|name| name.starts_with("shards/")).count();
    let mut rounds_that_moved = 0;
    for _ in 0..16 {
        let before: usize = disks.iter().map(shards).sum();
        house.store.tick(false).await.unwrap();
        rounds_that_moved += usize::from(disks.iter().map(shards).sum::<usize>() > before);
    }
    assert!((1..=2).contains(&rounds_that_moved), "{rounds_that_moved} of 16 rounds moved something");
}
