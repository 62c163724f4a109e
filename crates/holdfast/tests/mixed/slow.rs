//! A firm is slow, or does not answer at all: nobody who reads waits for it.

use std::time::{Duration, Instant};

use testkit::proxy::{Mode, Way};

use crate::fleet::{Fleet, is, read, settled};

/// Longer than any read takes that does not wait for the silent firm, and shorter than one request to it is waited for.
const PATIENCE: Duration = Duration::from_secs(12);

#[test]
fn nobody_who_reads_waits_for_a_firm_that_is_slow_or_silent() {
    let Some(mut fleet) = Fleet::grown("a firm is slow") else { return };
    fleet.put("more");
    fleet.until("all is settled", settled);
    let kept = fleet.kept_but_at("");
    for firm in ["dav", "box"] {
        // A second to each request.
        let line = &fleet.firm(firm).proxy;
        line.delay(Way::Up, Duration::from_millis(500));
        line.delay(Way::Down, Duration::from_millis(500));
        fleet.check();
        fleet.put(&format!("slow-{firm}"));
        let line = &fleet.firm(firm).proxy;
        line.delay(Way::Up, Duration::ZERO);
        line.delay(Way::Down, Duration::ZERO);

        // Not a byte of it arrives, and everything is read.
        line.set(Mode::Stall);
        let before = line.passed_bytes(Way::Down);
        for sent in &fleet.sent {
            let begun = Instant::now();
            read(&fleet.server.url, &fleet.token, sent).unwrap_or_else(|refusal| panic!("without {firm}: {refusal}"));
            let took = begun.elapsed();
            assert!(took < PATIENCE, "{sent:?} waited {took:?} for {firm}");
        }
        assert_eq!(fleet.firm(firm).proxy.passed_bytes(Way::Down), before, "what is read came from the others");
        fleet.until("the report says that it does not answer", |report| is(report, firm, "down"));
        fleet.put(&format!("silent-{firm}"));
        fleet.check();
        fleet.firm(firm).come_back();
        fleet.until("it answers again and all is settled", |report| is(report, firm, "up") && settled(report));
        fleet.check();
    }
    fleet.still_keeps(&kept);
}
