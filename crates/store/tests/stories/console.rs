//! What the operator's console says: the same as the questions that it answers, never older than it admits, and hour by hour.
#![allow(clippy::unwrap_used, reason = "a test")]

use std::sync::Arc;

use crate::{
    catalogue_lost::opening,
    common::{House, bytes, settings},
};
use catalogue::Catalogue;
use fleet::Roster;
use model::{
    fleet::ProviderRow,
    id::{ProviderId, TargetId},
    world::{Clock, Now},
};
use store::{Settings, Store};
use testkit::world::ManualClock;

const HOUR_US: u64 = 3_600_000_000;

fn firm(number: u8) -> ProviderId {
    ProviderId([number + 1; 16])
}

async fn filled(firms: usize) -> House {
    let house = House::new(firms).await;
    for (i, size) in [700, 9_000, 90_000, 300_000, 900_001].into_iter().enumerate() {
        house.put(&format!("{i}"), &bytes(size, i as u64)).await.unwrap();
    }
    house.store.tick(true).await.unwrap();
    house
}

#[tokio::test]
async fn a_tile_says_what_the_question_answers() {
    for firms in [2, 4, 6] {
        let house = filled(firms).await;
        // One is away already, where that leaves two.
        if firms > 2 {
            house.disks[1].set_up(false);
            let _ = house.store.tick(false).await;
        }
        let report = house.store.fleet_report().await.unwrap();
        assert!(!report.is_stale);
        for provider in &report.providers {
            let asked = house.store.what_if(&[provider.id]).await.unwrap();
            let (files, packs, records) = (provider.without.files, provider.without.packs, provider.without.records);
            let case = format!("{firms} firms, without {}: {asked:?}", provider.name);
            assert_eq!(
                (files.unreadable, files.below_safe),
                (asked.files_unreadable, asked.files_below_safe),
                "{case}"
            );
            assert_eq!(
                (packs.unreadable, records.unreadable),
                (asked.packs_unreadable, asked.records_unreadable),
                "{case}"
            );
            assert_eq!(records.below_safe, asked.records_below_safe, "{case}");
        }
        let nobody = house.store.what_if(&[]).await.unwrap();
        assert_eq!((nobody.margin, nobody.files_below_settled), (report.margin, report.files_below_settled));
    }
}

#[tokio::test]
async fn what_several_losses_would_do_comes_true() {
    let house = filled(6).await;
    let files = house.store.what_if(&[]).await.unwrap();
    assert_eq!((files.files_unreadable, files.margin, files.effort.packs), (0, Some(2), 0), "{files:?}");
    let two = house.store.what_if(&[firm(0), firm(3)]).await.unwrap();
    assert_eq!((two.files_unreadable, two.packs_unreadable, two.margin), (0, 0, Some(0)), "{two:?}");
    assert!(two.effort.packs > 0 && two.effort.gone == 0 && two.scheme.is_some(), "{two:?}");
    assert_eq!((two.at_limit_s, two.at_measured_s), (None, None), "nobody knows");
    assert_eq!((two.costs, two.unpriced.len()), (None, 4), "nobody gave a price");
    let three = house.store.what_if(&[firm(0), firm(3), firm(4)]).await.unwrap();
    assert!(three.files_unreadable > 0 && three.margin.is_none() && three.effort.gone > 0, "{three:?}");

    let lane_bytes = async || house.store.read(|tx| catalogue::packs::makes_total(tx)).await.unwrap().1;
    let before = lane_bytes().await;
    house.disks[0].wipe();
    house.disks[3].wipe();
    house.store.tick(true).await.unwrap();
    house.store.tick(true).await.unwrap();
    let report = house.store.fleet_report().await.unwrap();
    assert_eq!((report.packs_below_settled, report.backlog_bytes), (0, 0), "{report:?}");
    let written = lane_bytes().await - before;
    assert!(written > 0 && written <= two.effort.write_bytes(), "{written} of {}", two.effort.write_bytes());
}

#[tokio::test]
async fn repair_costs_what_the_firms_that_are_left_ask() {
    let house = filled(6).await;
    let labels =
        ["price.tb_month", "price.gb_out", "price.million_requests"].map(|label| (label.to_owned(), "5000".into()));
    let priced = |n: u8| ProviderRow { id: firm(n), name: format!("firm-{n}"), labels: labels.to_vec() };
    house.store.grow((1..6).map(priced).collect(), vec![], vec![]).await.unwrap();
    let asked = house.store.what_if(&[firm(0)]).await.unwrap();
    let costs = asked.costs.unwrap();
    assert_eq!(costs.len(), 1);
    assert!(costs[0].once > plan::Money(0) && costs[0].storing_month > plan::Money(0), "{costs:?}");
    let other = house.store.what_if(&[firm(1)]).await.unwrap();
    assert_eq!((other.costs, other.unpriced), (None, vec!["firm-0".to_owned()]));
}

