//! A firm's clock is wrong by an hour, in what it says and in what it writes.

use std::{
    fs::{self, File},
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, SystemTime},
};

use testkit::proxy::Way;

use crate::fleet::{Fleet, settled, up};

const DATE: &[u8] = b"\r\nDate: ";
/// From there to the hour, in `Fri, 27 Nov 2026 01:02:03 GMT`.
const TO_HOUR: usize = 17;

/// Sets the hour of each date in a piece of an answer an hour on (of the day; at midnight a day back).
fn an_hour_on(bytes: &mut [u8]) -> usize {
    let found: Vec<_> =
        bytes.windows(DATE.len()).enumerate().filter(|(_, run)| *run == DATE).map(|(at, _)| at).collect();
    let mut changed = 0;
    for at in found {
        let Some(hour) = bytes.get_mut(at + DATE.len() + TO_HOUR..at + DATE.len() + TO_HOUR + 2) else { continue };
        let Some(now) = std::str::from_utf8(hour).ok().and_then(|text| text.parse::<u8>().ok()) else { continue };
        hour.copy_from_slice(format!("{:02}", (now + 1) % 24).as_bytes());
        changed += 1;
    }
    changed
}

/// Dates every file below a folder an hour on.
fn date_files(folder: &Path, by: impl Fn(SystemTime) -> SystemTime + Copy) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            date_files(&path, by);
        } else {
            let file = File::options().append(true).open(&path).unwrap();
            file.set_modified(by(SystemTime::now())).unwrap();
        }
    }
}

#[test]
fn a_firm_whose_clock_is_an_hour_off_is_a_firm_like_any_other() {
    let Some(mut fleet) = Fleet::grown("a firm's clock is wrong") else { return };
    let kept = fleet.kept_but_at("");
    let dated = Arc::new(AtomicUsize::new(0));
    for firm in ["dav", "bucket"] {
        let dated = Arc::clone(&dated);
        fleet.firm(firm).proxy.rewrite(Way::Down, move |bytes| {
            dated.fetch_add(an_hour_on(bytes), Ordering::Relaxed);
        });
    }
    const HOUR: Duration = Duration::from_secs(3_600);
    for by in [|now: SystemTime| now + HOUR, |now: SystemTime| now - HOUR] {
        date_files(&fleet.firm("box").root, by);
        fleet.put(if by(SystemTime::now()) > SystemTime::now() { "ahead" } else { "behind" });
        // A server of this fleet may stumble for reasons of its own; what it stumbled over is tried again and forgotten, but for
        // one shard at rclone's that came after its pack had gone on without it: a stray, which is said for as long as it lies there.
        let stumbled = |text: &str| text.starts_with("strays: 1 at s3://");
        let minds = |finding: &serde_json::Value| !finding.as_str().is_some_and(stumbled);
        fleet.until("all five are up, all is settled and nobody minds", |report| {
            settled(report) && up(report) == 5 && !report["findings"].as_array().unwrap().iter().any(minds)
        });
        fleet.check();
    }
    let scrubbed = fleet.scrub();
    assert_eq!((&scrubbed["damaged"], &scrubbed["missing"]), (&0.into(), &0.into()), "{scrubbed}");
    assert!(dated.load(Ordering::Relaxed) > 0, "the answers had other dates");
    fleet.still_keeps(&kept);

    // Nor after a start, when names are compared and what was begun is swept.
    let fleet = fleet.start_again(|_| ());
    fleet.until("all five are up after a restart", |report| settled(report) && up(report) == 5);
    fleet.check();
    fleet.still_keeps(&kept);
}
