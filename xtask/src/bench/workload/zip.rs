//! A folder of 10 GiB as one zip, and one of 1 GiB: memory is the same.

use anyhow::{Result, ensure};

use crate::bench::{
    Bench, GIB, MIB,
    meter::{Cost, Meter},
    report::{Report, Row},
    server::Server,
};

const FILE_BYTES: u64 = GIB / 4;
const FILES: u64 = 40;
/// Of which the smaller folder has so many.
const FEW: u64 = 4;

/// Runs the story.
///
/// # Errors
/// When an upload is refused, or a zip is short.
pub fn run(bench: &Bench<'_>, report: &mut Report) -> Result<()> {
    let size = bench.scaled(FILE_BYTES);
    let service = Server::holdfast(bench, bench.place("service"))?;
    let mut client = service.connect()?;
    for file in 0..FILES {
        let folder = if file < FEW { "few" } else { "more" };
        client.put(&service.path(&format!("all/{folder}/{file:02}.bin")), &bench.pattern, file, size)?;
    }
    service.wait_released()?;
    let few = zip(&service, report, "all/few", FEW * size)?;
    let all = zip(&service, report, "all", FILES * size)?;
    let grown = all.peak_bytes as f64 / few.peak_bytes as f64;
    report.at_most("peak RSS of the zip of all, times the zip of a tenth", grown, 1.15);
    Ok(())
}

fn zip(service: &Server, report: &mut Report, folder: &str, bytes: u64) -> Result<Cost> {
    let meter = Meter::start(service.pid())?;
    let got = service.connect()?.drain(&format!("/api/v1/zip/{folder}/"))?;
    let cost = meter.read()?;
    ensure!((bytes..bytes + MIB).contains(&got), "a zip of {bytes} bytes of files has {got}");
    report.row(&Row {
        workload: &format!("a zip of {:.2} GiB", bytes as f64 / GIB as f64),
        server: service.name,
        rate: format!("{:.0} MiB/s", bytes as f64 / MIB as f64 / cost.wall.as_secs_f64()),
        cpu: format!("{:.2} s/GiB", cost.cpu_s * GIB as f64 / bytes as f64),
        cost: Some(cost),
        load: None,
        user_bytes: None,
    });
    Ok(cost)
}
