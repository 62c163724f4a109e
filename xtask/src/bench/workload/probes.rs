//! The story's 1,769 servers as buckets of three firms: how long a round of looks at all of them takes, and how evenly it comes.
//!
//! One server in this process plays all firms and notes when each marker was read. Each target has a driver of its own, as it would
//! with a login of its own, so nothing is shared between them.

use std::{
    fs, thread,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, ensure};
use serde_json::Value;

use crate::bench::{
    Bench, MIB,
    bucket::{Bucket, Seen},
    meter::{Meter, resident_bytes},
    report::Report,
    server::Server,
};

const FIRMS: [(&str, usize); 3] = [("carpathia", 1_103), ("leaseweb", 630), ("cogent", 36)];
/// Nothing is done for so long: twice the time between two looks at a marker, and some.
const IDLE: Duration = Duration::from_secs(130);
const UP_MAX: Duration = Duration::from_secs(300);
/// A round has to be through in this.
const ROUND_S: f64 = 60.0;

/// Runs the story.
///
/// # Errors
/// When the service does not start, or a target does not come up.
pub fn run(bench: &Bench<'_>, report: &mut Report) -> Result<()> {
    let (bucket, data) = (Bucket::start()?, bench.place("service"));
    let (config, login) = (bench.place("fleet.toml"), bench.place("login"));
    fs::write(&login, "access_key_id=holdfast\nsecret_access_key=a-secret-of-the-bench\n")?;
    let mut text = String::new();
    let mut targets = 0;
    for (name, servers) in FIRMS {
        text += &format!("[[provider]]\nname = \"{name}\"\n");
        for number in 0..usize::try_from(bench.scaled(servers as u64))?.max(2) {
            let address = format!("s3://shards/{name}-{number}?endpoint=http://{}", bucket.address);
            text += &format!("[[provider.target]]\naddress = \"{address}\"\nlogin = \"login\"\n");
            targets += 1;
        }
    }
    fs::write(&config, text)?;
    let config = config.display().to_string();
    let service = Server::holdfast_with(bench, data.clone(), &["--config", &config])?;
    all_up(&service, targets)?;
    service.stop()?;

    bucket.forget();
    let begun_s = bucket.now_s();
    let service = Server::holdfast_with(bench, data, &["--config", &config])?;
    all_up(&service, targets)?;
    let seen = bucket.seen();
    let first_s = round_s(&seen, begun_s, targets).context("not every marker was read at the start")?;
    report.at_most(&format!("a start: s until all {targets} targets were looked at"), first_s, ROUND_S);
    tell(report, "the start", &seen);

    // What a start writes is through before the first look of a minute.
    thread::sleep(Duration::from_secs(10));
    bucket.forget();
    let (meter, begun_s) = (Meter::start(service.pid())?, bucket.now_s());
    thread::sleep(IDLE);
    let (cost, seen) = (meter.read()?, bucket.seen());
    let round = round_s(&seen, begun_s, targets).context("not every marker was read")?;
    report.at_most(&format!("at rest: s in which all {targets} are looked at"), round, ROUND_S + 2.0);
    let peak = seen.by_second.values().max().copied().unwrap_or(0);
    report.at_most(
        "at rest: requests in the busiest second, against an even share",
        peak as f64 * ROUND_S / targets as f64,
        3.0,
    );
    tell(report, &format!("{} s at rest", IDLE.as_secs()), &seen);
    report.note(format!(
        "At rest a minute of {targets} targets costs {:.2} CPU-seconds; {} MiB are held.",
        cost.cpu_s * 60.0 / cost.wall.as_secs_f64(),
        resident_bytes(service.pid())? / MIB
    ));
    service.stop()?;
    Ok(())
}

fn tell(report: &mut Report, when: &str, seen: &Seen) {
    let peak = seen.by_second.values().max().copied().unwrap_or(0);
    let all: u64 = seen.by_second.values().sum();
    report.note(format!(
        "In {when}: {all} requests, at most {peak} in a second and {} connections at a time.",
        seen.connections_max
    ));
}

/// Seconds from `begun_s` until each of the markers was read; `None` if one was not.
fn round_s(seen: &Seen, begun_s: f64, targets: usize) -> Option<f64> {
    let firsts = seen.looks.values().filter_map(|looks| looks.first());
    (seen.looks.len() == targets).then(|| firsts.fold(0.0, |last: f64, first| last.max(first - begun_s)))
}

/// Waits until the service says that all targets are up.
fn all_up(service: &Server, targets: usize) -> Result<()> {
    let started = Instant::now();
    loop {
        let report: Value = serde_json::from_slice(&service.connect()?.document("/api/v1/fleet")?)?;
        let providers = report["providers"].as_array().context("no providers")?;
        let all = providers.iter().filter_map(|provider| provider["targets"].as_array()).flatten();
        let up = all.filter(|target| target["state"] == "up").count();
        if up == targets {
            return Ok(());
        }
        ensure!(started.elapsed() < UP_MAX, "{up} of {targets} targets are up");
        thread::sleep(Duration::from_millis(500));
    }
}
