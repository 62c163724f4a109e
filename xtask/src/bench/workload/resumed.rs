//! The same file by one PUT and by a resumable upload in pieces of 64 MiB: what the pieces cost.

use anyhow::Result;

use crate::bench::{
    Bench, GIB, MIB,
    meter::{Cost, Meter},
    report::{Report, Row},
    server::Server,
};

/// Each way is gone so often, in turn; the median by CPU is shown.
const RUNS: u64 = 3;
const PIECE_BYTES: u64 = 64 * MIB;

/// Runs the story.
///
/// # Errors
/// When a server does not do what is due.
pub fn run(bench: &Bench<'_>, report: &mut Report) -> Result<()> {
    let size = bench.scaled(GIB);
    let service = Server::holdfast(bench, bench.place("service"))?;
    let (mut whole, mut pieces) = (Vec::new(), Vec::new());
    for file in 0..RUNS {
        whole.push(measured(&service, || {
            service.connect()?.put(&service.path(&format!("whole-{file}")), &bench.pattern, file, size)
        })?);
        pieces.push(measured(&service, || {
            service.connect()?.resume(&format!("pieces-{file}"), &bench.pattern, file, size, PIECE_BYTES)
        })?);
        // Both are the same bytes when they come back.
        let mut client = service.connect()?;
        client.get(&service.path(&format!("pieces-{file}")), &bench.pattern, file, size, None)?;
    }
    let gib = size as f64 / GIB as f64;
    let (whole, pieces) = (add(report, "by PUT", &mut whole, size), add(report, "resumable", &mut pieces, size));
    report.at_most("resumable upload: CPU, times a PUT", pieces / whole, 1.3);
    report.note(format!("{:.2} GiB each way, in pieces of 64 MiB; CPU counts until all of it is settled.", gib));
    Ok(())
}

fn measured(service: &Server, upload: impl FnOnce() -> Result<()>) -> Result<Cost> {
    let meter = Meter::start(service.pid())?;
    upload()?;
    let wall = meter.read()?.wall;
    service.wait_released()?;
    Ok(Cost { wall, ..meter.read()? })
}

/// Adds the median run; its CPU-seconds.
fn add(report: &mut Report, workload: &str, costs: &mut [Cost], size: u64) -> f64 {
    costs.sort_by(|one, other| one.cpu_s.total_cmp(&other.cpu_s));
    let Some(&cost) = costs.get(costs.len() / 2) else { return 0.0 };
    report.row(&Row {
        workload,
        server: "holdfast",
        rate: format!("{:.0} MiB/s", size as f64 / MIB as f64 / cost.wall.as_secs_f64()),
        cpu: format!("{:.2} s/GiB", cost.cpu_s * GIB as f64 / size as f64),
        cost: Some(cost),
        load: None,
        user_bytes: Some(size),
    });
    cost.cpu_s
}
