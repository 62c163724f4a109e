//! Every fault does what it says, is counted, and strikes alike from the same seed.
#![allow(clippy::unwrap_used)]
#![allow(clippy::disallowed_methods, reason = "a test awaits what it began beside itself")]

use std::sync::Arc;

use bytes::Bytes;
use fleet::{Error, Fault, FaultControl, Faults, MemoryDisk, MemoryTarget, ObjectName, Target, Verb, When};
use model::world::Clock;
use testkit::world::{ManualClock, SeededEntropy};

const BYTES: Bytes = Bytes::from_static(b"0123456789");
const MARKER: Bytes = Bytes::from_static(b"marker");

fn name(text: &str) -> ObjectName {
    ObjectName::parse(text).unwrap()
}

struct Stage {
    disk: MemoryDisk,
    target: Arc<Faults>,
    control: FaultControl,
    clock: ManualClock,
}

impl Stage {
    /// A target with one object `kept`, written through the faults.
    async fn new(seed: u64) -> Self {
        let inner = MemoryTarget::new("memory");
        let (disk, control, clock) = (inner.disk(), FaultControl::default(), ManualClock::leaping());
        let entropy = Arc::new(SeededEntropy::new(seed));
        let target = Faults::over(Arc::new(inner), control.clone(), entropy, Arc::new(clock.clone()));
        target.write_marker(None, MARKER).await.unwrap();
        target.put(&name("kept"), &[BYTES]).await.unwrap();
        Self { disk, target: Arc::new(target), control, clock }
    }

    /// Checks that a fault struck so often and nothing else did.
    fn struck(&self, fault: Fault, count: u64) {
        assert_eq!(self.control.struck().into_iter().collect::<Vec<_>>(), [(fault, count)]);
    }

    async fn listed(&self) -> Vec<String> {
        let page = self.target.list("", None, 99).await.unwrap();
        page.objects.into_iter().map(|listed| listed.name.to_string()).collect()
    }
}

#[tokio::test]
async fn error_before_has_no_effect() {
    let stage = Stage::new(1).await;
    stage.control.set(Fault::ErrorBefore, When::Once);
    assert!(matches!(stage.target.put(&name("new"), &[BYTES]).await, Err(Error::Io { .. })));
    assert_eq!(stage.disk.names(), ["kept"]);
    stage.target.put(&name("new"), &[BYTES]).await.unwrap();
    stage.struck(Fault::ErrorBefore, 1);
}

#[tokio::test]
async fn error_after_has_its_effect() {
    let stage = Stage::new(1).await;
    stage.control.set_for(Fault::ErrorAfter, Verb::Finish, When::Once);
    let mut writer = stage.target.create(&name("new"), 0).await.unwrap();
    writer.write(BYTES).await.unwrap();
    assert!(matches!(writer.finish().await, Err(Error::Io { .. })));
    assert_eq!(stage.disk.bytes("new"), Some(BYTES));
    stage.struck(Fault::ErrorAfter, 1);
}

#[tokio::test]
async fn a_failed_write_breaks_its_writer() {
    let stage = Stage::new(1).await;
    let mut writer = stage.target.create(&name("new"), 0).await.unwrap();
    writer.write(BYTES).await.unwrap();
    stage.control.set_for(Fault::ErrorAfter, Verb::Write, When::Once);
    assert!(writer.write(BYTES).await.is_err());
    assert!(writer.write(BYTES).await.is_err());
    assert!(writer.finish().await.is_err());
    assert_eq!(stage.disk.names(), ["kept"]);
}

#[tokio::test]
async fn a_hanging_call_goes_on_when_it_is_released() {
    let stage = Stage::new(1).await;
    stage.control.set(Fault::Hang, When::Once);
    let target = Arc::clone(&stage.target);
    let read = tokio::spawn(async move { target.read(&name("kept"), 0..10).await });
    while stage.control.hanging() == 0 {
        tokio::task::yield_now().await;
    }
    assert!(!read.is_finished());
    stage.control.release();
    assert_eq!(read.await.unwrap().unwrap(), BYTES);
    stage.struck(Fault::Hang, 1);
}

