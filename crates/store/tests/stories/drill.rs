//! What would be left without a firm is proved by reading it without that firm, and a hole is found before the firm goes.
#![allow(clippy::unwrap_used, reason = "a test")]

use fleet::Verb;
use model::{fleet::ProviderRow, id::ProviderId};

use store::Settings;

use crate::common::{House, bytes, settings};

fn firm(index: u8) -> ProviderId {
    ProviderId([index + 1; 16])
}

#[tokio::test]
async fn a_drill_reads_everything_and_nothing_at_the_firm() {
    let house = House::new(6).await;
    house.put("large", &bytes(900_000, 1)).await.unwrap();
    house.put("small", &bytes(3_000, 2)).await.unwrap();
    house.store.tick(true).await.unwrap();
    let reads = |house: &House| {
        let seen = house.meters[2].snapshot();
        [Verb::Read, Verb::Stat, Verb::List].map(|verb| seen.get(&verb).map(|count| count.calls))
    };
    let asked = reads(&house);
    let report = house.store.drill(firm(2), None).await.unwrap();
    assert!(report.passed() && report.complete, "{report:?}");
    assert!(report.packs > 0 && report.records > 0 && report.bytes >= 900_000, "{report:?}");
    assert_eq!(report.files_unreadable, 0);
    assert_eq!(reads(&house), asked, "nothing was read at the firm that is fenced off");
    // A sample as large as everything is everything; one of few is few.
    let few = house.store.drill(firm(2), Some(1)).await.unwrap();
    assert!(few.passed() && !few.complete && few.packs == 1 && few.records == 1, "{few:?}");
    // A sample of nothing proves nothing, and is none.
    let since = house.store.proven_since();
    assert!(house.store.drill(firm(3), Some(0)).await.is_err());
    assert_eq!(house.store.proven_since(), since);
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

#[tokio::test]
async fn what_drills_proved_outlives_a_restart_and_one_firm_that_never_passed_leaves_it_unproven() {
    let house = House::new(3).await;
    house.put("large", &bytes(900_000, 5)).await.unwrap();
    house.store.tick(true).await.unwrap();
    let mut first = None;
    for index in 0..3 {
        assert_eq!(house.store.proven_since(), None, "firm {index} is not proven");
        let report = house.store.drill(firm(index), Some(5)).await.unwrap();
        assert!(report.passed(), "{report:?}");
        first = first.or(Some(report.at_us));
        house.clock.advance(1_000_000);
    }
    assert_eq!(house.store.proven_since(), first, "the oldest counts");
    let shown = house.store.fleet_report().await.unwrap();
    let store = house.open_again().await;
    assert_eq!(store.proven_since(), first);
    let again = store.fleet_report().await.unwrap();
    let drills = |report: &store::FleetReport| {
        report.providers.iter().map(|provider| provider.last_drill.clone().unwrap()).collect::<Vec<_>>()
    };
    assert_eq!(drills(&again), drills(&shown));
}

#[tokio::test]
async fn firms_that_are_tied_together_since_are_not_proven_until_both_were_left_out_at_once() {
    let house = House::new(6).await;
    let store = &house.store;
    let rows = [0, 1].map(|index| ProviderRow {
        id: firm(index),
        name: format!("firm-{index}"),
        labels: vec![("country".to_owned(), "NL".to_owned())],
    });
    store.grow(rows.to_vec(), vec![], vec![]).await.unwrap();
    house.put("large", &bytes(900_000, 7)).await.unwrap();
    store.tick(true).await.unwrap();
    for index in 0..6 {
        assert!(store.drill(firm(index), Some(5)).await.unwrap().passed());
        house.clock.advance(1_000_000);
    }
    let first = store.proven_since();
    assert!(first.is_some());
    let holds = async |store: &store::Store| {
        let report = store.fleet_report().await.unwrap();
        report.providers.into_iter().map(|firm| firm.last_drill.unwrap().still_holds).collect::<Vec<_>>()
    };
    store.set_constraint("country".to_owned(), true).await.unwrap();
    assert_eq!(store.proven_since(), None, "what was read at the other one proves nothing of both");
    assert_eq!(holds(store).await, [false, false, true, true, true, true]);
    store.set_constraint("country".to_owned(), false).await.unwrap();
    assert_eq!(store.proven_since(), first, "alone each of them is proven as before");
    store.set_constraint("country".to_owned(), true).await.unwrap();
    for _ in 0..3 {
        store.tick(true).await.unwrap();
    }
    let report = store.drill(firm(0), Some(5)).await.unwrap();
    assert!(report.passed() && report.without == [firm(0), firm(1)].into(), "{report:?}");
    let since = store.proven_since();
    assert!(since > first, "it was held without both: {since:?}");
    assert_eq!(holds(store).await, [true, false, true, true, true, true]);
    let again = house.open_again().await;
    assert_eq!((again.proven_since(), holds(&again).await), (since, holds(store).await));
}

#[tokio::test]
async fn drills_begin_by_themselves_each_time_without_another_firm() {
    const DAY_US: u64 = 86_400_000_000;
    let wish = Settings { drill_every_s: Some(7 * 86_400), drill_sample: 3, ..settings() };
    let house = House::with_settings(3, 1, wish).await;
    house.put("large", &bytes(900_000, 6)).await.unwrap();
    house.store.tick(true).await.unwrap();
    let drilled = async || {
        let report = house.store.fleet_report().await.unwrap();
        report.providers.iter().filter(|provider| provider.last_drill.is_some()).count()
    };
    assert_eq!(drilled().await, 0, "it is not due");
    for count in 1..=3 {
        house.clock.advance(8 * DAY_US);
        house.store.tick(false).await.unwrap();
        // It runs beside the rounds.
        while house.store.jobs().iter().any(|job| job.about.name == "drill" && job.runs) {
            tokio::task::yield_now().await;
        }
        assert_eq!(drilled().await, count);
        house.store.tick(false).await.unwrap();
        assert_eq!(drilled().await, count, "once in its time");
    }
    assert!(house.store.proven_since().is_some());
}
