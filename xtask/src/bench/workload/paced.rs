//! A bandwidth limit for upkeep: how much of it do repair and evacuation use?
//!
//! A provider is wiped, then another one is evacuated, on a service that may move so many bytes a second. What counts is what
//! is read, written and read back. On the five providers that are left a 4+2 pack is settled with seven lanes, so each gets two: both are
//! made from the same four, which moves four bytes for each byte of them. A lane that is copied moves each byte three times. The clock runs from the first new shard to the last.

use std::{
    fs,
    path::Path,
    time::{Duration, Instant},
};

use anyhow::{Context, Result};
use serde_json::Value;

use super::{repair::wipe, small::upload_all};
use crate::bench::{
    Bench, MIB,
    meter::disk_bytes,
    report::{Report, Row},
    server::{Server, providers},
};

const FILES: u64 = 8;
const FILE_BYTES: u64 = 64 * MIB;
/// Far below what the machine can do, so that the limit alone decides.
const LIMIT_BYTES_PER_S: u64 = 24 * MIB;
/// Bytes moved for each byte of a new lane: of two that are made from the same four others, written and read back; and of one that is
/// copied.
const MADE: u64 = 4;
const COPIED: u64 = 3;
/// A move has begun when there is so much new: markers and records are smaller.
const BEGUN_BYTES: u64 = 2 * MIB;
const PATIENCE: Duration = Duration::from_secs(1_800);

/// Runs the story.
///
/// # Errors
/// When the service does not come to rest.
pub fn run(bench: &Bench<'_>, report: &mut Report) -> Result<()> {
    let service = Server::holdfast(bench, bench.place("service"))?;
    upload_all(bench, &service, FILES, bench.scaled(FILE_BYTES), true)?;
    service.wait_released()?;
    let data = service.stop()?;
    limit(&data)?;
    let service = Server::holdfast(bench, data)?;
    let all = providers(&service.data)?;
    let [first, second, ..] = all.as_slice() else { anyhow::bail!("no providers") };

    let mut moved = Moved::at(&all)?;
    wipe(first)?;
    moved.before = moved.now()?;
    service.wait_until(PATIENCE, |state| Ok(state.files_below_settled > 0))?;
    service.wait_until(PATIENCE, |state| {
        moved.look()?;
        Ok(state.files_below_settled == 0)
    })?;
    moved.report("repair", MADE, report)?;

    let mut moved = Moved::at(&all)?;
    let name = second.file_name().and_then(|name| name.to_str()).context("a provider without a name")?;
    bench.holdfast(&["provider", "evacuate", name, "--by", "2099-01-01", "--data"], &[&service.data])?;
    let mut client = service.connect()?;
    service.wait_until(PATIENCE, |_| {
        moved.look()?;
        let fleet: Value = serde_json::from_slice(&client.document("/api/v1/fleet")?)?;
        let own = fleet["providers"].as_array().into_iter().flatten().find(|provider| provider["name"] == name);
        Ok(own.is_some_and(|own| own["targets"][0]["evacuation"]["state"] == "evacuated"))
    })?;
    moved.report("evacuation", COPIED, report)
}

/// Sets the limit in the trial's own configuration.
fn limit(data: &Path) -> Result<()> {
    let file = data.join("holdfast.toml");
    let head = "[settings]\n";
    let text = fs::read_to_string(&file)?;
    let text = text.replacen(head, &format!("{head}upkeep_bytes_per_s = {LIMIT_BYTES_PER_S}\n"), 1);
    Ok(fs::write(&file, text)?)
}

/// What came to the disks of all providers, and how long it took.
struct Moved<'a> {
    all: &'a [std::path::PathBuf],
    before: u64,
    last: u64,
    begun: Option<(Instant, u64)>,
    ended: Option<Instant>,
}

impl<'a> Moved<'a> {
    fn at(all: &'a [std::path::PathBuf]) -> Result<Self> {
        let mut moved = Self { all, before: 0, last: 0, begun: None, ended: None };
        moved.before = moved.now()?;
        Ok(moved)
    }

    fn now(&self) -> Result<u64> {
        self.all.iter().map(|provider| disk_bytes(provider)).sum()
    }

    fn look(&mut self) -> Result<()> {
        let now = self.now()?.saturating_sub(self.before);
        if self.begun.is_none() && now > BEGUN_BYTES {
            self.begun = Some((Instant::now(), now));
        }
        if now > self.last {
            self.last = now;
            self.ended = Some(Instant::now());
        }
        Ok(())
    }

    fn report(self, what: &str, each: u64, report: &mut Report) -> Result<()> {
        let (begun, at) = self.begun.context("nothing was moved")?;
        let wall = self.ended.context("nothing was moved")?.duration_since(begun);
        let rate = ((self.last - at) * each) as f64 / wall.as_secs_f64();
        report.row(&Row {
            workload: &format!(
                "{what} under a limit of {} MiB/s, {} MiB of new shards",
                LIMIT_BYTES_PER_S / MIB,
                self.last / MIB
            ),
            server: "holdfast",
            rate: format!("{:.1} MiB/s moved", rate / MIB as f64),
            ..Row::default()
        });
        report.at_least(&format!("{what}: moved, times the limit"), rate / LIMIT_BYTES_PER_S as f64, 0.8);
        Ok(())
    }
}