#[tokio::test]
async fn slow_takes_its_time() {
    let stage = Stage::new(1).await;
    stage.control.set(Fault::Slow, When::Always);
    stage.control.set_slow_us(1_234);
    stage.target.stat(&name("kept")).await.unwrap();
    stage.target.probe().await.unwrap();
    assert_eq!(stage.clock.now().monotonic_us, 2 * 1_234);
    stage.struck(Fault::Slow, 2);
}

#[tokio::test]
async fn a_full_disk_refuses_writes_and_goes_on_reading() {
    let stage = Stage::new(1).await;
    stage.control.set(Fault::Full, When::Always);
    assert!(matches!(stage.target.put(&name("new"), &[BYTES]).await, Err(Error::Full { .. })));
    assert!(matches!(stage.target.create(&name("new"), 0).await, Err(Error::Full { .. })));
    assert_eq!(stage.target.read(&name("kept"), 0..10).await.unwrap(), BYTES);
    stage.struck(Fault::Full, 2);
}

#[tokio::test]
async fn a_lost_write_is_acknowledged() {
    let stage = Stage::new(1).await;
    stage.control.set(Fault::LostWrite, When::Always);
    stage.target.put(&name("new"), &[BYTES]).await.unwrap();
    let mut writer = stage.target.create(&name("other"), 0).await.unwrap();
    writer.write(BYTES).await.unwrap();
    writer.finish().await.unwrap();
    assert_eq!(stage.disk.names(), ["kept"]);
    assert_eq!(stage.disk.used_bytes(), 10);
    stage.struck(Fault::LostWrite, 2);
}

#[tokio::test]
async fn reads_end_early_or_turn_one_bit() {
    let stage = Stage::new(1).await;
    stage.control.set(Fault::ShortRead, When::Once);
    let read = stage.target.read(&name("kept"), 2..8).await;
    assert!(matches!(read, Err(Error::Short { expected: 8, got: 7, .. })));
    stage.struck(Fault::ShortRead, 1);

    stage.control.set(Fault::BitFlip, When::Once);
    let read = stage.target.read(&name("kept"), 0..10).await.unwrap();
    let turned: u32 = read.iter().zip(&BYTES).map(|(read, kept)| (read ^ kept).count_ones()).sum();
    assert_eq!(turned, 1);
    assert_eq!(stage.target.read(&name("kept"), 0..10).await.unwrap(), BYTES);
    assert_eq!(stage.control.struck()[&Fault::BitFlip], 1);
}

#[tokio::test]
async fn a_stale_listing_leaves_out_the_newest() {
    let stage = Stage::new(1).await;
    for n in 0..6 {
        stage.target.put(&name(&format!("n{n}")), &[BYTES]).await.unwrap();
    }
    stage.control.set(Fault::StaleListing, When::Once);
    assert_eq!(stage.listed().await, ["kept", "n0", "n1"]);
    assert_eq!(stage.listed().await.len(), 7);
    stage.struck(Fault::StaleListing, 1);
}

#[tokio::test]
async fn a_wiped_target_is_down_and_shows_no_marker() {
    let stage = Stage::new(1).await;
    stage.control.set(Fault::Wiped, When::Always);
    assert_eq!(stage.target.probe().await.unwrap().marker, None);
    assert!(matches!(stage.target.read(&name("kept"), 0..1).await, Err(Error::Down { .. })));
    assert!(matches!(stage.target.list("", None, 9).await, Err(Error::Down { .. })));
    assert!(matches!(stage.target.put(&name("new"), &[BYTES]).await, Err(Error::Down { .. })));
    assert!(matches!(stage.target.write_marker(None, MARKER).await, Err(Error::Down { .. })));
    stage.target.expect_marker(None);
    assert_eq!(stage.target.stat(&name("kept")).await.unwrap(), None);
    assert!(stage.listed().await.is_empty());
    assert_eq!(stage.disk.names(), ["kept"], "it only seems so");
}

