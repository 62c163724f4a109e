//! A target comes back with old content: nothing on it counts until it was read, and what is missing is made again.
#![allow(clippy::unwrap_used, reason = "a test")]

mod common;

use common::{House, bytes};

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
