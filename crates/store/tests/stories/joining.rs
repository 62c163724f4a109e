//! A target joins a running service: it is tried first, filled in the background, and one that lies does not join.
#![allow(clippy::unwrap_used, reason = "a test")]

use std::sync::Arc;

use crate::common::{House, bytes, joining_row, settings, world};
use catalogue::Catalogue;
use fleet::{
    MemoryDisk, MemoryTarget, Roster, Target,
    faults::{Fault, FaultControl, Faults, When},
};
use format::Identity;
use model::{
    fleet::ProviderRow,
    id::{ProviderId, TargetId},
};
use store::{Error, Joining, LeftOut, Opening, Store};
use testkit::world::{ManualClock, SeededEntropy, TokioTimer};

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

/// A first start on so many firms with one place each, of which the last loses what it is given.
async fn founding(firms: u8) -> (Result<(Store, Vec<LeftOut>), Error>, Vec<MemoryDisk>) {
    let (clock, entropy, roster) = (ManualClock::standing(), Arc::new(SeededEntropy::new(3)), Roster::default());
    let (mut providers, mut rows, mut disks) = (vec![], vec![], vec![]);
    for n in 1..=firms {
        providers.push(ProviderRow { id: ProviderId([n; 16]), name: format!("firm-{n}"), labels: vec![] });
        let memory = MemoryTarget::new(format!("memory-{n}"));
        disks.push(memory.disk());
        let hand = FaultControl::default();
        hand.set(Fault::LostWrite, if n == firms { When::Always } else { When::Never });
        let faulty = Faults::over(Arc::new(memory), hand, entropy.clone(), Arc::new(TokioTimer));
        roster.insert(TargetId([n; 16]), Arc::new(faulty));
        rows.push(joining_row(n));
    }
    let far = rows.iter().map(|row| row.id).collect();
    let opening = Opening {
        world: world(&clock, &entropy),
        catalogue: Catalogue::open_inline_memory().unwrap(),
        roster,
        service: Identity::generate(),
        settings: settings(),
    };
    (Store::found_on_firms(opening, providers, rows, far).await, disks)
}

#[tokio::test]
async fn a_first_start_tries_every_firm_and_stands_on_those_that_pass() {
    let (founded, disks) = founding(3).await;
    let (store, left_out) = founded.unwrap();
    let [left] = left_out.as_slice() else { panic!("{left_out:?}") };
    let why = left.why.to_string();
    assert!(why.contains("memory-3 did not pass its trial, reading it back"), "{why}");
    let known = store.read(|tx| catalogue::fleet::targets(tx)).await.unwrap();
    assert_eq!(known.iter().map(|row| row.address.as_str()).collect::<Vec<_>>(), ["memory-1", "memory-2"]);
    let report = store.fleet_report().await.unwrap();
    assert_eq!((report.providers.len(), report.scheme), (3, Some(model::Scheme::new(4, 6))), "the provider is kept");
    assert!(!disks[0].names().iter().any(|name| name.starts_with("trial")), "the trial leaves nothing");
    // Mended, it joins.
    let mended = Joining { row: joining_row(3), driver: Arc::new(MemoryTarget::new("memory-3")), login: None };
    store.join(mended, None).await.unwrap();
}

#[tokio::test]
async fn a_first_start_on_too_few_firms_that_pass_is_none() {
    let error = founding(2).await.0.unwrap_err();
    let said = error.to_string();
    assert!(matches!(error, Error::Setup { .. }) && said.contains("too few firms"), "{said}");
    assert!(said.contains("memory-2 did not pass its trial"), "{said}");
}