#[tokio::test]
async fn old_content_has_the_old_marker_and_none_of_the_new_objects() {
    let stage = Stage::new(1).await;
    stage.target.remember().await.unwrap();
    let newer = Bytes::from_static(b"generation 2");
    stage.target.write_marker(Some(&MARKER), newer).await.unwrap();
    stage.target.put(&name("new"), &[BYTES]).await.unwrap();
    stage.control.set(Fault::OldContent, When::Always);
    assert_eq!(stage.target.probe().await.unwrap().marker, Some(MARKER));
    assert!(matches!(stage.target.put(&name("more"), &[BYTES]).await, Err(Error::Down { .. })));
    assert!(matches!(stage.target.stat(&name("new")).await, Err(Error::Down { .. })));
    stage.target.expect_marker(None);
    assert_eq!(stage.listed().await, ["kept"]);
    assert_eq!(stage.target.stat(&name("new")).await.unwrap(), None);
    assert_eq!(stage.target.read(&name("kept"), 0..10).await.unwrap(), BYTES);
}

#[tokio::test]
async fn a_rule_for_one_verb_goes_before_the_one_for_all() {
    let stage = Stage::new(1).await;
    stage.control.set(Fault::ErrorBefore, When::Always);
    stage.control.set_for(Fault::ErrorBefore, Verb::Read, When::Never);
    stage.target.read(&name("kept"), 0..1).await.unwrap();
    assert!(stage.target.stat(&name("kept")).await.is_err());
    stage.control.clear();
    stage.target.stat(&name("kept")).await.unwrap();
}

#[tokio::test]
async fn equal_seeds_strike_alike_and_about_as_often_as_asked() {
    let mut runs = Vec::new();
    for seed in [5, 5, 6] {
        let stage = Stage::new(seed).await;
        stage.control.set(Fault::ErrorBefore, When::PerMille(100));
        stage.control.set_for(Fault::BitFlip, Verb::Read, When::PerMille(300));
        let mut run = Vec::new();
        for _ in 0..1_000 {
            run.push(stage.target.read(&name("kept"), 0..10).await.ok());
        }
        let struck = stage.control.struck();
        assert!((70..130).contains(&struck[&Fault::ErrorBefore]), "{struck:?}");
        assert!((220..320).contains(&struck[&Fault::BitFlip]), "{struck:?}");
        runs.push(run);
    }
    assert_eq!(runs[0], runs[1]);
    assert_ne!(runs[0], runs[2]);
}

#[tokio::test]
async fn a_disk_in_memory_can_be_wiped_filled_rotted_and_put_back() {
    let stage = Stage::new(1).await;
    let old = stage.disk.image();
    stage.target.put(&name("new"), &[BYTES]).await.unwrap();

    assert!(stage.disk.flip("new", 3, 0x80));
    assert!(!stage.disk.flip("new", 10, 0x80) && !stage.disk.flip("none", 0, 1));
    assert_eq!(stage.target.read(&name("new"), 3..4).await.unwrap()[0], b'3' ^ 0x80);

    stage.disk.set_capacity(Some(25));
    let mut writer = stage.target.create(&name("half"), 0).await.unwrap();
    writer.write(BYTES.slice(0..5)).await.unwrap();
    assert!(matches!(stage.target.put(&name("more"), &[BYTES]).await, Err(Error::Full { .. })));
    assert!(matches!(writer.write(BYTES).await, Err(Error::Full { .. })));
    drop(writer);
    assert_eq!(stage.target.probe().await.unwrap().free_bytes, Some(5));

    stage.disk.restore(old);
    assert_eq!((stage.disk.names(), stage.disk.used_bytes()), (vec!["kept".to_owned()], 10));
    stage.disk.wipe();
    assert!(matches!(stage.target.list("", None, 1).await, Err(Error::Down { .. })));
    stage.disk.set_up(false);
    assert!(matches!(stage.target.probe().await, Err(Error::Down { .. })));
}
