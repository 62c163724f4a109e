//! What would be left without a firm is proved by reading it without that firm, and a hole is found before the firm goes.
#![allow(clippy::unwrap_used, reason = "a test")]

use model::id::ProviderId;

use crate::common::{House, bytes};

fn firm(index: u8) -> ProviderId {
    ProviderId([index + 1; 16])
}

#[tokio::test]
async fn a_drill_reads_everything_and_nothing_at_the_firm() {
    let house = House::new(6).await;
    house.put("large", &bytes(900_000, 1)).await.unwrap();
    house.put("small", &bytes(3_000, 2)).await.unwrap();
    house.store.tick(true).await.unwrap();
    let asked = house.meters[2].snapshot();
    let report = house.store.drill(firm(2), None).await.unwrap();
    assert!(report.passed() && report.complete, "{report:?}");
    assert!(report.packs > 0 && report.records > 0 && report.bytes >= 900_000, "{report:?}");
    assert_eq!(report.files_unreadable, 0);
    assert_eq!(house.meters[2].snapshot(), asked, "nothing was asked of the firm that is fenced off");
    // A sample as large as everything is everything; one of few is few.
    let few = house.store.drill(firm(2), Some(1)).await.unwrap();
    assert!(few.passed() && !few.complete && few.packs == 1 && few.records == 1, "{few:?}");
    // It is remembered beside the firm.
    let shown = house.store.fleet_report().await.unwrap();
    assert_eq!(shown.providers.iter().filter(|provider| provider.last_drill == Some(few.clone())).count(), 1);
}

#[tokio::test]
async fn a_planted_hole_is_found_and_said() {
    let house = House::new(6).await;
    let content = bytes(900_000, 3);
    let version = house.put("large", &content).await.unwrap();
    house.store.tick(true).await.unwrap();
    // Shards of all packs are spoilt at two firms, unnoticed: with a third one gone fewer than k are left. What the records
    // say, and so the forecast, is that nothing would be unreadable.
    for disk in &house.disks[..2] {
        for name in disk.names().into_iter().filter(|name| name.starts_with("shards/")) {
            let mut bytes = disk.bytes(&name).unwrap().to_vec();
            bytes.iter_mut().skip(4_096).for_each(|byte| *byte ^= 0x55);
            disk.plant(&name, Some(bytes.into()));
        }
    }
    let forecast = house.store.what_if(&[firm(5)]).await.unwrap();
    assert_eq!(forecast.files_unreadable, 0, "nobody has read it since");
    let report = house.store.drill(firm(5), None).await.unwrap();
    assert!(!report.passed(), "{report:?}");
    assert!(report.packs_unreadable > 0 && report.files_unreadable == 1 && !report.holes.is_empty(), "{report:?}");
    // With all firms there nothing is lost, and what the drill found is mended, so that the next one passes.
    assert!(house.get(&version).await.unwrap() == content);
    for _ in 0..3 {
        house.store.tick(true).await.unwrap();
    }
    let report = house.store.drill(firm(5), None).await.unwrap();
    assert!(report.passed(), "{report:?}");
    assert!(house.get(&version).await.unwrap() == content);
}

#[tokio::test]
async fn who_is_away_meanwhile_is_named() {
    let house = House::new(4).await;
    house.put("large", &bytes(900_000, 4)).await.unwrap();
    house.disks[0].set_up(false);
    house.store.tick(false).await.unwrap();
    let report = house.store.drill(firm(3), Some(10)).await.unwrap();
    assert_eq!(report.away, ["firm-0"]);
    let nobody = house.store.drill(ProviderId([99; 16]), None).await;
    assert!(nobody.is_err());
}
