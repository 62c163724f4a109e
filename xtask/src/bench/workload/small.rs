//! Many small files over several connections: up until the last is packed, and down after a restart.

use std::{path::Path, thread, time::Duration};

use anyhow::Result;

use crate::bench::{
    Bench, MIB,
    load::Load,
    meter::{Cost, Meter, disk_bytes},
    report::{Report, Row},
    server::Server,
};

const FILES: u64 = 20_000;
const FILE_BYTES: u64 = 16 * 1024;
const CONNECTIONS: usize = 8;
/// The disk is at rest when it did not change in so many looks, so far apart: longer than a round of upkeep.
const LOOKS_UNCHANGED: u32 = 10;
const LOOK_EVERY: Duration = Duration::from_millis(300);
/// A folder of a user holds about so many.
const FILES_PER_FOLDER: u64 = 1_000;

/// Runs the story.
///
/// # Errors
/// When a server does not do what is due.
pub fn run(bench: &Bench<'_>, report: &mut Report) -> Result<()> {
    let count = bench.scaled(FILES);
    let user_bytes = count * FILE_BYTES;
    let floor = Server::sink(bench.place("floor"))?;
    let (floor_load, floor_cost) = upload_all(bench, &floor, count, FILE_BYTES, false)?;
    add(report, &floor, "up", &floor_load, floor_cost, Some(user_bytes));
    let (load, cost) = download_all(bench, &floor, count, FILE_BYTES)?;
    add(report, &floor, "down", &load, cost, None);
    drop(floor);

    let service = Server::holdfast(bench, bench.place("service"))?;
    if service.fleet_state(&mut service.connect()?)?.journal_objects.is_none() {
        report
            .note("The service does not say how many journal objects there are: small files count until settled only.");
    }
    let (load, cost) = upload_all(bench, &service, count, FILE_BYTES, true)?;
    add(report, &service, "up", &load, cost, Some(user_bytes));
    report.at_least("16 KiB up: files/s, times the floor", load.rate() / floor_load.rate(), 0.9);
    report.at_most("16 KiB up: CPU ms each, until packed", cost.cpu_s * 1e3 / count as f64, 0.8);
    let disk = disk_at_rest(&service.data.join("providers"))? as f64 / user_bytes as f64;
    report.at_most("disk per user byte, 16 KiB", disk, 1.8);
    report.note(format!(
        "{count} files of 16 KiB were packed and their journal released {:.0} s after the first byte, {:.0} s after the \
         last acknowledgement; CPU, memory and bytes written count until then.",
        cost.wall.as_secs_f64(),
        (cost.wall - load.wall.min(cost.wall)).as_secs_f64()
    ));

    let service = Server::holdfast(bench, service.stop()?)?;
    let (load, cost) = download_all(bench, &service, count, FILE_BYTES)?;
    add(report, &service, "down, after a restart", &load, cost, None);
    report.at_least("16 KiB down, after a restart: files/s", load.rate(), 5_000.0);
    Ok(())
}

/// Bytes on disk once they stand still: what the journal released is deleted a moment after it is no longer counted.
fn disk_at_rest(folder: &Path) -> Result<u64> {
    let mut last = disk_bytes(folder)?;
    let mut unchanged = 0;
    while unchanged < LOOKS_UNCHANGED {
        thread::sleep(LOOK_EVERY);
        let now = disk_bytes(folder)?;
        unchanged = if now == last { unchanged + 1 } else { 0 };
        last = now;
    }
    Ok(last)
}

/// Uploads files 0 to `count - 1`. The load ends at the last acknowledgement, the cost when all is settled and released.
///
/// # Errors
/// When an upload is refused.
pub fn upload_all(bench: &Bench<'_>, server: &Server, count: u64, bytes: u64, settles: bool) -> Result<(Load, Cost)> {
    let meter = Meter::start(server.pid())?;
    let load = Load::run(server, CONNECTIONS, count, |client, file| {
        client.put(&server.path(&name(file)), &bench.pattern, file, bytes)
    })?;
    if settles {
        server.wait_released()?;
    }
    Ok((load, meter.read()?))
}

/// Downloads the same files and compares them.
///
/// # Errors
/// When a file is not what was sent.
pub fn download_all(bench: &Bench<'_>, server: &Server, count: u64, bytes: u64) -> Result<(Load, Cost)> {
    let meter = Meter::start(server.pid())?;
    let load = Load::run(server, CONNECTIONS, count, |client, file| {
        client.get(&server.path(&name(file)), &bench.pattern, file, bytes, None)
    })?;
    Ok((load, meter.read()?))
}

fn name(file: u64) -> String {
    format!("small/{}/{file}", file / FILES_PER_FOLDER)
}

fn add(report: &mut Report, server: &Server, way: &str, load: &Load, cost: Cost, user_bytes: Option<u64>) {
    let count = load.rate() * load.wall.as_secs_f64();
    report.row(&Row {
        workload: &format!("{count:.0} × 16 KiB {way}, {CONNECTIONS} connections"),
        server: server.name,
        rate: format!("{:.0}/s, {:.0} MiB/s", load.rate(), load.rate() * FILE_BYTES as f64 / MIB as f64),
        cpu: format!("{:.2} ms each", cost.cpu_s * 1e3 / count),
        cost: Some(Cost { wall: load.wall, ..cost }),
        load: Some(load),
        user_bytes,
    });
}
