//! A target comes back with old content: nothing on it counts until it was read, and what is missing is made again.
#![allow(clippy::unwrap_used, reason = "a test")]

use crate::common::{House, bytes, settings};
use format::name::shard_name;
use model::{
    fleet::TargetState,
    id::{PackId, TargetId},
    pack::MakeState,
};
use store::Settings;

#[tokio::test]
async fn old_content_is_suspect_until_read_and_then_made_whole() {
    let house = House::new(6).await;
    let content = bytes(700_000, 9);
    let before = house.put("before", &content).await.unwrap();
    house.store.tick(true).await.unwrap();
    let old = house.disks[1].image();
    // It goes and comes back, which raises its generation, and then takes new files.
    house.disks[1].set_up(false);
    house.store.tick(false).await.unwrap();
    house.disks[1].set_up(true);
    house.store.tick(false).await.unwrap();
    let after = house.put("after", &content[..600_000]).await.unwrap();
    house.store.tick(true).await.unwrap();
    // Somebody puts last week's disk back.
    house.disks[1].restore(old);
    for _ in 0..3 {
        house.store.tick(true).await.unwrap();
    }
    let report = house.store.fleet_report().await.unwrap();
    assert_eq!((report.packs_below_settled, report.records_below_settled), (0, 0), "{report:?}");
    // Every byte that the report counts on is really there: any other provider may go now.
    for gone in [0usize, 2, 3, 4, 5] {
        house.disks[gone].set_up(false);
        assert!(house.get(&before).await.unwrap() == content, "without {gone}");
        assert!(house.get(&after).await.unwrap() == content[..600_000], "without {gone}");
        house.disks[gone].set_up(true);
        house.store.tick(false).await.unwrap();
    }
}

/// Makes that the catalogue calls good at a target, and of which nothing lies there.
async fn believed_and_not_there(house: &House, disk: usize) -> usize {
    let packs = house.store.read(|tx| catalogue::packs::pack_views(tx, PackId::default(), 1_000)).await.unwrap();
    let there = house.disks[disk].names();
    let makes = packs.iter().flat_map(|pack| pack.makes.iter().map(|view| (pack.id, view)));
    makes
        .filter(|(_, view)| view.make.target == TargetId([disk as u8 + 101; 16]))
        .filter(|(_, view)| view.finding.state == MakeState::Good)
        .filter(|(pack, view)| !there.contains(&shard_name(*pack, view.make.lane, view.make.make)))
        .count()
}

#[tokio::test]
async fn who_stops_lists_no_names_any_more() {
    const DAY_US: u64 = 86_400_000_000;
    let house = House::new(6).await;
    house.put("large", &bytes(700_000, 3)).await.unwrap();
    house.store.tick(true).await.unwrap();
    for (disk, stops) in [(1, false), (2, true)] {
        house.clock.advance(2 * DAY_US);
        for name in house.disks[disk].names().into_iter().filter(|name| name.starts_with("shards/")) {
            house.disks[disk].plant(&name, None);
        }
        assert!(believed_and_not_there(&house, disk).await > 0);
        if stops {
            house.store.stop().await;
        }
        // One that is cut short says so; what it did not come to is found by the next.
        let _ = house.store.tick(true).await;
        assert_eq!(believed_and_not_there(&house, disk).await > 0, stops, "disk {disk}");
    }
}

#[tokio::test]
async fn a_wiped_target_that_is_filled_from_an_old_copy_counts_for_what_it_holds() {
    let house = House::with_settings(6, 1, Settings { down_wait_s: 3_600, ..settings() }).await;
    let content = bytes(700_000, 19);
    let before = house.put("before", &content).await.unwrap();
    house.store.tick(true).await.unwrap();
    // The firm keeps a copy; no generation is raised after it.
    let old = house.disks[1].image();
    let after = house.put("after", &content[..600_000]).await.unwrap();
    house.store.tick(true).await.unwrap();
    house.disks[1].wipe();
    house.store.tick(false).await.unwrap();
    house.disks[1].restore(old);
    house.store.tick(false).await.unwrap();
    let report = house.store.fleet_report().await.unwrap();
    assert_eq!(report.providers[1].state, TargetState::Up, "{report:?}");
    assert_eq!(believed_and_not_there(&house, 1).await, 0, "a listing tells what an old copy lacks");
    for _ in 0..3 {
        house.store.tick(true).await.unwrap();
    }
    let report = house.store.fleet_report().await.unwrap();
    assert_eq!((report.packs_below_settled, report.records_below_settled), (0, 0), "{report:?}");
    for gone in [0usize, 2, 3, 4, 5] {
        house.disks[gone].set_up(false);
        assert!(house.get(&before).await.unwrap() == content, "without {gone}");
        assert!(house.get(&after).await.unwrap() == content[..600_000], "without {gone}");
        house.disks[gone].set_up(true);
        house.store.tick(false).await.unwrap();
    }
}

#[tokio::test]
async fn a_target_that_was_away_for_long_counts_for_what_it_holds() {
    let house = House::with_settings(6, 1, Settings { down_wait_s: 60, ..settings() }).await;
    let content = bytes(700_000, 29);
    let before = house.put("before", &content).await.unwrap();
    house.store.tick(true).await.unwrap();
    let old = house.disks[1].image();
    let after = house.put("after", &content[..600_000]).await.unwrap();
    house.store.tick(true).await.unwrap();
    house.disks[1].set_up(false);
    house.store.tick(false).await.unwrap();
    house.clock.advance(61_000_000);
    // All is made again elsewhere before it returns, with the marker that it left with.
    house.store.tick(true).await.unwrap();
    house.disks[1].restore(old);
    house.disks[1].set_up(true);
    house.store.tick(false).await.unwrap();
    let report = house.store.fleet_report().await.unwrap();
    assert_eq!(report.providers[1].state, TargetState::Up, "{report:?}");
    assert_eq!(believed_and_not_there(&house, 1).await, 0, "a listing tells what an old copy lacks");
    assert!(house.get(&before).await.unwrap() == content);
    assert!(house.get(&after).await.unwrap() == content[..600_000]);
}
