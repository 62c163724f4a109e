//! The catalogue and the keys' place are gone: how long until a new service knows everything, and a user has everything?

use std::{
    fs,
    path::{Path, PathBuf},
    time::Instant,
};

use anyhow::Result;

use super::small::{download_all, upload_all};
use crate::bench::{
    Bench,
    meter::ended_children_cpu_s,
    report::{Report, Row},
    server::{Server, providers},
};

const FILES: u64 = 100_000;
/// Above what may lie inline, so that the targets hold packs and locations as well as names.
const FILE_BYTES: u64 = 4 * 1024;

/// Runs the story.
///
/// # Errors
/// When the rebuild or the rescue does not bring back what was there.
pub fn run(bench: &Bench<'_>, report: &mut Report) -> Result<()> {
    let count = bench.scaled(FILES);
    let service = Server::holdfast(bench, bench.place("service"))?;
    upload_all(bench, &service, count, FILE_BYTES, true)?;
    let (_, download) = download_all(bench, &service, count, FILE_BYTES)?;
    let kit = bench.make_kit(&service)?;
    let data = service.stop()?;

    let (started, before) = (Instant::now(), ended_children_cpu_s()?);
    let out = bench.rescue(&kit, &data)?;
    let rescue_cpu_s = ended_children_cpu_s()? - before;
    add(report, "rescue", count, started, rescue_cpu_s);
    report.at_most("rescue of small files: CPU, times a download", rescue_cpu_s / download.cpu_s, 2.0);
    fs::remove_dir_all(out)?;

    let rebuilt = bench.place("rebuilt");
    let identity = data.join("keys/service-identity.txt");
    let mut paths: Vec<PathBuf> = vec![rebuilt.clone(), "--service-identity".into(), identity];
    for provider in providers(&data)? {
        paths.extend(["--target".into(), provider]);
    }
    let paths: Vec<&Path> = paths.iter().map(PathBuf::as_path).collect();
    let (started, before) = (Instant::now(), ended_children_cpu_s()?);
    bench.holdfast(&["rebuild", "--data"], &paths)?;
    let wall_s = started.elapsed().as_secs_f64();
    add(report, "rebuild", count, started, ended_children_cpu_s()? - before);
    report.at_most(&format!("rebuild of {count} files: s"), wall_s, 60.0);
    Ok(())
}

fn add(report: &mut Report, what: &str, count: u64, started: Instant, cpu_s: f64) {
    let wall_s = started.elapsed().as_secs_f64();
    report.row(&Row {
        workload: &format!("{what} of {count} files of 4 KiB, {wall_s:.1} s"),
        server: "holdfast",
        rate: format!("{:.0}/s", count as f64 / wall_s),
        cpu: format!("{cpu_s:.2} s"),
        ..Row::default()
    });
}
