//! A kind of upkeep that a person paused is left out until it is resumed, also after a restart, and is not forgotten: its silence
//! is loud.
#![allow(clippy::unwrap_used, reason = "a test")]

use store::{Error, JobError, JobStanding, Kits, Store};

use crate::common::{House, bytes};

const HOUR_US: u64 = 3_600_000_000;

fn job(store: &Store, kind: &str) -> JobStanding {
    store.jobs().into_iter().find(|job| job.about.name == kind).unwrap()
}

fn silent(store: &Store) -> Vec<String> {
    let kits = Kits { trial: true, ..Kits::default() };
    let due = store::due(&[], &[], kits, &store.jobs_seen(), &store.budgets_used_up(), store.now().wall_us);
    due.into_iter().map(|due| due.cause).collect()
}

#[tokio::test]
async fn what_is_paused_waits_over_a_restart_and_goes_on_when_it_is_resumed() {
    let house = House::new(5).await;
    let content = bytes(900_000, 1);
    let version = house.put("large", &content).await.unwrap();
    house.store.tick(true).await.unwrap();
    let before = job(&house.store, "repair");
    assert!(before.ended_us.is_some() && before.paused.is_none() && before.failed.is_none(), "{before:?}");

    let paused = house.store.pause_job("repair", true, Some(house.account.id)).await.unwrap();
    assert_eq!(paused.paused.as_ref().map(|(_, by)| by.as_str()), Some("owner"), "{paused:?}");
    // Whoever comes second changes nothing.
    let again = house.store.pause_job("repair", true, None).await.unwrap();
    assert_eq!(again.paused, paused.paused);
    let refused = house.store.pause_job("probe", true, None).await;
    assert!(matches!(refused, Err(Error::Job(JobError::Needed { .. }))), "{refused:?}");
    let unknown = house.store.pause_job("dance", true, None).await;
    assert!(matches!(unknown, Err(Error::Job(JobError::NoJob { .. }))), "{unknown:?}");

    // A firm goes for good: nothing is made again, and that is said.
    house.disks[0].set_up(false);
    house.clock.advance(HOUR_US);
    house.store.tick(true).await.unwrap();
    let report = house.store.fleet_report().await.unwrap();
    assert!(report.packs_below_settled > 0, "{report:?}");
    assert!(report.findings.iter().any(|found| found.contains("repair is paused")), "{:?}", report.findings);

    let store = house.open_again().await;
    store.tick(true).await.unwrap();
    let kept = job(&store, "repair");
    assert_eq!((&kept.paused, kept.ended_us), (&paused.paused, before.ended_us), "both outlive a restart");
    assert!(store.fleet_report().await.unwrap().packs_below_settled > 0);

    let resumed = store.pause_job("repair", false, None).await.unwrap();
    assert_eq!(resumed.paused, None);
    store.tick(true).await.unwrap();
    let report = store.fleet_report().await.unwrap();
    assert_eq!(report.packs_below_settled, 0, "{report:?}");
    assert!(job(&store, "repair").ended_us > before.ended_us);
    assert_eq!(crate::common::read(&store, house.account.id, &version).await.unwrap(), content);
    let noted: Vec<_> = store.ledger(0, 100).await.unwrap().into_iter().map(|row| row.text).collect();
    for what in ["job.paused", "job.resumed"] {
        assert_eq!(noted.iter().filter(|text| text.contains(what)).count(), 1, "{what}: {noted:?}");
    }
}

#[tokio::test]
async fn silence_is_loud_and_a_healthy_service_is_not() {
    let house = House::new(5).await;
    house.put("large", &bytes(900_000, 2)).await.unwrap();
    // Hours, and then months, in which a round comes now and then.
    for pause_us in [[HOUR_US; 30], [24 * 7 * HOUR_US; 30]].concat() {
        house.store.tick(false).await.unwrap();
        assert_eq!(silent(&house.store), Vec::<String>::new());
        house.clock.advance(pause_us);
    }
    house.store.tick(false).await.unwrap();
    house.store.pause_job("reclaim", true, None).await.unwrap();
    for _ in 0..24 {
        house.clock.advance(HOUR_US);
        house.store.tick(false).await.unwrap();
        assert_eq!(silent(&house.store), Vec::<String>::new(), "it has its time");
    }
    house.clock.advance(HOUR_US);
    house.store.tick(false).await.unwrap();
    assert_eq!(silent(&house.store), ["job-silent reclaim"]);
    // A restart does not make it forgotten, and nothing is said in the first hour.
    let store = house.open_again().await;
    store.tick(false).await.unwrap();
    assert_eq!(silent(&store), Vec::<String>::new());
    house.clock.advance(HOUR_US);
    store.tick(false).await.unwrap();
    assert_eq!(silent(&store), ["job-silent reclaim"]);
    store.pause_job("reclaim", false, None).await.unwrap();
    store.tick(false).await.unwrap();
    assert_eq!(silent(&store), Vec::<String>::new());
}
