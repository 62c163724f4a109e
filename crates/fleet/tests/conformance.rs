//! Every driver keeps the rules of `fleet::target`, and keeps them under the layers too.
#![allow(clippy::unwrap_used)]
#![allow(clippy::disallowed_methods, reason = "the suite looks at a folder from outside")]

use std::{path::PathBuf, sync::Arc};

use bytes::Bytes;
use fleet::{
    Directory, FaultControl, Faults, Limit, Limits, MemoryTarget, Meter, Retry, Target, TimeLimits, Timeout, Tries,
};
use testkit::{
    scratch::Scratch,
    target_suite::{self, Place},
    world::{ManualClock, SeededEntropy},
};

const MARKER: Bytes = Bytes::from_static(b"marker of the suite");

async fn directory() -> Place {
    let scratch = Scratch::new("conformance").unwrap();
    let root: PathBuf = scratch.path().join("target");
    std::fs::create_dir(&root).unwrap();
    let target = Directory::open(root.clone());
    target.write_marker(None, MARKER).await.unwrap();
    let vanish = Box::new(move || {
        std::fs::remove_dir_all(&root).unwrap();
        drop(scratch);
    });
    Place { target: Arc::new(target), marker: MARKER, vanish }
}

async fn memory() -> Place {
    let target = MemoryTarget::new("memory");
    target.write_marker(None, MARKER).await.unwrap();
    let disk = target.disk();
    Place { target: Arc::new(target), marker: MARKER, vanish: Box::new(move || disk.set_up(false)) }
}

#[tokio::test]
async fn directory_keeps_the_rules() {
    target_suite::run(directory).await;
}

#[tokio::test]
async fn memory_keeps_the_rules() {
    target_suite::run(memory).await;
}

#[tokio::test]
async fn the_rules_hold_under_all_layers() {
    target_suite::run(async || {
        let place = memory().await;
        let (clock, entropy) = (Arc::new(ManualClock::leaping()), Arc::new(SeededEntropy::new(1)));
        let faults = Faults::over(place.target, FaultControl::default(), entropy.clone(), clock.clone());
        faults.expect_marker(Some(MARKER));
        let timed = Timeout::over(Arc::new(faults), TimeLimits::default(), Arc::new(ManualClock::standing()));
        let tried = Retry::over(timed, Tries::default(), clock.clone(), entropy);
        let limits = Limits { calls: 2, bytes_per_s: Some(1 << 20) };
        let limited = Limit::over(tried, limits, clock.clone(), clock.clone());
        let (target, _) = Meter::over(limited, clock);
        Place { target, ..place }
    })
    .await;
}
