//! What the firms were asked for is counted, survives a restart, and is written only when there is something to write.
#![allow(clippy::unwrap_used, reason = "a test")]

use crate::{
    catalogue_lost::opening,
    common::{House, bytes},
};
use catalogue::Catalogue;
use fleet::{Kind, Roster};
use model::{
    fleet::ProviderRow,
    id::{ProviderId, TargetId},
};
use store::{FleetReport, Spending, Store};

const MINUTE_US: u64 = 60_000_000;
/// A day in January.
const JANUARY_US: i64 = 1_768_953_600_000_000;
const DAY_US: u64 = 86_400_000_000;

async fn spending(store: &Store, firm: usize) -> Spending {
    report(store).await.providers[firm].spending.clone()
}

async fn report(store: &Store) -> FleetReport {
    store.fleet_report().await.unwrap()
}

/// The sum of a month's puts as the catalogue has them.
async fn written_puts(store: &Store, month: u32) -> u64 {
    let read = move |tx: &mut catalogue::Tx<'_>| {
        let all = catalogue::fleet::providers(tx)?;
        all.iter().map(|row| Ok(catalogue::traffic::of_month(tx, row.id, month)?.requests[0])).sum()
    };
    store.read(read).await.unwrap()
}

async fn again(house: &House) -> Store {
    let roster = Roster::default();
    for (i, target) in house.targets.iter().enumerate() {
        roster.insert(TargetId([i as u8 + 101; 16]), target.clone());
    }
    let catalogue = Catalogue::inline_from_image(&house.catalogue.image().unwrap()).unwrap();
    Store::open(opening(house, catalogue, roster)).await.unwrap()
}

#[tokio::test]
async fn a_month_is_kept_over_a_restart_and_costs_what_the_firm_asks() {
    let house = House::new(3).await;
    house.clock.set_wall_us(JANUARY_US);
    let price =
        ["price.tb_month", "price.gb_out", "price.million_requests"].map(|label| (label.to_owned(), "1000".into()));
    let row = |n: u8, labels: Vec<_>| ProviderRow { id: ProviderId([n + 1; 16]), name: format!("firm-{n}"), labels };
    house.store.grow(vec![row(0, price.to_vec()), row(1, price[..2].to_vec())], vec![], vec![]).await.unwrap();
    house.put("large", &bytes(900_000, 1)).await.unwrap();
    house.clock.advance(MINUTE_US);
    house.store.tick(true).await.unwrap();

    let before = spending(&house.store, 0).await;
    let traffic = before.traffic.unwrap();
    assert!(traffic.of(Kind::Put) > 0 && traffic.of(Kind::Get) > 0 && traffic.in_bytes > 300_000, "{traffic:?}");
    assert!(before.stored_bytes > 300_000, "{before:?}");
    assert!(
        before.cost.so_far > Some(plan::Money(0)) && before.cost.storing_month > Some(plan::Money(0)),
        "{before:?}"
    );
    let unknown = spending(&house.store, 1).await;
    assert!(unknown.cost.storing_month.is_some());
    assert_eq!(unknown.cost.so_far, None, "nobody said what requests cost");

    house.store.stop().await;
    let store = again(&house).await;
    let after = spending(&store, 0).await;
    let kept = after.traffic.unwrap();
    assert!(
        kept.of(Kind::Put) >= traffic.of(Kind::Put) && kept.in_bytes >= traffic.in_bytes,
        "{kept:?} after {traffic:?}"
    );

    // Ten days later storing has cost more, though nothing was asked for; in the next month only its own days count.
    house.clock.advance(10 * DAY_US);
    let later = spending(&store, 0).await;
    assert!(later.cost.so_far > after.cost.so_far, "{later:?}");
    assert_eq!(report(&store).await.month.to_string(), "2026-01");
    house.clock.advance(20 * DAY_US);
    let report = report(&store).await;
    assert_eq!(report.month.to_string(), "2026-02");
    let next = report.providers[0].spending.clone();
    assert!(next.cost.so_far > Some(plan::Money(0)) && next.cost.so_far < later.cost.so_far, "{next:?}");
}

#[tokio::test]
async fn looks_at_markers_are_written_with_what_comes_next() {
    let house = House::new(3).await;
    house.clock.set_wall_us(JANUARY_US);
    house.put("small", &bytes(20_000, 1)).await.unwrap();
    house.clock.advance(MINUTE_US);
    for _ in 0..6 {
        house.store.tick(true).await.unwrap();
        house.clock.advance(60 * MINUTE_US);
    }
    let month = report(&house.store).await.month.0;
    let written = written_puts(&house.store, month).await;
    assert!(written > 0);
    let image = house.catalogue.image().unwrap();
    for _ in 0..20 {
        house.clock.advance(60 * MINUTE_US);
        house.store.tick(false).await.unwrap();
    }
    assert!(house.catalogue.image().unwrap() == image, "an idle service writes nothing");
    let gets = |spending: &Spending| spending.traffic.unwrap().of(Kind::Get);
    let seen = gets(&spending(&house.store, 0).await);
    house.put("more", &bytes(20_000, 2)).await.unwrap();
    house.clock.advance(MINUTE_US);
    house.store.tick(false).await.unwrap();
    assert!(written_puts(&house.store, month).await > written);
    assert!(gets(&spending(&house.store, 0).await) >= seen, "what was only seen is not forgotten");
}

#[tokio::test]
async fn a_firm_whose_budget_is_used_up_is_left_alone_by_what_can_wait_until_the_next_month() {
    let house = House::new(6).await;
    // The first of January, some hours in.
    house.clock.set_wall_us(1_767_247_200_000_000);
    for number in 1..=6 {
        house.put(&format!("large {number}"), &bytes(900_000, number)).await.unwrap();
    }
    house.store.tick(true).await.unwrap();
    let asked = spending(&house.store, 2).await.traffic.unwrap().total();
    let budget = vec![("budget.requests_month".to_owned(), asked.to_string())];
    let row = ProviderRow { id: ProviderId([3; 16]), name: "firm-2".into(), labels: budget };
    house.store.grow(vec![row], vec![], vec![]).await.unwrap();
    house.clock.advance(MINUTE_US);
    house.store.tick(true).await.unwrap();
    let used_up = |report: &FleetReport| {
        let all = report.providers.iter().filter(|provider| provider.spending.used_up.is_some());
        all.map(|provider| provider.name.clone()).collect::<Vec<_>>()
    };
    assert_eq!(used_up(&report(&house.store).await), ["firm-2"]);

    // Uploads and their proof go on there: what is needed is not held.
    let puts = house.meters[2].snapshot();
    let version = house.put("another", &bytes(900_000, 9)).await.unwrap();
    assert_ne!(house.meters[2].snapshot(), puts);
    assert!(house.get(&version).await.unwrap() == bytes(900_000, 9));

    // In February there is a budget again.
    house.clock.advance(32 * DAY_US);
    house.store.tick(true).await.unwrap();
    assert!(used_up(&report(&house.store).await).is_empty());
}
