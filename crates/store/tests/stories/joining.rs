//! A target joins a running service: it is tried first, filled in the background, and one that lies does not join.
#![allow(clippy::unwrap_used, reason = "a test")]

use std::sync::Arc;

use crate::common::{House, bytes, joining_row};
use fleet::{
    MemoryTarget, Target,
    faults::{Fault, FaultControl, Faults, When},
};
use model::id::TargetId;
use store::{Error, Joining};
use testkit::world::{SeededEntropy, TokioTimer};

#[tokio::test]
async fn a_new_firm_is_filled_and_then_counts() {
    let house = House::new(2).await;
    let content = bytes(900_000, 4);
    let version = house.put("before", &content).await.unwrap();
    for n in [201, 202] {
        let disk = house.join(n).await;
        house.store.tick(true).await.unwrap();
        house.store.tick(true).await.unwrap();
        assert!(!disk.names().iter().any(|name| name.starts_with("trial")), "the trial leaves nothing");
        assert!(disk.names().contains(&"format.md".to_owned()));
    }
    let later = house.put("after", &content).await.unwrap();
    // The third copy of its record may still be on its way.
    house.store.tick(true).await.unwrap();
    let report = house.store.fleet_report().await.unwrap();
    assert_eq!((report.providers.len(), report.packs_below_settled, report.records_below_settled), (4, 0, 0));
    house.disks[0].wipe();
    assert!(house.get(&version).await.unwrap() == content && house.get(&later).await.unwrap() == content);
}

#[tokio::test]
async fn one_that_lies_does_not_join_and_may_be_tried_again() {
    let house = House::new(3).await;
    house.with_provider(201).await;
    let hand = FaultControl::default();
    let inner: Arc<dyn Target> = Arc::new(MemoryTarget::new("memory-201"));
    let entropy = Arc::new(SeededEntropy::new(3));
    let lying: Arc<dyn Target> = Arc::new(Faults::over(inner.clone(), hand.clone(), entropy, Arc::new(TokioTimer)));
    hand.set(Fault::LostWrite, When::Always);
    let joining = Joining { row: joining_row(201), driver: lying, login: None };
    let refused = house.store.join(joining, None).await.unwrap_err();
    assert!(matches!(&refused, Error::Setup { what } if what.contains("did not pass its trial")), "{refused}");
    let known = house.store.read(|tx| catalogue::fleet::targets(tx)).await.unwrap();
    assert!(known.iter().all(|row| row.id != TargetId([201; 16])), "nothing of it is recorded");
    let left = inner.probe().await.unwrap().marker;
    house.store.join(Joining { row: joining_row(201), driver: inner, login: None }, left).await.unwrap();
}

#[tokio::test]
async fn an_operators_kit_is_older_than_what_joined_after_it() {
    let house = House::new(2).await;
    assert_eq!(house.store.operator_kit().await.unwrap().made_us, None);
    house.store.note_operator_kit(77).await.unwrap();
    let age = house.store.operator_kit().await.unwrap();
    assert_eq!((age.made_us, age.is_current), (Some(77), true));
    house.with_provider(201).await;
    let driver: Arc<dyn Target> = Arc::new(MemoryTarget::new("memory-201"));
    house.store.join(Joining { row: joining_row(201), driver, login: Some(vec![1]) }, None).await.unwrap();
    assert!(!house.store.operator_kit().await.unwrap().is_current);
    house.store.note_operator_kit(78).await.unwrap();
    let driver = house.store.roster().get(TargetId([201; 16])).unwrap();
    house.store.set_login(TargetId([201; 16]), vec![2], driver).await.unwrap();
    assert!(!house.store.operator_kit().await.unwrap().is_current, "a login changed");
}
