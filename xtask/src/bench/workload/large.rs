//! One big file: up, down, in ranges, from four of six providers, and home by rescue.

use std::fs;

use anyhow::{Context, Result};

use super::lost;
use crate::bench::{
    Bench, GIB, MIB,
    load::Load,
    meter::{Cost, Meter, disk_bytes, ended_children_cpu_s},
    report::{Report, Row},
    server::Server,
};

/// Each transfer is done so often, service and floor in turn; the median by CPU is shown.
const RUNS: u64 = 3;
const RANGE_BYTES: u64 = 64 * 1024;
const RANGES: u64 = 4096;

/// Runs the story.
///
/// # Errors
/// When a server does not do what is due.
pub fn run(bench: &Bench<'_>, report: &mut Report) -> Result<()> {
    let size = bench.scaled(GIB);
    let gib = size as f64 / GIB as f64;
    let floor = Server::sink(bench.place("floor"))?;
    let service = Server::holdfast(bench, bench.place("service"))?;

    let (mut floor_up, mut service_up) = (Vec::new(), Vec::new());
    let (mut floor_down, mut service_down) = (Vec::new(), Vec::new());
    for file in 0..RUNS {
        floor_up.push(upload(bench, &floor, file, size, false)?);
        service_up.push(upload(bench, &service, file, size, true)?);
    }
    for file in 0..RUNS {
        floor_down.push(download(bench, &floor, file, size)?);
        service_down.push(download(bench, &service, file, size)?);
    }
    let floor_cpu = add(report, "1 file up", &floor, size, &floor_up, true)?;
    let service_cpu = add(report, "1 file up", &service, size, &service_up, true)?;
    report.at_most("1 GiB up: CPU-s/GiB", service_cpu, 2.0);
    report.at_most("1 GiB up: CPU, times the floor", service_cpu / floor_cpu, 2.5);
    add(report, "1 file down", &floor, size, &floor_down, false)?;
    let down_cpu = add(report, "1 file down", &service, size, &service_down, false)?;
    report.at_most("1 GiB down, healthy: CPU-s/GiB", down_cpu, 0.8);
    let disk = disk_bytes(&service.data.join("providers"))? as f64 / (RUNS * size) as f64;
    report.at_most("disk per user byte, large", disk, 1.52);

    ranges(bench, &floor, size, report)?;
    let load = ranges(bench, &service, size, report)?;
    report.at_most("64 KiB range: p50 ms", load.percentile_ms(0.50), 0.5);
    report.at_most("64 KiB range: p99 ms", load.percentile_ms(0.99), 3.0);

    let kit = bench.make_kit(&service)?;
    let token_data = service.stop()?;
    lost::run(bench, &token_data, size, report)?;
    let before = ended_children_cpu_s()?;
    let out = bench.rescue(&kit, &token_data)?;
    let rescue_cpu = (ended_children_cpu_s()? - before) / (RUNS as f64 * gib);
    report.at_most("rescue of large files: CPU, times a download", rescue_cpu / down_cpu, 2.0);
    fs::remove_dir_all(out)?;
    Ok(())
}

/// Uploads file number `file`. Wall time ends at the acknowledgement; CPU and bytes written count until it is settled.
fn upload(bench: &Bench<'_>, server: &Server, file: u64, size: u64, settles: bool) -> Result<Cost> {
    let mut client = server.connect()?;
    let meter = Meter::start(server.pid())?;
    client.put(&server.path(&format!("large-{file}")), &bench.pattern, file, size)?;
    let acknowledged = meter.read()?;
    if settles {
        server.wait_released()?;
    }
    Ok(Cost { wall: acknowledged.wall, ..meter.read()? })
}

/// Downloads file number `file` and compares it.
///
/// # Errors
/// When the bytes are not those that were sent.
pub fn download(bench: &Bench<'_>, server: &Server, file: u64, size: u64) -> Result<Cost> {
    let mut client = server.connect()?;
    let meter = Meter::start(server.pid())?;
    client.get(&server.path(&format!("large-{file}")), &bench.pattern, file, size, None)?;
    meter.read()
}

/// Adds the median of several transfers with the spread of their rates, and returns its CPU-seconds per GiB.
fn add(report: &mut Report, workload: &str, server: &Server, size: u64, costs: &[Cost], up: bool) -> Result<f64> {
    let mut costs = costs.to_vec();
    costs.sort_by(|left, right| left.cpu_s.total_cmp(&right.cpu_s));
    let median = *costs.get(costs.len() / 2).context("nothing was measured")?;
    let mut rates: Vec<f64> = costs.iter().map(|cost| (size / MIB) as f64 / cost.wall.as_secs_f64()).collect();
    rates.sort_by(f64::total_cmp);
    let cpu_s_per_gib = median.cpu_s * GIB as f64 / size as f64;
    report.row(&Row {
        workload: &format!("{workload}, {} MiB", size / MIB),
        server: server.name,
        rate: format!("{:.0}–{:.0} MiB/s", rates[0], rates[rates.len() - 1]),
        cpu: format!("{cpu_s_per_gib:.2} s/GiB"),
        cost: Some(median),
        load: None,
        user_bytes: up.then_some(size),
    });
    Ok(cpu_s_per_gib)
}

/// Ranges spread over one file, one connection.
fn ranges(bench: &Bench<'_>, server: &Server, size: u64, report: &mut Report) -> Result<Load> {
    let count = bench.scaled(RANGES);
    let path = server.path("large-0");
    let meter = Meter::start(server.pid())?;
    let load = Load::run(server, 1, count, |client, index| {
        // The golden ratio spreads the offsets evenly and in no order that read-ahead could use.
        let start = index.wrapping_mul(0x9E37_79B9_7F4A_7C15) % (size - RANGE_BYTES);
        client.get(&path, &bench.pattern, 0, size, Some(start..start + RANGE_BYTES))
    })?;
    let cost = meter.read()?;
    report.row(&Row {
        workload: "64 KiB ranges, 1 connection",
        server: server.name,
        rate: format!("{:.0}/s", load.rate()),
        cpu: format!("{:.2} ms each", cost.cpu_s * 1e3 / count as f64),
        cost: Some(cost),
        load: Some(&load),
        user_bytes: None,
    });
    Ok(load)
}
