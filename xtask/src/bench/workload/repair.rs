//! A provider wiped while the service runs: how fast are the lost shards made again, read-back included?
//!
//! The clock runs from the first bytes of the repair, because how long a service waits before it repairs what is safe is a
//! setting, until it says that all is settled. Beside it stands what the disk does for one writer that syncs at the end.

use std::{
    fs::{self, File},
    io::Write,
    path::Path,
    time::{Duration, Instant},
};

use anyhow::{Context, Result};

use super::small::upload_all;
use crate::bench::{
    Bench, MIB,
    meter::{Meter, disk_bytes, written_bytes},
    report::{Report, Row},
    server::{Server, providers},
};

const FILES: u64 = 16;
const FILE_BYTES: u64 = 128 * MIB;
/// A repair has begun when the service has written so much since the wipe; its own notes are smaller.
const BEGUN_BYTES: u64 = 2 * MIB;

/// Runs the story.
///
/// # Errors
/// When the service does not come back to settled.
pub fn run(bench: &Bench<'_>, report: &mut Report) -> Result<()> {
    let file_bytes = bench.scaled(FILE_BYTES);
    let user_bytes = FILES * file_bytes;
    let service = Server::holdfast(bench, bench.place("service"))?;
    upload_all(bench, &service, FILES, file_bytes, true)?;
    let all = providers(&service.data)?;
    let (lost, others) = all.split_first().context("no providers")?;
    let disk = || others.iter().map(|provider| disk_bytes(provider)).sum::<Result<u64>>();
    let (disk_before, written_before) = (disk()?, written_bytes(service.pid())?);

    let meter = Meter::start(service.pid())?;
    wipe(lost)?;
    service.wait_until(Duration::from_secs(300), |state| Ok(state.files_below_settled > 0))?;
    let mut begun = None;
    service.wait_until(Duration::from_secs(1800), |state| {
        if begun.is_none() && written_bytes(service.pid())? - written_before > BEGUN_BYTES {
            begun = Some(Instant::now());
        }
        Ok(state.files_below_settled == 0)
    })?;
    let repair = begun.context("all is settled again, but nothing was written")?.elapsed();
    let cost = meter.read()?;
    let made = disk()?.saturating_sub(disk_before);
    let (shards, user) = (rate(made, repair), rate(user_bytes, repair));
    let plain = rate(made, write_plainly(&bench.place("plain"), made)?);
    report.row(&Row {
        workload: &format!("repair of a lost provider, {} MiB of new shards", made / MIB),
        server: service.name,
        rate: format!("{shards:.0} MiB/s in shards, {user:.0} MiB/s in user bytes"),
        cpu: format!("{:.2} s", cost.cpu_s),
        cost: Some(crate::bench::meter::Cost { wall: repair, ..cost }),
        ..Row::default()
    });
    report.row(&Row {
        workload: "the same bytes by one writer, synced at the end",
        server: "disk",
        rate: format!("{plain:.0} MiB/s"),
        ..Row::default()
    });
    report.at_least("repair: new shards, times plain writing", shards / plain, 0.4);
    Ok(())
}

/// Removes everything that lies at a provider; its folder stays.
///
/// # Errors
/// When the disk refuses.
pub fn wipe(provider: &Path) -> Result<()> {
    for entry in fs::read_dir(provider)? {
        let path = entry?.path();
        if path.is_dir() { fs::remove_dir_all(path)? } else { fs::remove_file(path)? }
    }
    Ok(())
}

/// How long the disk takes for so many bytes from one writer, one sync included.
fn write_plainly(path: &Path, bytes: u64) -> Result<Duration> {
    let buffer = vec![7_u8; usize::try_from(MIB)?];
    let started = Instant::now();
    let mut file = File::create(path)?;
    for _ in 0..bytes / MIB {
        file.write_all(&buffer)?;
    }
    file.sync_all()?;
    let elapsed = started.elapsed();
    fs::remove_file(path)?;
    Ok(elapsed)
}

fn rate(bytes: u64, time: Duration) -> f64 {
    bytes as f64 / MIB as f64 / time.as_secs_f64()
}
