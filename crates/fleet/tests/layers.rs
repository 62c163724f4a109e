//! The layers do what they say: they give up, try again, wait for a turn and count.
#![allow(clippy::unwrap_used)]
#![allow(clippy::disallowed_methods, reason = "a test awaits what it began beside itself")]

use std::{future::Future, sync::Arc};

use bytes::Bytes;
use fleet::{
    Error, Fault, FaultControl, Faults, Limit, Limits, MemoryTarget, Meter, ObjectName, Retry, Roster, Target,
    TimeLimits, Timeout, Tries, Verb, When,
};
use model::{id::TargetId, world::Clock};
use testkit::world::{ManualClock, SeededEntropy};

const BYTES: Bytes = Bytes::from_static(b"0123456789");

fn name(text: &str) -> ObjectName {
    ObjectName::parse(text).unwrap()
}

/// A target with one object `kept`, faults around it, and the hand on them.
async fn faulty() -> (Arc<dyn Target>, FaultControl) {
    let target = MemoryTarget::new("memory");
    target.write_marker(None, Bytes::from_static(b"marker")).await.unwrap();
    target.put(&name("kept"), &[BYTES]).await.unwrap();
    let control = FaultControl::default();
    let clock = Arc::new(ManualClock::leaping());
    let faults = Faults::over(Arc::new(target), control.clone(), Arc::new(SeededEntropy::new(1)), clock);
    faults.expect_marker(Some(Bytes::from_static(b"marker")));
    (Arc::new(faults), control)
}

/// Lets everything that can go on go on.
async fn settle(reached: impl Fn() -> bool) {
    for _ in 0..1_000 {
        if reached() {
            return;
        }
        tokio::task::yield_now().await;
    }
    panic!("it is not reached");
}

fn begin<T: Send + 'static>(call: impl Future<Output = T> + Send + 'static) -> tokio::task::JoinHandle<T> {
    tokio::spawn(call)
}

#[tokio::test]
async fn a_call_that_hangs_is_given_up_at_its_limit_and_not_before() {
    let (inner, control) = faulty().await;
    let clock = ManualClock::standing();
    let limits = TimeLimits { read_ms: 100, ..TimeLimits::default() };
    let target = Timeout::over(inner, limits, Arc::new(clock.clone()));
    control.set(Fault::Hang, When::Always);
    let reader = Arc::clone(&target);
    let read = begin(async move { reader.read(&name("kept"), 0..1).await });
    settle(|| control.hanging() == 1).await;
    clock.advance(99_999);
    tokio::task::yield_now().await;
    assert!(!read.is_finished());
    clock.advance(1);
    assert!(matches!(read.await.unwrap(), Err(Error::Timeout { verb: "read", limit_ms: 100, .. })));
    assert_eq!(control.hanging(), 0, "the call that was given up still runs");
    control.clear();
    assert_eq!(target.read(&name("kept"), 0..1).await.unwrap(), BYTES.slice(0..1));
}

#[tokio::test]
async fn reads_are_tried_again_and_writes_are_not() {
    let (inner, control) = faulty().await;
    let (counted, meter) = Meter::over(inner, Arc::new(ManualClock::standing()));
    let clock = ManualClock::leaping();
    let tries = Tries { count: 3, pause_ms: 100, pause_ms_max: 150 };
    let target = Retry::over(counted, tries, Arc::new(clock.clone()), Arc::new(SeededEntropy::new(3)));

    control.set(Fault::ErrorBefore, When::Once);
    assert_eq!(target.read(&name("kept"), 0..10).await.unwrap(), BYTES);
    assert!(clock.now().monotonic_us <= 100_000);
    assert_eq!(meter.snapshot()[&Verb::Read].calls, 2);

    control.set(Fault::ErrorBefore, When::Always);
    assert!(matches!(target.stat(&name("kept")).await, Err(Error::Io { .. })));
    assert_eq!(meter.snapshot()[&Verb::Stat].calls, 3, "tries are bounded");
    assert!(clock.now().monotonic_us <= 350_000, "pauses are bounded");
    assert!(target.put(&name("new"), &[BYTES]).await.is_err());
    assert!(target.create(&name("new"), 0).await.is_err());
    assert_eq!((meter.snapshot()[&Verb::Put].calls, meter.snapshot()[&Verb::Create].calls), (1, 1));

    control.clear();
    assert!(matches!(target.read(&name("none"), 0..1).await, Err(Error::Missing { .. })));
    assert_eq!(meter.snapshot()[&Verb::Read].calls, 3, "an answer is not asked for again");
}

