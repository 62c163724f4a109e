//! A firm takes questions and never answers: whoever reads is served by the others, also where it holds several lanes.
#![allow(clippy::unwrap_used, reason = "a test")]

use crate::common::{House, bytes, settings};
use fleet::{
    Verb,
    faults::{Fault, When},
};
use store::Settings;

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
