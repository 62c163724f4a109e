//! One firm turns slow: it is asked a little longer, and then readers do without it until its probes are quick again.
#![allow(clippy::unwrap_used, reason = "a test")]

use std::sync::Arc;

use crate::common::{House, bytes, settings};
use fleet::{
    Target, Verb,
    faults::{Fault, FaultControl, Faults, When},
};
use model::id::TargetId;
use store::Settings;
use testkit::world::{SeededEntropy, TokioTimer};

const SLOW: usize = 2;
const FILES: usize = 60;

#[tokio::test]
async fn readers_do_without_a_slow_firm_and_come_back_to_it_when_it_is_quick() {
    let house = House::with_settings(6, 1, Settings { overtake_after_ms: 100, ..settings() }).await;
    let mut files = Vec::new();
    for i in 0..FILES {
        let content = bytes(40_000, i as u64);
        files.push((house.put(&format!("file-{i}"), &content).await.unwrap(), content));
    }
    house.store.tick(true).await.unwrap();
    let asked = || house.meters[SLOW].snapshot().get(&Verb::Read).map_or(0, |counts| counts.calls);
    let read_all = async || {
        let before = asked();
        for (version, content) in &files {
            assert!(&house.get(version).await.unwrap() == content);
        }
        asked() - before
    };
    let when_quick = read_all().await;
    assert!(when_quick >= 5, "{when_quick} of {FILES} files lie there");

    let hand = FaultControl::default();
    let (entropy, timer) = (Arc::new(SeededEntropy::new(1)), Arc::new(TokioTimer));
    let slow = Faults::over(house.targets[SLOW].clone(), hand.clone(), entropy, timer);
    let id = TargetId([SLOW as u8 + 101; 16]);
    slow.expect_marker(Some(house.targets[SLOW].probe().await.unwrap().marker.unwrap()));
    house.store.roster().insert(id, Arc::new(slow));
    hand.set_slow_us(150_000);
    hand.set(Fault::Slow, When::Always);
    let before_known = read_all().await;
    assert!(before_known * 2 <= when_quick, "{before_known} reads waited for it before it was known");
    assert_eq!(read_all().await, 0, "it is known");
    // Where too few others are left to make it, it is asked all the same.
    [0, 1].iter().for_each(|other| house.disks[*other].set_up(false));
    assert!(read_all().await > 0);
    [0, 1].iter().for_each(|other| house.disks[*other].set_up(true));
    hand.set(Fault::Slow, When::Never);
    for _ in 0..16 {
        house.clock.advance(60_000_000);
        house.store.tick(false).await.unwrap();
    }
    let again = read_all().await;
    assert!(again * 2 > when_quick, "{again} reads after it was quick again, {when_quick} before");
}
