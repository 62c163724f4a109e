//! How much memory the service holds: at rest, and under many uploads at once.

use std::{thread, time::Duration};

use anyhow::Result;

use crate::bench::{
    Bench, MIB,
    load::Load,
    meter::{Cost, Meter, resident_bytes},
    report::{Report, Row},
    server::Server,
};

const UPLOADS: u64 = 64;
const UPLOAD_BYTES: u64 = 64 * MIB;
/// Long enough for what a start or an upload leaves behind to be put away.
const REST: Duration = Duration::from_secs(5);

/// Runs the story.
///
/// # Errors
/// When an upload is refused.
pub fn run(bench: &Bench<'_>, report: &mut Report) -> Result<()> {
    let floor = Server::sink(bench.place("floor"))?;
    upload(bench, &floor, report)?;
    drop(floor);

    let service = Server::holdfast(bench, bench.place("service"))?;
    thread::sleep(REST);
    let idle_mib = mib(resident_bytes(service.pid())?);
    let cost = upload(bench, &service, report)?;
    service.wait_released()?;
    thread::sleep(REST);
    let rested_mib = mib(resident_bytes(service.pid())?);
    report.at_most("peak RSS, 64 uploads at once: MiB", mib(cost.peak_bytes), 512.0);
    report.at_most("RSS idle, after the start: MiB", idle_mib, 64.0);
    report.note(format!("RSS idle again, after 64 uploads at once: {rested_mib:.0} MiB."));
    Ok(())
}

fn upload(bench: &Bench<'_>, server: &Server, report: &mut Report) -> Result<Cost> {
    let bytes = bench.scaled(UPLOAD_BYTES);
    let meter = Meter::start(server.pid())?;
    let load = Load::run(server, 64, UPLOADS, |client, file| {
        client.put(&server.path(&format!("parallel-{file}")), &bench.pattern, file, bytes)
    })?;
    let cost = meter.read()?;
    let total = UPLOADS * bytes;
    report.row(&Row {
        workload: &format!("{UPLOADS} uploads of {} MiB at once", bytes / MIB),
        server: server.name,
        rate: format!("{:.0} MiB/s", mib(total) / load.wall.as_secs_f64()),
        cpu: format!("{:.2} s/GiB", cost.cpu_s * 1024.0 / mib(total)),
        cost: Some(cost),
        load: Some(&load),
        user_bytes: Some(total),
    });
    Ok(cost)
}

fn mib(bytes: u64) -> f64 {
    bytes as f64 / MIB as f64
}
