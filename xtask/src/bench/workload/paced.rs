//! A bandwidth limit for upkeep: how much of it do repair and evacuation use?
//!
//! A provider is wiped, then another one is evacuated, on a service that may move so many bytes a second. What counts is what the
//! service says (`holdfast_target_bytes_total`) that its calls moved to and from all targets; nobody else calls. The clock runs from
//! the first new shard to the last.

use std::{
    fs,
    path::{Path, PathBuf},
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

    wipe(first)?;
    let mut moved = Moved::at(&all, &service)?;
    service.wait_until(PATIENCE, |state| Ok(state.files_below_settled > 0))?;
    service.wait_until(PATIENCE, |state| {
        moved.look()?;
        Ok(state.files_below_settled == 0)
    })?;
    moved.report("repair", report)?;

    let mut moved = Moved::at(&all, &service)?;
    let name = second.file_name().and_then(|name| name.to_str()).context("a provider without a name")?;
    bench.holdfast(&["provider", "evacuate", name, "--by", "2099-01-01", "--data"], &[&service.data])?;
    let mut client = service.connect()?;
    service.wait_until(PATIENCE, |_| {
        moved.look()?;
        let fleet: Value = serde_json::from_slice(&client.document("/api/v1/fleet")?)?;
        let own = fleet["providers"].as_array().into_iter().flatten().find(|provider| provider["name"] == name);
        Ok(own.is_some_and(|own| own["targets"][0]["evacuation"]["state"] == "evacuated"))
    })?;
    moved.report("evacuation", report)
}

/// Sets the limit in the trial's own configuration.
fn limit(data: &Path) -> Result<()> {
    let file = data.join("holdfast.toml");
    let head = "[settings]\n";
    let text = fs::read_to_string(&file)?;
    let text = text.replacen(head, &format!("{head}upkeep_bytes_per_s = {LIMIT_BYTES_PER_S}\n"), 1);
    Ok(fs::write(&file, text)?)
}

/// What came to the disks of all providers, how long it took, and what was moved for it.
struct Moved<'a> {
    all: &'a [PathBuf],
    service: &'a Server,
    before: u64,
    new: u64,
    begun: Option<Seen>,
    ended: Option<Seen>,
}

/// A moment, and what all calls had moved by then.
#[derive(Clone, Copy)]
struct Seen {
    at: Instant,
    moved: u64,
}

impl<'a> Moved<'a> {
    fn at(all: &'a [PathBuf], service: &'a Server) -> Result<Self> {
        Ok(Self { all, service, before: on_disks(all)?, new: 0, begun: None, ended: None })
    }

    fn look(&mut self) -> Result<()> {
        let new = on_disks(self.all)?.saturating_sub(self.before);
        if new <= self.new.max(BEGUN_BYTES) {
            return Ok(());
        }
        self.new = new;
        // One that waits too long between questions is hung up on.
        let text = String::from_utf8(self.service.connect()?.document("/metrics")?)?;
        let moved = text.lines().filter(|line| line.starts_with("holdfast_target_bytes_total{"));
        let moved = moved.filter_map(|line| line.rsplit(' ').next()?.parse::<u64>().ok()).sum();
        let seen = Seen { at: Instant::now(), moved };
        self.begun.get_or_insert(seen);
        self.ended = Some(seen);
        Ok(())
    }

    fn report(self, what: &str, report: &mut Report) -> Result<()> {
        let (begun, ended) = self.begun.zip(self.ended).context("nothing was moved")?;
        let rate = (ended.moved - begun.moved) as f64 / ended.at.duration_since(begun.at).as_secs_f64();
        report.row(&Row {
            workload: &format!(
                "{what} under a limit of {} MiB/s, {} MiB of new shards",
                LIMIT_BYTES_PER_S / MIB,
                self.new / MIB
            ),
            server: "holdfast",
            rate: format!("{:.1} MiB/s moved", rate / MIB as f64),
            ..Row::default()
        });
        let share = rate / LIMIT_BYTES_PER_S as f64;
        report.at_least(&format!("{what}: moved, times the limit"), share, 0.8);
        report.at_most(&format!("{what}: moved, times the limit, it being one"), share, 1.1);
        Ok(())
    }
}

fn on_disks(all: &[PathBuf]) -> Result<u64> {
    all.iter().map(|provider| disk_bytes(provider)).sum()
}