#[tokio::test]
async fn only_so_many_calls_run_at_once() {
    let (inner, control) = faulty().await;
    let clock = Arc::new(ManualClock::standing());
    let limits = Limits { calls: 2, bytes_per_s: None };
    let target = Limit::over(inner, limits, clock.clone(), clock);
    control.set(Fault::Hang, When::Always);
    let reads: Vec<_> = (0..5)
        .map(|_| {
            let target = Arc::clone(&target);
            begin(async move { target.read(&name("kept"), 0..1).await })
        })
        .collect();
    for left in [2, 2, 1] {
        settle(|| control.hanging() == left).await;
        for _ in 0..50 {
            tokio::task::yield_now().await;
        }
        assert_eq!(control.hanging(), left);
        control.release();
        settle(|| control.hanging() == 0 || left == 2).await;
    }
    for read in reads {
        read.await.unwrap().unwrap();
    }
}

#[tokio::test]
async fn bytes_flow_at_the_rate_that_was_set() {
    let (inner, _control) = faulty().await;
    let clock = Arc::new(ManualClock::leaping());
    let limits = Limits { calls: 4, bytes_per_s: Some(100) };
    let target = Limit::over(inner, limits, clock.clone(), clock.clone());
    for n in 0..50 {
        target.put(&name(&format!("p{n}")), &[BYTES]).await.unwrap();
        target.read(&name("kept"), 0..10).await.unwrap();
        target.stat(&name("kept")).await.unwrap();
    }
    // 1,000 bytes at 100 a second, of which a second's worth is free after the rest before.
    let took_us = clock.now().monotonic_us;
    assert!((8_500_000..=9_500_000).contains(&took_us), "{took_us}");
}

#[tokio::test]
async fn the_meter_counts_calls_errors_bytes_and_time() {
    let (inner, control) = faulty().await;
    let clock = ManualClock::leaping();
    let timer_of_the_faults = Arc::new(clock.clone());
    let faults = Faults::over(inner, control.clone(), Arc::new(SeededEntropy::new(1)), timer_of_the_faults);
    let (target, meter) = Meter::over(Arc::new(faults), Arc::new(clock));
    control.set_for(Fault::Slow, Verb::Read, When::Once);
    control.set_slow_us(700);
    target.read(&name("kept"), 0..10).await.unwrap();
    target.read(&name("kept"), 0..4).await.unwrap();
    assert!(target.read(&name("none"), 0..4).await.is_err());
    let mut writer = target.create(&name("new"), 0).await.unwrap();
    writer.write(BYTES).await.unwrap();
    writer.finish().await.unwrap();
    let counts = meter.snapshot();
    let read = counts[&Verb::Read];
    assert_eq!((read.calls, read.ended, read.errors, read.bytes), (3, 3, 1, 14));
    assert_eq!((read.total_us, read.slowest_us), (700, 700));
    assert_eq!((counts[&Verb::Write].bytes, counts[&Verb::Finish].calls), (10, 1));
    assert!(!counts.contains_key(&Verb::List));
}

#[tokio::test]
async fn the_roster_knows_the_open_targets_by_id() {
    let roster = Roster::default();
    let (one, two) = (TargetId([1; 16]), TargetId([2; 16]));
    roster.insert(two, Arc::new(MemoryTarget::new("two")));
    roster.insert(one, Arc::new(MemoryTarget::new("one")));
    assert_eq!(roster.ids(), [one, two]);
    assert_eq!(roster.get(two).unwrap().address(), "two");
    assert_eq!(roster.remove(two).unwrap().address(), "two");
    assert!(roster.get(two).is_none());
}
