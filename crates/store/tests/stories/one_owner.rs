//! Two firms of one owner are one failure domain: they may vanish together, and nothing is lost.
#![allow(clippy::unwrap_used, reason = "a test")]

use crate::common::{House, bytes};
use model::{fleet::ProviderRow, id::ProviderId};

#[tokio::test]
async fn both_firms_of_one_owner_may_vanish_together() {
    let house = House::new(4).await;
    let before = house.store.fleet_report().await.unwrap().scheme.unwrap();
    let row = |n: u8| ProviderRow {
        id: ProviderId([n + 1; 16]),
        name: format!("firm-{n}"),
        labels: vec![("owner".to_owned(), "holding".to_owned())],
    };
    house.store.grow(vec![row(0), row(1)], vec![], vec![]).await.unwrap();
    let report = house.store.fleet_report().await.unwrap();
    assert_ne!(report.scheme.unwrap(), before, "the scheme is that of three, not of four");
    let (small, large) = (bytes(20_000, 1), bytes(900_000, 2));
    let versions = [house.put("small", &small).await.unwrap(), house.put("large", &large).await.unwrap()];
    let report = house.store.what_if(&[ProviderId([1; 16])]).await.unwrap();
    assert_eq!((report.files_unreadable, report.packs_unreadable, report.records_unreadable), (0, 0, 0), "{report:?}");
    house.disks[0].wipe();
    house.disks[1].wipe();
    assert!(house.get(&versions[0]).await.unwrap() == small);
    assert!(house.get(&versions[1]).await.unwrap() == large);
}