#[tokio::test]
async fn each_hour_has_a_row_and_what_was_bad_stays_seen() {
    let house = filled(4).await;
    let since = house.store.now().wall_us;
    house.clock.advance(HOUR_US);
    house.store.tick(false).await.unwrap();
    house.store.tick(false).await.unwrap();
    house.disks[2].wipe();
    house.clock.advance(HOUR_US);
    // The firm is gone and has not been repaired for: packs cannot be read at more than three firms.
    house.disks[3].set_up(false);
    let _ = house.store.tick(false).await;
    let hours = house.store.trend(since).await.unwrap();
    assert_eq!(hours.len(), 3, "{hours:?}");
    assert!(hours.windows(2).all(|pair| pair[0].hour + 1 == pair[1].hour));
    assert!(hours[1].packs > 0 && hours[1].packs_below_settled == 0 && hours[1].margin == Some(1), "{hours:?}");
    assert_eq!(hours[1].by_margin.iter().sum::<u64>(), hours[1].packs);
    assert!(hours[1].stored.values().all(|bytes| *bytes > 0) && hours[1].stored.len() == 4);
    assert!(house.store.trend(since + 3 * HOUR_US as i64).await.unwrap().is_empty());
}

/// A clock by which everything takes long: it goes on whenever it is read.
#[derive(Debug)]
struct Slow(ManualClock, u64);

impl Clock for Slow {
    fn now(&self) -> Now {
        self.0.advance(self.1);
        self.0.now()
    }
}

#[tokio::test]
async fn what_takes_long_to_count_is_kept_and_says_when_the_fleet_changed_since() {
    let house = filled(6).await;
    let roster = Roster::default();
    for (i, target) in house.targets.iter().enumerate() {
        roster.insert(TargetId([i as u8 + 101; 16]), target.clone());
    }
    let catalogue = Catalogue::inline_from_image(&house.catalogue.image().unwrap()).unwrap();
    let mut opening = opening(&house, catalogue, roster);
    opening.world.clock = Arc::new(Slow(house.clock.clone(), 1_500_000));
    opening.settings = Settings { down_wait_s: u64::MAX / 2_000_000, upkeep_every_ms: 5, ..settings() };
    let store = Store::open(opening).await.unwrap();
    store.start();
    let report = async || store.fleet_report().await.unwrap();
    let down =
        |report: &store::FleetReport| report.providers.iter().any(|firm| firm.state == model::fleet::TargetState::Down);
    assert_eq!(report().await.files_below_settled, 0);
    let mut kept = false;
    for _ in 0..100 {
        kept |= report().await.counted_us == report().await.counted_us;
    }
    assert!(kept, "it is not counted for each that asks");
    house.disks[5].set_up(false);
    loop {
        let now = report().await;
        if down(&now) {
            assert!(now.is_stale || now.files_below_settled > 0, "{now:?}");
            if !now.is_stale {
                break;
            }
        }
        tokio::task::yield_now().await;
    }
    store.stop().await;
}

#[tokio::test]
async fn a_firms_budget_is_in_the_forecast_and_holds_nothing_that_is_urgent() {
    let house = filled(6).await;
    let budget = |limit: &str| ProviderRow {
        id: firm(2),
        name: "firm-2".to_owned(),
        labels: vec![("budget.bytes_per_s".to_owned(), limit.to_owned())],
    };
    house.store.grow(vec![budget("1000")], vec![], vec![]).await.unwrap();
    // Without one firm all is safe: what has to be made again waits for the budget of whoever is asked for it.
    let one = house.store.what_if(&[firm(0)]).await.unwrap();
    let share = one.effort.shares[&firm(2)];
    assert_eq!((one.at_limit_s, one.budget_of.as_deref()), (Some(share.paced_bytes.div_ceil(1_000)), Some("firm-2")));
    assert!(share.waiting_bytes > 0 && one.uses_up.is_empty(), "{one:?}");
    let wider = house.store.grow(vec![budget("2000")], vec![], vec![]).await;
    assert!(wider.is_ok() && house.store.what_if(&[firm(0)]).await.unwrap().at_limit_s < one.at_limit_s);
    // It is of no account where the firm itself is gone, nor for what is below safe.
    let gone = house.store.what_if(&[firm(2)]).await.unwrap();
    assert_eq!((gone.at_limit_s, gone.budget_of), (None, None));
    let two = house.store.what_if(&[firm(0), firm(3)]).await.unwrap();
    assert_eq!((two.files_below_safe > 0, two.at_limit_s), (true, None), "{two:?}");
}
