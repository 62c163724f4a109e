//! A firm takes questions and never answers: whoever reads is served by the others, also where it holds several lanes.
#![allow(clippy::unwrap_used, reason = "a test")]

use crate::common::{House, bytes, settings};
use fleet::{
    Verb,
    faults::{Fault, When},
};
use model::{
    fleet::TargetState,
    world::{Clock as _, Timer as _},
};
use store::Settings;
use testkit::world::{ManualClock, TokioTimer};

#[tokio::test]
async fn nobody_who_reads_waits_for_a_firm_that_is_silent() {
    let house = House::with_settings(3, 1, Settings { overtake_after_ms: 20, ..settings() }).await;
    let (large, small) = (bytes(900_000, 3), bytes(40_000, 4));
    let packed = house.put("packed", &large).await.unwrap();
    house.store.tick(true).await.unwrap();
    let journalled = house.put("journalled", &small).await.unwrap();
    for hand in house.hands() {
        // There is no limit of time around these targets: who waits for one waits for ever.
        hand.set_for(Fault::Hang, Verb::Read, When::PerMille(1_000));
        assert!(house.get(&packed).await.unwrap() == large);
        assert!(house.get(&journalled).await.unwrap() == small);
        hand.clear();
    }
}

/// Time passes in this house, so many times as fast as outside.
fn passing(clock: &ManualClock, times: u64) {
    let clock = clock.clone();
    TokioTimer.spawn(Box::pin(async move {
        loop {
            TokioTimer.sleep(2_000).await;
            clock.advance(2_000 * times);
        }
    }));
}

async fn states(house: &House) -> Vec<TargetState> {
    let report = house.store.fleet_report().await.unwrap();
    report.providers.iter().map(|provider| provider.state).collect()
}

#[tokio::test]
async fn a_silent_firm_is_down_soon_after_the_first_reader_did_without_it() {
    let house = House::with_settings(4, 1, Settings { overtake_after_ms: 20, ..settings() }).await;
    let content = bytes(900_000, 3);
    let packed = house.put("packed", &content).await.unwrap();
    house.store.tick(true).await.unwrap();
    passing(&house.clock, 10);
    house.hands()[2].set(Fault::Hang, When::Always);
    assert!(house.get(&packed).await.unwrap() == content);
    // No round of upkeep comes; the limit only keeps a broken store from hanging the test.
    for _ in 0..1_000 {
        if states(&house).await[2] == TargetState::Down {
            return;
        }
        TokioTimer.sleep(10_000).await;
    }
    panic!("{:?}", states(&house).await);
}

#[tokio::test]
async fn a_firm_whose_reads_are_overtaken_is_looked_at_once_in_five_seconds() {
    let house = House::with_settings(4, 1, Settings { overtake_after_ms: 20, ..settings() }).await;
    let content = bytes(900_000, 3);
    let packed = house.put("packed", &content).await.unwrap();
    house.store.tick(true).await.unwrap();
    let hands = house.hands();
    hands[2].set_for(Fault::Hang, Verb::Read, When::PerMille(1_000));
    let looks = || house.meters[2].snapshot().get(&Verb::Probe).map_or(0, |counts| counts.calls);
    let before = looks();
    passing(&house.clock, 50);
    let begun_us = house.clock.now().monotonic_us;
    let mut reads = 0;
    while house.clock.now().monotonic_us < begun_us + 12_000_000 {
        assert!(house.get(&packed).await.unwrap() == content);
        // Reads that wait for nobody leave time no room to pass.
        TokioTimer.sleep(2_000).await;
        reads += 1;
    }
    let looked = looks() - before;
    assert!(reads > 3 && (1..=3).contains(&looked), "{looked} looks for {reads} reads in twelve seconds");
    assert_eq!(states(&house).await[2], TargetState::Up);
}
