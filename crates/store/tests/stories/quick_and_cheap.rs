//! Where there is a choice, bytes come from firms that ask little for them; and a firm that hangs holds nobody up for ever,
//! however little may be read twice.
#![allow(clippy::unwrap_used, reason = "a test")]

use std::sync::Arc;

use crate::{
    common::{House, bytes, settings},
    degraded_read::{holder, one_byte, read_bytes},
};
use fleet::faults::{Fault, FaultControl, Faults, When};
use model::{
    fleet::ProviderRow,
    id::{ProviderId, TargetId},
};
use store::Settings;
use testkit::world::{SeededEntropy, TokioTimer};

/// Says what each firm asks for a GB that is fetched.
async fn set_prices(house: &House, prices: &[&str]) {
    let row = |(n, price): (usize, &&str)| ProviderRow {
        id: ProviderId([n as u8 + 1; 16]),
        name: format!("firm-{n}"),
        labels: vec![("price.gb_out".to_owned(), (*price).to_owned())],
    };
    house.store.grow(prices.iter().enumerate().map(row).collect(), vec![], vec![]).await.unwrap();
}

/// Which targets gave bytes between two readings.
fn gave(before: &[u64], after: &[u64]) -> Vec<usize> {
    (0..before.len()).filter(|at| after[*at] > before[*at]).collect()
}

#[tokio::test]
async fn copies_and_spare_lanes_are_read_where_they_cost_least() {
    let house = House::new(6).await;
    let content = bytes(900_000, 5);
    let large = house.put("large", &content).await.unwrap();
    let lost = holder(&house, &large).await;
    let dear = (lost + 1) % 6;
    let prices: Vec<_> = (0..6).map(|at| if at == dear { "0.09" } else { "0.01" }).collect();
    set_prices(&house, &prices).await;

    house.disks[lost].set_up(false);
    one_byte(&house, &large, 0).await;
    let before = read_bytes(&house);
    assert_eq!(one_byte(&house, &large, 0).await, content[0]);
    let lanes = gave(&before, &read_bytes(&house));
    assert!(lanes.len() == 4 && !lanes.contains(&dear), "four of five will do, and {dear} is dear: {lanes:?}");
    house.disks[lost].set_up(true);
    house.store.tick(false).await.unwrap();

    // Every firm but one is dear, and a small file's copies are at some of them.
    let small = house.put("small", &content[..20_000]).await.unwrap();
    let name = |at: &usize| house.disks[*at].names().into_iter().filter(|name| name.starts_with("journal")).max();
    let newest = (0..6).filter_map(|at| name(&at)).max();
    let holders: Vec<usize> = (0..6).filter(|at| name(at) == newest).collect();
    let cheap = *holders.last().unwrap();
    let prices: Vec<_> = (0..6).map(|at| if at == cheap { "0" } else { "0.05" }).collect();
    let before = read_bytes(&house);
    set_prices(&house, &prices).await;
    house.get(&small).await.unwrap();
    assert_eq!(gave(&before, &read_bytes(&house)), [cheap], "of {holders:?}");
}

#[tokio::test]
async fn who_hangs_is_read_around_with_a_budget_and_without() {
    for hedge_percent in [10, 0] {
        let hasty = Settings { overtake_after_ms: 20, hedge_percent, ..settings() };
        let house = House::with_settings(6, 1, hasty).await;
        let content = bytes(900_000, 5);
        let large = house.put("large", &content).await.unwrap();
        let slow = holder(&house, &large).await;
        let hand = FaultControl::default();
        let faulty = Faults::over(
            house.targets[slow].clone(),
            hand.clone(),
            Arc::new(SeededEntropy::new(1)),
            Arc::new(TokioTimer),
        );
        house.store.roster().insert(TargetId([slow as u8 + 101; 16]), Arc::new(faulty));
        hand.set(Fault::Hang, When::Always);
        assert!(house.get(&large).await.unwrap() == content, "{hedge_percent} %");
        assert_eq!(hand.hanging(), 0, "nobody waits for it any more");
    }
}
